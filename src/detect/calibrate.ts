/**
 * Two questions asked of every score. How rare is it among the rows of normal time (its p-value)? And how many such a day
 * does this view bring by nature (its rate)? The rate is the common currency in which views are compared and the
 * alert budget is spent.
 */

/** Score differences are in nats of a tail probability, so the scale of their maxima is at least one; some more for luck. */
const MIN_SCALE = 1.2;
/** Below this many training days, maxima tell no scale: the line is the largest maximum plus a margin. */
export const FULL_CALIBRATION_DAYS = 10;
const SHORT_HISTORY_MARGIN = 5;
/** Scores above this rank of the training rows are extrapolated by the exponential tail. */
const TAIL_RANK = 20;
/** Scores kept for ranks; more are thinned evenly. */
const MAX_SCORES = 4096;
const EULER = 0.5772156649;

export type Calibration = {
  /** Gumbel location and scale of the daily maximum. */
  readonly location: number;
  readonly scale: number;
  readonly days: number;
  /** Training scores in rising order (thinned), and how many there were. */
  readonly scores: Float32Array;
  readonly rows: number;
};

/**
 * dailyMaxima: the largest score of each training day, each scored by a model that did not see that day.
 * scores: those of all training rows, likewise. Source: Coles (2001), Gumbel by moments; Vovk et al. (2005), conformal ranks.
 */
export function calibrate(
  dailyMaxima: readonly number[],
  scores: readonly number[] | Float32Array,
): Calibration {
  const sorted = Float32Array.from(scores).sort();
  const days = dailyMaxima.length;
  const mean = days === 0 ? 0 : dailyMaxima.reduce((a, b) => a + b, 0) / days;
  let scale = MIN_SCALE;
  let location: number;
  if (days >= FULL_CALIBRATION_DAYS) {
    const variance = dailyMaxima.reduce((a, b) => a + (b - mean) ** 2, 0) / (days - 1);
    scale = Math.max(MIN_SCALE, (Math.sqrt(variance) * Math.sqrt(6)) / Math.PI);
    location = Math.max(0, mean - EULER * scale);
  } else {
    location = Math.max(0, ...dailyMaxima) + SHORT_HISTORY_MARGIN - scale * 3.9;
  }
  return { location, scale, days, scores: thin(sorted), rows: sorted.length };
}

/** Keeps the largest scores whole and thins the rest evenly; ranks are scaled back by `rows`. */
function thin(sorted: Float32Array): Float32Array {
  if (sorted.length <= MAX_SCORES) return sorted;
  const out = new Float32Array(MAX_SCORES);
  for (let i = 0; i < MAX_SCORES; i++) out[i] = sorted[Math.floor(((i + 0.5) * sorted.length) / MAX_SCORES)]!;
  return out;
}

/** Expected number a day, by nature, of scores at least this high, over `channels` such channels (Bonferroni). */
export function naturalRate(c: Calibration, score: number, channels: number): number {
  return channels * Math.exp(-(score - c.location) / c.scale);
}

/** How many of the scores that were kept are at least this high; as single floats, as they are kept, so that ties are ties. */
function countAbove({ scores }: Calibration, exact: number): number {
  const score = Math.fround(exact);
  let low = 0;
  let high = scores.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (scores[mid]! < score) low = mid + 1;
    else high = mid;
  }
  return scores.length - low;
}

/** P(score of a normal row >= this one), in (0, 1]: the conformal rank alone, for scores that are in no unit. */
export const rankValue = (c: Calibration, score: number): number =>
  (countAbove(c, score) + 1) / (c.scores.length + 1);

/** P(score of a normal row >= this one), in (0, 1]: the conformal rank, exponential beyond the highest ranks. */
export function pValue(c: Calibration, score: number): number {
  const n = c.scores.length;
  if (n === 0) return 1;
  const above = countAbove(c, score);
  const rank = Math.min(TAIL_RANK, Math.max(1, n >> 2));
  if (above >= rank) return (above + 1) / (n + 1);
  const anchor = c.scores[n - rank]!;
  return Math.max(
    Number.MIN_VALUE,
    ((rank + 1) / (n + 1)) * Math.exp(-Math.max(0, score - anchor) / c.scale),
  );
}
