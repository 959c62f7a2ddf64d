import { type LocalClock, placeOf } from "../feature/clock.ts";
import type { Observation } from "../feature/entity.ts";
import { ENTITY_FEATURES } from "../feature/entity-features.ts";
import { Memo } from "../feature/memo.ts";
import { hash64 } from "../math/hash.ts";
import { logUpperTail } from "../math/negative-binomial.ts";
import { BESIDES, besideNats } from "./beside.ts";
import { type Calibration, naturalRate, pValue, rankValue } from "./calibrate.ts";
import { Load, type SavedLoad } from "./load.ts";
import { FLOOR_NATS } from "./window.ts";

/** How far back a count reaches, in slots: an hour, six, a day. */
export const HORIZONS = [12, 72, 288] as const;
const DAY = 288;
/** No verdict on fewer events: anybody does a thing three times. */
export const MIN_COUNT = 4;
/** Entities a feature remembers; the least recently seen leave. */
export const MAX_ENTITIES = 50_000;

/** Entities of a feature whose pseudonyms are not made again each time; only speed depends on it. */
const MAX_NAMES = 4096;

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
  /** Share of what fails, of all that its entities tried; undefined where nobody counts what goes well, and in models of before. */
  readonly failing?: number | undefined;
  readonly known: KnownEntities;
  /** Those of them that are allowed more than they did, as they did it, for the next training; undefined in models of before. */
  readonly remembered?: KnownEntities;
};
/**
 * By pseudonym of the entity: events in training, -ln p ceiling of each horizon, the most events that it held, and the slots in which the
 * entity was last seen and these were last met. Models of before lack the slots.
 */
export type KnownEntities = Readonly<Record<string, readonly number[]>>;
export type EntityModel = { readonly features: readonly EntityFeatureModel[]; readonly salt: string };

/** Adds to the newest slot of a history, or begins one. Slots come in order. */
export function record({ slots, counts }: History, slot: number, count: number): void {
  if (slots.at(-1) === slot) counts[counts.length - 1]! += count;
  else {
    slots.push(slot);
    counts.push(count);
  }
}

export const pseudonym = (salt: string, feature: number, key: string): string =>
  hash64(`${salt} ${ENTITY_FEATURES[feature]!.type} ${key}`);

/** Slots and counts of one entity, oldest first. */
export type History = { readonly slots: number[]; readonly counts: number[] };

export type DayShares = { readonly weekday: Float32Array; readonly weekend: Float32Array };

