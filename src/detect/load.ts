import { SLOTS_PER_DAY } from "../feature/clock.ts";

/** Events with which the load is drawn towards the usual one. */
const PRIOR = 10;
/** The others may explain so much of one entity's surge, never more. */
const MAX_LOAD = 4;

export type SavedLoad = { readonly counts: Float64Array; readonly slot: number };

/**
 * How busy all others are, feature by feature, against what is usual: when everybody sends twice as much, as in a campaign, twice as much
 * of one account is no news.
 */
export class Load {
  /** Events a day of all entities in training, by feature. */
  readonly #perDay: readonly number[];
  /** Events of all entities in each of the last 288 slots, by feature: (features, 288). */
  readonly #counts: Float64Array;
  #slot = Number.NEGATIVE_INFINITY;

  constructor(perDay: readonly number[]) {
    this.#perDay = perDay;
    this.#counts = new Float64Array(perDay.length * SLOTS_PER_DAY);
  }

  /** Slots come in order. */
  add(feature: number, slot: number, count: number): void {
    this.#forward(slot);
    this.#counts[feature * SLOTS_PER_DAY + (slot % SLOTS_PER_DAY)]! += count;
  }

  save(): SavedLoad {
    return { counts: this.#counts, slot: this.#slot };
  }

  load({ counts, slot }: SavedLoad): void {
    this.#counts.set(counts);
    this.#slot = slot;
  }

  #forward(slot: number): void {
    if (slot <= this.#slot) return;
    for (let s = Math.max(this.#slot + 1, slot - SLOTS_PER_DAY + 1); s <= slot; s++)
      for (let f = 0; f < this.#perDay.length; f++) this.#counts[f * SLOTS_PER_DAY + (s % SLOTS_PER_DAY)] = 0;
    this.#slot = slot;
  }

  /**
   * Factor, 1 ... MAX_LOAD, by which the others exceed what is expected of them in the `horizon` slots up to `slot`. share: of a
   * day's events expected in that time; own: an entity's events and expectation, which are taken out.
   */
  of(
    feature: number,
    slot: number,
    horizon: number,
    share: number,
    own: { readonly n: number; readonly mu: number },
  ): number {
    this.#forward(slot);
    let others = -own.n;
    for (let s = slot - horizon + 1; s <= slot; s++)
      others += this.#counts[feature * SLOTS_PER_DAY + (s % SLOTS_PER_DAY)]!;
    return factor(others, this.#perDay[feature]! * share - own.mu);
  }
}

/** others: events of all others; usual: what is expected of them. */
const factor = (others: number, usual: number): number =>
  Math.min(MAX_LOAD, Math.max(1, (Math.max(0, others) + PRIOR) / (Math.max(0, usual) + PRIOR)));

/** Load of one feature at any time of training. */
export class PastLoad {
  readonly #perDay: number;
  readonly #first: number;
  /** Events before each slot from #first on. */
  readonly #before: Float64Array;

  /** first, last: slots of training, both included. perDay: events a day of all entities. */
  constructor(
    histories: Iterable<{ readonly slots: readonly number[]; readonly counts: readonly number[] }>,
    first: number,
    last: number,
    perDay: number,
  ) {
    this.#perDay = perDay;
    this.#first = first;
    const before = new Float64Array(last - first + 2);
    for (const { slots, counts } of histories)
      for (const [i, slot] of slots.entries())
        if (slot >= first && slot <= last) before[slot - first + 1]! += counts[i]!;
    for (let i = 1; i < before.length; i++) before[i]! += before[i - 1]!;
    this.#before = before;
  }

  /** As Load.of(). */
  of(slot: number, horizon: number, share: number, own: { readonly n: number; readonly mu: number }): number {
    const at = (s: number): number =>
      this.#before[Math.min(this.#before.length - 1, Math.max(0, s - this.#first))]!;
    return factor(at(slot + 1) - at(slot + 1 - horizon) - own.n, this.#perDay * share - own.mu);
  }
}
