import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { TRAIN_DAYS } from "../../eval/preset-plan.ts";
import { PRESETS } from "../../eval/presets.ts";
import { checkPlan, instant } from "../../src/compose/plan.ts";
import { linesOf, MATERIAL, SECOND, textOf } from "./support.ts";

const DAY = 86_400_000;

suite("the servers of the composed evaluation", () => {
  for (const { name, plan } of PRESETS)
    test(`${name}: labelled faults come after training, one after the other, and before the end`, () => {
      checkPlan(plan);
      const start = instant(plan.start);
      const faults = plan.faults!.filter((f) => f.unlabelled !== true);
      let last = start + TRAIN_DAYS * DAY;
      for (const { start: begin, minutes } of faults) {
        assert.ok(instant(begin) >= last);
        last = instant(begin) + minutes * 60_000;
      }
      assert.ok(last <= start + plan.days * DAY);
      for (const fault of plan.faults!.filter((f) => f.unlabelled === true))
        assert.ok(instant(fault.start) < start + TRAIN_DAYS * DAY);
    });

  test("share no name: no domain, no account", () => {
    const owner = new Map<string, string>();
    for (const { name, plan, site } of PRESETS) {
      const material = site === "second" ? SECOND : MATERIAL;
      const day = { ...plan, days: 1, faults: [], surges: [], maintenance: [] };
      const text = textOf(linesOf(day, material));
      const domains = new Set(text.match(/[a-z0-9-]+\.example\b/g));
      assert.ok(domains.size > 20, name);
      for (const domain of domains) {
        assert.ok(!owner.has(domain), `${domain} on ${owner.get(domain)} and ${name}`);
        owner.set(domain, name);
      }
    }
  });
});
