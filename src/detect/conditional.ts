import { SLOTS_PER_DAY, type SlotPlace } from "../feature/clock.ts";
import { FAMILIES } from "../feature/family.ts";
import { createRandom, type Random } from "../math/random.ts";
import type { Parent } from "../model/inherit.ts";
import type { Kernels } from "../model/kernels.ts";
import { reconstruct } from "../model/score.ts";
import { type Training, trainVae } from "../model/train.ts";
import { createVae, dispersion, type Rows, type Vae, type VaeShape } from "../model/vae.ts";
import { type Ancestry, FOLDS, type Folds, foldOf, keepFolds, parentOf } from "./folds.ts";
import { type PastRows, wholeRows } from "./recall.ts";
import type { Conditional } from "./window.ts";
import { knownRows, type WindowTable } from "./window-fit.ts";

/**
 * The window view's Variational Autoencoder. A plain reconstruction explains faults away, since the encoder sees them; so
 * each family of columns is asked for given the others: is this surge improbable for the hour AND improbable given
 * what the rest of the server does? A newsletter or a Monday raises many families together and is explained; a fault is not.
 */

/** Widths that the network learns, in slots; it knows the width by a condition. Five minutes hold too little to tell. */
export const LEARNED_WIDTHS: readonly number[] = [2, 6, 12];
const HIDDEN = 48;
const LATENT = 8;
/** What a row is conditioned on, in this order: name and meaning. */
export const WINDOW_CONDITIONS: readonly (readonly [name: string, meaning: string])[] = [
  ["day_sin", "sine of the time of day, a day being a full circle from local midnight"],
  ["day_cos", "cosine of the time of day"],
  ["weekend", "1 on a weekend day, else 0"],
  ...LEARNED_WIDTHS.map(
    (w) => [`width_${w}`, `1 for counts of ${w} slots (${5 * w} minutes), else 0`] as const,
  ),
];
const CONDITIONS = WINDOW_CONDITIONS.length;
/** Share of rows held out for the early stop: every tenth. */
const HELD_OUT = 10;
const MIN_EXPECTED = 1e-3;
/** Share of the imagined rows that are calmer than the real ones, and how many other times the busier ones hold at most. */
const LULLS = 0.25;
const MAX_ADDED = 3;

const OPTIONS = {
  epochs: 40,
  batch: 64,
  learningRate: 2e-3,
  klWarmupEpochs: 12,
  beta: 1,
  maskRate: 0.1,
  familyMaskRate: 0.7,
  patience: 6,
} as const;

/**
 * Rows of the table for the network, without overlap, for each learned width, where all of their time is known; `keep` picks them by
 * their last slot. Those of the past come after them, and are remembered, so that what is rarer than the training is long is learned again.
 * slots: their last ones. times: so many times the rows find room, of which the first are filled.
 */
export function windowRows(
  table: WindowTable,
  keep: (slot: number) => boolean,
  times = 1,
  past?: PastRows,
): { rows: Rows; width: number[]; slots: number[] } {
  const C = table.columns.length;
  const { first, slots: T } = table.time;
  const chosen: {
    from: Pick<WindowTable, "counts" | "mu" | "places">;
    t: number;
    w: number;
    slot: number;
  }[] = [];
  for (const w of LEARNED_WIDTHS) {
    const known = knownRows(table, w);
    for (let t = w - 1; t < T; t += w)
      if (known[t] === 1 && keep(first + t)) chosen.push({ from: table, t, w, slot: first + t });
  }
  for (const w of past ? LEARNED_WIDTHS : []) {
    const known = wholeRows(past!.slots, w);
    let free = Number.NEGATIVE_INFINITY;
    for (const [t, slot] of past!.slots.entries()) {
      if (known[t] === 0 || slot - w < free) continue;
      free = slot;
      if (keep(slot)) chosen.push({ from: past!, t, w, slot });
    }
  }
  const rows = emptyRows(times * chosen.length, C);
  const sums = new Float32Array(C);
  const mu = new Float32Array(C);
  for (const [i, { from, t, w }] of chosen.entries()) {
    sumRows(sums, from.counts, t, w);
    sumRows(mu, from.mu, t, w);
    setRow(rows, i, C, sums, mu, w, from.places[t]!);
  }
  return { rows, width: chosen.map(({ w }) => w), slots: chosen.map(({ slot }) => slot) };
}

/** out (C) = sum of the `width` rows of values (T, C) that end with row t, the newest first, as rolling() adds them. */
function sumRows(out: Float32Array, values: Float32Array, t: number, width: number): void {
  const C = out.length;
  out.set(values.subarray(t * C, t * C + C));
  for (let k = 1; k < width; k++) for (let j = 0; j < C; j++) out[j]! += values[(t - k) * C + j]!;
}

function emptyRows(n: number, C: number): Rows {
  return {
    n,
    counts: new Float32Array(n * C),
    reals: new Float32Array(0),
    realWeights: new Float32Array(0),
    offset: new Float32Array(n * C),
    conditions: new Float32Array(n * CONDITIONS),
  };
}

function setRow(
  rows: Rows,
  i: number,
  C: number,
  sums: Float32Array,
  mu: Float32Array,
  width: number,
  place: SlotPlace,
): void {
  rows.counts.set(sums, i * C);
  for (let j = 0; j < C; j++) rows.offset[i * C + j] = Math.log(Math.max(MIN_EXPECTED, mu[j]!));
  const angle = (2 * Math.PI * place.slotOfDay) / SLOTS_PER_DAY;
  const at = i * CONDITIONS;
  rows.conditions[at] = Math.sin(angle);
  rows.conditions[at + 1] = Math.cos(angle);
  rows.conditions[at + 2] = place.weekend ? 1 : 0;
  LEARNED_WIDTHS.forEach((w, k) => {
    rows.conditions[at + 3 + k] = w === width ? 1 : 0;
  });
}

