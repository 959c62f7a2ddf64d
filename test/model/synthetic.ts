import { createRandom, type Random } from "../../src/math/random.ts";
import type { Rows, VaeShape } from "../../src/model/vae.ts";

export const SHAPE: VaeShape = { counts: 8, reals: 2, conditions: 2, hidden: 16, latent: 3 };

/** Poisson by Knuth's product of uniforms; means below about 30. */
function poisson(random: Random, mean: number): number {
  const floor = Math.exp(-mean);
  let k = 0;
  for (let product = random.uniform(); product > floor; k++) product *= random.uniform();
  return k;
}

/**
 * Counts whose log-means follow a daily wave, which the offset tells, and two hidden causes, which it does not:
 * cause 1 moves columns 0-3, cause 2 columns 4-7. Reals follow the causes too; one in ten is missing.
 */
export function lowRankRows(n: number, seed: number, shape: VaeShape = SHAPE): Rows {
  const random = createRandom(seed);
  const { counts: C, reals: G, conditions: S } = shape;
  const rows = {
    n,
    counts: new Float32Array(n * C),
    reals: new Float32Array(n * G),
    realWeights: new Float32Array(n * G),
    offset: new Float32Array(n * C),
    conditions: new Float32Array(n * S),
  };
  for (let b = 0; b < n; b++) {
    const angle = 2 * Math.PI * random.uniform();
    const cause = [random.normal(), random.normal()];
    for (let s = 0; s < S; s++) rows.conditions[b * S + s] = s % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    for (let c = 0; c < C; c++) {
      const expected = 1 + 0.5 * Math.sin(angle);
      rows.offset[b * C + c] = expected + 0.18;
      rows.counts[b * C + c] = poisson(
        random,
        Math.min(30, Math.exp(expected + 0.6 * cause[c < C / 2 ? 0 : 1]!)),
      );
    }
    for (let g = 0; g < G; g++) {
      const missing = random.uniform() < 0.1;
      rows.realWeights[b * G + g] = missing ? 0 : 1;
      rows.reals[b * G + g] = missing ? Number.NaN : 100 + 10 * (cause[g % 2]! + 0.2 * random.normal());
    }
  }
  return rows;
}
