import { type LocalClock, placeOf, SLOT_MS, SLOTS_PER_DAY } from "../feature/clock.ts";
import type { Observation } from "../feature/entity.ts";
import { ENTITY_FEATURES } from "../feature/entity-features.ts";
import { type Flagged, Known, NOTHING_FLAGGED } from "../feature/flagged.ts";
import { logLowerTail } from "../math/negative-binomial.ts";
import { type Calibration, calibrate, naturalRate, pValue } from "./calibrate.ts";
import { countAfter, type History, pseudonym, record } from "./entity.ts";
import { FLOOR_NATS } from "./window.ts";

/**
 * What comes every day at its hour, a partner's nightly mail or a job's report, is missed when it stays away. A day and two
 * hours always hold one delivery of it; that they hold none is judged by how much its days differ.
 */

/** Features of which regulars are looked for. */
const REGULAR = ENTITY_FEATURES.map((f, i) => (f.regular ? i : -1)).filter((i) => i >= 0);
/** Regulars remembered of each feature, the busiest first. */
const MAX_REGULARS = 128;
/** Share of an entity's events that lies within BAND slots of the day: people come all day, jobs at their hour. */
const BAND_SHARE = 0.8;
const BAND = 24;
/** Less than so many a day are not missed. */
const MIN_DAILY = 5;
/** Of the days of a kind (week, weekend) all but one in so many must bring it, and there must be so many days. */
const MAY_FAIL = 10;
const MIN_DAYS = 4;
/** Overdispersion between days that is assumed beforehand, and the days that it is worth. */
const PRIOR_ALPHA = 0.05;
const PRIOR_DAYS = 3;
/** A day and two hours of slack, in slots. */
const SPAN = SLOTS_PER_DAY + 24;
/** How often it is asked, in slots. */
const EVERY = 6;
/** Calm of all others over so many slots explains so much at most; events with which it is drawn towards the usual. */
const LOAD_SLOTS = 72;
const MIN_LOAD = 0.05;
const LOAD_PRIOR = 10;
/** Keys whose pseudonyms are remembered; only speed depends on it. */
const MAX_KEYS = 65_536;

/** Days of one kind: how many events they bring, 0 where they bring none. */
type DayKind = { readonly mean: number; readonly alpha: number };

type Regular = {
  readonly feature: number;
  readonly name: string;
  readonly week: DayKind;
  readonly weekend: DayKind;
  /** Largest -ln p of training. */
  readonly ceiling: number;
};

export type RegularModel = {
  /** `name` is the entity's pseudonym. */
  readonly regulars: readonly Regular[];
  /** Mean events of all entities in each slot of the day (288), for each feature of which regulars are looked for. */
  readonly totals: readonly { readonly week: Float32Array; readonly weekend: Float32Array }[];
  readonly calibration: Calibration;
};

type Days = { readonly days: readonly number[]; readonly isWeekend: (day: number) => boolean };

/**
 * histories: what each entity of a feature did in training. first, last: slots of training, both included. flagged: slots of which nothing
 * stands in the histories; a day is unknown to those whose hour they touch.
 */
