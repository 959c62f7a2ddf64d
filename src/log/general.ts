import { bracketEnd, skipMarks } from "./application.ts";
import { readRspamdFile } from "./daemon-file.ts";
import { readDate } from "./date.ts";
import { readZone } from "./day-clock.ts";
import { copyStamp, type Head, type Inner, readTag, skipSpaces, tag, takeSource } from "./head.ts";
import { stampOf } from "./instant.ts";
import { severityOf } from "./levels.ts";
import { monthAt, monthWord } from "./months.ts";
import { readSource, type Style } from "./source.ts";
import { digit, readStamp, type Stamp } from "./stamp.ts";

/** Where a web server's time and an audit record's may begin. */
const WINDOW = 300;
/** Longest word before a time: a file's name, a level, a pod. */
const MAX_WORD = 96;
/** Columns in which a number may be a time, counted from 0. */
const LAST_COLUMN = 5;

const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const EQUALS = 61;
const LESS = 60;
const OPEN = 91;
const CLOSE = 93;
const COLON = 58;
const MINUS = 45;
const BAR = 124;

/**
 * Lines of no syslog format with a time at or near their head. Forms whose marks are surest come first; a time that stands
 * behind a word is looked for last. False when there is none.
 */
export function readGeneral(text: string, at: number, out: Head, inner: Inner): boolean {
  const first = text.charCodeAt(at);
  if (first === OPEN) return readBracketed(text, at, out, inner) || readBehindWords(text, at, out, inner);
  if (first === HASH) return readRspamdConsole(text, at, out);
  if (first === LESS) return readAttributes(text, text.indexOf(" ", at) + 1, out);
  const start = first === QUOTE || first === 42 ? at + 1 : at; // a quoted column; Cisco's "*Mar  1 ..." of an unset clock
  if (start > at && readStamp(text, start, out.stamp)) return finish(text, out, "syslog", inner);
  if (readDate(text, start, out.stamp)) return finish(text, out, "loose", inner);
  if (digit(text, at) >= 0 && readCounted(text, at, out, inner)) return true;
  return (
    readCompose(text, at, out, inner) ||
    readAccess(text, at, out) ||
    readAudit(text, at, out) ||
    readAttributes(text, at, out) ||
    readColumn(text, at, out) ||
    readBehindWords(text, at, out, inner)
  );
}

/** All after a time at the head. */
function finish(text: string, out: Head, style: Style, inner: Inner): true {
  const { end } = out.stamp;
  const mark = text.charCodeAt(end);
  out.timed = true;
  // "12:00:00: text", `"2026-01-27 06:36:56","text"`, "30:606|text": marks that end the column
  const marked = mark === COLON || mark === QUOTE || mark === 44 || mark === BAR || mark === TAB;
  readSource(
    text,
    marked ? skipMarks(text, end + (mark === QUOTE || mark === COLON ? 1 : 0)) : end,
    style,
    out,
    inner,
  );
  return true;
}

/** `[27/Jan/2026 06:36:56] text`, `[2026-01-27T06:36:56Z] text`, `[Sun Dec 04 04:47:44 2005] [error] text`, `[CEST Aug  6 10:14:52] text`. */
function readBracketed(text: string, at: number, out: Head, inner: Inner): boolean {
  let start = skipSpaces(text, at + 1);
  if (text.charCodeAt(start) === QUOTE) start++;
  const syslog = readStamp(text, start, out.stamp);
  if (syslog ? !readZone(text, out.stamp) : !readAnyDate(text, start, out.stamp)) return false;
  const end = skipSpaces(text, out.stamp.end);
  if (text.charCodeAt(end) !== CLOSE) return false;
  out.timed = true;
  const after = text.charCodeAt(end + 1) === COLON ? end + 2 : end + 1;
  readSource(text, after, syslog && monthWord(text, start) >= 0 ? "syslog" : "loose", out, inner);
  return true;
}

/** A date, also behind the name of a zone that we don't know. */
function readAnyDate(text: string, at: number, out: Stamp): boolean {
  if (readDate(text, at, out)) return true;
  const space = text.indexOf(" ", at);
  return space > at + 1 && space <= at + 5 && monthAt(text, space + 1) >= 0 && readDate(text, space + 1, out);
}

