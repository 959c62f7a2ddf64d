import {
  type Contents,
  TRANSACTION_REALS,
  TRANSACTION_TYPES,
  type Transaction,
} from "../feature/transaction.ts";
import { rowParts } from "../model/score.ts";
import type { Rows, Vae } from "../model/vae.ts";
import { placesByShape } from "./contents.ts";
import type { Sample } from "./transaction-memory.ts";

/** Transactions as rows of the transaction view's network, and what in a row carries its score. */

/** Name of the last column, in which shapes without one count together. */
const REST = "rest";

/** What a network has columns for, and what it expects of them by the type alone. */
export type Vocabulary = {
  readonly columns: readonly string[];
  /** (types, C + 1): ln of the mean count of each column. */
  readonly offset: Float32Array;
};

/** A transaction as the network sees it. */
export type Countable = Pick<Sample, "type" | "shapes" | "reals">;

/** Rows for the network: counts of shapes, the numbers, and the type as condition. */
export function rowsOf(samples: readonly Countable[], { columns, offset }: Vocabulary): Rows {
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
export const transactionRows = (model: Vocabulary, transactions: readonly Transaction[]): Rows =>
  rowsOf(transactions.map(countable), model);

/** The names of the network's counts, as a later one finds them. */
export const transactionColumns = ({ columns }: Pick<Vocabulary, "columns">): string[] => [...columns, REST];

export const countable = (t: Transaction): Countable => ({
  type: TRANSACTION_TYPES.indexOf(t.type),
  shapes: t.shapes,
  reals: t.reals,
});

export const hasColumn = (shape: string, { columns }: Pick<Vocabulary, "columns">): boolean =>
  placesByShape(columns).has(shape);

/** Whether a transaction holds a shape that the network has no column for. */
export const holdsUnknown = (contents: Contents, vocabulary: Pick<Vocabulary, "columns">): boolean =>
  contents.some((x, k) => k % 2 === 0 && !hasColumn(x as string, vocabulary));

/** Seconds that nobody feels, however seldom so much is met: a busy moment of the machine. */
const UNFELT = 1;
/** Places in TRANSACTION_REALS of what is told in seconds. */
const TIMES: ReadonlySet<number> = new Set(
  [...TRANSACTION_REALS.keys()].filter((g) => /^(?:delay|duration)/.test(TRANSACTION_REALS[g]!)),
);

/** What a row's score consists of. */
export type Carried = {
  /** What has the largest part: a shape with a column, or one of TRANSACTION_REALS; undefined where that is what has no column. */
  readonly carrier: string | undefined;
  /** Whether that is a time which nobody feels, so that the row is not strange by it. */
  readonly unfelt: boolean;
  /** The part of the column in which a shape counts, in nats. */
  readonly part: (shape: string) => number;
};

/** Of each transaction. */
export function carried(vae: Vae, vocabulary: Vocabulary, samples: readonly Countable[]): Carried[] {
  const { columns } = vocabulary;
  const W = columns.length + 1 + TRANSACTION_REALS.length;
  const parts = rowParts(vae, rowsOf(samples, vocabulary));
  const index = placesByShape(columns);
  const names = [...columns, undefined, ...TRANSACTION_REALS];
  return samples.map(({ reals }, i) => {
    const row = parts.subarray(i * W, i * W + W);
    let top = 0;
    for (let j = 1; j < W; j++) if (row[j]! > row[top]!) top = j;
    const real = top - columns.length - 1;
    const unfelt = TIMES.has(real) && reals[real]! < Math.log1p(UNFELT);
    return { carrier: names[top], unfelt, part: (shape) => row[index.get(shape) ?? columns.length]! };
  });
}