export function fitRegulars(
  histories: (feature: number) => ReadonlyMap<string, History>,
  first: number,
  last: number,
  clock: LocalClock,
  salt: string,
  flagged: Flagged = NOTHING_FLAGGED,
): RegularModel {
  const time = new Known(first, last, clock, flagged);
  const dayOf = (slot: number): number => clock(slot * SLOT_MS).day;
  const [from, to] = [dayOf(first - 1) + 1, dayOf(last + 1) - 1];
  const days = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  // Day 0 of the count is a Thursday.
  const calendar: Days = { days, isWeekend: (day) => [0, 6].includes((((day + 4) % 7) + 7) % 7) };
  const unknown = new Map<number, Set<number>>();
  for (const slot of flagged.slots(first, last)) {
    const day = dayOf(slot);
    unknown.set(day, (unknown.get(day) ?? new Set()).add(placeOf(slot, clock).slotOfDay));
  }
  const regulars: Regular[] = [];
  const maxima = new Array<number>(days.length).fill(-FLOOR_NATS);
  const rows: number[] = [];
  for (const feature of REGULAR) {
    const found = [...histories(feature)]
      .filter(([, { counts }]) => counts.reduce((a, b) => a + b, 0) >= MIN_DAILY * MIN_DAYS)
      .flatMap(([key, history]) => {
        const band = bandOf(history, clock);
        if (band === undefined) return [];
        const known = days.filter((day) => !isUnknown(unknown.get(day), band));
        const judged = judge(daily(history, dayOf), { ...calendar, days: known });
        return judged ? [{ key, ...judged }] : [];
      })
      .sort((a, b) => b.week.mean - a.week.mean || (a.key < b.key ? -1 : 1))
      .slice(0, MAX_REGULARS);
    for (const { key, week, weekend, nats } of found) {
      const highest = [...nats].sort((a, b) => b.nats - a.nats);
      const ceiling = Math.max(FLOOR_NATS, highest[0]?.nats ?? 0);
      for (const { day, nats: own } of nats) {
        const others = Math.max(FLOOR_NATS, (highest[0]!.day === day ? highest[1] : highest[0])?.nats ?? 0);
        rows.push(own - others);
        maxima[day - from] = Math.max(maxima[day - from]!, own - others);
      }
      regulars.push({ feature, name: pseudonym(salt, feature, key), week, weekend, ceiling });
    }
  }
  const totals = REGULAR.map((feature) => totalOf(histories(feature), calendar, time, clock));
  const seen = maxima.filter((_, i) => (unknown.get(from + i)?.size ?? 0) <= SLOTS_PER_DAY / 2);
  return { regulars, totals, calibration: calibrate(seen, rows) };
}

/** Mean events of all together in each slot of a day of the week, and of the weekend. */
function totalOf(
  histories: ReadonlyMap<string, History>,
  { days, isWeekend }: Days,
  time: Known,
  clock: LocalClock,
): RegularModel["totals"][number] {
  const total = { week: new Float32Array(SLOTS_PER_DAY), weekend: new Float32Array(SLOTS_PER_DAY) };
  const weekends = days.filter(isWeekend).length;
  for (const { slots, counts } of histories.values())
    for (const [i, slot] of slots.entries()) {
      const place = placeOf(slot, clock);
      const [kind, n] = place.weekend
        ? (["weekend", weekends] as const)
        : (["week", days.length - weekends] as const);
      total[kind][place.slotOfDay]! += (counts[i]! * time.weight(place)) / Math.max(1, n);
    }
  return total;
}

function daily({ slots, counts }: History, dayOf: (slot: number) => number): Map<number, number> {
  const perDay = new Map<number, number>();
  slots.forEach((slot, i) => {
    const day = dayOf(slot);
    perDay.set(day, (perDay.get(day) ?? 0) + counts[i]!);
  });
  return perDay;
}

/** The slots of the day in which nearly all of it comes; undefined where they are more than BAND. */
function bandOf({ slots, counts }: History, clock: LocalClock): readonly number[] | undefined {
  const ofDay = new Float64Array(2 * SLOTS_PER_DAY);
  let total = 0;
  slots.forEach((slot, i) => {
    const s = placeOf(slot, clock).slotOfDay;
    ofDay[s]! += counts[i]!;
    ofDay[s + SLOTS_PER_DAY]! += counts[i]!;
    total += counts[i]!;
  });
  let inBand = 0;
  for (let s = 0; s < ofDay.length; s++) {
    inBand += ofDay[s]! - (s >= BAND ? ofDay[s - BAND]! : 0);
    if (inBand >= BAND_SHARE * total)
      return Array.from({ length: BAND }, (_, i) => (s - i + SLOTS_PER_DAY) % SLOTS_PER_DAY);
  }
  return undefined;
}

const isUnknown = (slots: ReadonlySet<number> | undefined, band: readonly number[]): boolean =>
  slots !== undefined && band.some((slot) => slots.has(slot));

