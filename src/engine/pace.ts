/**
 * What log time it is when no line comes. The system's clock can be set, forwards and backwards; log time that ran ahead
 * would never come back. So time that passes is taken from a clock that only goes on, counted from the last line.
 */

/** A line may come so much later than its time says (buffers of syslog); before that nothing is missed. In ms. */
export const GRACE_MS = 90_000;

export class Pace {
  readonly #monotonic: () => number;
  /** Log time, and the steady clock's at that moment, in ms. */
  #log: number;
  #at: number;

  /**
   * last: log time of the last line taken, or -Infinity. What passed since while nobody watched does not count: the log may
   * be behind, or its writer's clock. monotonic: a clock that never goes back. In ms.
   */
  constructor(last: number, monotonic: () => number) {
    this.#monotonic = monotonic;
    this.#at = monotonic();
    this.#log = last;
  }

  /** A line of that log time was just read, at its time or later. wall: the system's time. */
  line(time: number, wall: number): void {
    this.#at = this.#monotonic();
    // Old lines, read after a pause, say nothing about now; nor does a clock that is set to yesterday.
    this.#log = Math.max(time, Math.min(wall, time + GRACE_MS));
  }

  /** Log time that has surely passed, in ms. */
  passed(): number {
    return this.#log + (this.#monotonic() - this.#at) - GRACE_MS;
  }
}
