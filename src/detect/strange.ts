import type { LocalClock } from "../feature/clock.ts";
import type { Column } from "../feature/columns.ts";
import { TRANSACTION_REALS, TRANSACTION_TYPES } from "../feature/transaction.ts";
import type { Reach } from "./memory.ts";
import { NO_SLOTS, pastRows, Recall, type RememberedSlots, remembered, rememberSlots } from "./recall.ts";
import type { Conditional, WindowModel } from "./window.ts";
import { columnDays, fitWindow, type TableRows, tableOf } from "./window-fit.ts";

/**
 * The transaction view's counts, judged as the window view judges lines: how many transactions of a slot are strange, how many of these by
 * one and the same thing, and how many hold what the network can't judge since it has no column for it. One in a hundred is strange by
 * nature, so many ordinary ones explain that more are: a newsletter brings its own.
 */

/** A transaction is strange at and below this p-value. */
export const STRANGE = 0.01;

/** What is counted of a transaction. */
export type Strangeness = {
  /** Its place in TRANSACTION_TYPES. */
  readonly type: number;
  readonly pValue: number;
  /** Whether it holds a shape that the network has no column for. */
  readonly unknown: boolean;
  /** What most of its score comes from: a shape of the network, or one of TRANSACTION_REALS; undefined where that is what is unknown. */
  readonly carrier: string | undefined;
};

const strangeKey = (type: string): string => `strange ${type} ${STRANGE}`;
const unknownKey = (type: string): string => `unknown ${type}`;
const carrierKey = (type: string, carrier: string): string => `strange ${type} by ${carrier}`;
/** The key of the column in which those count that are nothing of it all. */
export const ordinaryKey = (type: string): string => `ordinary ${type}`;
/** The type that a key is about. */
const typeOf = (key: string): string => key.split(" ", 2)[1]!;

/** The keys of the columns in which a transaction counts; a model need not have them all. */
export function strangeKeys(strangeness: Strangeness): string[] {
  const { type, pValue, unknown, carrier } = strangeness;
  const name = TRANSACTION_TYPES[type]!;
  if (!isCounted(strangeness)) return [ordinaryKey(name)];
  const isStrange = pValue <= STRANGE;
  return [
    ...(isStrange ? [strangeKey(name)] : []),
    ...(unknown ? [unknownKey(name)] : []),
    ...(isStrange && carrier !== undefined ? [carrierKey(name, carrier)] : []),
  ];
}

/** Whether it is more than an ordinary one. */
export const isCounted = ({ pValue, unknown }: Pick<Strangeness, "pValue" | "unknown">): boolean =>
  unknown || pValue <= STRANGE;

const column = (key: string, label: string, level: "event" | "volume" = "event"): Column => ({
  ...{ key, label, level, family: "total", cause: undefined },
});

const ALWAYS_COUNTED: readonly Column[] = TRANSACTION_TYPES.flatMap((type) => [
  column(strangeKey(type), `unusual ${type}s (one in ${1 / STRANGE} is so)`),
  column(unknownKey(type), `${type}s with lines that training hardly knew`),
  column(ordinaryKey(type), `ordinary ${type}s`, "volume"),
]);

/** Added to what came and to what was expected, so that a single one explains little. */
const LEAST_VOLUME = 1;

/** What is expected beside so many ordinary ones of the same type: as many more as of these. */
export function besideOrdinary(columns: readonly Column[]): Conditional {
  const places = new Map(columns.map(({ key }, j) => [key, j]));
  const volumeOf = columns.map(({ key }) => places.get(ordinaryKey(typeOf(key))));
  return (sums, mu) => ({
    mu: (j) => {
      const volume = volumeOf[j];
      if (volume === undefined) return mu[j]!; // of a model of before
      return mu[j]! * Math.max(1, (sums[volume]! + LEAST_VOLUME) / (mu[volume]! + LEAST_VOLUME));
    },
    alpha: undefined,
  });
}

/** What is counted in a slot, ordinary ones too. */
export type CountedSlot = {
  readonly slot: number;
  readonly strangeness: Strangeness;
  /** How many transactions it stands for. */
  readonly each: number;
};
/** What is counted in remembered slots by a network that has learned of them. */
export type CountedAnew = ReadonlyMap<number, readonly Pick<CountedSlot, "strangeness" | "each">[]>;

