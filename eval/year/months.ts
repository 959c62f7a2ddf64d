import { DAY_MS } from "../../src/feature/clock.ts";
import type { Brief, LabelRow, Score } from "../accuracy/corpus.ts";
import { median } from "../accuracy/totals.ts";
import { MONTH_DAYS, UPGRADES, WATCHED } from "./plan.ts";

/** The score of a year, month by month. */

/** What is told within a day of an upgrade is news, no false alarm. */
const NEWS_MS = DAY_MS;

export type Month = {
  readonly falseAlarms: number;
  /** Of these, within a day of an upgrade; not among the false alarms. */
  readonly atUpgrade: number;
  readonly withoutEvidence: number;
  readonly found: number;
  readonly faults: number;
  readonly medianMinutes: number | null;
  readonly missed: readonly string[];
};

const monthOf = (time: number): number => Math.floor((time - WATCHED) / (MONTH_DAYS * DAY_MS));
/** Whole months that have passed at a time, in ms. */
export const monthsBefore = (time: number): number => Math.max(0, monthOf(time));
const isNews = ({ opened_at }: Brief): boolean => {
  const time = Date.parse(opened_at);
  return UPGRADES.some(({ at }) => time >= at && time < at + NEWS_MS);
};

/** starts: when each label begins, in ms, by its id. */
export function monthsOf(score: Score, starts: ReadonlyMap<string, number>, months: number): Month[] {
  return Array.from({ length: months }, (_, month): Month => {
    const opened = (some: readonly Brief[]): Brief[] =>
      some.filter(({ opened_at }) => monthOf(Date.parse(opened_at)) === month);
    const alarms = opened(score.false);
    const rows = score.rows.filter(({ id }) => monthOf(starts.get(id)!) === month);
    const found = rows.filter(({ evidenced }) => evidenced);
    return {
      falseAlarms: alarms.filter((alarm) => !isNews(alarm)).length,
      atUpgrade: alarms.filter(isNews).length,
      withoutEvidence: opened(score.without_evidence).length,
      found: found.length,
      faults: rows.length,
      medianMinutes: median(found.flatMap(({ minutes }: LabelRow) => minutes ?? [])) ?? null,
      missed: rows.filter(({ evidenced }) => !evidenced).map(({ kind }) => kind),
    };
  });
}

export type Slope = { readonly perMonth: number; readonly error: number };

const MAX_STEPS = 100;
/** A steeper slope is none that a year can tell: all counts lie at one end of it, and the regression has no end. */
const STEEPEST = 3;

/**
 * Poisson regression of monthly counts on the month: by how much the logarithm of their mean rises a month, with its standard error, which is
 * widened where the counts spread more than Poisson's (quasi-likelihood; McCullagh and Nelder 1989). Undefined where all are 0.
 */
export function slopeOf(counts: readonly number[]): Slope | undefined {
  const n = counts.length;
  const total = counts.reduce((a, b) => a + b, 0);
  if (total === 0) return undefined;
  const x = counts.map((_, i) => i - (n - 1) / 2);
  let [a, b] = [Math.log(total / n), 0];
  let mu = counts.map(() => total / n);
  let information = 0;
  for (let step = 0; step < MAX_STEPS; step++) {
    mu = x.map((at) => Math.exp(a + b * at));
    const sum = (of: (i: number) => number): number => x.reduce((s, _, i) => s + of(i), 0);
    const [s0, s1, s2] = [sum((i) => mu[i]!), sum((i) => mu[i]! * x[i]!), sum((i) => mu[i]! * x[i]! ** 2)];
    const [g0, g1] = [sum((i) => counts[i]! - mu[i]!), sum((i) => (counts[i]! - mu[i]!) * x[i]!)];
    const det = s0 * s2 - s1 * s1;
    const [da, db] = [(s2 * g0 - s1 * g1) / det, (s0 * g1 - s1 * g0) / det];
    [a, b] = [a + da, b + db];
    information = det / s0;
    if (Math.abs(da) + Math.abs(db) < 1e-9 || Math.abs(b) > STEEPEST) break;
  }
  const pearson = counts.reduce((s, y, i) => s + (y - mu[i]!) ** 2 / mu[i]!, 0);
  const dispersion = Math.max(1, pearson / Math.max(1, n - 2));
  return { perMonth: b, error: Math.sqrt(dispersion / information) };
}
