import type { MailEvent } from "./event.ts";

/**
 * What somebody needs to know of a line and its plan alone tells: worked out at the plan's first line, then looked up, for as long as
 * the reader of lines keeps that plan.
 */
export class PlanMemo<T> {
  #known = new WeakMap<object, T>();
  readonly #make: (event: MailEvent) => T;

  /** make: from any line of the plan. What it returns must hold for all of them. */
  constructor(make: (event: MailEvent) => T) {
    this.#make = make;
  }

  of(event: MailEvent): T {
    let known = this.#known.get(event.plan);
    if (known === undefined) {
      known = this.#make(event);
      this.#known.set(event.plan, known);
    }
    return known;
  }

  clear(): void {
    this.#known = new WeakMap();
  }
}
