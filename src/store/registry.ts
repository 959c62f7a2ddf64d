import { createHash } from "node:crypto";
import { Fault } from "../fault.ts";
import { type Database, guarded } from "./db.ts";
import { onlyId, parsed } from "./record.ts";
import { formerOf, readSwitches, type Switch, type Switching, writeSwitch } from "./switches.ts";

/**
 * The models of a state. A model is a version that never changes: what is known of it when it is saved is all that is ever written of it.
 * One of them is in use, the champion; switches.ts tells since when and why.
 */

/** A trained model. createdAt: log time, milliseconds since the Unix epoch. header: what JSON can hold. */
export type StoredModel = {
  readonly id: string;
  readonly createdAt: number;
  readonly header: object;
  readonly blob: Uint8Array;
};

/** A trained model without its bytes. bytes: how many it has. */
export type ModelEntry = Pick<StoredModel, "id" | "createdAt" | "header"> & {
  readonly bytes: number;
  /** Whether it is the one in use. */
  readonly champion: boolean;
};

export type Mark = { readonly name: string; readonly value: string };

/** What is saved with a model. warm: engine/warm.ts. mark: of the training. */
export type WithModel = {
  readonly warm?: Uint8Array;
  readonly mark?: Mark;
  /** The id of the champion that it was compared with. */
  readonly replaces?: string;
  /** How it comes into use; false for a model that is kept out of use. Default: by a training. */
  readonly use?: Switching | false;
};

/** What a pruning of models did, and would not. */
export type PrunedModels = {
  readonly removed: readonly string[];
  /** Older than those that were to be kept, but needed. */
  readonly needed: readonly { readonly id: string; readonly why: Need }[];
};
export type Need = "in use" | "in use before" | "an open incident is of it";

/** Models kept beside the one in use, the newest. */
const MAX_MODELS = 12;

export type Registry = {
  /**
   * Saves a model, which becomes the champion unless `use` is false, with all that belongs to it: all or nothing. Models long out of use are
   * forgotten. Returns false, and saves nothing, where another one than it replaces has become the champion meanwhile. RangeError where
   * there is another model of that id.
   */
  saveModel(model: StoredModel, more?: WithModel): boolean;
  /** Puts a model that is kept in use. False where it is no longer kept, or `replaces` is no longer the champion. */
  useModel(id: string, by: Switching, replaces?: string): boolean;
  /** Goes back to the former champion; its id, or undefined where none is kept. from: the champion to leave. */
  rollBack(from: string, reason: string, now: number): string | undefined;
  /** The id of the model to which rollBack goes. */
  former(): string | undefined;
  /** Which models came into use, oldest first. */
  switches(): Switch[];
  /** Removes all but so many of the models out of use, the newest, and those that are needed. */
  pruneModels(keep: number): PrunedModels;
  /** The bytes of a model's warm state; undefined where there is none, or they are not those that were saved. */
  warmState(model: string): Uint8Array | undefined;
  /** The id of the model in use. */
  championId(): string | undefined;
  /** The model in use. Throws Fault badData when its bytes are not those that were saved. */
  champion(): StoredModel | undefined;
  /** All models, the one that ends last first. */
  listModels(): ModelEntry[];
  /** The model of that id, or the only one whose id begins so. Throws Fault usage when several do, badData as champion(). */
  getModel(idOrPrefix: string): StoredModel | undefined;
};

type ModelRow = { id: string; created_at: number; header: string; blob: Uint8Array; checksum: string };

/** path: the database's name in messages. */
export function registryOf(db: Database, path: string): Registry {
  /** All or nothing, and nobody else writes meanwhile. */
  const whole = <T>(change: () => T): T => guarded(path, () => db.transaction(change).immediate());
  return {
    saveModel: (model, more = {}) => whole(() => saveModel(db, model, more)),
    useModel: (id, by, replaces) => whole(() => useModel(db, id, by, replaces)),
    rollBack: (from, reason, now) => whole(() => rollBack(db, from, reason, now)),
    former: () => guarded(path, () => former(db)),
    switches: () => guarded(path, () => readSwitches(db)),
    pruneModels: (keep) => whole(() => pruneModels(db, keep)),
    warmState: (model) => guarded(path, () => warmState(db, model)),
    championId: () => guarded(path, () => championId(db)),
    champion: () => guarded(path, () => champion(db, path)),
    listModels: () => guarded(path, () => listModels(db, path)),
    getModel: (id) => guarded(path, () => getModel(db, id, path)),
  };
}

const digest = (blob: Uint8Array): string => createHash("sha256").update(blob).digest("hex");

function saveModel(db: Database, model: StoredModel, { replaces, warm, mark, use }: WithModel): boolean {
  if (replaces !== undefined && championId(db) !== replaces) return false;
  insert(db, model);
  if (warm)
    db.prepare("INSERT OR REPLACE INTO warm_states (model, blob, checksum) VALUES (?, ?, ?)").run(
      model.id,
      Buffer.from(warm),
      digest(warm),
    );
  if (use !== false) put(db, model.id, use ?? { how: "train", reason: "learned anew", at: model.createdAt });
  pruneModels(db, MAX_MODELS, model.id);
  if (mark) db.prepare("INSERT OR REPLACE INTO marks (name, value) VALUES (?, ?)").run(mark.name, mark.value);
  return true;
}

