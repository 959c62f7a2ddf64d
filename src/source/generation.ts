import { openSource, type Source } from "./bytes.ts";
import type { Disk, FileStat, OpenFile } from "./disk.ts";
import { HEAD_KEPT } from "./position.ts";

/** Compressed data begins so: gzip, zstd, xz, bzip2. */
const MAGICS = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  [0x42, 0x5a, 0x68],
];

/** What stands at a path is no regular file: it is not read. */
export class NotAFile extends Error {}

/** Names change right now: look again. */
export class Moved extends Error {}

/** One of the files that a source is made of over time: the live one, or one that rotation has put aside. Kept open, whatever becomes of its name. */
export type Generation = {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  readonly packed: boolean;
  /** What ended a compressed file before its end; everything before that is read. */
  readonly failure: Error | undefined;
  /** Up to `length` bytes at `at`, decompressed; fewer at the end only. Throws the system's error. */
  read(at: number, length: number): Promise<Buffer>;
  /** As the file is now: of a compressed one, of the compressed bytes. */
  stat(): Promise<FileStat>;
  close(): Promise<void>;
};

/** Opens a regular file. plain: it is never compressed, whatever it begins with. Throws the system's error or NotAFile. */
export async function openGeneration(disk: Disk, path: string, plain = false): Promise<Generation> {
  if (!(await disk.stat(path)).isFile()) throw new NotAFile(path); // devices and sockets are not even opened
  const file = await disk.open(path);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new NotAFile(path);
    const head = await file.read(0, MAGICS[2]!.length);
    if (!plain && MAGICS.some((magic) => magic.every((byte, i) => head[i] === byte)))
      return new Packed(path, stat, file, pinned(path, stat));
    return new Plain(path, stat, file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The same file, to be decompressed. Throws when the name has become another one's. */
function pinned(path: string, stat: FileStat): Source {
  const source = openSource(path);
  if (source.kind !== "file" || source.key !== `${stat.dev}:${stat.ino}`) throw new Moved(path);
  return source;
}

class Plain implements Generation {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  readonly packed = false;
  readonly failure = undefined;
  private readonly file: OpenFile;
  constructor(path: string, stat: FileStat, file: OpenFile) {
    this.path = path;
    this.dev = stat.dev;
    this.ino = stat.ino;
    this.file = file;
  }
  read(at: number, length: number): Promise<Buffer> {
    return this.file.read(at, length);
  }
  stat(): Promise<FileStat> {
    return this.file.stat();
  }
  close(): Promise<void> {
    return this.file.close();
  }
}

/** Reads forward; going back begins anew. */
class Packed implements Generation {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  readonly packed = true;
  failure: Error | undefined;
  private readonly source: Source;
  private readonly file: OpenFile;
  private stream: AsyncGenerator<Uint8Array> | undefined;
  private head: Buffer | undefined;
  /** Decompressed bytes at hand, and where they begin. */
  private held: Buffer = Buffer.alloc(0);
  private heldAt = 0;

  constructor(path: string, stat: FileStat, file: OpenFile, source: Source) {
    this.path = path;
    this.dev = stat.dev;
    this.ino = stat.ino;
    this.file = file;
    this.source = source;
  }

  async read(at: number, length: number): Promise<Buffer> {
    if (this.head !== undefined && at + length <= this.head.length)
      return this.head.subarray(at, at + length);
    const bytes = await this.forward(at, length);
    if (at === 0) this.head ??= Buffer.from(bytes.subarray(0, HEAD_KEPT));
    return bytes;
  }

  stat(): Promise<FileStat> {
    return this.file.stat();
  }

  async close(): Promise<void> {
    await this.rewind();
    await this.file.close();
  }

  private async forward(at: number, length: number): Promise<Buffer> {
    if (this.stream === undefined || at < this.heldAt) {
      await this.rewind();
      this.stream = this.source.bytes();
    }
    while (this.heldAt + this.held.length < at + length) {
      const next = await this.next(this.stream);
      if (next === undefined) break;
      const keep = this.held.subarray(Math.min(this.held.length, Math.max(0, at - this.heldAt)));
      this.heldAt += this.held.length - keep.length;
      this.held = keep.length === 0 ? next : Buffer.concat([keep, next]);
    }
    const from = Math.min(this.held.length, at - this.heldAt);
    return this.held.subarray(from, Math.min(this.held.length, from + length));
  }

  private async next(stream: AsyncGenerator<Uint8Array>): Promise<Buffer | undefined> {
    try {
      const { done, value } = await stream.next();
      return done ? undefined : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    } catch (error) {
      this.failure = error as Error; // damaged, or no program to unpack it
      return undefined;
    }
  }

  private async rewind(): Promise<void> {
    await this.stream?.return(undefined);
    this.stream = undefined;
    this.held = Buffer.alloc(0);
    this.heldAt = 0;
  }
}
