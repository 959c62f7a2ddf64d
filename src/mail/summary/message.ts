import type { MailEvent } from "../event.ts";

/** Program names remembered; a hostile log may hold any number. */
const MAX_PROGRAMS = 1000;
/** A tag, its host and its time stand within so many characters of a line. */
const MAX_HEAD = 600;

/** What a program's name means to the summary. */
export type Writer = {
  /** Last part of a Postfix tag ("smtpd"), "" for a program that is not Postfix. */
  readonly daemon: string;
  /** The daemon as pflogsumm 1.1.5 sees it: what follows `postfix/`, `postfix/smtps/` or `postfix/submission/`, slashes included; "" where it sees none. */
  readonly theirs: string;
  /** A tag that makes pflogsumm look at the line's date: it begins with `postfix/`. */
  readonly dated: boolean;
};

const writers = new Map<string, Writer>();

/** daemon: MailEvent.daemon, which is stable over instances and services. */
export function writerOf(program: string, daemon: string): Writer {
  const known = writers.get(program);
  if (known !== undefined) return known;
  const made = {
    daemon: daemon.startsWith("postfix/") ? daemon.slice(8) : daemon === "postfix" ? "postfix" : "",
    theirs: theirDaemon(program),
    dated: program.startsWith("postfix/"),
  };
  if (writers.size < MAX_PROGRAMS) writers.set(program, made);
  return made;
}

function theirDaemon(program: string): string {
  if (!program.startsWith("postfix/")) return "";
  const rest = program.slice(8);
  for (const service of ["smtps/", "submission/"])
    if (rest.startsWith(service)) return rest.slice(service.length);
  return rest;
}

/** A message within its line: `body.slice(at)`. */
export type Located = {
  body: string;
  at: number;
  /** Can pflogsumm 1.1.5 read a line with this head? RFC 3164 with a host, or RFC 3339; a tag with a pid. */
  readable: boolean;
};

/**
 * Finds the message of an event in its line. Plain heads cost a search for the tag; of journald's JSON and RFC 5424 the
 * message is taken out. `out` is filled, so that no line costs an object.
 */
export function locate(event: MailEvent, out: Located): void {
  const { text, program } = event;
  out.body = text;
  out.readable = false;
  if (text.charCodeAt(0) === 123) {
    // {
    fromJson(text, out);
    return;
  }
  const tag = program === "" ? -1 : text.indexOf(program);
  if (tag < 0 || tag > MAX_HEAD) {
    out.at = 0;
    return;
  }
  let at = tag + program.length;
  if (text.charCodeAt(at) === 91) {
    // [
    const close = text.indexOf("]: ", at);
    if (close > 0 && close - at < 24) {
      at = close + 3;
      out.readable = close - tag - program.length > 1 && headEnd(text) === tag;
    } else at = after(text, at);
  } else if (text.startsWith(": ", at)) at += 2;
  else if (text.charCodeAt(0) === 60)
    at = structured(text, at); // <
  else at = after(text, at);
  if (text.startsWith("[ID ", at)) {
    const close = text.indexOf("] ", at);
    if (close > 0 && close - at < 60) at = close + 2;
  }
  out.at = at;
}

const after = (text: string, at: number): number => {
  const colon = text.indexOf(":", at);
  return colon < 0 ? text.length : colon + (text.charCodeAt(colon + 1) === 32 ? 2 : 1);
};

/** Does pflogsumm read the date of this line, whatever its message? */
export function hasDate(event: MailEvent): boolean {
  const end = headEnd(event.text);
  return end > 0 && event.text.startsWith(event.program, end);
}

/** Where the tag begins in `Nov  3 10:00:00 host tag` and `2026-11-03T10:00:00+01:00 host tag`; -1 for other heads. */
function headEnd(text: string): number {
  const c = text.charCodeAt(0);
  let at: number;
  if (c >= 48 && c <= 57) {
    if (text.charCodeAt(4) !== 45 || text.charCodeAt(10) !== 84) return -1;
    at = text.indexOf(" ", 19) + 1;
  } else {
    if (text.charCodeAt(3) !== 32) return -1;
    at = text.charCodeAt(4) === 32 ? 5 : 4;
    while (isDigit(text.charCodeAt(at))) at++;
    if (text.charCodeAt(at + 3) !== 58 || text.charCodeAt(at + 9) !== 32) return -1;
    at += 10;
  }
  const host = at;
  at = text.indexOf(" ", host);
  return at <= host ? -1 : at + 1;
}

const isDigit = (c: number): boolean => c >= 48 && c <= 57;

/** RFC 5424: ` PID MSGID SD text` follows the program. */
function structured(text: string, start: number): number {
  let at = start;
  for (let n = 0; n < 3; n++) {
    at = text.indexOf(" ", at) + 1;
    if (at === 0) return text.length;
  }
  if (text.charCodeAt(at) === 45) return Math.min(text.length, at + 2);
  let quoted = false;
  for (; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (quoted && c === 92) at++;
    else if (c === 34) quoted = !quoted;
    else if (!quoted && c === 93 && text.charCodeAt(at + 1) !== 91) return Math.min(text.length, at + 2);
  }
  return text.length;
}

function fromJson(text: string, out: Located): void {
  out.at = 0;
  out.body = "";
  try {
    const message: unknown = (JSON.parse(text) as Record<string, unknown>)["MESSAGE"];
    if (typeof message === "string") out.body = message;
    else if (Array.isArray(message)) out.body = String.fromCharCode(...message.slice(0, 8192).map(Number));
  } catch {
    // a line cut in its middle has no message
  }
}