/** The same model may be saved again, and stays as it is. */
function insert(db: Database, { id, createdAt, header, blob }: StoredModel): void {
  const checksum = digest(blob);
  const known = db.prepare("SELECT checksum FROM models WHERE id = ?").get(id) as
    | Pick<ModelRow, "checksum">
    | undefined;
  if (known === undefined)
    db.prepare("INSERT INTO models (id, created_at, header, blob, checksum) VALUES (?, ?, ?, ?, ?)").run(
      ...[id, createdAt, JSON.stringify(header), Buffer.from(blob), checksum],
    );
  else if (known.checksum !== checksum) throw new RangeError(`there is another model ${id}`);
}

/** The switch itself. */
function put(db: Database, id: string, by: Switching): void {
  if (championId(db) === id) return;
  db.prepare("UPDATE models SET champion = 0 WHERE champion = 1").run();
  db.prepare("UPDATE models SET champion = 1 WHERE id = ?").run(id);
  writeSwitch(db, id, by);
}

function useModel(db: Database, id: string, by: Switching, replaces: string | undefined): boolean {
  if (replaces !== undefined && championId(db) !== replaces) return false;
  if (!kept(db).has(id)) return false;
  put(db, id, by);
  return true;
}

function rollBack(db: Database, from: string, reason: string, at: number): string | undefined {
  const id = championId(db) === from ? former(db) : undefined;
  if (id !== undefined) put(db, id, { how: "rollback", reason, at });
  return id;
}

const kept = (db: Database): Set<string> =>
  new Set((db.prepare("SELECT id FROM models").all() as { id: string }[]).map(({ id }) => id));

const former = (db: Database): string | undefined => formerOf(readSwitches(db), kept(db), championId(db));

/** Models that may not be removed. */
function needs(db: Database): Map<string, Need> {
  const incidents = db
    .prepare(
      `SELECT DISTINCT model FROM alerts WHERE model IS NOT NULL AND json_valid(record)
         AND json_extract(record, '$.closed_at') IS NULL AND json_extract(record, '$.held') IS NOT 1
       UNION SELECT model FROM checkpoint`,
    )
    .all() as { model: string }[];
  const all = new Map<string, Need>(incidents.map(({ model }) => [model, "an open incident is of it"]));
  const [before, inUse] = [former(db), championId(db)];
  if (before !== undefined) all.set(before, "in use before");
  if (inUse !== undefined) all.set(inUse, "in use");
  return all;
}

/** fresh: a model that was just saved. */
function pruneModels(db: Database, keep: number, fresh?: string): PrunedModels {
  const needed = needs(db);
  const old = db
    .prepare(
      `SELECT id FROM models WHERE champion = 0 ORDER BY id = ? DESC, created_at DESC, id LIMIT -1 OFFSET ?`,
    )
    .all(fresh ?? "", keep) as { id: string }[];
  const removed = old.map(({ id }) => id).filter((id) => !needed.has(id));
  const remove = db.prepare("DELETE FROM models WHERE id = ?");
  for (const id of removed) remove.run(id);
  const stay = old.filter(({ id }) => needed.has(id));
  return { removed, needed: stay.map(({ id }) => ({ id, why: needed.get(id)! })) };
}

function warmState(db: Database, model: string): Uint8Array | undefined {
  const row = db.prepare("SELECT blob, checksum FROM warm_states WHERE model = ?").get(model) as
    | Pick<ModelRow, "blob" | "checksum">
    | undefined;
  return row !== undefined && digest(row.blob) === row.checksum ? new Uint8Array(row.blob) : undefined;
}

const championId = (db: Database): string | undefined =>
  (db.prepare("SELECT id FROM models WHERE champion = 1").get() as { id: string } | undefined)?.id;

function champion(db: Database, path: string): StoredModel | undefined {
  const row = db.prepare("SELECT * FROM models WHERE champion = 1").get() as ModelRow | undefined;
  return row === undefined ? undefined : sound(row, path);
}

/** The model of a row. Throws Fault badData when its bytes are not those that were saved. */
function sound(row: ModelRow, path: string): StoredModel {
  const blob = new Uint8Array(row.blob);
  if (digest(blob) !== row.checksum)
    throw new Fault(
      "badData",
      "the model is damaged: its checksum does not match its bytes",
      `${path}, model ${row.id}`,
      "no line can be scored with it",
      "train again: logvane train FILE...",
    );
  return { id: row.id, createdAt: row.created_at, header: parsed(row.header, path, `model ${row.id}`), blob };
}

function listModels(db: Database, path: string): ModelEntry[] {
  const rows = db
    .prepare(
      `SELECT id, created_at, header, length(blob) AS bytes, champion FROM models ORDER BY created_at DESC, id`,
    )
    .all() as (Omit<ModelRow, "blob" | "checksum"> & { bytes: number; champion: number })[];
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.created_at,
    header: parsed(row.header, path, `model ${row.id}`),
    bytes: row.bytes,
    champion: row.champion === 1,
  }));
}

function getModel(db: Database, idOrPrefix: string, path: string): StoredModel | undefined {
  if (idOrPrefix === "") return undefined;
  const ids = db
    .prepare("SELECT id FROM models WHERE substr(id, 1, length(@id)) = @id ORDER BY id LIMIT 3")
    .all({ id: idOrPrefix }) as { id: string }[];
  const id = onlyId(ids, idOrPrefix, "models", "logvane model list");
  if (id === undefined) return undefined;
  return sound(db.prepare("SELECT * FROM models WHERE id = ?").get(id) as ModelRow, path);
}
