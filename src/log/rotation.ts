import type { Stamp } from "./stamp.ts";
import { civilFromDays, daysFromCivil, daysInMonth } from "./zone.ts";

const SECONDS_PER_DAY = 86_400;
/** Years that a rotated file's name may hold: what lies outside is another number. */
const FIRST_YEAR = 1970;
const LAST_YEAR = 2199;

/** `20260105` and `2026-01-05` (also with hours and more behind), after no digit. */
const DAY_IN_NAME = /(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?:[-_.T]?\d{2}){0,3}(?!\d)/;
const MONTH_IN_NAME = /(?<!\d)(\d{4})[-_.]?(\d{2})(?!\d)/;
/** logrotate's `dateformat -%s`. */
const SECONDS_IN_NAME = /(?<!\d)(\d{10})(?!\d)/;

/** The last day whose lines a file with this name can hold, as [year, month 1 to 12, day]; undefined when the name holds no date. */
function lastDayOf(name: string): [number, number, number] | undefined {
  const day = DAY_IN_NAME.exec(name);
  if (day !== null) {
    const date: [number, number, number] = [Number(day[1]), Number(day[3]), Number(day[4])];
    if (isDate(...date)) return date;
  }
  const seconds = SECONDS_IN_NAME.exec(name);
  if (seconds !== null) {
    const [year, month, date] = civilFromDays(Math.floor(Number(seconds[1]) / SECONDS_PER_DAY));
    if (isDate(year, month + 1, date)) return [year, month + 1, date];
  }
  const month = MONTH_IN_NAME.exec(name);
  if (month === null) return undefined;
  const [year, number] = [Number(month[1]), Number(month[2])];
  return isDate(year, number, 1) ? [year, number, daysInMonth(year, number - 1)] : undefined;
}

const isDate = (year: number, month: number, day: number): boolean =>
  year >= FIRST_YEAR &&
  year <= LAST_YEAR &&
  month >= 1 &&
  month <= 12 &&
  day >= 1 &&
  day <= daysInMonth(year, month - 1);

/**
 * The year of a file's first line by the date in its name (`mail.log-20260105.gz`): a file is rotated after its last line was
 * written, so its lines are of the year of that date, or of the year before when they would lie after it. One day of
 * grace, for names in another zone and for names of the day the lines are of. undefined when the name holds no date, or
 * the year has no such day.
 */
export function yearOfName(file: string, first: Stamp): number | undefined {
  const last = lastDayOf(file.slice(file.lastIndexOf("/") + 1));
  if (last === undefined) return undefined;
  const latest = daysFromCivil(last[0], last[1] - 1, last[2]) + 1;
  for (const year of [last[0] + 1, last[0], last[0] - 1])
    if (first.day <= daysInMonth(year, first.month) && daysFromCivil(year, first.month, first.day) <= latest)
      return year;
  return undefined;
}

/**
 * The year of the first line that names none, by the names of rotated files. files: in the order of their first times. The
 * first file with a date in its name settles it; for files before that one a year is counted back where December comes before January
 * (files are shorter than a year). undefined when no name helps.
 */
export function yearFromNames(
  files: readonly { readonly file: string; readonly first: Stamp | undefined }[],
): number | undefined {
  let turns = 0;
  let before: Stamp | undefined;
  for (const { file, first } of files) {
    if (first === undefined || first.year !== 0) continue;
    if (before !== undefined && dayOfYear(first) < dayOfYear(before)) turns++;
    before = first;
    const year = yearOfName(file, first);
    if (year !== undefined) return year - turns;
  }
  return undefined;
}

/** Orders days within a year. */
const dayOfYear = (stamp: Stamp): number => stamp.month * 31 + stamp.day;
