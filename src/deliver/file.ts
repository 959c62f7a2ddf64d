import { close, constants, fstat, fsync, ftruncate, open, read, write } from "node:fs";
import { promisify } from "node:util";
import type { FileChannel } from "../config/config.ts";
import { Fault } from "../fault.ts";
import { deliveryRecord } from "./record.ts";
import { type Sender, type SenderContext, sent } from "./sender.ts";

const MODE = 0o600;
/** O_NONBLOCK: a FIFO in its place must not hold us. O_NOFOLLOW is left out; a link to another disk is fair. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
const LF = 0x0a;

/** Appends a line of JSON for each notification: once, since the last line is looked at first. */
export function fileSender(channel: FileChannel, context: SenderContext): Sender {
  return {
    async send(delivery) {
      const line = Buffer.from(`${JSON.stringify(deliveryRecord(delivery, context))}\n`);
      try {
        await append(channel.path, line);
        return sent;
      } catch (error) {
        throw error instanceof Fault ? error : fileFault(channel, (error as NodeJS.ErrnoException).code);
      }
    },
    close() {},
  };
}

async function append(path: string, line: Uint8Array): Promise<void> {
  const fd = await promisify(open)(path, FLAGS, MODE);
  try {
    const stat = await promisify(fstat)(fd);
    if (!stat.isFile()) throw Object.assign(new Error("no file"), { code: "no regular file" });
    const end = await tail(fd, stat.size, line.length);
    if (line.length === end.length && Buffer.compare(end, line) === 0) return; // written, but not marked as sent
    const torn = end.length > 0 && end[end.length - 1] !== LF;
    await writeWhole(fd, stat.size, torn ? Buffer.concat([Uint8Array.of(LF), line]) : line);
    await promisify(fsync)(fd);
  } finally {
    await promisify(close)(fd);
  }
}

/** The last bytes of a file, at most `length`. */
async function tail(fd: number, size: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(Math.min(size, length));
  const { bytesRead } = await promisify(read)(fd, bytes, 0, bytes.length, size - bytes.length);
  return bytes.subarray(0, bytesRead);
}

/** Writes all, or takes back what was written of it. */
async function writeWhole(fd: number, size: number, bytes: Uint8Array): Promise<void> {
  let done = 0;
  try {
    while (done < bytes.length)
      done += (await promisify(write)(fd, bytes, done, bytes.length - done, null)).bytesWritten;
  } catch (error) {
    if (done > 0) await promisify(ftruncate)(fd, size).catch(() => undefined);
    throw error;
  }
}

function fileFault({ path, name }: FileChannel, code: string | undefined): Fault {
  return new Fault(
    "io",
    `cannot append to ${path} (${code ?? "unknown"})`,
    `channel "${name}", path`,
    "nothing is sent on this channel; what waits is kept",
    "check that its folder exists, has room, and may be written by the user that Logvane runs as",
  );
}
