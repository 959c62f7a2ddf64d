import { type LocalClock, slotOf } from "../feature/clock.ts";
import type { LineLoader, LineSaver } from "../feature/line-table.ts";
import {
  loadTransaction,
  type SavedTransaction,
  type SeenLine,
  saveTransaction,
  TRANSACTION_REALS,
  TRANSACTION_TYPES,
  type Transaction,
} from "../feature/transaction.ts";
import type { Parent } from "../model/inherit.ts";
import type { Kernels } from "../model/kernels.ts";
import { elbo, rowParts } from "../model/score.ts";
import { trainVae } from "../model/train.ts";
import { createVae, MAX_BATCH, type Rows, type Vae } from "../model/vae.ts";
import { type Calibration, calibrate, pValue } from "./calibrate.ts";
import { joiner, placesByShape, SharedContents } from "./contents.ts";
import { FOLDS, type Folds, foldOf, keepFolds, parentOf } from "./folds.ts";
import { Reach } from "./memory.ts";
import { countStrange, fitRates, LEVELS, STRANGE } from "./strange.ts";
import { type RememberedSample, recalled, rememberSamples, type Sample } from "./transaction-memory.ts";
import type { WindowModel } from "./window.ts";
import { type TableRows, tableOf } from "./window-fit.ts";

/**
 * The transaction view: a Variational Autoencoder over what each message, connection and session consists of. One strange
 * transaction means little on the Internet; more strange ones than on any day of training do. So each gets a p-value
 * by networks that did not see its day, and how many fall under LEVELS is counted as the window view counts lines.
 */

/** Shapes with a column of their own; the rest count together. */
const MAX_COLUMNS = 120;
/** Rows that a network trains on, and that calibration scores; more are thinned evenly. */
const MAX_TRAINING = 6_000;
/** With fewer transactions there is nothing to learn. */
export const MIN_TRANSACTIONS = 300;
/** Transactions that training remembers; of more, every second. */
const MAX_REMEMBERED = 80_000;
/** Rows scored in one go; only memory depends on it. */
const SCORED_AT_ONCE = 2048;
const HELD_OUT = 10;
const HIDDEN = 32;
const LATENT = 6;
const OPTIONS = {
  epochs: 24,
  batch: 64,
  learningRate: 2e-3,
  klWarmupEpochs: 6,
  beta: 1,
  maskRate: 0.05,
  patience: 4,
} as const;
/** Name of the last column. */
const REST = "rest";
/** Share of the strangest training rows that a second training leaves out: history is not labelled, so it may hold attacks. */
const TRIMMED = 0.02;

export type TransactionModel = {
  /** One of so many transactions is looked at: 1 but on busy servers. */
  readonly stride: number;
  /** Shape -> column; shapes without one count in the last column. */
  readonly columns: readonly string[];
  /** (types, C): ln of the mean count of each column. */
  readonly offset: Float32Array;
  readonly vae: Vae;
  readonly folds: Folds;
  /** Per type. */
  readonly calibration: readonly Calibration[];
  /** How many strange ones are usual, per type and level. */
  readonly rates: WindowModel;
  /** What the next training is to remember; undefined in models of before. No detector reads it. */
  readonly samples?: readonly RememberedSample[];
};

/** A model with what it was made from, shapes joined. unseen: by fold, the network that did not see it. */
export type LearnedTransactions = {
  readonly model: TransactionModel;
  readonly samples: readonly Sample[];
  readonly unseen: readonly Vae[];
};

export class TransactionCollector {
  readonly #samples: Sample[] = [];
  readonly #shared = new SharedContents();
  #stride = 1;
  #seen = 0;

  /** Keeps every second of what is there, and of what comes: all of the history stays, at half the grain. */
  #thin(): void {
    for (let i = 0; i < this.#samples.length / 2; i++) this.#samples[i] = this.#samples[2 * i]!;
    this.#samples.length = Math.ceil(this.#samples.length / 2);
    this.#stride *= 2;
  }

