import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DAY_MS } from "../../src/feature/clock.ts";
import { casesOf, tellsOf } from "../../src/pipeline/cases.ts";
import type { Incident } from "../../src/pipeline/incidents.ts";

const HOUR_MS = DAY_MS / 24;
const MINUTE_MS = 60_000;
const at = (day: number, more: Partial<Incident> = {}): Incident => ({
  ...{ id: `i${day}`, start: day * DAY_MS, end: day * DAY_MS + HOUR_MS, severity: "high", confirmed: true },
  ...more,
});
const ids = (incidents: readonly Incident[], from = 0, to = 30 * DAY_MS): string[] =>
  casesOf(incidents, from, to).map(({ id }) => id);

suite("incidents that a person confirmed", () => {
  test("are asked while their lines can be read, the six newest", () => {
    assert.deepEqual(ids([at(3), at(5, { confirmed: false }), at(40)]), ["i3"]);
    assert.deepEqual(ids([at(3), at(9)], 4 * DAY_MS), ["i9"]);
    assert.deepEqual(ids(Array.from({ length: 9 }, (_, day) => at(day))), [
      "i8",
      "i7",
      "i6",
      "i5",
      "i4",
      "i3",
    ]);
  });

  test("are told by an alert that opens in their time, or 25 minutes after; of one of many days, in the first", () => {
    const [one] = casesOf([at(3)], 0, 30 * DAY_MS);
    const tells = (openedAt: number): boolean => tellsOf([{ openedAt }], one!);
    const end = 3 * DAY_MS + HOUR_MS + 25 * MINUTE_MS;
    assert.deepEqual([3 * DAY_MS - 1, 3 * DAY_MS, end, end + 1].map(tells), [false, true, true, false]);
    const [long] = casesOf([at(3, { end: 9 * DAY_MS })], 0, 30 * DAY_MS);
    assert.equal(long!.until, 4 * DAY_MS + 25 * MINUTE_MS);
    assert.equal(tellsOf([], one!), false);
  });
});
