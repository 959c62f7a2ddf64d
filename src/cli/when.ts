import { Fault } from "../fault.ts";

/** A day, or a day and a time; the seconds, their fraction and the offset may be left out. */
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?)?$/i;
const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
/** Longest part of an argument shown in a message. */
const SHOWN = 60;

/**
 * A point in time as milliseconds since the Unix epoch. A day alone is its start. What has no offset is UTC, whatever
 * zone the machine is in: the same command learns from the same lines everywhere. Throws Fault for what is no time,
 * or names a day that the calendar lacks.
 */
export function instant(text: string, flag: string): number {
  const [, day, clock = "00:00", offset = "Z"] = ISO.exec(text) ?? [];
  if (day !== undefined) {
    const zone = offset.toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
    const time = Date.parse(`${day}T${clock}${zone}`);
    // Date.parse takes February 30th for March 2nd.
    if (!Number.isNaN(time) && new Date(Date.parse(`${day}T00:00Z`)).toISOString().startsWith(day))
      return time;
  }
  throw new Fault(
    "usage",
    `"${text.slice(0, SHOWN)}" is no ISO 8601 time`,
    flag,
    "nothing was done",
    `type: ${flag} 2026-09-21T00:00:00Z`,
  );
}

/** "30d", "12h", "90m" or "2w" in ms; more than nothing. example: for the message. Throws a usage Fault. */
export function durationMs(text: string, flag: string, example: string): number {
  const match = /^(\d{1,6})([mhdw])$/.exec(text);
  const ms = match ? Number(match[1]) * UNITS[match[2]!]! : 0;
  if (ms > 0) return ms;
  throw new Fault(
    "usage",
    `"${text.slice(0, SHOWN)}" is no duration`,
    flag,
    "nothing was done",
    `type: ${flag} ${example}`,
  );
}
