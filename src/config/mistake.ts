/** Something wrong in the file. */
export type Mistake = {
  /** Both count from 1, columns in UTF-16 units. */
  readonly line: number;
  readonly column: number;
  /** The key with its tables, as log.paths; empty where the file is no TOML. */
  readonly key: string;
  /** What is wrong, in a few words. Never a secret's value. */
  readonly what: string;
  /** What would be right. */
  readonly allowed: string;
  /** The line holds a secret and must not be shown. */
  readonly secret?: boolean;
};

/** Longest word of the file that a message quotes. */
const SHOWN = 60;

/** A word of the file in quotes, shortened. */
export const quoted = (word: string): string =>
  `"${word.length > SHOWN ? `${word.slice(0, SHOWN).replace(/[\ud800-\udbff]$/, "")}...` : word}"`;

/** Most letters that a misspelled word may differ in, by its length. */
const tolerance = (length: number): number => (length <= 3 ? 1 : length <= 7 ? 2 : 3);
/** A longer word is none of ours with a slip. */
const MAX_WORD = 40;

/** The word that was meant: the nearest of `words`, when it is near enough. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  if (word.length > MAX_WORD) return undefined;
  const plain = word.toLowerCase().replaceAll("-", "_");
  let best: string | undefined;
  let least = tolerance(plain.length) + 1;
  for (const candidate of words) {
    const d = distance(plain, candidate);
    if (d < least) [best, least] = [candidate, d];
  }
  return best;
}

/**
 * Letters to add, leave out, change or swap with their neighbour to make b of a (optimal string alignment; Damerau,
 * "A technique for computer detection and correction of spelling errors", 1964).
 */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(change, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, before[j - 2]! + 1);
      row.push(least);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}

/** ` (did you mean "paths"?)`, or nothing. */
export function meant(word: string, words: readonly string[]): string {
  const found = nearest(word, words);
  return found === undefined || found === word ? "" : `; did you mean "${found}"?`;
}
