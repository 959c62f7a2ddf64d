import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { regularCandidate } from "../../src/detect/absence-candidates.ts";
import type { Kind } from "../../src/detect/alert.ts";
import { partKey } from "../../src/detect/rules.ts";
import { DAY_MS, SLOT_MS, slotOf } from "../../src/feature/clock.ts";
import { type Incident, leaveOut } from "../../src/pipeline/incidents.ts";
import { repeated } from "../../src/pipeline/repeats.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 3, 1);

/** An hour of a newsletter, told on a day. */
const told = (day: number, changes: Partial<Incident> = {}): Incident => ({
  id: `of day ${day}`,
  start: START + day * DAY_MS,
  end: START + day * DAY_MS + HOUR - 1,
  severity: "medium",
  kind: "volume_change",
  parts: [
    { key: "column template a1", kinds: ["volume_change"], size: 80 },
    { key: "column all", kinds: ["volume_change", "greylisting"], size: 400 },
    { key: `entity 9 someone${day}@partner.example`, kinds: ["greylisting"], size: 9 },
  ],
  ...changes,
});
const of = (kind: Kind, size = 80): Pick<Incident, "kind" | "parts"> => ({
  kind,
  parts: [{ key: "column template a1", kinds: [kind], size }],
});
const ids = (incidents: readonly Incident[], confirmed: readonly Incident[] = []): string[] => [
  ...repeated(incidents, confirmed),
];

suite("an incident that was told", () => {
  test("is how things are when the like is told again, weeks later or a quarter", () => {
    assert.deepEqual(ids([told(0), told(30)]), ["of day 0", "of day 30"]);
    assert.deepEqual(ids([told(91), told(0), told(30)]), ["of day 0", "of day 30", "of day 91"]);
  });
  test("is not when it came once, or goes on", () => {
    assert.deepEqual(ids([told(0)]), []);
    assert.deepEqual(ids([told(0), told(1), told(2)]), []);
  });
  test("is not when the other was of something else", () => {
    const other = told(30, { parts: [{ key: "column template b2", kinds: ["volume_change"], size: 80 }] });
    assert.deepEqual(ids([told(0), other]), []);
  });
  test("is not when the operator confirmed one of its like", () => {
    const confirmed = told(30, { confirmed: true });
    assert.deepEqual(ids([told(0), told(60)], [confirmed]), []);
  });
  test("is not when it is grave, whatever its kind", () => {
    for (const severity of ["high", "critical"] as const)
      assert.deepEqual(ids([told(0, { severity }), told(30, { severity })]), []);
  });
  test("is not when anything of it is of another kind", () => {
    const odd: Kind[] = ["bruteforce", "account_compromised", "spam_wave", "service_stopped", "disk_full"];
    for (const kind of odd) {
      assert.deepEqual(ids([told(0, of(kind)), told(30, of(kind))]), [], kind);
      const mixed = (day: number): Incident =>
        told(day, {
          parts: [...told(day).parts!, { key: "column cause auth auth", kinds: [kind], size: 50 }],
        });
      assert.deepEqual(ids([mixed(0), mixed(30)]), [], kind);
    }
  });
  test("is not when it grows, however slowly", () => {
    const growing = Array.from({ length: 10 }, (_, i) => told(7 * i, of("volume_change", 80 * 1.25 ** i)));
    const learned = ids(growing);
    assert.ok(learned.includes("of day 21") && !learned.includes("of day 28"), learned.join());
  });
  test("is not what stays away: expected mail, a program's lines", () => {
    const mail = regularCandidate(
      {
        feature: 0,
        key: "a.example",
        actual: 0,
        expected: 15,
        alpha: 0.01,
        rate: 1e-4,
        pValue: 1e-6,
        since: START,
      },
      START + 26 * HOUR,
    );
    for (const key of [partKey(mail), "absence postfix/qmgr", "clock mx1"])
      assert.deepEqual(
        ids([0, 30].map((day) => told(day, { parts: [{ ...told(day).parts![0]!, key }] }))),
        [],
        key,
      );
  });
  test("is not in a state of before, which tells nothing of its parts", () =>
    assert.deepEqual(ids([told(0, { parts: undefined }), told(30, { parts: undefined })]), []));
});

suite("what is left out", () => {
  const [from, to] = [START + 10 * DAY_MS, START + 45 * DAY_MS];
  test("is not what came again, though the first time was before the history", () => {
    const left = leaveOut([told(0), told(30), told(40, of("bruteforce"))], from, to);
    assert.deepEqual(left.repeated, ["of day 30"]);
    assert.deepEqual(left.incidents, ["of day 40"]);
    assert.ok(!left.flagged.has(slotOf(told(30).start)));
    assert.equal(left.hours, 1);
  });
  test("is what was confirmed before the history, so that it is not remembered", () => {
    const left = leaveOut([told(0, { confirmed: true })], from, to);
    assert.deepEqual([left.incidents, left.hours], [[], 0]);
    assert.ok(left.flagged.has(slotOf(told(0).start + SLOT_MS)));
  });
});
