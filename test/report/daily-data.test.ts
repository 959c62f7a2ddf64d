import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Fault } from "../../src/fault.ts";
import type { DailyReport } from "../../src/report/daily.ts";
import { type DayKnown, dailyReport, type ReportSettings } from "../../src/report/daily-data.ts";
import { hoursOfDay } from "../../src/report/daily-figures.ts";
import { reportHtml } from "../../src/report/daily-html.ts";
import { type DayLog, dayOf, readConfiguredDay, readDay } from "../../src/report/daily-log.ts";
import { reportText } from "../../src/report/daily-text.ts";
import { reportSubject } from "../../src/report/daily-verdict.ts";
import type { DayFacts } from "../../src/store/report-queries.ts";
import { DAY, dayLines, daysBefore, incident, summaryOf, ZONE } from "./daily-support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-daily-"));
after(() => rmSync(root, { recursive: true, force: true }));
const HOUR = 3_600_000;
const day = dayOf(DAY, ZONE);
const summary = summaryOf(
  dayLines(DAY, () => 4),
  day,
);
const log: DayLog = { summary, lines: 500, unknown: 0, badEnvelope: 0, faults: [] };
const counts = {
  opened: 1,
  held: 0,
  suppressed: 0,
  planned: 0,
  joined: 2,
  below_bar: 3,
  lines: 510,
  unknown: 1,
  bad_envelope: 0,
  lost: 0,
};
const facts: DayFacts = {
  alerts: { rows: [incident(3)], more: 0 },
  opened: 1,
  held: { rows: [], more: 0 },
  suppressed: { rows: [], more: 0 },
  damaged: 0,
  counts,
  templates: { rows: [], more: 0 },
  outbox: { waiting: 0, since: undefined, givenUp: 0 },
  model: {
    id: "m1",
    header: { from: day.from - 29 * 24 * HOUR, to: day.from - 24 * HOUR, figures: daysBefore(summary, 28) },
  },
  retrained: undefined,
};
const known: DayKnown = { facts, figures: [], stateBytes: 1_234_567, log };
const settings: ReportSettings = {
  ...{ server: "mx", perDay: 2, release: "0.1.0", now: day.to + 6 * HOUR },
  ...{ logs: true, network: false },
};
const notesOf = (change: Partial<DayKnown>): readonly string[] =>
  dailyReport(settings, day, { ...known, ...change }).health.notes;

suite("the daily report of what comes over the network", () => {
  const nothing: DayLog = { summary: undefined, lines: 0, unknown: 0, badEnvelope: 0, faults: [] };
  const of = (logs: boolean, network: boolean, change: Partial<DayKnown> = {}): DailyReport =>
    dailyReport({ ...settings, logs, network }, day, { ...known, ...change });
  const quiet: Partial<DayKnown> = { log: nothing, facts: { ...facts, alerts: { rows: [], more: 0 } } };

  test("says that there are no figures, and why, and can be quiet", () => {
    const report = of(false, true, quiet);
    assert.match(report.figures_lack!, /no mail figures: .* the 510 lines of this day came over the network/);
    assert.deepEqual(report.health.notes, []);
    assert.match(reportSubject(report), /: all quiet on /);
    assert.match(reportText(report), /^Figures\n-+\n {2}There are no mail figures: /m);
    assert.match(reportHtml(report, { charts: "data" }), /There are no mail figures: /);
  });
  test("says what the figures leave out, where there are logs beside it", () => {
    const report = of(true, true);
    assert.match(report.figures_lack!, /^The figures are of the logs alone/);
    assert.match(reportText(report), /The figures are of the logs alone: /);
    assert.equal(of(true, false).figures_lack, null);
  });
  test("says that nothing came, where nothing did", () => {
    const none = {
      ...quiet,
      facts: { ...facts, alerts: { rows: [], more: 0 }, counts: { ...counts, lines: 0 } },
    };
    for (const [logs, network] of [
      [false, true],
      [true, false],
      [true, true],
    ] as const) {
      const report = of(logs, network, none);
      assert.match(report.health.notes[0]!, /^No line of this day was found/);
      assert.match(reportSubject(report), /: no log of /);
    }
  });
});

