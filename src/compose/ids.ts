import { type Stream, stream } from "./stream.ts";

/** Digits of Postfix's long queue ids: no vowels. Source: Postfix, src/global/safe_ultostr.c, mail_queue.h. */
const SAFE = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
/** Base of the inode part, which must not hold the separator "z". */
const INODE_BASE = 51;
const SECOND_DIGITS = 6;
const MICRO_DIGITS = 4;
/** Inodes of a spool come again; so many messages are apart for certain. */
const INODES = 65_521;
/** Largest pid of a system with the usual kernel.pid_max of 64 bit (proc(5)). */
const MAX_PID = 4_194_304;
/** A Postfix process ends after max_use requests or max_idle seconds (postconf(5)). */
const MAX_USE = 100;
const MAX_IDLE_MS = 100_000;
/** Programs that run once and as long as the server. */
const SINGLE = /^(?:postfix\/(?:qmgr|master|postscreen|scache)|opendkim|opendmarc)$/;

function inBase(value: number, base: number, digits: number): string {
  let text = "";
  for (let left = value; left > 0 || text.length < digits; left = Math.floor(left / base))
    text = SAFE[left % base]! + text;
  return text;
}

/** Queue ids as Postfix makes them, from the time and an inode. */
export class QueueIds {
  private readonly long: boolean;
  private readonly first: number;
  private readonly step: number;
  private count = 0;

  constructor(seed: number, long: boolean) {
    this.long = long;
    const random = stream(seed, "inodes");
    this.first = 0x100 + random.int(0x40000);
    this.step = 1 + random.int(INODES - 1); // prime modulus: the steps meet every inode once
  }

  /** The id of a message that begins at `time`, in ms since 1970. */
  next(time: number): string {
    const inode = this.first + ((this.count++ * this.step) % INODES);
    const second = Math.floor(time / 1000);
    const micro = Math.floor(time * 1000) - second * 1_000_000;
    if (!this.long)
      return micro.toString(16).toUpperCase().padStart(5, "0") + inode.toString(16).toUpperCase();
    return `${inBase(second, SAFE.length, SECOND_DIGITS)}${inBase(micro, SAFE.length, MICRO_DIGITS)}z${inBase(inode, INODE_BASE, 1)}`;
  }
}

type Process = { readonly pid: number; uses: number; freeAt: number };

/** The pids of a server's processes: pools that are used again, and programs that run once. */
export class Processes {
  private readonly pools = new Map<string, Process[]>();
  private readonly single = new Map<string, number>();
  private readonly random: Stream;
  private last: number;

  constructor(seed: number) {
    this.random = stream(seed, "processes");
    this.last = 900 + this.random.int(30_000);
  }

  /** A pid not given out lately. */
  fresh(): number {
    this.last += 1 + this.random.int(9);
    if (this.last >= MAX_PID) this.last = 300 + this.random.int(200);
    return this.last;
  }

  /** The pid of a process of this tag at a later time, of which nothing else is known. */
  later(tag: string): number {
    return this.single.get(tag) ?? this.fresh();
  }

  /** The pid of a process of this tag that works from one time to another, in ms. */
  take(tag: string, from: number, to: number): number {
    if (SINGLE.test(tag)) {
      const running = this.single.get(tag) ?? this.fresh();
      this.single.set(tag, running);
      return running;
    }
    const pool = this.pools.get(tag) ?? [];
    this.pools.set(tag, pool);
    for (let i = pool.length - 1; i >= 0; i--) {
      const worker = pool[i]!;
      if (worker.uses >= MAX_USE || from - worker.freeAt > MAX_IDLE_MS) pool.splice(i, 1);
      else if (worker.freeAt <= from) {
        worker.uses++;
        worker.freeAt = to;
        return worker.pid;
      }
    }
    const worker = { pid: this.fresh(), uses: 1, freeAt: to };
    pool.push(worker);
    return worker.pid;
  }

  /** After a restart all are new. */
  restart(): void {
    this.pools.clear();
    this.single.clear();
  }
}

/** Other letters and digits in the same places: a digit for a digit, a letter for a letter of the same case, hex for hex. */
export function scramble(text: string, random: Stream): string {
  const hex = /^[0-9a-f.-]+$/.test(text) || /^[0-9A-F]+$/.test(text);
  let made = "";
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 48 && c <= 57) made += i === 0 ? 1 + random.int(9) : random.int(10);
    else if (c >= 97 && c <= 122) made += String.fromCharCode(97 + random.int(hex ? 6 : 26));
    else if (c >= 65 && c <= 90) made += String.fromCharCode(65 + random.int(hex ? 6 : 26));
    else made += text[i];
  }
  return made;
}
