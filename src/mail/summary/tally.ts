import { Calendar, type Difference, noTotals, type TotalName, type Totals } from "./figures.ts";
import type { Message } from "./message.ts";
import { OURS, THEIRS, type View } from "./table.ts";

const MAX_DIFFERENCES = 200;

/** The columns of Calendar. */
export const RECEIVED_COLUMN = 0;
export const DELIVERED_COLUMN = 1;
export const DEFERRED_COLUMN = 2;
export const BOUNCED_COLUMN = 3;
export const REJECTED_COLUMN = 4;
export const CONNECTIONS_COLUMN = 5;
export const SECONDS_COLUMN = 6;

/** The totals of both views, by day and hour where asked, and why they differ. */
export class Tally {
  private totals: readonly [Totals, Totals] = [noTotals(), noTotals()];
  calendar: Calendar = new Calendar();
  private differences = new Map<TotalName, Map<string, number>>();

  /** Adds n to a total; column: of the calendar. */
  count(view: View, total: TotalName, column?: number): void {
    this.totals[view][total]++;
    if (column !== undefined) this.calendar.add(view, column);
  }

  add(view: View, total: TotalName, n: number): void {
    this.totals[view][total] += n;
  }

  /** Counts one for us, and for pflogsumm too when it reads the line. */
  both(total: TotalName, readable: boolean, message: Message, column?: number): void {
    this.count(OURS, total, column);
    if (readable) this.count(THEIRS, total, column);
    else this.differ(total, whyUnread(message));
  }

  /** One more line for which a total differs. */
  differ(total: TotalName, reason: string): void {
    let reasons = this.differences.get(total);
    if (reasons === undefined) {
      reasons = new Map();
      this.differences.set(total, reasons);
    }
    const n = reasons.get(reason);
    if (n !== undefined || reasons.size < MAX_DIFFERENCES) reasons.set(reason, (n ?? 0) + 1);
  }

  /** The counts of a view so far, without those of distinct things. A copy. */
  counts(view: View): Totals {
    return { ...this.totals[view] };
  }

  /** Where two views part, by total. What follows from other lines alone is said so. */
  differing(ours: Totals, theirs: Totals): Difference[] {
    const out: Difference[] = [];
    for (const total of Object.keys(ours) as TotalName[]) {
      const reasons = this.differences.get(total);
      if (reasons !== undefined) for (const [reason, lines] of reasons) out.push({ total, lines, reason });
      else if (ours[total] !== theirs[total])
        out.push({
          total,
          lines: 0,
          reason: DERIVED[total] ?? "follows from the lines that it counts otherwise",
        });
    }
    return out;
  }

  clear(): void {
    this.totals = [noTotals(), noTotals()];
    this.calendar = new Calendar();
    this.differences = new Map();
  }
}

/** Why pflogsumm does not read a line that we count. */
export const whyUnread = ({ plain, event }: Message): string =>
  plain ? `a service whose name it does not know: ${event.program}` : "a line head that it does not read";

/** Why a total differs without a line of its own. */
const DERIVED: Readonly<Partial<Record<TotalName, string>>> = {
  connection_hosts: "an IPv6 client is left without a name when counters follow it (Postfix 3.0 and later)",
  bytes_delivered: "sizes told before the day begins, and those of queue ids that come again",
};

/** A mean cut as pflogsumm cuts it: half a unit added, then the fraction dropped. */
export const average = (sum: number, n: number): number => (n === 0 ? 0 : Math.trunc(sum / n + 0.5));
