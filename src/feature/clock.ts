import type { Zone } from "../log/zone.ts";

/** Local calendar of the server, given by the caller (log/zone.ts): features know no time zone data. */
export type LocalClock = (ms: number) => {
  /** Days since 1970-01-01 in local time. */
  readonly day: number;
  /** 0..1439. */
  readonly minute: number;
  /** 0 = Sunday .. 6. */
  readonly weekday: number;
};

/** A slot is the grain of counting. Five minutes: the shortest width that one evaluates. */
export const SLOT_MS = 300_000;
export const SLOTS_PER_DAY = 288;
export const DAY_MS = 86_400_000;

export const slotOf = (ms: number): number => Math.floor(ms / SLOT_MS);

/** Where a slot lies in the week: slot of the local day, and whether the day is a Saturday or Sunday. */
export type SlotPlace = { readonly slotOfDay: number; readonly weekend: boolean };

export function placeOf(slot: number, clock: LocalClock): SlotPlace {
  const { minute, weekday } = clock(slot * SLOT_MS);
  return { slotOfDay: Math.floor(minute / 5), weekend: weekday === 0 || weekday === 6 };
}

/** Times of which the local calendar is remembered, in different slots: the same beginnings of slots are asked for again and again. */
const REMEMBERED = 1024;

/** The local calendar of a zone. */
export function localClock(zone: Zone): LocalClock {
  const times = new Float64Array(REMEMBERED).fill(Number.NaN);
  const known = new Array<ReturnType<LocalClock>>(REMEMBERED);
  return (ms) => {
    const i = slotOf(ms) & (REMEMBERED - 1);
    if (times[i] === ms) return known[i]!;
    const local = ms + zone.offsetAt(ms);
    const day = Math.floor(local / DAY_MS);
    times[i] = ms;
    known[i] = {
      day,
      minute: Math.floor((local - day * DAY_MS) / 60_000),
      weekday: (((day + 4) % 7) + 7) % 7,
    };
    return known[i];
  };
}
