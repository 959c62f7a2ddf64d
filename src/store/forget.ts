import { createHash } from "node:crypto";
import { Fault } from "../fault.ts";
import { type Database, databasePath, guarded, openDatabase } from "./db.ts";
import type { Checkpoint } from "./live.ts";
import { parsed } from "./record.ts";
import type { StoredModel } from "./registry.ts";

/** Taking names out of all tables of the state, in one transaction, and its bytes out of the file. */

/** What is kept, as it stands without the name; undefined where nothing of it was there. */
export type Without = {
  text(text: string): string | undefined;
  /** Of JSON. */
  data(value: object): object | undefined;
  /** The model with an id of its own. */
  model(model: StoredModel): StoredModel | undefined;
  /** As to be saved with a model, which may have been changed before. Null for bytes that can't be read. */
  warm(model: string, bytes: Uint8Array): Uint8Array | null | undefined;
  checkpoint(checkpoint: Checkpoint): Checkpoint | null | undefined;
};

/** Rows that were changed. */
export type Forgotten = {
  alerts: number;
  notifications: number;
  templates: number;
  /** Feedback and entries of the calendar. */
  rules: number;
  /** By their ids of before. */
  models: { from: string; to: string }[];
  /** States in which a watch begins or goes on; dropped: those that could not be read. */
  warm: number;
  checkpoint: boolean;
  dropped: number;
  /** Stretches of the log that a watch takes in again, since it was not stopped in order. */
  inputs: number;
};

type Row<C extends string> = { readonly rowid: number } & Record<C, string>;

/** dry: changes nothing. The caller holds the folder. Throws a Fault. */
export function forgetIn(dir: string, without: Without, dry: boolean): Forgotten {
  const path = databasePath(dir);
  const db = openDatabase(dir);
  try {
    return guarded(path, () => {
      db.pragma("secure_delete = ON");
      const change = (): Forgotten => {
        const done = forgetAll(db, without, path);
        if (dry) throw new Dry(done);
        return done;
      };
      const done = db.transaction(change).immediate();
      pack(db, path);
      return done;
    });
  } catch (error) {
    if (error instanceof Dry) return error.done;
    throw error;
  } finally {
    db.close();
  }
}

/** Writes the file anew: it may still hold bytes of rows that were removed long ago. */
function pack(db: Database, path: string): void {
  let why = "somebody else has it open";
  try {
    db.exec("VACUUM");
    const [row] = db.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
    if (row?.busy === 0) return;
  } catch (error) {
    why = String((error as { code?: unknown }).code ?? (error as Error).message);
  }
  throw new Fault(
    "temporary",
    `the names are removed, but the file could not be written anew (${why})`,
    path,
    "bytes of what was removed may still be in it",
    "see that the disk has room for the state twice and nobody reads the state, then run the command again",
  );
}

/** Undoes the transaction of a trial. */
class Dry extends Error {
  readonly done: Forgotten;
  constructor(done: Forgotten) {
    super("tried only");
    this.done = done;
  }
}

function forgetAll(db: Database, without: Without, path: string): Forgotten {
  const texts = (table: string, column: string): number =>
    changed(db, table, column, (text) => without.text(text));
  const records = (table: string, column: string): number =>
    changed(db, table, column, (json, rowid) => {
      const value = without.data(parsed(json, path, `${table}, row ${rowid}`));
      return value && JSON.stringify(value);
    });
  const alerts = records("alerts", "record");
  const notifications = records("outbox", "payload") + texts("outbox", "error");
  const templates = texts("new_templates", "text");
  const rules = records("feedback", "about") + texts("feedback", "note") + records("calendar", "record");
  records("inputs", "record"); // rules once more
  texts("switches", "reason");
  texts("marks", "value");
  const models = forgetInModels(db, without, path);
  const warm = forgetInWarm(db, without);
  const checkpoint = forgetInCheckpoint(db, without);
  const { n } = db.prepare("SELECT count(*) AS n FROM inputs").get() as { n: number };
  return {
    ...{ alerts, notifications, templates, rules, models, inputs: n },
    ...{ warm: warm.changed, checkpoint: checkpoint.changed, dropped: warm.dropped + checkpoint.dropped },
  };
}

