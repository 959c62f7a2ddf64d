import { statSync } from "node:fs";
import { constants, type FileHandle, open, readdir, stat, statfs } from "node:fs/promises";

/** What is asked of a file's metadata. */
export type FileStat = {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly birthtimeMs: number;
  readonly isFile: () => boolean;
  readonly isDirectory: () => boolean;
};

/** An open file. */
export type OpenFile = {
  stat(): Promise<FileStat>;
  /** Up to `length` bytes at `at`; fewer at the end. */
  read(at: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
};

/**
 * The operations on files that following needs. None is of the kind that keeps the process: a file system that doesn't answer
 * (NFS) costs a thread of the pool and not the other sources.
 */
export type Disk = {
  stat(path: string): Promise<FileStat>;
  /** Opens for reading; never waits for a FIFO's other end, never makes a terminal ours. */
  open(path: string): Promise<OpenFile>;
  list(folder: string): Promise<string[]>;
  /** Whether the file system of a path always answers at once: one on this machine. */
  isLocal(path: string): Promise<boolean>;
  /** `stat` without a thread, a tenth of its cost; for local files alone. undefined when there is none. */
  statNow(path: string): FileStat | undefined;
};

/** Types of local file systems, statfs(2): ext, xfs, btrfs, tmpfs, overlay, zfs, f2fs. */
const LOCAL = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010]);

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export const DISK: Disk = {
  stat: (path) => stat(path),
  open: async (path) => new Opened(await open(path, FLAGS)),
  list: (folder) => readdir(folder),
  isLocal: async (path) => LOCAL.has((await statfs(path)).type),
  statNow: (path) => {
    try {
      return statSync(path, { throwIfNoEntry: false });
    } catch {
      return undefined; // the slow way says why
    }
  },
};

class Opened implements OpenFile {
  private readonly handle: FileHandle;
  constructor(handle: FileHandle) {
    this.handle = handle;
  }
  stat(): Promise<FileStat> {
    return this.handle.stat();
  }
  async read(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.handle.read(buffer, filled, length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }
  close(): Promise<void> {
    return this.handle.close();
  }
}
