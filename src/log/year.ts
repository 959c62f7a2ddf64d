import type { Stamp } from "./stamp.ts";
import { daysFromCivil, daysInMonth, type Zone } from "./zone.ts";

const MS_PER_DAY = 86_400_000;
/** A line may lie this far ahead of the clock before its year is doubted: the writer's zone and clock are not ours. */
const AHEAD_MS = MS_PER_DAY;
/** Half a year and some days: a date farther away than this in all three years exists in none of them near the line before. */
const FARTHEST_MS = 200 * MS_PER_DAY;
/** Any year will do for counting turns of the year. */
const COUNTING_YEAR = 2000;
/** Leap years are at most this far apart (1896 to 1904). */
const LEAP_SPAN = 8;

/** Local milliseconds since 1970-01-01 00:00 of the wall clock in `year`; NaN when that month has no such day. */
function localTime(stamp: Stamp, year: number): number {
  if (stamp.day > 28 && stamp.day > daysInMonth(year, stamp.month)) return Number.NaN;
  return daysFromCivil(year, stamp.month, stamp.day) * MS_PER_DAY + stamp.msOfDay;
}

/** What settles the year and zone of the next line. */
export type SavedClock = {
  readonly year: number | undefined;
  readonly local: number;
  readonly instant: number;
  readonly jump: number;
};

/**
 * Settles what a line's time leaves open: the zone, and for RFC 3164 the year. The first line is of the given year;
 * each next one is of the year that brings it nearest to the line before. So December to January is a new year, a step
 * back of an hour is none, and a silence of more than half a year can't be told from a step back (give --year). Lines that
 * name their year move that of the lines without; but one that lies more than half a year away is believed only when the
 * next one agrees: a single date of another kind (a program's own, in a line that lost its head) moves nothing.
 */
export class LogClock {
  readonly zone: Zone;
  private year: number | undefined;
  /** Local time of the last line with a time. NaN before the first. */
  private local = Number.NaN;
  /** The instant given out last. */
  private instant = Number.NaN;
  /** Local time of a line that named a year far from here and is not believed yet, or NaN. */
  private jump = Number.NaN;

  /** year: of the first line; undefined when unknown: lines without year then have no time until one with a year came. */
  constructor(zone: Zone, year: number | undefined) {
    this.zone = zone;
    this.year = year;
  }

  save(): SavedClock {
    const { year, local, instant, jump } = this;
    return { year, local, instant, jump };
  }

  load({ year, local, instant, jump }: SavedClock): void {
    this.year = year;
    this.local = local;
    this.instant = instant;
    this.jump = jump;
  }

  /** Milliseconds since the Unix epoch, or null when there is no such date or no year is known. */
  settle(stamp: Stamp): number | null {
    const year = stamp.year !== 0 ? stamp.year : this.nearestYear(stamp);
    if (year === undefined) return null;
    const local = localTime(stamp, year);
    if (Number.isNaN(local)) return null;
    const instant = Number.isNaN(stamp.offset)
      ? this.zone.toUtc(local, this.instant)
      : local - stamp.offset * 60_000;
    this.instant = instant;
    if (stamp.year !== 0 && !this.believes(local, year)) return instant;
    this.jump = Number.NaN;
    this.year = year;
    this.local = local;
    return instant;
  }

  /** Whether a line that names its year tells that of the lines without: it is near, or the second one there in a row. */
  private believes(local: number, year: number): boolean {
    const near = Number.isNaN(this.local)
      ? this.year === undefined || Math.abs(year - this.year) <= 1
      : Math.abs(local - this.local) < FARTHEST_MS;
    if (near || Math.abs(local - this.jump) < MS_PER_DAY) return true;
    this.jump = local;
    return false;
  }

  /** The year that brings a stamp without one nearest to the line before. */
  private nearestYear(stamp: Stamp): number | undefined {
    if (this.year === undefined || Number.isNaN(this.local)) return this.year;
    return nearestYear(stamp, this.local, this.year);
  }
}

/** Of year - 1, year and year + 1 the one that brings the stamp nearest to `local`; a date that a year lacks is no candidate. */
function nearestYear(stamp: Stamp, local: number, year: number): number {
  const gap = localTime(stamp, year) - local;
  if (gap > -100 * MS_PER_DAY && gap < 100 * MS_PER_DAY) return year;
  let best = year;
  let least = FARTHEST_MS;
  for (let y = year - 1; y <= year + 1; y++) {
    const distance = Math.abs(localTime(stamp, y) - local);
    if (distance < least) {
      least = distance;
      best = y;
    }
  }
  return best;
}

/** Counts the turns of the year over all lines of a log, oldest first, so that the first line's year can be inferred. */
export class YearCounter {
  private year = COUNTING_YEAR;
  private local = Number.NaN;
  private latest = Number.NEGATIVE_INFINITY;
  private readonly leapTurns = new Set<number>();
  private needed = false;

  /** Takes the time of the next line. Lines that name their year settle it for those after them and need no inference. */
  add(stamp: Stamp): void {
    if (stamp.year !== 0) return;
    // Which years are leap years isn't known yet: 29 February counts as the 28th, and its year is noted.
    const leapDay = stamp.month === 1 && stamp.day === 29;
    const near = leapDay ? { ...stamp, day: 28 } : stamp;
    const year = Number.isNaN(this.local) ? this.year : nearestYear(near, this.local, this.year);
    const local = localTime(near, year);
    if (Number.isNaN(local)) return;
    if (leapDay) this.leapTurns.add(year - COUNTING_YEAR);
    this.needed = true;
    this.year = year;
    this.local = local;
    if (local > this.latest) this.latest = local;
  }

  /**
   * The year of the first line. named: what the rotated files' names say (rotation.ts); it holds, whatever the clock, when
   * every 29 February exists with it. Else the latest year for which no line lies in the future of `now` (plus a day for
   * foreign zones and clocks) and every 29 February exists. now: milliseconds since the epoch. undefined when no line
   * lacks its year. Modification times play no part: a copy or a restore changes them, and the same lines must mean the same.
   */
  infer(now: number, zone: Zone, named?: number): number | undefined {
    if (!this.needed) return undefined;
    if (named !== undefined && this.hasLeapDays(named)) return named;
    const newest = new Date(this.latest);
    const localNow = now + zone.offsetAt(now) + AHEAD_MS;
    const turns = newest.getUTCFullYear() - COUNTING_YEAR;
    const from = new Date(localNow).getUTCFullYear() - turns;
    for (let year = from; year > from - 2 * LEAP_SPAN; year--) {
      if (
        Date.UTC(year + turns, newest.getUTCMonth(), newest.getUTCDate()) + (this.latest % MS_PER_DAY) >
        localNow
      )
        continue;
      if (this.hasLeapDays(year)) return year;
    }
    return from - 1;
  }

  /** Whether every 29 February seen exists when the first line is of `year`. */
  private hasLeapDays(year: number): boolean {
    for (const turn of this.leapTurns) if (daysInMonth(year + turn, 1) !== 29) return false;
    return true;
  }
}