function changed(
  db: Database,
  table: string,
  column: string,
  without: (text: string, rowid: number) => string | undefined,
): number {
  const update = db.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`);
  const ids = db
    .prepare(`SELECT rowid AS rowid FROM ${table} WHERE ${column} IS NOT NULL`)
    .all() as Row<never>[];
  const select = db.prepare(`SELECT ${column} AS text FROM ${table} WHERE rowid = ?`);
  let n = 0;
  for (const { rowid } of ids) {
    const text = without((select.get(rowid) as { text: string }).text, rowid);
    if (text === undefined) continue;
    update.run(text, rowid);
    n++;
  }
  return n;
}

const digest = (blob: Uint8Array): string => createHash("sha256").update(blob).digest("hex");

/** A model is known by what it holds: without the name it is another one, which takes the place of the first wherever that is named. */
function forgetInModels(db: Database, without: Without, path: string): Forgotten["models"] {
  const ids = (db.prepare("SELECT id FROM models").all() as { id: string }[]).map(({ id }) => id);
  const done: { from: string; to: string }[] = [];
  for (const id of ids) {
    const row = db.prepare("SELECT created_at, header, blob FROM models WHERE id = ?").get(id) as {
      created_at: number;
      header: string;
      blob: Uint8Array;
    };
    const header = parsed(row.header, path, `model ${id}`);
    const next = without.model({ id, createdAt: row.created_at, header, blob: new Uint8Array(row.blob) });
    if (next === undefined) continue;
    db.pragma("defer_foreign_keys = ON"); // the warm state follows
    db.prepare("UPDATE models SET id = ?, header = ?, blob = ?, checksum = ? WHERE id = ?").run(
      ...[next.id, JSON.stringify(next.header), Buffer.from(next.blob), digest(next.blob), id],
    );
    for (const table of ["warm_states", "checkpoint", "alerts", "switches"])
      db.prepare(`UPDATE ${table} SET model = ? WHERE model = ?`).run(next.id, id);
    done.push({ from: id, to: next.id });
  }
  for (const at of ["$.parent", "$.retrained.parent"]) {
    const parent = db.prepare(
      "UPDATE models SET header = json_set(header, ?, ?) WHERE json_extract(header, ?) = ?",
    );
    for (const { from, to } of done) parent.run(at, to, at, from);
  }
  return done;
}

type Part = { readonly changed: number; readonly dropped: number };

function forgetInWarm(db: Database, without: Without): Part {
  const ids = (db.prepare("SELECT model FROM warm_states").all() as { model: string }[]).map((r) => r.model);
  const part = { changed: 0, dropped: 0 };
  for (const id of ids) {
    const { blob } = db.prepare("SELECT blob FROM warm_states WHERE model = ?").get(id) as {
      blob: Uint8Array;
    };
    const bytes = without.warm(id, new Uint8Array(blob));
    if (bytes === null) part.dropped += db.prepare("DELETE FROM warm_states WHERE model = ?").run(id).changes;
    if (!bytes) continue;
    db.prepare("UPDATE warm_states SET blob = ?, checksum = ? WHERE model = ?").run(
      ...[Buffer.from(bytes), digest(bytes), id],
    );
    part.changed++;
  }
  return part;
}

function forgetInCheckpoint(
  db: Database,
  without: Without,
): { readonly changed: boolean; readonly dropped: number } {
  const row = db.prepare("SELECT model, log_time AS logTime, blob FROM checkpoint").get() as
    | Checkpoint
    | undefined;
  const next = row && without.checkpoint({ ...row, blob: new Uint8Array(row.blob) });
  if (next === null) {
    db.prepare("DELETE FROM checkpoint").run();
    db.prepare("DELETE FROM inputs").run();
    return { changed: false, dropped: 1 };
  }
  if (next === undefined) return { changed: false, dropped: 0 };
  db.prepare("UPDATE checkpoint SET blob = ?, checksum = ?").run(Buffer.from(next.blob), digest(next.blob));
  return { changed: true, dropped: 0 };
}
