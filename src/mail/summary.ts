import { Zone } from "../log/zone.ts";
import type { MailEvent } from "./event.ts";
import { ExtraCount } from "./summary/extra.ts";
import type { Difference, Row, TotalName, Totals } from "./summary/figures.ts";
import { dayText, extraLists, type Lists, postfixLists, rowsOf } from "./summary/lists.ts";
import { hasDate, Message, writerOf } from "./summary/message.ts";
import { PostfixCount } from "./summary/postfix.ts";
import { type Bounded, OURS, THEIRS } from "./summary/table.ts";

/** Rows of a list in the result, unless asked otherwise. */
const ROWS = 200;

export type Summary = {
  /** YYYY-MM-DD, or "all". */
  readonly date: string;
  /** Counted as pflogsumm 1.1.5 does with --smtpd-stats, its omissions included. */
  readonly totals: Totals;
  readonly corrected: Totals;
  readonly differences: readonly Difference[];
  readonly lines: number;
  readonly unknown: number;
  readonly lists: Lists;
  /** Rows that the lists leave out, by list. */
  readonly omitted: Readonly<Record<string, number>>;
  /** Tables that could not hold everything, with what they left out. */
  readonly bounded: readonly Bounded[];
};
export type { Row, TotalName, Totals };

/** Events of which nothing is counted unless they carry a severity. */
const IGNORED = new Set([
  "message_id",
  "removed",
  "anvil_statistics",
  "scache_statistics",
  "cache_cleanup",
  "postscreen_disconnect",
  "dnsblog_listed",
  "bounce_notification",
  "dkim_signed",
  "dkim_result",
  "dmarc_result",
  "spf_result",
  "lmtp_connect",
  "lmtp_disconnect",
  "mail_saved",
  "login_aborted",
  "host_reply",
  "connection_lost",
  "timeout",
  "queue_skipped",
  "greylist",
  "filter_result",
]);

/** Counts a mail log's day (or all of it). Events come in order; `summary` may be called at any time. */
export class MailSummary {
  readonly postfix: PostfixCount = new PostfixCount();
  readonly extra: ExtraCount = new ExtraCount();
  private readonly zone: Zone;
  private readonly day: number | undefined;
  private readonly date: string;
  private readonly message = new Message();
  /** How often pflogsumm sees another date than on the line before: by this it divides its daily averages. */
  dayChanges = 0;
  private lastDay = Number.NaN;
  private lastDate = "";
  private lines = 0;
  private unknown = 0;

  private readonly lineClock: boolean;

  /** date: YYYY-MM-DD in `zone` (IANA), or "all". lineClock: RFC 3339 lines stand at the hour that they write, whatever their offset. */
  constructor(date: string, zone: string, lineClock = false) {
    this.lineClock = lineClock;
    this.date = date;
    this.day = date === "all" ? undefined : Date.parse(`${date}T00:00:00Z`) / DAY_MS;
    this.zone = new Zone(zone);
  }

  add(event: MailEvent): void {
    const { time } = event;
    let local = time === null ? Number.NaN : time + this.zone.offsetAt(time);
    if (this.lineClock && time !== null) local = writtenClock(event.text) ?? local;
    const day = this.day;
    const { event: name } = event;
    if (day !== undefined && Math.floor(local / DAY_MS) !== day) {
      if (name === "queue_active" && local < day * DAY_MS) {
        this.postfix.earlier(this.message.of(event, writerOf(event.program, event.daemon)));
      }
      return;
    }
    this.lines++;
    if (name === "unknown") this.unknown++;
    const today = Math.floor(local / DAY_MS);
    const idle = IGNORED.has(name) && event.severity === "info" && event.daemon !== "postfix/master";
    if (idle && today === this.lastDay) return;
    const writer = writerOf(event.program, event.daemon);
    if (writer.dated && today !== this.lastDay) this.dated(event, today);
    if (idle) return;
    const message = this.message.of(event, writer);
    if (writer.daemon !== "" && time !== null) {
      const delivery = this.postfix.add(message, local);
      if (delivery !== undefined) this.extra.delivery(event, delivery);
    }
    this.extra.add(message);
  }

