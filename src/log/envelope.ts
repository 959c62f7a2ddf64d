import { newStamp, readStamp, type Stamp } from "./stamp.ts";
import type { LogClock } from "./year.ts";

/** The head of a log line, read: who wrote it and when. The message is what follows the tag. */
export type Envelope = {
  /** Milliseconds since the Unix epoch, or null when no time could be read (a bad envelope). */
  readonly time: number | null;
  /** As logged; "" when the format carries none. */
  readonly host: string;
  /** The tag without its pid, as logged: "postfix/submission/smtpd", "dovecot", "opendkim". "" when there is none. */
  readonly program: string;
  readonly pid: number | undefined;
  /** What remains of the line after the tag. Hostile: it may hold anything but LF. */
  readonly message: string;
};

/** RFC 3164 allows 32 characters; multi-instance Postfix and paths as tags are longer. Bounds the search for a tag's end. */
const MAX_TAG = 128;
/** A pid has at most 7 digits on Linux; thread and connection numbers of other programs are longer. */
const MAX_PID = 24;

const NUL = 0;
const SPACE = 32;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const LESS = 60;
const GREATER = 62;
const OPEN = 91;
const CLOSE = 93;
const BOM = 0xfeff;
const NOT_IN_TAGS = new Set(Array.from('=<>",;', (c) => c.charCodeAt(0)));

/** What readTag found; reused from line to line. */
type Tag = { program: string; pid: number | undefined; end: number };

const tag: Tag = { program: "", pid: undefined, end: 0 };
const stamp: Stamp = newStamp();

/**
 * Reads the head of a line: RFC 3164 (with or without host and `<PRI>`), year-first, RFC 3339, ISO with a blank,
 * RFC 5424. The format may change from line to line. Anything else has time null and the whole line as message.
 * Never throws; looks at a bounded head of the line.
 */
export function parseEnvelope(text: string, clock: LogClock): Envelope {
  let at = 0;
  while (text.charCodeAt(at) === NUL || text.charCodeAt(at) === BOM) at++;
  const afterPri = skipPri(text, at);
  const structured = readRfc5424(text, afterPri, clock);
  if (structured !== undefined) return structured;
  if (!readStamp(text, afterPri, stamp)) return bad(text, at);
  const time = clock.settle(stamp);
  if (time === null) return bad(text, at);
  const iso = stamp.year !== 0 && text.charCodeAt(afterPri + 10) === SPACE;
  return afterStamp(text, stamp.end, time, iso);
}

/** The time at a line's head alone, for ordering files and inferring years. False when there is none. */
export function readLineStamp(text: string, out: Stamp): boolean {
  let at = 0;
  while (text.charCodeAt(at) === NUL || text.charCodeAt(at) === BOM) at++;
  at = skipPri(text, at);
  return readStamp(text, skipVersion(text, at), out);
}

const bad = (text: string, at: number): Envelope => ({
  time: null,
  host: "",
  program: "",
  pid: undefined,
  message: at === 0 ? text : text.slice(at),
});

/** Host, tag and message after a time. An ISO time with a blank comes from files that have no host (Exim, applications). */
function afterStamp(text: string, end: number, time: number, mayLackHost: boolean): Envelope {
  let at = skipSpaces(text, end);
  if (text.charCodeAt(at) === COLON && text.charCodeAt(at + 1) === SPACE) at += 2; // Cisco: "Jan 27 06:36:56: "
  at = skipFacility(text, at);
  if (readTag(text, at)) return tagged(text, "", time);
  const space = text.indexOf(" ", at);
  if (space >= 0 && readTag(text, skipSpaces(text, space))) return tagged(text, text.slice(at, space), time);
  const start = mayLackHost || space < 0 ? at : skipSpaces(text, space);
  const host = mayLackHost || space < 0 ? "" : text.slice(at, space);
  return { time, host, program: "", pid: undefined, message: text.slice(start) };
}

const tagged = (text: string, host: string, time: number): Envelope => ({
  time,
  host,
  program: tag.program,
  pid: tag.pid,
  message: text.slice(skipSolarisId(text, tag.end)),
});

/**
 * Reads `program[pid]: `, `program: ` or `program[pid] ` at `at` into `tag`; tag.end is the message's start. False when
 * the text there is no tag. A colon inside a word (IPv6, Perl modules) doesn't end it.
 */
function readTag(text: string, at: number): boolean {
  const stop = Math.min(text.length, at + MAX_TAG);
  for (let i = at; i < stop; i++) {
    const c = text.charCodeAt(i);
    if (c === SPACE || NOT_IN_TAGS.has(c)) return false;
    if (i === at) continue;
    if (c === OPEN) return readPid(text, at, i);
    if (c === COLON && (i + 1 === text.length || text.charCodeAt(i + 1) === SPACE)) {
      tag.program = text.slice(at, i);
      tag.pid = undefined;
      tag.end = Math.min(text.length, i + 2);
      return true;
    }
  }
  return false;
}