suite("the daily report's data", () => {
  const report = dailyReport(settings, day, known);
  test("come from the ledger, the model and the log", () => {
    assert.deepEqual(report.budget, {
      per_day: 2,
      opened: 1,
      held: 0,
      suppressed: 0,
      planned: 0,
      joined: 2,
      below_bar: 3,
    });
    assert.deepEqual([report.health.lines, report.health.unknown, report.health.state_mb], [510, 1, 1.2]);
    assert.deepEqual([report.before.length, report.usual["received"]?.days], [28, 8]); // eight of 28 days are weekend
    assert.deepEqual(report.health.notes, []);
  });
  test("are JSON and survive it", () =>
    assert.equal(reportText(JSON.parse(JSON.stringify(report)) as typeof report), reportText(report)));
  test("know the days since the training, of which figures were kept", () => {
    const kept = [{ day: "2026-11-27", totals: { ...summary.corrected, received: 7777 } }];
    const { before } = dailyReport(settings, day, { ...known, figures: kept });
    assert.deepEqual([before.length, before.at(-1)?.totals.received], [28, 7777]);
  });
  test("of a day that is not over compare nothing with whole days", () => {
    const early = dailyReport({ ...settings, now: day.from + 9 * HOUR }, day, known);
    assert.deepEqual(early.usual, {});
    assert.match(reportText(early), /The day is not over: all up to 09:00\./);
  });
  test("without a state have the figures alone, and say what is missing", () => {
    const bare = dailyReport(settings, day, { ...known, facts: undefined });
    assert.deepEqual(bare.budget, {
      per_day: 2,
      opened: 0,
      held: 0,
      suppressed: 0,
      planned: 0,
      joined: null,
      below_bar: null,
    });
    assert.equal(bare.health.model, null);
    assert.match(bare.health.notes.join("\n"), /^Nothing is learned yet/);
  });
  test("leave out an alert whose record is damaged, and say so", () => {
    const torn = {
      ...facts,
      alerts: { rows: [incident(3), { id: "torn", opened_at: "2026-11-28" }], more: 0 },
    };
    const { alerts, health } = dailyReport(settings, day, { ...known, facts: torn });
    assert.equal(alerts.length, 1);
    assert.match(health.notes[0]!, /^1 saved alert of this day can't be read/);
  });
  test("cut long lines of alerts", () => {
    const line = { file: "f", line: 1, text: "x".repeat(9000) };
    const long = { ...facts, alerts: { rows: [incident(3, { lines: [line, line, line] })], more: 0 } };
    assert.ok(JSON.stringify(dailyReport(settings, day, { ...known, facts: long }).alerts).length < 3000);
  });
  test("tell of a retraining on its day alone", () => {
    const mark = (at: number): DayFacts => ({
      ...facts,
      retrained: JSON.stringify({ at: new Date(at).toISOString(), text: "Trained\n  again." }),
    });
    const told = (at: number): string | null =>
      dailyReport(settings, day, { ...known, facts: mark(at) }).health.retrained;
    assert.deepEqual([told(day.from), told(day.to), told(day.from - 1)], ["Trained again.", null, null]);
  });
});

suite("the notes of a report", () => {
  const first = (change: Partial<DayKnown>): string => notesOf(change)[0] ?? "";
  test("say what to do when nothing was logged", () =>
    assert.match(first({ log: { ...log, summary: undefined } }), /^No line of this day was found/));
  test("say when lines were lost", () =>
    assert.match(
      first({ facts: { ...facts, counts: { ...counts, lost: 1 } } }),
      /^1 line of the log was gone/,
    ));
  test("say what was given up, and what waits for long", () => {
    const outbox = { waiting: 2, since: day.from, givenUp: 1 };
    const [lost, waiting] = notesOf({ facts: { ...facts, outbox } });
    assert.match(lost!, /^1 notification could not be delivered and was given up/);
    assert.match(
      waiting!,
      /^2 notifications could not be sent yet, the oldest since 2026-11-28 00:00 \+01:00/,
    );
    const fresh = { waiting: 2, since: settings.now - 60_000, givenUp: 0 };
    assert.deepEqual(notesOf({ facts: { ...facts, outbox: fresh } }), []);
  });
  test("say when nobody watched", () =>
    assert.match(first({ facts: { ...facts, counts: undefined } }), /^Nothing was watched on this day/));
  test("pass on what could not be read", () => {
    const fault = new Fault("io", "cannot read x: EIO", "x", "it was not read", "check the disk");
    assert.equal(
      first({ log: { ...log, faults: [fault] } }),
      "cannot read x: EIO (x): it was not read. check the disk.",
    );
  });
  test("say when much is not understood", () => {
    assert.deepEqual(notesOf({ facts: { ...facts, counts: { ...counts, unknown: 25 } } }), []);
    assert.match(first({ facts: { ...facts, counts: { ...counts, unknown: 26 } } }), /^26 of 510 lines/);
  });
  test("say when the model is old", () => {
    const old = { id: "m1", header: { from: 0, to: day.to - 61 * 24 * HOUR } };
    assert.match(first({ facts: { ...facts, model: old } }), /^What is normal was learned up to 2026-09-28/);
  });
});

suite("a day", () => {
  const hours = (date: string, zone: string): number => {
    const { from, to } = dayOf(date, zone);
    return (to - from) / HOUR;
  };
  test("has 23, 24 or 25 hours", () => {
    assert.equal(hours("2026-11-28", ZONE), 24);
    assert.equal(hours("2026-03-29", ZONE), 23);
    assert.equal(hours("2026-10-25", ZONE), 25);
    assert.equal(hours("2026-10-04", "Australia/Lord_Howe"), 23.5);
  });
  test("begins at one o'clock where the clocks skip midnight", () => {
    const skipped = dayOf("2018-11-04", "America/Sao_Paulo");
    assert.equal(new Date(skipped.from).toISOString(), "2018-11-04T03:00:00.000Z"); // 01:00 -02:00
    assert.equal(hours("2018-11-04", "America/Sao_Paulo"), 23);
  });
  for (const [date, n] of [
    ["2026-03-29", 23],
    ["2026-10-25", 25],
  ] as const)
    test(`of ${n} hours counts every line of them, and says so`, async () => {
      const changed = dayOf(date, ZONE);
      const lines: string[] = [];
      for (let t = changed.from - HOUR / 2; t < changed.to + HOUR; t += HOUR)
        lines.push(`${new Date(t).toISOString()} mx postfix/smtpd[1]: A${t}: client=h[192.0.2.1]`);
      const file = join(root, `${date}.log`);
      writeFileSync(file, `${lines.join("\n")}\n`);
      const read = await readDay([file], changed, undefined, changed.to);
      assert.equal(read.lines, n);
      const report = dailyReport({ ...settings, now: changed.to }, changed, {
        ...known,
        facts: undefined,
        log: read,
      });
      assert.equal(hoursOfDay(report), n);
      assert.match(reportText(report), new RegExp(`this day had ${n} hours`));
    });
});

suite("the log of a day", () => {
  const config = (paths: readonly string[]): Parameters<typeof readConfiguredDay>[0] => ({
    paths,
    journal: false,
    units: [],
    listen: [],
    timezone: ZONE,
  });
  const now = day.to + 6 * HOUR;
  const dir = join(root, "var");
  mkdirSync(dir);
  const lines = dayLines(DAY, () => 2);
  const middle = lines.length / 2;
  const before = dayLines("2026-11-27", () => 1);
  writeFileSync(join(dir, "mail.log.1"), `${[...before, ...lines.slice(0, middle)].join("\n")}\n`);
  writeFileSync(join(dir, "mail.log"), `${lines.slice(middle).join("\n")}\nno time in this one\n`);
  test("is put together from rotated files", async () => {
    const read = await readConfiguredDay(config([join(dir, "mail.log")]), day, now);
    assert.equal(read.summary?.corrected.received, 48);
    assert.deepEqual([read.lines, read.badEnvelope, read.faults.length], [lines.length + 1, 1, 0]);
  });
  test("that is missing is told, and what can be read is read", async () => {
    const paths = [join(root, "none.log"), join(dir, "mail.log")];
    const read = await readConfiguredDay(config(paths), day, now);
    assert.equal(read.summary?.corrected.received, 48);
    assert.match(read.faults[0]!.message, /no such file/);
  });
  test("that is damaged is told, and what comes before and after is read", async () => {
    const broken = join(root, "broken");
    mkdirSync(broken);
    const packed = gzipSync(`${lines.slice(0, middle).join("\n")}\n`);
    writeFileSync(join(broken, "mail.log.1.gz"), packed.subarray(0, packed.length - 9));
    writeFileSync(join(broken, "mail.log"), `${lines.slice(middle).join("\n")}\n`);
    const read = await readConfiguredDay(config([join(broken, "mail.log")]), day, now);
    assert.equal(read.faults.length, 1);
    assert.match(read.faults[0]!.message, /ends early|breaks|damaged|cut/);
    assert.ok((read.summary?.corrected.received ?? 0) >= 24, String(read.summary?.corrected.received));
  });
  test("of another day is none", async () => {
    const read = await readConfiguredDay(config([join(dir, "mail.log")]), dayOf("2026-11-20", ZONE), now);
    assert.deepEqual([read.summary, read.lines], [undefined, 0]);
  });
});
