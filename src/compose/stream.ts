import { hash64 } from "../math/hash.ts";
import { createRandom, type Random } from "../math/random.ts";

/** Below this mean, Poisson counts are drawn by multiplying uniforms (Knuth), above by a rounded normal. */
const NORMAL_FROM = 30;

/** Random numbers for one purpose: what is drawn for another never shifts them, so a fault more leaves the other lines as they were. */
export type Stream = Random & {
  /** A count of the given mean. */
  poisson(mean: number): number;
  /** exp(sigma times a normal), mean about 1 for small sigma. */
  lognormal(sigma: number): number;
};

/** The stream of a seed and a purpose, the purpose named by words and numbers. */
export function stream(seed: number, ...purpose: readonly (string | number)[]): Stream {
  const bits = Number.parseInt(hash64(`${seed}/${purpose.join("/")}`).slice(0, 13), 16);
  const random = createRandom(bits);
  const poisson = (mean: number): number => {
    if (mean <= 0) return 0;
    if (mean > NORMAL_FROM) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
    const floor = Math.exp(-mean);
    let count = 0;
    for (let product = random.uniform(); product > floor; product *= random.uniform()) count++;
    return count;
  };
  return { ...random, poisson, lognormal: (sigma) => Math.exp(sigma * random.normal()) };
}
