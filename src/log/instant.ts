import type { Stamp } from "./stamp.ts";
import { civilFromDays } from "./zone.ts";

const MS_PER_DAY = 86_400_000;

/** An instant as a stamp that names its zone. ms: since the epoch. False outside of the years 1 to 9999. */
export function stampOf(ms: number, end: number, out: Stamp): boolean {
  if (!Number.isFinite(ms)) return false;
  const whole = Math.floor(ms);
  const days = Math.floor(whole / MS_PER_DAY);
  const [year, month, day] = civilFromDays(days);
  if (year < 1 || year > 9999) return false;
  out.year = year;
  out.month = month;
  out.day = day;
  out.msOfDay = whole - days * MS_PER_DAY;
  out.offset = 0;
  out.end = end;
  return true;
}
