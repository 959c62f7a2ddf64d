import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { countLoss } from "../../src/math/likelihood.ts";
import { elbo, reconstruct, rowParts } from "../../src/model/score.ts";
import { type TrainOptions, trainVae } from "../../src/model/train.ts";
import { createVae, dispersion, type Rows, type Vae } from "../../src/model/vae.ts";
import { lowRankRows, SHAPE } from "./synthetic.ts";

const FAMILIES = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1, 2, 2);
const OPTIONS: TrainOptions = {
  epochs: 30,
  batch: 64,
  learningRate: 5e-3,
  seed: 11,
  klWarmupEpochs: 5,
  beta: 1,
  maskRate: 0.1,
  families: FAMILIES,
  familyMaskRate: 0.1,
};
const TRAIN = lowRankRows(1500, 1);
const FRESH = lowRankRows(500, 2);

const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;
const trained = (): Vae => {
  const vae = createVae(SHAPE, 3);
  trainVae(vae, TRAIN, OPTIONS);
  return vae;
};
const VAE = trained();

function pick(rows: Rows, i: number): Rows {
  const cut = (a: Float32Array): Float32Array =>
    a.slice((i * a.length) / rows.n, ((i + 1) * a.length) / rows.n);
  return {
    n: 1,
    counts: cut(rows.counts),
    reals: cut(rows.reals),
    realWeights: cut(rows.realWeights),
    offset: cut(rows.offset),
    conditions: cut(rows.conditions),
  };
}

/** Mean loss of the counts when only the time is known: the offset itself, and alphas by moments about it. */
function timeOnly(rows: Rows): number {
  const untrained = createVae(SHAPE, 3);
  trainVae(untrained, TRAIN, { ...OPTIONS, epochs: 0 });
  const C = SHAPE.counts;
  const parts = new Float64Array(rows.n * C);
  const flat = new Float32Array(rows.n * C);
  countLoss(
    parts,
    flat.slice(),
    flat.slice(),
    rows.counts,
    rows.offset,
    flat,
    untrained.weights.logAlpha,
    rows.n,
    C,
    C,
  );
  return parts.reduce((a, b) => a + b, 0) / rows.n;
}

suite("a network trained on counts with two hidden causes", () => {
  test("has the same weights, bit for bit, when trained again from the same seed", () => {
    assert.deepEqual(trained().flat, VAE.flat);
    const other = createVae(SHAPE, 4);
    trainVae(other, TRAIN, OPTIONS);
    assert.notDeepEqual(other.flat, VAE.flat);
  });
  test("finds rows it never saw far likelier than an untrained one does", () => {
    const before = mean(elbo(createVae(SHAPE, 3), FRESH));
    const after = mean(elbo(VAE, FRESH));
    assert.ok(after < before - 5, `${after} against ${before} nats`);
  });
  test("finds fresh counts likelier than the time of day alone, its KL paid in full", () => {
    const counts = { ...SHAPE, reals: 0 };
    const strip = (rows: Rows): Rows => ({
      ...rows,
      reals: new Float32Array(0),
      realWeights: new Float32Array(0),
    });
    const vae = createVae(counts, 3);
    const { families: _, ...options } = OPTIONS;
    trainVae(vae, strip(TRAIN), options);
    const after = mean(elbo(vae, strip(FRESH)));
    assert.ok(after < timeOnly(FRESH) - 0.5, `${after} against ${timeOnly(FRESH)} nats`);
  });
  test("scores a row the same alone and among others", () => {
    const all = elbo(VAE, FRESH);
    for (const i of [0, 7, 255, 256, 499]) assert.equal(elbo(VAE, pick(FRESH, i))[0], all[i]);
  });
  test("scores a row far above all others when one count is far off", () => {
    const row = pick(FRESH, 0);
    row.counts[2] = 400;
    assert.ok(elbo(VAE, row)[0]! > Math.max(...elbo(VAE, FRESH)));
    const parts = rowParts(VAE, row);
    assert.equal(parts.indexOf(Math.max(...parts)), 2);
  });
  test("says of a row that its parts and KL sum to its score", () => {
    const parts = rowParts(VAE, FRESH);
    const sum = parts.slice(0, 10).reduce((a, b) => a + b, 0);
    const score = elbo(VAE, FRESH)[0]!;
    assert.ok(sum > 0 && sum < score && score - sum < 20);
  });
  test("does not read a missing number", () => {
    const row = pick(FRESH, 0);
    row.realWeights.fill(0);
    row.reals.fill(Number.NaN);
    const score = elbo(VAE, row)[0];
    row.reals.fill(1e30);
    assert.equal(elbo(VAE, row)[0], score);
    assert.ok(Number.isFinite(score));
  });
  test("tells a hidden family from the numbers that share its cause", () => {
    const row = pick(FRESH, 0);
    row.realWeights.fill(1);
    const guess = (real: number): number => {
      row.reals.fill(real);
      return reconstruct(VAE, row, 0).logMean[0]!;
    };
    assert.ok(guess(115) > guess(85) + 0.5, `${guess(115)} against ${guess(85)}`);
    const before = reconstruct(VAE, row, 0).logMean[0];
    row.counts.fill(90, 0, 4);
    assert.equal(reconstruct(VAE, row, 0).logMean[0], before, "hidden counts are not read");
  });
  test("knows reals in their own unit", () => {
    const { realMean } = reconstruct(VAE, FRESH);
    assert.ok(realMean.every((x) => x > 50 && x < 150));
  });
  test("has a small overdispersion left once the causes are known", () => {
    assert.ok(
      dispersion(VAE).every((alpha) => alpha > 0 && alpha < 0.2),
      dispersion(VAE).join(),
    );
  });
});

suite("training with rows held out", () => {
  test("stops when they no longer get likelier and returns the best weights", () => {
    const held = Int32Array.from({ length: 300 }, (_, i) => 5 * i);
    const vae = createVae(SHAPE, 3);
    const report = trainVae(vae, lowRankRows(400, 9), {
      ...OPTIONS,
      epochs: 400,
      learningRate: 2e-2,
      patience: 3,
      validation: held.filter((i) => i < 400),
    });
    assert.ok(report.epochs < 400, `${report.epochs} epochs`);
    assert.equal(
      mean(
        elbo(
          vae,
          lowRankRows(400, 9),
          held.filter((i) => i < 400),
        ),
      ),
      report.validationBound,
    );
  });
  test("changes nothing when no row is left to learn from", () => {
    const vae = createVae(SHAPE, 3);
    const before = vae.flat.slice();
    assert.equal(trainVae(vae, lowRankRows(0, 1), OPTIONS).epochs, 0);
    assert.deepEqual(vae.flat, before);
  });
});

suite("rows of the wrong size", () => {
  test("are a RangeError that tells the sizes", () =>
    assert.throws(
      () => elbo(createVae({ ...SHAPE, counts: 9 }, 1), FRESH),
      /counts: 4000 numbers for 500 rows of 9/,
    ));
  test("so is a batch larger than the network has room for", () =>
    assert.throws(() => trainVae(createVae(SHAPE, 1), TRAIN, { ...OPTIONS, batch: 1000 }), /batch of 1000/));
});
