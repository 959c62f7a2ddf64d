import { SLOT_MS, SLOTS_PER_DAY } from "../feature/clock.ts";
import { columnsIn } from "../model/inherit.ts";
import { elbo } from "../model/score.ts";
import type { Rows, Vae } from "../model/vae.ts";
import { windowRows } from "./conditional.ts";
import { FOLDS, foldOf } from "./folds.ts";
import type { TransactionModel } from "./transaction.ts";
import type { LearnedTransactions } from "./transaction-fit.ts";
import { rowsOf, transactionColumns } from "./transaction-rows.ts";
import { POOLS, type WindowModel } from "./window.ts";
import type { TableRows, WindowTable } from "./window-fit.ts";

/**
 * Two models on the same rows of days that neither has learned from: the old one ended before them, of the new one each day is judged by the
 * network that did not see it; so of both a network judges that has learned from half of the days. Only what both have a column for
 * counts, and of the numbers all.
 */

/** Mean negative bounds of a day, in nats a row. */
export type HeldOutDay = {
  /** Its beginning, in ms; days are those of UTC. */
  readonly day: number;
  readonly rows: number;
  readonly old: number;
  readonly new: number;
};

/** Share of the rows that either model finds strangest and that don't count: there are faults among them, which would outweigh all others. */
const TRIMMED = 0.02;

/** Bounds of rows, by their last slot. */
class Bounds {
  readonly #rows: { readonly slot: number; readonly old: number; readonly new: number }[] = [];

  add(slot: number, old: number, fresh: number): void {
    this.#rows.push({ slot, old, new: fresh });
  }

  byDay(): HeldOutDay[] {
    const limits = { old: this.#limit("old"), new: this.#limit("new") };
    const days = new Map<number, { rows: number; old: number; new: number }>();
    for (const row of this.#rows) {
      if (row.old > limits.old || row.new > limits.new) continue;
      const day = Math.floor(row.slot / SLOTS_PER_DAY);
      const sums = days.get(day) ?? { rows: 0, old: 0, new: 0 };
      days.set(day, { rows: sums.rows + 1, old: sums.old + row.old, new: sums.new + row.new });
    }
    return [...days]
      .sort(([a], [b]) => a - b)
      .map(([day, { rows, old, new: fresh }]) => ({
        day: day * SLOTS_PER_DAY * SLOT_MS,
        ...{ rows, old: old / rows, new: fresh / rows },
      }));
  }

  #limit(of: "old" | "new"): number {
    const sorted = Float64Array.from(this.#rows, (row) => row[of]).sort();
    return sorted[Math.floor(sorted.length * (1 - TRIMMED))] ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * table: of the new model's training. unseen: by fold, the new network that did not see it. old: the slots to judge, the last of the
 * training, as the old model counts and expects them. judges: by fold, its networks.
 */
export function heldOutWindow(
  table: WindowTable,
  unseen: readonly Vae[],
  old: WindowTable,
  judges: readonly Vae[],
): HeldOutDay[] {
  const pools = new Set(POOLS.map((c) => c.key));
  const names = table.columns.map((c) => c.key);
  const oldNames = old.columns.map((c) => c.key);
  const [ours, theirs] = shared(names, oldNames, (name) => !pools.has(name));
  const from = (old.time.first - table.time.first) * names.length;
  const { places, dayOf, days, time } = old;
  const [counts, mu] = [table.counts.subarray(from), table.mu.subarray(from)];
  const own = { ...table, places, dayOf, days, time, counts, mu };
  const judged = new Bounds();
  for (let fold = 0; fold < FOLDS; fold++) {
    const keep = (slot: number): boolean => foldOf(slot) === fold;
    const { rows, slots } = windowRows(own, keep);
    const fresh = elbo(unseen[fold]!, rows, undefined, ours);
    const before = elbo(judges[fold]!, windowRows(old, keep).rows, undefined, theirs);
    for (const [i, slot] of slots.entries()) judged.add(slot, before[i]!, fresh[i]!);
  }
  return judged.byDay();
}

/** The expectation that a model has of slots whatever they held: a table's mu. counts: (T, C), as the model counts. */
export function expectedTable(
  { columns, weekday, weekend }: WindowModel,
  counts: Float32Array,
  rows: TableRows,
): WindowTable {
  const C = columns.length;
  const mu = new Float32Array(counts.length);
  for (const [t, place] of rows.places.entries()) {
    const season = place.weekend ? weekend : weekday;
    for (let j = 0; j < C; j++) mu[t * C + j] = season[j * SLOTS_PER_DAY + place.slotOfDay]!;
  }
  return { ...rows, columns, counts, mu, full: { weekday, weekend } };
}

/** since: the first slot to judge. */
export function heldOutTransactions(
  { model, samples, unseen }: LearnedTransactions,
  old: TransactionModel,
  judges: readonly Vae[],
  since: number,
): HeldOutDay[] {
  const known = new Set(model.columns);
  const [ours, theirs] = shared(transactionColumns(model), transactionColumns(old), (name) =>
    known.has(name),
  );
  const judged = new Bounds();
  for (let fold = 0; fold < FOLDS; fold++) {
    const own = samples.filter((s) => s.slot >= since && foldOf(s.slot) === fold);
    const fresh = boundsOf(unseen[fold]!, rowsOf(own, model), ours);
    const before = boundsOf(judges[fold]!, rowsOf(own, old), theirs);
    for (const [i, { slot }] of own.entries()) judged.add(slot, before[i]!, fresh[i]!);
  }
  return judged.byDay();
}

/** Bounds with numbers in their own unit, since each network standardises by its own scales. */
function boundsOf(vae: Vae, rows: Rows, counted: Uint8Array): Float64Array {
  const G = vae.shape.reals;
  const all = new Uint8Array(counted.length + G).fill(1);
  all.set(counted);
  const bounds = elbo(vae, rows, undefined, all);
  for (let i = 0; i < rows.n; i++)
    for (let g = 0; g < G; g++) bounds[i]! += rows.realWeights[i * G + g]! * Math.log(vae.scales.real[g]!);
  return bounds;
}

/** Which of the columns of each both have. */
function shared(
  names: readonly string[],
  old: readonly string[],
  isShared: (name: string) => boolean,
): [Uint8Array, Uint8Array] {
  const mark = (own: readonly string[], other: readonly string[]): Uint8Array => {
    const places = columnsIn(other, own);
    return Uint8Array.from(own, (name, i) => (places[i]! >= 0 && isShared(name) ? 1 : 0));
  };
  return [mark(names, old), mark(old, names)];
}
