import type { MailEvent, PlanMark } from "./event.ts";

/**
 * What somebody needs to know of a line and its plan alone tells: worked out at the plan's first line, then looked up, until the reader of
 * lines gives the plan's number to another. Bounded, since numbers are.
 */
export class PlanMemo<T> {
  /** By number: the plan that was asked for last, and what is known of it. */
  #plans: (PlanMark | undefined)[] = [];
  #known: (T | undefined)[] = [];
  readonly #make: (event: MailEvent) => T;

  /** make: from any line of the plan. What it returns must hold for all of them. */
  constructor(make: (event: MailEvent) => T) {
    this.#make = make;
  }

  of(event: MailEvent): T {
    const { plan } = event;
    const { number } = plan;
    const same = number >= 0 && number < this.#plans.length && this.#plans[number] === plan;
    return same ? (this.#known[number] as T) : this.#learn(event);
  }

  #learn(event: MailEvent): T {
    const { plan } = event;
    const known = this.#make(event);
    if (plan.number < 0) return known;
    while (this.#plans.length <= plan.number) {
      this.#plans.push(undefined); // one by one: V8 keeps an array with a gap as a dictionary
      this.#known.push(undefined);
    }
    this.#plans[plan.number] = plan;
    this.#known[plan.number] = known;
    return known;
  }

  clear(): void {
    this.#plans = [];
    this.#known = [];
  }
}
