import type { Alert, Measure } from "../detect/alert.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Ids that may stand in a command to paste into a shell; all of ours do. */
const PLAIN_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** What comes before the id: our program and one of its verbs, such as "npx logvane explain". */
const PLAIN_COMMAND = /^(?:npx )?logvane(?: [a-z]+)?$/;

const formats = new Map<string, Intl.DateTimeFormat>();

function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      timeZoneName: "longOffset",
    });
    formats.set(timeZone, format);
  }
  return format;
}

function partsOf(ms: number, timeZone: string): Record<string, string> {
  const part: Record<string, string> = {};
  for (const { type, value } of zoneFormat(timeZone).formatToParts(ms)) part[type] = value;
  return part;
}

/** 14:03:27, in the zone. */
export function clockTime(ms: number, timeZone: string): string {
  const part = partsOf(ms, timeZone);
  return `${part["hour"]}:${part["minute"]}:${part["second"]}`;
}

/** 2026-09-21 14:03 +02:00. ms: since the Unix epoch. timeZone: IANA name. */
export function localTime(ms: number, timeZone: string): string {
  const part = partsOf(ms, timeZone);
  const offset = part["timeZoneName"]!.slice("GMT".length) || "+00:00";
  return `${part["year"]}-${part["month"]}-${part["day"]} ${part["hour"]}:${part["minute"]} ${offset}`;
}

/** 2026-09-21, in the zone. */
export function localDay(ms: number, timeZone: string): string {
  return localTime(ms, timeZone).slice(0, 10);
}

/** A length of time in its largest sensible unit: 40 s, 12 min, 3.5 h, 7 days. */
export function durationText(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.round(ms / 1000)} s`;
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${shortNumber(ms / HOUR_MS)} h`;
  return `${shortNumber(ms / DAY_MS)} days`;
}

const shortNumber = (x: number): string => String(Math.round(x * 10) / 10);

/** 1234567 as 1,234,567; below 100 with up to two decimals. */
export function numberText(x: number): string {
  if (!Number.isFinite(x)) return "-";
  const digits = Math.abs(x) >= 100 || Number.isInteger(x) ? 0 : 2;
  return x.toLocaleString("en-US", { maximumFractionDigits: digits });
}

/** "412, typically 0 to 3", or "412, typically 3". */
export function measureText(measure: Measure): string {
  const low = numberText(measure.typicalLow);
  const high = numberText(measure.typicalHigh);
  return `${numberText(measure.actual)}, typically ${low === high ? low : `${low} to ${high}`}`;
}

/** "1 line", "2 lines". */
export function countText(n: number, word: string): string {
  return `${numberText(n)} ${word}${n === 1 ? "" : "s"}`;
}

/** Since when, for how long, and whether it is over. */
export function sinceText(alert: Alert, timeZone: string): string {
  const start = localTime(alert.start, timeZone);
  if (alert.closedAt === null) return `${start}, still open at the end of the log`;
  return `${start}, for ${durationText(Math.max(0, alert.end - alert.start))}`;
}

/**
 * What to type next: our program, one of its verbs and an alert's id, never a word of a log; undefined when the id
 * is none of ours. Throws RangeError for a command that is not ours.
 */
export function nextCommand(command: string, id: string): string | undefined {
  if (!PLAIN_COMMAND.test(command)) throw new RangeError(`no command of ours: ${command}`);
  return PLAIN_ID.test(id) ? `${command} ${id}` : undefined;
}
