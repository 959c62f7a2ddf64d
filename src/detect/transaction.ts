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
import { elbo } from "../model/score.ts";
import { trainVae } from "../model/train.ts";
import { createVae, MAX_BATCH, type Vae } from "../model/vae.ts";
import { type Calibration, calibrate, pValue } from "./calibrate.ts";
import { joiner, placesByShape, SharedContents } from "./contents.ts";
import { FOLDS, type Folds, foldOf, keepFolds, parentOf } from "./folds.ts";
import { Reach } from "./memory.ts";
import {
  type CountedAnew,
  type CountedSlot,
  countStrange,
  fitRates,
  isCounted,
  strangeKeys,
} from "./strange.ts";
import { type RememberedSample, recalled, rememberSamples, type Sample } from "./transaction-memory.ts";
import {
  type Carried,
  type Countable,
  carried,
  countable,
  hasColumn,
  holdsUnknown,
  rowsOf,
  transactionColumns,
  type Vocabulary,
} from "./transaction-rows.ts";
import type { WindowModel } from "./window.ts";
import type { TableRows } from "./window-fit.ts";

/**
 * The transaction view: a Variational Autoencoder over what each message, connection and session consists of. One strange
 * transaction means little on the Internet; more strange ones than on any day of training do. So each gets a p-value
 * by networks that did not see its day, and what is strange is counted as the window view counts lines (strange.ts).
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
/** What holds unknown lines and closes so soon after another is one event: a restart cuts all sessions at once. */
const AT_ONCE_MS = 1000;
/** Lines kept for citing of each column; an alert cites no more. */
const KEPT_LINES = 5;
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
/** Share of the strangest training rows that a second training leaves out: history is not labelled, so it may hold attacks. */
const TRIMMED = 0.02;

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

  /**
   * groups: of joined shapes. old: the networks to begin with. before: what is remembered. surges: slots that the window view remembers.
   * Undefined when there are too few transactions.
   */
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
    surges: ReadonlySet<number> = new Set(),
  ): LearnedTransactions | undefined {
    const { first, last, flagged } = table.time;
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
            { columns, offset },
          ),
        );
        for (const [k, i] of part.entries()) scores[i] = others[k]!;
      }
    }
    const calibration = TRANSACTION_TYPES.map((_, type) =>
      calibrate([], Float32Array.from(scores.filter((_, i) => samples[i]!.type === type))),
    );
    const pValues = Float64Array.from(samples, ({ type }, i) => pValue(calibration[type]!, scores[i]!));
    const counted = unseen.flatMap((vae, fold) => {
      const own = samples.map((_, i) => i).filter((i) => foldOf(samples[i]!.slot) === fold);
      return countedOf(vae, { columns, offset }, samples, pValues, own);
    });
    const vae = train(samples, undefined);
    const times = [...surges].filter((slot) => slot < first && reach.holds(slot));
    const anew = countedAnew(vae, { columns, offset }, calibration, past, times);
    const model = {
      ...{ stride: this.#stride, columns, offset, vae, calibration },
      folds: keepFolds(unseen, epochs),
      rates: fitRates(counted, table, before?.rates, clock, reach, anew),
      samples: rememberSamples([...past, ...samples], surges),
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

/** What is counted of some of the samples, by a network that did not see them. own: their places. */
function countedOf(
  vae: Vae,
  vocabulary: Vocabulary,
  samples: readonly Sample[],
  pValues: Float64Array,
  own: readonly number[],
): CountedSlot[] {
  const counted: CountedSlot[] = [];
  const marked = own
    .map((i) => ({
      sample: samples[i]!,
      pValue: pValues[i]!,
      unknown: holdsUnknown(samples[i]!.shapes, vocabulary),
    }))
    .filter(isCounted);
  for (let from = 0; from < marked.length; from += SCORED_AT_ONCE) {
    const part = marked.slice(from, from + SCORED_AT_ONCE);
    const all = carried(
      vae,
      vocabulary,
      part.map(({ sample }) => sample),
    );
    for (const [k, { sample, pValue: p, unknown }] of part.entries()) {
      const { type, slot } = sample;
      const strangeness = { type, pValue: p, unknown, carrier: all[k]!.carrier };
      counted.push({ slot, strangeness, each: sample.each ?? 1 });
    }
  }
  return counted;
}

/** What of remembered surges is strange to a network that has learned of them. times: their slots. */
function countedAnew(
  vae: Vae,
  vocabulary: Vocabulary,
  calibration: readonly Calibration[],
  past: readonly Sample[],
  times: readonly number[],
): CountedAnew {
  const anew = new Map(times.map((slot): [number, CountedSlot[]] => [slot, []]));
  const samples = past.filter(({ slot, each }) => each !== undefined && anew.has(slot));
  if (samples.length === 0) return anew;
  const scores = elbo(vae, rowsOf(samples, vocabulary));
  const pValues = Float64Array.from(samples, ({ type }, i) => pValue(calibration[type]!, scores[i]!));
  const all = [...samples.keys()];
  for (const one of countedOf(vae, vocabulary, samples, pValues, all)) anew.get(one.slot)!.push(one);
  return anew;
}

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
  const rows = rowsOf(samples, { columns, offset });
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
      if (isCounted(mark)) marked.push(mark);
      this.#onScore?.({ time, transaction, score: scores[i]!, pValue: p });
    }
    const parts = carried(
      model.vae,
      model,
      marked.map(({ row }) => row),
    );
    for (const [k, mark] of marked.entries()) this.#count(mark, parts[k]!);
  }

  /** Counts it, and keeps the newest line that the network has no column for, else that of the shape that carries most of the score. */
  #count({ transaction, time, row, pValue: p, unknown }: Marked, { carrier, part }: Carried): void {
    const again = unknown && time - this.#unknownAt[row.type]! < AT_ONCE_MS;
    if (unknown && !again) this.#unknownAt[row.type] = time;
    const strangeness = { type: row.type, pValue: p, unknown: unknown && !again, carrier };
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
