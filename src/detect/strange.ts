import type { LocalClock } from "../feature/clock.ts";
import type { Column } from "../feature/columns.ts";
import { MESSAGE, TRANSACTION_REALS, TRANSACTION_TYPES } from "../feature/transaction.ts";
import type { Reach } from "./memory.ts";
import { NO_SLOTS, pastRows, Recall, type RememberedSlots, remembered, rememberSlots } from "./recall.ts";
import type { Conditional, WindowModel } from "./window.ts";
import { columnDays, fitWindow, type TableRows, tableOf } from "./window-fit.ts";

/**
 * The transaction view's counts, judged as the window view judges lines: how many transactions of a slot are strange, how many of these by
 * one and the same thing, and how many hold what the network can't judge since it has no column for it. One message in a hundred is strange by
 * nature, so a surge of ordinary ones explains that more are, as in a newsletter. Of sessions and connections attacks are made, so many ordinary ones
 * of these explain nothing.
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
/** Whether a column counts messages that are strange by how long something took. */
export const isOfDelay = (key: string): boolean => DELAYS.has(key);
const DELAYS: ReadonlySet<string> = new Set(
  TRANSACTION_REALS.filter((real) => real.startsWith("delay ")).map((real) =>
    carrierKey(TRANSACTION_TYPES[MESSAGE]!, real),
  ),
);
const ORDINARY = `ordinary ${TRANSACTION_TYPES[MESSAGE]!}`;

/** The keys of the columns in which a transaction counts; a model need not have them all. */
export function strangeKeys(strangeness: Strangeness): string[] {
  const { type, pValue, unknown, carrier } = strangeness;
  const name = TRANSACTION_TYPES[type]!;
  if (isOrdinary(strangeness)) return [ORDINARY];
  const isRare = pValue <= STRANGE;
  return [
    ...(isRare ? [strangeKey(name)] : []),
    ...(unknown ? [unknownKey(name)] : []),
    ...(isRare && carrier !== undefined ? [carrierKey(name, carrier)] : []),
  ];
}

/** Whether a transaction is strange in any way. */
export const isStrange = ({ pValue, unknown }: Pick<Strangeness, "pValue" | "unknown">): boolean =>
  unknown || pValue <= STRANGE;
/** Whether it is a message, and not strange in any way. */
export const isOrdinary = (one: Pick<Strangeness, "type" | "pValue" | "unknown">): boolean =>
  one.type === MESSAGE && !isStrange(one);

const column = (key: string, label: string, level: "event" | "volume" = "event"): Column => ({
  ...{ key, label, level, family: "total", cause: undefined },
});

const ALWAYS_COUNTED: readonly Column[] = [
  ...TRANSACTION_TYPES.flatMap((type) => [
    column(strangeKey(type), `unusual ${type}s (one in ${1 / STRANGE} is so)`),
    column(unknownKey(type), `${type}s with lines that training hardly knew`),
  ]),
  column(ORDINARY, "ordinary messages", "volume"),
];

/** The place of the column in which ordinary messages count; -1 in models of before. */
export const placeOfOrdinary = (columns: readonly Column[]): number =>
  columns.findIndex(({ key }) => key === ORDINARY);

/** Added to the messages that came and to those expected, so that a single one explains little. */
const LEAST_VOLUME = 1;
/** So many times as many messages as expected are a surge; fewer are within how unevenly strange ones come anyway. */
const SURGE = 2;

/** What is expected of strange messages beside so many ordinary ones; of all else, what is expected anyway. */
export function besideOrdinary(columns: readonly Column[]): Conditional {
  const volume = placeOfOrdinary(columns);
  const isOfMessages = columns.map(({ key }) => key.split(" ", 2)[1] === TRANSACTION_TYPES[MESSAGE]);
  return (sums, mu) => {
    const came = volume < 0 ? 0 : (sums[volume]! + LEAST_VOLUME) / (mu[volume]! + LEAST_VOLUME);
    return {
      mu: (j) => (isOfMessages[j] ? mu[j]! * Math.max(1, came / SURGE) : mu[j]!),
      alpha: undefined,
    };
  };
}

/** What is counted in a slot, ordinary messages too. */
export type CountedSlot = {
  readonly slot: number;
  readonly strangeness: Strangeness;
  /** How many transactions it stands for. */
  readonly each: number;
};
/** What is counted in remembered slots by a network that has learned of them. */
export type CountedAnew = ReadonlyMap<number, readonly Pick<CountedSlot, "strangeness" | "each">[]>;

/** How long a connection or session lasts: a few that last longer than others tell of nothing, and count among the strange ones alone. */
const isUpToClients = (type: number, carrier: string): boolean => type !== MESSAGE && carrier === DURATION;
const DURATION: (typeof TRANSACTION_REALS)[number] = "duration";

/** The columns that are always counted, and those of what made transactions strange on several days. */
function columnsOf(counted: readonly CountedSlot[], { time, dayOf, days }: TableRows): Column[] {
  const seen = new Map<string, { readonly column: Column; readonly days: Set<number> }>();
  for (const { slot, strangeness } of counted) {
    const { type, pValue, carrier } = strangeness;
    if (carrier === undefined || pValue > STRANGE || isUpToClients(type, carrier)) continue;
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