/** Share of a day's events expected in the window that ends with `slot`. */
export function expectedShare(shares: DayShares, slot: number, horizon: number, clock: LocalClock): number {
  let share = 0;
  for (let s = slot - horizon + 1; s <= slot; s++) {
    const { slotOfDay, weekend } = placeOf(s, clock);
    share += (weekend ? shares.weekend : shares.weekday)[slotOfDay]!;
  }
  return share;
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
export const EXCUSES: readonly number[] = ENTITY_FEATURES.map(({ excusedBy }) =>
  ENTITY_FEATURES.findIndex((f) => f.name === excusedBy),
);
const NONE = { n: 0, mu: 0 } as const;

/** By feature, whether it is judged for too much. */
export const JUDGED: readonly boolean[] = ENTITY_FEATURES.map(
  ({ regular }, f) => regular !== "only" && !BESIDES.includes(f),
);

/**
 * Score of a count on which no verdict may rest, below that of all others: too few, or no more than usual or than training held. They
 * are most, so without an order among them a row in a hundred would be no rank. ceiling: of the entity, in nats.
 */
export const quietScore = (n: number, mu: number, alpha: number, ceiling: number): number =>
  -ceiling - (n <= mu ? 1 : Math.exp(logUpperTail(n, mu, alpha)));

/** The p-value of a score; where training had no row to rank it by, the chance of such a one on a day. */
const rarity = (calibration: Calibration, excess: number, rate: number): number =>
  calibration.rows === 0 ? -Math.expm1(-rate) : pValue(calibration, excess);

/** Events a day expected of an entity that training did not see: as training expected them of one on the only day that held it, by the others. */
const newcomerRate = ({ priorShape, priorDays, days }: EntityFeatureModel): number =>
  priorShape / (priorDays + Math.max(0.5, days - 1));

type Recent = History & { touched: boolean };
type Touched = { readonly feature: number; readonly key: string; readonly history: Recent };

/** Histories are one object in both tables. */
export type SavedCounts = {
  readonly recent: readonly Map<string, Recent>[];
  readonly touched: Touched[];
  readonly load: SavedLoad;
};

/** Counts entities live and scores, at the end of a slot, those that did something in it. */
export class EntityScorer {
  readonly model: EntityModel;
  readonly #clock: LocalClock;
  #recent: Map<string, Recent>[] = ENTITY_FEATURES.map(() => new Map());
  /** In the order in which they were touched. */
  #touched: Touched[] = [];
  readonly #load: Load;
  /** What training knew of entities, by feature and name: a pseudonym costs more than all that is done with it. */
  readonly #known: readonly Memo<readonly number[] | undefined>[];
  /** Expected shares of the slot that is scored, (features, horizons); NaN until somebody asks. */
  readonly #shares = new Float64Array(ENTITY_FEATURES.length * HORIZONS.length);

  constructor(model: EntityModel, clock: LocalClock) {
    this.model = model;
    this.#clock = clock;
    this.#known = model.features.map(
      ({ known }, f) => new Memo(MAX_NAMES, (key) => known[pseudonym(model.salt, f, key)]),
    );
    this.#load = new Load(
      model.features.map(({ known, days }) => Object.values(known).reduce((sum, k) => sum + k[0]!, 0) / days),
    );
  }

  add({ feature, key, count }: Observation, slot: number): void {
    if (ENTITY_FEATURES[feature]!.regular === "only" || !this.model.features[feature]) return; // models of before know fewer
    this.#load.add(feature, slot, count);
    const table = this.#recent[feature]!;
    let history = table.get(key);
    if (history?.slots.at(-1) !== slot) {
      if (!history) history = { slots: [], counts: [], touched: false };
      else table.delete(key);
      table.set(key, history); // what was seen in the newest slot last
      if (table.size > MAX_ENTITIES) table.delete(table.keys().next().value!);
    }
    record(history, slot, count);
    while (history.slots[0]! <= slot - DAY) {
      history.slots.shift();
      history.counts.shift();
    }
    if (history.touched || !JUDGED[feature]) return;
    history.touched = true;
    this.#touched.push({ feature, key, history });
  }

  /** slot: the open one. */
  save(slot: number): SavedCounts {
    this.#forget(slot);
    return {
      recent: this.#recent,
      touched: this.#touched,
      load: this.#load.save(),
    };
  }

  load({ recent, touched, load }: SavedCounts): void {
    this.#recent = [...recent];
    this.#touched = touched;
    this.#load.load(load);
  }

  /** Count of an entity since a slot, for "is this new since the last incident". */
  countSince(feature: number, key: string, slot: number): number {
    const history = this.#recent[feature]!.get(key);
    return history ? countAfter(history, slot) : 0;
  }

  /**
   * Findings of the entities touched since the last call, the strangest of each feature first, and the scored rows. all: rows also
   * of entities that did too little for any verdict, or no more than training held.
   */
  score(slot: number, all: boolean): { findings: EntityFinding[]; rows: EntityFinding[] } {
    const rows: EntityFinding[] = [];
    this.#shares.fill(Number.NaN);
    for (const touched of this.#touched) {
      touched.history.touched = false;
      this.#entity(touched, slot, all, rows);
    }
    this.#touched = [];
    this.#forget(slot + 1);
    const findings = rows
      .filter((r) => r.excess > 0)
      .sort((a, b) => a.rate - b.rate || (a.key < b.key ? -1 : 1));
    return { findings, rows };
  }

  /** What did nothing in the day before a slot is as good as new. */
  #forget(slot: number): void {
    for (const table of this.#recent)
      for (const [key, { slots }] of table) {
        if (slots.at(-1)! > slot - DAY) break; // what was seen in the newest slot last
        table.delete(key);
      }
  }

  #entity({ feature: f, key, history }: Touched, slot: number, all: boolean, out: EntityFinding[]): void {
    const { least = MIN_COUNT } = ENTITY_FEATURES[f]!;
    const excuse = EXCUSES[f]!;
    if (!all && countAfter(history, slot - HORIZONS.at(-1)!) < least) return;
    const feature = this.model.features[f]!;
    const { failing } = feature;
    const well = failing === undefined ? undefined : this.#recent[BESIDES[f]!]!.get(key);
    const known = this.#known[f]!.of(key);
    const lambda = known
      ? (feature.priorShape + known[0]!) / (feature.priorDays + feature.days)
      : newcomerRate(feature);
    for (const [h, horizon] of HORIZONS.entries()) {
      const n = countAfter(history, slot - horizon);
      const most = known?.[1 + HORIZONS.length + h] ?? 0;
      if (n === 0 || (!all && (n < least || n <= most))) continue;
      // of so few no verdict comes, and training did not ask for their time of day either
      const mu = lambda * (n < MIN_COUNT ? horizon / DAY : this.#share(f, h, slot));
      const alpha = feature.alpha[h]!;
      const ceiling = Math.max(FLOOR_NATS, known?.[1 + h] ?? 0);
      const quiet = n < least || n <= mu || n <= most;
      let nats = quiet ? 0 : -logUpperTail(n, mu, alpha);
      if (excuse >= 0 && nats > FLOOR_NATS) {
        const own = excuse === f ? { n, mu } : NONE;
        const given = mu * this.#load.of(excuse, slot, horizon, this.#share(excuse, h, slot), own);
        nats = n <= given ? 0 : -logUpperTail(n, given, alpha);
      }
      if (well && nats > FLOOR_NATS)
        nats = Math.min(nats, besideNats(n, countAfter(well, slot - horizon), failing!));
      const excess = quiet ? quietScore(n, mu, alpha, ceiling) : nats - ceiling;
      const calibration = feature.calibration[h]!;
      const rate = naturalRate(calibration, excess, ENTITY_FEATURES.length * HORIZONS.length);
      out.push({
        feature: f,
        key,
        horizon,
        actual: n,
        expected: mu,
        alpha,
        nats,
        excess,
        rate,
        pValue: quiet ? rankValue(calibration, excess) : rarity(calibration, excess, rate),
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
export function countAfter({ slots, counts }: History, slot: number): number {
  let n = 0;
  for (let i = slots.length - 1; i >= 0 && slots[i]! > slot; i--) n += counts[i]!;
  return n;
}
