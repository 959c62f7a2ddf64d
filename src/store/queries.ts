import { createHash } from "node:crypto";
import { Fault } from "../fault.ts";
import { type Database, databasePath, guarded, openDatabase } from "./db.ts";
import { type LiveStore, liveStore } from "./live.ts";
import { type Outbox, outboxOf } from "./outbox.ts";
import { type ReportStore, reportStore } from "./report-queries.ts";
import { type Pruned, prune, type Retention } from "./retention.ts";
import { type RulesStore, rulesStore } from "./rules.ts";

/** A trained model. createdAt: log time, milliseconds since the Unix epoch. header: what JSON can hold. */
export type StoredModel = {
  readonly id: string;
  readonly createdAt: number;
  readonly header: object;
  readonly blob: Uint8Array;
};

/** What is saved with a model. warm: engine/warm.ts. mark: of the training. replaces: the id of the champion that it was compared with. */
export type WithModel = {
  readonly replaces?: string;
  readonly warm?: Uint8Array;
  readonly mark?: { readonly name: string; readonly value: string };
};

/** Models kept beside the one in use, the newest. */
const MAX_MODELS = 12;
/** Alerts that one question answers at most, the newest. */
const MAX_ALERTS = 10_000;

/** A trained model without its bytes. bytes: how many it has. */
export type ModelEntry = Pick<StoredModel, "id" | "createdAt" | "header"> & {
  readonly bytes: number;
  /** Whether it is the one in use. */
  readonly champion: boolean;
};

/** The alert record of the contract; only these two fields matter here. opened_at: ISO 8601. */
export type StoredAlert = { readonly id: string; readonly opened_at: string } & Readonly<
  Record<string, unknown>
>;

export type Store = {
  /**
   * Saves a model, which becomes the champion, with all that belongs to it: all or nothing. Models long out of use are forgotten. Returns
   * false, and saves nothing, where another one than it replaces has become the champion meanwhile.
   */
  saveModel(model: StoredModel, more?: WithModel): boolean;
  /** The bytes of a model's warm state; undefined where there is none, or they are not those that were saved. */
  warmState(model: string): Uint8Array | undefined;
  /** The model in use. Throws Fault badData when its bytes are not those that were saved. */
  champion(): StoredModel | undefined;
  /** All models, the one that ends last first. */
  listModels(): ModelEntry[];
  /** The model of that id, or the only one whose id begins so. Throws Fault usage when several do, badData as champion(). */
  getModel(idOrPrefix: string): StoredModel | undefined;
  /** Saves all or none; a record replaces the one of the same id. */
  saveAlerts(records: readonly StoredAlert[]): void;
  /** The alert of that id, or the only one whose id begins so. Throws Fault usage when several do. */
  getAlert(idOrPrefix: string): StoredAlert | undefined;
  /** The latest alerts, newest first. */
  listAlerts(limit: number): StoredAlert[];
  /** Alerts opened from one time to another, both included, in ms; by opening. */
  alertsBetween(from: number, to: number): StoredAlert[];
  /** What a daemon needs to go on where it was. */
  readonly live: LiveStore;
  /** Takes away what is older than it may be. now: the system's time in ms. */
  prune(keep: Retention, now: number): Pruned;
  /** What is to be told. */
  readonly outbox: Outbox;
  /** What the operator has said. */
  readonly rules: RulesStore;
  /** What the daily report asks. */
  readonly report: ReportStore;
  close(): void;
};

type ModelRow = { id: string; created_at: number; header: string; blob: Uint8Array; checksum: string };
type AlertRow = { id: string; record: string };

/** Opens the state in `dir`, made where missing. Throws Fault (see openDatabase). */
export function openStore(dir: string): Store {
  return storeOf(openDatabase(dir), databasePath(dir));
}

/** The queries over an open database; path: its name in messages. */
export function storeOf(db: Database, path: string): Store {
  const outbox = outboxOf(db, path);
  return {
    saveModel: (model, more) => guarded(path, () => saveModel(db, model, more)),
    warmState: (model) => guarded(path, () => warmState(db, model)),
    champion: () => guarded(path, () => champion(db, path)),
    listModels: () => guarded(path, () => listModels(db, path)),
    getModel: (id) => guarded(path, () => getModel(db, id, path)),
    saveAlerts: (records) => guarded(path, () => saveAlerts(db, records)),
    getAlert: (id) => guarded(path, () => getAlert(db, id, path)),
    listAlerts: (limit) => guarded(path, () => listAlerts(db, limit, path)),
    alertsBetween: (from, to) => guarded(path, () => alertsBetween(db, from, to, path)),
    live: liveStore(db, path, outbox),
    prune: (keep, now) => prune(db, path, keep, now),
    outbox,
    rules: rulesStore(db, path),
    report: reportStore(db, path),
    close: () => void db.close(),
  };
}

