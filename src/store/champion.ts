import { Fault } from "../fault.ts";
import type { KnownPairs } from "../feature/entity.ts";
import type { Kernels } from "../model/kernels.ts";
import type { Model } from "../pipeline/model.ts";
import { databasePath } from "./db.ts";
import { unpackModel } from "./model.ts";
import type { Store } from "./queries.ts";

/** The model in use. */
export type Champion = { readonly id: string; readonly model: Model; readonly pairs: KnownPairs };

/** Throws a Fault when there is none, or it can't be read. effect: what does not work without it. */
export function loadChampion(store: Store, dir: string, kernels: Kernels, effect: string): Champion {
  const stored = store.champion();
  if (!stored) throw noModel(dir, effect);
  return { id: stored.id, ...unpackModel(stored.blob, kernels, placeOfModel(dir, stored.id)) };
}

/** A stored model's place, for messages. dir: the state folder. */
export const placeOfModel = (dir: string, id: string): string => `${databasePath(dir)}, model ${id}`;

/** No training has left a model in the state folder `dir`. effect: what does not work for want of it. */
export function noModel(dir: string, effect: string): Fault {
  return new Fault(
    "configuration",
    "there is no model yet",
    `state folder ${dir}`,
    effect,
    "learn one first: logvane train FILE... (two weeks of log or more)",
  );
}