  add(t: Transaction): void {
    if (this.#samples.length >= MAX_REMEMBERED) this.#thin();
    if (this.#seen++ % this.#stride !== 0) return;
    this.#samples.push({
      type: TRANSACTION_TYPES.indexOf(t.type),
      slot: slotOf(t.end),
      shapes: this.#shared.of(t.shapes),
      reals: t.reals,
    });
  }

  /** groups: of joined shapes. old: the networks to begin with. before: what is remembered. Undefined when there are too few transactions. */
  fit(
    table: TableRows,
    groups: ReadonlyMap<string, string>,
    {
      clock,
      seed,
      kernels,
    }: { readonly clock: LocalClock; readonly seed: number; readonly kernels: Kernels },
    old?: TransactionModel,
    before?: TransactionModel,
  ): LearnedTransactions | undefined {
    const { first, last, slots, flagged } = table.time;
    const join = joiner(groups);
    const samples = this.#samples
      .filter((s) => s.slot >= first && s.slot <= last)
      .map((s) => ({ ...s, shapes: join(s.shapes) }));
    if (samples.length < MIN_TRANSACTIONS) return undefined;
    const columns = chooseColumns(samples);
    const offset = meanCounts(samples, columns);
    const reach = new Reach(last, flagged);
    const past = recalled(before?.samples ?? [], first, reach).map((s) => ({ ...s, shapes: join(s.shapes) }));
    const ancestry = old && { ...old, columns: transactionColumns(old) };
    let epochs = 0;
    const train = (own: readonly Sample[], fold: number | undefined): Vae => {
      const parent = parentOf(ancestry, fold, transactionColumns({ columns }), kernels);
      const from = fold === undefined ? seed : seed + fold + 1;
      const again = past.filter((s) => foldOf(s.slot) !== fold);
      const trained = trainRobust(own, again, columns, offset, from, kernels, parent);
      epochs += trained.epochs;
      return trained.vae;
    };
    const scores = new Float64Array(samples.length);
    const unseen: Vae[] = [];
    for (let fold = 0; fold < FOLDS; fold++) {
      const vae = train(
        samples.filter((s) => foldOf(s.slot) !== fold),
        fold,
      );
      unseen.push(vae);
      const index = samples.map((_, i) => i).filter((i) => foldOf(samples[i]!.slot) === fold);
      for (let from = 0; from < index.length; from += SCORED_AT_ONCE) {
        const part = index.slice(from, from + SCORED_AT_ONCE);
        const others = elbo(
          vae,
          rowsOf(
            part.map((i) => samples[i]!),
            columns,
            offset,
          ),
        );
        for (const [k, i] of part.entries()) scores[i] = others[k]!;
      }
    }
    const calibration = TRANSACTION_TYPES.map((_, type) =>
      calibrate([], Float32Array.from(scores.filter((_, i) => samples[i]!.type === type))),
    );
    const counts = new Float32Array(slots * STRANGE.length);
    for (const [i, s] of samples.entries()) {
      countStrange(
        counts,
        (s.slot - first) * STRANGE.length,
        s.type,
        pValue(calibration[s.type]!, scores[i]!),
      );
    }
    const vae = train(samples, undefined);
    const model = {
      ...{ stride: this.#stride, columns, offset, vae, calibration },
      folds: keepFolds(unseen, epochs),
      rates: fitRates(tableOf(STRANGE, counts, table), before?.rates, clock, reach),
      samples: rememberSamples([...past, ...samples]),
    };
    return { model, samples, unseen };
  }
}

function chooseColumns(samples: readonly Sample[]): string[] {
  const seen = new Map<string, number>();
  for (const { shapes } of samples) {
    for (let k = 0; k < shapes.length; k += 2)
      seen.set(shapes[k] as string, (seen.get(shapes[k] as string) ?? 0) + 1);
  }
  return [...seen]
    .filter(([, n]) => n >= 4)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, MAX_COLUMNS)
    .map(([shape]) => shape);
}

