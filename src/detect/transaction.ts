import type { LineLoader, LineSaver } from "../feature/line-table.ts";
import {
  loadTransaction,
  MESSAGE,
  type SavedTransaction,
  type SeenLine,
  saveTransaction,
  TRANSACTION_TYPES,
  type Transaction,
} from "../feature/transaction.ts";
import { elbo } from "../model/score.ts";
import { MAX_BATCH, type Vae } from "../model/vae.ts";
import { type Calibration, pValue } from "./calibrate.ts";
import type { Folds } from "./folds.ts";
import { countStrange, isOrdinary, isStrange, placeOfOrdinary, strangeKeys } from "./strange.ts";
import type { RememberedSample } from "./transaction-memory.ts";
import {
  type Carried,
  type Countable,
  carried,
  countable,
  hasColumn,
  holdsUnknown,
  rowsOf,
  type Vocabulary,
} from "./transaction-rows.ts";
import type { WindowModel } from "./window.ts";

/** What holds unknown lines and closes so soon after another is one event: a restart cuts all sessions at once. */
const AT_ONCE_MS = 1000;
/** Lines kept for citing of each column; an alert cites no more. */
const KEPT_LINES = 5;

export type TransactionModel = Vocabulary & {
  /** One of so many transactions is looked at: 1 but on busy servers. */
  readonly stride: number;
  readonly vae: Vae;
  readonly folds: Folds;
  /** Per type. */
  readonly calibration: readonly Calibration[];
  /** How many are usual of what is counted. */
  readonly rates: WindowModel;
  /** What the next training is to remember; undefined in models of before. No detector reads it. */
  readonly samples?: readonly RememberedSample[];
};
export type TransactionScore = {
  /** Log time at which the transaction closed, in ms. */
  readonly time: number;
  readonly transaction: Transaction;
  readonly score: number;
  readonly pValue: number;
};

/** A closed transaction that is counted. */
type Marked = {
  readonly transaction: Transaction;
  readonly time: number;
  readonly row: Countable;
  readonly pValue: number;
  readonly unknown: boolean;
};

export type SavedStrange = {
  readonly counts: Float32Array;
  readonly seen: number;
  readonly waiting: readonly { readonly transaction: SavedTransaction; readonly time: number }[];
  /** Numbers of the lines. */
  readonly lines: readonly (readonly number[])[];
  /** Absent in states of before. */
  readonly unknownAt?: readonly number[];
};

/** Scores closed transactions, many at a time, and counts the strange ones of the open slot. */
export class TransactionScorer {
  readonly model: TransactionModel;
  readonly #onScore: ((score: TransactionScore) => void) | undefined;
  /** Place of a column of model.rates by its key. */
  readonly #index: ReadonlyMap<string, number>;
  /** Where ordinary messages count; -1 in models of before. */
  readonly #ordinary: number;
  /** Counts of the open slot, in the columns of model.rates. */
  #counts: Float32Array;
  #seen = 0;
  /** Closed, not scored yet: a network costs less for many rows than for one, and a row's score depends on it alone. */
  #waiting: { readonly transaction: Transaction; readonly time: number }[] = [];
  /** The most telling lines of the newest strange transactions, per column of model.rates. */
  #lines: SeenLine[][];
  /** Per type, the log time of the last one that was counted as unknown, in ms. */
  #unknownAt: number[] = TRANSACTION_TYPES.map(() => Number.NEGATIVE_INFINITY);

  constructor(model: TransactionModel, onScore?: (score: TransactionScore) => void) {
    this.model = model;
    this.#onScore = onScore;
    const { columns } = model.rates;
    this.#index = new Map(columns.map(({ key }, j) => [key, j]));
    this.#ordinary = placeOfOrdinary(columns);
    this.#counts = new Float32Array(columns.length);
    this.#lines = columns.map(() => []);
  }

  /** Takes a closed transaction, or leaves it out by a busy server's stride. */
  add(transaction: Transaction, time: number): void {
    if (this.#seen++ % this.model.stride !== 0) return;
    this.#waiting.push({ transaction, time });
    if (this.#waiting.length >= MAX_BATCH) this.score();
  }

  /** Scores what waits. To be called before the slot's counts are asked for, and at the end of the log. */
  score(): void {
    const { model } = this;
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const rows = waiting.map(({ transaction }) => countable(transaction));
    const scores = elbo(model.vae, rowsOf(rows, model));
    const marked: Marked[] = [];
    for (const [i, { transaction, time }] of waiting.entries()) {
      const row = rows[i]!;
      const p = pValue(model.calibration[row.type]!, scores[i]!);
      const mark = { transaction, time, row, pValue: p, unknown: holdsUnknown(row.shapes, model) };
      if (isStrange(mark)) marked.push(mark);
      else if (row.type === MESSAGE) this.#countOrdinary();
      this.#onScore?.({ time, transaction, score: scores[i]!, pValue: p });
    }
    const parts = carried(
      model.vae,
      model,
      marked.map(({ row }) => row),
    );
    for (const [k, mark] of marked.entries()) this.#count(mark, parts[k]!);
  }

  #countOrdinary(): void {
    if (this.#ordinary >= 0) this.#counts[this.#ordinary]!++;
  }

  /** Counts it, and keeps the newest line that the network has no column for, else that of the shape that carries most of the score. */
  #count({ transaction, time, row, pValue: p, unknown }: Marked, { carrier, unfelt, part }: Carried): void {
    const again = unknown && time - this.#unknownAt[row.type]! < AT_ONCE_MS;
    if (unknown && !again) this.#unknownAt[row.type] = time;
    const strangeness = { type: row.type, pValue: unfelt ? 1 : p, unknown: unknown && !again, carrier };
    if (isOrdinary(strangeness) && !unknown) this.#countOrdinary();
    if (!isStrange(strangeness)) return;
    countStrange(this.#counts, 0, this.#index, strangeness);
    const { lines } = transaction;
    const news = unknown && lines.findLast((line) => !hasColumn(line.templateId, this.model));
    const telling = news || [...lines].sort((a, b) => part(b.templateId) - part(a.templateId))[0];
    if (!telling) return;
    for (const key of strangeKeys(strangeness)) {
      const ring = this.#lines[this.#index.get(key) ?? -1];
      ring?.push({ ...telling, time });
      if (ring && ring.length > KEPT_LINES) ring.shift();
    }
  }

  /** Counts of the slot that ends, and a fresh start. */
  close(): Float32Array {
    this.score();
    const counts = this.#counts;
    this.#counts = new Float32Array(counts.length);
    return counts;
  }

  save(lines: LineSaver): SavedStrange {
    return {
      counts: this.#counts,
      seen: this.#seen,
      waiting: this.#waiting.map(({ transaction, time }) => ({
        transaction: saveTransaction(transaction, lines),
        time,
      })),
      lines: this.#lines.map((ring) => ring.map((line) => lines.of(line))),
      unknownAt: this.#unknownAt,
    };
  }

  load(saved: SavedStrange, lines: LineLoader): void {
    this.#counts.set(saved.counts);
    this.#seen = saved.seen;
    this.#waiting = saved.waiting.map(({ transaction, time }) => ({
      transaction: loadTransaction(transaction, lines),
      time,
    }));
    this.#lines = saved.lines.map((ring) => ring.map((number) => lines.of(number)));
    if (saved.unknownAt) this.#unknownAt = [...saved.unknownAt];
  }

  linesOf(column: number, since: number): SeenLine[] {
    return this.#lines[column]!.filter((l) => l.time >= since).reverse();
  }
}
