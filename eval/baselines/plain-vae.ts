import { loadKernels } from "../../src/cli/kernels.ts";
import { reconstruct } from "../../src/model/score.ts";
import { trainVae } from "../../src/model/train.ts";
import { createVae, type Rows, type Vae } from "../../src/model/vae.ts";
import { crossFitted, logged, type RowScore, type RowScores, type WindowTable } from "./windows.ts";

const HIDDEN = 48;
const LATENT = 8;
const OPTIONS = {
  epochs: 30,
  batch: 64,
  learningRate: 2e-3,
  klWarmupEpochs: 0,
  beta: 1,
  maskRate: 0,
} as const;
/** Standard deviations above the mean error of training at which the usual tutorial puts its line. */
const SIGMAS = 3;

/**
 * The Variational Autoencoder of the tutorials: ln(1 + count) as numbers with a normal law, no time of day, no expectation; the
 * score is the mean squared error of the reconstruction. `fixed` is the tutorials' line: mean + 3 sd of the error on the very
 * rows it was trained on.
 */
export function plainVaeScores(table: WindowTable): RowScores & { readonly fixed: number } {
  const { C, train } = table;
  const x = logged(table);
  const kernels = loadKernels();
  let last: (t: number) => RowScore = () => ({ value: 0, column: 0 });
  const scores = crossFitted(table, (rows, seed) => {
    const vae = createVae(
      { counts: 0, reals: C, conditions: 0, hidden: HIDDEN, latent: LATENT },
      seed,
      kernels,
    );
    trainVae(vae, rowsOf(x, rows, C), { ...OPTIONS, seed });
    last = (t) => errorOf(vae, x, t, C);
    return last;
  });
  const errors = Array.from({ length: train }, (_, t) => last(t).value); // the last fit is that of all of training
  const mean = errors.reduce((a, b) => a + b, 0) / train;
  const variance = errors.reduce((a, b) => a + (b - mean) ** 2, 0) / train;
  return { ...scores, fixed: mean + SIGMAS * Math.sqrt(variance) };
}

function rowsOf(x: Float32Array, rows: readonly number[], C: number): Rows {
  const reals = new Float32Array(rows.length * C);
  for (const [i, t] of rows.entries()) reals.set(x.subarray(t * C, t * C + C), i * C);
  const none = new Float32Array(0);
  return {
    n: rows.length,
    counts: none,
    reals,
    realWeights: new Float32Array(reals.length).fill(1),
    offset: none,
    conditions: none,
  };
}

function errorOf(vae: Vae, x: Float32Array, t: number, C: number): RowScore {
  const { realMean } = reconstruct(vae, rowsOf(x, [t], C));
  let sum = 0;
  let column = 0;
  const error = (j: number): number => (x[t * C + j]! - realMean[j]!) ** 2;
  for (let j = 0; j < C; j++) {
    sum += error(j);
    if (error(j) > error(column)) column = j;
  }
  return { value: sum / C, column };
}
