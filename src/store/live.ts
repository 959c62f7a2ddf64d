import { createHash } from "node:crypto";
import type { Rules } from "../detect/rules.ts";
import { Fault } from "../fault.ts";
import { type Database, guarded } from "./db.ts";
import type { Outbox } from "./outbox.ts";
import type { StoredAlert } from "./queries.ts";

/**
 * What lets a daemon go on where it was. A checkpoint is the whole state of a detector at one moment; `inputs` is what was
 * taken in since, in order. The same inputs again on the checkpoint give the same state, so a crash loses nothing and counts
 * nothing twice: all effects of an input are committed with it.
 */

/**
 * Lines of one source, from one place to another (see source/follow.ts); log time that passed without a line, in ms; or what the operator
 * has said, all of it, from here on.
 */
export type Input =
  | { readonly source: string; readonly from: object; readonly to: object }
  | { readonly tick: number }
  | { readonly rules: Rules };

export type Checkpoint = {
  /** Id of the model that it belongs to. */
  readonly model: string;
  /** Milliseconds since the Unix epoch. */
  readonly logTime: number;
  readonly blob: Uint8Array;
};

/** What is counted for each local day. opened + held + suppressed + planned + joined + below_bar = all candidates. */
export const DAY_COUNTS = [
  "lines",
  "unknown",
  "bad_envelope",
  "lost",
  "opened",
  "held",
  "suppressed",
  "planned",
  "joined",
  "below_bar",
] as const;
export type DayCount = (typeof DAY_COUNTS)[number];
export type DayRecord = Readonly<Record<DayCount, number>>;

export type NewTemplate = {
  readonly id: string;
  readonly text: string;
  /** Log time in ms. */
  readonly firstAt: number;
  /** Lines since the last commit. */
  readonly lines: number;
};

/** Something to tell, see outbox.ts. */
export type Telling = {
  readonly key: string;
  readonly payload: object;
  readonly channels: readonly string[];
};

/** What one commit writes: all of it or nothing. */
export type Effects = {
  /** In order; those that the checkpoint does not hold. */
  readonly inputs: readonly Input[];
  readonly positions: ReadonlyMap<string, object>;
  /** Opened or changed. */
  readonly alerts: readonly StoredAlert[];
  /** Increments, by YYYY-MM-DD in the zone of the log. */
  readonly days: ReadonlyMap<string, Partial<DayRecord>>;
  /** Increments of `lines`. */
  readonly templates: readonly NewTemplate[];
  readonly notifications: readonly Telling[];
  /** Replaces the one before, and with it the inputs since. */
  readonly checkpoint?: Checkpoint | undefined;
  /** The system's time, in ms. */
  readonly now: number;
};

export type LiveStore = {
  /** The last checkpoint. Throws Fault badData when its bytes are not those that were saved. */
  checkpoint(): Checkpoint | undefined;
  /** What was taken in since the checkpoint. */
  inputs(): Input[];
  positions(): Map<string, object>;
  commit(effects: Effects): void;
  days(): Map<string, DayRecord>;
  /** Of one local day; undefined where nothing was read of it. */
  day(day: string): DayRecord | undefined;
};

/** New templates kept; beyond, the oldest are forgotten. */
const MAX_TEMPLATES = 5000;
/** Local days whose counts are kept. */
const MAX_DAYS = 800;

export function liveStore(db: Database, path: string, outbox: Outbox): LiveStore {
  return {
    checkpoint: () => guarded(path, () => readCheckpoint(db, path)),
    inputs: () =>
      guarded(path, () => records<Input>(db.prepare("SELECT record FROM inputs ORDER BY seq").all())),
    positions: () => guarded(path, () => readPositions(db)),
    commit: (effects) => guarded(path, () => commit(db, outbox, effects)),
    days: () => guarded(path, () => readDays(db)),
    day: (day) =>
      guarded(path, () => {
        const row = db.prepare("SELECT record FROM days WHERE day = ?").get(day) as Recorded | undefined;
        return row && (JSON.parse(row.record) as DayRecord);
      }),
  };
}

type Recorded = { readonly record: string };
const records = <T>(rows: readonly unknown[]): T[] =>
  rows.map((row) => JSON.parse((row as Recorded).record) as T);
const digest = (blob: Uint8Array): string => createHash("sha256").update(blob).digest("hex");