/** Shape of the network for C columns. */
export const windowShape = (C: number): VaeShape => ({
  counts: C,
  reals: 0,
  conditions: CONDITIONS,
  hidden: HIDDEN,
  latent: LATENT,
});

/**
 * Fills the second half of the rows with imagined ones, one for each real one: busier times, in which the traffic of up to three other
 * times of the same width comes on top, and calmer ones, in which each event stays away by chance. Both are closed operations of point
 * processes (superposition and thinning), so what belongs together stays together; only so the network learns what a newsletter or a
 * holiday beyond all of training would look like. What is expected of the hour stays as it is. width: of the real rows.
 */
function imagine(rows: Rows, width: readonly number[], C: number, random: Random): void {
  const n = width.length;
  rows.counts.copyWithin(n * C, 0, n * C);
  rows.offset.copyWithin(n * C, 0, n * C);
  rows.conditions.copyWithin(n * CONDITIONS, 0, n * CONDITIONS);
  const ofWidth = new Map(LEARNED_WIDTHS.map((w) => [w, [...width.keys()].filter((i) => width[i] === w)]));
  for (let i = 0; i < n; i++) {
    const counts = rows.counts.subarray((n + i) * C, (n + i + 1) * C);
    if (random.uniform() < LULLS) {
      const stay = 0.2 + 0.6 * random.uniform();
      for (let j = 0; j < C; j++) counts[j] = thinned(counts[j]!, stay, random);
      continue;
    }
    const alike = ofWidth.get(width[i]!)!;
    for (let more = 1 + random.int(MAX_ADDED); more > 0; more--) {
      const k = alike[random.int(alike.length)]!;
      for (let j = 0; j < C; j++) counts[j]! += rows.counts[k * C + j]!;
    }
  }
}

/** A binomial draw of n events, each of which stays with probability p; by its normal limit where n is large. */
function thinned(n: number, p: number, random: Random): number {
  if (n > 64)
    return Math.min(n, Math.max(0, Math.round(n * p + Math.sqrt(n * p * (1 - p)) * random.normal())));
  let stayed = 0;
  for (let i = 0; i < n; i++) if (random.uniform() < p) stayed++;
  return stayed;
}

/** Trains a network on the rows that `keep` picks by their last slot. */
export function trainWindowVae(
  table: WindowTable,
  keep: (slot: number) => boolean,
  seed: number,
  kernels: Kernels,
  parent?: Parent,
  past?: PastRows,
): { vae: Vae; training: Training } {
  const { rows, width } = windowRows(table, keep, 2, past);
  imagine(rows, width, table.columns.length, createRandom(seed));
  const vae = createVae(windowShape(table.columns.length), seed, kernels);
  const families = Int32Array.from(table.columns, (c) => FAMILIES.indexOf(c.family));
  const validation = Int32Array.from({ length: Math.floor(width.length / HELD_OUT) }, (_, i) => i * HELD_OUT);
  const training = trainVae(vae, rows, { ...OPTIONS, seed, families, validation, parent });
  return { vae, training };
}

/** One network for live scoring, trained on all days, and by fold one that did not see it. */
export type WindowNetworks = {
  readonly live: Vae;
  readonly unseen: readonly Vae[];
  readonly perSlot: (slot: number) => Conditional;
  readonly folds: Folds;
};

/** old: the networks to begin with, where there are some. past: what is remembered of before. */
export function fitConditionals(
  table: WindowTable,
  seed: number,
  kernels: Kernels,
  old?: Ancestry,
  past?: PastRows,
): WindowNetworks {
  const names = table.columns.map((c) => c.key);
  let epochs = 0;
  const train = (fold: number | undefined): Vae => {
    const { vae, training } = trainWindowVae(
      table,
      (slot) => foldOf(slot) !== fold,
      fold === undefined ? seed : seed + fold + 1,
      kernels,
      parentOf(old, fold, names, kernels),
      past,
    );
    epochs += training.epochs;
    return vae;
  };
  const unseen = Array.from({ length: FOLDS }, (_, fold) => train(fold));
  const conditionals = unseen.map(conditionalOf);
  return {
    live: train(undefined),
    unseen,
    perSlot: (slot) => conditionals[foldOf(slot)]!,
    folds: keepFolds(unseen, epochs),
  };
}

/**
 * Expected counts of columns given the other families. A width that the network did not learn, five minutes, is asked as the shortest
 * that it did, as if the time went on like that.
 */
export function conditionalOf(vae: Vae): Conditional {
  const C = vae.shape.counts;
  const alpha = dispersion(vae);
  const row = emptyRows(1, C);
  return (sums, mu, width, place) => {
    const learned = LEARNED_WIDTHS.includes(width) ? width : LEARNED_WIDTHS[0]!;
    const times = learned / width;
    const scaled = (values: Float32Array): Float32Array =>
      times === 1 ? values : values.map((n) => times * n);
    /** ln of what is expected, by family; most rows are asked for one. */
    const logMeans: Float32Array[] = [];
    const ask = (family: number): Float32Array => {
      setRow(row, 0, C, scaled(sums), scaled(mu), learned, place);
      return reconstruct(vae, row, family).logMean;
    };
    return {
      alpha,
      mu: (column) => {
        const family = vae.families![column]!;
        logMeans[family] ??= ask(family);
        return Math.fround(Math.exp(logMeans[family][column]!) / times);
      },
    };
  };
}
