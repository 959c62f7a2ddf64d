import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { calibrate } from "../../src/detect/calibrate.ts";
import { Reach } from "../../src/detect/memory.ts";
import { fitRates } from "../../src/detect/strange.ts";
import { type TransactionModel, TransactionScorer } from "../../src/detect/transaction.ts";
import {
  carried,
  hasColumn,
  holdsUnknown,
  rowsOf,
  transactionColumns,
} from "../../src/detect/transaction-rows.ts";
import { slotRows } from "../../src/detect/window-fit.ts";
import {
  TRANSACTION_REALS,
  TRANSACTION_TYPES,
  type Transaction,
  type TransactionType,
} from "../../src/feature/transaction.ts";
import { PLAIN } from "../../src/model/kernels.ts";
import { trainVae } from "../../src/model/train.ts";
import { createVae } from "../../src/model/vae.ts";
import { NOON, utc } from "./support.ts";

const VOCABULARY = {
  columns: ["client", "sent", "removed"],
  offset: Float32Array.from([
    ...[0, 0, 0, -6], // messages: one of each line, hardly ever another
    ...[-6, -6, -6, -6],
    ...[-6, -6, -6, -6],
  ]),
};
const none = (): number[] => TRANSACTION_REALS.map(() => Number.NaN);
const message = (shapes: (string | number)[], reals = none()) => ({ type: 0, shapes, reals });
const USUAL = ["client", 1, "sent", 1, "removed", 1];

suite("rows of transactions", () => {
  test("count what has no column in the last one", () => {
    const { counts } = rowsOf([message(["sent", 2, "odd", 1, "odder", 3])], VOCABULARY);
    assert.deepEqual([...counts], [0, 2, 0, 4]);
    assert.deepEqual(transactionColumns(VOCABULARY), ["client", "sent", "removed", "rest"]);
  });
  test("tell whether there is any", () => {
    assert.equal(holdsUnknown(USUAL, VOCABULARY), false);
    assert.equal(holdsUnknown([...USUAL, "odd", 1], VOCABULARY), true);
    assert.equal(hasColumn("odd", VOCABULARY), false);
  });
});

suite("what carries a score", () => {
  const delay = (seconds: number): number[] => none().fill(Math.log1p(seconds), 0, 1);
  const vae = createVae(
    {
      ...{ counts: 4, reals: TRANSACTION_REALS.length, conditions: TRANSACTION_TYPES.length },
      ...{ hidden: 8, latent: 2 },
    },
    1,
    PLAIN,
  );
  const usual = rowsOf(
    Array.from({ length: 256 }, (_, i) => message(USUAL, delay(1 + (i % 4) / 10))),
    VOCABULARY,
  );
  trainVae(vae, usual, {
    ...{ epochs: 8, batch: 64, learningRate: 2e-3, klWarmupEpochs: 2, beta: 1, maskRate: 0.05, patience: 4 },
    ...{ seed: 1, validation: Int32Array.of(0, 64, 128) },
  });
  const of = (...row: Parameters<typeof message>) => carried(vae, VOCABULARY, [message(...row)])[0]!;

  test("is a number that is far from usual", () =>
    assert.equal(of(USUAL, delay(86_400)).carrier, "delay in queue"));
  test("is felt from a second on where it is a time", () => {
    const { carrier, unfelt } = of(USUAL, delay(0.02));
    assert.deepEqual([carrier, unfelt], ["delay in queue", true]);
    assert.equal(of(USUAL, delay(86_400)).unfelt, false);
    assert.equal(of(["client", 1, "sent", 60, "removed", 1], delay(1)).unfelt, false);
  });
  test("is a line that comes far too often", () =>
    assert.equal(of(["client", 1, "sent", 60, "removed", 1], delay(1)).carrier, "sent"));
  test("has no name where it is what has no column", () => {
    const { carrier, part } = of([...USUAL, "odd", 9], delay(1));
    assert.equal(carrier, undefined);
    assert.ok(part("odd") > part("sent"));
    assert.equal(part("odd"), part("odder"));
  });
});

suite("transactions with lines that the network has no column for", () => {
  const vae = createVae(
    {
      ...{ counts: 4, reals: TRANSACTION_REALS.length, conditions: TRANSACTION_TYPES.length },
      ...{ hidden: 8, latent: 2 },
    },
    1,
    PLAIN,
  );
  const rates = fitRates([], slotRows(0, 2879, utc), undefined, utc, new Reach(2879), new Map());
  const model: TransactionModel = {
    ...{ ...VOCABULARY, stride: 1, vae, folds: { networks: [], epochs: 0 }, rates },
    calibration: TRANSACTION_TYPES.map(() => calibrate([], [])),
  };
  /** What counts of five that close so many milliseconds one after the other. */
  const counted = (type: TransactionType, ms: number, shape = "odd"): Record<string, number> => {
    const scorer = new TransactionScorer(model);
    for (let i = 0; i < 5; i++) scorer.add(closed(type, `${i}`, NOON + i * ms, shape), NOON + i * ms);
    const counts = scorer.close();
    return Object.fromEntries(
      rates.columns.map(({ key }, j) => [key, counts[j]!]).filter(([, n]) => n !== 0),
    );
  };
  const closed = (type: TransactionType, key: string, end: number, shape: string): Transaction => ({
    ...{ type, key, start: end - 1000, end, shapes: [shape, 1], reals: none() },
    ...{ lines: [], finished: true, why: undefined, startSeen: true },
  });

  test("count once where a restart cuts them all", () => {
    assert.deepEqual(counted("session", 0), { "unknown session": 1 });
    assert.deepEqual(counted("message", 0), { "unknown message": 1 });
  });
  test("count each for itself else", () =>
    assert.deepEqual(counted("session", 1000), { "unknown session": 5 }));
  test("are no ordinary messages, as others are", () => {
    assert.deepEqual(counted("message", 0, "client"), { "ordinary message": 5 });
    assert.deepEqual(counted("session", 0, "client"), {});
  });
});
