import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { writeWeeks } from "../../eval/year/log.ts";
import { type ReplayResult, replay } from "../../src/cli/replay.ts";
import { loadMaterial } from "../../src/cli/walker.ts";
import type { Retraining } from "../../src/cli/weekly.ts";
import type { Plan } from "../../src/compose/plan.ts";
import { alertRecord } from "../../src/detect/alert.ts";
import { NO_RULES, type Rules } from "../../src/detect/rules.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import { planned } from "../detect/support.ts";
import { type Finished, frozen, type Printed, printed, program } from "./support.ts";

/**
 * A small composed server for four days. No model has more than three to learn from, so none has a network and all are made in seconds; the
 * first has one day, too little to tell new messages, the one of Sunday has two.
 */

const PLAN: Plan = {
  seed: 5,
  start: "2026-03-05T18:00:00Z",
  days: 3.39,
  server: {
    ...{ name: "small", host: "mx1", domain: "small.example", zone: "UTC", header: "rfc3164" },
    ...{ mailsPerDay: 200, noisePerDay: 100, weekend: 1, without: ["opendmarc"] },
  },
  faults: [
    { kind: "log_silence", start: "2026-03-07T10:00:00Z", minutes: 90 },
    { kind: "dns_resolver_down", start: "2026-03-08T09:00:00Z", minutes: 60 },
    { kind: "log_silence", start: "2026-03-08T16:00:00Z", minutes: 90 },
    { kind: "dovecot_auth_down", start: "2026-03-08T20:00:00Z", minutes: 60 },
    { kind: "log_silence", start: "2026-03-09T00:30:00Z", minutes: 90 },
  ],
};
const TRAINED = Date.parse("2026-03-06T20:00:00Z");
const DUE = Date.parse("2026-03-08T03:30:00Z");
const FLAGS = ["--timezone", "UTC", "--year", "2026", "--quiet"];

const root = mkdtempSync(join(tmpdir(), "logvane-weekly-"));
after(() => rmSync(root, { recursive: true, force: true }));
const logvane = (...args: string[]): Promise<Finished> => program("bin/logvane.js", [...args, ...FLAGS]);
const weekly = (files: readonly string[], ...more: string[]): Promise<Finished> =>
  logvane(
    ...["backtest", ...files, "--train-until", until, "--retrain", "weekly", "--format", "ndjson"],
    ...more,
  );

type Row = { at: string; promoted: boolean; model: string; parent: string; incidents_left_out: string[] };

/** Time in ms of a line, whose stamp is "Mar  2 00:03:51" in UTC of 2026. */
const timeOf = (text: string): number => Date.parse(`2026 ${text.slice(0, 15)} UTC`);

