import { closeSync, fstatSync, openSync, read as readCallback, readSync, type Stats } from "node:fs";
import { promisify } from "node:util";

/** Bytes a read asks for: larger ones are no faster, and a chunk in the making and one being read are all that is held. */
const READ_SIZE = 64 * 1024;
/** Descriptors held open at most; files beyond are opened for each pass and must then still be the same file. */
const MAX_HELD = 400;
/** A line that was being written when the file was opened is waited for this far. */
const COMPLETION = 64 * 1024;
/** Bytes of the head kept, to see whether the file was emptied and has grown again since. */
const HEAD_KEPT = 1024;

const read = promisify(readCallback);

/** The file lost bytes while it was being read: copytruncate, or an editor that saved it anew. */
export class LostData extends Error {}

const closing = new FinalizationRegistry<number>((fd) => {
  held--;
  closeSync(fd);
});
let held = 0;

/**
 * A regular file as it was when it was opened. Every pass (order, overlap, year, events) reads the same bytes of the same
 * file: those that were there at the opening, through the descriptor opened then, so a rename or removal by logrotate
 * changes nothing. A last line that was being written then is completed once, by the first pass that reaches it. Bytes that
 * copytruncate took away throw LostData.
 */
export class PinnedFile {
  readonly path: string;
  /** Device and inode. */
  readonly key: string;
  /** The first bytes, to tell formats. */
  readonly head: Uint8Array;
  private readonly fd: number | undefined;
  private end: number;
  private settled = false;

  /** Throws the system's error. */
  constructor(path: string) {
    this.path = path;
    const fd = openSync(path, "r");
    const stat = fstatSync(fd);
    this.key = keyOf(stat);
    this.end = stat.size;
    const head = new Uint8Array(Math.min(HEAD_KEPT, stat.size));
    this.head = head.subarray(0, readSync(fd, head, 0, head.length, 0));
    if (held < MAX_HELD) {
      held++;
      closing.register(this, fd);
      this.fd = fd;
    } else closeSync(fd);
  }

  /** Bytes of the file that are read, compressed ones as they are. */
  get size(): number {
    return this.end;
  }

  /**
   * The bytes from `from` on. One read is under way while the caller works on the one before. lines: the file is text,
   * whose last line may need completing.
   */
  async *bytes(from: number, lines: boolean): AsyncGenerator<Uint8Array> {
    const fd = this.fd ?? this.reopened();
    let ahead: Promise<Uint8Array> | undefined;
    try {
      let at = from;
      let last: Uint8Array | undefined;
      ahead = this.chunk(fd, at, this.end);
      while (at < this.end) {
        const chunk = await ahead;
        if (chunk.length === 0) throw this.lost(at);
        at += chunk.length;
        ahead = this.chunk(fd, at, this.end);
        last = chunk;
        yield chunk;
      }
      if (lines && !this.settled) {
        const rest = await this.completion(fd, last);
        if (rest.length > 0) yield rest;
      }
      await this.checkUntouched(fd);
    } finally {
      await ahead?.catch(() => undefined); // the descriptor must not be closed under a read
      if (fd !== this.fd) closeSync(fd);
    }
  }

  private async chunk(fd: number, at: number, end: number): Promise<Uint8Array> {
    const length = Math.min(READ_SIZE, end - at);
    if (length <= 0) return new Uint8Array(0);
    const { bytesRead, buffer } = await read(fd, Buffer.allocUnsafeSlow(length), 0, length, at);
    return buffer.subarray(0, bytesRead);
  }

  /** What completes a line that the opening found unfinished; settles where the file ends for all later passes. */
  private async completion(fd: number, last: Uint8Array | undefined): Promise<Uint8Array> {
    this.settled = true;
    const none = new Uint8Array(0);
    if (last === undefined || last.at(-1) === 10) return none;
    const more = await this.chunk(fd, this.end, this.end + COMPLETION);
    const rest = more.subarray(0, more.indexOf(10) + 1);
    this.end += rest.length;
    return rest;
  }

  private async checkUntouched(fd: number): Promise<void> {
    const size = fstatSync(fd).size;
    if (size < this.end) throw this.lost(size);
    const now = await this.chunk(fd, 0, this.head.length);
    if (Buffer.compare(now, this.head) !== 0) throw this.lost(0);
  }

  private reopened(): number {
    const fd = openSync(this.path, "r");
    if (keyOf(fstatSync(fd)) === this.key) return fd;
    closeSync(fd);
    throw new LostData("the file was replaced by another one while it was being read");
  }

  private readonly lost = (at: number): LostData =>
    new LostData(`the file was emptied while it was being read, from byte ${at} on`);
}

const keyOf = (stat: Stats): string => `${stat.dev}:${stat.ino}`;
