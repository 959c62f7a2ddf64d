import { dayOf, type RowScores, type WindowTable } from "./windows.ts";

/** A day of training exceeds the threshold so often, at most. */
const EXCEEDED_PER_DAY = 0.1;

/**
 * The one rule for all baselines: the lowest of training's daily maxima that at most a tenth of its days exceed. Reads
 * scores of training alone.
 */
export function thresholdOf(table: WindowTable, { values }: RowScores): number {
  const maxima = new Map<number, number>();
  for (let t = 0; t < table.train; t++) {
    const day = dayOf(table, t);
    maxima.set(day, Math.max(maxima.get(day) ?? Number.NEGATIVE_INFINITY, values[t]!));
  }
  const falling = [...maxima.values()].sort((a, b) => b - a);
  return falling[Math.floor(EXCEEDED_PER_DAY * falling.length)] ?? Number.POSITIVE_INFINITY;
}

/** Levels of the watched rows that an oracle tries: the highest one by one, then ever wider apart. */
export function oracleLevels(table: WindowTable, { values }: RowScores): number[] {
  const falling = [...new Set(values.subarray(table.train))].sort((a, b) => b - a);
  const levels: number[] = [];
  for (let i = 1; i < falling.length && i < 800; i = Math.ceil(i * 1.25)) levels.push(falling[i]!);
  return levels;
}
