import { type Interned, Interner } from "./intern.ts";
import { newStamp, type Stamp } from "./stamp.ts";
import type { LogClock } from "./year.ts";

/** Hosts and programs remembered; a fleet has hundreds, a machine some dozens of programs. */
const MAX_NAMES = 4096;
/** "Jan 27 06:36:56". */
const STAMP_LENGTH = 15;
/** Longest tag that the fast way takes, as in envelope.ts. */
const MAX_TAG = 128;
const MAX_HOST = 255; // RFC 5424 section 6
const MAX_PID_DIGITS = 9;
const MAX_FRACTION_DIGITS = 6; // nine are a container runtime's

const SPACE = 32;
const PLUS = 43;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;
const UPPER_T = 84;
const UPPER_Z = 90;

/** Bytes of host names and tags that nothing else can be meant by: letters, digits, - . _ and, in tags, / @. */
const IN_HOST = new Uint8Array(256);
const IN_TAG = new Uint8Array(256);
for (const c of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") {
  IN_HOST[c.charCodeAt(0)] = 1;
  IN_TAG[c.charCodeAt(0)] = 1;
}
for (const c of "/@") IN_TAG[c.charCodeAt(0)] = 1;

const MONTHS = new Map(
  ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"].map((name, i) => [
    (name.charCodeAt(0) << 16) | (name.charCodeAt(1) << 8) | name.charCodeAt(2),
    i,
  ]),
);

/** Exim writes a time of its own behind the tag. */
const EXIM = "exim";
/** "stdout", "stderr": where a container's line came from, not a host. */
const CONTAINER_STREAM = "std";

const NO_NAME: Interned = { text: "", id: 0, bytes: new Uint8Array(0), hash: 0 };

