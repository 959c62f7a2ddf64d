import { type LocalClock, localClock, SLOT_MS } from "../feature/clock.ts";
import { civilFromDays, daysInMonth, Zone } from "../log/zone.ts";
import { ALWAYS, type Kind } from "./alert.ts";
import type { Candidate } from "./candidate.ts";

/**
 * The calendar: maintenance and campaigns, by the clock on the wall, so that "Sunday at 2" stays so when clocks change. An occurrence
 * is found by the days on which one may begin; nothing is expanded ahead.
 */

const DAY_MINUTES = 1440;
/** Longest occurrence. */
export const MAX_PLAN_MINUTES: number = 31 * DAY_MINUTES;
/** What belongs to the never-held classes is covered by no longer occurrence, unless its kind is named. */
const MAX_GRAVE_MINUTES = DAY_MINUTES;
/** Share of the evidence that must have come after an occurrence: what happened in it lies in windows of up to a day. */
const FRESH_SHARE = 0.7;
const SHADOW_MINUTES = DAY_MINUTES;
/** Days that a count of occurrences may reach over. */
const MAX_DAYS = 36_525;

/** One entry of the calendar. Minutes are of the wall clock of `zone`, since 1970-01-01 00:00. */
export type Plan = {
  readonly id: number;
  readonly name: string;
  readonly zone: string;
  readonly repeat: "once" | "weekly" | "monthly";
  /** When the first occurrence begins. */
  readonly first: number;
  /** How long each lasts. */
  readonly minutes: number;
  /** Every so many weeks or months. */
  readonly every: number;
  /** Weekly: 0 Sunday to 6. */
  readonly weekdays: readonly number[];
  /** Monthly: the day of the month, from 1, or from -1 for the last; or the nth such weekday, -1 for the last. */
  readonly monthDays: readonly number[];
  readonly monthWeekdays: readonly { readonly n: number; readonly weekday: number }[];
  /** No occurrence begins after. */
  readonly until: number | undefined;
  /** Occurrences that are left out, by their beginning. */
  readonly except: readonly number[];
  /** What is planned; all that such work may bring when both are empty. */
  readonly kinds: readonly Kind[];
  /** Values of entities, in lower case. */
  readonly entities: readonly string[];
};

/** What no maintenance brings about: attacks, damage, and what others hold against us. */
const UNRELATED: ReadonlySet<Kind> = new Set([
  "bruteforce",
  "account_compromised",
  "login_anomaly",
  "directory_harvest",
  "relay_probe",
  "spam_wave",
  "backscatter",
  "disk_full",
  "remote_blocked",
  "mail_loop",
  "mailbox_corruption",
]);

/** Zones are few: those of the entries. */
const clocks = new Map<string, LocalClock>();
const MAX_CLOCKS = 64;
function clockOf(zone: string): LocalClock {
  const known = clocks.get(zone);
  if (known) return known;
  if (clocks.size >= MAX_CLOCKS) clocks.clear();
  const clock = localClock(new Zone(zone));
  clocks.set(zone, clock);
  return clock;
}

/** Minutes of the wall clock. */
export function wallMinute(time: number, zone: string): number {
  const { day, minute } = clockOf(zone)(time);
  return day * DAY_MINUTES + minute;
}

/** Log time in ms at which a candidate is no longer planned; undefined when it is not. */
export function plannedUntil(plan: Plan, c: Candidate): number | undefined {
  if (!inScope(plan, c)) return undefined;
  const now = wallMinute(c.at, plan.zone);
  const ends = (occurrence: number): number =>
    Math.floor(c.at / 60_000) * 60_000 + (occurrence + plan.minutes - now) * 60_000;
  const on = occurrenceAt(plan, now);
  if (on !== undefined) return ends(on);
  if (c.view === "absence") return undefined; // what is still silent after the work is news
  const before = occurrenceAt(plan, now, SHADOW_MINUTES);
  if (before === undefined) return undefined;
  return c.shareSince(ends(before)) < FRESH_SHARE ? c.at + 1 : undefined;
}

function inScope({ kinds, entities, minutes }: Plan, c: Candidate): boolean {
  if (entities.length > 0 && !c.entities.some(({ value }) => entities.includes(value.toLowerCase())))
    return false;
  if (kinds.length > 0) return kinds.includes(c.kind);
  if (entities.length > 0) return !ALWAYS.has(c.kind);
  return !UNRELATED.has(c.kind) && (!ALWAYS.has(c.kind) || minutes <= MAX_GRAVE_MINUTES);
}

