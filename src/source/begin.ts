import type { Zone } from "../log/zone.ts";
import { Reading } from "./cut.ts";
import type { Disk } from "./disk.ts";
import { type Generation, openGeneration } from "./generation.ts";
import { LineTimes } from "./line-times.ts";
import { locate, newestRotated } from "./locate.ts";
import { fits, type Print, TAIL_KEPT } from "./position.ts";

/**
 * Where a source without a position begins: at its end, at the beginning of its live file, or at the first line of a time on. `born`: at
 * the beginning of a file that was made after that time, else at its end. Milliseconds since the Unix epoch.
 */
export type From = "end" | "start" | { readonly time: number } | { readonly born: number };

/** Bytes read at once where lines are only counted. */
const STRIDE = 1024 * 1024;

const LF = 10;

/** A place to read from, and the files that follow. */
export type Begin = {
  readonly reading: Reading;
  readonly queue: readonly Reading[];
  readonly before: Print | null;
};

/** Opens what a source without a position begins with. Throws the system's error. */
export async function begin(
  disk: Disk,
  path: string,
  from: From,
  zone: Zone,
  now: () => number,
): Promise<Begin> {
  if (typeof from === "object" && "time" in from) return beginAt(disk, path, from.time, zone, now);
  const file = await openGeneration(disk, path);
  try {
    const { size, birthtimeMs } = await file.stat();
    const whole = typeof from === "object" ? birthtimeMs > from.born : from === "start";
    const place = whole ? { offset: 0, line: 0 } : await lastLine(file, size);
    return {
      reading: await Reading.at(file, place.offset, place.line),
      queue: [],
      before: await newestRotated(disk, path),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The newest file that begins before the time, and those after it; of all files when none does. */
async function beginAt(
  disk: Disk,
  path: string,
  time: number,
  zone: Zone,
  now: () => number,
): Promise<Begin> {
  const files = [...(await locate(disk, path, undefined)).newer];
  let first = 0;
  for (let i = files.length - 1; i > 0; i--) {
    const head = await (await Reading.at(files[i]!.file, 0, 0)).cut(true);
    if (head === undefined || !(new LineTimes(zone, now).of(head.lines, 0) < time)) continue;
    first = i;
    break;
  }
  const before = first > 0 ? files[first - 1]!.print : null;
  for (const { file } of files.splice(0, first)) await file.close();
  const [reading, ...queue] = files;
  if (reading === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
  return { reading, queue, before };
}

/** Where the last line of a file ends, not counting one that is still being written. */
async function lastLine(file: Generation, size: number): Promise<{ offset: number; line: number }> {
  let line = 0;
  let offset = 0;
  for (let at = 0; at < size; ) {
    const bytes = await file.read(at, Math.min(STRIDE, size - at));
    if (bytes.length === 0) break;
    for (let lf = bytes.indexOf(LF); lf >= 0; lf = bytes.indexOf(LF, lf + 1)) line++;
    const last = bytes.lastIndexOf(LF);
    if (last >= 0) offset = at + last + 1;
    at += bytes.length;
  }
  return { offset, line };
}

/**
 * Where to go on in a file that was changed by hand: behind the bytes that were read last, if they are still there (the last place
 * where they stand), else at its end.
 */
export async function resume(
  file: Generation,
  tail: Print,
): Promise<{ readonly reading: Reading; readonly sure: boolean }> {
  const { size } = await file.stat();
  let line = 0;
  let found: { offset: number; line: number } | undefined;
  let kept: Buffer = Buffer.alloc(0);
  for (let at = 0; at < size && tail.bytes > 0; ) {
    const bytes = await file.read(at, Math.min(STRIDE, size - at));
    if (bytes.length === 0) break;
    const all = Buffer.concat([kept, bytes]);
    for (let lf = bytes.indexOf(LF); lf >= 0; lf = bytes.indexOf(LF, lf + 1)) {
      line++;
      const end = kept.length + lf + 1;
      if (end >= tail.bytes && fits(all.subarray(end - tail.bytes, end), tail))
        found = { offset: at + lf + 1, line };
    }
    at += bytes.length;
    kept = Buffer.from(all.subarray(-TAIL_KEPT));
  }
  const place = found ?? (await lastLine(file, size));
  return { reading: await Reading.at(file, place.offset, place.line), sure: found !== undefined };
}