/** Value of two digits, or -1. A blank for the first one counts as 0 (days). */
function pair(bytes: Buffer, at: number): number {
  const tens = bytes[at]! === SPACE ? 0 : bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/**
 * The fast way to read a line's head: `Jan 27 06:36:56 host program[pid]: ` and the same after an RFC 3339 time, from
 * bytes. It takes only what leaves no doubt; whatever else a line begins with is for parseEnvelope, which reads these
 * forms too and to which a test compares it. The results stand in the object until the next call.
 */
export class HeadReader {
  /** Milliseconds since the Unix epoch. */
  time = 0;
  host = "";
  program: Interned = NO_NAME;
  /** -1 when the line names none. */
  pid = -1;
  /** Where the message begins. */
  messageAt = 0;
  private readonly clock: LogClock;
  private readonly hosts = new Interner(MAX_NAMES);
  private readonly programs = new Interner(MAX_NAMES);
  private readonly stamp: Stamp = newStamp();
  /** The last traditional time, as written, and its meaning. */
  private readonly lastStamp = new Uint8Array(STAMP_LENGTH);
  private lastTime = Number.NaN;

  /** clock: settles year and zone; the same one that parseEnvelope is given. */
  constructor(clock: LogClock) {
    this.clock = clock;
  }

  /** Call it when another reader has used the clock since the last read. */
  forget(): void {
    this.lastTime = Number.NaN;
  }

  /** The number of a program that another reader found. 0 when there is no room for it. */
  programId(program: string): number {
    const bytes = Buffer.from(program, "utf8");
    return this.programs.of(bytes, 0, bytes.length)?.id ?? 0;
  }

  /** Reads the head of bytes[start, end). False, with nothing changed but scratch, when it is of another form. */
  read(bytes: Buffer, start: number, end: number): boolean {
    if (end - start < STAMP_LENGTH + 5) return false;
    const traditional = bytes[start + 3] === SPACE && bytes[start + 9] === COLON;
    const at = traditional ? start + STAMP_LENGTH : this.readIso(bytes, start, end);
    if (at < 0 || bytes[at] !== SPACE) return false;
    const hostEnd = endOf(bytes, at + 1, end, IN_HOST, MAX_HOST);
    if (hostEnd < 0 || bytes[hostEnd] !== SPACE || hostEnd === at + 1) return false;
    const tagEnd = endOf(bytes, hostEnd + 1, end, IN_TAG, MAX_TAG);
    if (tagEnd < 0 || tagEnd === hostEnd + 1 || !this.readPid(bytes, tagEnd, end)) return false;
    if (mayBeNested(bytes, this.messageAt, end)) return false;
    const host = this.hosts.of(bytes, at + 1, hostEnd);
    const program = this.programs.of(bytes, hostEnd + 1, tagEnd);
    if (program === undefined || host === undefined || program.text === EXIM) return false;
    if (host.text.startsWith(CONTAINER_STREAM)) return false;
    const time = traditional ? this.traditionalTime(bytes, start) : this.clock.settle(this.stamp);
    if (time === null) return false;
    this.time = time;
    this.host = host.text;
    this.program = program;
    if (!traditional) this.lastTime = Number.NaN;
    return true;
  }

  /** `[pid]: ` or `: ` at `at`: fills pid and messageAt. */
  private readPid(bytes: Buffer, at: number, end: number): boolean {
    let i = at;
    this.pid = -1;
    if (bytes[i] === OPEN) {
      let pid = 0;
      const limit = i + 1 + MAX_PID_DIGITS;
      for (i++; i < limit && bytes[i]! >= ZERO && bytes[i]! <= 57; i++) pid = pid * 10 + bytes[i]! - ZERO;
      if (bytes[i] !== CLOSE || i === at + 1) return false;
      this.pid = pid;
      i++;
    }
    if (bytes[i] !== COLON || bytes[i + 1] !== SPACE || i + 2 > end) return false;
    this.messageAt = i + 2;
    return true;
  }

  /** The instant of `Jan 27 06:36:56` at `start`, or null. The same second again costs a comparison. */
  private traditionalTime(bytes: Buffer, start: number): number | null {
    const lastStamp = this.lastStamp;
    let i = STAMP_LENGTH - 1;
    while (i >= 0 && lastStamp[i] === bytes[start + i]) i--;
    if (i < 0 && !Number.isNaN(this.lastTime)) return this.lastTime;
    if (!this.readTraditional(bytes, start)) return null;
    const time = this.clock.settle(this.stamp);
    if (time === null) return null;
    for (i = 0; i < STAMP_LENGTH; i++) lastStamp[i] = bytes[start + i]!;
    this.lastTime = time;
    return time;
  }

  private readTraditional(bytes: Buffer, at: number): boolean {
    const month = MONTHS.get((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!);
    const day = pair(bytes, at + 4);
    if (month === undefined || day < 1 || day > 31 || bytes[at + 6] !== SPACE) return false;
    const stamp = this.stamp;
    stamp.year = 0;
    stamp.month = month;
    stamp.day = day;
    stamp.offset = Number.NaN;
    return readClock(bytes, at + 7, stamp);
  }

  /** `2026-01-27T06:36:56.123456+09:00` at `at`: fills the stamp; returns where it ends, or -1. */
  private readIso(bytes: Buffer, at: number, end: number): number {
    const stamp = this.stamp;
    if (bytes[at + 4] !== MINUS || bytes[at + 7] !== MINUS || bytes[at + 10] !== UPPER_T) return -1;
    if (end - at < 25 || bytes[at] === SPACE || bytes[at + 2] === SPACE) return -1;
    const century = pair(bytes, at);
    const years = pair(bytes, at + 2);
    const month = bytes[at + 5] === SPACE ? -1 : pair(bytes, at + 5);
    const day = bytes[at + 8] === SPACE ? -1 : pair(bytes, at + 8);
    if (century < 0 || years < 0 || month < 1 || month > 12 || day < 1 || day > 31) return -1;
    stamp.year = century * 100 + years;
    stamp.month = month - 1;
    stamp.day = day;
    if (stamp.year === 0 || !readClock(bytes, at + 11, stamp)) return -1;
    let i = at + 19;
    if (bytes[i] === DOT) {
      let weight = 100;
      const limit = i + 1 + MAX_FRACTION_DIGITS;
      for (i++; i < limit && bytes[i]! >= ZERO && bytes[i]! <= 57; i++) {
        if (weight >= 1) stamp.msOfDay += weight * (bytes[i]! - ZERO);
        weight /= 10;
      }
      if (i === at + 20) return -1;
    }
    return this.readOffset(bytes, i);
  }

  /** `Z` or `+hh:mm` at `at`: returns where it ends, or -1. */
  private readOffset(bytes: Buffer, at: number): number {
    if (bytes[at] === UPPER_Z) {
      this.stamp.offset = 0;
      return at + 1;
    }
    const sign = bytes[at];
    if ((sign !== PLUS && sign !== MINUS) || bytes[at + 3] !== COLON) return -1;
    const hours = bytes[at + 1] === SPACE ? -1 : pair(bytes, at + 1);
    const minutes = bytes[at + 4] === SPACE ? -1 : pair(bytes, at + 4);
    if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59) return -1;
    this.stamp.offset = (sign === MINUS ? -1 : 1) * (hours * 60 + minutes);
    return at + 6;
  }
}

/** HH:MM:SS at `at`, into stamp.msOfDay. */
function readClock(bytes: Buffer, at: number, stamp: Stamp): boolean {
  if (bytes[at] === SPACE || bytes[at + 3] === SPACE || bytes[at + 6] === SPACE) return false;
  const hour = pair(bytes, at);
  const minute = pair(bytes, at + 3);
  const second = pair(bytes, at + 6);
  if (bytes[at + 2] !== COLON || bytes[at + 5] !== COLON) return false;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
  stamp.msOfDay = (hour * 3600 + minute * 60 + second) * 1000;
  return true;
}

/** The first place from `at` on whose byte isn't in the set; -1 when the line or the limit comes first. */
function endOf(bytes: Buffer, at: number, end: number, set: Uint8Array, limit: number): number {
  const stop = Math.min(end, at + limit);
  let i = at;
  while (i < stop && set[bytes[i]!] === 1) i++;
  return i < stop ? i : -1;
}

/** Whether the message may begin with another head (a collector wrapped a line in a line): a bracket, or what looks like a date. */
function mayBeNested(bytes: Buffer, at: number, end: number): boolean {
  if (at >= end) return false;
  const c = bytes[at]!;
  if (c >= 97 && c <= 122) return false; // most messages: a small letter
  if (c === 60 || c === 91 || c === 123 || c === 64) return true; // < [ { @
  if (c >= ZERO && c <= 57) return isDateLike(bytes, at, end);
  return c >= 65 && c <= UPPER_Z && bytes[at + 3] === SPACE; // "Jan 27"
}

/** Four digits with - or a blank after them, or eight or more digits with no colon behind: a year, an epoch. */
function isDateLike(bytes: Buffer, at: number, end: number): boolean {
  let i = at;
  while (i < end && bytes[i]! >= ZERO && bytes[i]! <= 57) i++;
  const next = bytes[i];
  return (
    i - at >= 2 &&
    next !== COLON &&
    !(next !== undefined && IN_HOST[next] === 1 && next !== MINUS && next !== DOT)
  );
}