function readCheckpoint(db: Database, path: string): Checkpoint | undefined {
  const row = db.prepare("SELECT model, log_time, blob, checksum FROM checkpoint").get() as
    | { model: string; log_time: number; blob: Uint8Array; checksum: string }
    | undefined;
  if (row === undefined) return undefined;
  if (digest(row.blob) !== row.checksum)
    throw new Fault(
      "badData",
      "the checkpoint of the running detector is damaged: its checksum does not match its bytes",
      path,
      "watching can't go on where it was; alerts, positions and the model are not touched",
      "start once more with: logvane watch --cold (begins with empty windows)",
    );
  return { model: row.model, logTime: row.log_time, blob: new Uint8Array(row.blob) };
}

function readPositions(db: Database): Map<string, object> {
  const rows = db.prepare("SELECT source, record FROM positions").all() as (Recorded & { source: string })[];
  return new Map(rows.map((row) => [row.source, JSON.parse(row.record) as object]));
}

function readDays(db: Database): Map<string, DayRecord> {
  const rows = db.prepare("SELECT day, record FROM days ORDER BY day").all() as (Recorded & {
    day: string;
  })[];
  return new Map(rows.map((row) => [row.day, JSON.parse(row.record) as DayRecord]));
}

function commit(db: Database, outbox: Outbox, effects: Effects): void {
  // What is told must survive a power cut as well; the rest is read again from the logs.
  db.pragma(`synchronous = ${effects.notifications.length > 0 ? "FULL" : "NORMAL"}`);
  db.transaction(() => {
    if (effects.checkpoint) writeCheckpoint(db, effects.checkpoint);
    const input = db.prepare("INSERT INTO inputs (record) VALUES (?)");
    for (const one of effects.inputs) input.run(JSON.stringify(one));
    const position = db.prepare("INSERT OR REPLACE INTO positions (source, record) VALUES (?, ?)");
    for (const [source, at] of effects.positions) position.run(source, JSON.stringify(at));
    writeAlerts(db, effects.alerts);
    writeDays(db, effects.days);
    writeTemplates(db, effects.templates);
    for (const { key, payload, channels } of effects.notifications)
      outbox.enqueue(key, JSON.stringify(payload), channels, effects.now);
  }).immediate();
}

function writeCheckpoint(db: Database, { model, logTime, blob }: Checkpoint): void {
  db.prepare(
    "INSERT OR REPLACE INTO checkpoint (id, model, log_time, blob, checksum) VALUES (1, ?, ?, ?, ?)",
  ).run(model, Math.round(logTime), Buffer.from(blob), digest(blob));
  db.prepare("DELETE FROM inputs").run();
}

function writeAlerts(db: Database, alerts: readonly StoredAlert[]): void {
  // The model is that of the opening, and another one may have taken the incident over.
  const insert = db.prepare(
    `INSERT INTO alerts (id, opened_at, record, model) VALUES (?, ?, ?, (SELECT model FROM checkpoint))
     ON CONFLICT (id) DO UPDATE SET opened_at = excluded.opened_at, record = excluded.record`,
  );
  for (const alert of alerts) insert.run(alert.id, Date.parse(alert.opened_at), JSON.stringify(alert));
}

function writeDays(db: Database, days: Effects["days"]): void {
  if (days.size === 0) return;
  const select = db.prepare("SELECT record FROM days WHERE day = ?");
  const replace = db.prepare("INSERT OR REPLACE INTO days (day, record) VALUES (?, ?)");
  for (const [day, increments] of days) {
    const row = select.get(day) as Recorded | undefined;
    const before = (row === undefined ? {} : JSON.parse(row.record)) as Partial<DayRecord>;
    const sums = DAY_COUNTS.map((name) => [name, (before[name] ?? 0) + (increments[name] ?? 0)]);
    replace.run(day, JSON.stringify(Object.fromEntries(sums)));
  }
  db.prepare("DELETE FROM days WHERE day NOT IN (SELECT day FROM days ORDER BY day DESC LIMIT ?)").run(
    MAX_DAYS,
  );
}

function writeTemplates(db: Database, templates: readonly NewTemplate[]): void {
  if (templates.length === 0) return;
  const upsert = db.prepare(
    `INSERT INTO new_templates (id, text, first_at, lines) VALUES (@id, @text, @firstAt, @lines)
     ON CONFLICT (id) DO UPDATE SET lines = lines + excluded.lines`,
  );
  for (const one of templates) upsert.run(one);
  db.prepare(
    "DELETE FROM new_templates WHERE id NOT IN (SELECT id FROM new_templates ORDER BY first_at DESC LIMIT ?)",
  ).run(MAX_TEMPLATES);
}
