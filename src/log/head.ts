import { newStamp, type Stamp } from "./stamp.ts";

/** What the readers of one format found in a line. Reused from line to line. */
export type Head = {
  readonly stamp: Stamp;
  /** False when the format says that there is no time (RFC 5424's nil). */
  timed: boolean;
  host: string;
  program: string;
  pid: number | undefined;
  message: string;
  /** 0 (emergency) to 7 (debug) as in RFC 5424 section 6.2.1, when the head tells. */
  severity: number | undefined;
};

export const newHead = (): Head => ({
  stamp: newStamp(),
  timed: false,
  host: "",
  program: "",
  pid: undefined,
  message: "",
  severity: undefined,
});

/** Reads a text that a wrapper (docker, JSON, another syslog) holds; a new Head, or undefined when it has no time of its own. */
export type Inner = (text: string) => Head | undefined;

/** `from`, the stamp left out: the wrapper's time is the one that orders the file. */
export function takeSource(out: Head, from: Head): void {
  if (from.host !== "") out.host = from.host;
  out.program = from.program;
  out.pid = from.pid;
  out.message = from.message;
  out.severity = from.severity ?? out.severity;
}

export function copyStamp(out: Stamp, from: Stamp): void {
  out.end = from.end;
  out.year = from.year;
  out.month = from.month;
  out.day = from.day;
  out.msOfDay = from.msOfDay;
  out.offset = from.offset;
}

/** RFC 3164 allows 32 characters; multi-instance Postfix and paths as tags are longer. Bounds the search for a tag's end. */
const MAX_TAG = 128;
/** A pid has at most 7 digits on Linux; thread and connection numbers of other programs are longer. */
const MAX_PID = 24;

const SPACE = 32;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;
const NOT_IN_TAGS = new Uint8Array(128);
for (const c of '=<>",;{}|') NOT_IN_TAGS[c.charCodeAt(0)] = 1;

/** What readTag found; reused from line to line. */
export type Tag = { program: string; pid: number | undefined; end: number };
export const tag: Tag = { program: "", pid: undefined, end: 0 };

/**
 * Reads `program[pid]: `, `program: ` or `program[pid] ` at `at` into `tag`; tag.end is the message's start. False when
 * the text there is no tag. A colon inside a word (IPv6, Perl modules) doesn't end it.
 */
export function readTag(text: string, at: number): boolean {
  const stop = Math.min(text.length, at + MAX_TAG);
  for (let i = at; i < stop; i++) {
    const c = text.charCodeAt(i);
    if (c === SPACE || (c < 128 && NOT_IN_TAGS[c] === 1)) return false;
    if (i === at) {
      if (c === OPEN) return readBracketed(text, at);
      continue;
    }
    if (c === OPEN) return readPid(text, at, i, i);
    if (c === COLON && (i + 1 === text.length || text.charCodeAt(i + 1) === SPACE)) {
      tag.program = text.slice(at, i);
      tag.pid = undefined;
      tag.end = Math.min(text.length, i + 2);
      return true;
    }
  }
  return false;
}

/** The `[pid]` at `open`, with the colon and blank after it, of the program from `at` to `end`. What stands there need not be a number. */
function readPid(text: string, at: number, end: number, open: number): boolean {
  const stop = Math.min(text.length, open + MAX_PID + 2);
  let pid = 0;
  for (let i = open + 1; i < stop; i++) {
    const c = text.charCodeAt(i);
    if (c === CLOSE) {
      const colon = text.charCodeAt(i + 1) === COLON;
      if (!colon && i + 1 < text.length && text.charCodeAt(i + 1) !== SPACE) return false;
      const after = i + (colon ? 2 : 1);
      tag.program = text.slice(at, end);
      tag.pid = i > open + 1 && Number.isSafeInteger(pid) ? pid : undefined;
      tag.end = text.charCodeAt(after) === SPACE ? after + 1 : Math.min(after, text.length);
      return true;
    }
    if (c === SPACE || c === OPEN) return false;
    pid = c >= ZERO && c <= NINE ? pid * 10 + c - ZERO : Number.NaN;
  }
  return false;
}

/** `[program][pid]: `, a tag in brackets. */
function readBracketed(text: string, at: number): boolean {
  const stop = Math.min(text.length, at + MAX_TAG);
  for (let i = at + 1; i < stop; i++) {
    const c = text.charCodeAt(i);
    if (c === CLOSE) return i > at + 1 && text.charCodeAt(i + 1) === OPEN && bracketed(text, at, i);
    if (c === SPACE || c === OPEN || (c < 128 && NOT_IN_TAGS[c] === 1)) return false;
  }
  return false;
}

function bracketed(text: string, at: number, close: number): boolean {
  if (!readPid(text, at, close + 1, close + 1)) return false;
  tag.program = text.slice(at + 1, close);
  return true;
}

/** `program      [pid]: `, padded as Python's logging writes it; the program ends at `end`, before blanks. */
export function readPaddedTag(text: string, at: number, end: number): boolean {
  const open = skipSpaces(text, end);
  const next = text.charCodeAt(open + 1);
  return text.charCodeAt(open) === OPEN && next >= ZERO && next <= NINE && readPid(text, at, end, open)
    ? text.charCodeAt(tag.end - 2) === COLON || text.charCodeAt(tag.end - 1) === COLON
    : false;
}

export function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at++;
  return at;
}