const digest = (blob: Uint8Array): string => createHash("sha256").update(blob).digest("hex");

function saveModel(db: Database, model: StoredModel, { replaces, warm, mark }: WithModel = {}): boolean {
  const clear = db.prepare("UPDATE models SET champion = 0 WHERE champion = 1");
  const insert = db.prepare(
    `INSERT OR REPLACE INTO models (id, created_at, header, blob, checksum, champion) VALUES (?, ?, ?, ?, ?, 1)`,
  );
  const inUse = db.prepare("SELECT id FROM models WHERE champion = 1");
  const save = db.transaction((): boolean => {
    if (replaces !== undefined && (inUse.get() as { id: string } | undefined)?.id !== replaces) return false;
    clear.run();
    const { id, createdAt, header, blob } = model;
    insert.run(id, createdAt, JSON.stringify(header), Buffer.from(blob), digest(blob));
    db.prepare("DELETE FROM warm_states").run(); // a watch begins with the model in use alone
    if (warm)
      db.prepare("INSERT INTO warm_states (model, blob, checksum) VALUES (?, ?, ?)").run(
        id,
        Buffer.from(warm),
        digest(warm),
      );
    db.prepare(
      `DELETE FROM models WHERE champion = 0 AND id NOT IN
         (SELECT id FROM models WHERE champion = 0 ORDER BY created_at DESC, id LIMIT ?)`,
    ).run(MAX_MODELS);
    if (mark)
      db.prepare("INSERT OR REPLACE INTO marks (name, value) VALUES (?, ?)").run(mark.name, mark.value);
    return true;
  });
  return save.immediate();
}

function warmState(db: Database, model: string): Uint8Array | undefined {
  const row = db.prepare("SELECT blob, checksum FROM warm_states WHERE model = ?").get(model) as
    | Pick<ModelRow, "blob" | "checksum">
    | undefined;
  return row !== undefined && digest(row.blob) === row.checksum ? new Uint8Array(row.blob) : undefined;
}

function alertsBetween(db: Database, from: number, to: number, path: string): StoredAlert[] {
  const rows = db
    .prepare(
      "SELECT id, record FROM alerts WHERE opened_at BETWEEN ? AND ? ORDER BY opened_at DESC, id LIMIT ?",
    )
    .all(from, to, MAX_ALERTS) as AlertRow[];
  return rows.reverse().map((row) => parsed(row.record, path, `alert ${row.id}`) as StoredAlert);
}

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

/** The id that was typed, whole or its beginning. rows: in order, more than one when several fit. */
function onlyId(
  rows: readonly { readonly id: string }[],
  typed: string,
  what: string,
  lister: string,
): string | undefined {
  const id = (rows.find((r) => r.id === typed) ?? rows[0])?.id;
  if (rows.length > 1 && id !== typed)
    throw new Fault(
      "usage",
      `several ${what} begin with "${typed}"`,
      rows.map((r) => r.id).join(", "),
      "nothing was shown",
      `type more of the id (${lister} lists them)`,
    );
  return id;
}

function saveAlerts(db: Database, records: readonly StoredAlert[]): void {
  const insert = db.prepare("INSERT OR REPLACE INTO alerts (id, opened_at, record) VALUES (?, ?, ?)");
  db.transaction(() => {
    for (const record of records) {
      const openedAt = Date.parse(record.opened_at);
      if (!Number.isFinite(openedAt)) throw new RangeError(`opened_at is no time: ${record.opened_at}`);
      insert.run(record.id, openedAt, JSON.stringify(record));
    }
  }).immediate();
}

/** JSON that this program saved. Throws Fault badData for anything but an object. */
function parsed(json: string, path: string, what: string): object {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // told below
  }
  throw new Fault(
    "badData",
    "the state database is damaged: a record in it is no JSON",
    `${path}, ${what}`,
    "it can't be read; nothing was changed",
    "move the file away and train again (logvane train FILE...), or put back a copy from a backup",
  );
}

function getAlert(db: Database, idOrPrefix: string, path: string): StoredAlert | undefined {
  if (idOrPrefix === "") return undefined;
  const rows = db
    .prepare("SELECT id, record FROM alerts WHERE substr(id, 1, length(@id)) = @id ORDER BY id LIMIT 3")
    .all({ id: idOrPrefix }) as AlertRow[];
  const id = onlyId(rows, idOrPrefix, "alerts", "logvane alerts");
  const row = rows.find((r) => r.id === id);
  if (row === undefined) return undefined;
  return parsed(row.record, path, `alert ${row.id}`) as StoredAlert;
}

function listAlerts(db: Database, limit: number, path: string): StoredAlert[] {
  const rows = db
    .prepare("SELECT id, record FROM alerts ORDER BY opened_at DESC, id LIMIT ?")
    .all(limit) as AlertRow[];
  return rows.map((row) => parsed(row.record, path, `alert ${row.id}`) as StoredAlert);
}
