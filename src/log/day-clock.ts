import { digit, readClock, readFraction, readOffset, type Stamp, twoDigits } from "./stamp.ts";

const TAB = 9;
const SPACE = 32;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const COLON = 58;
const UPPER_T = 84;
const UNDERSCORE = 95;

/** Offsets of zone names that mean one thing everywhere, in minutes. RFC 822 section 5.1 and Europe's. CST, IST and BST do not. */
const ZONES = new Map<string, number>([
  ["UTC", 0],
  ["GMT", 0],
  ["UT", 0],
  ["WET", 0],
  ["WEST", 60],
  ["CET", 60],
  ["CEST", 120],
  ["EET", 120],
  ["EEST", 180],
  ["MSK", 180],
  ["EST", -300],
  ["EDT", -240],
  ["CDT", -300],
  ["MST", -420],
  ["MDT", -360],
  ["PST", -480],
  ["PDT", -420],
]);
/** The clock after a date, with what may join them: blank, T, `-`, `_`, `:`, `, `; one-digit hours, dots for colons, AM and PM, a zone. */
export function afterDate(text: string, from: number, out: Stamp): boolean {
  let at = from;
  const joint = text.charCodeAt(at);
  const date = out.year !== 0 || joint === SPACE;
  if (joint === COMMA) at++;
  const mark = text.charCodeAt(at);
  if (
    !date ||
    (mark !== SPACE && mark !== UPPER_T && mark !== MINUS && mark !== UNDERSCORE && mark !== COLON)
  )
    return false;
  at++;
  if (text.startsWith("@ ", at))
    at += 2; // Kibana
  else if (mark === SPACE && text.charCodeAt(at) === SPACE) at++;
  if (!readClock(text, at, out) && !readLooseClock(text, at, out)) return false;
  return readHalf(text, out) && readZone(text, out);
}

/** `6:36:56`, `06.36.56.123456`, `6:3:5:123` (milliseconds behind a colon), `063656`. */
function readLooseClock(text: string, at: number, out: Stamp): boolean {
  const hour = shortNumber(text, at);
  if (hour.length === 2 && digit(text, at + 2) >= 0) return packedClock(text, at, out);
  const mark = text.charCodeAt(at + hour.length);
  if (hour.length === 0 || (mark !== COLON && mark !== DOT)) return false;
  const minute = shortNumber(text, at + hour.length + 1);
  const i = at + hour.length + 1 + minute.length;
  if (minute.length === 0 || text.charCodeAt(i) !== mark) return false;
  const second = shortNumber(text, i + 1);
  if (second.length === 0 || hour.value > 23 || minute.value > 59 || second.value > 59) return false;
  out.msOfDay = ((hour.value * 60 + minute.value) * 60 + second.value) * 1000;
  out.end = i + 1 + second.length;
  return readFraction(text, out);
}

/** AM and PM behind a clock of twelve hours. False when the hour is none of those. */
function readHalf(text: string, out: Stamp): boolean {
  if (text.charCodeAt(out.end) !== SPACE) return readColonMs(text, out);
  const half = text.slice(out.end + 1, out.end + 3).toUpperCase();
  if ((half !== "AM" && half !== "PM") || !isBreak(text, out.end + 3)) return true;
  const hour = Math.floor(out.msOfDay / 3_600_000);
  if (hour < 1 || hour > 12) return false;
  out.msOfDay += ((hour % 12) + (half === "PM" ? 12 : 0) - hour) * 3_600_000;
  out.end += 3;
  return true;
}

/** `22:15:29:606`: milliseconds behind a colon. */
function readColonMs(text: string, out: Stamp): boolean {
  if (text.charCodeAt(out.end) !== COLON || digit(text, out.end + 1) < 0) return true;
  let ms = 0;
  let i = out.end + 1;
  for (; i < out.end + 4 && digit(text, i) >= 0; i++) ms = ms * 10 + digit(text, i);
  if (digit(text, i) >= 0 || text.charCodeAt(i) === COLON) return true;
  out.msOfDay += ms;
  out.end = i;
  return true;
}

/** `HHMMSS` and a fraction. */
export function packedClock(text: string, at: number, out: Stamp): boolean {
  const hour = twoDigits(text, at);
  const minute = twoDigits(text, at + 2);
  const second = twoDigits(text, at + 4);
  if (hour < 0 || minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 59) return false;
  out.msOfDay = ((hour * 60 + minute) * 60 + second) * 1000;
  out.end = at + 6;
  return readFraction(text, out) && readOffset(text, out);
}

/** The name of a zone at `at`, as minutes east of UTC; undefined when there is none that is sure. */
export function zoneName(text: string, at: number): { minutes: number; end: number } | undefined {
  let end = at;
  while (end < at + 5 && text.charCodeAt(end) >= 65 && text.charCodeAt(end) <= 90) end++;
  const next = text.charCodeAt(end);
  if ((next | 32) >= 97 && (next | 32) <= 122) return undefined;
  const minutes = ZONES.get(text.slice(at, end));
  return minutes === undefined ? undefined : { minutes, end };
}

/** A zone's name, or an offset after a blank, behind a clock; the stamp's end moves behind it. False for an offset that can't be. */
export function readZone(text: string, out: Stamp): boolean {
  if (!readOffset(text, out)) return false;
  if (Number.isNaN(out.offset)) readZoneName(text, out);
  return true;
}

/** A zone's name behind a clock and at most one blank. */
export function readZoneName(text: string, out: Stamp): void {
  const at = text.charCodeAt(out.end) === SPACE ? out.end + 1 : out.end;
  const zone = zoneName(text, at);
  if (zone === undefined) return;
  out.offset = zone.minutes;
  out.end = zone.end;
}

/** What may follow a number that is a time: not more of a word. */
export function isBreak(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  return (
    Number.isNaN(c) ||
    c === SPACE ||
    c === TAB ||
    c === COMMA ||
    c === COLON ||
    c === 93 ||
    c === 59 ||
    c === 34
  );
}

/** A number of one or two digits at `at`. */
export function shortNumber(text: string, at: number): { value: number; length: number } {
  const tens = digit(text, at);
  const ones = digit(text, at + 1);
  if (tens < 0) return { value: -1, length: 0 };
  return ones < 0 ? { value: tens, length: 1 } : { value: tens * 10 + ones, length: 2 };
}
