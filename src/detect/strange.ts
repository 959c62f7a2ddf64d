import type { LocalClock } from "../feature/clock.ts";
import type { Column } from "../feature/columns.ts";
import { TRANSACTION_TYPES } from "../feature/transaction.ts";
import type { Reach } from "./memory.ts";
import { NO_SLOTS, pastRows, Recall, type RememberedSlots, remembered, rememberSlots } from "./recall.ts";
import type { WindowModel } from "./window.ts";
import { fitWindow, type WindowTable } from "./window-fit.ts";

/** The transaction view's counts: how many strange transactions a slot holds, judged as the window view judges lines. */

/** p-values at and below which transactions are counted. */
export const LEVELS = [0.01, 0.001] as const;

/** One column for each type and level. */
export const STRANGE: readonly Column[] = TRANSACTION_TYPES.flatMap((type) =>
  LEVELS.map(
    (level): Column => ({
      key: `strange ${type} ${level}`,
      level: "event",
      family: "total",
      cause: undefined,
      label: `unusual ${type}s (one in ${1 / level} is so)`,
    }),
  ),
);

/** By slot, how many transactions count in each of the columns. */
export type StrangeCounts = ReadonlyMap<number, Float32Array>;

/** How many strange ones are usual, and what is remembered of times with many. anew: of remembered times, as today's network judges them. */
export function fitRates(
  table: WindowTable,
  before: WindowModel | undefined,
  clock: LocalClock,
  reach: Reach,
  anew: StrangeCounts,
): WindowModel {
  const { first } = table.time;
  const past = judgedAnew(remembered(before?.remembered ?? NO_SLOTS, new Map(), first, reach), anew);
  const recall = new Recall(table, before && pastRows(past, table, clock), () => true);
  const model = fitWindow(table, undefined, recall);
  const own = [...recall.kept()]
    .filter((slot) => slot >= first)
    .map((slot) => {
      const counts = table.counts.subarray(
        (slot - first) * STRANGE.length,
        (slot - first + 1) * STRANGE.length,
      );
      const ids = Uint32Array.from(STRANGE.keys()).filter((j) => counts[j]! > 0);
      return { slot, ids, counts: Float32Array.from(ids, (j) => counts[j]!) };
    });
  const registry = { columns: [...STRANGE] };
  return { ...model, remembered: rememberSlots(recall.kept(), own, table.time, registry, table, past) };
}

/** The larger of what was counted then and what is by today's network: that of then may have known such times too well to find them strange. */
function judgedAnew({ columns, slots }: RememberedSlots, anew: StrangeCounts): RememberedSlots {
  const rows = new Map([...anew].map(([slot, counts]) => [slot, Float32Array.from(counts)]));
  const places = columns.map(({ key }) => STRANGE.findIndex((column) => column.key === key));
  for (const [slot, ...cells] of slots) {
    const row = rows.get(slot!) ?? new Float32Array(STRANGE.length);
    rows.set(slot!, row);
    for (let k = 0; k < cells.length; k += 2) {
      const place = places[cells[k]!]!;
      row[place] = Math.max(row[place]!, cells[k + 1]!);
    }
  }
  return {
    columns: STRANGE.map((column) => ({ ...column, rare: true })),
    slots: [...rows]
      .sort(([a], [b]) => a - b)
      .map(([slot, row]) => [slot, ...Array.from(row).flatMap((n, j) => (n > 0 ? [j, n] : []))]),
  };
}

/** Counts a transaction of a type in its columns, which begin at a place. p: its p-value. each: how many it stands for. */
export function countStrange(counts: Float32Array, at: number, type: number, p: number, each = 1): void {
  LEVELS.forEach((level, l) => {
    if (p <= level) counts[at + type * LEVELS.length + l]! += each;
  });
}
