import { SLOTS_PER_DAY } from "../feature/clock.ts";
import type { Column } from "../feature/columns.ts";
import type { Family } from "../feature/family.ts";
import { type Flagged, NOTHING_FLAGGED } from "../feature/flagged.ts";

/**
 * What one training leaves to the next beside its networks, so that what is rare but normal stays quiet. Each thing is kept with the
 * slot in which it was last met, and forgotten by it.
 */

/** So long a thing is remembered after it was last met: two quarters, so that what comes each quarter is met in time. */
export const REMEMBERED_DAYS = 180;
const REMEMBERED_SLOTS = REMEMBERED_DAYS * SLOTS_PER_DAY;
/** What comes again in at least so much of its largest size renews it. */
export const RENEWS = 0.7;

/** How far back a training remembers. */
export class Reach {
  readonly #after: number;
  readonly #flagged: Flagged;

  /** last: slot of training. flagged: time of which nothing is remembered, even where it was learned before somebody confirmed an incident. */
  constructor(last: number, flagged: Flagged = NOTHING_FLAGGED) {
    this.#after = last - REMEMBERED_SLOTS;
    this.#flagged = flagged;
  }

  /** Whether what was last met in a slot is still remembered. */
  holds(slot: number): boolean {
    return slot > this.#after && !this.#flagged.has(slot);
  }
}

/** What exceeds all else by so many nats would be told if it were new; less needs no memory. */
export const MIN_GAIN = 7;
/** The same again may be twice as large, or larger by so many standard deviations of chance. */
export const LARGER = 2;
const DEVIATIONS = 3;

/** So many times as large as the one of x events the next of its like may be: what was seen once or twice tells little of its size. */
export const allowance = (x: number): number => Math.max(LARGER, 1 + DEVIATIONS / Math.sqrt(Math.max(1, x)));

/** Something large, and the slot in which it was last met in like size. */
export type Peak = { readonly value: number; readonly slot: number };

/** The larger of what this training held and what is remembered. */
export function peakOf<P extends Peak>(own: P, before: P | undefined, reach: Reach): P {
  if (before === undefined || !reach.holds(before.slot) || before.value <= own.value) return own;
  return own.value >= RENEWS * before.value ? { ...before, slot: own.slot } : before;
}

/**
 * Whether a column is remembered: not those in which attacks show, log-ins and what fails of what comes in. Of these the last weeks alone are
 * known, so that an attack that was missed once does not hide the next one for half a year.
 */
export const isRemembered = ({ family, cause, level }: Column): boolean =>
  family !== "auth" && (family !== "inbound" || (cause === undefined && level !== "cause"));

/** Families of entities that are remembered, for the same reason. */
export const REMEMBERED_FAMILIES: ReadonlySet<Family> = new Set(["outbound"]);
