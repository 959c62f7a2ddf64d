import { type LocalClock, placeOf, SLOTS_PER_DAY } from "../feature/clock.ts";
import { ENTITY_FEATURES, type Observation } from "../feature/entity.ts";
import { addEvents, emptySums, seasonOf, smooth } from "../feature/season.ts";
import { logUpperTail } from "../math/negative-binomial.ts";
import { type Calibration, calibrate } from "./calibrate.ts";
import {
  type DayShares,
  type EntityFeatureModel,
  type EntityModel,
  expectedShare,
  type History,
  HORIZONS,
  MAX_ENTITIES,
  MIN_COUNT,
  pseudonym,
  record,
} from "./entity.ts";
import { FLOOR_NATS } from "./window.ts";

const MIN_ALPHA = 0.02;
const MAX_ALPHA = 5;
/** Bounds of the gamma prior's rate, in days of history that it is worth. */
const PRIOR_DAYS: readonly [number, number] = [0.05, 3];
/** Days at the start of training in which every first meeting is new. */
const WARM_DAYS = 2;

const NOBODY: Map<string, History> = new Map();

/** Gathers the observations of training. */
export class EntityCollector {
  readonly #histories: Map<string, History>[] = ENTITY_FEATURES.map(() => new Map());

  add(observation: Observation, slot: number): void {
    const table = this.#histories[observation.feature]!;
    let history = table.get(observation.key);
    if (!history) {
      if (table.size >= MAX_ENTITIES) table.delete(table.keys().next().value!);
      history = { slots: [], counts: [] };
      table.set(observation.key, history);
    }
    record(history, slot, observation.count);
  }

  /** What each entity of a feature did. */
  histories(feature: number): ReadonlyMap<string, History> {
    return this.#histories[feature]!;
  }

  /** first, last: slots of training, both included. */
  fit(first: number, last: number, clock: LocalClock, salt: string): EntityModel {
    return {
      salt,
      features: ENTITY_FEATURES.map(({ regular }, f) =>
        fitFeature(f, regular === "only" ? NOBODY : this.#histories[f]!, first, last, clock, salt),
      ),
    };
  }
}

function fitFeature(
  f: number,
  histories: Map<string, History>,
  first: number,
  last: number,
  clock: LocalClock,
  salt: string,
): EntityFeatureModel {
  const warm = ENTITY_FEATURES[f]!.firsts ? first + WARM_DAYS * SLOTS_PER_DAY : first;
  const span = Math.max(1, last - warm + 1);
  const days = span / SLOTS_PER_DAY;
  const kept = [...histories]
    .map(([key, h]) => ({ key, history: since(h, warm) }))
    .filter((e) => e.history.slots.length > 0);
  const totals = kept.map((e) => e.history.counts.reduce((a, b) => a + b, 0));
  const { shape, priorDays } = gammaPrior(totals, days);
  const shares = dayShares(
    kept.map((e) => e.history),
    warm,
    last,
    clock,
  );
  const dayOf = (slot: number): number => Math.floor((last - slot) / SLOTS_PER_DAY);
  const alpha: number[] = [];
  const calibration: Calibration[] = [];
  const ceilings = kept.map(() => [] as number[]);
  const most = kept.map(() => [] as number[]);
  for (const horizon of HORIZONS) {
    const windows = kept.map((e, i) =>
      eventWindows(e.history, horizon, totals[i]!, shape, priorDays, days, shares, clock, dayOf),
    );
    const a = pooledAlpha(windows);
    const scored = windows.map((list) =>
      list.map((w) => ({
        day: w.day,
        nats: w.n < MIN_COUNT || w.n <= w.mu ? 0 : -logUpperTail(w.n, w.mu, a),
      })),
    );
    const maxima = new Array<number>(Math.max(1, Math.floor(days))).fill(-FLOOR_NATS);
    const rows: number[] = [];
    scored.forEach((list, i) => {
      const { first, firstDay, second } = highest(list);
      ceilings[i]!.push(Math.max(FLOOR_NATS, first));
      most[i]!.push(windows[i]!.reduce((top, w) => Math.max(top, w.n), 0));
      for (const { day, nats } of list) {
        const others = Math.max(FLOOR_NATS, day === firstDay ? second : first);
        rows.push(nats - others);
        if (day < maxima.length) maxima[day] = Math.max(maxima[day]!, nats - others);
      }
    });
    alpha.push(a);
    calibration.push(calibrate(maxima, rows));
  }
  const known = Object.fromEntries(
    kept.map((e, i) => [pseudonym(salt, f, e.key), [totals[i]!, ...ceilings[i]!, ...most[i]!]]),
  );
  return { priorShape: shape, priorDays, days, ...shares, alpha, calibration, known };
}

/** The largest value, its day, and the largest of any other day: leaving a day out needs no more. 0 where there is none. */
function highest(list: readonly { readonly day: number; readonly nats: number }[]): {
  first: number;
  firstDay: number;
  second: number;
} {
  let first = 0;
  let firstDay = Number.NaN;
  let second = 0;
  for (const { day, nats } of list) {
    if (day === firstDay) first = Math.max(first, nats);
    else if (nats > first) {
      second = first;
      first = nats;
      firstDay = day;
    } else second = Math.max(second, nats);
  }
  return { first, firstDay, second };
}

function since(history: History, slot: number): History {
  const from = history.slots.findIndex((s) => s >= slot);
  return from < 0
    ? { slots: [], counts: [] }
    : { slots: history.slots.slice(from), counts: history.counts.slice(from) };
}

/** Gamma prior of daily rates by moments over the entities seen. */
function gammaPrior(totals: readonly number[], days: number): { shape: number; priorDays: number } {
  if (totals.length === 0) return { shape: 0.1, priorDays: 1 };
  const rates = totals.map((n) => n / days);
  const mean = rates.reduce((a, b) => a + b, 0) / rates.length;
  const variance = rates.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, rates.length - 1);
  const excess = Math.max(variance - mean / days, 1e-9);
  const priorDays = Math.min(PRIOR_DAYS[1], Math.max(PRIOR_DAYS[0], mean / excess));
  return { shape: mean * priorDays, priorDays };
}