/** ln of the mean count per type, (types, C + 1); half an event is added so that nothing is impossible. */
function meanCounts(samples: readonly Sample[], columns: readonly string[]): Float32Array {
  const C = columns.length + 1;
  const index = placesByShape(columns);
  const sums = new Float64Array(TRANSACTION_TYPES.length * C).fill(0.5);
  const n = new Float64Array(TRANSACTION_TYPES.length).fill(1);
  for (const { type, shapes } of samples) {
    n[type]!++;
    for (let k = 0; k < shapes.length; k += 2) {
      sums[type * C + (index.get(shapes[k] as string) ?? C - 1)]! += shapes[k + 1] as number;
    }
  }
  return Float32Array.from(sums, (v, i) => Math.log(v / n[Math.floor(i / C)]!));
}

type Countable = Pick<Sample, "type" | "shapes" | "reals">;

/** Rows for the network: counts of shapes, the numbers, and the type as condition. */
function rowsOf(samples: readonly Countable[], columns: readonly string[], offset: Float32Array): Rows {
  const C = columns.length + 1;
  const G = TRANSACTION_REALS.length;
  const S = TRANSACTION_TYPES.length;
  const n = samples.length;
  const index = placesByShape(columns);
  const rows = {
    n,
    counts: new Float32Array(n * C),
    reals: new Float32Array(n * G),
    realWeights: new Float32Array(n * G),
    offset: new Float32Array(n * C),
    conditions: new Float32Array(n * S),
  };
  samples.forEach(({ type, shapes, reals }, i) => {
    for (let k = 0; k < shapes.length; k += 2) {
      rows.counts[i * C + (index.get(shapes[k] as string) ?? C - 1)]! += shapes[k + 1] as number;
    }
    for (let g = 0; g < G; g++) {
      const known = !Number.isNaN(reals[g]!);
      rows.reals[i * G + g] = known ? reals[g]! : 0;
      rows.realWeights[i * G + g] = known ? 1 : 0;
    }
    rows.offset.set(offset.subarray(type * C, type * C + C), i * C);
    rows.conditions[i * S + type] = 1;
  });
  return rows;
}

/** The rows that the model's network scores closed transactions by. */
export const transactionRows = (model: TransactionModel, transactions: readonly Transaction[]): Rows =>
  sampleRows(model, transactions.map(countable));

export const sampleRows = (
  { columns, offset }: Pick<TransactionModel, "columns" | "offset">,
  samples: readonly Countable[],
): Rows => rowsOf(samples, columns, offset);

/** The names of the network's counts, as a later one finds them. */
export const transactionColumns = ({ columns }: Pick<TransactionModel, "columns">): string[] => [
  ...columns,
  REST,
];

/** Trains twice: the second time without the rows that the first found strangest. again: what is remembered, of which all is learned. */
function trainRobust(
  all: readonly Sample[],
  again: readonly Sample[],
  columns: readonly string[],
  offset: Float32Array,
  seed: number,
  kernels: Kernels,
  parent: Parent | undefined,
): { vae: Vae; epochs: number } {
  const stride = Math.max(1, all.length / MAX_TRAINING);
  const thinned = Array.from(
    { length: Math.min(all.length, MAX_TRAINING) },
    (_, i) => all[Math.floor(i * stride)]!,
  );
  const samples = [...thinned, ...again];
  const rows = rowsOf(samples, columns, offset);
  const validation = Int32Array.from({ length: Math.floor(rows.n / HELD_OUT) }, (_, i) => i * HELD_OUT);
  const vae = createVae(
    {
      counts: columns.length + 1,
      reals: TRANSACTION_REALS.length,
      conditions: TRANSACTION_TYPES.length,
      hidden: HIDDEN,
      latent: LATENT,
    },
    seed,
    kernels,
  );
  const first = trainVae(vae, rows, { ...OPTIONS, seed, validation, parent });
  if (parent?.frozen) return { vae, epochs: 0 };
  const scores = elbo(vae, rows);
  const limit =
    [...scores].sort((a, b) => a - b)[Math.floor(scores.length * (1 - TRIMMED))] ?? Number.POSITIVE_INFINITY;
  const rowWeights = Float32Array.from(scores, (s) => (s > limit ? 0 : 1));
  const second = trainVae(
    vae,
    { ...rows, rowWeights },
    { ...OPTIONS, epochs: OPTIONS.epochs / 2, klWarmupEpochs: 0, seed: seed + 1, validation },
  );
  return { vae, epochs: first.epochs + second.epochs };
}

