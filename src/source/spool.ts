import { type FileHandle, mkdir, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A segment is closed when it has reached this size; beyond the second one new messages are dropped. */
const SEGMENT_BYTES = 16 * 1024 * 1024;
const MAX_BYTES = 512 * 1024 * 1024;
/** What waits to be written; when a disk is full, or slow. */
const MAX_WAITING = 4 * 1024 * 1024;
/** Lines are written so often, and are on the disk itself (fdatasync) so often. */
const WRITE_MS = 50;
const SYNC_MS = 1_000;
/** More than the rest of a block. */
const PROBE_BYTES = 64 * 1024;

const NAME = /^(\d{4,})\.log$/;

/** What waits to be written. told: who wants to know what became of it, and takes it back when it can't be written now. */
type Waiting = { readonly bytes: Buffer; readonly told: ((written: boolean) => void) | undefined };

export type SpoolLimits = { readonly segmentBytes: number; readonly maxBytes: number };
const LIMITS: SpoolLimits = { segmentBytes: SEGMENT_BYTES, maxBytes: MAX_BYTES };

/**
 * Lines that came over the network, kept in files until their effects are committed: `0001.log` and so on in one folder. A segment
 * of an earlier process is never added to: its end may be torn.
 */
export class Spool {
  readonly folder: string;
  /** The segment that is being written, and the bytes in it. */
  current = 0;
  written = 0;
  /** Lines that found no room. */
  dropped = 0;
  /** Why nothing can be written now. */
  error: Error | undefined;
  private readonly limits: SpoolLimits;
  private readonly onWritten: () => void;
  private readonly sizes = new Map<number, number>();
  private handle: FileHandle | undefined;
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = 0;
  private unsynced = false;
  private work: Promise<void> = Promise.resolve();
  private synced = 0;
  private closed = false;

  private constructor(folder: string, onWritten: () => void, limits: SpoolLimits) {
    this.folder = folder;
    this.onWritten = onWritten;
    this.limits = limits;
  }

  /** Makes the folder if need be. onWritten: called when lines have become readable. Throws the system's error. */
  static async open(folder: string, onWritten: () => void, limits: SpoolLimits = LIMITS): Promise<Spool> {
    const spool = new Spool(folder, onWritten, limits);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) {
      const number = Number(NAME.exec(name)?.[1]);
      if (number > 0) spool.sizes.set(number, (await stat(join(folder, name))).size);
    }
    spool.current = Math.max(0, ...spool.sizes.keys()) + 1;
    return spool;
  }

  pathOf(segment: number): string {
    return join(this.folder, `${String(segment).padStart(4, "0")}.log`);
  }

  /** Segments that exist, in order; the current one only when something was written. */
  get segments(): number[] {
    return [...this.sizes.keys()].sort((a, b) => a - b);
  }

  /** Bytes in all segments. */
  get bytes(): number {
    let sum = 0;
    for (const size of this.sizes.values()) sum += size;
    return sum;
  }

  /** Whether senders that can wait should. */
  get busy(): boolean {
    return this.waitingBytes > MAX_WAITING / 2;
  }

  /** Takes a line, its LF included; false when there is no room for it. */
  add(line: Buffer): boolean {
    const full = this.waitingBytes + line.length > MAX_WAITING;
    if (full || this.closed || this.bytes + this.waitingBytes + line.length > this.limits.maxBytes) {
      this.dropped++;
      return false;
    }
    this.push(line, undefined);
    return true;
  }

  /**
   * Takes lines of a sender that keeps them until it is told: true once all are written (as those of `add`, on the disk itself
   * within a second), false when none is and none will be.
   */
  async put(lines: Buffer): Promise<boolean> {
    const full = this.waitingBytes > 0 && this.waitingBytes + lines.length > MAX_WAITING;
    if (full || this.closed || this.error !== undefined) return false;
    if (this.bytes + this.waitingBytes + lines.length > this.limits.maxBytes) return false;
    return new Promise((told) => this.push(lines, told));
  }

  private push(bytes: Buffer, told: Waiting["told"]): void {
    this.waiting.push({ bytes, told });
    this.waitingBytes += bytes.length;
    this.schedule(WRITE_MS);
  }

  /** Removes the segments before this one. */
  async release(segment: number): Promise<void> {
    for (const number of this.segments) {
      if (number >= Math.min(segment, this.current)) break;
      this.sizes.delete(number);
      await rm(this.pathOf(number), { force: true });
    }
  }

  /** Writes what waits, to the disk itself. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.work;
    this.closed = true;
    await this.write(true);
    await this.handle?.close();
    this.handle = undefined;
  }

  /** Writes within so many milliseconds, or sooner when that was asked for already. */
  private schedule(ms: number): void {
    const at = performance.now() + ms;
    if (this.timer !== undefined && this.timerAt <= at) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.work = this.work.then(() => this.write(false));
    }, ms);
  }

  private async write(sync: boolean): Promise<void> {
    const bytes = Buffer.concat(this.waiting.map((entry) => entry.bytes));
    try {
      if (bytes.length > 0) await this.append(bytes);
      else if (this.error !== undefined) await this.probe();
      if (this.unsynced && (sync || performance.now() - this.synced >= SYNC_MS)) {
        this.unsynced = false;
        await this.handle?.datasync();
        this.synced = performance.now();
      } else if (this.unsynced) this.schedule(SYNC_MS);
      this.error = undefined;
    } catch (error) {
      this.error = error as Error;
      this.giveBack();
      if (!this.closed) this.schedule(SYNC_MS);
    }
  }

  /** Nothing can be written: those who can wait keep what is theirs. */
  private giveBack(): void {
    for (const { bytes, told } of this.waiting) {
      if (told !== undefined) this.waitingBytes -= bytes.length;
      told?.(false);
    }
    this.waiting = this.waiting.filter(({ told }) => told === undefined);
  }

  /** Whether the disk takes something again, when nothing waits that would tell. */
  private async probe(): Promise<void> {
    const path = join(this.folder, "probe");
    try {
      await writeFile(path, Buffer.alloc(PROBE_BYTES));
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Appends what waits; nothing of it stays when that fails. */
  private async append(bytes: Buffer): Promise<void> {
    const count = this.waiting.length;
    if (this.handle !== undefined && this.written >= this.limits.segmentBytes) await this.next();
    this.handle ??= await open(this.pathOf(this.current), "a", 0o600);
    try {
      await this.handle.appendFile(bytes);
    } catch (error) {
      await this.handle.truncate(this.written).catch(() => undefined); // half a line
      throw error;
    }
    this.unsynced = true;
    this.written += bytes.length;
    this.sizes.set(this.current, this.written);
    for (const { told } of this.waiting.splice(0, count)) told?.(true);
    this.waitingBytes -= bytes.length;
    this.onWritten();
  }

  private async next(): Promise<void> {
    await this.handle!.datasync();
    await this.handle!.close();
    this.handle = undefined;
    this.current++;
    this.written = 0;
  }
}