/** The columns that are always counted, and those of what made transactions strange on several days. */
function columnsOf(counted: readonly CountedSlot[], { time, dayOf, days }: TableRows): Column[] {
  const seen = new Map<string, { readonly column: Column; readonly days: Set<number> }>();
  for (const { slot, strangeness } of counted) {
    const { type, pValue, carrier } = strangeness;
    if (carrier === undefined || pValue > STRANGE) continue;
    const name = TRANSACTION_TYPES[type]!;
    const key = carrierKey(name, carrier);
    const isNumber = (TRANSACTION_REALS as readonly string[]).includes(carrier);
    const label = isNumber ? `${name}s of unusual ${carrier}` : `${name}s that are unusual by one message`;
    const known = seen.get(key) ?? { column: column(key, label), days: new Set() };
    seen.set(key, known);
    known.days.add(dayOf[slot - time.first]!);
  }
  const carriers = [...seen.values()].filter((one) => one.days.size >= columnDays(days));
  return [...ALWAYS_COUNTED, ...carriers.map((one) => one.column)];
}

/**
 * How many are usual of what is counted, and what is remembered of times with many. rows: of training, which holds all slots. anew: of remembered
 * times, as today's network judges them.
 */
export function fitRates(
  counted: readonly CountedSlot[],
  rows: TableRows,
  before: WindowModel | undefined,
  clock: LocalClock,
  reach: Reach,
  anew: CountedAnew,
): WindowModel {
  const { first, slots: T } = rows.time;
  const columns = columnsOf(counted, rows);
  const C = columns.length;
  const index = new Map(columns.map(({ key }, j) => [key, j]));
  const counts = new Float32Array(T * C);
  for (const { slot, strangeness } of counted) countStrange(counts, (slot - first) * C, index, strangeness);
  const table = tableOf(columns, counts, rows);
  const past = judgedAnew(remembered(before?.remembered ?? NO_SLOTS, new Map(), first, reach), anew, columns);
  const recall = new Recall(table, before && pastRows(past, table, clock), () => true);
  const beside = besideOrdinary(columns);
  const model = fitWindow(table, () => beside, recall);
  const own = [...recall.kept()]
    .filter((slot) => slot >= first)
    .map((slot) => {
      const row = counts.subarray((slot - first) * C, (slot - first + 1) * C);
      const ids = Uint32Array.from(columns.keys()).filter((j) => row[j]! > 0);
      return { slot, ids, counts: Float32Array.from(ids, (j) => row[j]!) };
    });
  return { ...model, remembered: rememberSlots(recall.kept(), own, table.time, { columns }, table, past) };
}

/**
 * The larger of what was counted then and what is by today's network: that of then may have known such times too well to find them strange. What
 * makes one strange differs from one network to the next, so each that was strange counts for all that can make its type strange.
 */
function judgedAnew(past: RememberedSlots, anew: CountedAnew, now: readonly Column[]): RememberedSlots {
  const columns = [
    ...new Map([...past.columns, ...now].map((one) => [one.key, { ...one, rare: true }])).values(),
  ];
  const places = new Map(columns.map(({ key }, k) => [key, k]));
  const rows = new Map<number, Map<number, number>>();
  for (const [slot, some] of anew) {
    const row = new Map<number, number>();
    rows.set(slot, row);
    for (const { strangeness, each } of some)
      for (const key of strangeKeys(strangeness)) {
        const place = places.get(key);
        if (place !== undefined) row.set(place, (row.get(place) ?? 0) + each);
      }
  }
  for (const [slot, ...cells] of past.slots) {
    const row = rows.get(slot!) ?? new Map<number, number>();
    rows.set(slot!, row);
    for (let k = 0; k < cells.length; k += 2) {
      const place = places.get(past.columns[cells[k]!]!.key)!;
      row.set(place, Math.max(row.get(place) ?? 0, cells[k + 1]!));
    }
  }
  const carriers = TRANSACTION_TYPES.map((type) => ({
    total: places.get(strangeKey(type))!,
    own: now.filter(({ key }) => key.startsWith(carrierKey(type, ""))).map(({ key }) => places.get(key)!),
  }));
  for (const row of rows.values())
    for (const { total, own } of carriers) {
      const all = row.get(total);
      if (all !== undefined) for (const place of own) row.set(place, all);
    }
  return {
    columns,
    slots: [...rows].sort(([a], [b]) => a - b).map(([slot, row]) => [slot, ...[...row].flat()]),
  };
}

/** Counts a transaction in its columns, which begin at a place. index: place by key. */
export function countStrange(
  counts: Float32Array,
  at: number,
  index: ReadonlyMap<string, number>,
  strangeness: Strangeness,
): void {
  for (const key of strangeKeys(strangeness)) {
    const j = index.get(key);
    if (j !== undefined) counts[at + j]! += 1;
  }
}
