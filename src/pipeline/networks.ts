import { WINDOW_CONDITIONS } from "../detect/conditional.ts";
import type { TransactionModel } from "../detect/transaction.ts";
import type { Column } from "../feature/columns.ts";
import { TRANSACTION_REALS, TRANSACTION_TYPES } from "../feature/transaction.ts";
import type { OnnxColumn } from "../model/onnx.ts";
import type { Vae } from "../model/vae.ts";
import type { Model } from "./model.ts";

/** Of TRANSACTION_REALS. */
const REAL_UNITS = ["seconds", "seconds", "seconds", "recipients", "bytes", "seconds"] as const;

/** A network of a model with the names of its columns, for showing and for export. */
export type Network = {
  readonly name: "window" | "transaction";
  readonly vae: Vae;
  readonly counts: readonly OnnxColumn[];
  readonly reals: readonly OnnxColumn[];
  readonly conditions: readonly OnnxColumn[];
  /** Row of conditions -> ln of each count's expected mean (C), where that is fixed by training. */
  readonly offsets: Readonly<Record<string, readonly number[]>> | undefined;
};

/** The trained networks of a model: none where history was too short. */
export function networksOf(model: Model): Network[] {
  const networks: Network[] = [];
  const { window, windowVae, transaction } = model;
  if (windowVae) networks.push(windowNetwork(windowVae, window.columns));
  if (transaction) networks.push(transactionNetwork(transaction, window.columns));
  return networks;
}

function windowNetwork(vae: Vae, columns: readonly Column[]): Network {
  return {
    name: "window",
    vae,
    counts: columns.map(({ key, label, family }) => ({ name: key, label, family })),
    reals: [],
    conditions: WINDOW_CONDITIONS.map(([name, label]) => ({ name, label })),
    offsets: undefined, // the seasonal mean, which differs from slot to slot
  };
}

function transactionNetwork({ vae, columns, offset }: TransactionModel, known: readonly Column[]): Network {
  const C = vae.shape.counts;
  const labels = new Map(known.map((c) => [c.key, c.label]));
  const shape = (id: string): OnnxColumn => ({ name: id, label: labels.get(`template ${id}`) ?? "" });
  return {
    name: "transaction",
    vae,
    counts: [...columns.map(shape), { name: "rest", label: "lines of all other shapes" }],
    reals: TRANSACTION_REALS.map((name, g) => ({ name, label: `ln(1 + ${REAL_UNITS[g]})` })),
    conditions: TRANSACTION_TYPES.map((type) => ({ name: type, label: `1 for a ${type}, else 0` })),
    offsets: Object.fromEntries(
      TRANSACTION_TYPES.map((type, t) => [type, [...offset.subarray(t * C, t * C + C)]]),
    ),
  };
}