export type TransactionScore = {
  /** Log time at which the transaction closed, in ms. */
  readonly time: number;
  readonly transaction: Transaction;
  readonly score: number;
  readonly pValue: number;
};

export type SavedStrange = {
  readonly counts: Float32Array;
  readonly seen: number;
  readonly waiting: readonly { readonly transaction: SavedTransaction; readonly time: number }[];
  /** Numbers of the lines. */
  readonly lines: readonly (readonly number[])[];
};

/** Scores closed transactions, many at a time, and counts the strange ones of the open slot. */
export class TransactionScorer {
  readonly model: TransactionModel;
  readonly #onScore: ((score: TransactionScore) => void) | undefined;
  /** Counts of the open slot, in the columns of model.rates. */
  #counts: Float32Array;
  #seen = 0;
  /** Closed, not scored yet: a network costs less for many rows than for one, and a row's score depends on it alone. */
  #waiting: { readonly transaction: Transaction; readonly time: number }[] = [];
  /** The most telling lines of the newest strange transactions, per column of model.rates. */
  #lines: SeenLine[][] = STRANGE.map(() => []);

  constructor(model: TransactionModel, onScore?: (score: TransactionScore) => void) {
    this.model = model;
    this.#onScore = onScore;
    this.#counts = new Float32Array(STRANGE.length);
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
    const scores = elbo(model.vae, rowsOf(rows, model.columns, model.offset));
    for (const [i, { transaction, time }] of waiting.entries()) {
      const { type } = rows[i]!;
      const p = pValue(model.calibration[type]!, scores[i]!);
      countStrange(this.#counts, 0, type, p);
      if (p <= LEVELS[0]) this.#cite(transaction, rows[i]!, p, time);
      this.#onScore?.({ time, transaction, score: scores[i]!, pValue: p });
    }
  }

  /** Keeps the line of the shape that carries the score. */
  #cite(t: Transaction, row: Countable, p: number, time: number): void {
    const { columns, offset, vae } = this.model;
    const parts = rowParts(vae, rowsOf([row], columns, offset));
    const weight = (shape: string): number => {
      const j = columns.indexOf(shape);
      return parts[j < 0 ? columns.length : j]!;
    };
    const telling = [...t.lines].sort((a, b) => weight(b.templateId) - weight(a.templateId))[0];
    if (!telling) return;
    LEVELS.forEach((level, l) => {
      if (p > level) return;
      const ring = this.#lines[row.type * LEVELS.length + l]!;
      ring.push({ ...telling, time });
      if (ring.length > 5) ring.shift();
    });
  }

  /** Counts of the slot that ends, and a fresh start. */
  close(): Float32Array {
    this.score();
    const counts = this.#counts;
    this.#counts = new Float32Array(STRANGE.length);
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
  }

  linesOf(column: number, since: number): SeenLine[] {
    return this.#lines[column]!.filter((l) => l.time >= since).reverse();
  }
}

const countable = (t: Transaction): Countable => ({
  type: TRANSACTION_TYPES.indexOf(t.type),
  shapes: t.shapes,
  reals: t.reals,
});
