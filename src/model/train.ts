import { createRandom, type Random } from "../math/random.ts";
import { fitScales } from "./fit.ts";
import { inherit, isAlike, type Parent } from "./inherit.ts";
import { backward, forward, load, loss, mask, prepared, weightedLoss } from "./network.ts";
import { elbo } from "./score.ts";
import { checkRows, MAX_BATCH, type Rows, type Vae } from "./vae.ts";

/** Longest step of the summed gradient: one wild batch may not throw the weights far. */
const GRADIENT_LIMIT = 50;
/** ln alpha is held here: Poisson to within one in 20,000 at e^-10, and heavier than any log's bursts at e^3. */
const LOG_ALPHA_RANGE = [-10, 3] as const;
/** ln variance of standardised reals: a column that never changed may not become infinitely sure. */
const LOG_VAR_RANGE = [-7, 5] as const;
const DEFAULT_PATIENCE = 5;
/** Of the epochs asked for, so many at most for a network that begins with another's weights: more made it no better in the lab. */
const INHERITED_SHARE = 0.5;

export type TrainOptions = {
  readonly epochs: number;
  /** Rows a step, 1 ... MAX_BATCH. */
  readonly batch: number;
  readonly learningRate: number;
  readonly seed: number;
  /** Epochs over which the weight of the KL term rises from 0 to beta. */
  readonly klWarmupEpochs: number;
  readonly beta: number;
  /** Chance that the encoder does not see a value, 0 ... 1. */
  readonly maskRate: number;
  /** Family of each column (C + G), numbered from 0. */
  readonly families?: Int32Array;
  /** Chance that a row hides one whole family from the encoder. */
  readonly familyMaskRate?: number;
  /** Indices of rows held out: training stops when they stop getting likelier, and the best weights return. */
  readonly validation?: Int32Array;
  /** Epochs without a better held-out bound before training stops; 5 when absent. */
  readonly patience?: number;
  /** The network whose weights a first training begins with, where its layers are the same; then there is no warm-up, and half of the epochs. */
  readonly parent?: Parent | undefined;
};

/** Epochs run, and mean negative bounds in nats a row: of the last epoch's steps, and the best held out (NaN without). */
export type Training = {
  readonly epochs: number;
  readonly trainBound: number;
  readonly validationBound: number;
};

/** Writes 0 or 1 for each value of B rows: single values by maskRate, one family of a row by familyMaskRate. */
function drawMask(vae: Vae, B: number, options: TrainOptions, families: number, random: Random): void {
  const W = vae.shape.counts + vae.shape.reals;
  const { mask } = vae.work;
  for (let b = 0; b < B; b++) {
    random.keep(mask, b * W, W, options.maskRate);
    if (families === 0 || random.uniform() >= (options.familyMaskRate ?? 0)) continue;
    const hidden = random.int(families);
    for (let i = 0; i < W; i++) if (options.families![i] === hidden) mask[b * W + i] = 0;
  }
}

/** Loss (nats a row) and gradient of one batch of loaded rows; noise, mask and scale stand in vae.work. */
export function batchStep(vae: Vae, B: number, beta: number): number {
  mask(vae, B);
  forward(vae, B);
  loss(vae, B);
  backward(vae, B, beta);
  return weightedLoss(vae, B, beta);
}

function step(vae: Vae, rate: number, count: number): void {
  const { heap, flat, gradientFlat, adamMean, adamSquare } = vae;
  let square = 0;
  for (let i = 0; i < gradientFlat.length; i++) square += gradientFlat[i]! * gradientFlat[i]!;
  if (!Number.isFinite(square)) return; // a broken batch changes nothing
  const scale = Math.min(1, GRADIENT_LIMIT / Math.sqrt(square));
  heap.adam(flat, gradientFlat, adamMean, adamSquare, flat.length, rate, scale, count);
  hold(vae.weights.logAlpha, LOG_ALPHA_RANGE);
  hold(vae.weights.logVar, LOG_VAR_RANGE);
}

function hold(values: Vae["flat"], [low, high]: readonly [number, number]): void {
  for (let i = 0; i < values.length; i++) values[i] = Math.min(high, Math.max(low, values[i]!));
}

const meanOf = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;

