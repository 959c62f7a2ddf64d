import { readFileSync } from "node:fs";
import { Fault } from "../fault.ts";
import type { Learned } from "../pipeline/model.ts";
import { type Network, networksOf } from "../pipeline/networks.ts";
import { noModel, placeOfModel } from "../store/champion.ts";
import { hasDatabase } from "../store/db.ts";
import { unpackModel } from "../store/model.ts";
import { decodeModelFile } from "../store/model-file.ts";
import { openStore, type Store } from "../store/queries.ts";
import type { ModelEntry, StoredModel } from "../store/registry.ts";
import { loadKernels } from "./kernels.ts";

/** The models that the verbs of `logvane model` are asked about. */

/** Longest part of an argument shown in a message. */
export const SHOWN = 80;

export type Found = { readonly model: StoredModel; readonly entry: ModelEntry; readonly where: string };

/** A stored model, the one in use unless `id` names another. The state folder is not made. */
export function fromState(dir: string, id: string | undefined, effect: string): Found {
  if (!hasDatabase(dir)) throw id === undefined ? noModel(dir, effect) : unknownModel(dir, id, effect);
  return withStore(dir, (store) => {
    const model = id === undefined ? store.champion() : store.getModel(id);
    if (model === undefined) throw id === undefined ? noModel(dir, effect) : unknownModel(dir, id, effect);
    const entry = { ...model, bytes: model.blob.length, champion: store.championId() === model.id };
    return { model, entry, where: placeOfModel(dir, model.id) };
  });
}

export function fromFile(file: string, id: string | undefined): Found {
  if (id !== undefined)
    throw new Fault(
      "usage",
      "give either an id or --file",
      `command line: ${id.slice(0, SHOWN)}, --file`,
      "nothing was shown",
      "leave one of them out",
    );
  const model = decodeModelFile(read(file), file);
  return { model, entry: { ...model, bytes: model.blob.length, champion: false }, where: file };
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Fault(
      "noInput",
      `cannot read the file (${(error as NodeJS.ErrnoException).code})`,
      file,
      "nothing was shown",
      "check the name after --file and who may read it",
    );
  }
}

export function withStore<T>(dir: string, use: (store: Store) => T): T {
  const store = openStore(dir);
  try {
    return use(store);
  } finally {
    store.close();
  }
}

export const learnedIn = ({ model, where }: Found): Learned => unpackModel(model.blob, loadKernels(), where);
export const networksIn = (found: Found): Network[] => networksOf(learnedIn(found).model);

export function unknownModel(dir: string, id: string, effect: string): Fault {
  return new Fault(
    "noInput",
    `there is no model "${id.slice(0, SHOWN)}"`,
    `state folder ${dir}`,
    effect,
    "logvane model list lists the ids; --state DIR names another state folder",
  );
}