/** Expected share of a day's events in each slot, pooled over all entities. */
function dayShares(histories: readonly History[], first: number, last: number, clock: LocalClock): DayShares {
  const sums = emptySums();
  let weekends = 0;
  for (let slot = first; slot <= last; slot++) if (placeOf(slot, clock).weekend) weekends++;
  for (const history of histories) {
    history.slots.forEach((slot, i) => {
      const { slotOfDay, weekend } = placeOf(slot, clock);
      addEvents(sums, slotOfDay, weekend, history.counts[i]!);
    });
  }
  smooth(sums);
  const season = seasonOf(sums, undefined, last - first + 1, weekends);
  const perDay = (Math.max(sums.events, 0.5) / (last - first + 1)) * SLOTS_PER_DAY;
  // A shape seen on one day is no shape yet.
  const active = new Set(histories.flatMap((h) => h.slots.map((slot) => Math.floor(slot / SLOTS_PER_DAY))));
  const flat = 1 / (1 + active.size);
  const share = (v: number): number => ((1 - flat) * v) / perDay + flat / SLOTS_PER_DAY;
  return { weekday: season.weekday.map(share), weekend: season.weekend.map(share) };
}

type EventWindow = { readonly day: number; readonly n: number; readonly mu: number };

/** The windows that end at the entity's own events, each with what the entity's other days lead one to expect. */
function eventWindows(
  history: History,
  horizon: number,
  total: number,
  shape: number,
  priorDays: number,
  days: number,
  shares: DayShares,
  clock: LocalClock,
  dayOf: (slot: number) => number,
): EventWindow[] {
  const perDay = new Map<number, number>();
  for (const [i, slot] of history.slots.entries()) {
    perDay.set(dayOf(slot), (perDay.get(dayOf(slot)) ?? 0) + history.counts[i]!);
  }
  const windows: EventWindow[] = [];
  let from = 0;
  let n = 0;
  history.slots.forEach((slot, i) => {
    n += history.counts[i]!;
    while (history.slots[from]! <= slot - horizon) n -= history.counts[from++]!;
    const day = dayOf(slot);
    const lambda = (shape + total - perDay.get(day)!) / (priorDays + Math.max(0.5, days - 1));
    const mu =
      lambda * (n < MIN_COUNT ? horizon / SLOTS_PER_DAY : expectedShare(shares, slot, horizon, clock));
    windows.push({ day, n, mu });
  });
  return windows;
}

/** One overdispersion for all entities of a feature, by moments over their windows. */
function pooledAlpha(windows: readonly (readonly EventWindow[])[]): number {
  let spread = 0;
  let square = 0;
  for (const list of windows) {
    for (const { n, mu } of list) {
      if (mu < 0.5) continue;
      spread += (n - mu) ** 2 - mu;
      square += mu * mu;
    }
  }
  return Math.min(MAX_ALPHA, Math.max(MIN_ALPHA, square > 0 ? spread / square : 0.5));
}
