import { readLateYear } from "./date.ts";
import { readZoneName } from "./day-clock.ts";
import { readGeneral, skipColor } from "./general.ts";
import { copyStamp, type Head, newHead, tag } from "./head.ts";
import { readJson } from "./json.ts";
import { readRfc5424, skipVersion } from "./rfc5424.ts";
import { plainSource, readSource, type Style } from "./source.ts";
import { readOffset, readStamp, type Stamp } from "./stamp.ts";
import { readTai64 } from "./tai64.ts";
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
  /** 0 (emergency) to 7 (debug), RFC 5424 section 6.2.1, when the head tells: `<PRI>`, PRIORITY, an application's level. */
  readonly severity?: number;
};

/** Lines inside of lines (a docker prefix around JSON around syslog): deeper ones stay text. */
const MAX_DEPTH = 3;
/** Blanks before a time that are no sign of a continuation line. */
const MAX_INDENT = 8;

const NUL = 0;
const SPACE = 32;
const ZERO = 48;
const NINE = 57;
const LESS = 60;
const GREATER = 62;
const AT = 64;
const UPPER_A = 65;
const UPPER_Z = 90;
const BRACE = 123;
const ESCAPE = 27;
const DOT = 46;
const BOM = 0xfeff;

const head: Head = newHead();

/**
 * Reads the head of a line. The format is found line by line, cheap and sure ones first: RFC 5424, RFC 3164 with its
 * variants and RFC 3339 (readSource), TAI64, JSON, and what readGeneral knows. A line without a readable time
 * has time null and the whole line as message. Never throws; beside JSON it looks at a bounded head of the line.
 */
export function parseEnvelope(text: string, clock: LogClock): Envelope {
  const at = lineStart(text);
  const plain = readPlain(text, at, clock);
  if (plain !== undefined) return plain;
  if (!readHead(text, at, head, 0)) return bad(text, at);
  const time = head.timed ? clock.settle(head.stamp) : null;
  if (time === null && head.timed) return bad(text, at);
  const { host, program, pid, message, severity } = head;
  return severity === undefined
    ? { time, host, program, pid, message }
    : { time, host, program, pid, message, severity };
}

/** The most common lines, RFC 3164 and RFC 3339 with a plain host and tag, read without detours; undefined for all others. */
function readPlain(text: string, at: number, clock: LogClock): Envelope | undefined {
  const { stamp } = head;
  if (text.charCodeAt(at) === LESS || !readStamp(text, at, stamp) || text.charCodeAt(at + 10) === SPACE)
    return undefined;
  const end = plainSource(text, stamp.end);
  if (end < 0) return undefined;
  const time = clock.settle(stamp);
  if (time === null) return undefined;
  return {
    time,
    host: text.slice(stamp.end + 1, end),
    program: tag.program,
    pid: tag.pid,
    message: text.slice(tag.end),
  };
}

/** The time at a line's head alone, for ordering files and inferring years. False when there is none. */
export function readLineStamp(text: string, out: Stamp): boolean {
  const at = lineStart(text);
  const pri = skipPri(text, at);
  if (readStamp(text, skipVersion(text, pri, pri > at), out)) return true;
  if (!readHead(text, at, head, 0) || !head.timed) return false;
  copyStamp(out, head.stamp);
  return true;
}

const bad = (text: string, at: number): Envelope => ({
  time: null,
  host: "",
  program: "",
  pid: undefined,
  message: at === 0 ? text : text.slice(at),
});

function lineStart(text: string): number {
  let at = 0;
  while (text.charCodeAt(at) === NUL || text.charCodeAt(at) === BOM) at++;
  return at;
}

/** A line inside of another; a Head of its own, since the outer one is still being filled. */
const inners = Array.from({ length: MAX_DEPTH + 1 }, (_, depth) => (text: string): Head | undefined => {
  if (depth >= MAX_DEPTH) return undefined;
  const own = newHead();
  return readHead(text, 0, own, depth + 1) ? own : undefined;
});

