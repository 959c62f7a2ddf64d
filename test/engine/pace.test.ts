import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { GRACE_MS, Pace } from "../../src/engine/pace.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const NOON: number = Date.UTC(2026, 10, 29, 12);

/** A steady clock that the test lets run. */
function clock(): { now: number; read: () => number } {
  const it = { now: 5000, read: () => it.now };
  return it;
}

suite("log time without lines", () => {
  test("goes on from the last line as fast as a clock that nobody sets, a grace behind", () => {
    const steady = clock();
    const pace = new Pace(NOON, steady.read);
    pace.line(NOON, NOON);
    assert.equal(pace.passed(), NOON - GRACE_MS);
    steady.now += 10 * MINUTE;
    assert.equal(pace.passed(), NOON + 10 * MINUTE - GRACE_MS);
  });

  test("does not leap when the system's clock is set forward by a day between two lines", () => {
    const steady = clock();
    const pace = new Pace(NOON, steady.read);
    pace.line(NOON, NOON + DAY);
    assert.equal(pace.passed(), NOON); // at most the grace ahead of the line
    steady.now += MINUTE;
    assert.equal(pace.passed(), NOON + MINUTE);
  });

  test("does not go back when the system's clock is set back by a day", () => {
    const steady = clock();
    const pace = new Pace(NOON, steady.read);
    pace.line(NOON, NOON - DAY);
    steady.now += 5 * MINUTE;
    assert.equal(pace.passed(), NOON + 5 * MINUTE - GRACE_MS);
  });

  test("follows the lines when they themselves leap, forth and back", () => {
    const steady = clock();
    const pace = new Pace(NOON, steady.read);
    pace.line(NOON + DAY, NOON + DAY);
    assert.equal(pace.passed(), NOON + DAY - GRACE_MS);
    pace.line(NOON, NOON);
    assert.equal(pace.passed(), NOON - GRACE_MS);
  });

  test("begins with the last line, whatever the system's clock says: the log, or its writer's clock, may be behind", () => {
    const steady = clock();
    const pace = new Pace(NOON, steady.read);
    assert.equal(pace.passed(), NOON - GRACE_MS);
    steady.now += 60 * MINUTE;
    assert.equal(pace.passed(), NOON + 60 * MINUTE - GRACE_MS);
  });
});
