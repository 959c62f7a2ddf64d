/** The grand totals, and the counts of the sections that pflogsumm lists without one. */
export const TOTALS = [
  "received",
  "delivered",
  "forwarded",
  "deferred",
  "deferrals",
  "bounced",
  "rejected",
  "rejected_percent",
  "reject_warnings",
  "held",
  "discarded",
  "discarded_percent",
  "bytes_received",
  "bytes_delivered",
  "senders",
  "sending_hosts",
  "recipients",
  "recipient_hosts",
  "connections",
  "connection_hosts",
  "connect_time_avg_seconds",
  "connect_time_total_seconds",
  "messages_without_size",
  "smtp_delivery_failures",
  "warnings",
  "fatal_errors",
  "panics",
  "master_messages",
] as const;

export type TotalName = (typeof TOTALS)[number];
export type Totals = Record<TotalName, number>;

/** A total that we count otherwise than pflogsumm, why, and how many lines it was. */
export type Difference = { readonly total: TotalName; readonly lines: number; readonly reason: string };
export type Row = { readonly [key: string]: string | number };

export const noTotals = (): Totals => Object.fromEntries(TOTALS.map((name) => [name, 0])) as Totals;

/** What is counted by day and by hour. */
export const COLUMNS = [
  "received",
  "delivered",
  "deferred",
  "bounced",
  "rejected",
  "connections",
  "seconds",
] as const;

/** Days of one summary; a log with more has times that were never meant. */
const MAX_DAYS = 4000;

/** One day's or hour's figures in both views; connect times in seconds. */
export class Slot {
  readonly counts: readonly [Float64Array, Float64Array] = [
    new Float64Array(COLUMNS.length),
    new Float64Array(COLUMNS.length),
  ];
  readonly longest: [number, number] = [0, 0];
}

/** Days (since 1970 on the wall clock) and hours. */
export class Calendar {
  readonly days: Map<number, Slot> = new Map();
  readonly hours: readonly Slot[] = Array.from({ length: 24 }, () => new Slot());
  private day = Number.NaN;
  private hour = 0;
  private slot: Slot | undefined;

  /** local: milliseconds of the wall clock since 1970. */
  at(local: number): void {
    const day = Math.floor(local / 86_400_000);
    this.hour = Math.floor((local - day * 86_400_000) / 3_600_000);
    if (day === this.day) return;
    this.day = day;
    this.slot = this.days.get(day);
    if (this.slot === undefined && this.days.size < MAX_DAYS) {
      this.slot = new Slot();
      this.days.set(day, this.slot);
    }
  }

  add(view: 0 | 1, column: number, n = 1): void {
    this.hours[this.hour]!.counts[view][column]! += n;
    if (this.slot !== undefined) this.slot.counts[view][column]! += n;
  }

  longest(view: 0 | 1, seconds: number): void {
    for (const slot of [this.hours[this.hour], this.slot])
      if (slot !== undefined && seconds > slot.longest[view]) slot.longest[view] = seconds;
  }
}
