import type { Floats } from "./floats.ts";

/** Rounds thrown away after seeding, so that close seeds give unlike streams. Source: the author's seeding advice. */
const WARM_UP = 16;

/** A stream of chance that depends on its seed alone. */
export type Random = {
  /** In [0, 1), 32 bits of chance. */
  uniform(): number;
  /** Mean 0, variance 1. */
  normal(): number;
  /** A whole number of 0 ... n - 1, n at least 1. */
  int(n: number): number;
  /** For each of n places from `at` on: 0 where uniform() would be below `rate`, else 1. So many uniform() it takes. */
  keep(out: Floats, at: number, n: number, rate: number): void;
  /** Puts `values` in a uniformly random order, in place. */
  shuffle(values: Int32Array): void;
};

/**
 * Chris Doty-Humphrey's sfc32: 128 bits of state, period at least 2^32, passes PractRand.
 * Normals are by Marsaglia's polar method, in pairs; shuffles by Fisher and Yates.
 */
export function createRandom(seed: number): Random {
  let a = seed | 0;
  let b = Math.floor(seed / 0x1_0000_0000) | 0;
  let c = 0x9e3779b9 | 0;
  let count = 1;
  let spare = Number.NaN;

  const next = (): number => {
    const sum = (((a + b) | 0) + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  const uniform = (): number => next() / 0x1_0000_0000;
  const int = (n: number): number => Math.floor(uniform() * n);
  const normal = (): number => {
    if (!Number.isNaN(spare)) {
      const value = spare;
      spare = Number.NaN;
      return value;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const stretch = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * stretch;
      return x * stretch;
    }
  };
  /** `next` with its state in registers: training asks for a number for each value of each row. */
  const keep = (out: Floats, at: number, n: number, rate: number): void => {
    const limit = rate * 0x1_0000_0000;
    let p = a | 0; // "| 0" tells the compiler that these are whole numbers of 32 bits
    let q = b | 0;
    let r = c | 0;
    let k = count | 0;
    for (let i = at; i < at + n; i++) {
      const sum = (((p + q) | 0) + k) | 0;
      k = (k + 1) | 0;
      p = q ^ (q >>> 9);
      q = (r + (r << 3)) | 0;
      r = (((r << 21) | (r >>> 11)) + sum) | 0;
      out[i] = sum >>> 0 < limit ? 0 : 1;
    }
    a = p;
    b = q;
    c = r;
    count = k;
  };
  const shuffle = (values: Int32Array): void => {
    for (let i = values.length - 1; i > 0; i--) {
      const j = int(i + 1);
      const kept = values[i];
      values[i] = values[j];
      values[j] = kept;
    }
  };
  for (let i = 0; i < WARM_UP; i++) next();
  return { uniform, normal, int, keep, shuffle };
}
