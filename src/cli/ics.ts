import { nthBeginning, type Plan, wallMinute } from "../detect/planned.ts";
import { Fault } from "../fault.ts";
import { daysFromCivil, daysInMonth, Zone } from "../log/zone.ts";

/**
 * Events of an iCalendar file (RFC 5545) as entries of the calendar: single ones and those that come back daily, weekly or monthly. What
 * else a rule may say is refused by name: a maintenance that is misread would hide what it should not.
 */

const DAYS = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
/** Parts of a rule that are understood; WKST only matters for weeks that are left out. */
const KNOWN: ReadonlySet<string> = new Set([
  ...["FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "WKST"],
]);
const MAX_COUNT = 10_000;
const SHOWN = 80;

type Property = {
  readonly name: string;
  readonly params: ReadonlyMap<string, string>;
  readonly value: string;
};
type Event = readonly Property[];
/** minute: of the wall clock of the zone. */
type When = { readonly minute: number; readonly zone: string; readonly day: boolean };

/** The events of a file. zone: of times without one. where: the file, for messages. Throws Fault badData. */
export function plansOfIcs(text: string, zone: string, where: string): Omit<Plan, "id">[] {
  const events = eventsOf(text);
  if (events.length === 0) throw refused("there is no event (VEVENT) in it", where);
  return events
    .filter((event) => valueIn(event, "STATUS") !== "CANCELLED")
    .map((event) => planOf(event, zone, where));
}

/** The properties of each VEVENT, without those of what lies in it (alarms). */
function eventsOf(text: string): Event[] {
  const events: Property[][] = [];
  const open: string[] = [];
  for (const line of text.replace(/\r?\n[ \t]/g, "").split(/\r?\n/)) {
    const property = propertyOf(line);
    if (property === undefined) continue;
    const { name, value } = property;
    if (name === "BEGIN") {
      open.push(value.toUpperCase());
      if (open.at(-1) === "VEVENT") events.push([]);
    } else if (name === "END") open.pop();
    else if (open.at(-1) === "VEVENT") events.at(-1)!.push(property);
  }
  return events;
}

function propertyOf(line: string): Property | undefined {
  const match = /^([A-Za-z0-9-]{1,60})((?:;[A-Za-z0-9-]{1,60}=(?:"[^"]*"|[^";:]*))*):(.*)$/s.exec(line);
  if (!match) return undefined;
  const params = [...match[2]!.matchAll(/;([A-Za-z0-9-]+)=("[^"]*"|[^";:]*)/g)];
  return {
    name: match[1]!.toUpperCase(),
    params: new Map(params.map(([, key, value]) => [key!.toUpperCase(), value!.replace(/^"|"$/g, "")])),
    value: match[3]!,
  };
}

const valueIn = (event: Event, name: string): string | undefined =>
  event.find((property) => property.name === name)?.value;

function planOf(event: Event, zone: string, file: string): Omit<Plan, "id"> {
  const name = (valueIn(event, "SUMMARY") ?? "planned").replace(/\\[nN]/g, " ").replace(/\\(.)/g, "$1");
  const where = `${file}, event "${name.slice(0, SHOWN)}"`;
  for (const other of ["RDATE", "RECURRENCE-ID", "EXRULE"])
    if (event.some((property) => property.name === other))
      throw refused(`it has ${other}, which Logvane does not read`, where);
  const begin = event.find((property) => property.name === "DTSTART");
  if (begin === undefined) throw refused("it has no beginning (DTSTART)", where);
  const start = whenOf(begin, begin.value, zone, where);
  const single: Omit<Plan, "id"> = {
    ...{ name: name.slice(0, 200), zone: start.zone, repeat: "once", first: start.minute, every: 1 },
    minutes: minutesOf(event, start, zone, where),
    ...{ weekdays: [], monthDays: [], monthWeekdays: [], until: undefined },
    except: event
      .filter((property) => property.name === "EXDATE")
      .flatMap((property) =>
        property.value.split(",").map((value) => inZone(whenOf(property, value, zone, where), start.zone)),
      ),
    ...{ kinds: [], entities: [] },
  };
  const rules = event.filter((property) => property.name === "RRULE");
  if (rules.length > 1) throw refused("it has several rules (RRULE)", where);
  return rules.length === 0 ? single : repeated(single, rules[0]!.value, start, where);
}

