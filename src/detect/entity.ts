import { type LocalClock, placeOf, SLOTS_PER_DAY } from "../feature/clock.ts";
import { ENTITY_FEATURES, type Observation } from "../feature/entity.ts";
import { addEvents, emptySums, seasonOf, smooth } from "../feature/season.ts";
import { hash64 } from "../math/hash.ts";
import { logUpperTail } from "../math/negative-binomial.ts";
import { type Calibration, calibrate, naturalRate, pValue } from "./calibrate.ts";
import { Load } from "./load.ts";
import { FLOOR_NATS } from "./window.ts";

/** How far back a count reaches, in slots: an hour, six, a day. */
export const HORIZONS = [12, 72, 288] as const;
/** No verdict on fewer events: anybody does a thing three times. */
const MIN_COUNT = 4;
const MIN_ALPHA = 0.02;
const MAX_ALPHA = 5;
/** Bounds of the gamma prior's rate, in days of history that it is worth. */
const PRIOR_DAYS: readonly [number, number] = [0.05, 3];
/** Days at the start of training in which every first meeting is new. */
const WARM_DAYS = 2;
/** Entities a feature remembers; the least recently seen leave. */
const MAX_ENTITIES = 50_000;

/** What one feature learned over all its entities. */
export type EntityFeatureModel = {
  /** Gamma prior over the daily rate of an entity. */
  readonly priorShape: number;
  readonly priorDays: number;
  readonly days: number;
  /** Share of a day's events expected in each slot (288), weekday and weekend. */
  readonly weekday: Float32Array;
  readonly weekend: Float32Array;
  readonly alpha: readonly number[];
  readonly calibration: readonly Calibration[];
  /** By pseudonym of the entity: events in training, -ln p ceiling of each horizon, and the most events that it held. */
  readonly known: Readonly<Record<string, readonly number[]>>;
};
export type EntityModel = { readonly features: readonly EntityFeatureModel[]; readonly salt: string };

export const pseudonym = (salt: string, feature: number, key: string): string =>
  hash64(`${salt} ${ENTITY_FEATURES[feature]!.type} ${key}`);

/** Slots and counts of one entity, oldest first. */
export type History = { readonly slots: number[]; readonly counts: number[] };

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
    const last = history.slots.length - 1;
    if (history.slots[last] === slot) history.counts[last]! += observation.count;
    else {
      history.slots.push(slot);
      history.counts.push(observation.count);
    }
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

type DayShares = { readonly weekday: Float32Array; readonly weekend: Float32Array };

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

