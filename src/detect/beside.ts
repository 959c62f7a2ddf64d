import { ENTITY_FEATURES } from "../feature/entity-features.ts";
import { logBetaBinomialUpperTail } from "../math/beta-binomial.ts";
import type { History } from "./entity.ts";
import { FLOOR_NATS } from "./window.ts";

/**
 * What fails is judged beside what goes well: a mailing brings any provider more failures than its days do, and as many more messages that
 * arrive. The count of failures alone can't know that.
 */

/** The usual share of failures where nothing is known, the tries that this is worth, and the most that is taken for usual. */
const FAILING = 0.02;
const PRIOR = 50;
const MAX_FAILING = 0.1;

/** By feature, the one that counts what went well of its entities; -1 without. */
export const BESIDES: readonly number[] = ENTITY_FEATURES.map(({ beside }) =>
  ENTITY_FEATURES.findIndex((f) => f.name === beside),
);

/**
 * -ln P of n failures or more where so many others went well, failing being the usual share. Where half fails, or more, that is no excuse;
 * then Infinity.
 */
export const besideNats = (n: number, well: number, failing: number): number =>
  well < n ? Number.POSITIVE_INFINITY : -logBetaBinomialUpperTail(n, n + well, failing, 0);

/** Share of all tries that failed. failed: failures of each entity. well: what went well of each. first: slot of training. */
export function failingShare(failed: readonly number[], well: Iterable<History>, first: number): number {
  const failures = failed.reduce((sum, n) => sum + n, 0);
  let tried = failures;
  for (const { slots, counts } of well)
    for (const [i, slot] of slots.entries()) if (slot >= first) tried += counts[i]!;
  return Math.min(MAX_FAILING, (failures + FAILING * PRIOR) / (tried + PRIOR));
}

/**
 * Lowers the nats of windows of an entity's failures, from place `begin` on, to what their share of all says. n: failures in each window, one
 * for each slot of the history. well: what went well of the entity.
 */
export function withBeside(
  nats: Float64Array,
  n: Float64Array,
  begin: number,
  { slots }: History,
  well: History,
  horizon: number,
  failing: number,
): void {
  let from = 0;
  let to = 0;
  let beside = 0;
  for (const [i, slot] of slots.entries()) {
    while (to < well.slots.length && well.slots[to]! <= slot) beside += well.counts[to++]!;
    while (from < to && well.slots[from]! <= slot - horizon) beside -= well.counts[from++]!;
    const k = begin + i;
    if (nats[k]! > FLOOR_NATS) nats[k] = Math.min(nats[k]!, besideNats(n[k]!, beside, failing));
  }
}
