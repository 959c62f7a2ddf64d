import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { Fault } from "../fault.ts";

/** What may be read is decided by the umask, but not by others: reports name people. */
const MODE = 0o640;

/** Writes a whole file or nothing: readers see the old bytes until all new ones are on the disk. Throws a Fault. */
export function writeWhole(file: string, bytes: string | Uint8Array): void {
  const next = `${file}.${process.pid}.new`;
  try {
    const fd = openSync(next, "wx", MODE);
    try {
      const data = Buffer.from(bytes);
      for (let at = 0; at < data.length; ) at += writeSync(fd, data, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(next, file);
  } catch (error) {
    rmSync(next, { force: true });
    throw new Fault(
      "io",
      `cannot write the file (${(error as NodeJS.ErrnoException).code})`,
      file,
      "what the file held before is unharmed",
      "name a file in a folder that exists, that you may write to, and that has room",
    );
  }
}
