import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { drawnAnew } from "../../eval/drawn.ts";
import { at, TRAIN_DAYS } from "../../eval/preset-plan.ts";
import { PRESETS } from "../../eval/presets.ts";
import { checkPlan } from "../../src/compose/plan.ts";

suite("a server drawn anew", () => {
  const drawn = PRESETS.map((preset) => ({ preset, one: drawnAnew(preset, 1) }));
  test("can be composed, and is the same for the same draw alone", () => {
    for (const { preset, one } of drawn) {
      checkPlan(one.plan);
      assert.deepEqual(drawnAnew(preset, 1), one);
      assert.notEqual(drawnAnew(preset, 2).plan.seed, one.plan.seed);
      assert.notDeepEqual(one.plan.faults, preset.plan.faults);
    }
  });
  test("has the faults of the first, those of training where they were", () => {
    for (const { preset, one } of drawn) {
      const kinds = (plan: typeof one.plan): string[] => plan.faults!.map(({ kind }) => kind).sort();
      assert.deepEqual(kinds(one.plan), kinds(preset.plan));
      const until = at(preset.plan.start, TRAIN_DAYS, 0);
      const learned = (plan: typeof one.plan): unknown => plan.faults!.filter(({ start }) => start < until);
      assert.deepEqual(learned(one.plan), learned(preset.plan));
    }
  });
  test("has no two faults at a time, but for a mail that stays away at its hour", () => {
    for (const { one } of drawn) {
      const faults = one.plan.faults!.filter(({ kind }) => kind !== "partner_mail_missing");
      for (const [i, { start, minutes }] of faults.slice(0, -1).entries())
        assert.ok(Date.parse(start) + minutes * 60_000 < Date.parse(faults[i + 1]!.start), one.name);
    }
  });
});
