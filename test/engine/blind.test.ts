import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { BlindWatch } from "../../src/engine/blind.ts";

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

  test("is told five minutes later at most when the clock is set back by a day", () => {
    const watch = new BlindWatch("");
    watch.look([trouble], T);
    const yesterday = T - 24 * 60 * MINUTE;
    assert.deepEqual(watch.look([trouble], yesterday), []);
    assert.equal(watch.look([trouble], yesterday + 5 * MINUTE).length, 1);
  });
});
