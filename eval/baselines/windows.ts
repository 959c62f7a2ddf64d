import type { Lines } from "./lines.ts";

/** Width of a window that a baseline scores; windows do not overlap. */
export const WINDOW_MS = 600_000;
export const WINDOWS_PER_DAY = 144;
/** Days fall into so many groups; each is scored by a fit that did not see it. */
const FOLDS = 7;
/** Lines that an alert cites. */
const MAX_LINES = 5;

/**
 * Counts of templates by window. Column j < C - 1 is the j-th template of training; the last column takes all templates that
 * training did not have, so nothing that a baseline fits depends on what comes after training.
 */
export type WindowTable = {
  readonly C: number;
  /** Rows in all, and those of training. */
  readonly T: number;
  readonly train: number;
  /** (T, C): counts. */
  readonly counts: Float32Array;
  /** Number of the first window since the epoch. */
  readonly first: number;
};

export function windowsOf(lines: Lines, until: number): WindowTable {
  const { times, columns, known } = lines;
  const C = known + 1;
  const first = Math.floor(times[0]! / WINDOW_MS);
  const T = Math.floor(times.at(-1)! / WINDOW_MS) - first + 1;
  const counts = new Float32Array(T * C);
  for (const [i, time] of times.entries()) {
    const t = Math.floor(time / WINDOW_MS) - first;
    counts[t * C + Math.min(columns[i]!, known)]! += 1;
  }
  return { C, T, train: Math.min(T, Math.floor(until / WINDOW_MS) - first), counts, first };
}

/** UTC day of a row, counted from that of the first. */
export const dayOf = (table: WindowTable, t: number): number =>
  Math.floor((table.first + t) / WINDOWS_PER_DAY) - Math.floor(table.first / WINDOWS_PER_DAY);

export const foldOf = (table: WindowTable, t: number): number => dayOf(table, t) % FOLDS;

/** ln(1 + count) of each cell. */
export const logged = ({ counts }: WindowTable): Float32Array => Float32Array.from(counts, Math.log1p);

/** Score of each row, and the column that contributes most to it. Scores rise with strangeness. */
export type RowScores = { readonly values: Float64Array; readonly columns: Int32Array };
export type RowScore = { readonly value: number; readonly column: number };

/**
 * Scores every row: those of training by a fit of the days outside their fold, the later ones by a fit of all of training.
 * fit: given the rows to learn from, the score of any row.
 */
export function crossFitted(
  table: WindowTable,
  fit: (rows: readonly number[], seed: number) => (t: number) => RowScore,
): RowScores {
  const out: RowScores = { values: new Float64Array(table.T), columns: new Int32Array(table.T) };
  const put = (t: number, { value, column }: RowScore): void => {
    out.values[t] = value;
    out.columns[t] = column;
  };
  const training = Array.from({ length: table.train }, (_, t) => t);
  for (let fold = 0; fold < FOLDS; fold++) {
    const score = fit(
      training.filter((t) => foldOf(table, t) !== fold),
      fold + 2,
    );
    for (const t of training) if (foldOf(table, t) === fold) put(t, score(t));
  }
  const score = fit(training, 1);
  for (let t = table.train; t < table.T; t++) put(t, score(t));
  return out;
}

/** Numbers of the newest lines of a column within a window, newest first. */
export function newestLines(lines: Lines, window: number, column: number): number[] {
  const { times, numbers, columns, known } = lines;
  const found: number[] = [];
  for (let i = lowerBound(times, (window + 1) * WINDOW_MS) - 1; i >= 0; i--) {
    if (times[i]! < window * WINDOW_MS || found.length === MAX_LINES) break;
    if (Math.min(columns[i]!, known) === column) found.push(numbers[i]!);
  }
  return found;
}

/** Index of the first of the rising values that is at least x. */
function lowerBound(values: readonly number[], x: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (values[mid]! < x) low = mid + 1;
    else high = mid;
  }
  return low;
}
