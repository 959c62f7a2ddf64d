import assert from "node:assert/strict";
import { test } from "node:test";
import { pValue } from "../../src/detect/calibrate.ts";
import { STRANGE } from "../../src/detect/strange.ts";
import { TransactionCollector } from "../../src/detect/transaction-fit.ts";
import { transactionRows } from "../../src/detect/transaction-rows.ts";
import { slotRows } from "../../src/detect/window-fit.ts";
import { SLOT_MS, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import { TRANSACTION_REALS, type Transaction } from "../../src/feature/transaction.ts";
import { createRandom } from "../../src/math/random.ts";
import { PLAIN } from "../../src/model/kernels.ts";
import { elbo } from "../../src/model/score.ts";
import { utc } from "./support.ts";

const DAYS = 14;
const A_DAY = 700;
const FIRST = 20_000 * SLOTS_PER_DAY;

/**
 * Messages of which a few wait or are handed over slowly, and one waited for ten hours: whether a network learned from that one, of which each takes
 * a part of so many, decides its scale of waiting, and so what else it finds strange.
 */
function messages(): Transaction[] {
  const random = createRandom(5);
  const about = (seconds: number, spread: number): number =>
    Math.log1p(seconds * Math.exp(spread * random.normal()));
  return Array.from({ length: DAYS * A_DAY }, (_, i) => {
    const end = (FIRST + Math.floor((i / A_DAY) * SLOTS_PER_DAY)) * SLOT_MS;
    const usual = random.uniform() < 0.025 ? 0.1 + random.uniform() : 0.003;
    const waits = (i === 5 * A_DAY + 2 ? 36_000 : usual) * (1 + random.uniform());
    const transfer = random.uniform() < 0.03 ? 1.5 : 0.25;
    const reals = TRANSACTION_REALS.map(() => Number.NaN);
    reals.splice(0, 3, Math.log1p(waits), about(0.05, 0.3), about(0.06, transfer));
    return {
      ...{ type: "message", key: `${i}`, start: end - 1000, end, reals, lines: [] },
      ...{ shapes: ["client", 1, "sent", 1, "removed", 1], finished: true, why: undefined, startSeen: true },
    };
  });
}

test("the network that watches finds no more than one in a hundred of training's messages strange", () => {
  const collector = new TransactionCollector();
  const all = messages();
  for (const message of all) collector.add(message);
  const table = slotRows(FIRST, FIRST + DAYS * SLOTS_PER_DAY - 1, utc);
  const { model } = collector.fit(table, new Map(), { clock: utc, seed: 1, kernels: PLAIN })!;
  const scores = elbo(model.vae, transactionRows(model, all));
  const strange = scores.filter((score) => pValue(model.calibration[0]!, score) <= STRANGE).length;
  assert.ok(strange > 0, "none is strange");
  assert.ok(strange <= Math.ceil(STRANGE * all.length), `${strange} of ${all.length}`);
});
