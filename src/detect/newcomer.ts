/**
 * Which events of a stream have not settled in yet. A burst counts once: an event that fills fifty windows in a row has
 * come once, and only coming again after a pause makes it usual. So a fault stays strange while it lasts, which a rule
 * that forgets a new event after its first window doesn't give.
 */

/** An event is new in its first windows, whenever they come. */
const FIRST_WINDOWS = 3;
/** It has settled in when it came in so many bursts ... */
const BURSTS = 2;
/** ... or in so many windows: what never pauses is usual as well. */
const MANY_WINDOWS = 50;
/** A burst ends when more than so many windows pass without the event. */
const PAUSE = 1;
/** Strangeness above which a window is flagged. */
export const UNSETTLED = 0.5;
/** Events remembered; beyond, new ones are all strange. */
const MAX_EVENTS = 100_000;

type Past = { windows: number; pauses: number; last: number };

export class Newcomers {
  readonly #past = new Map<string, Past>();
  #now = 0;

  /** Strangeness of an event in the window to come: 1 when never seen, above UNSETTLED while it has not settled in. */
  #of(event: string): number {
    const past = this.#past.get(event);
    if (past === undefined) return 1;
    const bursts = past.pauses + (this.#now - past.last > PAUSE ? 1 : 0);
    const young = past.windows < FIRST_WINDOWS || (bursts < BURSTS && past.windows < MANY_WINDOWS);
    return young ? 1 - (1 - UNSETTLED) * (past.windows / (MANY_WINDOWS + 1)) : UNSETTLED / (2 + bursts);
  }

  /** The strangest event's strangeness, 0 to 1, and how many events never came before. */
  judge(events: ReadonlySet<string>): { strangeness: number; fresh: number } {
    let strangeness = 0;
    let fresh = 0;
    for (const event of events) {
      strangeness = Math.max(strangeness, this.#of(event));
      if (!this.#past.has(event)) fresh++;
    }
    return { strangeness, fresh };
  }

  /** Takes the window in; the next one is judged with it known. */
  learn(events: ReadonlySet<string>): void {
    for (const event of events) {
      const past = this.#past.get(event);
      if (past === undefined) {
        if (this.#past.size < MAX_EVENTS) this.#past.set(event, { windows: 1, pauses: 0, last: this.#now });
        continue;
      }
      if (this.#now - past.last > PAUSE) past.pauses++;
      past.last = this.#now;
      past.windows++;
    }
    this.#now++;
  }
}
