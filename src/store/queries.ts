import { type Database, databasePath, guarded, openDatabase } from "./db.ts";
import { type LiveStore, liveStore } from "./live.ts";
import { type Outbox, outboxOf } from "./outbox.ts";
import { onlyId, parsed } from "./record.ts";
import { type Registry, registryOf } from "./registry.ts";
import { type ReportStore, reportStore } from "./report-queries.ts";
import { type Pruned, prune, type Retention } from "./retention.ts";
import { type RulesStore, rulesStore } from "./rules.ts";

/** Alerts that one question answers at most, the newest. */
const MAX_ALERTS = 10_000;

/** The alert record of the contract; only these two fields matter here. opened_at: ISO 8601. */
export type StoredAlert = { readonly id: string; readonly opened_at: string } & Readonly<
  Record<string, unknown>
>;

export type Store = Registry & {
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

type AlertRow = { id: string; record: string };

/** Opens the state in `dir`, made where missing. Throws Fault (see openDatabase). */
export function openStore(dir: string): Store {
  return storeOf(openDatabase(dir), databasePath(dir));
}

/** The queries over an open database; path: its name in messages. */
export function storeOf(db: Database, path: string): Store {
  const outbox = outboxOf(db, path);
  return {
    ...registryOf(db, path),
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

function alertsBetween(db: Database, from: number, to: number, path: string): StoredAlert[] {
  const rows = db
    .prepare(
      "SELECT id, record FROM alerts WHERE opened_at BETWEEN ? AND ? ORDER BY opened_at DESC, id LIMIT ?",
    )
    .all(from, to, MAX_ALERTS) as AlertRow[];
  return rows.reverse().map((row) => parsed(row.record, path, `alert ${row.id}`) as StoredAlert);
}

function saveAlerts(db: Database, records: readonly StoredAlert[]): void {
  const insert = db.prepare(
    `INSERT OR REPLACE INTO alerts (id, opened_at, record, model)
     VALUES (?, ?, ?, (SELECT id FROM models WHERE champion = 1))`,
  );
  db.transaction(() => {
    for (const record of records) {
      const openedAt = Date.parse(record.opened_at);
      if (!Number.isFinite(openedAt)) throw new RangeError(`opened_at is no time: ${record.opened_at}`);
      insert.run(record.id, openedAt, JSON.stringify(record));
    }
  }).immediate();
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
