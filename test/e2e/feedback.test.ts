import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { loadMaterial } from "../../src/cli/walker.ts";
import { compose } from "../../src/compose/compose.ts";
import type { Fault } from "../../src/compose/plan.ts";
import { type Finished, type Printed, printed, program } from "./support.ts";

/**
 * The same attack on passwords four times, once five times as large, and in between another fault: called harmless once, the attack is
 * told no more until its size or the time says otherwise.
 */

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 8, 7);
const PAST_DAYS = 6;
const CUT = START + PAST_DAYS * DAY_MS;
const dir = mkdtempSync(join(tmpdir(), "logvane-feedback-"));
const state = join(dir, "state");
const flags = ["--timezone", "UTC", "--quiet", "--state", state];
const logvane = (...args: string[]): Promise<Finished> => program("bin/logvane.js", [...args, ...flags]);

const fault = (kind: string, day: number, hour: number, intensity = 1): Fault => ({
  kind,
  start: new Date(CUT + day * DAY_MS + hour * 3_600_000).toISOString(),
  minutes: 60,
  intensity,
});
/** By day: the attack on 0, 1 and 7, five times as large on 4; name lookups fail on 2. */
const FAULTS = [
  fault("sasl_bruteforce_fast", 0, 9),
  fault("sasl_bruteforce_fast", 1, 13),
  fault("dns_resolver_down", 2, 10),
  fault("sasl_bruteforce_fast", 4, 11, 5),
  fault("sasl_bruteforce_fast", 7, 15),
];

type Suppressed = { readonly by: string; readonly rule: number; readonly name: string };
type Kept = Printed & { readonly held: boolean; readonly suppressed?: Suppressed; readonly summary: string };

/** Days, from 0, whose fault was told: within its hour or half an hour after it. */
const daysOf = (alerts: readonly Printed[]): number[] =>
  FAULTS.filter(({ start }) =>
    alerts.some(({ opened_at }) => {
      const minutes = (Date.parse(opened_at) - Date.parse(start)) / 60_000;
      return minutes >= 0 && minutes <= 90;
    }),
  ).map(({ start }) => Math.floor((Date.parse(start) - CUT) / DAY_MS));

async function detect(): Promise<Kept[]> {
  const { status, stdout, stderr } = await logvane("detect", join(dir, "today.log"), "--format", "ndjson");
  assert.equal(status, 0, stderr);
  return printed(stdout) as Kept[];
}

async function kept(): Promise<Kept[]> {
  const { stdout } = await logvane("alerts", "--limit", "500", "--format", "ndjson");
  return printed(stdout) as Kept[];
}

suite("an alert that was called harmless", () => {
  let first: Kept[] = [];
  before(async () => {
    const plan = {
      seed: 5,
      start: new Date(START).toISOString(),
      days: PAST_DAYS + 8,
      server: { name: "x", host: "mx", zone: "UTC", header: "iso" as const, mailsPerDay: 300 },
      faults: FAULTS,
    };
    const parts: [string[], string[]] = [[], []];
    for (const batch of compose(plan, loadMaterial()))
      for (const { text, time } of batch) parts[time < CUT ? 0 : 1].push(`${text}\n`);
    writeFileSync(join(dir, "past.log"), parts[0].join(""));
    writeFileSync(join(dir, "today.log"), parts[1].join(""));
    const trained = await logvane("train", join(dir, "past.log"));
    assert.equal(trained.status, 0, trained.stderr);
    first = await detect();
    assert.deepEqual(daysOf(first), [0, 1, 2, 4, 7], "each fault is told without feedback");
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  test("is told again when it is five times as large, and when the time is over; all else as before", async () => {
    const { id } = first[0]!;
    const said = await logvane(
      "feedback",
      id,
      "benign",
      "--for",
      "6d",
      "--note",
      "our own scanner",
      "--json",
    );
    assert.equal(said.status, 0, said.stderr);
    const {
      id: rule,
      until,
      kind,
    } = JSON.parse(said.stdout.toString()) as { id: number; until: string; kind: string };
    // log time, which is the last line's: long before the system's clock says so
    assert.equal(Math.round((Date.parse(until) - CUT) / DAY_MS), 8 + 6);
    const again = await detect();
    assert.deepEqual(daysOf(again), [2, 4], "hidden: the attack; told: the other fault, the large one");
    const other = (alerts: readonly Kept[]): object[] => alerts.filter((a) => daysOf([a])[0] === 2);
    assert.deepEqual(other(again), other(first), "the other fault is told in the same words");
    const larger = /called harmless \(feedback \d+\); this is clearly more/;
    assert.ok(again.some((a) => daysOf([a])[0] === 4 && larger.test(a.summary)));
    const hidden = (await kept()).filter((a) => a.suppressed);
    assert.ok(
      hidden.every((a) => a.held && a.suppressed!.rule === rule && a.suppressed!.name === "harmless"),
    );
    assert.deepEqual(daysOf(hidden), [0, 1, 4, 7]);
    assert.ok(hidden.some((a) => a.kind === kind));
  });

  test("is in the day's report among what was not told", async () => {
    const { stdout } = await logvane(
      ...["report", join(dir, "today.log"), "--date", new Date(CUT + DAY_MS).toISOString().slice(0, 10)],
    );
    assert.match(
      stdout.toString(),
      /Not told, as you said or planned\n-+\n {2}13:\d\d .*feedback \d+, harmless: /,
    );
  });

  test("is hidden in a back-test that is asked to apply what was said, and in no other", async () => {
    const logs = ["past.log", "today.log"].map((name) => join(dir, name));
    const backtest = (...more: string[]): Promise<Finished> =>
      program("bin/logvane.js", [
        ...[
          "backtest",
          ...logs,
          "--train-until",
          new Date(CUT).toISOString(),
          "--timezone",
          "UTC",
          "--format",
          "ndjson",
        ],
        ...more,
      ]);
    const [plain, obeying] = await Promise.all([backtest(), backtest("--with-rules", "--state", state)]);
    assert.match(plain.stderr, /feedback and calendar were not applied; --with-rules/);
    assert.match(obeying.stderr, /applied: feedback 1, entries of the calendar 0/);
    assert.deepEqual(daysOf(printed(plain.stdout)), [0, 1, 2, 4, 7]);
    assert.deepEqual(daysOf(printed(obeying.stdout)), [2, 4]);
  });

  test("is told as before once that is revoked", async () => {
    const { stdout } = await logvane("feedback", "list", "--json");
    const [{ id, note }] = JSON.parse(stdout.toString()) as [{ id: number; note: string }];
    assert.equal(note, "our own scanner");
    assert.equal((await logvane("feedback", "revoke", String(id))).status, 0);
    assert.equal((await logvane("feedback", "revoke", String(id))).status, 64, "twice is a mistake");
    assert.deepEqual(await detect(), first);
  });
});
