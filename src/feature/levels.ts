import type { Bag, Kind } from "./session.ts";

/** A count is told by the steps it has climbed: one by one at first, then by about a third each. */
const STEPS = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 10_000];
/** Bits of a row; the steps of rarer events are left out beyond. Bounds the network. */
const MAX_BITS = 256;

/** One bit: whether an event came at least `least` times. `before` is the step below it, 0 for the first. */
type Level = { readonly column: number; readonly least: number; readonly before: number };

/**
 * Counts as ladders of bits: "at least k", asked only when the step below was reached. With a Bernoulli likelihood this
 * is the discrete hazard model of a count, which fits constants, gaps and bursts alike, where a negative binomial can't be
 * narrower than Poisson. Source: Cox, "Regression models and life-tables" (1972), 6; Singer & Willett (1993).
 */
export class Levels {
  readonly #levels: Level[] = [];
  /** Column -> first of its bits. */
  readonly #first = new Map<number, number>();

  /** Steps that occur among these sessions, those of frequent events first. */
  constructor(kinds: readonly Kind[]) {
    const most = new Map<number, number>();
    const sessions = new Map<number, number>();
    for (const { bag, sessions: n } of kinds)
      bag.columns.forEach((column, i) => {
        most.set(column, Math.max(most.get(column) ?? 0, bag.counts[i]!));
        sessions.set(column, (sessions.get(column) ?? 0) + n);
      });
    const columns = [...most.keys()].sort((a, b) => sessions.get(b)! - sessions.get(a)! || a - b);
    for (const column of columns) {
      const steps = STEPS.filter((step) => step <= most.get(column)!);
      if (this.#levels.length + steps.length > MAX_BITS) continue;
      this.#first.set(column, this.#levels.length);
      steps.forEach((least, i) => {
        this.#levels.push({ column, least, before: steps[i - 1] ?? 0 });
      });
    }
  }

  get size(): number {
    return this.#levels.length;
  }

  /** bits, weights: (n, size). Weight 0 where the step below was not reached. */
  rows(bags: readonly Bag[]): { bits: Float32Array; weights: Float32Array } {
    const G = this.size;
    const bits = new Float32Array(bags.length * G);
    const weights = new Float32Array(bags.length * G);
    for (const first of this.#first.values())
      for (let b = 0; b < bags.length; b++) weights[b * G + first] = 1;
    bags.forEach(({ columns, counts }, b) => {
      columns.forEach((column, i) => {
        const first = this.#first.get(column);
        if (first === undefined) return;
        for (let g = first; this.#levels[g]?.column === column; g++) {
          const { least, before } = this.#levels[g]!;
          if (counts[i]! < before) break;
          weights[b * G + g] = 1;
          bits[b * G + g] = counts[i]! >= least ? 1 : 0;
        }
      });
    });
    return { bits, weights };
  }
}
