import type { Range, Summary, TotalName } from "../mail/summary.ts";
import type { DailyReport } from "./daily.ts";
import { totalLines } from "./summary-sections.ts";

/** The day's figures as the report shows them: beside their usual range, marked when far out of it. */

/** A total of the day. mark: far above or below what is usual. */
export type Figure = {
  readonly name: TotalName;
  readonly label: string;
  readonly n: number;
  readonly value: string;
  /** "900 to 1,400", or "" where no range is known. */
  readonly usual: string;
  readonly mark: "above" | "below" | undefined;
};

/** Shown every day; other totals only when they are not zero, or out of range. */
const ALWAYS: ReadonlySet<string> = new Set([
  "received",
  "delivered",
  "deferred",
  "deferrals",
  "bounced",
  "rejected",
  "bytes_received",
  "bytes_delivered",
  "senders",
  "sending_hosts",
  "recipients",
  "recipient_hosts",
  "connections",
]);
/** What the other totals say already, or what tells the operator nothing by itself. */
const NEVER: ReadonlySet<string> = new Set(["connect_time_avg_seconds", "connection_hosts"]);

/** Days of a trend, the report's own last. */
export const TREND_DAYS = 29;
/** Fewer days before tell no trend. */
const MIN_TREND = 3;

export function figuresOf(report: DailyReport): Figure[] {
  const { summary, usual } = report;
  if (summary === null) return [];
  return totalLines(summary, usual).flatMap(({ name, label, value, usual: range }) => {
    const n = summary.corrected[name];
    const mark = farOut(n, usual[name]);
    if (NEVER.has(name) || (!ALWAYS.has(name) && n === 0 && mark === undefined)) return [];
    return [
      {
        name,
        label,
        n,
        value: value.replace(/ \(.*$/, ""), // without the share that rejections carry
        usual: rangeText(range.replace(/^usual /, "")),
        mark,
      },
    ];
  });
}

/** "1.5 MiB to 2.0 MiB" as "1.5 to 2.0 MiB", and "2.0 MiB" where both ends read so. */
const rangeText = (range: string): string =>
  range.replace(/^(.+) to \1$/, "$1").replace(/^(\S+) (\S+) to (\S+) \2$/, "$1 to $3 $2");

/**
 * Whether a total is far out of its range: one in five days lies beyond the 10th or 90th percentile by nature, so it must be
 * further out by half the range's width, and by two standard deviations of a Poisson count. Of a normal distribution
 * that is one day in a hundred.
 */
export function farOut(n: number, range: Range | undefined): "above" | "below" | undefined {
  if (range === undefined) return undefined;
  const { low, high } = range;
  const slack = (bound: number): number => Math.max((high - low) / 2, 2 * Math.sqrt(bound + 1));
  if (n > high + slack(high)) return "above";
  if (n < low - slack(low)) return "below";
  return undefined;
}

/** A total over the days up to the report's, oldest first; null for a day that is not known. Undefined when too few are. */
export function trendOf(report: DailyReport, name: TotalName): (number | null)[] | undefined {
  if (report.summary === null) return undefined;
  const known = new Map(report.before.map(({ day, totals }) => [day, totals[name]]));
  const trend: (number | null)[] = trendDays(report).map((day) => {
    const n = known.get(day);
    return typeof n === "number" && Number.isFinite(n) ? n : null;
  });
  if (trend.filter((n) => n !== null).length < MIN_TREND) return undefined;
  trend[trend.length - 1] = report.summary.corrected[name];
  return trend;
}

/** The days of a trend as YYYY-MM-DD, the report's own last. */
export function trendDays(report: DailyReport): string[] {
  const noon = Date.parse(`${report.day}T12:00:00Z`);
  return Array.from({ length: TREND_DAYS }, (_, i) =>
    new Date(noon - (TREND_DAYS - 1 - i) * 86_400_000).toISOString().slice(0, 10),
  );
}

/** What is counted by hour: the key in a row of per_hour, its words, and the 24 figures of the wall clock. */
export type Hourly = { readonly key: string; readonly label: string; readonly hours: readonly number[] };

const HOURLY: readonly (readonly [string, string])[] = [
  ["received", "received"],
  ["deferred", "deferrals"],
  ["rejected", "rejected"],
];

/** Traffic by hour, without what did not happen at all. */
export function hourly(summary: Summary | null): Hourly[] {
  const rows = summary?.lists["per_hour"] ?? [];
  return HOURLY.map(([key, label]) => ({
    key,
    label,
    hours: rows.map((row) => Number(row[key] ?? 0)),
  })).filter(({ hours }) => hours.some((n) => n > 0));
}

/** The busiest hour and its figure. */
export function busiest(hours: readonly number[]): { readonly hour: number; readonly n: number } {
  const n = hours.reduce((most, one) => Math.max(most, one), 0);
  return { hour: hours.indexOf(n), n };
}

/** Hours that the day had: 24, or 23 and 25 where clocks change. */
export const hoursOfDay = (report: DailyReport): number =>
  Math.round((Date.parse(report.to) - Date.parse(report.from)) / 360_000) / 10;
