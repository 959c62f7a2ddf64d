/** What a migration needs of a database. */
export type Migratable = {
  exec(sql: string): unknown;
  pragma(source: string, options?: { simple?: boolean }): unknown;
};

/** Step i takes the schema from version i to i + 1. Steps are only ever added; a released one never changes. */
const STEPS: readonly string[] = [
  `CREATE TABLE models (
     id TEXT PRIMARY KEY,
     created_at INTEGER NOT NULL,            -- log time, milliseconds since the Unix epoch
     header TEXT NOT NULL,                   -- JSON
     blob BLOB NOT NULL,
     checksum TEXT NOT NULL,                 -- SHA-256 of blob, hexadecimal
     champion INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE UNIQUE INDEX one_champion ON models (champion) WHERE champion = 1;
   CREATE TABLE alerts (
     id TEXT PRIMARY KEY,
     opened_at INTEGER NOT NULL,             -- log time, milliseconds since the Unix epoch
     record TEXT NOT NULL                    -- the alert record of the contract, JSON
   ) STRICT;
   CREATE INDEX alerts_by_time ON alerts (opened_at, id);`,
  // What a daemon needs to go on where it was: a checkpoint, what was read since, and what is still to be sent.
  `CREATE TABLE checkpoint (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     model TEXT NOT NULL,                    -- id of the model that it belongs to
     log_time INTEGER NOT NULL,              -- milliseconds since the Unix epoch
     blob BLOB NOT NULL,
     checksum TEXT NOT NULL                  -- SHA-256 of blob, hexadecimal
   ) STRICT;
   CREATE TABLE inputs (                     -- what was taken in since the checkpoint, in order
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     record TEXT NOT NULL                    -- JSON
   ) STRICT;
   CREATE TABLE positions (                  -- how far each source was read
     source TEXT PRIMARY KEY,
     record TEXT NOT NULL                    -- JSON
   ) STRICT;
   CREATE TABLE counters (
     name TEXT PRIMARY KEY,
     value INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE days (
     day TEXT PRIMARY KEY,                   -- YYYY-MM-DD, in the zone of the log
     record TEXT NOT NULL                    -- JSON
   ) STRICT;
   CREATE TABLE figures (                    -- mail figures of whole days, for usual ranges and charts
     day TEXT PRIMARY KEY,                   -- YYYY-MM-DD, in the zone of the log
     totals TEXT NOT NULL                    -- JSON
   ) STRICT;
   CREATE TABLE new_templates (              -- shapes of lines that training did not know
     id TEXT PRIMARY KEY,
     text TEXT NOT NULL,
     first_at INTEGER NOT NULL,              -- log time, milliseconds since the Unix epoch
     lines INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX new_templates_by_time ON new_templates (first_at);
   CREATE TABLE outbox (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     key TEXT NOT NULL UNIQUE,               -- what is told and where: told once
     channel TEXT NOT NULL,
     created_at INTEGER NOT NULL,            -- the system's time, milliseconds since the Unix epoch
     payload TEXT NOT NULL,                  -- JSON; {} once it no longer waits
     state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'given_up', 'digested')),
     attempts INTEGER NOT NULL DEFAULT 0,
     next_at INTEGER NOT NULL,               -- not before this time of the system
     done_at INTEGER,
     error TEXT,                             -- of the last attempt
     reached TEXT                            -- recipients that have it while others are tried again, JSON
   ) STRICT;
   CREATE INDEX outbox_waiting ON outbox (channel, id) WHERE state = 'waiting';
   CREATE TABLE warm_states (                -- where a watch with a model may begin: the end of its training
     model TEXT PRIMARY KEY REFERENCES models (id) ON DELETE CASCADE,
     blob BLOB NOT NULL,
     checksum TEXT NOT NULL                  -- SHA-256 of blob, hexadecimal
   ) STRICT;
   CREATE TABLE marks (                      -- when something that recurs was last done
     name TEXT PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT;`,
  // Which model came into use when, and why; and which one an alert is of.
  `CREATE TABLE switches (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,                    -- the system's time, milliseconds since the Unix epoch
     model TEXT NOT NULL,                    -- in use from then on; it may have been removed since
     how TEXT NOT NULL CHECK (how IN ('train', 'retrain', 'promote', 'rollback')),
     reason TEXT NOT NULL
   ) STRICT;
   INSERT INTO switches (at, model, how, reason)
     SELECT created_at, id, 'train', 'in use before switches were written down' FROM models WHERE champion = 1;
   ALTER TABLE alerts ADD COLUMN model TEXT;  -- that was in use when it opened`,
  // What the operator says: what is harmless, what was an incident, what is planned.
  `CREATE TABLE feedback (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     alert TEXT NOT NULL,                    -- its id; the alert itself may be gone
     verdict TEXT NOT NULL CHECK (verdict IN ('benign', 'incident', 'snooze')),
     scope TEXT NOT NULL CHECK (scope IN ('this', 'entity', 'template', 'all')),
     said_at INTEGER NOT NULL,               -- log time, milliseconds since the Unix epoch
     until INTEGER,                          -- likewise; null for good
     note TEXT NOT NULL,
     about TEXT NOT NULL,                    -- what is remembered of the alert, JSON
     created_at INTEGER NOT NULL,            -- the system's time, milliseconds since the Unix epoch
     revoked_at INTEGER                      -- likewise
   ) STRICT;
   CREATE TABLE calendar (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     record TEXT NOT NULL                    -- JSON
   ) STRICT;
   CREATE TABLE used_links (                 -- links of mails that were followed: each acts once
     token TEXT PRIMARY KEY,
     expires INTEGER NOT NULL                -- the system's time, milliseconds since the Unix epoch
   ) STRICT;`,
];

/** The schema that this release reads and writes. */
export const SCHEMA_VERSION: number = STEPS.length;

/** The schema that the database holds; 0 for a new one. */
export function schemaVersion(db: Migratable): number {
  return Number(db.pragma("user_version", { simple: true }));
}

/** Brings an older or new database to this release's schema, or an earlier one; the caller holds a write transaction. */
export function migrate(db: Migratable, to: number = SCHEMA_VERSION): void {
  for (let version = schemaVersion(db); version < to; version++) {
    db.exec(STEPS[version]!);
    db.pragma(`user_version = ${version + 1}`);
  }
}
