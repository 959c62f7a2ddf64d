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
