import { type LocalClock, placeOf, SLOT_MS, SLOTS_PER_DAY, type SlotPlace, slotOf } from "./clock.ts";

/** Time that training leaves out, in whole slots. What happened in it is unknown, which is not the same as nothing. */
export class Flagged {
  /** Without overlap, in order; both included. */
  readonly #ranges: readonly (readonly [first: number, last: number])[];

  /** ranges: in ms, both ends included, in any order. */
  constructor(ranges: readonly { readonly start: number; readonly end: number }[]) {
    const sorted = ranges.map(({ start, end }) => [slotOf(start), slotOf(end)] as [number, number]);
    sorted.sort((a, b) => a[0] - b[0]);
    const merged: [number, number][] = [];
    for (const [first, last] of sorted) {
      const open = merged.at(-1);
      if (open && first <= open[1] + 1) open[1] = Math.max(open[1], last);
      else merged.push([first, last]);
    }
    this.#ranges = merged;
  }

  /** With more time left out. ranges: as in the constructor. */
  plus(ranges: readonly { readonly start: number; readonly end: number }[]): Flagged {
    const own = this.#ranges.map(([first, last]) => ({ start: first * SLOT_MS, end: last * SLOT_MS }));
    return new Flagged([...own, ...ranges]);
  }

  has(slot: number): boolean {
    return this.count(slot, slot) > 0;
  }

  /** Whether any of the time between two times of the log is left out, both in ms. */
  touches(from: number, to: number): boolean {
    return this.#ranges.length > 0 && this.count(slotOf(from), slotOf(to)) > 0;
  }

  /** How many slots from first to last are left out. */
  count(first: number, last: number): number {
    let n = 0;
    for (let i = this.#from(first); i < this.#ranges.length && this.#ranges[i]![0] <= last; i++)
      n += Math.min(last, this.#ranges[i]![1]) - Math.max(first, this.#ranges[i]![0]) + 1;
    return n;
  }

  /** The slots from first to last that are left out, in order. */
  slots(first: number, last: number): number[] {
    const slots: number[] = [];
    for (let i = this.#from(first); i < this.#ranges.length && this.#ranges[i]![0] <= last; i++)
      for (let s = Math.max(first, this.#ranges[i]![0]); s <= Math.min(last, this.#ranges[i]![1]); s++)
        slots.push(s);
    return slots;
  }

  /** The first range that does not end before the slot. */
  #from(slot: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.#ranges[mid]![1] < slot) low = mid + 1;
      else high = mid;
    }
    return low;
  }
}

export const NOTHING_FLAGGED: Flagged = new Flagged([]);

/** The slots of a training, and what is known of them: how many there are, how many lie on a weekend, and what an event weighs. */
export class Known {
  readonly first: number;
  readonly last: number;
  readonly slots: number;
  readonly weekends: number;
  readonly flagged: Flagged;
  readonly #all = new Float64Array(2 * SLOTS_PER_DAY);
  readonly #known = new Float64Array(2 * SLOTS_PER_DAY);

  /** first, last: both included. */
  constructor(first: number, last: number, clock: LocalClock, flagged: Flagged) {
    this.first = first;
    this.last = last;
    this.flagged = flagged;
    this.slots = last - first + 1;
    let weekends = 0;
    for (let slot = first; slot <= last; slot++) {
      const place = placeOf(slot, clock);
      if (place.weekend) weekends++;
      this.#all[at(place)]!++;
    }
    this.#known.set(this.#all);
    for (const slot of flagged.slots(first, last)) this.#known[at(placeOf(slot, clock))]!--;
    this.weekends = weekends;
  }

  /**
   * So many events an event stands for: it also counts for the slots of its kind of day and its time of day of which nothing is known. 1
   * where all are known, so that sums of weighed events are those of the whole training.
   */
  weight(place: SlotPlace): number {
    const known = this.#known[at(place)]!;
    return known > 0 ? this.#all[at(place)]! / known : 1;
  }

  /** Known days, in parts. */
  get days(): number {
    return (this.slots - this.flagged.count(this.first, this.last)) / SLOTS_PER_DAY;
  }
}

const at = ({ slotOfDay, weekend }: SlotPlace): number => slotOfDay + (weekend ? SLOTS_PER_DAY : 0);
