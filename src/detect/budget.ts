import type { LocalClock } from "../feature/clock.ts";

/**
 * The alerts that a day may bring, and how rare something must be to be one of them. What is told again, and has said no more than that
 * something is unusual, never takes the last one of a day: a fault of the evening would be held back for it.
 */

/** Natural rate a day of each view's family at which something counts, for each alert a day that the operator allows. */
export const BAR_PER_BUDGET = 0.01;
/** How much rarer the last alert of a day must be than the first: trifles of the morning leave room for the evening. */
const LAST_RARER = 1e-2;

export type BudgetOptions = { readonly perDay: number; readonly clock: LocalClock };

/** keysToday: what the alerts that opened on the day were about; absent in states of before. */
export type SavedBudget = {
  readonly day: number;
  readonly openedToday: number;
  readonly keysToday?: readonly string[];
};

export class AlertBudget {
  readonly #options: BudgetOptions;
  #day = Number.NaN;
  #openedToday = 0;
  #keysToday = new Set<string>();

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  save(): SavedBudget {
    return { day: this.#day, openedToday: this.#openedToday, keysToday: [...this.#keysToday] };
  }

  load({ day, openedToday, keysToday = [] }: SavedBudget): void {
    this.#day = day;
    this.#openedToday = openedToday;
    this.#keysToday = new Set(keysToday);
  }

  /** The natural rate a day below which something counts. */
  get bar(): number {
    return BAR_PER_BUDGET * this.#options.perDay;
  }

  /** The bar at a log time in ms: it rises as the day's budget is spent. */
  barAt(at: number): number {
    return this.bar * LAST_RARER ** Math.min(1, this.#openedOn(at) / this.#options.perDay);
  }

  /** Whether another alert may open on the day of a log time in ms. */
  hasRoom(at: number): boolean {
    return this.#openedOn(at) < this.#options.perDay;
  }

  /** The log time in ms at which the day of another began. */
  midnight(at: number): number {
    return at - (at % 60_000) - this.#options.clock(at).minute * 60_000;
  }

  /** Spends an alert on what is told at `at`, in ms; false when the day has none left for it. isVague: it names no cause. */
  spend(at: number, key: string, isVague: boolean): boolean {
    const opened = this.#openedOn(at);
    const known = opened === 0 ? new Set<string>() : this.#keysToday;
    const { perDay } = this.#options;
    const isRepeat = isVague && known.has(key) && opened === perDay - 1;
    if (opened >= perDay || isRepeat) return false;
    this.#day = this.#options.clock(at).day;
    this.#openedToday = opened + 1;
    this.#keysToday = known.add(key);
    return true;
  }

  /** Alerts that opened of the budget of a day, that of a log time. */
  #openedOn(at: number): number {
    return this.#options.clock(at).day === this.#day ? this.#openedToday : 0;
  }
}