/** The `[pid]` at `open`, with the colon and blank after it. What stands there need not be a number. */
function readPid(text: string, at: number, open: number): boolean {
  const stop = Math.min(text.length, open + MAX_PID + 2);
  let pid = 0;
  for (let i = open + 1; i < stop; i++) {
    const c = text.charCodeAt(i);
    if (c === CLOSE) {
      const colon = text.charCodeAt(i + 1) === COLON;
      if (!colon && i + 1 < text.length && text.charCodeAt(i + 1) !== SPACE) return false;
      const end = i + (colon ? 2 : 1);
      tag.program = text.slice(at, open);
      tag.pid = i > open + 1 && Number.isSafeInteger(pid) ? pid : undefined;
      tag.end = text.charCodeAt(end) === SPACE ? end + 1 : Math.min(end, text.length);
      return true;
    }
    if (c === SPACE || c === OPEN) return false;
    pid = c >= ZERO && c <= NINE ? pid * 10 + c - ZERO : Number.NaN;
  }
  return false;
}

function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at++;
  return at;
}

/** After `<134>` at `at`; `at` itself when there is none. RFC 3164 section 4.1.1. */
function skipPri(text: string, at: number): number {
  if (text.charCodeAt(at) !== LESS) return at;
  let i = at + 1;
  while (i <= at + 3 && text.charCodeAt(i) >= ZERO && text.charCodeAt(i) <= NINE) i++;
  return i > at + 1 && text.charCodeAt(i) === GREATER ? i + 1 : at;
}

/** After the `1 ` that begins an RFC 5424 header; `at` itself when there is none. */
const skipVersion = (text: string, at: number): number =>
  text.charCodeAt(at) === ZERO + 1 && text.charCodeAt(at + 1) === SPACE ? at + 2 : at;

/** After BSD syslogd's `<mail.info> ` (syslogd -v), which follows the time. */
function skipFacility(text: string, at: number): number {
  if (text.charCodeAt(at) !== LESS) return at;
  const stop = Math.min(text.length, at + 24); // longest: "<authpriv.warning>"
  for (let i = at + 1; i < stop; i++) if (text.charCodeAt(i) === GREATER) return skipSpaces(text, i + 1);
  return at;
}

/** After Solaris' `[ID 197553 mail.info] `. */
function skipSolarisId(text: string, at: number): number {
  if (text.charCodeAt(at) !== OPEN || !text.startsWith("[ID ", at)) return at;
  const close = text.indexOf("] ", at);
  return close >= 0 && close < at + 48 ? close + 2 : at;
}

/** RFC 5424 section 6: `1 TIME HOST APP PROCID MSGID SD MSG`. undefined when the text isn't that. */
function readRfc5424(text: string, at: number, clock: LogClock): Envelope | undefined {
  const start = skipVersion(text, at);
  if (start === at) return undefined;
  const nil = text.startsWith("- ", start);
  if (!nil && (!readStamp(text, start, stamp) || stamp.year === 0)) return undefined;
  const ends = fieldEnds(text, nil ? start + 1 : stamp.end);
  if (ends === undefined) return undefined;
  const [time, host, app, pid, id] = ends;
  const field = (from: number, to: number): string => {
    const value = text.slice(from + 1, to);
    return value === "-" ? "" : value;
  };
  const procid = Number(field(app!, pid!) || Number.NaN);
  return {
    time: nil ? null : clock.settle(stamp),
    host: field(time!, host!),
    program: field(host!, app!),
    pid: Number.isSafeInteger(procid) && procid >= 0 ? procid : undefined,
    message: text.slice(skipStructuredData(text, id! + 1)),
  };
}

/** Where the time ends (given) and host, app, procid and msgid end: the blanks after them. undefined when one is missing. */
function fieldEnds(text: string, timeEnd: number): number[] | undefined {
  if (text.charCodeAt(timeEnd) !== SPACE) return undefined;
  const ends = [timeEnd];
  for (let i = 0; i < 4; i++) {
    const end = text.indexOf(" ", ends[i]! + 1);
    if (end < 0 || end === ends[i]! + 1 || end - ends[i]! > 256) return undefined; // 255: longest field, RFC 5424 section 6
    ends.push(end);
  }
  return ends;
}

/** The message's start after `-` or `[id name="value"]...`; in values `"`, `\` and `]` are escaped by a backslash. */
function skipStructuredData(text: string, from: number): number {
  let at = from;
  if (text.charCodeAt(at) === OPEN) {
    let quoted = false;
    for (; at < text.length; at++) {
      const c = text[at];
      if (quoted && c === "\\") at++;
      else if (c === '"') quoted = !quoted;
      else if (!quoted && c === "]" && text.charCodeAt(at + 1) !== OPEN) break;
    }
  }
  at = Math.min(text.length, at + 1);
  if (text.charCodeAt(at) === SPACE) at++;
  return text.charCodeAt(at) === BOM ? at + 1 : at;
}
