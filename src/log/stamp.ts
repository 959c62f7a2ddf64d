import { monthAt, monthWord } from "./months.ts";

/** A time as a log line wrote it, before zone and year are settled. Reused from line to line: nothing is allocated. */
export type Stamp = {
  /** Index after the time in the text. */
  end: number;
  /** 0 when the line names no year (RFC 3164). */
  year: number;
  /** 0 to 11. */
  month: number;
  /** 1 to 31; whether the month has that day is settled with the year. */
  day: number;
  /** Milliseconds since local midnight. */
  msOfDay: number;
  /** Minutes east of UTC, or NaN when the line names no zone. */
  offset: number;
};

export const newStamp = (): Stamp => ({ end: 0, year: 0, month: 0, day: 1, msOfDay: 0, offset: Number.NaN });

const SPACE = 32;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const UPPER_T = 84;
const UPPER_Z = 90;
const LOWER_T = 116;
const LOWER_Z = 122;
/** No zone is or was farther from UTC (java.time.ZoneOffset has the same bound). */
const MAX_OFFSET_HOURS = 18;
const MS_PER_MINUTE = 60_000;

/** Value of the decimal digit at `at`, or -1. */
export function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - ZERO; // NaN past the end: the comparison below is false
  return value >= 0 && value <= 9 ? value : -1;
}

/** Value of the two digits at `at`, or -1. */
export function twoDigits(text: string, at: number): number {
  const tens = digit(text, at);
  const ones = digit(text, at + 1);
  return tens < 0 || ones < 0 ? -1 : tens * 10 + ones;
}

/** Value of the four digits at `at`, or -1. */
export function fourDigits(text: string, at: number): number {
  const high = twoDigits(text, at);
  const low = twoDigits(text, at + 2);
  return high < 0 || low < 0 ? -1 : high * 100 + low;
}

/**
 * Reads HH:MM:SS with an optional fraction (any number of digits, cut to milliseconds) into out.msOfDay and out.end. A
 * leap second exists only where a quarter of an hour ends (zones lie at quarters), and counts as the second after it.
 */
export function readClock(text: string, at: number, out: Stamp): boolean {
  const hour = twoDigits(text, at);
  const minute = twoDigits(text, at + 3);
  const second = twoDigits(text, at + 6);
  if (hour < 0 || minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 60) return false;
  if (second === 60 && minute % 15 !== 14) return false;
  if (text.charCodeAt(at + 2) !== COLON || text.charCodeAt(at + 5) !== COLON) return false;
  out.msOfDay = (hour * 60 + minute) * MS_PER_MINUTE + second * 1000;
  out.end = at + 8;
  return readFraction(text, out);
}

/** Adds a fraction of a second at out.end; any number of digits, cut to milliseconds. False when a digit follows the seconds. */
export function readFraction(text: string, out: Stamp): boolean {
  let i = out.end;
  const mark = text.charCodeAt(i);
  if (mark >= ZERO && mark <= NINE) return false;
  if ((mark === DOT || mark === COMMA) && digit(text, i + 1) >= 0) {
    let ms = 0;
    let digits = 0;
    for (let d = digit(text, ++i); d >= 0; d = digit(text, ++i)) if (digits++ < 3) ms = ms * 10 + d;
    for (; digits < 3; digits++) ms *= 10;
    out.msOfDay += ms;
  }
  out.end = i;
  return true;
}

/**
 * Reads `Z`, `+hh:mm`, `+hhmm` or `+hh` (after one blank too, as Exim writes the first two) into out.offset; leaves NaN
 * when there is none. False when there is one that no clock on Earth has.
 */
export function readOffset(text: string, out: Stamp): boolean {
  out.offset = Number.NaN;
  let i = out.end;
  const first = text.charCodeAt(i);
  if (first === UPPER_Z || first === LOWER_Z) {
    out.offset = 0;
    out.end = i + 1;
    return true;
  }
  const apart = first === SPACE;
  if (apart) i++;
  const sign = apart ? text.charCodeAt(i) : first;
  if (sign !== PLUS && sign !== MINUS) return true;
  const hours = twoDigits(text, i + 1);
  if (hours < 0) return true;
  const gap = text.charCodeAt(i + 3) === COLON ? 1 : 0;
  let minutes = twoDigits(text, i + 3 + gap);
  const end = minutes < 0 ? i + 3 : i + 5 + gap;
  if (minutes < 0 && (apart || digit(text, i + 3) >= 0)) return true;
  if (minutes < 0) minutes = 0;
  if (apart && digit(text, end) >= 0) return true;
  if (hours > MAX_OFFSET_HOURS || minutes > 59) return apart;
  out.offset = (sign === MINUS ? -1 : 1) * (hours * 60 + minutes);
  out.end = end;
  return true;
}

/** `Jan 27 06:36:56`, `Jan  7 ...`, `Jan 07 ...`, `Jan 27 2026 06:36:56`; `at` is after the month's name. */
function readTraditional(text: string, at: number, month: number, year: number, out: Stamp): boolean {
  if (text.charCodeAt(at) !== SPACE) return false;
  let i = at + 1;
  if (text.charCodeAt(i) === SPACE) i++;
  const tens = digit(text, i);
  if (tens < 0) return false;
  const ones = digit(text, i + 1);
  const day = ones < 0 ? tens : tens * 10 + ones;
  i += ones < 0 ? 1 : 2;
  if (day < 1 || day > 31 || text.charCodeAt(i) !== SPACE) return false;
  out.year = year;
  const late = fourDigits(text, i + 1);
  if (late > 0 && text.charCodeAt(i + 5) === SPACE) {
    out.year = late;
    i += 5;
  }
  out.month = month;
  out.day = day;
  out.offset = Number.NaN;
  return readClock(text, i + 1, out);
}

/** The same with a month's name in any language at `at`. */
function readNamed(text: string, at: number, year: number, out: Stamp): boolean {
  const month = monthAt(text, at);
  if (month >= 0 && text.charCodeAt(at + 3) === SPACE) return readTraditional(text, at + 3, month, year, out);
  const word = monthWord(text, at);
  return word >= 0 && readTraditional(text, word >> 4, word & 15, year, out);
}

/** `2026-01-27T06:36:56.123456+09:00`, and with a blank for the T; the year is read already. */
function readIso(text: string, at: number, year: number, out: Stamp): boolean {
  const month = twoDigits(text, at + 5);
  const day = twoDigits(text, at + 8);
  const middle = text.charCodeAt(at + 10);
  if (month < 1 || month > 12 || day < 1 || day > 31 || text.charCodeAt(at + 7) !== MINUS) return false;
  if (middle !== UPPER_T && middle !== SPACE && middle !== LOWER_T) return false;
  if (!readClock(text, at + 11, out)) return false;
  out.year = year;
  out.month = month - 1;
  out.day = day;
  return readOffset(text, out);
}

/**
 * Reads the time at `at` that syslog daemons write: RFC 3164, year-first (`2026 Jan 27 06:36:56.123`), RFC 3339 and ISO
 * with a blank. False, with `out` undefined, when there is none. Looks at no more than the time's own characters.
 */
export function readStamp(text: string, at: number, out: Stamp): boolean {
  const head = digit(text, at);
  if (head < 0) return readNamed(text, at, 0, out);
  const year = fourDigits(text, at);
  if (year < 1) return monthWord(text, at) >= 0 && readNamed(text, at, 0, out); // "1月"
  const next = text.charCodeAt(at + 4);
  if (next === MINUS) return readIso(text, at, year, out);
  return next === SPACE && readNamed(text, at + 5, year, out);
}
