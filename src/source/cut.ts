import { LINE_CAP, LineBatch } from "../log/lines.ts";
import type { Generation } from "./generation.ts";
import { type FilePosition, fits, HEAD_KEPT, type Print, printOf, TAIL_KEPT } from "./position.ts";

/** A run holds at most so many bytes and lines: what is committed at once, and done again after a crash. */
const RUN_BYTES = 64 * 1024;
const RUN_LINES = 500;
/** Of a line longer than a run, so much is looked at before other sources have their turn. */
const SCANNED = 4 * 1024 * 1024;

const LF = 10;

/** What was read before is no longer there: the file was emptied, and perhaps written anew. */
export class Changed extends Error {}

/** Whole lines that follow a place in a file. */
export type Cut = {
  readonly lines: LineBatch;
  /** Bytes of the file from the place to after each line. */
  readonly after: readonly number[];
  /** The bytes that `after` counts in; of a line longer than a run its last ones. */
  readonly bytes: Buffer;
};

/** Lines [from, to) of a batch, for as long as that one is valid. */
function partOf(batch: LineBatch, from: number, to: number): LineBatch {
  const part = new LineBatch();
  part.reset(batch.bytes, batch.first + from);
  part.starts = batch.starts.slice(from, to);
  part.ends = batch.ends.slice(from, to);
  part.count = to - from;
  for (const i of batch.cut) if (i >= from && i < to) part.cut.add(i - from);
  return part;
}

/** The first n lines of a cut, and the rest of it. */
export function splitCut(cut: Cut, n: number): [Cut, Cut] {
  const at = cut.after[n - 1]!;
  const { lines, after, bytes } = cut;
  return [
    { lines: partOf(lines, 0, n), after: after.slice(0, n), bytes },
    {
      lines: partOf(lines, n, lines.count),
      after: after.slice(n).map((byte) => byte - at),
      bytes: bytes.subarray(at),
    },
  ];
}

/** Whether up to `want` bytes that were read begin with a head. */
const startsAlike = (bytes: Buffer, head: Buffer, want: number): boolean =>
  bytes.subarray(0, head.length).equals(head.subarray(0, want));

/** A place in a file, moving forward by whole lines. */
export class Reading {
  readonly file: Generation;
  /** Bytes and lines before the place. */
  offset: number;
  line: number;
  /** Bytes of the file that were seen. */
  seen: number;
  /** Whether more can be read at once. */
  more = true;
  /** Overwritten by the next cut. */
  private readonly batch = new LineBatch();
  private head: Buffer;
  private tail: Buffer;
  private headPrint: Print | undefined;
  private tailPrint: Print | undefined;
  /** The line at the place is longer than a run: its first byte that is no NUL, and what was looked at. */
  private long: { start: number | undefined; scanned: number } | undefined;

  private constructor(file: Generation, offset: number, line: number, head: Buffer, tail: Buffer) {
    this.file = file;
    this.offset = offset;
    this.line = line;
    this.seen = offset;
    this.head = head;
    this.tail = tail;
  }

  /** A place that is known: nothing before it is looked at but what it will be known by. */
  static async at(file: Generation, offset: number, line: number): Promise<Reading> {
    const tail = await file.read(Math.max(0, offset - TAIL_KEPT), Math.min(offset, TAIL_KEPT));
    return new Reading(file, offset, line, Buffer.from(await file.read(0, HEAD_KEPT)), Buffer.from(tail));
  }

  /**
   * The next lines, up to byte `end`; undefined when there is no whole one. final: nothing is added to the file any more, its
   * last line needs no LF. Throws Changed, or the system's error.
   */
  async cut(final: boolean, end: number = Number.POSITIVE_INFINITY): Promise<Cut | undefined> {
    if (this.head.length < HEAD_KEPT) await this.growHead();
    if (this.long !== undefined) return this.cutLong(final, end);
    const want = Math.min(RUN_BYTES, end - this.offset);
    const kept = this.tail.length;
    const bytes = await this.file.read(this.offset - kept, kept + want);
    if (!bytes.subarray(0, kept).equals(this.tail)) throw new Changed(this.file.path);
    const body = bytes.subarray(kept);
    // in the same bytes, since what is read twice may be emptied and written anew in between
    if (this.offset === 0 && !startsAlike(body, this.head, want)) throw new Changed(this.file.path);
    this.seen = this.offset + body.length;
    this.more = body.length === want && this.seen < end;
    const last = body.lastIndexOf(LF);
    if (last >= 0) return this.lines(body, last + 1);
    if (body.length === RUN_BYTES) {
      this.long = { start: undefined, scanned: this.offset };
      return this.cutLong(final, end);
    }
    return body.length > 0 && (final || this.seen === end) ? this.lines(body, body.length) : undefined;
  }