  private dated(event: MailEvent, day: number): void {
    if (!hasDate(event)) return;
    this.lastDay = day;
    const date = dayText(day).slice(8); // the day of the month alone, as it does
    if (date !== this.lastDate) this.dayChanges++;
    this.lastDate = date;
  }

  /** rows: the most rows of a list. */
  summary(rows: number = ROWS): Summary {
    const { postfix, extra } = this;
    const bounded = postfix.bounded();
    extra.bounded(bounded);
    const omitted: Record<string, number> = {};
    return {
      date: this.date,
      totals: postfix.result(THEIRS),
      corrected: postfix.result(OURS),
      differences: postfix.differing(),
      lines: this.lines,
      unknown: this.unknown,
      lists: rowsOf({ ...postfixLists(postfix, OURS, rows), ...extraLists(extra, rows) }, omitted),
      omitted,
      bounded,
    };
  }
}

/** The wall clock of a line that begins with an RFC 3339 time. */
function writtenClock(text: string): number | undefined {
  const c = text.charCodeAt(0);
  if (c < 48 || c > 57 || text.charCodeAt(10) !== 84) return undefined;
  const time = Date.parse(`${text.slice(0, 19)}Z`);
  return Number.isNaN(time) ? undefined : time;
}

const DAY_MS = 86_400_000;

/** Totals of a local day, as kept with a model. */
export type DayFigures = { readonly day: string; readonly totals: Totals };

/** Our totals of each whole local day that passes by. Sizes and connections are known over midnight. */
export class DailyFigures {
  readonly days: DayFigures[] = [];
  private readonly count = new PostfixCount();
  private readonly zone: Zone;
  private readonly message = new Message();
  private readonly keep: number;
  private day = Number.NaN;
  /** The first day is whole only when it begins within its first hour. */
  private whole = false;

  /** keep: days kept, the latest. */
  constructor(zone: Zone, keep: number) {
    this.zone = zone;
    this.keep = keep;
  }

  add(event: MailEvent): void {
    const { time } = event;
    if (time === null) return;
    const local = time + this.zone.offsetAt(time);
    const day = Math.floor(local / DAY_MS);
    if (Number.isNaN(this.day)) {
      this.day = day;
      this.whole = local - day * DAY_MS < HOUR_MS;
    } else if (day > this.day) this.close(day);
    const writer = writerOf(event.program, event.daemon);
    if (writer.daemon === "" || (IGNORED.has(event.event) && event.severity === "info")) return;
    this.count.add(this.message.of(event, writer), local);
  }

  private close(next: number): void {
    if (this.whole) this.days.push({ day: dayText(this.day), totals: this.count.result(OURS) });
    if (this.days.length > this.keep) this.days.shift();
    this.count.restart();
    this.whole = true;
    this.day = next;
  }
}

const HOUR_MS = 3_600_000;

/** Usual range of a total, from how many days. */
export type Range = { readonly low: number; readonly high: number; readonly days: number };

/** Fewer days of a kind tell no range. */
const MIN_DAYS = 5;

/**
 * The range of each total on days like `date`: of the same kind (working day, or Saturday and Sunday), from the 10th to the
 * 90th percentile by nearest rank. Empty when there are fewer than five such days.
 */
export function usualOf(days: readonly DayFigures[], date: string): Record<string, Range> {
  const like = days.filter((d) => d.day !== date && isWeekend(d.day) === isWeekend(date));
  const out: Record<string, Range> = {};
  if (like.length < MIN_DAYS) return out;
  for (const name of Object.keys(like[0]!.totals) as (keyof Totals)[]) {
    const values = like.map((d) => d.totals[name] ?? 0).sort((a, b) => a - b);
    const rank = (p: number): number => values[Math.max(0, Math.ceil(p * values.length) - 1)]!;
    out[name] = { low: rank(0.1), high: rank(0.9), days: like.length };
  }
  return out;
}

function isWeekend(date: string): boolean {
  const weekday = new Date(`${date}T12:00:00Z`).getUTCDay();
  return weekday === 0 || weekday === 6;
}
