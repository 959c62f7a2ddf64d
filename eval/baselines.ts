// Simple detectors of sessions, run beside ours on the same parts. None reads a label.
import { loadKernels } from "../src/cli/kernels.ts";
import { type Bag, kindsOf } from "../src/feature/session.ts";
import { elbo } from "../src/model/score.ts";
import { trainVae } from "../src/model/train.ts";
import { createVae, type Rows } from "../src/model/vae.ts";

/** Scores of the test part, and whether each lies above the threshold of the training part. */
export type Scored = { readonly scores: readonly number[]; readonly flags: readonly boolean[] };
type Scorer = (bag: Bag) => number;
type Fit = (training: readonly Bag[], width: number, seed: number) => Scorer;

/** Every fifth training session is left out of fitting and gives the threshold by its quantile. */
const HELD_OUT = 5;

/** The threshold of all baselines: a preset quantile of left-out training scores. */
export function thresholdOf(held: readonly number[], quantile: number): number {
  const sorted = [...held].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))]!;
}

export const isHeldOut = (i: number): boolean => i % HELD_OUT === 0;

export function runBaseline(
  fit: Fit,
  training: readonly Bag[],
  test: readonly Bag[],
  width: number,
  seed: number,
  quantile: number,
): Scored {
  const score = fit(
    training.filter((_, i) => !isHeldOut(i)),
    width,
    seed,
  );
  const line = thresholdOf(training.filter((_, i) => isHeldOut(i)).map(score), quantile);
  const scores = test.map(score);
  return { scores, flags: scores.map((s) => s > line) };
}

/** Share of a session's events that training never had. */
export const newEvents: Fit = (training) => {
  const seen = new Set(training.flatMap((bag) => [...bag.columns]));
  return ({ columns, counts }) => {
    let fresh = 0;
    let all = 0;
    columns.forEach((column, i) => {
      all += counts[i]!;
      if (!seen.has(column)) fresh += counts[i]!;
    });
    return all === 0 ? 0 : fresh / all;
  };
};

/** Smallest L1 distance to a training count vector, by the length of the longer one (Landauer et al. 2024, without idf). */
export const countVectors: Fit = (training, width) => {
  const known = kindsOf(training).map((k) => dense(k.bag, width));
  const scored = new Map<string, number>();
  return (bag) => {
    const before = scored.get(bag.key);
    if (before !== undefined) return before;
    const x = dense(bag, width);
    let best = Number.POSITIVE_INFINITY;
    for (const y of known) {
      let difference = 0;
      let length = 0;
      for (let j = 0; j < width; j++) {
        difference += Math.abs(x[j]! - y[j]!);
        length += Math.max(x[j]!, y[j]!);
      }
      best = Math.min(best, length === 0 ? 0 : difference / length);
    }
    scored.set(bag.key, best);
    return best;
  };
};

function dense(bag: Bag, width: number): Float32Array {
  const row = new Float32Array(width);
  bag.columns.forEach((column, i) => {
    row[column] = bag.counts[i]!;
  });
  return row;
}

/** The project's network with the negative binomial likelihood of its other views, trained as it comes. */
export const plainVae: Fit = (training, width, seed) => {
  const mean = new Float64Array(width).fill(0.5);
  for (const bag of training)
    bag.columns.forEach((column, i) => {
      mean[column]! += bag.counts[i]!;
    });
  const offset = Float32Array.from(mean, (sum) => Math.log(sum / (training.length + 1)));
  const rowsOf = (bags: readonly Bag[]): Rows => ({
    n: bags.length,
    counts: Float32Array.from(bags.flatMap((bag) => [...dense(bag, width)])),
    reals: new Float32Array(0),
    realWeights: new Float32Array(0),
    offset: Float32Array.from(bags.flatMap(() => [...offset])),
    conditions: new Float32Array(0),
  });
  const vae = createVae(
    { counts: width, reals: 0, conditions: 0, hidden: 32, latent: 8 },
    seed,
    loadKernels(),
  );
  const epochs = Math.ceil((2500 * 64) / training.length);
  const options = {
    batch: 64,
    learningRate: 2e-3,
    klWarmupEpochs: Math.ceil(epochs / 6),
    beta: 1,
    maskRate: 0.05,
  };
  trainVae(vae, rowsOf(training), { ...options, epochs, seed });
  return (bag) => elbo(vae, rowsOf([bag]))[0]!;
};