/** Beginning of the latest occurrence that a minute lies in, or that ended up to `after` minutes before. */
function occurrenceAt(plan: Plan, minute: number, after = 0): number | undefined {
  const earliest = minute - plan.minutes - after + 1;
  const first = Math.floor(earliest / DAY_MINUTES);
  for (let day = Math.floor(minute / DAY_MINUTES); day >= first; day--) {
    const start = day * DAY_MINUTES + mod(plan.first, DAY_MINUTES);
    if (start <= minute && start >= earliest && begins(plan, day, start)) return start;
  }
  return undefined;
}

/** Whether an occurrence begins on a day. day: since 1970-01-01, start: the minute at which it would. */
function begins(plan: Plan, day: number, start: number): boolean {
  if (start < plan.first || (plan.until !== undefined && start > plan.until)) return false;
  if (plan.except.includes(start)) return false;
  if (plan.repeat === "once") return start === plan.first;
  const firstDay = Math.floor(plan.first / DAY_MINUTES);
  return plan.repeat === "weekly" ? beginsWeekly(plan, day, firstDay) : beginsMonthly(plan, day, firstDay);
}

/** 0 Sunday; 1970-01-01 was a Thursday. */
const weekdayOf = (day: number): number => mod(day + 4, 7);
/** Weeks begin on Monday, as in RFC 5545 unless it says otherwise. */
const weekOf = (day: number): number => Math.floor((day + 3) / 7);

function beginsWeekly({ weekdays, every }: Plan, day: number, firstDay: number): boolean {
  return weekdays.includes(weekdayOf(day)) && (weekOf(day) - weekOf(firstDay)) % every === 0;
}

function beginsMonthly({ monthDays, monthWeekdays, every }: Plan, day: number, firstDay: number): boolean {
  const [year, month, date] = civilFromDays(day);
  const [firstYear, firstMonth] = civilFromDays(firstDay);
  if (((year - firstYear) * 12 + month - firstMonth) % every !== 0) return false;
  const fromEnd = daysInMonth(year, month) - date;
  if (monthDays.some((d) => d === date || d === -1 - fromEnd)) return true;
  return monthWeekdays.some(
    ({ n, weekday }) =>
      weekday === weekdayOf(day) && (n > 0 ? Math.ceil(date / 7) === n : Math.floor(fromEnd / 7) === -1 - n),
  );
}

/** The planned time of a history in whole slots, in order. from, to: in ms, both included. */
export function plannedRanges(
  plans: readonly Plan[],
  from: number,
  to: number,
): { readonly start: number; readonly end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  for (let time = Math.floor(from / SLOT_MS) * SLOT_MS; time <= to; time += SLOT_MS) {
    if (!plans.some((plan) => occurrenceAt(plan, wallMinute(time, plan.zone)) !== undefined)) continue;
    const open = ranges.at(-1);
    if (open && open.end === time - 1) open.end = time + SLOT_MS - 1;
    else ranges.push({ start: time, end: time + SLOT_MS - 1 });
  }
  return ranges;
}

/** Beginning and end, in minutes of the wall clock, of what is on at a time or comes next within a year; undefined when nothing does. */
export function nextOccurrence(plan: Plan, time: number): { start: number; end: number } | undefined {
  const now = wallMinute(time, plan.zone);
  const on = occurrenceAt(plan, now);
  if (on !== undefined) return { start: on, end: on + plan.minutes };
  const last = Math.max(now, plan.first) + 366 * DAY_MINUTES;
  for (let day = Math.floor(Math.max(now, plan.first) / DAY_MINUTES); day * DAY_MINUTES <= last; day++) {
    const start = day * DAY_MINUTES + mod(plan.first, DAY_MINUTES);
    if (start > now && begins(plan, day, start)) return { start, end: start + plan.minutes };
  }
  return undefined;
}

/** When the nth occurrence begins, from 1; undefined where there are not so many within a century. */
export function nthBeginning(plan: Plan, n: number): number | undefined {
  const firstDay = Math.floor(plan.first / DAY_MINUTES);
  let left = n;
  for (let day = firstDay; day < firstDay + MAX_DAYS; day++) {
    const start = day * DAY_MINUTES + mod(plan.first, DAY_MINUTES);
    if (begins(plan, day, start) && --left === 0) return start;
  }
  return undefined;
}

const mod = (n: number, by: number): number => ((n % by) + by) % by;
