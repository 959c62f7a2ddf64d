import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { HeldOutDay } from "../../src/detect/held-out.ts";
import type { Model } from "../../src/pipeline/model.ts";
import { judge } from "../../src/pipeline/promote.ts";

const BOTH = { windowVae: {}, transaction: {} } as unknown as Model;
const NONE = { windowVae: undefined, transaction: undefined } as unknown as Model;

/** Days of the old model's and the new one's bounds. */
const days = (olds: readonly number[], news: readonly number[], rows = 200): HeldOutDay[] =>
  olds.map((old, day) => ({ day, rows, old, new: news[day]! }));
/** Mean 100, standard error 5.77 / sqrt(4) = 2.89. */
const OLD = [95, 95, 105, 105];
const shifted = (by: number): number[] => OLD.map((x) => x + by);
const TRANSACTIONS = days([5, 5.2, 5.1, 5], [5, 5.2, 5.1, 5], 3000);

suite("a model that was learned anew", () => {
  test("comes into use when it is better, as good, or worse by less than days differ", () => {
    for (const by of [-20, 0, 2.8]) {
      const { promoted, judged } = judge(BOTH, BOTH, {
        window: days(OLD, shifted(by)),
        transaction: TRANSACTIONS,
      });
      assert.ok(promoted, `${by}`);
      assert.ok(Math.abs(judged[0]!.margin - Math.sqrt(100 / 3 / 4)) < 1e-9);
      assert.deepEqual([judged[0]!.old, judged[0]!.new, judged[0]!.days], [100, 100 + by, 4]);
    }
  });

  test("does not when one of its networks is worse", () => {
    const window = judge(BOTH, BOTH, { window: days(OLD, shifted(3)), transaction: TRANSACTIONS });
    assert.deepEqual([window.promoted, /window network/.test(window.reason)], [false, true]);
    const worse = TRANSACTIONS.map((d) => ({ ...d, new: d.old + 0.2 }));
    const transaction = judge(BOTH, BOTH, { window: days(OLD, OLD), transaction: worse });
    assert.deepEqual([transaction.promoted, /transaction network/.test(transaction.reason)], [false, true]);
  });

  test("does not when a bound is no number", () => {
    const broken = days(OLD, [95, Number.NaN, 105, 105]);
    assert.equal(judge(BOTH, BOTH, { window: broken, transaction: TRANSACTIONS }).promoted, false);
  });

  test("does not on fewer than two whole days, however good", () => {
    const cut = [...days([100], [50]), ...days([100, 100], [50, 50], 20)];
    const { promoted, reason } = judge(BOTH, BOTH, { window: cut.slice(0, 2), transaction: TRANSACTIONS });
    assert.deepEqual([promoted, reason], [false, "fewer than 2 days are new to the model in use"]);
  });

  test("does not with twice as much of what attacks are made of as weeks ago, however good", () => {
    const at = (slot: number, refused: number): Model => ({
      ...{ ...BOTH, usual: [{ slot, refused, guessed: 0, sent: 100 }] },
    });
    const heldOut = { window: days(OLD, shifted(-20)), transaction: TRANSACTIONS };
    assert.equal(judge(at(0, 50), at(9000, 60), heldOut).promoted, true);
    const { promoted, reason } = judge(at(0, 50), at(9000, 100), heldOut);
    assert.deepEqual([promoted, /2\.0 times as much as 31 days ago/.test(reason)], [false, true]);
  });

  test("does not without the networks that the one in use has", () => {
    assert.equal(judge(BOTH, NONE, { window: [], transaction: [] }).promoted, false);
    assert.equal(judge(NONE, BOTH, { window: [], transaction: [] }).promoted, true);
  });
});
