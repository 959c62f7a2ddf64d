import type { Cause, Severity } from "./event.ts";
import type { EventName } from "./names.ts";

/** Longest field value kept, in characters: an address may have 320, a reason a few hundred. */
export const MAX_FIELD = 512;

/** Fields while they are being read. */
export type Bag = Record<string, string | number>;

/** What a program's grammar finds in a message; parseMail adds daemon and severity. */
export type Reading = {
  readonly event: EventName;
  readonly fields: Bag;
  readonly cause?: Cause | undefined;
  readonly queueId?: string | undefined;
  readonly session?: string | undefined;
  /** The message without foreign text; the mask makes the template of it. */
  readonly shape: string;
  /** Where the grammar knows better than the severity word. */
  readonly severity?: Severity;
  /** Where the daemon is named in the message. */
  readonly daemon?: string;
  /**
   * Set where event, cause, severity, daemon or shape depend on a value that the mask hides (an address, a number, a name with
   * a digit), so that a line of the same masked text may read otherwise.
   */
  readonly uncached?: boolean;
};

/** Who wrote the message, for grammars that make session keys. */
export type Writer = {
  readonly host: string;
  readonly daemon: string;
  readonly pid: number | undefined;
};

/** A line of a grammar with what it must become; tests read them. */
export type Sample = {
  readonly line: string;
  readonly event: EventName;
  readonly cause?: Cause;
  readonly fields?: Readonly<Record<string, string | number>>;
};

/** The first MAX_FIELD characters. */
export const cap = (s: string): string => (s.length > MAX_FIELD ? s.slice(0, MAX_FIELD) : s);

/** What stands after `key`, searched from `from`, up to `end`; undefined when either is missing. */
export function between(text: string, key: string, end: string, from = 0): string | undefined {
  const at = text.indexOf(key, from);
  if (at < 0) return undefined;
  const stop = text.indexOf(end, at + key.length);
  return stop < 0 ? undefined : cap(text.slice(at + key.length, stop));
}

/** The word after `key` up to a space, comma or the end. */
export function word(text: string, key: string, from = 0): string | undefined {
  const at = text.indexOf(key, from);
  if (at < 0) return undefined;
  const start = at + key.length;
  let end = start;
  while (end < text.length && text[end] !== " " && text[end] !== ",") end++;
  return cap(text.slice(start, end));
}

/** Sets key when the value is there. */
export function put(bag: Bag, key: string, value: string | number | undefined): void {
  if (value !== undefined) bag[key] = value;
}

/** `name[address]` or `name[address]:port` at `start`: fills client_name and client_address; returns the index after it, or -1. */
export function putClient(bag: Bag, text: string, start: number): number {
  const open = text.indexOf("[", start);
  if (open < 0 || open - start > MAX_FIELD) return -1;
  const close = text.indexOf("]", open);
  if (close < 0 || close - open > 64) return -1;
  bag["client_name"] = text.slice(start, open);
  bag["client_address"] = text.slice(open + 1, close);
  let end = close + 1;
  if (text[end] === ":" && isDigit(text.charCodeAt(end + 1))) {
    end++;
    while (isDigit(text.charCodeAt(end))) end++;
  }
  return end;
}

export const isDigit = (c: number): boolean => c >= 48 && c <= 57;

/** Length of a queue id that `: ` follows at `start`, 0 when there is none. Short ids are upper hex, long ones base 52 with a z. */
export function queueIdLength(text: string, start: number): number {
  let hex = true;
  let z = -1;
  const limit = Math.min(text.length, start + 32);
  for (let i = start; i < limit; i++) {
    const c = text.charCodeAt(i);
    if (c === 58) {
      const n = i - start;
      if (text.charCodeAt(i + 1) !== 32 && i + 1 < text.length) return 0;
      if (n === 7 && text.startsWith("NOQUEUE", start)) return 7;
      return (hex && n >= 5 && n <= 16) || (z >= 9 && n >= 12) ? n : 0;
    }
    if (isDigit(c)) continue;
    if (c >= 65 && c <= 70) continue; // A-F; a long id has no vowels, but z decides
    if (!((c >= 71 && c <= 90) || (c >= 97 && c <= 122))) return 0;
    hex = false;
    if (c === 122) z = i - start;
  }
  return 0;
}

/** `550 5.1.1 text` at `start`: the reply code and the enhanced code where they are, and where the text begins. A `-` may join them. */
export function readReply(
  text: string,
  start: number,
): { code: number | undefined; dsn: string | undefined; rest: number } {
  let at = start;
  let code: number | undefined;
  if (isDigit(text.charCodeAt(at)) && isDigit(text.charCodeAt(at + 1)) && isDigit(text.charCodeAt(at + 2))) {
    const c = text[at + 3];
    if (c === " " || c === "-" || c === undefined) {
      code = Number(text.slice(at, at + 3));
      at += 4;
    }
  }
  const dsn = readDsn(text, at);
  if (dsn !== undefined) at += dsn.length + 1;
  return { code, dsn, rest: Math.min(at, text.length) };
}

/** An enhanced status code (RFC 3463) at `at`. */
export function readDsn(text: string, at: number): string | undefined {
  const first = text.charCodeAt(at);
  if ((first !== 50 && first !== 52 && first !== 53) || text[at + 1] !== ".") return undefined;
  let end = at + 2;
  while (isDigit(text.charCodeAt(end)) && end < at + 5) end++;
  if (end === at + 2 || text[end] !== ".") return undefined;
  const dot = ++end;
  while (isDigit(text.charCodeAt(end)) && end < dot + 3) end++;
  return end === dot ? undefined : text.slice(at, end);
}

/** Text with passwords cut out, as Dovecot logs them with auth_verbose_passwords. */
export function redact(text: string): string {
  const at = text.indexOf("given password");
  if (at < 0) return text;
  const colon = text.indexOf(": ", at);
  const close = text.lastIndexOf(")");
  return colon < 0 ? text : `${text.slice(0, colon + 2)}*${close > colon ? text.slice(close) : ""}`;
}