/** rspamd's console: `#81123(fuzzy): May 11 19:41:54 rspamd function: text`. */
function readRspamdConsole(text: string, at: number, out: Head): boolean {
  if (!readRspamdFile(text, at, out)) return false;
  const { message } = out;
  if (!readStamp(message, 0, out.stamp) && !readDate(message, 0, out.stamp)) return false;
  out.timed = true;
  const start = skipSpaces(message, out.stamp.end);
  out.message = message.slice(message.startsWith("rspamd ", start) ? start + 7 : start);
  return true;
}

/** RFC 6587's octet count before a syslog message: `123 <34>1 ...`. */
function readCounted(text: string, at: number, out: Head, inner: Inner): boolean {
  let i = at;
  while (i < at + 6 && digit(text, i) >= 0) i++;
  if (text.charCodeAt(i) !== SPACE || text.charCodeAt(i + 1) !== LESS) return false;
  return takeWhole(inner(text.slice(i + 1)), out);
}

/** docker compose's `name_1  | ` and `name-1  | ` before a line. */
function readCompose(text: string, at: number, out: Head, inner: Inner): boolean {
  let i = at;
  const stop = at + MAX_WORD;
  while (i < stop && isNameCharacter(text.charCodeAt(i))) i++;
  if (i === at) return false;
  const bar = skipSpaces(text, i);
  if (text.charCodeAt(bar) !== BAR || bar === i) return false;
  return takeWhole(inner(text.slice(skipSpaces(text, skipColor(text, bar + 1)))), out);
}

/** After a terminal's colour (ESC [ ... m), which compose puts around its prefix. */
export function skipColor(text: string, at: number): number {
  if (text.charCodeAt(at) !== 27 || text.charCodeAt(at + 1) !== OPEN) return at;
  let i = at + 2;
  while (i < at + 16 && (digit(text, i) >= 0 || text.charCodeAt(i) === 59)) i++;
  return text.charCodeAt(i) === 109 ? i + 1 : at;
}

/** Takes all of an inner line, its time too. */
function takeWhole(found: Head | undefined, out: Head): boolean {
  if (found === undefined) return false;
  copyStamp(out.stamp, found.stamp);
  out.timed = found.timed;
  out.host = "";
  takeSource(out, found);
  return true;
}

/** A web server's access log: `client ident user [10/Oct/2000:13:55:36 -0700] "GET ..."`. The message is the line without its time. */
function readAccess(text: string, at: number, out: Head): boolean {
  const head = text.slice(at, at + WINDOW);
  let open = head.indexOf(" [");
  for (let n = 0; n < 3 && open >= 0; n++, open = head.indexOf(" [", open + 1)) {
    const start = at + open + 2;
    if (text.charCodeAt(start + 2) !== 47 || !readDate(text, start, out.stamp)) continue; // dd/
    if (text.charCodeAt(out.stamp.end) !== CLOSE) continue;
    out.timed = true;
    out.message = text.slice(at, start - 2) + text.slice(out.stamp.end + 1);
    return true;
  }
  return false;
}

/** The kernel's audit records: `type=USER_LOGIN msg=audit(1373330716.415:4063): ...`. */
function readAudit(text: string, at: number, out: Head): boolean {
  const mark = text.slice(at, at + WINDOW).indexOf("msg=audit(");
  if (mark < 0 || !readDate(text, at + mark + 10, out.stamp)) return false;
  out.timed = true;
  out.program = "audit";
  out.message = text.slice(at);
  return true;
}

/** Times named by their writer among the first attributes: `time="2026-01-27T06:36:56Z" level=info msg=...`, `<co ts="..." .../>`. The message is the line. */
function readAttributes(text: string, at: number, out: Head): boolean {
  let i = at;
  for (let n = 0; n < 4; n++) {
    const equals = text.indexOf("=", i);
    if (equals < 0 || equals > i + 24) return false;
    const name = text.slice(i, equals);
    const quoted = text.charCodeAt(equals + 1) === QUOTE;
    const value = quoted ? equals + 2 : equals + 1;
    if (/^(?:time|ts|t|timestamp|date|datetime|@timestamp|_time)$/.test(name))
      if (readStamp(text, value, out.stamp) || readDate(text, value, out.stamp)) {
        out.timed = true;
        out.message = text.slice(at);
        return true;
      }
    const end = text.indexOf(quoted ? '" ' : " ", value);
    if (end < 0 || end > value + WINDOW) return false;
    i = end + (quoted ? 2 : 1);
  }
  return false;
}

/**
 * Epoch seconds in a later column of records that begin with a number, a dash or a label in capitals: supercomputers' logs
 * (`- 1117838570 2005.06.03 node ...`). The message is the line without its first column.
 */
