import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import type { Score } from "../../eval/accuracy/corpus.ts";
import { bestWithin } from "../../eval/accuracy/count-rules.ts";
import type { Lines } from "../../eval/baselines/lines.ts";
import { oneHotErrors } from "../../eval/baselines/one-hot.ts";
import { PRESETS } from "../../eval/presets.ts";
import { SURGE_PRESETS } from "../../eval/surge-presets.ts";
import { checkPlan } from "../../src/compose/plan.ts";

/** Lines of three templates in training: 600, 390 and 10; then some of a fourth. */
function lines(later: number): Lines {
  const columns = [
    ...Array.from({ length: 1000 }, (_, i) => (i % 100 === 99 ? 2 : i % 5 < 3 ? 0 : 1)),
    ...Array.from({ length: later }, () => 3),
  ];
  const numbers = columns.map((_, i) => i + 1);
  return {
    ...{ times: numbers, numbers, columns, trained: 1000, known: 3 },
    templates: ["often", "sometimes", "rarely", "never seen"],
  };
}

suite("the blogs' detector", () => {
  const { errors, fixed } = oneHotErrors(lines(5));

  test("finds a template strange that was rare in training", () => {
    assert.equal(errors.length, 4);
    assert.ok(errors[2]! > errors[0]! && errors[2]! > errors[1]!, `${errors}`);
  });
  test("draws its line within the errors of training", () =>
    assert.equal(fixed, Math.max(...errors.slice(0, 3))));
  test("learns nothing from what comes after training", () =>
    assert.deepEqual(oneHotErrors(lines(50)), { errors, fixed }));
});

suite("a rule at equal needless alerts", () => {
  const score = (evidenced: number, false_alarms: number, unevidenced: number): Score =>
    ({ evidenced, false_alarms, unevidenced }) as Score;
  const curve = [score(1, 0, 0), score(3, 2, 0), score(3, 1, 1), score(3, 1, 0), score(5, 2, 2)];

  test("finds the most that the limit allows, with the fewest such alerts", () =>
    assert.equal(bestWithin(curve, 2), curve[3]));
  test("counts alerts without evidence as needless", () => assert.equal(bestWithin(curve, 3), curve[3]));
  test("is none when no threshold is so quiet", () =>
    assert.equal(bestWithin([score(9, 1, 0)], 0), undefined));
});

suite("the plans of the evaluation", () => {
  for (const { name, plan } of [...PRESETS, ...SURGE_PRESETS])
    test(`${name} can be composed`, () => checkPlan(plan));
  test("surges come in training too", () => {
    for (const { plan } of SURGE_PRESETS) {
      const until = Date.parse(plan.start) + 14 * 86_400_000;
      assert.ok(plan.surges!.some((s) => Date.parse(s.start) < until));
    }
  });
});

test("judgements of real logs hold nothing of their text: no address, no name of a host", () => {
  const all = JSON.parse(readFileSync("eval/real-judgements.json", "utf8")) as Record<string, unknown>[];
  assert.ok(all.length > 0);
  for (const judgement of all) {
    assert.deepEqual(Object.keys(judgement), ["log", "kind", "at", "worth", "why"]);
    assert.doesNotMatch(String(judgement["why"]), /@|\d\.\d|[a-z]\.[a-z]|[0-9A-F]{8}/);
  }
});