/** Share of a day's events expected in the window that ends with `slot`. */
function expectedShare(shares: DayShares, slot: number, horizon: number, clock: LocalClock): number {
  let share = 0;
  for (let s = slot - horizon + 1; s <= slot; s++) {
    const { slotOfDay, weekend } = placeOf(s, clock);
    share += (weekend ? shares.weekend : shares.weekday)[slotOfDay]!;
  }
  return share;
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

export type EntityFinding = {
  readonly feature: number;
  readonly key: string;
  readonly horizon: number;
  readonly actual: number;
  readonly expected: number;
  readonly alpha: number;
  readonly nats: number;
  readonly excess: number;
  readonly rate: number;
  readonly pValue: number;
};

/** By feature, the one whose load excuses it; -1 without. */
const EXCUSES = ENTITY_FEATURES.map(({ excusedBy }) =>
  ENTITY_FEATURES.findIndex((f) => f.name === excusedBy),
);
const NONE = { n: 0, mu: 0 } as const;

type Recent = History & { touched: boolean };
type Touched = { readonly feature: number; readonly key: string; readonly history: Recent };

/** Counts entities live and scores, at the end of a slot, those that did something in it. */
export class EntityScorer {
  readonly model: EntityModel;
  readonly #clock: LocalClock;
  readonly #recent: Map<string, Recent>[] = ENTITY_FEATURES.map(() => new Map());
  /** In the order in which they were touched. */
  #touched: Touched[] = [];
  readonly #load: Load;
  /** Expected shares of the slot that is scored, (features, horizons); NaN until somebody asks. */
  readonly #shares = new Float64Array(ENTITY_FEATURES.length * HORIZONS.length);

  constructor(model: EntityModel, clock: LocalClock) {
    this.model = model;
    this.#clock = clock;
    this.#load = new Load(
      model.features.map(({ known, days }) => Object.values(known).reduce((sum, k) => sum + k[0]!, 0) / days),
    );
  }

  add({ feature, key, count }: Observation, slot: number): void {
    if (ENTITY_FEATURES[feature]!.regular === "only") return;
    this.#load.add(feature, slot, count);
    const table = this.#recent[feature]!;
    let history = table.get(key);
    if (!history) history = { slots: [], counts: [], touched: false };
    else table.delete(key);
    table.set(key, history); // the most recently seen last
    if (table.size > MAX_ENTITIES) table.delete(table.keys().next().value!);
    const last = history.slots.length - 1;
    if (history.slots[last] === slot) history.counts[last]! += count;
    else {
      history.slots.push(slot);
      history.counts.push(count);
      while (history.slots[0]! <= slot - 288) {
        history.slots.shift();
        history.counts.shift();
      }
    }
    if (history.touched) return;
    history.touched = true;
    this.#touched.push({ feature, key, history });
  }

  /** Count of an entity since a slot, for "is this new since the last incident". */
  countSince(feature: number, key: string, slot: number): number {
    const history = this.#recent[feature]!.get(key);
    return history ? countAfter(history, slot) : 0;
  }

  /**
   * Findings of the entities touched since the last call, the strangest of each feature first, and the scored rows. all: rows also
   * of entities that did too little for any verdict.
   */
  score(slot: number, all: boolean): { findings: EntityFinding[]; rows: EntityFinding[] } {
    const rows: EntityFinding[] = [];
    this.#shares.fill(Number.NaN);
    for (const touched of this.#touched) {
      touched.history.touched = false;
      this.#entity(touched, slot, all, rows);
    }
    this.#touched = [];
    const findings = rows
      .filter((r) => r.excess > 0)
      .sort((a, b) => a.rate - b.rate || (a.key < b.key ? -1 : 1));
    return { findings, rows };
  }

  #entity({ feature: f, key, history }: Touched, slot: number, all: boolean, out: EntityFinding[]): void {
    const { least = MIN_COUNT } = ENTITY_FEATURES[f]!;
    const excuse = EXCUSES[f]!;
    if (!all && countAfter(history, slot - HORIZONS.at(-1)!) < least) return;
    const feature = this.model.features[f]!;
    const known = feature.known[pseudonym(this.model.salt, f, key)];
    const lambda = (feature.priorShape + (known?.[0] ?? 0)) / (feature.priorDays + feature.days);
    for (const [h, horizon] of HORIZONS.entries()) {
      const n = countAfter(history, slot - horizon);
      if (n === 0 || (!all && n < least)) continue;
      const share = this.#share(f, h, slot);
      const mu = lambda * share;
      const alpha = feature.alpha[h]!;
      const most = known?.[1 + HORIZONS.length + h] ?? 0;
      let nats = n < least || n <= mu || n <= most ? 0 : -logUpperTail(n, mu, alpha);
      if (excuse >= 0 && nats > FLOOR_NATS) {
        const own = excuse === f ? { n, mu } : NONE;
        const given = mu * this.#load.of(excuse, slot, horizon, this.#share(excuse, h, slot), own);
        nats = n <= given ? 0 : -logUpperTail(n, given, alpha);
      }
      const excess = nats - Math.max(FLOOR_NATS, known?.[1 + h] ?? 0);
      const calibration = feature.calibration[h]!;
      out.push({
        feature: f,
        key,
        horizon,
        actual: n,
        expected: mu,
        alpha,
        nats,
        excess,
        rate: naturalRate(calibration, excess, ENTITY_FEATURES.length * HORIZONS.length),
        pValue: pValue(calibration, excess),
      });
    }
  }

  /** Expected share of a day's events, the same for all entities of a feature. */
  #share(f: number, h: number, slot: number): number {
    const i = f * HORIZONS.length + h;
    if (Number.isNaN(this.#shares[i]!))
      this.#shares[i] = expectedShare(this.model.features[f]!, slot, HORIZONS[h]!, this.#clock);
    return this.#shares[i]!;
  }
}

/** Events after a slot; the newest are at the end. */
function countAfter({ slots, counts }: History, slot: number): number {
  let n = 0;
  for (let i = slots.length - 1; i >= 0 && slots[i]! > slot; i--) n += counts[i]!;
  return n;
}