function readColumn(text: string, at: number, out: Head): boolean {
  const first = text.indexOf(" ", at);
  if (first < 0 || first > at + 24) return false;
  const numbered = /^\d+$/.test(text.slice(at, first));
  if (!numbered && !/^(?:-|[A-Z][A-Z0-9_]*)$/.test(text.slice(at, first))) return false;
  let i = first + 1;
  for (let column = 1; column <= (numbered ? LAST_COLUMN : 1); column++) {
    const space = text.indexOf(" ", i);
    const end = space < 0 ? text.length : space;
    if (end > i + MAX_WORD) return false;
    const seconds = end - i === 10 ? Number(text.slice(i, end)) : Number.NaN;
    if (seconds >= 1_000_000_000 && seconds < 4_102_444_800) {
      stampOf(seconds * 1000, end, out.stamp);
      out.timed = true;
      out.message = text.slice(column === 1 ? skipSpaces(text, end) : first + 1);
      return true;
    }
    if (space < 0) return false;
    i = space + 1;
  }
  return false;
}

/**
 * A time behind a word or two: `INFO 2026-01-27 06:36:56 text`, `nova-api.log 2026-01-27 ...`, `pod container Jan 27 06:36:56 host
 * tag: text`, `host exim[7]: 2026-01-27 06:36:56 text`. A bracket counts as a word. Words that end in a colon are keys of some
 * text (`Date: ...`), unless they are a tag with a pid.
 */
function readBehindWords(text: string, at: number, out: Head, inner: Inner): boolean {
  let i = at;
  for (let n = 0; n < 2; n++) {
    const bracket = text.charCodeAt(i) === OPEN;
    const end = bracket ? bracketEnd(text, i) : text.indexOf(" ", i);
    if (end <= i || end > i + MAX_WORD) return false;
    if (!bracket && !isWord(text, i, end)) return readBehindTag(text, at, i, out);
    i = skipMarks(text, end);
    const style = readFullTime(text, i, out.stamp);
    if (style === undefined) continue;
    const level = severityOf(text.slice(at, end));
    if (style === "loose" && level === undefined && (n > 0 || !(bracket || isLabel(text.slice(at, end)))))
      return false;
    out.timed = true;
    out.severity = level;
    readSource(text, out.stamp.end, style, out, inner);
    return true;
  }
  return readBehindTag(text, at, i, out);
}

/** A word that is no prose: a file's or a container's name, an id. */
const isLabel = (word: string): boolean => /[0-9._-]/.test(word);

/** A time that holds date and clock, sure enough to stand behind other words. */
function readFullTime(text: string, at: number, out: Stamp): Style | undefined {
  const start = text.charCodeAt(at) === OPEN ? at + 1 : at;
  const syslog = readStamp(text, start, out);
  if (!syslog && (digit(text, start) < 0 || !readDate(text, start, out) || out.year === 0)) return undefined;
  if (start > at && text.charCodeAt(out.end) === CLOSE) out.end++;
  const next = text.charCodeAt(out.end);
  if (next !== SPACE && next !== COLON && next !== 44 && out.end !== text.length) return undefined;
  return syslog && out.year === 0 ? "syslog" : "loose";
}

/** `host program[pid]: 2026-01-27 06:36:56 text` or without host: a line whose writer repeats the time that was cut off. */
function readBehindTag(text: string, at: number, last: number, out: Head): boolean {
  const found = readTag(text, last) && tag.pid !== undefined ? last : -1;
  if (found < 0) return false;
  const { program, pid, end } = tag;
  if (!readStamp(text, end, out.stamp) || out.stamp.year === 0) return false;
  out.timed = true;
  out.host = found > at ? text.slice(at, text.indexOf(" ", at)) : "";
  out.program = program;
  out.pid = pid;
  out.message = text.slice(skipSpaces(text, out.stamp.end));
  return true;
}

/** Letters, digits and marks of names from `from` to `end`, with no colon at the end. */
function isWord(text: string, from: number, end: number): boolean {
  for (let i = from; i < end; i++) {
    const c = text.charCodeAt(i);
    if (!isNameCharacter(c) && c !== COLON && c !== 47 && c !== EQUALS) return false;
  }
  return text.charCodeAt(end - 1) !== COLON && text.charCodeAt(end - 1) !== EQUALS;
}

const isNameCharacter = (c: number): boolean =>
  (c >= 48 && c <= 57) || ((c | 32) >= 97 && (c | 32) <= 122) || c === MINUS || c === 95 || c === 46;