/** Both kinds of days, and -ln p of each day by the others of its kind. Undefined where it comes regularly on neither. */
function judge(
  perDay: ReadonlyMap<number, number>,
  { days, isWeekend }: Days,
): { week: DayKind; weekend: DayKind; nats: { day: number; nats: number }[] } | undefined {
  const nats: { day: number; nats: number }[] = [];
  const [week, weekend] = [false, true].map((kind): DayKind => {
    const own = days.filter((d) => isWeekend(d) === kind).map((day) => ({ day, n: perDay.get(day) ?? 0 }));
    const fit = dayKind(own.map((d) => d.n));
    if (fit.mean > 0)
      for (const { day, n } of own) {
        const { mean, alpha } = dayKind(own.filter((d) => d.day !== day).map((d) => d.n));
        nats.push({ day, nats: lowerNats(n, mean, alpha) });
      }
    return fit;
  });
  return week!.mean === 0 && weekend!.mean === 0 ? undefined : { week: week!, weekend: weekend!, nats };
}

const NEVER: DayKind = { mean: 0, alpha: PRIOR_ALPHA };

/** Mean and overdispersion of the days' counts; NEVER where some days do without. */
function dayKind(counts: readonly number[]): DayKind {
  const n = counts.length;
  const failed = counts.filter((x) => x === 0).length;
  if (n < MIN_DAYS - 1 || failed > n / MAY_FAIL) return NEVER;
  const mean = counts.reduce((a, b) => a + b, 0) / n;
  if (mean < MIN_DAILY) return NEVER;
  const spread = counts.reduce((a, x) => a + (x - mean) ** 2 - mean, 0) / mean ** 2;
  return { mean, alpha: Math.max(1e-3, (spread + PRIOR_DAYS * PRIOR_ALPHA) / (n + PRIOR_DAYS)) };
}

const lowerNats = (n: number, mean: number, alpha: number): number =>
  mean <= 0 || n >= mean ? 0 : -logLowerTail(n, mean, alpha);

export type RegularFinding = {
  readonly feature: number;
  readonly key: string;
  readonly actual: number;
  readonly expected: number;
  readonly alpha: number;
  readonly rate: number;
  readonly pValue: number;
  /** Log time of the last one seen, in ms: the end of its slot. */
  readonly since: number;
};

/** What came in the newest SPAN slots. The last slot stays, so that it is known when anything came. */
class Recent {
  #history: History = { slots: [], counts: [] };

  get last(): number {
    return this.#history.slots.at(-1) ?? Number.NaN;
  }

  add(slot: number, count: number): void {
    record(this.#history, slot, count);
    this.#forget(slot);
  }

  /** Events in the newest `span` slots up to `slot`, at most SPAN. */
  count(slot: number, span: number): number {
    this.#forget(slot);
    return countAfter(this.#history, slot - span);
  }

  #forget(slot: number): void {
    const { slots, counts } = this.#history;
    while (slots.length > 1 && slots[0]! <= slot - SPAN) {
      slots.shift();
      counts.shift();
    }
  }

  save(): History {
    return this.#history;
  }

  load(history: History): void {
    this.#history = history;
  }
}

type Watched = { readonly regular: Regular; key: string; readonly recent: Recent; told: boolean };

type SavedWatched = { readonly key: string; readonly recent: History; readonly told: boolean };

/** Regulars by feature and pseudonym. */
export type SavedRegulars = {
  readonly watched: ReadonlyMap<string, SavedWatched>;
  readonly all: readonly History[];
  readonly first: number;
};

/** Watches the regulars that have come at least once since the start: before, their name is not known. */
export class RegularScorer {
  readonly #model: RegularModel;
  readonly #clock: LocalClock;
  readonly #salt: string;
  readonly #watched: ReadonlyMap<string, Watched>;
  readonly #byKey = new Map<string, Watched | undefined>();
  readonly #all: readonly Recent[] = REGULAR.map(() => new Recent());
  #first = Number.NaN;

  constructor(model: RegularModel, clock: LocalClock, salt: string) {
    this.#model = model;
    this.#clock = clock;
    this.#salt = salt;
    this.#watched = new Map(
      model.regulars.map((regular) => [
        `${regular.feature} ${regular.name}`,
        { regular, key: "", recent: new Recent(), told: false },
      ]),
    );
  }

