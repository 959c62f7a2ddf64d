import { SLOTS_PER_DAY } from "../feature/clock.ts";
import { decodeVae, encodeVae } from "../model/artifact.ts";
import { columnsIn, type Parent } from "../model/inherit.ts";
import type { Kernels } from "../model/kernels.ts";
import type { Vae } from "../model/vae.ts";

/**
 * The days of training fall into so many groups; each group is judged by a network that did not see it. Days of the calendar (UTC), so
 * that groups are the same in the next training, whose networks may then begin with these and still have seen nothing of theirs.
 */
export const FOLDS = 2;

export const foldOf = (slot: number): number => Math.floor(slot / SLOTS_PER_DAY) % FOLDS;

/** At most so many of all that a network may train on, evenly over their order. */
export function thinned<T>(all: readonly T[], most: number): T[] {
  const stride = Math.max(1, all.length / most);
  return Array.from({ length: Math.min(all.length, most) }, (_, i) => all[Math.floor(i * stride)]!);
}

/** What a training leaves to the next one, beside the network that watches. */
export type Folds = {
  /** By fold, the network that did not see it, as model/artifact.ts writes it. */
  readonly networks: readonly Uint8Array[];
  /** Passes over the rows that all networks took together. */
  readonly epochs: number;
  /** In the parents of a stand-in: its networks are theirs, untrained, and the one that did not see this fold watches. */
  readonly standIn?: number;
};

export const keepFolds = (networks: readonly Vae[], epochs: number): Folds => ({
  networks: networks.map((vae) => encodeVae(vae, {})),
  epochs,
});

/** The networks of an earlier training. columns: the names of their counts, in order. */
export type Ancestry = {
  readonly columns: readonly string[];
  readonly vae: Vae;
  /** Undefined in models of before. */
  readonly folds: Folds | undefined;
};

/**
 * The networks by which an old model is compared with a new one, by fold: like the new one's, they have learned from half of the days. The
 * one that watches, where they were not kept.
 */
export const judgesOf = (old: Pick<Ancestry, "vae" | "folds">, kernels: Kernels): Vae[] =>
  Array.from({ length: FOLDS }, (_, fold) => {
    const bytes = old.folds?.networks[fold];
    return bytes ? decodeVae(bytes, kernels).vae : old.vae;
  });

/** What a network for these counts may begin with: the one that watched (fold undefined), or that which did not see the fold. */
export function parentOf(
  old: Ancestry | undefined,
  fold: number | undefined,
  names: readonly string[],
  kernels: Kernels,
): Parent | undefined {
  if (old === undefined) return undefined;
  const standIn = old.folds?.standIn;
  const unseen = fold ?? standIn;
  const bytes = unseen === undefined ? undefined : old.folds?.networks[unseen];
  if (unseen !== undefined && bytes === undefined) return undefined;
  const vae = bytes ? decodeVae(bytes, kernels).vae : old.vae;
  return { vae, columns: columnsIn(old.columns, names), frozen: standIn !== undefined };
}