/** A date, or a date and time: of UTC, of a zone, or of the zone that is asked. */
function whenOf({ params }: Property, value: string, zone: string, where: string): When {
  const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/.exec(value);
  const [year, month, day, hour, minute] = (match ?? []).slice(1, 6).map((n) => Number(n ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (
    !match ||
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > daysInMonth(year, month - 1) ||
    hour > 23 ||
    minute > 59
  )
    throw refused(`"${value.slice(0, SHOWN)}" is no date or time`, where);
  const own = match[7] === "Z" ? "UTC" : (params.get("TZID") ?? zone);
  try {
    new Zone(own);
  } catch {
    throw refused(`"${own.slice(0, SHOWN)}" is no zone of the IANA database, such as Europe/Berlin`, where);
  }
  return {
    minute: daysFromCivil(year, month - 1, day) * 1440 + hour * 60 + minute,
    zone: own,
    day: match[4] === undefined,
  };
}

const instantOf = ({ minute, zone }: When): number => new Zone(zone).toUtc(minute * 60_000, Number.NaN);
const inZone = (when: When, zone: string): number =>
  when.zone === zone || when.day ? when.minute : wallMinute(instantOf(when), zone);

function minutesOf(event: Event, start: When, zone: string, where: string): number {
  const end = event.find((property) => property.name === "DTEND");
  if (end) {
    const at = whenOf(end, end.value, zone, where);
    return at.zone === start.zone ? at.minute - start.minute : (instantOf(at) - instantOf(start)) / 60_000;
  }
  const text = valueIn(event, "DURATION");
  if (text === undefined) return start.day ? 1440 : 0;
  const match = /^\+?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (!match) throw refused(`"${text.slice(0, SHOWN)}" is no duration`, where);
  const [w, d, h, m] = match.slice(1, 5).map((n) => Number(n ?? 0)) as [number, number, number, number];
  return ((w * 7 + d) * 24 + h) * 60 + m;
}

function repeated(single: Omit<Plan, "id">, text: string, start: When, where: string): Omit<Plan, "id"> {
  const parts = new Map(text.split(";").map((part) => part.split("=", 2) as [string, string]));
  for (const name of parts.keys())
    if (!KNOWN.has(name))
      throw refused(`its rule has ${name.slice(0, SHOWN)}, which Logvane does not read`, where);
  const every = Number(parts.get("INTERVAL") ?? 1);
  const frequency = parts.get("FREQ");
  if (!Number.isInteger(every) || every < 1 || every > 1000)
    throw refused("its INTERVAL is no number", where);
  if (every > 1 && (parts.get("WKST") ?? "MO") !== "MO")
    throw refused("its weeks begin on another day than Monday", where);
  const plan = {
    ...single,
    every,
    ...(frequency === "MONTHLY"
      ? monthly(parts, start, where)
      : weekly(frequency, every, parts, start, where)),
    ...untilOf(parts.get("UNTIL"), start, where),
  };
  const count = parts.get("COUNT");
  if (count === undefined) return plan;
  if (!/^\d{1,5}$/.test(count) || Number(count) < 1 || Number(count) > MAX_COUNT)
    throw refused("its COUNT is no number", where);
  // those that are left out count, too
  return { ...plan, until: nthBeginning({ ...plan, id: 0, except: [] }, Number(count)) };
}

const weekdayOf = (minute: number): number => (((Math.floor(minute / 1440) + 4) % 7) + 7) % 7;

function weekly(
  frequency: string | undefined,
  every: number,
  parts: ReadonlyMap<string, string>,
  start: When,
  where: string,
): Pick<Plan, "repeat" | "weekdays"> {
  if (frequency === "DAILY" && (every > 1 || parts.has("BYMONTHDAY")))
    throw refused("it comes back every few days; Logvane reads daily, weekly and monthly events", where);
  if (frequency !== "WEEKLY" && frequency !== "DAILY")
    throw refused(
      `it comes back ${String(frequency).slice(0, SHOWN)}; Logvane reads DAILY, WEEKLY and MONTHLY`,
      where,
    );
  if (parts.has("BYMONTHDAY")) throw refused("a weekly event has days of the month", where);
  const byDay = parts.get("BYDAY");
  const days = byDay?.split(",").map((day) => DAYS.indexOf(day));
  if (days?.includes(-1)) throw refused(`"${byDay?.slice(0, SHOWN)}" are no days of the week`, where);
  const all = frequency === "DAILY" ? DAYS.map((_, i) => i) : [weekdayOf(start.minute)];
  return { repeat: "weekly", weekdays: days ?? all };
}

function monthly(
  parts: ReadonlyMap<string, string>,
  start: When,
  where: string,
): Pick<Plan, "repeat" | "monthDays" | "monthWeekdays"> {
  const [byDay, byMonthDay] = [parts.get("BYDAY"), parts.get("BYMONTHDAY")];
  if (byDay !== undefined && byMonthDay !== undefined)
    throw refused("its rule has both days of the week and of the month", where);
  if (byDay !== undefined)
    return {
      repeat: "monthly",
      monthDays: [],
      monthWeekdays: byDay.split(",").flatMap((day) => nth(day, where)),
    };
  const days = byMonthDay?.split(",").map(Number) ?? [dateOf(start.minute)];
  if (days.some((d) => !Number.isInteger(d) || d === 0 || Math.abs(d) > 31))
    throw refused(`"${byMonthDay?.slice(0, SHOWN)}" are no days of a month`, where);
  return { repeat: "monthly", monthDays: days, monthWeekdays: [] };
}

/** "2TU", "-1FR", or "SU" for every Sunday. */
function nth(day: string, where: string): Plan["monthWeekdays"][number][] {
  const match = /^([+-]?[1-5])?(SU|MO|TU|WE|TH|FR|SA)$/.exec(day);
  if (!match) throw refused(`"${day.slice(0, SHOWN)}" is no day of a month's week`, where);
  const weekday = DAYS.indexOf(match[2]!);
  if (match[1] !== undefined) return [{ n: Number(match[1]), weekday }];
  return [1, 2, 3, 4, 5].map((n) => ({ n, weekday }));
}

const dateOf = (minute: number): number => new Date(minute * 60_000).getUTCDate();

/** A day includes all of it. */
function untilOf(value: string | undefined, start: When, where: string): Pick<Plan, "until"> {
  if (value === undefined) return { until: undefined };
  const until = whenOf({ name: "UNTIL", params: new Map(), value }, value, start.zone, where);
  return { until: until.day ? until.minute + 1439 : inZone(until, start.zone) };
}

const refused = (what: string, where: string): Fault =>
  new Fault(
    "badData",
    what,
    where,
    "nothing was added, so that nothing is hidden by mistake",
    "take that event out of the file, or add it by hand: logvane calendar add NAME --from ... --to ...",
  );
