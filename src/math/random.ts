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
  const shuffle = (values: Int32Array): void => {
    for (let i = values.length - 1; i > 0; i--) {
      const j = int(i + 1);
      const kept = values[i];
      values[i] = values[j];
      values[j] = kept;
    }
  };
  for (let i = 0; i < WARM_UP; i++) next();
  return { uniform, normal, int, shuffle };
}