  /** The lines of a cut have been handed on. */
  advance({ after, bytes }: Cut): void {
    const length = after.at(-1)!;
    const inBytes = this.long === undefined ? length : bytes.length;
    const tail =
      inBytes >= TAIL_KEPT
        ? bytes.subarray(inBytes - TAIL_KEPT, inBytes)
        : Buffer.concat([this.tail, bytes.subarray(0, inBytes)]);
    this.tail = Buffer.from(tail.subarray(-TAIL_KEPT));
    this.tailPrint = undefined;
    this.offset += length;
    this.line += after.length;
    this.long = undefined;
  }

  /** before: head of the file before this one. at: the system's time. */
  position(before: Print | null, at: number): FilePosition {
    this.tailPrint ??= printOf(this.tail);
    const { dev, ino } = this.file;
    const { offset, line } = this;
    return { kind: "file", dev, ino, head: this.print, tail: this.tailPrint, offset, line, before, at };
  }

  /** Nothing was in the file when it was opened, and nothing was read: it can't be told from what it becomes. */
  get blank(): boolean {
    return this.head.length === 0;
  }

  /** What this file is known by, for the one after it. */
  get print(): Print {
    this.headPrint ??= printOf(this.head);
    return this.headPrint;
  }

  /** Whether a position is that of this place, and what is before it the same. */
  isAt({ offset, head, tail }: FilePosition): boolean {
    return this.offset === offset && fits(this.head.subarray(0, head.bytes), head) && fits(this.tail, tail);
  }

  private async growHead(): Promise<void> {
    const head = await this.file.read(0, HEAD_KEPT);
    if (!startsAlike(head, this.head, HEAD_KEPT)) throw new Changed(this.file.path);
    if (head.length === this.head.length) return;
    this.head = Buffer.from(head);
    this.headPrint = undefined;
  }

  private lines(bytes: Buffer, until: number): Cut {
    const lines = this.batch;
    const after: number[] = [];
    lines.reset(bytes, this.line + 1);
    for (let from = 0; from < until && after.length < RUN_LINES; ) {
      const found = bytes.indexOf(LF, from);
      const end = found < 0 ? until : found;
      lines.add(from, end);
      from = Math.min(until, end + 1);
      after.push(from);
    }
    if (after.at(-1)! < until) this.more = true;
    return { lines, after, bytes };
  }

  /** Looks for the end of a line longer than a run, without holding it. A hole of NULs (copytruncate) can be such a line's head. */
  private async cutLong(final: boolean, end: number): Promise<Cut | undefined> {
    const long = this.long!;
    for (let budget = SCANNED; budget > 0; budget -= RUN_BYTES) {
      const want = Math.min(RUN_BYTES, end - long.scanned);
      const bytes = await this.file.read(long.scanned, want);
      const found = bytes.indexOf(LF);
      const part = found < 0 ? bytes : bytes.subarray(0, found);
      const start = long.start === undefined ? part.findIndex((byte) => byte !== 0) : -1;
      if (start >= 0) long.start = long.scanned + start;
      if (found >= 0) return this.longLine(long.start ?? long.scanned + found, long.scanned + found + 1);
      long.scanned += bytes.length;
      this.seen = long.scanned;
      this.more = bytes.length === want;
      if (bytes.length === RUN_BYTES) continue;
      if (!final && long.scanned < end) return undefined;
      return this.longLine(long.start ?? long.scanned, long.scanned);
    }
    return undefined;
  }

  private async longLine(start: number, until: number): Promise<Cut> {
    const text = Buffer.from(await this.file.read(start, Math.min(LINE_CAP + 2, until - start)));
    const lines = this.batch;
    const whole = start + text.length === until && text.at(-1) === LF;
    lines.reset(text, this.line + 1);
    lines.add(0, whole ? text.length - 1 : text.length);
    const bytes = Buffer.from(await this.file.read(Math.max(this.offset, until - TAIL_KEPT), TAIL_KEPT));
    this.more = true;
    return { lines, after: [until - this.offset], bytes };
  }
}