/** Reads a line from `at` into `out`; `depth` counts the lines around it. False when there is no format and no time. */
function readHead(text: string, from: number, out: Head, depth: number): boolean {
  const at = skipPri(text, from);
  out.severity = at > from ? severityOfPri(text, from + 1, at - 1) : undefined;
  const version = skipVersion(text, at, at > from);
  if (version > at && readRfc5424(text, version, at > from, out)) return true;
  out.host = "";
  out.program = "";
  out.pid = undefined;
  out.message = "";
  out.timed = false;
  const inner = inners[depth]!;
  if (readStamp(text, at, out.stamp)) {
    out.timed = true;
    const style = styleOf(text, at, out.stamp);
    if (style !== "docker") readLateZone(text, out.stamp);
    readSource(text, out.stamp.end, style, out, inner);
    return true;
  }
  const first = text.charCodeAt(at);
  if (first === AT) {
    if (!readTai64(text, at, out.stamp)) return false;
    out.timed = true;
    readSource(text, out.stamp.end, "loose", out, inner);
    return true;
  }
  if (first === BRACE) return readJson(at === 0 ? text : text.slice(at), out, inner);
  if (first === SPACE) return readIndented(text, at, out, depth);
  if (first === ESCAPE) {
    const after = skipColor(text, at);
    return after > at && depth < MAX_DEPTH && readHead(text, after, out, depth + 1);
  }
  return readGeneral(text, at, out, inner);
}

/** A line that was copied with some blanks before it. A tag or host must follow the time: else it is the text of a line before. */
function readIndented(text: string, from: number, out: Head, depth: number): boolean {
  let at = from;
  while (at < from + MAX_INDENT && text.charCodeAt(at) === SPACE) at++;
  if (text.charCodeAt(at) === BRACE) return readJson(text.slice(at), out, inners[depth]!);
  if (!readStamp(text, at, out.stamp)) return false;
  out.timed = true;
  readSource(text, out.stamp.end, styleOf(text, at, out.stamp), out, inners[depth]!);
  return out.program !== "";
}

/** A zone's name, an offset or a year that stands apart behind a time: `06:36:56 UTC mail`, `06:36:56 2026 mail`. */
function readLateZone(text: string, stamp: Stamp): void {
  const { end } = stamp;
  if (text.charCodeAt(end) !== SPACE || !Number.isNaN(stamp.offset)) return;
  const next = text.charCodeAt(end + 1);
  if (next >= UPPER_A && next <= UPPER_Z) {
    if (
      text.charCodeAt(end + 3) === SPACE ||
      text.charCodeAt(end + 4) === SPACE ||
      text.charCodeAt(end + 5) === SPACE
    )
      readZoneName(text, stamp);
  } else if ((next === 49 || next === 50) && stamp.year === 0) readLateYear(text, stamp);
  else if ((next === 43 || next === 45) && text.charCodeAt(end + 6) === SPACE && !readOffset(text, stamp))
    stamp.offset = Number.NaN;
}

/** How the stamp that begins at `at` was written. */
function styleOf(text: string, at: number, stamp: Stamp): Style {
  const { end } = stamp;
  const first = text.charCodeAt(at + 4);
  if (stamp.year === 0 || first !== 45) return "syslog";
  if (text.charCodeAt(at + 10) === SPACE) return "loose";
  return end === at + 30 && text.charCodeAt(end - 1) === UPPER_Z && text.charCodeAt(end - 11) === DOT
    ? "docker"
    : "iso";
}

/** The severity in the digits of a `<PRI>`: the remainder by eight. */
function severityOfPri(text: string, from: number, end: number): number {
  let pri = 0;
  for (let i = from; i < end; i++) pri = pri * 10 + text.charCodeAt(i) - ZERO;
  return pri & 7;
}

/** After `<134>` at `at`; `at` itself when there is none. RFC 3164 section 4.1.1. */
function skipPri(text: string, at: number): number {
  if (text.charCodeAt(at) !== LESS) return at;
  let i = at + 1;
  while (i <= at + 3 && text.charCodeAt(i) >= ZERO && text.charCodeAt(i) <= NINE) i++;
  return i > at + 1 && text.charCodeAt(i) === GREATER ? i + 1 : at;
}
