const MS_PER_DAY = 86_400_000;
/** Every zone of the IANA database has changed its offset at a multiple of a quarter of an hour. */
const QUARTER_MS = 900_000;
/** Quarters of an hour remembered; only days around a change of offset need more than one. Bounded, since times are hostile. */
const MAX_CACHED = 4096;
/** How far time may step back before a repeated hour counts as its second run: lines of several writers mix by seconds. */
const MIX_MS = 120_000;

/** Days from 1970-01-01 to a date of the Gregorian calendar. month: 0 to 11. Source: Hinnant, "chrono-compatible low-level date algorithms". */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month < 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const monthFromMarch = (month + 10) % 12;
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The date of a day counted from 1970-01-01, as [year, month 0 to 11, day]. Source as above. */
export function civilFromDays(days: number): [number, number, number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = (monthFromMarch + 2) % 12;
  return [yearOfEra + era * 400 + (month < 2 ? 1 : 0), month, day];
}

/** Days in a month. month: 0 to 11. */
export function daysInMonth(year: number, month: number): number {
  if (month === 1) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31;
}

/**
 * A time zone of the IANA database, for turning local time into UTC at the rate of a log. The database is asked only
 * for days not seen before; a day whose neighbours have one offset costs a comparison a line.
 */
export class Zone {
  readonly name: string;
  private readonly format: Intl.DateTimeFormat | undefined;
  private readonly offsets = new Map<number, number>();
  /** The local day (days since 1970) for which `dayOffset` is right, all of it. */
  private day = Number.NaN;
  private dayOffset = 0;

  /** Throws RangeError when `name` is no zone. */
  constructor(name: string) {
    this.name = name;
    if (name === "UTC") return;
    this.format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      era: "short",
    });
  }

  /** Milliseconds east of UTC at an instant. */
  offsetAt(utc: number): number {
    if (this.format === undefined) return 0;
    const quarter = Math.floor(utc / QUARTER_MS);
    const known = this.offsets.get(quarter);
    if (known !== undefined) return known;
    if (this.offsets.size >= MAX_CACHED) this.offsets.clear();
    const offset = this.ask(quarter * QUARTER_MS);
    this.offsets.set(quarter, offset);
    return offset;
  }

  /**
   * The instant of a local time. local: milliseconds since 1970-01-01 00:00 of the wall clock. previous: the instant of
   * the line before, or NaN. A time that the clock skipped counts on from the offset before the gap. A time that the
   * clock showed twice is its first run, unless that lies more than two minutes before `previous`: then the second.
   */
  toUtc(local: number, previous: number): number {
    if (this.format === undefined) return local;
    const day = Math.floor(local / MS_PER_DAY);
    if (day === this.day) return local - this.dayOffset;
    const before = this.offsetAt((day - 1) * MS_PER_DAY);
    const after = this.offsetAt((day + 2) * MS_PER_DAY);
    if (before === after) {
      this.day = day;
      this.dayOffset = before;
      return local - before;
    }
    const early = local - before;
    const late = local - after;
    const earlyHolds = this.offsetAt(early) === before;
    const lateHolds = this.offsetAt(late) === after;
    if (earlyHolds && lateHolds) return early < previous - MIX_MS ? late : early;
    return lateHolds ? late : early;
  }

  /** The offset at a whole quarter of an hour, from the database. */
  private ask(utc: number): number {
    const part: Record<string, string> = {};
    for (const { type, value } of this.format!.formatToParts(utc)) part[type] = value;
    const year = part.era === "BC" ? 1 - Number(part.year) : Number(part.year);
    const days = daysFromCivil(year, Number(part.month) - 1, Number(part.day));
    const local =
      days * MS_PER_DAY + (Number(part.hour) * 3600 + Number(part.minute) * 60 + Number(part.second)) * 1000;
    return local - utc;
  }
}
