import { type LocalClock, placeOf, SLOTS_PER_DAY } from "../feature/clock.ts";
import type { Observation } from "../feature/entity.ts";
import { ENTITY_FEATURES } from "../feature/entity-features.ts";
import { type Flagged, Known } from "../feature/flagged.ts";
import { addEvents, emptySums, seasonOf, smooth } from "../feature/season.ts";
import { logUpperTail } from "../math/negative-binomial.ts";
import { BESIDES, failingShare, withBeside } from "./beside.ts";
import { type Calibration, calibrate } from "./calibrate.ts";
import {
  type DayShares,
  type EntityFeatureModel,
  type EntityModel,
  EXCUSES,
  expectedShare,
  type History,
  HORIZONS,
  JUDGED,
  MAX_ENTITIES,
  MIN_COUNT,
  pseudonym,
  quietScore,
  record,
} from "./entity.ts";
import { withRemembered } from "./entity-memory.ts";
import { PastLoad } from "./load.ts";
import { MIN_GAIN, Reach } from "./memory.ts";
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

  /**
   * first, last: slots of training, both included. flagged: slots of which nothing was added. before: what is remembered, with the slot in
   * which that training ended.
   */
  fit(
    first: number,
    last: number,
    clock: LocalClock,
    flagged: Flagged,
    salt: string,
    before?: { readonly model: EntityModel; readonly until: number },
  ): EntityModel {
    const whole = new Known(first, last, clock, flagged);
    const warm = new Known(Math.min(last, first + WARM_DAYS * SLOTS_PER_DAY), last, clock, flagged);
    const pasts = ENTITY_FEATURES.map(({ firsts }, f) =>
      pastOf(JUDGED[f] ? this.#histories[f]! : NOBODY, firsts ? warm : whole, clock),
    );
    const reach = new Reach(last, flagged);
    const features = pasts.map((_, f) => {
      const { feature, alone } = fitFeature(f, pasts, salt, this.#histories[BESIDES[f]!]);
      const old = before?.model.features[f];
      return old ? withRemembered(f, feature, alone, old, before!.until, reach) : feature;
    });
    return { salt, features };
  }
}

/** What all entities of a feature did in training. */
type Past = {
  readonly time: Known;
  readonly days: number;
  readonly kept: readonly { readonly key: string; readonly history: History }[];
  /** Events of each. */
  readonly totals: readonly number[];
  readonly shares: DayShares;
  readonly known: KnownShares;
};

function pastOf(histories: Map<string, History>, time: Known, clock: LocalClock): Past {
  const kept = [...histories]
    .map(([key, h]) => ({ key, history: since(h, time.first) }))
    .filter((e) => e.history.slots.length > 0);
  const all = kept.map((e) => e.history);
  const shares = dayShares(all, time, clock);
  return {
    time,
    days: Math.max(1 / SLOTS_PER_DAY, time.days),
    kept,
    totals: all.map((h) => h.counts.reduce((a, b) => a + b, 0)),
    shares,
    known: new KnownShares(shares, time, clock),
  };
}

/** As live scoring excuses it: nats of n events where others do more, too. own: whether it is the same that the others do. */
type Excuse = (slot: number, horizon: number, n: number, mu: number, alpha: number) => number;

function excuseOf(f: number, pasts: readonly Past[]): Excuse | undefined {
  const past = pasts[EXCUSES[f]!];
  if (!past) return undefined;
  const { kept, time, totals, days, known } = past;
  const perDay = totals.reduce((a, b) => a + b, 0) / days;
  const load = new PastLoad(
    kept.map((e) => e.history),
    time.first,
    time.last,
    perDay,
  );
  const self = EXCUSES[f] === f;
  return (slot, horizon, n, mu, alpha) => {
    const own = self ? { n, mu } : { n: 0, mu: 0 };
    const given = mu * load.of(slot, horizon, known.of(slot, horizon), own);
    return n <= given ? 0 : -logUpperTail(n, given, alpha);
  };
}

/**
 * well: what went well of each entity; undefined where nobody counts it. alone: pseudonyms of the entities that were far larger on one day than
 * on all others.
 */
function fitFeature(
  f: number,
  pasts: readonly Past[],
  salt: string,
  well?: ReadonlyMap<string, History>,
): { feature: EntityFeatureModel; alone: ReadonlySet<string> } {
  const { time, days, kept, totals, shares, known: knownShares } = pasts[f]!;
  const excuse = excuseOf(f, pasts);
  const { least = MIN_COUNT } = ENTITY_FEATURES[f]!;
  const { last, flagged } = time;
  const { shape, priorDays } = gammaPrior(totals, days);
  const dayOf = (slot: number): number => Math.floor((last - slot) / SLOTS_PER_DAY);
  /** Of a day of which half is unknown, the largest score is not. */
  const isKnown = (day: number): boolean => {
    const end = last - day * SLOTS_PER_DAY;
    return flagged.count(end - SLOTS_PER_DAY + 1, end) <= SLOTS_PER_DAY / 2;
  };
  const alpha: number[] = [];
  const calibration: Calibration[] = [];
  const ceilings = kept.map(() => [] as number[]);
  const most = kept.map(() => [] as number[]);
  const alone = new Set<string>();
  const N = kept.reduce((sum, e) => sum + e.history.slots.length, 0);
  const windows = { day: new Int32Array(N), n: new Float64Array(N), mu: new Float64Array(N) };
  const failing = well && failingShare(totals, well.values(), time.first);
  const nats = new Float64Array(N);
  const rows = new Float32Array(N);
  for (const horizon of HORIZONS) {
    let end = 0;
    const ends = kept.map(({ history }, i) => {
      const others = { total: totals[i]!, shape, priorDays, days };
      end = eventWindows(windows, end, history, horizon, others, knownShares, time, dayOf);
      return end;
    });
    const a = pooledAlpha(windows);
    for (let k = 0; k < N; k++) {
      const [n, mu] = [windows.n[k]!, windows.mu[k]!];
      nats[k] = n < MIN_COUNT || n <= mu ? 0 : -logUpperTail(n, mu, a);
    }
    for (const [i, { key, history }] of kept.entries()) {
      const beside = well?.get(key);
      if (beside) withBeside(nats, windows.n, ends[i - 1] ?? 0, history, beside, horizon, failing!);
    }
    const maxima = new Array<number>(Math.max(1, Math.floor(time.slots / SLOTS_PER_DAY))).fill(-FLOOR_NATS);
    for (const [i, end] of ends.entries()) {
      const begin = ends[i - 1] ?? 0;
      const { first, firstDay, second } = highest(windows.day, nats, begin, end);
      ceilings[i]!.push(Math.max(FLOOR_NATS, first));
      if (first - Math.max(FLOOR_NATS, second) >= MIN_GAIN) alone.add(pseudonym(salt, f, kept[i]!.key));
      const top = highest(windows.day, windows.n, begin, end);
      most[i]!.push(top.first);
      for (let k = begin; k < end; k++) {
        const day = windows.day[k]!;
        const ceiling = Math.max(FLOOR_NATS, day === firstDay ? second : first);
        const excess = nats[k]! - ceiling;
        if (day < maxima.length) maxima[day] = Math.max(maxima[day]!, excess);
        // As in live scoring, where nobody is told of for less than his other days held, nor of what all others do, too.
        const [n, mu] = [windows.n[k]!, windows.mu[k]!];
        const slot = kept[i]!.history.slots[k - begin]!;
        const others = day === top.firstDay ? top.second : top.first;
        if (n < least || n <= mu || n <= others) rows[k] = quietScore(n, mu, a, ceiling);
        else if (excuse && nats[k]! > FLOOR_NATS) rows[k] = excuse(slot, horizon, n, mu, a) - ceiling;
        else rows[k] = excess;
      }
    }
    alpha.push(a);
    calibration.push(
      calibrate(
        maxima.filter((_, day) => isKnown(day)),
        rows,
      ),
    );
  }
  const known = Object.fromEntries(
    kept.map(({ key, history }, i) => {
      const seen = history.slots.at(-1)!;
      return [pseudonym(salt, f, key), [totals[i]!, ...ceilings[i]!, ...most[i]!, seen, seen]];
    }),
  );
  const feature = { priorShape: shape, priorDays, days, ...shares, alpha, calibration, failing, known };
  return { feature, alone };
}

/** The largest of the values begin ... end - 1, its day, and the largest of any other day: leaving a day out needs no more. 0 where there is none. */
function highest(
  days: Int32Array,
  nats: Float64Array,
  begin: number,
  end: number,
): { first: number; firstDay: number; second: number } {
  let first = 0;
  let firstDay = Number.NaN;
  let second = 0;
  for (let k = begin; k < end; k++) {
    const x = nats[k]!;
    if (days[k] === firstDay) first = Math.max(first, x);
    else if (x > first) {
      second = first;
      first = x;
      firstDay = days[k]!;
    } else second = Math.max(second, x);
  }
  return { first, firstDay, second };
}

function since(history: History, slot: number): History {
  const from = history.slots.findIndex((s) => s >= slot);
  if (from === 0) return history;
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
function dayShares(histories: readonly History[], time: Known, clock: LocalClock): DayShares {
  const sums = emptySums();
  for (const history of histories) {
    history.slots.forEach((slot, i) => {
      const place = placeOf(slot, clock);
      addEvents(sums, place.slotOfDay, place.weekend, history.counts[i]! * time.weight(place));
    });
  }
  smooth(sums);
  const season = seasonOf(sums, undefined, time.slots, time.weekends);
  const perDay = (Math.max(sums.events, 0.5) / time.slots) * SLOTS_PER_DAY;
  // A shape seen on one day is no shape yet.
  const active = new Set<number>();
  for (const { slots } of histories) for (const slot of slots) active.add(Math.floor(slot / SLOTS_PER_DAY));
  const flat = 1 / (1 + active.size);
  const share = (v: number): number => ((1 - flat) * v) / perDay + flat / SLOTS_PER_DAY;
  return { weekday: season.weekday.map(share), weekend: season.weekend.map(share) };
}

/** Windows that end at events, of all entities of a feature one after the other: training day, counts and what was expected. */
type EventWindows = { readonly day: Int32Array; readonly n: Float64Array; readonly mu: Float64Array };

/**
 * Writes the windows that end at the entity's own events, from place `at` on, each with what the entity's other days lead one to expect
 * of those of its slots that are known.
 * Returns the place after the last.
 */
function eventWindows(
  out: EventWindows,
  at: number,
  history: History,
  horizon: number,
  { total, shape, priorDays, days }: { total: number; shape: number; priorDays: number; days: number },
  shares: KnownShares,
  time: Known,
  dayOf: (slot: number) => number,
): number {
  const { slots, counts } = history;
  const { last, flagged } = time;
  const perDay = new Map<number, number>();
  for (const [i, slot] of slots.entries()) {
    const day = dayOf(slot);
    perDay.set(day, (perDay.get(day) ?? 0) + counts[i]!);
  }
  let from = 0;
  let n = 0;
  for (const [i, slot] of slots.entries()) {
    n += counts[i]!;
    while (slots[from]! <= slot - horizon) n -= counts[from++]!;
    const day = dayOf(slot);
    const end = slot + ((last - slot) % SLOTS_PER_DAY);
    const own = 1 - flagged.count(end - SLOTS_PER_DAY + 1, end) / SLOTS_PER_DAY;
    const lambda = (shape + total - perDay.get(day)!) / (priorDays + Math.max(0.5, days - own));
    const share =
      n < MIN_COUNT
        ? (horizon - flagged.count(slot - horizon + 1, slot)) / SLOTS_PER_DAY
        : shares.of(slot, horizon);
    out.day[at] = day;
    out.n[at] = n;
    out.mu[at++] = lambda * share;
  }
  return at;
}

/** As expectedShare, of the slots that are known: running sums, since each window asks. */
class KnownShares {
  readonly #begin: number;
  /** Of all slots from #begin on, before each, up to the one in the midst of which training may end. */
  readonly #sums: Float64Array;

  constructor(shares: DayShares, { first, last, flagged }: Known, clock: LocalClock) {
    this.#begin = first - HORIZONS.at(-1)! + 1;
    this.#sums = new Float64Array(last - this.#begin + 3);
    for (let slot = this.#begin; slot <= last + 1; slot++) {
      const i = slot - this.#begin;
      const share = flagged.has(slot) ? 0 : expectedShare(shares, slot, 1, clock);
      this.#sums[i + 1] = this.#sums[i]! + share;
    }
  }

  /** Of the window that ends with the slot. horizon: one of HORIZONS. */
  of(slot: number, horizon: number): number {
    const end = slot - this.#begin + 1;
    return this.#sums[end]! - this.#sums[end - horizon]!;
  }
}

/** One overdispersion for all entities of a feature, by moments over their windows. */
function pooledAlpha({ n, mu }: EventWindows): number {
  let spread = 0;
  let square = 0;
  for (let k = 0; k < mu.length; k++) {
    const m = mu[k]!;
    if (m < 0.5) continue;
    spread += (n[k]! - m) ** 2 - m;
    square += m * m;
  }
  return Math.min(MAX_ALPHA, Math.max(MIN_ALPHA, square > 0 ? spread / square : 0.5));
}
