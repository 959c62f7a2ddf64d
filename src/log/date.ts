import { afterDate, isBreak, packedClock, shortNumber, zoneName } from "./day-clock.ts";
import { stampOf } from "./instant.ts";
import { monthAt, monthWord } from "./months.ts";
import { digit, fourDigits, type Stamp, twoDigits } from "./stamp.ts";
import { daysInMonth } from "./zone.ts";

/** 2001-09-09, from when on epoch seconds have ten digits, and 2100-01-01: what lies outside is some other number. */
const FIRST_EPOCH = 1_000_000_000;
const LAST_EPOCH = 4_102_444_800;

const SPACE = 32;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const SLASH = 47;
const COLON = 58;
const UPPER_T = 84;

const DAYS = new Set(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);

/**
 * Reads any other time that begins at `at`: epoch seconds to nanoseconds, yymmdd, yyyymmdd, yy/mm/dd, mm/dd/yyyy, dd-mm-yyyy,
 * dd/Mon/yyyy, dd-Mon-yyyy, ctime, RFC 2822, `Mon-dd-yy`, `Mon dd, yyyy`, glog's Immdd; with hours of one digit and AM or PM. False
 * when there is none. Looks at 64 characters at most.
 */
export function readDate(text: string, at: number, out: Stamp): boolean {
  out.year = 0;
  out.offset = Number.NaN;
  return digit(text, at) >= 0 ? readNumeric(text, at, out) : readWorded(text, at, out);
}

function readNumeric(text: string, at: number, out: Stamp): boolean {
  let end = at;
  while (end < at + 20 && digit(text, end) >= 0) end++;
  const length = end - at;
  const mark = text.charCodeAt(end);
  if (length === 10 || length === 13 || length === 16 || length === 19) return readEpoch(text, at, end, out);
  if (length === 14) return packed(text, at, 4, out) && packedClock(text, at + 8, out);
  if (length === 8) return packed(text, at, 4, out) && afterDate(text, end, out);
  if (length === 6)
    return packed(text, at, 2, out) && (mark === SPACE || mark === UPPER_T) && afterDate(text, end, out);
  if (length === 4) return readYearFirst(text, at, mark, out);
  return length <= 2 && length > 0 && readDayOrMonth(text, at, end, mark, out);
}

/** Ten digits are seconds, three more each finer; a fraction may follow. */
function readEpoch(text: string, at: number, end: number, out: Stamp): boolean {
  const seconds = Number(text.slice(at, at + 10));
  if (seconds < FIRST_EPOCH || seconds >= LAST_EPOCH) return false;
  const more = text.slice(at + 10, Math.min(end, at + 13));
  let ms = seconds * 1000 + (more === "" ? 0 : Number(more));
  let stop = end;
  if (text.charCodeAt(end) === DOT && digit(text, end + 1) >= 0) {
    let weight = 100;
    for (stop = end + 1; stop < end + 20 && digit(text, stop) >= 0; stop++) {
      if (more === "" && weight >= 1) ms += weight * digit(text, stop);
      weight /= 10;
    }
  }
  // "1234567890: text" may be a queue id
  if (stop === end && text.charCodeAt(stop) === COLON) return false;
  return isBreak(text, stop) && stampOf(ms, stop, out);
}

/** `yymmdd` or `yyyymmdd`. */
function packed(text: string, at: number, yearDigits: number, out: Stamp): boolean {
  const year = yearDigits === 4 ? fourDigits(text, at) : shortYear(twoDigits(text, at));
  return setDate(year, twoDigits(text, at + yearDigits), twoDigits(text, at + yearDigits + 2), out);
}

/** `2026/01/27`, `2026.01.27`, `2026:01:27`, `2026-1-7`: the same mark twice. Also `2026 Jan  7 6:36:56`. */
function readYearFirst(text: string, at: number, mark: number, out: Stamp): boolean {
  const year = fourDigits(text, at);
  if (year < 1) return false;
  if (mark !== SLASH && mark !== DOT && mark !== COLON && mark !== MINUS) return false;
  const month = shortNumber(text, at + 5);
  const next = at + 5 + month.length;
  if (text.charCodeAt(next) !== mark) {
    const named = monthWord(text, at + 5); // 2026-Jan-27
    if (named < 0 || text.charCodeAt(named >> 4) !== mark) return false;
    const day = shortNumber(text, (named >> 4) + 1);
    return (
      setDate(year, (named & 15) + 1, day.value, out) && afterDate(text, (named >> 4) + 1 + day.length, out)
    );
  }
  const day = shortNumber(text, next + 1);
  return setDate(year, month.value, day.value, out) && afterDate(text, next + 1 + day.length, out);
}

