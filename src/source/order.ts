import type { Stamp } from "../log/stamp.ts";
import { daysFromCivil } from "../log/zone.ts";

const MS_PER_DAY = 86_400_000;
/** Times without a year are placed in this one first; a leap year has every day. */
const PLAIN_YEAR = 2000;
const YEAR_MS = 366 * MS_PER_DAY;
/** The Gregorian mean, good enough to move a chain of files by whole years. */
const MEAN_YEAR_MS = 365.2425 * MS_PER_DAY;

type Dated = { readonly file: string; readonly first: Stamp | undefined };

/** Milliseconds of a stamp in a year; zones differ by less than rotated files do, so a missing one counts as UTC. */
function timeIn(stamp: Stamp, year: number): number {
  const offset = Number.isNaN(stamp.offset) ? 0 : stamp.offset * 60_000;
  return daysFromCivil(year, stamp.month, stamp.day) * MS_PER_DAY + stamp.msOfDay - offset;
}

/**
 * Files in the order of their first times, ties by name; files without a time last, as given. Times without year are a
 * ring of days: it is cut at its longest gap, so December comes before January. Beside files that name years, the ring
 * lies in the years nearest to the first of those. Names and modification times play no part.
 */
export function inOrderOfTime<T extends Dated>(files: readonly T[]): T[] {
  const dated: [number, T][] = [];
  const ring: [number, T][] = [];
  for (const file of files) {
    if (file.first === undefined) continue;
    if (file.first.year !== 0) dated.push([timeIn(file.first, file.first.year), file]);
    else ring.push([timeIn(file.first, PLAIN_YEAR), file]);
  }
  dated.sort(byTime);
  const chain = unrolled(ring.sort(byTime));
  if (dated.length > 0 && chain.length > 0) {
    const years = Math.round((dated[0]![0] - chain.at(-1)![0]) / MEAN_YEAR_MS);
    for (const entry of chain) entry[0] += years * MEAN_YEAR_MS;
  }
  const sorted = [...dated, ...chain].sort(byTime).map(([, file]) => file);
  return [...sorted, ...files.filter((file) => file.first === undefined)];
}

function byTime(a: readonly [number, Dated], b: readonly [number, Dated]): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  return a[1].file < b[1].file ? -1 : a[1].file > b[1].file ? 1 : 0;
}

/** The ring cut at its longest gap: what stands before the gap in the calendar belongs to the year after. */
function unrolled<T>(ring: readonly [number, T][]): [number, T][] {
  let start = 0;
  let longest = -1;
  for (let i = 0; i < ring.length; i++) {
    const before = i > 0 ? ring[i - 1]![0] : ring.at(-1)![0] - YEAR_MS;
    const gap = ring[i]![0] - before;
    if (gap > longest) {
      longest = gap;
      start = i;
    }
  }
  return [
    ...ring.slice(start),
    ...ring.slice(0, start).map(([time, file]): [number, T] => [time + YEAR_MS, file]),
  ];
}
