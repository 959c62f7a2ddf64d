import { type Database, databasePath, guarded, hasDatabase, openDatabase } from "./db.ts";
import type { DayCount } from "./live.ts";

/** What a monitor asks of the state. Times in milliseconds since the Unix epoch. */
export type Health = {
  /** When the daemon last said that it lives, and when it last took in a line: the marks watch.alive and watch.last_line. */
  readonly aliveAt: number | undefined;
  readonly lastLineAt: number | undefined;
  /** Lines lost on the last two days that have lines. */
  readonly lost: number;
  readonly waiting: number;
  /** When the first that waits came to wait. */
  readonly waitingSince: number | undefined;
  /** Given up since the time asked for. */
  readonly givenUp: number;
  /** Log time at which the training of the model in use ended. */
  readonly modelTo: number | undefined;
  /** Lines counted on the days that are kept. */
  readonly lines: number;
  /** Log time of the checkpoint that a watch would go on from. */
  readonly checkpointTo: number | undefined;
  /** Alerts of severity critical, not held, that opened since the time asked for and are not closed; newest first. */
  readonly critical: readonly { readonly id: string; readonly title: string }[];
};

/** Alerts that are named; the others are counted by the list's length up to here. */
const MAX_CRITICAL = 100;

/** Reads the health of the state in `dir`; undefined where there is none. since: of alerts and what was given up. Throws Fault. */
export function readHealth(dir: string, since: number): Health | undefined {
  if (!hasDatabase(dir)) return undefined;
  return withDatabase(dir, (db) => {
    const outbox = db
      .prepare("SELECT count(*) AS n, min(created_at) AS since FROM outbox WHERE state = 'waiting'")
      .get() as { n: number; since: number | null };
    const givenUp = db
      .prepare("SELECT count(*) AS n FROM outbox WHERE state = 'given_up' AND done_at >= ?")
      .get(since) as { n: number };
    const model = db.prepare("SELECT created_at FROM models WHERE champion = 1").get() as
      | { created_at: number }
      | undefined;
    const checkpoint = db.prepare("SELECT log_time AS at FROM checkpoint").get() as
      | { at: number }
      | undefined;
    return {
      aliveAt: markTime(db, "watch.alive"),
      lastLineAt: markTime(db, "watch.last_line"),
      lost: counted(db, "lost", 2),
      lines: counted(db, "lines", -1),
      checkpointTo: checkpoint?.at,
      waiting: outbox.n,
      waitingSince: outbox.since ?? undefined,
      givenUp: givenUp.n,
      modelTo: model?.created_at,
      critical: openCritical(db, since),
    };
  });
}

function withDatabase<T>(dir: string, use: (db: Database) => T): T {
  const db = openDatabase(dir);
  try {
    return guarded(databasePath(dir), () => use(db));
  } finally {
    db.close();
  }
}

/** A mark holds a time in ISO 8601. */
function markTime(db: Database, name: string): number | undefined {
  const row = db.prepare("SELECT value FROM marks WHERE name = ?").get(name) as { value: string } | undefined;
  const time = Date.parse(row?.value ?? "");
  return Number.isNaN(time) ? undefined : time;
}

/** The sum of one count over the last days that have lines; -1: over all. */
function counted(db: Database, what: DayCount, days: number): number {
  const row = db
    .prepare(
      "SELECT total(json_extract(record, ?)) AS n FROM (SELECT record FROM days ORDER BY day DESC LIMIT ?)",
    )
    .get(`$.${what}`, days) as { n: number };
  return row.n;
}

function openCritical(db: Database, since: number): Health["critical"] {
  return db
    .prepare(
      `SELECT id, coalesce(json_extract(record, '$.title'), '') AS title FROM alerts
       WHERE opened_at >= ? AND json_extract(record, '$.closed_at') IS NULL
         AND json_extract(record, '$.severity') = 'critical' AND coalesce(json_extract(record, '$.held'), 0) = 0
       ORDER BY opened_at DESC, id LIMIT ?`,
    )
    .all(since, MAX_CRITICAL) as { id: string; title: string }[];
}