/** A date whose first number has one or two digits. */
function readDayOrMonth(text: string, at: number, end: number, mark: number, out: Stamp): boolean {
  const first = shortNumber(text, at).value;
  if (mark !== SLASH && mark !== DOT && mark !== MINUS && mark !== SPACE) return false;
  const month = mark === SPACE || digit(text, end + 1) < 0 ? monthWord(text, end + 1) : -1;
  if (month >= 0) {
    // 27/Jan/2026:06:36:56, 27-Jan-2026 06:36:56, 27 Jan 2026 06:36:56
    const stop = month >> 4;
    if (text.charCodeAt(stop) !== mark && text.charCodeAt(stop) !== SPACE) return false;
    const four = fourDigits(text, stop + 1);
    const year = four >= 0 ? four : shortYear(twoDigits(text, stop + 1));
    return setDate(year, (month & 15) + 1, first, out) && afterDate(text, stop + (four >= 0 ? 5 : 3), out);
  }
  if (mark === SPACE) return false;
  const second = shortNumber(text, end + 1);
  const stop = end + 1 + second.length;
  if (second.length === 0) return false;
  if (text.charCodeAt(stop) !== mark) {
    // 01-27 06:36:56, without year; both digits, so that "1-2 3:04:05" is none
    const date = end - at === 2 && second.length === 2 && text.charCodeAt(stop) === SPACE;
    return date && setDate(0, first, second.value, out) && afterDate(text, stop, out);
  }
  const four = fourDigits(text, stop + 1);
  if (four >= 0) {
    const monthFirst = mark === SLASH ? first <= 12 : second.value > 12;
    return (
      setDate(four, monthFirst ? first : second.value, monthFirst ? second.value : first, out) &&
      afterDate(text, stop + 5, out)
    );
  }
  const third = twoDigits(text, stop + 1);
  const found =
    setDate(shortYear(first), second.value, third, out) || // yy/mm/dd: log4j
    setDate(shortYear(third), second.value, first, out) ||
    setDate(shortYear(third), first, second.value, out);
  return found && third >= 0 && afterDate(text, stop + 3, out);
}

/** `Sun Dec  4 04:47:44 2005`, `Sun, 4 Dec 2005 04:47:44 +0000`, `Apr-07-13 07:08:36`, `Jan 27, 2026 6:36:56 AM`, `I0127 06:36:56.1`. */
function readWorded(text: string, from: number, out: Stamp): boolean {
  let at = from;
  const zone = zoneName(text, at); // monit: "PDT Apr 16 21:05:29"
  if (zone !== undefined && zone.end > at && text.charCodeAt(zone.end) === SPACE) at = zone.end + 1;
  if (DAYS.has(text.slice(at, at + 3))) {
    const after = text.charCodeAt(at + 3) === COMMA ? at + 4 : at + 3;
    if (text.charCodeAt(after) !== SPACE) return false;
    at = after + 1;
    if (text.charCodeAt(at) === SPACE) at++;
    if (digit(text, at) >= 0) return readNumeric(text, at, out);
  }
  const month = monthAt(text, at) >= 0 && isSeparator(text.charCodeAt(at + 3)) ? monthAt(text, at) : -1;
  if (month < 0) return readGlog(text, from, out);
  const dashed = text.charCodeAt(at + 3) === MINUS;
  const start = !dashed && text.charCodeAt(at + 4) === SPACE ? at + 5 : at + 4;
  const day = shortNumber(text, start);
  let i = start + day.length;
  if (day.length === 0) return false;
  if (dashed) {
    const four = text.charCodeAt(i) === MINUS ? fourDigits(text, i + 1) : -1;
    const year = four >= 0 ? four : shortYear(twoDigits(text, i + 1));
    return (
      text.charCodeAt(i) === MINUS &&
      setDate(year, month + 1, day.value, out) &&
      afterDate(text, i + (four >= 0 ? 5 : 3), out)
    );
  }
  let year = 0;
  if (text.charCodeAt(i) === COMMA) {
    year = fourDigits(text, i + 2);
    if (year < 0) return false;
    i += 6;
    if (text.charCodeAt(i) === COMMA) i++;
  }
  if (!setDate(year, month + 1, day.value, out) || !afterDate(text, i, out)) return false;
  if (zone !== undefined) out.offset = zone.minutes;
  if (year === 0) readLateYear(text, out);
  return true;
}

/** ctime puts the year behind the clock, and date(1) a zone between them. */
export function readLateYear(text: string, out: Stamp): void {
  const year = text.charCodeAt(out.end) === SPACE ? fourDigits(text, out.end + 1) : -1;
  if (year < 1900 || year > 2199 || !isBreak(text, out.end + 5)) return;
  if (setDate(year, out.month + 1, out.day, out)) out.end += 5;
}

/** glog and klog: a letter for the level, month and day, blank, clock. */
function readGlog(text: string, at: number, out: Stamp): boolean {
  if (!"IWEFD".includes(text.charAt(at)) || at >= text.length) return false;
  const space = text.charCodeAt(at + 5) === SPACE;
  return (
    space && setDate(0, twoDigits(text, at + 1), twoDigits(text, at + 3), out) && afterDate(text, at + 5, out)
  );
}

const isSeparator = (c: number): boolean => c === SPACE || c === MINUS;

/** Sets the date. month: 1 to 12. year 0: none is named, and 29 February may be. False when there is no such day. */
function setDate(year: number, month: number, day: number, out: Stamp): boolean {
  if (
    year < 0 ||
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > daysInMonth(year === 0 ? 2000 : year, month - 1)
  )
    return false;
  out.year = year;
  out.month = month - 1;
  out.day = day;
  return true;
}

/** 70 to 99 are of the last century, as POSIX's %y has it. */
const shortYear = (two: number): number => (two < 0 ? -1 : two < 70 ? 2000 + two : 1900 + two);
