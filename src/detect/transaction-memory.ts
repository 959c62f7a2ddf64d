import { SLOTS_PER_DAY } from "../feature/clock.ts";
import type { Contents } from "../feature/transaction.ts";
import type { Reach } from "./memory.ts";

/**
 * The transaction view's memory: a few transactions of each rare shape, of which the network of the next training learns again. Common ones
 * are in every history; of the strange the network is to learn nothing.
 */

/** Transactions remembered, and of each shape. A row of the network's 6,000 in twelve. */
const MAX_SAMPLES = 500;
const PER_SHAPE = 2;
/** A shape in less than so much of all transactions is rare. */
const RARE = 0.005;

/** What training keeps of a transaction. */
export type Sample = {
  readonly type: number;
  readonly slot: number;
  readonly shapes: Contents;
  readonly reals: readonly number[];
};

/** A transaction as it is stored; null for a number that it has not. */
export type RememberedSample = Omit<Sample, "reals"> & { readonly reals: readonly (number | null)[] };

/** What is still remembered, of before the training begins. first: its first slot. */
export function recalled(samples: readonly RememberedSample[], first: number, reach: Reach): Sample[] {
  return samples
    .filter(({ slot }) => slot < first && reach.holds(slot))
    .map((sample) => ({ ...sample, reals: sample.reals.map((x) => x ?? Number.NaN) }));
}

type Rare = { readonly shape: string; days: number; lastDay: number; count: number; newest: Sample[] };

/**
 * What the next training is to remember: the newest transactions of each rare shape, those first that came on the most days, then those that
 * came most often. all: in order of time; past before own.
 */
export function rememberSamples(all: readonly Sample[]): RememberedSample[] {
  const shapes = new Map<string, Rare>();
  for (const sample of all) {
    const day = Math.floor(sample.slot / SLOTS_PER_DAY);
    for (let k = 0; k < sample.shapes.length; k += 2) {
      const shape = sample.shapes[k] as string;
      const rare = shapes.get(shape) ?? { shape, days: 0, lastDay: Number.NaN, count: 0, newest: [] };
      shapes.set(shape, rare);
      if (rare.lastDay !== day) rare.days++;
      rare.lastDay = day;
      rare.count++;
      rare.newest.push(sample);
      if (rare.newest.length > PER_SHAPE) rare.newest.shift();
    }
  }
  const rarest = [...shapes.values()]
    .filter(({ count }) => count < RARE * all.length)
    .sort((a, b) => b.days - a.days || b.count - a.count || (a.shape < b.shape ? -1 : 1));
  const kept = new Set<Sample>();
  for (const { newest } of rarest) for (const sample of newest) if (kept.size < MAX_SAMPLES) kept.add(sample);
  return all
    .filter((sample) => kept.has(sample))
    .map(({ type, slot, shapes: contents, reals }) => ({
      ...{ type, slot, shapes: contents },
      reals: Array.from(reals, (x) => (Number.isNaN(x) ? null : x)),
    }));
}
