import type { Head } from "./head.ts";
import { readStamp } from "./stamp.ts";

/** Longest field of the header. RFC 5424 section 6: the host, 255 characters. */
const MAX_FIELD = 256;

const SPACE = 32;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const OPEN = 91;
const BOM = 0xfeff;

/** Where the header's fields end; reused from line to line. */
const ends = new Int32Array(5);

/** After the version and its blank at `at`: `1 `, and after a `<PRI>` up to three digits; `at` itself when there is none. */
export function skipVersion(text: string, at: number, pri: boolean): number {
  const first = text.charCodeAt(at);
  if (first <= ZERO || !(first <= NINE)) return at;
  if (text.charCodeAt(at + 1) === SPACE) return pri || first === ZERO + 1 ? at + 2 : at;
  if (!pri) return at;
  let i = at + 1;
  while (i < at + 3 && text.charCodeAt(i) >= ZERO && text.charCodeAt(i) <= NINE) i++;
  return text.charCodeAt(i) === SPACE ? i + 1 : at;
}

/**
 * RFC 5424 section 6: `TIME HOST APP PROCID MSGID SD MSG` after the version. False when the text isn't that. A line without
 * `<PRI>` must have a time: "1 - 2 of 3 ..." may be any text.
 */
export function readRfc5424(text: string, at: number, pri: boolean, out: Head): boolean {
  const nil = pri && text.startsWith("- ", at);
  if (!nil && (!readStamp(text, at, out.stamp) || out.stamp.year === 0)) return false;
  if (!findFields(text, nil ? at + 1 : out.stamp.end)) return false;
  out.timed = !nil;
  out.host = field(text, 0);
  out.program = field(text, 1);
  out.pid = numberBetween(text, ends[2]! + 1, ends[3]!);
  out.message = text.slice(skipStructuredData(text, ends[4]! + 1));
  return true;
}

/** The field after the `i`th end; "" for nil. */
function field(text: string, i: number): string {
  const from = ends[i]! + 1;
  const end = ends[i + 1]!;
  return end === from + 1 && text.charCodeAt(from) === MINUS ? "" : text.slice(from, end);
}

/** A number of at most 15 digits; undefined for all else (a PROCID need not be one). */
function numberBetween(text: string, from: number, end: number): number | undefined {
  if (end - from > 15) return undefined;
  let value = 0;
  for (let i = from; i < end; i++) {
    const c = text.charCodeAt(i);
    if (!(c >= ZERO && c <= NINE)) return undefined;
    value = value * 10 + c - ZERO;
  }
  return value;
}

/** Finds where the time (given), host, app, procid and msgid end: the blanks after them. False when one is missing. */
function findFields(text: string, timeEnd: number): boolean {
  if (text.charCodeAt(timeEnd) !== SPACE) return false;
  ends[0] = timeEnd;
  for (let i = 0; i < 4; i++) {
    const from = ends[i]!;
    const end = text.indexOf(" ", from + 1);
    if (end < 0 || end === from + 1 || end - from > MAX_FIELD) return false;
    ends[i + 1] = end;
  }
  return true;
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
