import { Levels } from "../feature/levels.ts";
import { type Bag, type Kind, kindsOf, sessionsOf } from "../feature/session.ts";
import type { Kernels } from "../model/kernels.ts";
import { elbo } from "../model/score.ts";
import { trainVae } from "../model/train.ts";
import { createVae, type Rows, type Vae } from "../model/vae.ts";
import { type Calibration, calibrate, pValue } from "./calibrate.ts";
import { coreOf, type Departures, departure, LIKE, learnNormal, seriesOf, unseenCost } from "./departure.ts";

/**
 * Strange sessions. A session is strange when it is improbable to a Variational Autoencoder of what sessions consist of,
 * and unlike every session known; the score is the smaller of the two, in nats. The autoencoder alone alarms on what is
 * rare but known, the departure alone on harmless new combinations. Faults come in series, oddities alone: among strange
 * sessions one that is like those which training set aside ranks higher, up to twice as high.
 */

const HIDDEN = 32;
const LATENT = 8;
const BATCH = 64;
/** Optimiser steps, whatever the number of sessions. */
const STEPS = 2400;
const LEARNING_RATE = 2e-3;
const MASK_RATE = 0.05;
/** Share of the training over which the divergence term comes in. */
const WARM_UP = 1 / 6;
/** Rows of a training. A kind of n sessions stands in it sqrt(n) times, so that rare normal kinds are learned too. */
const MAX_ROWS = 20_000;
/** Parts into which the training sessions fall for calibration; each is scored by a model of the others. */
const FOLDS = 5;
/** Share of normal sessions that may be unlike all known ones, for one rare change to be an anomaly. */
const NOVEL_SHARE = 0.001;
/** Share of the left-out training sessions that may lie above a threshold that is their quantile. */
const FALSE_SHARE = 0.0035;
/** Left-out sessions above two changes that still prove nothing: single odd ones are in every history. */
const ODD_SHARE = 0.02;
/** Size of two changes where never was one, in the 4-norm of a departure, against one: halfway between one and two. */
const TWO_CHANGES = 1.5 ** (1 / 4);
/** Kinds set aside that strange sessions are compared with, frequent ones first. */
const MAX_ASIDE = 4096;
const SCORED_AT_ONCE = 1024;

type Fit = {
  readonly departures: Departures;
  readonly levels: Levels;
  readonly vae: Vae;
  readonly seen: ReadonlySet<number>;
  /** Negative bound that half of the training sessions stay under, in nats. */
  readonly usual: number;
};

export type SessionModel = Fit & {
  readonly calibration: Calibration;
  /** A score above is an anomaly. */
  readonly threshold: number;
  /** What was set aside as possible anomalies, and how many sessions; none when all of them were said to be normal. */
  readonly aside: readonly Kind[];
  readonly setAside: number;
};

export type TrainSessions = {
  /** Whether the sessions may hold anomalies. */
  readonly mixed: boolean;
  readonly seed: number;
  readonly kernels: Kernels;
  /** Number of columns that were given out when training ended. */
  readonly width: number;
};

/** Learns from at least one session; RangeError without. The threshold is a function of these sessions alone. */
export function trainSessions(bags: readonly Bag[], options: TrainSessions): SessionModel {
  if (bags.length === 0) throw new RangeError("no session to learn from");
  const kinds = kindsOf(bags);
  const core = options.mixed ? coreOf(kinds, options.width) : kinds;
  const normal = new Set(core.map((k) => k.bag.key));
  const kept = options.mixed ? bags.filter((bag) => normal.has(bag.key)) : bags;
  const model = fit(core, options, 1, options.seed);
  const scores = new Float64Array(kept.length);
  for (let fold = 0; fold < Math.min(FOLDS, kept.length); fold++) {
    const others = kept.filter((_, i) => i % FOLDS !== fold);
    if (others.length === 0) continue;
    const part = fit(kindsOf(others), options, others.length / kept.length, options.seed + fold + 1);
    const index = kept.map((_, i) => i).filter((i) => i % FOLDS === fold);
    const own = oddness(
      part,
      index.map((i) => kept[i]!),
    );
    for (const [k, i] of index.entries()) scores[i] = own[k]!;
  }
  return {
    ...model,
    calibration: calibrate([], Float32Array.from(scores)),
    threshold: thresholdOf(scores, novelShare(kept, options.width), model.departures.unseen),
    aside: kinds.filter((k) => !normal.has(k.bag.key)).slice(0, MAX_ASIDE),
    setAside: bags.length - kept.length,
  };
}

/**
 * Share of normal sessions that will be unlike all known ones. Each fold alone meets the others, and what is new to it is
 * divided by their number: kinds of Zipf-like rates show new ones in inverse proportion to the sessions known (Good &
 * Toulmin 1956). Leaving out a fold estimates the same from kinds seen once alone, of which a few hundred
 * sessions show now none, now three.
 */
