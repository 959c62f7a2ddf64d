const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A receiver that restarts is back within half a minute; one that is down all night is asked once an hour. */
const FIRST_MS = 30 * SECOND;
const LAST_MS = HOUR;
/** Waits vary by a quarter, so that many servers don't come back to a receiver at one moment. */
const JITTER = 0.25;
/** Waits after a refusal. Somebody may mend the settings meanwhile; after the last one the next in line has its turn. */
const REFUSED_MS: readonly number[] = [5 * MINUTE, 30 * MINUTE, 2 * HOUR];
/** A receiver's Retry-After is followed up to here. */
const MAX_WISH_MS = 6 * HOUR;
/** What nobody took for so long is given up. A mail server may be down over a holiday. */
const KEEP_MS = 7 * DAY;
/** And no sooner than after so many tries: a machine that was off for a week gets most of a day more, and so does a clock that leaps. */
const MIN_TRIES = 30;

/** No wait is longer, so a time further ahead means that the clock was set back. */
export const LONGEST_WAIT_MS: number = MAX_WISH_MS + HOUR;

/** How long to wait after a failed try. tries: so far, this one included. wish: the receiver's, milliseconds. chance: 0..1. */
export function retryAfter(tries: number, wish: number | undefined, chance: number): number {
  const base = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(tries - 1, 20));
  const wait = base * (1 - JITTER + 2 * JITTER * chance);
  return Math.round(Math.max(FIRST_MS, Math.min(LAST_MS, wait), Math.min(wish ?? 0, MAX_WISH_MS)));
}

/** How long to wait after a refusal; undefined: no more. tries: so far, this one included. */
export const refusedAfter = (tries: number): number | undefined => REFUSED_MS[tries - 1];

/** Whether to give up what fails for the time being. createdAt, now: milliseconds since the Unix epoch. */
export const tooOld = (createdAt: number, now: number, tries: number): boolean =>
  now - createdAt > KEEP_MS && tries >= MIN_TRIES;
