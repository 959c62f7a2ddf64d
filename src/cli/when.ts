import { Fault } from "../fault.ts";

/** A day, or a day and a time; the seconds, their fraction and the offset may be left out. */
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?)?$/i;
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
