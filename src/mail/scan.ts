import type { Cause, Severity } from "./event.ts";
import type { EventName } from "./names.ts";

/** Longest field value kept, in characters: an address may have 320, a reason a few hundred. */
export const MAX_FIELD = 512;

/** Longest host name looked for before a bracket, and longest address, port or socket path within. */
const MAX_NAME = 255;
const MAX_PEER = 108;

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

/** A line of a grammar with what it must become; tests read them. */
export type Sample = {
  readonly line: string;
  readonly event: EventName;
  readonly cause?: Cause;
  readonly fields?: Readonly<Record<string, string | number>>;
};

/** A Reading of one layout, which costs less to make and to read. */
export const reading = (
  event: EventName,
  fields: Bag,
  shape: string,
  cause?: Cause,
  queueId?: string,
  session?: string,
): Reading => ({ event, fields, cause, queueId, session, shape });

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
  for (let c = text.charCodeAt(end); end < text.length && c !== 32 && c !== 44; ) c = text.charCodeAt(++end);
  return cap(text.slice(start, end));
}

/** Sets key when the value is there. */
export function put(bag: Bag, key: string, value: string | number | undefined): void {
  if (value !== undefined) bag[key] = value;
}

/** What findPeer found; reused from line to line. port is 0 when none was written. */
export const peer = { name: "", address: "", port: 0, end: -1 };

/** Reads `name[address]` or `name[address]:port` at `start` into `peer`. False when there is none. */
export function findPeer(text: string, start: number): boolean {
  const open = text.indexOf("[", start);
  if (open < 0 || open - start > MAX_NAME) return false;
  const close = text.indexOf("]", open);
  if (close < 0 || close - open > MAX_PEER) return false;
  peer.name = text.slice(start, open);
  peer.address = text.slice(open + 1, close);
  let end = close + 1;
  let port = 0;
  if (text.charCodeAt(end) === 58 && isDigit(text.charCodeAt(end + 1)))
    for (end++; isDigit(text.charCodeAt(end)) && end < close + 8; end++)
      port = port * 10 + text.charCodeAt(end) - 48;
  peer.port = port;
  peer.end = end;
  return true;
}

/** findPeer as client_name, client_address and client_port; returns the index after it, or -1. */
export function putClient(bag: Bag, text: string, start: number): number {
  if (!findPeer(text, start)) return -1;
  bag["client_name"] = peer.name;
  bag["client_address"] = peer.address;
  if (peer.port > 0) bag["client_port"] = peer.port;
  return peer.end;
}

/** findPeer as relay_host, relay_address and relay_port; a socket's path is no address. Returns the index after it, or -1. */
export function putRelay(bag: Bag, text: string, start: number): number {
  if (!findPeer(text, start)) return -1;
  bag["relay_host"] = peer.name;
  if (!peer.address.includes("/")) bag["relay_address"] = peer.address;
  if (peer.port > 0) bag["relay_port"] = peer.port;
  return peer.end;
}

/**
 * Where the `>` of a `<value>` stands whose text begins at `from`: the first one that the text's end, a colon, a bracket or the next `key=`
 * follows, since an address may hold any character. -1 when there is none.
 */
export function angleEnd(text: string, from: number): number {
  let at = from;
  for (let n = 0; n < 16; n++) {
    at = text.indexOf(">", at);
    if (at < 0) return -1;
    let next = at + 1;
    let c = text.charCodeAt(next);
    if (Number.isNaN(c) || c === 58 || c === 59) return at;
    if (c === 44) c = text.charCodeAt(++next);
    if (c === 32) {
      c = text.charCodeAt(++next);
      if (c === 40) return at;
      while ((c >= 97 && c <= 122) || c === 95) c = text.charCodeAt(++next);
      if (c === 61) return at;
    }
    at++;
  }
  return text.indexOf(">", from);
}

export const isDigit = (c: number): boolean => c >= 48 && c <= 57;

/** Longest queue id looked for; Postfix's own have at most 21 characters, instances and anonymisers lengthen them. */
const MAX_QUEUE_ID = 32;

/**
 * Length of a queue id that `: ` follows at `start`, 0 when there is none: NOQUEUE, a short one (upper hex), a long one (base 52 without
 * vowels, with a z), or what only looks like one: upper case letters and digits, or letters without vowels and digits (anonymised logs).
 */
export function queueIdLength(text: string, start: number): number {
  let hex = true;
  let upper = true;
  let vowels = false;
  let digits = 0;
  let z = -1;
  const limit = Math.min(text.length, start + MAX_QUEUE_ID + 1);
  for (let i = start; i < limit; i++) {
    const c = text.charCodeAt(i);
    if (c >= 48 && c <= 57) digits++;
    else if (c >= 65 && c <= 90) {
      if (c > 70) hex = false;
      if (c === 65 || c === 69 || c === 73 || c === 79 || c === 85) vowels = true;
    } else if (c >= 97 && c <= 122) {
      hex = upper = false;
      if (c === 122) z = i - start;
      else if (c === 97 || c === 101 || c === 105 || c === 111 || c === 117) vowels = true;
    } else if (c === 58) {
      const n = i - start;
      if (i + 1 < text.length && text.charCodeAt(i + 1) !== 32) return 0;
      if (n === 7 && text.startsWith("NOQUEUE", start)) return 7;
      if (hex) return n >= 5 ? n : 0;
      if (upper) return digits > 1 && n >= 8 ? n : 0;
      return (z >= 9 && n >= 12) || (!vowels && digits > 0 && n >= 10) ? n : 0;
    } else return 0;
  }
  return 0;
}

/** A client or relay as a shape shows it: Postfix's word for a nameless host and this host stay, any other name is masked. */
export const hostShape = (name: string | number | undefined): string =>
  name === "unknown" ? "unknown[0]" : name === "localhost" ? "localhost[0]" : "<>[0]";

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

/** Text with passwords cut out, as Dovecot logs them with auth_verbose_passwords and auth_debug_passwords. */
export function redact(text: string): string {
  let shown = text;
  const at = shown.indexOf("given password");
  const colon = at < 0 ? -1 : shown.indexOf(": ", at);
  if (colon >= 0) {
    const close = shown.lastIndexOf(")");
    shown = `${shown.slice(0, colon + 2)}*${close > colon ? shown.slice(close) : ""}`;
  }
  for (const key of SECRETS) {
    // Everything after it goes: a password may hold blanks.
    const start = shown.indexOf(key);
    if (start >= 0) shown = `${shown.slice(0, start + key.length)}*`;
  }
  return shown;
}
const SECRETS = ["resp=", "password=", "pass="];

/** The number that begins at `start`, or undefined. */
export function numberAt(text: string, start: number): number | undefined {
  let end = start;
  while (isDigit(text.charCodeAt(end)) && end - start < 15) end++;
  return end === start ? undefined : Number(text.slice(start, end));
}
