import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { BlindWatch } from "../../src/engine/blind.ts";
import { Pace } from "../../src/engine/pace.ts";

const trouble = { source: "file:/var/log/mail.log", what: "cannot read it (EACCES)", remedy: "" };
const MINUTE = 60_000;
const T = Date.UTC(2026, 10, 29, 12);

suite("a source that can't be read", () => {
  test("is told after five minutes, once, and when it is over", () => {
    const watch = new BlindWatch("");
    assert.deepEqual(watch.look([trouble], T), []);
    assert.deepEqual(watch.look([trouble], T + 4 * MINUTE), []);
    const [told, ...more] = watch.look([trouble], T + 5 * MINUTE);
    assert.equal(told?.event, "opened");
    assert.equal(told.alert["kind"], "blind");
    assert.equal(told.alert["class"], "always");
    assert.deepEqual(more, []);
    assert.deepEqual(watch.look([trouble], T + 9 * MINUTE), []);
    const [over] = watch.look([], T + 10 * MINUTE);
    assert.equal(over?.event, "closed");
    assert.equal(over.alert.id, told.alert.id);
    assert.equal(over.alert["closed_at"], new Date(T + 10 * MINUTE).toISOString());
    assert.equal(watch.blind, false);
  });

  test("for a moment is nothing", () => {
    const watch = new BlindWatch("");
    watch.look([trouble], T);
    assert.equal(watch.blind, true);
    assert.deepEqual(watch.look([], T + 4 * MINUTE), []);
    assert.deepEqual(watch.look([trouble], T + 6 * MINUTE), []);
  });

  test("is the same trouble after a restart: told before, it is not told again; else under the same id", () => {
    const before = new BlindWatch("");
    before.look([trouble], T);
    const young = before.save();
    const [told] = before.look([trouble], T + 6 * MINUTE);
    assert.deepEqual(new BlindWatch(before.save()).look([trouble], T + 7 * MINUTE), []);
    const [again] = new BlindWatch(young).look([trouble], T + 8 * MINUTE);
    assert.equal(again?.alert.id, told?.alert.id);
  });
});

suite("time that passes without lines", () => {
  /** A pace with clocks that the test moves. */
  function paced(last: number, wall: number): { pace: Pace; steady: { ms: number } } {
    const steady = { ms: 1000 };
    return { pace: new Pace(last, wall, () => steady.ms), steady };
  }

  test("is the system's, 90 seconds late, while lines come at their time", () => {
    const { pace, steady } = paced(T, T);
    pace.line(T, T);
    steady.ms += 10 * MINUTE;
    assert.equal(pace.passed(), T + 10 * MINUTE - 90_000);
  });

  test("does not jump when the clock is set forwards", () => {
    const { pace, steady } = paced(T, T);
    pace.line(T, T + 24 * 60 * MINUTE); // the next line, by a clock that is a day ahead
    steady.ms += MINUTE;
    assert.ok(pace.passed() <= T + 2 * MINUTE);
  });

  test("goes on when the clock is set back", () => {
    const { pace, steady } = paced(T, T);
    pace.line(T, T - 60 * MINUTE);
    steady.ms += 10 * MINUTE;
    assert.equal(pace.passed(), T + 10 * MINUTE - 90_000);
  });

  test("counts what passed while nobody watched, up to a week", () => {
    assert.equal(paced(T, T + 60 * MINUTE).pace.passed(), T + 60 * MINUTE - 90_000);
    assert.equal(paced(T, T + 30 * 24 * 60 * MINUTE).pace.passed(), T - 90_000);
    assert.equal(paced(T, T - 60 * MINUTE).pace.passed(), T - 90_000);
  });
});
