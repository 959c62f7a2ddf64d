import { type LocalClock, slotOf } from "../feature/clock.ts";
import { MESSAGE, TRANSACTION_REALS, TRANSACTION_TYPES, type Transaction } from "../feature/transaction.ts";
import type { Parent } from "../model/inherit.ts";
import type { Kernels } from "../model/kernels.ts";
import { elbo } from "../model/score.ts";
import { trainVae } from "../model/train.ts";
import { createVae, type Vae } from "../model/vae.ts";
import { type Calibration, calibrate, pValue } from "./calibrate.ts";
import { joiner, placesByShape, SharedContents } from "./contents.ts";
import { FOLDS, foldOf, keepFolds, parentOf, thinned } from "./folds.ts";
import { Reach } from "./memory.ts";
import {
  type CountedAnew,
  type CountedSlot,
  fitRates,
  isOrdinary,
  isStrange,
  type Strangeness,
} from "./strange.ts";
import type { TransactionModel } from "./transaction.ts";
import { recalled, rememberSamples, type Sample } from "./transaction-memory.ts";
import { carried, holdsUnknown, rowsOf, transactionColumns, type Vocabulary } from "./transaction-rows.ts";
import type { TableRows } from "./window-fit.ts";

/** Shapes with a column of their own; the rest count together. */
const MAX_COLUMNS = 120;
/** Rows that a network trains on, and that calibration scores; more are thinned evenly. */
const MAX_TRAINING = 6_000;
/** With fewer transactions there is nothing to learn. */
const MIN_TRANSACTIONS = 300;
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
/** Share of the strangest training rows that a second training leaves out: history is not labelled, so it may hold attacks. */
const TRIMMED = 0.02;

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
    const vocabulary = { columns, offset };
    const unseen = Array.from({ length: FOLDS }, (_, fold) =>
      train(
        samples.filter((s) => foldOf(s.slot) !== fold),
        fold,
      ),
    );
    const vae = train(samples, undefined);
    const { scores, judges } = scoresOfAll(samples, vocabulary, unseen, vae);
    const calibration = TRANSACTION_TYPES.map((_, type) =>
      calibrate([], Float32Array.from(scores.filter((_, i) => samples[i]!.type === type))),
    );
    const pValues = Float64Array.from(samples, ({ type }, i) => pValue(calibration[type]!, scores[i]!));
    const counted = judges.flatMap(({ vae: judge, places }) =>
      countedOf(judge, vocabulary, samples, pValues, places),
    );
    const times = [...surges].filter((slot) => slot < first && reach.holds(slot));
    const anew = countedAnew(unseen, vocabulary, calibration, past, times);
    const model = {
      ...{ stride: this.#stride, ...vocabulary, vae, calibration },
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

/** The score of each sample, in nats. */
function scoresOf(vae: Vae, vocabulary: Vocabulary, samples: readonly Sample[]): Float64Array {
  const scores = new Float64Array(samples.length);
  for (let from = 0; from < samples.length; from += SCORED_AT_ONCE)
    scores.set(elbo(vae, rowsOf(samples.slice(from, from + SCORED_AT_ONCE), vocabulary)), from);
  return scores;
}

/** A network, and the places of the samples that it judges. */
type Judge = { readonly vae: Vae; readonly places: readonly number[] };

/**
 * Each sample is judged by the network that did not see it, or by the one that watches where that finds it stranger still: that one has other
 * weights, and may find strange what the others don't, as often as it does in the days that it learned from at least.
 */
function scoresOfAll(
  samples: readonly Sample[],
  vocabulary: Vocabulary,
  unseen: readonly Vae[],
  watching: Vae,
): { scores: Float64Array; judges: readonly Judge[] } {
  const scores = scoresOf(watching, vocabulary, samples);
  const stranger = new Set(samples.keys());
  const judges = unseen.map((vae, fold): Judge => {
    const own = [...samples.keys()].filter((i) => foldOf(samples[i]!.slot) === fold);
    const others = scoresOf(
      vae,
      vocabulary,
      own.map((i) => samples[i]!),
    );
    const places = own.filter((i, k) => others[k]! >= scores[i]!);
    for (const [k, i] of own.entries()) scores[i] = Math.max(scores[i]!, others[k]!);
    for (const i of places) stranger.delete(i);
    return { vae, places };
  });
  return { scores, judges: [...judges, { vae: watching, places: [...stranger] }] };
}

/** What an ordinary message counts as. */
const ORDINARY: Strangeness = { type: MESSAGE, pValue: 1, unknown: false, carrier: undefined };

/** What is counted of some of the samples, by a network that did not see them. own: their places. */
function countedOf(
  vae: Vae,
  vocabulary: Vocabulary,
  samples: readonly Sample[],
  pValues: Float64Array,
  own: readonly number[],
): CountedSlot[] {
  const counted: CountedSlot[] = [];
  const judged = own.map((i) => ({
    sample: samples[i]!,
    type: samples[i]!.type,
    pValue: pValues[i]!,
    unknown: holdsUnknown(samples[i]!.shapes, vocabulary),
  }));
  const marked = judged.filter(isStrange);
  for (const { sample } of judged.filter(isOrdinary))
    counted.push({ slot: sample.slot, strangeness: ORDINARY, each: sample.each ?? 1 });
  for (let from = 0; from < marked.length; from += SCORED_AT_ONCE) {
    const part = marked.slice(from, from + SCORED_AT_ONCE);
    const all = carried(
      vae,
      vocabulary,
      part.map(({ sample }) => sample),
    );
    for (const [k, { sample, pValue: p, unknown }] of part.entries()) {
      const { type, slot } = sample;
      const { carrier, unfelt } = all[k]!;
      const strangeness = { type, pValue: unfelt ? 1 : p, unknown, carrier };
      if (isStrange(strangeness)) counted.push({ slot, strangeness, each: sample.each ?? 1 });
      else if (isOrdinary(strangeness)) counted.push({ slot, strangeness: ORDINARY, each: sample.each ?? 1 });
    }
  }
  return counted;
}

/** What of remembered surges is strange to the network that did not learn of that one, as the next of its like will be new to the network. */
function countedAnew(
  unseen: readonly Vae[],
  vocabulary: Vocabulary,
  calibration: readonly Calibration[],
  past: readonly Sample[],
  times: readonly number[],
): CountedAnew {
  const anew = new Map(times.map((slot): [number, CountedSlot[]] => [slot, []]));
  const held = past.filter(({ slot, each }) => each !== undefined && anew.has(slot));
  for (const [fold, vae] of unseen.entries()) {
    const samples = held.filter(({ slot }) => foldOf(slot) === fold);
    if (samples.length === 0) continue;
    const scores = scoresOf(vae, vocabulary, samples);
    const pValues = Float64Array.from(samples, ({ type }, i) => pValue(calibration[type]!, scores[i]!));
    const all = [...samples.keys()];
    for (const one of countedOf(vae, vocabulary, samples, pValues, all)) anew.get(one.slot)!.push(one);
  }
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
  const samples = [...thinned(all, MAX_TRAINING), ...again];
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
