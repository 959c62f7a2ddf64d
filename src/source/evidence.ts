import { readLineStamp } from "../log/envelope.ts";
import { newStamp, type Stamp } from "../log/stamp.ts";

/** Bytes of a common range that are judged; the rest of it is equal too but adds nothing. */
export const JUDGED: number = 256 * 1024;
/** Lines with a time at most so far into a line. */
const STAMP_BYTES = 256;
/** Lines of a partial overlap that spans two times. */
const MIN_LINES = 4;
/** Different lines, and bytes, that a range within one time needs. */
const MIN_DISTINCT = 8;
const MIN_BYTES = 1024;
/** Different lines that a copy of a whole file needs when all its lines are of one time. */
const MIN_COPY = 3;

const LF = 10;

/** How two equal ranges lie in their files. */
export type Extent = "part" | "one whole file" | "both files";

/**
 * Whether a range of equal bytes is the same lines twice, and not equal lines that were logged twice.
 *
 * A range that holds two different times is decisive: were the files one after the other, time would have to run through
 * it, step back, and run through it again, with the same bytes. Equal lines of one second (floods, repeated connections of
 * one process) never reach two times on both sides of a rotation. Within one time, or where times can't be read, eight
 * different lines in a row are asked for: what repeats legitimately in one second is a pattern of few lines, and longer
 * ones hold queue ids and ports. Four lines, so that a clock set back by a second is no trap for a short pattern.
 */
export function isSameText(bytes: Uint8Array, extent: Extent): boolean {
  const { lines, times, distinct } = contents(bytes);
  if (times > 1 && (lines >= MIN_LINES || extent !== "part")) return true;
  if (distinct >= MIN_DISTINCT && bytes.length >= MIN_BYTES) return true;
  return extent === "both files" && distinct >= MIN_COPY;
}

/** Lines, different times (counted up to two) and different lines (up to MIN_DISTINCT) of a text. */
function contents(bytes: Uint8Array): { lines: number; times: number; distinct: number } {
  const seen = new Set<string>();
  const stamp = newStamp();
  let first: string | undefined;
  let times = 0;
  let lines = 0;
  for (let at = 0; at < bytes.length && lines < 1e5; lines++) {
    const found = bytes.indexOf(LF, at);
    const end = found < 0 ? bytes.length : found;
    if (seen.size < MIN_DISTINCT) seen.add(latin1(bytes, at, end));
    if (times < 2 && readLineStamp(latin1(bytes, at, Math.min(end, at + STAMP_BYTES)), stamp)) {
      const time = `${stamp.year} ${place(stamp)}`;
      if (times === 0) {
        first = time;
        times = 1;
      } else if (time !== first) times = 2;
    }
    at = end + 1;
  }
  return { lines, times, distinct: seen.size };
}

const latin1 = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");

const MS_PER_DAY = 86_400_000;
/** Days of a ring in which every month has 31: where a time stands in it is cheap to say and keeps the order. */
const RING_DAYS = 12 * 31;
const RING_MS = RING_DAYS * MS_PER_DAY;
/** Lines of one file step back in time by no more than this. */
const DISORDER_MS = 3_600_000;

const place = (s: Stamp): number =>
  (s.month * 31 + s.day - 1) * MS_PER_DAY + s.msOfDay - (Number.isNaN(s.offset) ? 0 : s.offset * 60_000);

/** Whether `time` may lie between two times of a file. Without years: going forward in the ring of days from `from`. */
export function mayLieBetween(from: Stamp, time: Stamp, to: Stamp): boolean {
  if (from.year !== 0 && time.year !== 0 && to.year !== 0) {
    const at = (s: Stamp): number => s.year * RING_MS + place(s);
    return at(time) >= at(from) - DISORDER_MS && at(time) <= at(to);
  }
  const forward = (s: Stamp): number => (place(s) - place(from) + DISORDER_MS + RING_MS) % RING_MS;
  return forward(time) <= forward(to);
}

/** The latest of the times in some lines of a file, told apart by how far they are after `from`. undefined without a time. */
export function latestStamp(bytes: Uint8Array, maxLines: number, from: Stamp): Stamp | undefined {
  let latest: Stamp | undefined;
  const stamp = newStamp();
  let at = 0;
  for (let n = 0; at < bytes.length && n < maxLines; n++) {
    const found = bytes.indexOf(LF, at);
    const end = found < 0 ? bytes.length : found;
    if (readLineStamp(latin1(bytes, at, Math.min(end, at + STAMP_BYTES)), stamp))
      if (latest === undefined || mayLieBetween(from, latest, stamp)) latest = { ...stamp };
    at = end + 1;
  }
  return latest;
}
