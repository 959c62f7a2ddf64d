import type { MailEvent } from "./event.ts";

/** Plans remembered; a reader of lines keeps no more. When full, all are forgotten: only speed depends on it. */
const MAX_PLANS = 16_384;

/** What somebody needs to know of a line and its plan alone tells: worked out at the plan's first line, then looked up. */
export class PlanMemo<T> {
  readonly #known = new Map<object, T>();
  readonly #make: (event: MailEvent) => T;

  /** make: from any line of the plan. What it returns must hold for all of them. */
  constructor(make: (event: MailEvent) => T) {
    this.#make = make;
  }

  of(event: MailEvent): T {
    let known = this.#known.get(event.plan);
    if (known === undefined) {
      known = this.#make(event);
      if (this.#known.size >= MAX_PLANS) this.#known.clear();
      this.#known.set(event.plan, known);
    }
    return known;
  }

  clear(): void {
    this.#known.clear();
  }
}
