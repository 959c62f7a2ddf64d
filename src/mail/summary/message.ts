import type { MailEvent } from "../event.ts";

/** Program names remembered; a hostile log may hold any number. */
const MAX_PROGRAMS = 1000;
/** Characters of `[pid]` at most. */
const MAX_PID = 24;

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

/** One line as the counts see it; the same object for each line. */
export class Message {
  event!: MailEvent;
  writer!: Writer;
  /** Can pflogsumm 1.1.5 read a line with this head? RFC 3164 with a host, or RFC 3339; a tag with a pid. */
  plain = false;
  /** And does it know the tag for one of Postfix? */
  readable = false;
  private text: string | undefined;

  of(event: MailEvent, writer: Writer): this {
    this.event = event;
    this.writer = writer;
    this.text = undefined;
    this.plain = event.plainHead ? event.pid !== undefined : hasTag(event.text, event.program);
    this.readable = this.plain && writer.theirs !== "";
    return this;
  }

  /** Is it written by a daemon that takes mail by SMTP, to pflogsumm? */
  get byServer(): boolean {
    const { theirs } = this.writer;
    return theirs === "smtpd" || theirs === "postscreen";
  }

  /** What follows the head. Many lines are counted without it. */
  get body(): string {
    this.text ??= this.event.message;
    return this.text;
  }
}

/** Whether `program[pid]: ` follows a head that pflogsumm reads, where the head is not of the commonest form. */
function hasTag(text: string, program: string): boolean {
  const tag = headEnd(text);
  if (tag < 0 || program === "" || !text.startsWith(program, tag)) return false;
  const open = tag + program.length;
  const close = text.charCodeAt(open) === 91 ? text.indexOf("]: ", open) : -1;
  return close > open + 1 && close - open < MAX_PID;
}

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
