import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Load } from "../../src/detect/load.ts";

const SLOT = 1_000_000;
const NOBODY = { n: 0, mu: 0 } as const;
/** 2,880 events a day are usual: ten a slot. */
const busy = (perSlot: number): Load => {
  const load = new Load([2_880]);
  for (let slot = SLOT; slot < SLOT + 12; slot++) load.add(0, slot, perSlot);
  return load;
};
const ofHour = (load: Load, own = NOBODY as { n: number; mu: number }): number =>
  load.of(0, SLOT + 11, 12, 12 / 288, own);

suite("the load of all others", () => {
  test("is how many times as much they do as usual, at least once and at most four times", () => {
    assert.ok(Math.abs(ofHour(busy(20)) - 250 / 130) < 1e-9);
    assert.equal(ofHour(busy(5)), 1);
    assert.equal(ofHour(busy(1_000)), 4);
  });

  test("leaves the one that is judged out: nobody excuses himself", () => {
    const alone = busy(10);
    alone.add(0, SLOT + 11, 500);
    assert.ok(ofHour(alone, { n: 500, mu: 0 }) < 1.01);
    assert.equal(ofHour(alone), 4);
  });

  test("forgets what is a day old, however long nobody came", () => {
    const load = busy(1_000);
    load.add(0, SLOT + 5 * 288, 120);
    assert.equal(load.of(0, SLOT + 5 * 288, 12, 12 / 288, NOBODY), 1);
  });
});
