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
];

/** The schema that this release reads and writes. */
export const SCHEMA_VERSION: number = STEPS.length;

/** The schema that the database holds; 0 for a new one. */
export function schemaVersion(db: Migratable): number {
  return Number(db.pragma("user_version", { simple: true }));
}

/** Brings an older or new database to this release's schema; the caller holds a write transaction. */
export function migrate(db: Migratable): void {
  for (let version = schemaVersion(db); version < SCHEMA_VERSION; version++) {
    db.exec(STEPS[version]!);
    db.pragma(`user_version = ${version + 1}`);
  }
}
