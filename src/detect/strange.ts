import type { LocalClock } from "../feature/clock.ts";
import type { Column } from "../feature/columns.ts";
import { TRANSACTION_TYPES } from "../feature/transaction.ts";
import type { Reach } from "./memory.ts";
import { NO_SLOTS, pastRows, Recall, remembered, rememberSlots } from "./recall.ts";
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

/** How many strange ones are usual, and what is remembered of times with many. */
export function fitRates(
  table: WindowTable,
  before: WindowModel | undefined,
  clock: LocalClock,
  reach: Reach,
): WindowModel {
  const { first } = table.time;
  const past = remembered(before?.remembered ?? NO_SLOTS, new Map(), first, reach);
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

/** Counts a transaction of a type in its columns, which begin at a place. p: its p-value. */
export function countStrange(counts: Float32Array, at: number, type: number, p: number): void {
  LEVELS.forEach((level, l) => {
    if (p <= level) counts[at + type * LEVELS.length + l]! += 1;
  });
}
