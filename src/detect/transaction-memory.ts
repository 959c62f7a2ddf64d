import { SLOTS_PER_DAY } from "../feature/clock.ts";
import { type Contents, MESSAGE } from "../feature/transaction.ts";
import type { Reach } from "./memory.ts";

/**
 * The transaction view's memory: a few transactions of each rare shape, and messages of each time that the window view remembers, of which the network
 * of the next training learns again. A newsletter's messages are of common shapes, and strange by how many of each they hold. Common ones are
 * in every history; of the strange the network is to learn nothing.
 */

/** Transactions remembered, of each shape, and messages of each slot of a surge. A row of the network's 6,000 in twelve. */
const MAX_SAMPLES = 500;
const PER_SHAPE = 2;
const PER_SLOT = 10;
/** A shape in less than so much of all transactions is rare. */
const RARE = 0.005;

/** What training keeps of a transaction. */
export type Sample = {
  readonly type: number;
  readonly slot: number;
  readonly shapes: Contents;
  readonly reals: readonly number[];
  /** Of a surge that is remembered: how many messages of its slot it stands for. */
  readonly each?: number;
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
 * came most often; where there is room, some messages of each slot of a surge, the newest slots first. all: in order of time; past before own.
 */
export function rememberSamples(all: readonly Sample[], surges: ReadonlySet<number>): RememberedSample[] {
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
  /** With what each stands for; 0 of those that stand for nothing but their shape. */
  const kept = new Map<Sample, number>();
  for (const { newest } of rarest)
    for (const sample of newest) if (kept.size < MAX_SAMPLES) kept.set(sample, 0);
  for (const { some, each } of ofSurges(all, surges))
    for (const sample of some)
      if (kept.has(sample) || kept.size < MAX_SAMPLES) kept.set(sample, sample.each ?? each);
  return all
    .filter((sample) => kept.has(sample))
    .map((sample) => {
      const { type, slot, shapes: contents, reals } = sample;
      const each = kept.get(sample)!;
      return {
        ...{ type, slot, shapes: contents, reals: Array.from(reals, (x) => (Number.isNaN(x) ? null : x)) },
        ...(each > 0 && { each }),
      };
    });
}

/** Messages of each slot of a surge, evenly over those that it holds; the newest slots first. Of connections and sessions attacks are made. */
function ofSurges(
  all: readonly Sample[],
  surges: ReadonlySet<number>,
): { readonly some: readonly Sample[]; readonly each: number }[] {
  const slots = new Map<number, Sample[]>();
  for (const sample of all) {
    if (sample.type !== MESSAGE || !surges.has(sample.slot)) continue;
    const some = slots.get(sample.slot) ?? [];
    slots.set(sample.slot, some);
    some.push(sample);
  }
  return [...slots.entries()]
    .sort(([a], [b]) => b - a)
    .map(([, messages]) => {
      const each = Math.max(1, messages.length / PER_SLOT);
      return { some: messages.filter((_, i) => Math.floor(i / each) !== Math.floor((i - 1) / each)), each };
    });
}
