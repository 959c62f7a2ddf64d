import type { Ledger } from "../detect/incident.ts";
import type { MailEvent } from "../mail/event.ts";
import { dayHour } from "../mail/summary-day.ts";
import type { DayRecord } from "../store/live.ts";

/** Days told apart between two commits: times of damaged lines can be any. */
const MAX_DAYS = 64;
/** Where lines count of which no day is known. */
const NO_DAY = "unknown";

/** Increments of the counts of one day. */
type Counts = { -readonly [Name in keyof DayRecord]?: number };

/**
 * Counts for each local day what was read, what could not be understood, and what became of candidates. A line counts for
 * the day of its own time, one without a time for the day of the line before.
 */
export class DayTally {
  readonly #zone: string;
  readonly #ledger: Readonly<Ledger>;
  #days = new Map<string, Counts>();
  /** The ledger as it was counted last. */
  #counted: Ledger;
  #time = Number.NaN;

  /** ledger: of the running detector, which it goes on changing. */
  constructor(zone: string, ledger: Readonly<Ledger>) {
    this.#zone = zone;
    this.#ledger = ledger;
    this.#counted = { ...ledger };
  }

  line({ time, event }: MailEvent): void {
    if (time !== null) this.#time = time;
    const day = this.#of(this.#time);
    add(day, "lines", 1);
    if (time === null) add(day, "bad_envelope", 1);
    else if (event === "unknown") add(day, "unknown", 1);
  }

  /** Lines that were lost before they could be read. */
  lost(lines: number, time: number): void {
    add(this.#of(time), "lost", lines);
  }

  /** Increments since the last call. now: log time in ms, for the candidates. */
  drain(now: number): Map<string, Counts> {
    const { opened, held, suppressed, planned, joined, belowBar } = this.#ledger;
    const before = this.#counted;
    const sums = [
      ["opened", opened - before.opened],
      ["held", held - before.held],
      ["suppressed", suppressed - before.suppressed],
      ["planned", planned - before.planned],
      ["joined", joined - before.joined],
      ["below_bar", belowBar - before.belowBar],
    ] as const;
    this.#counted = { ...this.#ledger };
    for (const [name, n] of sums) if (n !== 0) add(this.#of(now), name, n);
    const days = this.#days;
    this.#days = new Map();
    return days;
  }

  #of(time: number): Counts {
    const day = Number.isFinite(time) ? dayHour(time, this.#zone).day : NO_DAY;
    const known = this.#days.get(day);
    if (known) return known;
    if (this.#days.size >= MAX_DAYS && day !== NO_DAY) return this.#of(Number.NaN);
    const counts = {};
    this.#days.set(day, counts);
    return counts;
  }
}

function add(counts: Counts, name: keyof DayRecord, n: number): void {
  counts[name] = (counts[name] ?? 0) + n;
}