  add({ feature, key, count }: Observation, slot: number): void {
    if (Number.isNaN(this.#first)) this.#first = slot;
    const place = REGULAR.indexOf(feature);
    if (place < 0 || this.#watched.size === 0) return;
    this.#all[place]!.add(slot, count);
    const id = `${feature} ${key}`;
    if (!this.#byKey.has(id)) {
      if (this.#byKey.size >= MAX_KEYS) this.#byKey.clear();
      this.#byKey.set(id, this.#watched.get(this.#nameOf(feature, key)));
    }
    const watched = this.#byKey.get(id);
    if (!watched) return;
    watched.key = key;
    watched.recent.add(slot, count);
  }

  /** Regulars that are missing at the end of a slot, each told once until it comes again. */
  score(slot: number): RegularFinding[] {
    const found: RegularFinding[] = [];
    if (slot % EVERY !== 0 || !(slot - this.#first >= SPAN)) return found;
    for (const watched of this.#watched.values()) {
      const { regular, key, recent } = watched;
      if (key === "") continue;
      const n = recent.count(slot, SPAN);
      const { mean, alpha } = this.#expected(regular, slot);
      if (n >= mean / 2) watched.told = false;
      if (watched.told || lowerNats(n, mean, alpha) <= regular.ceiling) continue;
      const mu = mean * this.#load(watched, slot);
      const excess = lowerNats(n, mu, alpha) - regular.ceiling;
      if (excess <= 0) {
        watched.told = true; // excused for this time: later hours would not know how calm this one was
        continue;
      }
      found.push({
        feature: regular.feature,
        key,
        actual: n,
        expected: mu,
        alpha,
        rate: naturalRate(this.#model.calibration, excess, 1),
        pValue: pValue(this.#model.calibration, excess),
        since: (recent.last + 1) * SLOT_MS,
      });
    }
    return found;
  }

  /** To be called when a finding was told: it is not told again before the regular comes back. */
  told({ feature, key }: RegularFinding): void {
    const watched = this.#watched.get(this.#nameOf(feature, key));
    if (watched) watched.told = true;
  }

  #nameOf(feature: number, key: string): string {
    return `${feature} ${pseudonym(this.#salt, feature, key)}`;
  }

  save(): SavedRegulars {
    return {
      watched: new Map(
        [...this.#watched].map(([name, { key, recent, told }]) => [
          name,
          { key, recent: recent.save(), told },
        ]),
      ),
      all: this.#all.map((recent) => recent.save()),
      first: this.#first,
    };
  }

  load({ watched, all, first }: SavedRegulars): void {
    for (const [name, { key, recent, told }] of watched) {
      const known = this.#watched.get(name)!;
      known.key = key;
      known.told = told;
      known.recent.load(recent);
    }
    for (const [i, recent] of this.#all.entries()) recent.load(all[i]!);
    this.#first = first;
  }

  /** The calmer kind of the two days that the time touches. */
  #expected({ week, weekend }: Regular, slot: number): DayKind {
    const kinds = [slot - SPAN, slot].map((s) => (placeOf(s, this.#clock).weekend ? weekend : week));
    return kinds[0]!.mean <= kinds[1]!.mean ? kinds[0]! : kinds[1]!;
  }

  /** How calm all others are, MIN_LOAD ... 1: on a holiday nobody is missed. */
  #load({ regular, recent }: Watched, slot: number): number {
    const feature = REGULAR.indexOf(regular.feature);
    const { week, weekend } = this.#model.totals[feature]!;
    let usual = 0;
    for (let s = slot - LOAD_SLOTS + 1; s <= slot; s++) {
      const place = placeOf(s, this.#clock);
      usual += (place.weekend ? weekend : week)[place.slotOfDay]!;
    }
    // Its own share comes in one go, so it is all of a day's or nothing.
    const own = this.#expected(regular, slot).mean;
    const n = this.#all[feature]!.count(slot, LOAD_SLOTS) - recent.count(slot, LOAD_SLOTS);
    const load = (n + LOAD_PRIOR) / (Math.max(0, usual - own) + LOAD_PRIOR);
    return Math.min(1, Math.max(MIN_LOAD, load));
  }
}