function trainingIndex(n: number, held: Int32Array | undefined): Int32Array {
  if (held === undefined) return Int32Array.from({ length: n }, (_, i) => i);
  const isHeld = new Uint8Array(n);
  for (const i of held) isHeld[i] = 1;
  return Int32Array.from({ length: n }, (_, i) => i).filter((i) => isHeld[i] === 0);
}

function checkOptions(vae: Vae, options: TrainOptions): void {
  const { batch, epochs, families } = options;
  if (!(batch >= 1 && batch <= MAX_BATCH)) throw new RangeError(`batch of ${batch}, at most ${MAX_BATCH}`);
  if (!(epochs >= 0)) throw new RangeError(`${epochs} epochs`);
  const W = vae.shape.counts + vae.shape.reals;
  if (families !== undefined && families.length !== W)
    throw new RangeError(`${families.length} families for ${W} columns`);
}

/** One pass over the rows in a fresh order; returns the mean loss. `count` is the number of steps made before. */
function epoch(
  vae: Vae,
  rows: Rows,
  index: Int32Array,
  options: TrainOptions,
  beta: number,
  families: number,
  count: number,
  random: Random,
): number {
  const { noise, scale } = vae.work;
  const Z = vae.shape.latent;
  let total = 0;
  random.shuffle(index);
  for (let start = 0; start < index.length; start += options.batch) {
    const B = Math.min(options.batch, index.length - start);
    load(vae, rows, index, start, B);
    for (let i = 0; i < B * Z; i++) noise[i] = random.normal();
    drawMask(vae, B, options, families, random);
    for (let b = 0; b < B; b++) scale[b] = (rows.rowWeights?.[index[start + b]!] ?? 1) / B;
    total += B * batchStep(vae, B, beta);
    count++;
    step(vae, options.learningRate, count);
  }
  return total / Math.max(1, index.length);
}

/**
 * Trains `vae` in place by Adam on the bound. The first training also learns scales and first alphas. Same rows,
 * options, starting weights or parent, and kernels: same weights, bit for bit. Without rows to learn from nothing changes.
 */
export function trainVae(vae: Vae, given: Rows, asked: TrainOptions): Training {
  checkRows(vae.shape, given);
  checkOptions(vae, asked);
  const parent = !vae.fitted && asked.parent && isAlike(vae, asked.parent) ? asked.parent : undefined;
  const options = parent
    ? { ...asked, klWarmupEpochs: 0, epochs: Math.ceil(INHERITED_SHARE * asked.epochs) }
    : asked;
  const index = trainingIndex(given.n, options.validation);
  if (index.length === 0) return { epochs: 0, trainBound: Number.NaN, validationBound: Number.NaN };
  if (!vae.fitted) fitScales(vae, given, index);
  if (parent) inherit(vae, parent);
  vae.families = options.families ?? vae.families;
  if (parent?.frozen) return { epochs: 0, trainBound: Number.NaN, validationBound: Number.NaN };
  const rows = prepared(vae, given);
  vae.adamMean.fill(0);
  vae.adamSquare.fill(0);
  const held = options.validation?.length ? options.validation : undefined;
  const families = options.families === undefined ? 0 : Math.max(...options.families) + 1;
  const random = createRandom(options.seed);
  const steps = Math.ceil(index.length / options.batch);
  let best = held ? meanOf(elbo(vae, rows, held)) : Number.NaN;
  let kept = held ? vae.flat.slice() : undefined;
  let trainBound = Number.NaN;
  let done = 0;
  let since = 0;
  while (done < options.epochs) {
    const beta = options.beta * Math.min(1, (done + 1) / Math.max(1, options.klWarmupEpochs));
    trainBound = epoch(vae, rows, index, options, beta, families, done * steps, random);
    done++;
    if (!held) continue;
    const now = meanOf(elbo(vae, rows, held));
    since = now < best ? 0 : since + 1;
    if (now < best) {
      best = now;
      kept = vae.flat.slice();
    }
    if (done > options.klWarmupEpochs && since >= (options.patience ?? DEFAULT_PATIENCE)) break;
  }
  if (kept) vae.flat.set(kept);
  return { epochs: done, trainBound, validationBound: best };
}
