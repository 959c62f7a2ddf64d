import { readApplication } from "./application.ts";
import {
  readDovecotFile,
  readEximFile,
  readEximSentence,
  readRspamdFile,
  skipEximPid,
} from "./daemon-file.ts";
import { type Head, type Inner, readPaddedTag, readTag, skipSpaces, tag, takeSource } from "./head.ts";
import { severityOf } from "./levels.ts";
import { monthAt } from "./months.ts";
import { newStamp, readStamp, type Stamp } from "./stamp.ts";

/**
 * How a line's time was written, which tells what may follow. "syslog" (RFC 3164) and "iso" (RFC 3339): a host, a tag or
 * both. "docker" (RFC 3339 with nanoseconds in UTC): the text of a container. "loose" (a blank between date and clock, or
 * any other form): rarely a host.
 */
export type Style = "syslog" | "iso" | "docker" | "loose";

const SPACE = 32;
const ASTERISK = 42;
const MINUS = 45;
const DOT = 46;
const SLASH = 47;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const LESS = 60;
const GREATER = 62;
const UPPER_A = 65;
const UPPER_S = 83;
const UPPER_Z = 90;
const OPEN = 91;
const CLOSE = 93;
const BRACE = 123;
/** Longest name of a host, RFC 1035. */
const MAX_HOST = 255;
/** Longest of BSD's and Solaris' heads in brackets: "<authpriv.warning>", "[ID 197553 authpriv.warning] ". */
const MAX_FACILITY = 24;
const MAX_SOLARIS = 48;

/**
 * Tags of container engines' log drivers (docker's default is the container's id), whose messages are lines of the container.
 * Other programs may log what a stranger wrote, and a line made up there must stay text.
 */
const CONTAINER = /^(?:docker|podman|conmon|containerd|kubelet)|^[0-9a-f]{12}(?:[0-9a-f]{52})?$/;

/** Syslog's names for what a message is about, RFC 5424 table 1. */
const FACILITIES = new Set(
  "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp local0 local1 local2 local3 local4 local5 local6 local7".split(
    " ",
  ),
);

const nestedStamp: Stamp = newStamp();

/** Host, tag and message after a time that ends at `end`. */
export function readSource(text: string, end: number, style: Style, out: Head, inner: Inner): void {
  let at = skipSpaces(text, end);
  const first = text.charCodeAt(at);
  if (first === COLON && text.charCodeAt(at + 1) === SPACE)
    at += 2; // Cisco: "Jan 27 06:36:56: "
  else if (first === LESS) at = skipFacility(text, at);
  if (isNested(text, at) && takeInner(text, at, out, inner)) return;
  if (style !== "syslog" && readSpecial(text, at, style, out, inner)) return;
  if (readTag(text, at)) {
    if (tag.pid === undefined && readUnusualTag(text, at, style, out)) return;
    tagged(text, "", out, inner);
    return;
  }
  const space = text.indexOf(" ", at);
  if (space > at && isHost(text, at, space, style)) {
    const next = skipNamedFacility(text, skipSpaces(text, space));
    if (readTag(text, next) && (style !== "loose" || tag.pid !== undefined || !isSentence(text, at, space))) {
      tagged(text, hostName(text, at, space), out, inner);
      return;
    }
    if (isNested(text, next) && takeInner(text, next, out, inner)) {
      if (out.host === "") out.host = hostName(text, at, space);
      return;
    }
    if (readPaddedTag(text, at, space)) {
      tagged(text, "", out, inner);
      return;
    }
    if (style === "syslog" || style === "iso") {
      if (readDovecotFile(text, at, out)) return;
      out.host = hostName(text, at, space);
      out.message = text.slice(skipSpaces(text, space));
      return;
    }
  }
  if (readDovecotFile(text, at, out)) return;
  if (style === "syslog") out.message = text.slice(at);
  else if (style !== "loose" || !readEximSentence(text, at, out)) readApplication(text, at, out);
}

/**
 * Host and tag of the plainest lines, `host program[pid]: text` and `program[pid]: text` in small letters, after a time that ends
 * at `end`: the index where the host ends (`end` + 1 when there is none), with the rest in `tag`; -1 for all that readSource
 * must look at. It says what readSource would, sooner.
 */
