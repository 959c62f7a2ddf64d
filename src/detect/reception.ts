import type { Contents, Transaction } from "../feature/transaction.ts";
import type { Parent } from "../model/inherit.ts";
import type { Kernels } from "../model/kernels.ts";
import { reconstruct } from "../model/score.ts";
import { type Training, trainVae } from "../model/train.ts";
import { createVae, type Rows, type Vae } from "../model/vae.ts";
import { placesByShape } from "./contents.ts";
import { FOLDS, type Folds, foldOf, keepFolds, parentOf, thinned } from "./folds.ts";

/**
 * How long receiving a message should take, by what happened to it: signed or not, from a client or forwarded, its size. The network
 * learns the time together with the counts of the message's shapes and is asked for it while it sees only these.
 */

const MAX_COLUMNS = 80;
/** Messages that a network trains on; more are thinned evenly. */
const MAX_TRAINING = 6_000;
/** With fewer messages, all are expected to take the mean. */
const MIN_MESSAGES = 300;
/** Messages asked for in one go; only memory depends on it. */
const ASKED_AT_ONCE = 2048;
const HELD_OUT = 10;
const HIDDEN = 24;
const LATENT = 6;
/** The time, then what else is a number: recipients and size, as in TRANSACTION_REALS. */
const REALS = 3;
const TIME_FAMILY = 1;
const OPTIONS = {
  ...{ epochs: 32, batch: 64, learningRate: 2e-3, klWarmupEpochs: 6, beta: 1 },
  ...{ maskRate: 0.05, familyMaskRate: 0.5, patience: 5 },
} as const;

/** time: in ln(seconds). */
export type ReceivedMessage = {
  readonly shapes: Contents;
  readonly numbers: readonly number[];
  readonly time: number;
};
export const receivedOf = (t: Transaction, time: number): ReceivedMessage => ({
  shapes: t.shapes,
  numbers: [t.reals[3]!, t.reals[4]!],
  time,
});

export type ReceptionModel = {
  /** Shape -> column; shapes without one count in the last column. */
  readonly columns: readonly string[];
  /** ln of the mean count of each column. */
  readonly offset: Float32Array;
  readonly vae: Vae;
  readonly folds: Folds;
};

/** Learns from messages, and tells what a network that did not see a message's half of the days expects of it. */
export function fitReception(
  messages: readonly ReceivedMessage[],
  slots: readonly number[],
  seed: number,
  kernels: Kernels,
  old?: ReceptionModel,
): { model: ReceptionModel; expected: Float32Array } | undefined {
  if (messages.length < MIN_MESSAGES) return undefined;
  const form = formOf(messages);
  const expected = new Float32Array(messages.length);
  const ancestry = old && { ...old, columns: namesOf(old) };
  let epochs = 0;
  const trained = (own: readonly ReceivedMessage[], fold: number | undefined): Vae => {
    const parent = parentOf(ancestry, fold, namesOf(form), kernels);
    const { vae, training } = train(own, form, fold === undefined ? seed : seed + fold + 1, kernels, parent);
    epochs += training.epochs;
    return vae;
  };
  const unseen: Vae[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const own = messages.filter((_, i) => foldOf(slots[i]!) !== fold);
    const others = messages.map((_, i) => i).filter((i) => foldOf(slots[i]!) === fold);
    if (own.length === 0 || others.length === 0) return undefined;
    const vae = trained(own, fold);
    unseen.push(vae);
    const told = expectReception(
      { ...form, vae },
      others.map((i) => messages[i]!),
    );
    for (const [k, i] of others.entries()) expected[i] = told[k]!;
  }
  const vae = trained(messages, undefined);
  return { model: { ...form, vae, folds: keepFolds(unseen, epochs) }, expected };
}

/** ln(seconds) that receiving each message should have taken. */
export function expectReception(model: Asked, messages: readonly ReceivedMessage[]): Float32Array {
  const expected = new Float32Array(messages.length);
  for (let from = 0; from < messages.length; from += ASKED_AT_ONCE) {
    const part = messages.slice(from, from + ASKED_AT_ONCE);
    const { realMean } = reconstruct(model.vae, rowsOf(part, model), TIME_FAMILY);
    for (let i = 0; i < part.length; i++) expected[from + i] = realMean[i * REALS]!;
  }
  return expected;
}

type Form = Pick<ReceptionModel, "columns" | "offset">;
type Asked = Form & Pick<ReceptionModel, "vae">;
const namesOf = ({ columns }: Form): string[] => [...columns, "rest"];

function formOf(messages: readonly ReceivedMessage[]): Form {
  const seen = new Map<string, { n: number; sum: number }>();
  for (const { shapes } of messages) {
    for (let k = 0; k < shapes.length; k += 2) {
      const of = seen.get(shapes[k] as string) ?? { n: 0, sum: 0 };
      of.n++;
      of.sum += shapes[k + 1] as number;
      seen.set(shapes[k] as string, of);
    }
  }
  const ranked = [...seen].sort((a, b) => b[1].n - a[1].n || (a[0] < b[0] ? -1 : 1));
  const kept = ranked.filter(([, { n }]) => n >= 4).slice(0, MAX_COLUMNS);
  const rest = ranked.reduce((sum, [, of]) => sum + of.sum, 0) - kept.reduce((s, [, of]) => s + of.sum, 0);
  const means = [...kept.map(([, of]) => of.sum), rest].map((sum) =>
    Math.log((sum + 0.5) / (messages.length + 1)),
  );
  return { columns: kept.map(([shape]) => shape), offset: Float32Array.from(means) };
}

function rowsOf(messages: readonly ReceivedMessage[], { columns, offset }: Form): Rows {
  const C = offset.length;
  const n = messages.length;
  const index = placesByShape(columns);
  const rows = {
    n,
    counts: new Float32Array(n * C),
    reals: new Float32Array(n * REALS),
    realWeights: new Float32Array(n * REALS),
    offset: new Float32Array(n * C),
    conditions: new Float32Array(0),
  };
  for (const [i, { shapes, numbers, time }] of messages.entries()) {
    for (let k = 0; k < shapes.length; k += 2)
      rows.counts[i * C + (index.get(shapes[k] as string) ?? C - 1)]! += shapes[k + 1] as number;
    for (const [g, x] of [time, ...numbers].entries()) {
      if (Number.isNaN(x)) continue;
      rows.reals[i * REALS + g] = x;
      rows.realWeights[i * REALS + g] = 1;
    }
    rows.offset.set(offset, i * C);
  }
  return rows;
}

function train(
  all: readonly ReceivedMessage[],
  form: Form,
  seed: number,
  kernels: Kernels,
  parent: Parent | undefined,
): { vae: Vae; training: Training } {
  const rows = rowsOf(thinned(all, MAX_TRAINING), form);
  const C = form.offset.length;
  const validation = Int32Array.from({ length: Math.floor(rows.n / HELD_OUT) }, (_, i) => i * HELD_OUT);
  const families = new Int32Array(C + REALS);
  families[C] = TIME_FAMILY;
  const shape = { counts: C, reals: REALS, conditions: 0, hidden: HIDDEN, latent: LATENT };
  const vae = createVae(shape, seed, kernels);
  return { vae, training: trainVae(vae, rows, { ...OPTIONS, families, seed, validation, parent }) };
}
