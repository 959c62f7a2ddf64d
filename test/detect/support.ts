import type { ExpectedCounts } from "../../src/detect/attribute.ts";
import type { Candidate } from "../../src/detect/candidate.ts";
import type { Plan } from "../../src/detect/planned.ts";
import type { LocalClock } from "../../src/feature/clock.ts";

export const MINUTE = 60_000;
export const HOUR: number = 60 * MINUTE;
/** Saturday. */
export const NOON: number = Date.UTC(2026, 9, 10, 12);
export const utc: LocalClock = (ms) => ({
  day: Math.floor(ms / (24 * HOUR)),
  minute: Math.floor(ms / MINUTE) % 1440,
  weekday: 6,
});

/** An entry of the calendar, about everything: once, an hour from 1970 on, in UTC. */
export const planned = (change: Partial<Plan> = {}): Plan => ({
  ...{ id: 1, name: "work", zone: "UTC", repeat: "once", first: 0, minutes: 60, every: 1 },
  ...{
    weekdays: [],
    monthDays: [],
    monthWeekdays: [],
    until: undefined,
    except: [],
    kinds: [],
    entities: [],
  },
  ...change,
});

/** A candidate far rarer than the bar of two alerts a day, 0.02. */
export const candidate = (changes: Partial<Candidate>): Candidate => ({
  at: NOON,
  start: NOON - HOUR,
  view: "window",
  family: "outbound",
  key: "column program postfix/smtp",
  rate: 1e-9,
  pValue: 1e-9,
  kind: "dns_failure",
  kindConfidence: 0.9,
  title: "Name lookups fail: 40 lines",
  summary: "40 lines.",
  measure: { name: "lines", actual: 40, typicalLow: 0, typicalHigh: 2 },
  entities: [],
  templates: [],
  lines: [],
  fresh: 1,
  shareSince: () => 1,
  ...changes,
});

/** Of a model that expects nothing. */
export const NO_COLUMNS: ExpectedCounts = {
  columns: [],
  alpha: new Float32Array(),
  weekday: new Float32Array(),
  weekend: new Float32Array(),
};