export function plainSource(text: string, end: number): number {
  const at = end + 1;
  const first = text.charCodeAt(at);
  if (text.charCodeAt(end) !== SPACE || !(first >= 97 && first <= 122)) return -1;
  let host = at;
  if (!readTag(text, at)) {
    host = text.indexOf(" ", at);
    const next = text.charCodeAt(host + 1);
    if (host < 0 || text.charCodeAt(host - 1) === COLON || !(next >= 97 && next <= 122)) return -1;
    if (first === 115 && text.startsWith("std", at)) return -1; // "stdout F"
    if (!readTag(text, host + 1)) return -1;
  } else if (tag.pid === undefined) return -1;
  const start = tag.end;
  if (text.charCodeAt(start) === OPEN || isNested(text, start) || tag.program === "exim") return -1;
  return host;
}

/** What only follows times of files and containers. */
function readSpecial(text: string, at: number, style: Style, out: Head, inner: Inner): boolean {
  const c = text.charCodeAt(at);
  if (c === BRACE || (c === OPEN && style === "docker")) return takeInner(text, at, out, inner);
  if (c === 115 && readCri(text, at, out, inner)) return true;
  if (style !== "loose") return c >= UPPER_A && c <= UPPER_Z && readLeveled(text, at, out);
  if (readRspamdFile(text, at, out) || readEximFile(text, at, out)) return true;
  return c >= UPPER_A && c <= UPPER_Z && readLeveled(text, at, out);
}

/** `INFO logger: text`: a level in capitals is no host. */
function readLeveled(text: string, at: number, out: Head): boolean {
  const space = text.indexOf(" ", at);
  if (space < at + 4 || space > at + 14) return false;
  const word = text.slice(at, space);
  if (word !== word.toUpperCase() || severityOf(word) === undefined) return false;
  readApplication(text, at, out);
  return true;
}

/** Kubernetes' `stdout F text` (container runtime interface, kubelet's logs.go): F is a full line, P a part of one. */
function readCri(text: string, at: number, out: Head, inner: Inner): boolean {
  if (!text.startsWith("stdout ", at) && !text.startsWith("stderr ", at)) return false;
  const kind = text.charAt(at + 7);
  if (kind !== "F" && kind !== "P") return false;
  const space = text.indexOf(" ", at + 7);
  if (space > at + 40) return false;
  const start = space < 0 ? text.length : space + 1;
  if (!takeInner(text, start, out, inner)) readBare(text, start, out, inner);
  return true;
}

/** A text without time of its own: perhaps a tag, else an application's words. */
export function readBare(text: string, at: number, out: Head, inner: Inner): void {
  if (readTag(text, at) && severityOf(tag.program) === undefined) tagged(text, "", out, inner);
  else readApplication(text, at, out);
}

function takeInner(text: string, at: number, out: Head, inner: Inner): boolean {
  const found = inner(text.slice(at));
  if (found === undefined) return false;
  takeSource(out, found);
  return true;
}

/** Could another time stand here? Cheap, and true for every form that syslog daemons write. */
function isNested(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  if (c >= UPPER_A && c <= UPPER_S) return text.charCodeAt(at + 3) === SPACE && monthAt(text, at) >= 0;
  if (c >= ZERO && c <= NINE) {
    const mark = text.charCodeAt(at + 4);
    if (mark === MINUS || mark === SLASH) return text.charCodeAt(at + 7) === mark;
    return mark === SPACE && monthAt(text, at + 5) >= 0;
  }
  return c === LESS && text.charCodeAt(at + 1) >= ZERO && text.charCodeAt(at + 1) <= NINE;
}

/** Fills in a line with the tag just read. */
function tagged(text: string, host: string, out: Head, inner: Inner): void {
  let start = tag.end;
  out.host = host;
  out.program = tag.program;
  out.pid = tag.pid;
  if (text.charCodeAt(start) === OPEN) start = skipSolarisId(text, start);
  if (isNested(text, start)) {
    if (tag.program === "exim") start = skipEximTime(text, start, out);
    else if (CONTAINER.test(tag.program) && hasWholeHead(text, start) && takeInner(text, start, out, inner))
      return;
  } else if (tag.program === "exim") start = skipEximPid(text, start, out);
  out.message = text.slice(start);
}

/** Whether a time at `at` is followed by host and tag, or by a tag with a pid: a line inside a line, not just a program's own time. */
function hasWholeHead(text: string, from: number): boolean {
  const at = text.charCodeAt(from) === LESS ? text.indexOf(">", from) + 1 : from;
  if (at <= 0 || at > from + 5 || !readStamp(text, at, nestedStamp)) return false;
  const start = skipSpaces(text, nestedStamp.end);
  const { program, pid, end } = tag;
  let whole = readTag(text, start) && tag.pid !== undefined;
  if (!whole) {
    const space = text.indexOf(" ", start);
    whole = space > start && isHost(text, start, space, "iso") && readTag(text, skipSpaces(text, space));
  }
  tag.program = program;
  tag.pid = pid;
  tag.end = end;
  return whole;
}

