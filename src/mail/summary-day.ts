import type { MailEvent } from "./event.ts";

/** The totals that a refusal or the like adds to. */
export type Ask = "rejected" | "reject_warnings" | "held" | "discarded";

/** The daemon as pflogsumm 1.1.5 sees it: `postfix/D`, `postfix/smtps/D` and `postfix/submission/D` alone. */
export function pflogsummDaemon(program: string): string | undefined {
  if (!program.startsWith("postfix/")) return undefined;
  const rest = program.slice(8);
  const slash = rest.indexOf("/");
  if (slash < 0) return rest;
  const middle = rest.slice(0, slash);
  const last = rest.slice(slash + 1);
  return (middle === "smtps" || middle === "submission") && !last.includes("/") ? last : undefined;
}

/** Stages by which cleanup's refusals are counted. */
const CLEANUP_STAGES = new Set(["header", "body", "END-OF-MESSAGE"]);

/** The total that an event adds to, if it is a refusal, warning, hold or discard. */
export function classOf(event: MailEvent, daemon: string): Ask | undefined {
  if (daemon !== "smtpd" && daemon !== "postscreen" && daemon !== "cleanup") return undefined;
  const inCleanup = daemon === "cleanup";
  switch (event.event) {
    case "reject":
    case "milter_reject":
      return !inCleanup || CLEANUP_STAGES.has(String(event.fields["stage"])) ? "rejected" : undefined;
    case "reject_warning":
      return !inCleanup || event.fields["stage"] !== "END-OF-MESSAGE" ? "reject_warnings" : undefined;
    case "hold":
      return "held";
    case "discard":
      return "discarded";
    default:
      return undefined;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();
let lastSlot = Number.NaN;
let lastZone = "";
let lastValue = { day: "", hour: 0 };
/** Offsets change at quarter hours at the finest. */
const SLOT_MS = 900_000;

/** Day (YYYY-MM-DD) and hour of a time in an IANA zone. */
export function dayHour(time: number, zone: string): { day: string; hour: number } {
  const slot = Math.floor(time / SLOT_MS);
  if (slot === lastSlot && zone === lastZone) return lastValue;
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      hourCycle: "h23",
    });
    formats.set(zone, format);
  }
  const part: Record<string, string> = {};
  for (const p of format.formatToParts(time)) part[p.type] = p.value;
  lastSlot = slot;
  lastZone = zone;
  lastValue = { day: `${part["year"]}-${part["month"]}-${part["day"]}`, hour: Number(part["hour"]) };
  return lastValue;
}