function novelShare(bags: readonly Bag[], width: number): number {
  let novel = 0;
  let met = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const own = bags.filter((_, i) => i % FOLDS === fold);
    if (own.length === 0) continue;
    const known = learnNormal(kindsOf(own), width, 1 / FOLDS);
    for (const { bag, sessions } of kindsOf(bags.filter((_, i) => i % FOLDS !== fold))) {
      met += sessions;
      if (departure(known, bag) > LIKE) novel += sessions;
    }
  }
  return (novel + 1) / (met + 1) / FOLDS;
}

/**
 * One rare change is an anomaly (LIKE), unless normal sessions show such changes too often: then it takes two of a kind
 * that training never saw. Two steps in units of what a change costs, since a quantile of a few hundred scores can't
 * tell one in a thousand: it depends on single sessions. Where hardly two sessions are alike no step means anything, and
 * the quantile of the left-out training sessions it is, by the conformal count (k + 1) / (n + 1) (Vovk et al. 2005).
 */
function thresholdOf(scores: Float64Array, novel: number, unseen: number): number {
  if (novel <= NOVEL_SHARE) return LIKE;
  const n = scores.length;
  const two = Math.max(LIKE, unseen * TWO_CHANGES);
  const above = scores.reduce((k, s) => k + (s > two ? 1 : 0), 0);
  if ((above + 1) / (n + 1) <= Math.max(ODD_SHARE, 2 / (n + 1))) return two;
  const allowed = Math.max(FALSE_SHARE, 1 / (n + 1));
  return [...scores].sort((x, y) => y - x)[Math.max(0, Math.floor(allowed * (n + 1)) - 1)]!;
}

/** share: of the whole training that these kinds are. */
function fit(kinds: readonly Kind[], options: TrainSessions, share: number, seed: number): Fit {
  const departures = learnNormal(kinds, options.width, share);
  const levels = new Levels(kinds);
  const vae = createVae(
    { counts: 0, reals: levels.size, conditions: 0, hidden: HIDDEN, latent: LATENT, bits: true },
    seed,
    options.kernels,
  );
  const rows = repeated(kinds);
  const epochs = Math.ceil((STEPS * BATCH) / Math.max(BATCH, rows.length));
  trainVae(vae, rowsOf(levels, rows), {
    epochs,
    batch: BATCH,
    learningRate: LEARNING_RATE,
    seed,
    klWarmupEpochs: Math.ceil(epochs * WARM_UP),
    beta: 1,
    maskRate: MASK_RATE,
  });
  const bounds = elbo(
    vae,
    rowsOf(
      levels,
      kinds.map((k) => k.bag),
    ),
  );
  const seen = new Set(kinds.flatMap((k) => [...k.bag.columns]));
  return { departures, levels, vae, seen, usual: weightedMedian(bounds, kinds) };
}

/** Each kind about sqrt(n) times; all thinned alike when that is too much. */
function repeated(kinds: readonly Kind[]): Bag[] {
  const wanted = kinds.reduce((sum, k) => sum + Math.sqrt(k.sessions), 0);
  const scale = Math.min(1, MAX_ROWS / wanted);
  return kinds.flatMap((k) =>
    new Array<Bag>(Math.max(1, Math.round(scale * Math.sqrt(k.sessions)))).fill(k.bag),
  );
}

function rowsOf(levels: Levels, bags: readonly Bag[]): Rows {
  const { bits, weights } = levels.rows(bags);
  const none = new Float32Array(0);
  return { n: bags.length, counts: none, offset: none, conditions: none, reals: bits, realWeights: weights };
}

function weightedMedian(values: Float64Array, kinds: readonly Kind[]): number {
  const order = kinds.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  let left = sessionsOf(kinds) / 2;
  for (const i of order) {
    left -= kinds[i]!.sessions;
    if (left <= 0) return values[i]!;
  }
  return 0;
}

/** Each session's score: 0 or more; 0 for every session like one that was learned. */
export function scoresOf(model: SessionModel, bags: readonly Bag[]): Float64Array {
  const scores = oddness(model, bags);
  const raised = new Map<string, number>();
  bags.forEach(({ key }, i) => {
    if (!(scores[i]! > model.threshold)) return;
    const score = raised.get(key) ?? scores[i]! * (1 + seriesOf(model.departures, bags[i]!, model.aside));
    raised.set(key, score);
    scores[i] = score;
  });
  return scores;
}

/** Nats by which each session is improbable and unlike. */
function oddness(model: Fit, bags: readonly Bag[]): Float64Array {
  const kinds = kindsOf(bags).map((k) => k.bag);
  const score = new Map<string, number>();
  for (let from = 0; from < kinds.length; from += SCORED_AT_ONCE) {
    const part = kinds.slice(from, from + SCORED_AT_ONCE);
    const bounds = elbo(model.vae, rowsOf(model.levels, part));
    part.forEach((bag, i) => {
      const unseen = unseenCost(model.departures, bag, (column) => model.seen.has(column));
      const improbable = Math.max(0, bounds[i]! + unseen - model.usual);
      score.set(bag.key, Math.min(departure(model.departures, bag), improbable));
    });
  }
  return Float64Array.from(bags, (bag) => score.get(bag.key)!);
}

/** P(a normal session scores this high), in (0, 1]. */
export const sessionPValue = (model: SessionModel, score: number): number => pValue(model.calibration, score);