/** Exim with syslog_timestamp writes its own time and pid into the message. */
function skipEximTime(text: string, at: number, out: Head): number {
  return readStamp(text, at, nestedStamp) ? skipEximPid(text, skipSpaces(text, nestedStamp.end), out) : at;
}

/** A tag without host and pid may be a level, or Dovecot's own file: a service with its user in parentheses, or a level. */
function readUnusualTag(text: string, at: number, style: Style, out: Head): boolean {
  const level = severityOf(tag.program) !== undefined;
  if ((level || tag.program.endsWith(")")) && readDovecotFile(text, at, out)) return true;
  if (!level || style === "syslog") return false;
  readApplication(text, at, out);
  return true;
}

/** Could the word from `at` to `space` be a host? */
function isHost(text: string, at: number, space: number, style: Style): boolean {
  const first = text.charCodeAt(at);
  const last = text.charCodeAt(space - 1);
  if (last === COLON && space - at > 2) return false;
  const letter = (first | 32) >= 97 && (first | 32) <= 122;
  if (letter || first >= 128) return true;
  if (first >= ZERO && first <= NINE) return style === "syslog" || !allDigits(text, at, space);
  if (first === OPEN)
    return last === CLOSE && style !== "loose" && style !== "docker" && isAddress(text, at, space);
  if (first === MINUS) return space === at + 1; // nil
  return (first === 95 || first === COLON || first === DOT) && space > at + 1;
}

/** Relays write `[192.0.2.1]`. */
function isAddress(text: string, at: number, space: number): boolean {
  for (let i = at + 1; i < space - 1; i++) {
    const c = text.charCodeAt(i);
    const hex = (c >= ZERO && c <= NINE) || ((c | 32) >= 97 && (c | 32) <= 102);
    if (!hex && c !== DOT && c !== COLON) return false;
  }
  return space > at + 6;
}

/** A host as logged, without its brackets; "" for nil. */
function hostName(text: string, at: number, space: number): string {
  const first = text.charCodeAt(at);
  if (first === OPEN) return text.slice(at + 1, space - 1);
  return first === MINUS ? "" : text.slice(at, space);
}

/** `Blocking foo: x`, `SMTP Server: x`: a capital begins a sentence, and a host only with a digit, dot or dash or beside a tag with a pid. */
function isSentence(text: string, at: number, space: number): boolean {
  const first = text.charCodeAt(at);
  return (
    first >= UPPER_A && first <= UPPER_Z && !/[0-9.-]/.test(text.slice(at, Math.min(space, at + MAX_HOST)))
  );
}

function allDigits(text: string, at: number, end: number): boolean {
  for (let i = at; i < end; i++)
    if (!(text.charCodeAt(i) >= ZERO && text.charCodeAt(i) <= NINE)) return false;
  return true;
}

/** After BSD syslogd's `<mail.info> ` or `<2.6> ` (syslogd -v and -vv), which follows the time. */
function skipFacility(text: string, at: number): number {
  const stop = Math.min(text.length, at + MAX_FACILITY);
  for (let i = at + 1; i < stop; i++) {
    const c = text.charCodeAt(i);
    if (c === GREATER && i > at + 1 && text.charCodeAt(i + 1) === SPACE) return skipSpaces(text, i + 1);
    const fits =
      ((c | 32) >= 97 && (c | 32) <= 122) || (c >= ZERO && c <= NINE) || c === DOT || c === ASTERISK;
    if (!fits) return at;
  }
  return at;
}

/** After `mail:info ` or `mail.info `, which AIX and some templates put behind the host, and AIX's `Message forwarded from host2: `. */
function skipNamedFacility(text: string, from: number): number {
  let at = from;
  for (let i = at + 3; i < at + 9; i++) {
    const c = text.charCodeAt(i);
    if (c === SPACE) break;
    if ((c !== COLON && c !== DOT) || !FACILITIES.has(text.slice(at, i))) continue;
    const space = text.indexOf(" ", i);
    if (severityOf(text.slice(i + 1, Math.min(space, i + 14))) !== undefined) at = skipSpaces(text, space);
    break;
  }
  if (text.startsWith("Message forwarded from ", at)) {
    const colon = text.indexOf(": ", at);
    if (colon > 0 && colon < at + 280) at = colon + 2;
  }
  return at;
}

/** After Solaris' `[ID 197553 mail.info] `. */
function skipSolarisId(text: string, at: number): number {
  if (!text.startsWith("[ID ", at)) return at;
  const close = text.indexOf("] ", at);
  return close >= 0 && close < at + MAX_SOLARIS ? close + 2 : at;
}
