import { type Head, skipSpaces } from "./head.ts";
import { severityOf } from "./levels.ts";

/** Longest logger, thread and level looked for, in characters. */
const MAX_NAME = 128;
/** Marks between the columns of a head, in characters. */
const MAX_MARKS = 64;
const MAX_NUMBER = 20;
/** Levels of Android's log, which writes one letter after pid and thread. */
const LETTERS = "VDIWEF";
const LETTER_SEVERITY = [7, 7, 6, 4, 3, 2];

const TAB = 9;
const SPACE = 32;
const COMMA = 44;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const LESS = 60;
const GREATER = 62;
const OPEN = 91;
const CLOSE = 93;
const BAR = 124;

/**
 * What applications write after a time: `25746 INFO nova.wsgi [req-1] text`, `INFO [main] org.x.Y: text`,
 * `148 INFO dfs.DataNode: text`, `[notice] text`, `[core:error] [pid 7:tid 8] text`, `1702 2395 D Manager: text`.
 * Takes pid, level and logger where they stand plainly; all else is the message. Never fails.
 */
export function readApplication(text: string, at: number, out: Head): void {
  const start = skipMarks(text, at);
  let i = start;
  let pid: number | undefined;
  let numbers = 0;
  for (; numbers < 2; numbers++) {
    const end = numberEnd(text, i);
    if (end === i || text.charCodeAt(end) !== SPACE) break;
    if (numbers === 0) pid = Number(text.slice(i, end));
    i = skipMarks(text, end);
  }
  let end = readLevel(text, i, out, numbers === 2);
  if (end < 0 && text.charCodeAt(i) === OPEN) {
    const close = bracketEnd(text, i); // "[main] INFO logger - text"
    if (close > 0) end = readLevel(text, skipMarks(text, close), out, false);
  }
  if (end < 0) {
    out.message = text.slice(start);
    return;
  }
  out.pid = pid !== undefined && Number.isSafeInteger(pid) ? pid : undefined;
  i = readApachePid(text, skipMarks(text, end), out);
  const logger = text.charCodeAt(i) === OPEN ? Math.max(i, skipMarks(text, bracketEnd(text, i))) : i;
  out.message = text.slice(readLogger(text, logger, out) || i);
}

/** After the logger and its colon at `at`; 0 when no plain name stands there. */
function readLogger(text: string, at: number, out: Head): number {
  let i = at;
  let dot = false;
  const stop = Math.min(text.length, at + MAX_NAME);
  for (; i < stop; i++) {
    const c = text.charCodeAt(i);
    if (c === COLON || c === SPACE || c === TAB) break;
    if (!isNameCharacter(c)) return 0;
    if (c === 46) dot = i > at;
  }
  if (i === at || i === stop) return 0;
  const blank = text.charCodeAt(i + 1) === SPACE;
  const first = text.charCodeAt(at);
  if (first >= ZERO && first <= NINE) return 0;
  if (text.charCodeAt(i) === COLON) {
    if (!blank) return 0;
  } else if (!blank && !(dot && (text.startsWith(" [", i) || text.startsWith(" - ", i)))) return 0;
  const name = text.slice(at, i);
  if (severityOf(name) !== undefined) return 0;
  out.program = name;
  return skipMarks(text, i);
}

/** Letters, digits and what Java, Python and Go put into the names of loggers. */
const isNameCharacter = (c: number): boolean =>
  (c >= ZERO && c <= NINE) ||
  ((c | 32) >= 97 && (c | 32) <= 122) ||
  c === 95 || // _
  c === 46 || // .
  c === 36 || // $
  c === MINUS ||
  c === 47 || // /
  c === 64; // @

/** After a level at `at`, with its brackets; -1 when there is none. A word of prose ("error opening x") is none. */
function readLevel(text: string, at: number, out: Head, letters: boolean): number {
  const first = text.charCodeAt(at);
  if (letters && text.charCodeAt(at + 1) === SPACE) {
    const letter = LETTERS.indexOf(text.charAt(at));
    if (letter >= 0) {
      out.severity = LETTER_SEVERITY[letter];
      return at + 2;
    }
  }
  if (first === OPEN || first === LESS)
    return readBracketedLevel(text, at, first === OPEN ? CLOSE : GREATER, out);
  let end = at;
  while (end < at + 14 && isLetter(text.charCodeAt(end))) end++;
  const word = text.slice(at, end);
  const severity = severityOf(word);
  if (severity === undefined) return -1;
  const next = text.charCodeAt(end);
  const padded =
    next === COLON || next === TAB || next === COMMA || next === BAR || text.startsWith("  ", end);
  const loud = word.length >= 4 && word === word.toUpperCase() && (next === SPACE || end === text.length);
  if (!padded && !loud) return -1;
  out.severity = severity;
  return end;
}

/** `[notice]`, `[  DEBUG  ]`, `[core:error]`, `<warn>`. */
function readBracketedLevel(text: string, at: number, closing: number, out: Head): number {
  let word = skipSpaces(text, at + 1);
  for (let i = word; i < at + 40; i++) {
    const c = text.charCodeAt(i);
    if (c === COLON) word = i + 1;
    else if (c === closing || c === SPACE) {
      const severity = severityOf(text.slice(word, i));
      const close = skipSpaces(text, i);
      if (severity === undefined || text.charCodeAt(close) !== closing) return -1;
      out.severity = severity;
      return close + 1;
    } else if (!isLetter(c) && c !== 95 && !(c >= ZERO && c <= NINE)) return -1;
  }
  return -1;
}

/** Apache 2.4's `[pid 35708:tid 4328636416] ` after the level. */
function readApachePid(text: string, at: number, out: Head): number {
  if (!text.startsWith("[pid ", at)) return at;
  const end = numberEnd(text, at + 5);
  const close = bracketEnd(text, at);
  if (end === at + 5 || close < 0) return at;
  out.pid = Number(text.slice(at + 5, end));
  return skipMarks(text, close);
}

/** After the `]` that closes the bracket at `at`; -1 when it lies too far away. */
export function bracketEnd(text: string, at: number): number {
  const stop = Math.min(text.length, at + MAX_NAME);
  for (let i = at + 1; i < stop; i++) if (text.charCodeAt(i) === CLOSE) return i + 1;
  return -1;
}

function numberEnd(text: string, at: number): number {
  let end = at;
  while (end < at + MAX_NUMBER && text.charCodeAt(end) >= ZERO && text.charCodeAt(end) <= NINE) end++;
  return end;
}

/** After blanks, and after commas, colons, bars and dashes that stand alone or end a column. */
export function skipMarks(text: string, at: number): number {
  let i = at;
  for (const stop = at + MAX_MARKS; i < stop; i++) {
    const c = text.charCodeAt(i);
    if (c === SPACE || c === TAB || c === COMMA || c === BAR) continue;
    const next = text.charCodeAt(i + 1);
    if ((c === COLON || c === MINUS) && (next === SPACE || next === TAB || i + 1 === text.length)) continue;
    break;
  }
  return i;
}

const isLetter = (c: number): boolean => (c | 32) >= 97 && (c | 32) <= 122;