let lines: string[];
/** End of training: behind the last line of it, as `train` has it. */
let until: string;
let told: Printed[];
let rows: Row[];
/** Lines up to the switch, the first one at its time or later included. */
let learned: number;
before(async () => {
  const log = writeWeeks(PLAN, loadMaterial(), root, (text) => text);
  lines = log.files.flatMap((file) => gunzipSync(readFileSync(file)).toString("utf8").trimEnd().split("\n"));
  until = new Date(timeOf(lines[lines.findIndex((text) => timeOf(text) >= TRAINED) - 1]!) + 1).toISOString();
  learned = lines.findIndex((text) => timeOf(text) >= DUE) + 1;
  const kept = join(root, "retrainings");
  const { status, stdout, stderr } = await weekly(log.files, "--retrainings", kept);
  assert.equal(status, 0, stderr);
  told = printed(stdout);
  rows = readFileSync(kept, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
});

/** The first lines, in one file. */
const cut = (n: number): string => {
  const file = join(root, `cut-${n}.log`);
  writeFileSync(file, `${lines.slice(0, n).join("\n")}\n`);
  return file;
};
const replayed = (files: readonly string[], rules: Rules = NO_RULES): Promise<ReplayResult> =>
  replay({
    rules,
    files,
    options: { timezone: "UTC", year: 2026 },
    until: { time: Date.parse(until) },
    ...{ budget: 2, without: new Set(), seed: 1 },
    weekly: { when: { weekday: 0, atMinute: 210, days: 2 }, onRetrained: () => {} },
  });
const isLater = ({ opened_at }: Printed): boolean => Date.parse(opened_at) >= DUE;

suite("a back-test that learns anew each week", () => {
  test("says which model came into use when, in place of which, and what it did not learn", () => {
    assert.equal(rows.length, 1);
    const [{ at, promoted, model, parent, incidents_left_out }] = rows as [Row];
    assert.equal(Date.parse(at), timeOf(lines[learned - 1]!));
    assert.ok(promoted);
    assert.notEqual(model, parent);
    const before = told.filter((alert) => !isLater(alert)).map(({ id }) => id);
    assert.ok(before.length > 0);
    assert.deepEqual([...incidents_left_out].sort(), before.sort());
  });

  test("tells afterwards what detect tells with the model of train, detect and retrain", async () => {
    const state = ["--state", join(root, "state")];
    const known = cut(learned);
    const first = cut(lines.findIndex((text) => timeOf(text) >= TRAINED));
    for (const args of [
      ["train", first],
      ["detect", known],
      ["retrain", known],
    ]) {
      const { status, stderr } = await logvane(...args, ...state);
      assert.equal(status, 0, stderr);
    }
    const { stdout } = await logvane("detect", cut(lines.length), ...state, "--format", "ndjson");
    const live = printed(stdout).filter(isLater);
    assert.ok(live.length >= 3, `${live.length} alerts`);
    assert.ok(
      live.some(({ view }) => view === "novelty") && !told.some((a) => a.view === "novelty" && !isLater(a)),
    );
    const same = ({ opened_at, title, kind, p_value }: Printed): object => ({
      opened_at,
      title,
      kind,
      p_value,
    });
    assert.deepEqual(told.filter(isLater).map(same), live.map(same));
  });

  test("tells of a log that is cut what it had told by then; of files, it reads those again that hold the days asked for", async () => {
    const whole = await replayed([cut(lines.length)]);
    const alerts = whole.alerts.map((alert) => alertRecord(alert) as unknown as Printed);
    const last = alerts.filter(isLater).at(-1)!;
    const n = lines.findIndex((text) => timeOf(text) >= Date.parse(last.opened_at)) - 1;
    const days = [...new Set(lines.map((text) => text.slice(0, 6)))];
    const files = days.map((day) => {
      const file = join(root, `${day.replaceAll(" ", "-")}.log`);
      const own = lines.slice(0, n).filter((text) => text.startsWith(day));
      writeFileSync(file, `${own.join("\n")}\n`);
      return file;
    });
    const short = await replayed(files);
    assert.deepEqual(short.retrainings, whole.retrainings);
    const [{ at, days: span }] = short.retrainings as [Retraining];
    assert.equal(new Date(at - span * DAY_MS).getUTCDate(), 6, "nothing of the first file is learned");
    const end = timeOf(lines[n - 1]!);
    const then = alerts.filter(({ opened_at }) => Date.parse(opened_at) <= end);
    assert.ok(then.some(isLater) && then.length < alerts.length);
    const same = (alert: Printed): object => {
      const { lines: _, ...rest } = frozen(alert); // cited by file
      return rest;
    };
    assert.deepEqual(
      short.alerts.map((alert) => same(alertRecord(alert) as unknown as Printed)),
      then.map(same),
    );
  });

  test("learns nothing of what the calendar holds", async () => {
    const night = planned({ first: Date.parse("2026-03-07T00:00:00Z") / 60_000, minutes: 360 });
    const log = [cut(lines.length)];
    const [plain, without] = [await replayed(log), await replayed(log, { feedback: [], plans: [night] })];
    const hours = ({ retrainings }: ReplayResult): number => retrainings[0]!.flagged_hours;
    assert.equal(hours(without) - hours(plain), 6);
  });

  test("takes no pipe, of which nothing can be read again", async () => {
    const shell = spawnSync(
      "sh",
      [
        "-c",
        'cat "$1" | "$2" bin/logvane.js backtest - --retrain weekly --since 1d',
        "sh",
        cut(100),
        process.execPath,
      ],
      { encoding: "utf8" },
    );
    assert.equal(shell.status, 64, shell.stderr);
    assert.match(shell.stderr, /a pipe can be read once/);
  });
});
