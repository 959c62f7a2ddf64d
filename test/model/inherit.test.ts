import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { columnsIn } from "../../src/model/inherit.ts";
import { elbo } from "../../src/model/score.ts";
import { type TrainOptions, trainVae } from "../../src/model/train.ts";
import { createVae, type Rows, type Vae } from "../../src/model/vae.ts";
import { lowRankRows, SHAPE } from "./synthetic.ts";

const OPTIONS: TrainOptions = {
  ...{ epochs: 30, batch: 64, learningRate: 5e-3, seed: 11 },
  ...{ klWarmupEpochs: 5, beta: 1, maskRate: 0.1 },
};
const TRAIN = lowRankRows(1500, 1);
const FRESH = lowRankRows(500, 2);
const C = SHAPE.counts;
const NAMES = Array.from({ length: C }, (_, c) => `column ${c}`);
const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;

const old = createVae(SHAPE, 3);
trainVae(old, TRAIN, OPTIONS);

/** The rows with these columns of theirs, in this order; -1 for one that is always as expected: none. */
function arranged(rows: Rows, columns: readonly number[]): Rows {
  const pick = (values: Float32Array, none: number): Float32Array =>
    Float32Array.from({ length: rows.n * columns.length }, (_, i) => {
      const c = columns[i % columns.length]!;
      return c < 0 ? none : values[Math.floor(i / columns.length) * C + c]!;
    });
  return { ...rows, counts: pick(rows.counts, 0), offset: pick(rows.offset, Math.log(1e-3)) };
}

/** A network for these columns as it begins. */
function begun(columns: readonly number[]): Vae {
  const vae = createVae({ ...SHAPE, counts: columns.length }, 99);
  const names = columns.map((c) => (c < 0 ? "new" : NAMES[c]!));
  const parent = { vae: old, columns: columnsIn(NAMES, names) };
  trainVae(vae, arranged(TRAIN, columns), { ...OPTIONS, epochs: 0, parent });
  return vae;
}

suite("a network that begins with another's weights", () => {
  test("says the same of the same columns in another order", () => {
    const order = [3, 0, 7, 6, 1, 2, 5, 4];
    const [ours, theirs] = [elbo(begun(order), arranged(FRESH, order)), elbo(old, FRESH)];
    for (const [i, bound] of ours.entries())
      assert.ok(Math.abs(bound - theirs[i]!) < 1e-3, `row ${i}: ${bound}, ${theirs[i]}`);
  });

  test("is not disturbed by a column that is new", () => {
    const more = [0, 1, 2, -1, 3, 4, 5, 6, 7];
    const counted = Uint8Array.from([...more, 0, 0], (c) => (c < 0 ? 0 : 1));
    const ours = elbo(begun(more), arranged(FRESH, more), undefined, counted);
    const theirs = elbo(old, FRESH);
    for (const [i, bound] of ours.entries()) assert.ok(Math.abs(bound - theirs[i]!) < 1e-3, `row ${i}`);
  });

  test("does without a column that is gone", () => {
    const fewer = [0, 1, 2, 3, 5, 6, 7];
    const counted = Uint8Array.from({ length: C + SHAPE.reals }, (_, i) => (i === 4 ? 0 : 1));
    const [ours, theirs] = [
      mean(elbo(begun(fewer), arranged(FRESH, fewer))),
      mean(elbo(old, FRESH, undefined, counted)),
    ];
    assert.ok(Math.abs(ours - theirs) < 0.5, `${ours} nats a row, ${theirs} before`);
  });

  test("needs half of the epochs to be as good as one that begins anew", () => {
    const later = lowRankRows(1500, 3);
    const validation = Int32Array.from({ length: 150 }, (_, i) => 10 * i);
    const [cold, warm] = [undefined, { vae: old, columns: columnsIn(NAMES, NAMES) }].map((parent) => {
      const vae = createVae(SHAPE, 4);
      const { epochs } = trainVae(vae, later, { ...OPTIONS, validation, parent });
      return { epochs, bound: mean(elbo(vae, FRESH)) };
    });
    assert.ok(warm!.epochs <= cold!.epochs / 2, `${warm!.epochs} and ${cold!.epochs} epochs`);
    assert.ok(warm!.bound <= cold!.bound + 0.05, `${warm!.bound} and ${cold!.bound} nats a row`);
  });

  test("begins anew where the layers are others", () => {
    const options = { ...OPTIONS, epochs: 3 };
    const [alone, given] = [undefined, { vae: old, columns: columnsIn(NAMES, NAMES) }].map((parent) => {
      const vae = createVae({ ...SHAPE, hidden: 12 }, 4);
      trainVae(vae, TRAIN, { ...options, parent });
      return vae.flat;
    });
    assert.deepEqual(given, alone);
  });
});
