import { statSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { Fault } from "../fault.ts";
import { makeFile, secureFolder } from "./folder.ts";
import { migrate, SCHEMA_VERSION, schemaVersion } from "./migrations.ts";

export type Database = Sqlite.Database;

const FILE = "logvane.db";
/** How long a command waits for another that writes, in milliseconds. */
const BUSY_MS = 5000;
/** Of the database kept in memory, in KiB: the binding's 16 MiB would fill over months, this within a day; a state is read once or twice. */
const CACHE_KIB = 256;

export function databasePath(dir: string): string {
  return join(dir, FILE);
}

/** Whether the folder holds a database already. Throws Fault io when it is no folder or may not be entered. */
export function hasDatabase(dir: string): boolean {
  const path = databasePath(dir);
  return guarded(path, () => statSync(path, { throwIfNoEntry: false }) !== undefined);
}

/**
 * Opens the database of a state folder, both made where missing, in the schema of this release.
 * Throws Fault: io (folder or disk), badData (no database, or a damaged one), configuration (of a newer release, or a folder
 * that is not ours alone).
 */
export function openDatabase(dir: string): Database {
  guarded(dir, () => secureFolder(dir));
  const path = databasePath(dir);
  return guarded(path, () => {
    makeFile(dir, path); // SQLite gives its -wal and -shm the mode and owner of the file it finds
    const db = new Sqlite(path);
    try {
      prepare(db, path);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

function prepare(db: Database, path: string): void {
  db.pragma(`busy_timeout = ${BUSY_MS}`);
  const found = schemaVersion(db);
  if (found > SCHEMA_VERSION)
    throw new Fault(
      "configuration",
      `the state is of a newer Logvane (schema ${found}; this one knows ${SCHEMA_VERSION})`,
      path,
      "nothing was read or changed",
      "install the newer release again, or name another folder with --state",
    );
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = NORMAL");
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.pragma("foreign_keys = ON");
  // What only reads need not wait for one that writes.
  if (found < SCHEMA_VERSION) db.transaction(() => migrate(db)).immediate();
}

/**
 * Writes a whole copy of the state, as it is at one moment, to an empty file; others may write to the state meanwhile.
 * Throws a Fault about the state, and SQLite's error about the file.
 */
export function copyDatabase(dir: string, to: string): void {
  const db = openDatabase(dir);
  try {
    db.prepare("VACUUM INTO ?").run(to);
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (/^SQLITE_(FULL|CANTOPEN|READONLY|IOERR_(WRITE|FSYNC|TRUNCATE))/.test(code)) throw error;
    throw storeFault(error, databasePath(dir)) ?? error;
  } finally {
    db.close();
  }
}

/** Reads all pages of a database file that nobody else has open, and brings it to this release's schema. Throws Fault, and RangeError where it holds what it must not. */
export function soundDatabase(path: string): void {
  guarded(path, () => {
    const db = new Sqlite(path);
    try {
      const found = db.pragma("integrity_check(1)", { simple: true });
      if (found !== "ok") throw new RangeError(String(found));
      prepare(db, path);
      db.pragma("journal_mode = DELETE"); // one file again
    } finally {
      db.close();
    }
  });
}

/** Runs `swap` while nobody else has the state open, and with all of it in one file. A damaged one holds nobody up. Throws Fault temporary. */
export function withoutOthers(dir: string, swap: () => void): void {
  const path = databasePath(dir);
  guarded(path, () => {
    const db = new Sqlite(path);
    try {
      db.pragma(`busy_timeout = ${BUSY_MS}`);
      try {
        db.pragma("journal_mode = DELETE"); // refused while somebody else has it open
        db.exec("BEGIN EXCLUSIVE");
      } catch (error) {
        if (!/^SQLITE_(CORRUPT|NOTADB|IOERR)/.test(String((error as { code?: unknown }).code))) throw error;
      }
      swap();
    } finally {
      db.close();
    }
  });
}

const LOCK = "watch.lock";

/**
 * Takes the state folder for one process that watches; undefined when another one holds it. The lock is a transaction on a
 * file of its own, which the system ends with the process however that ends. Release it by close().
 */
export function lockFolder(dir: string): { close(): void } | undefined {
  guarded(dir, () => secureFolder(dir));
  const path = join(dir, LOCK);
  return guarded(path, () => {
    makeFile(dir, path);
    const db = new Sqlite(path);
    try {
      db.pragma("busy_timeout = 0");
      db.exec("BEGIN EXCLUSIVE");
      return { close: () => void db.close() };
    } catch (error) {
      db.close();
      if (String((error as { code?: unknown }).code).startsWith("SQLITE_BUSY")) return undefined;
      throw error;
    }
  });
}

/** The version of SQLite; throws when its binding does not load. */
export function sqliteVersion(): string {
  return guarded("better-sqlite3", () => {
    const db = new Sqlite(":memory:");
    try {
      return String((db.prepare("SELECT sqlite_version() AS v").get() as { v: string }).v);
    } finally {
      db.close();
    }
  });
}

/** Runs one access to the database; trouble that an operator can mend comes out as a Fault. */
export function guarded<T>(path: string, access: () => T): T {
  try {
    return access();
  } catch (error) {
    throw storeFault(error, path) ?? error;
  }
}

function storeFault(error: unknown, path: string): Fault | undefined {
  if (error instanceof Fault) return undefined;
  const code = String((error as { code?: unknown }).code ?? "");
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return damaged(path, code);
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)$/.test(code))
    return new Fault(
      "io",
      `the disk is full (${code})`,
      path,
      "nothing was saved; what the state held before is unharmed",
      "free some space (df -h shows where), then run the command again",
    );
  if (/^SQLITE_(BUSY|LOCKED)/.test(code))
    return new Fault(
      "temporary",
      `another command is writing to the state (${code})`,
      path,
      "nothing was saved",
      "wait for the other command to end, then run this one again",
    );
  if (
    /^(SQLITE_(CANTOPEN|READONLY|IOERR|PERM)|EACCES|EPERM|ENOTDIR|EEXIST|EISDIR|EROFS|EIO|ENOENT)/.test(code)
  )
    return new Fault(
      "io",
      `cannot use the state folder (${code})`,
      path,
      "nothing was read or saved",
      "name a folder that you may write to with --state DIR",
    );
  if (code === "ERR_DLOPEN_FAILED" || /bindings file/.test(String((error as Error).message)))
    return new Fault(
      "unavailable",
      `the SQLite binding does not load (${code || "not found"})`,
      "node_modules/better-sqlite3",
      "no state can be read or saved",
      "build it for this Node: npm rebuild better-sqlite3 (needs a C++ toolchain)",
    );
  return undefined;
}

function damaged(path: string, code: string): Fault {
  return new Fault(
    "badData",
    `the state database is damaged, or is none (${code})`,
    path,
    "nothing was read or changed",
    "move the file away and train again (logvane train FILE...), or name another folder with --state",
  );
}

/** Another process holds the folder's lock. effect: of what is refused. then: what to do once that one is stopped. */
export const watchedFault = (dir: string, effect: string, then: string): Fault =>
  new Fault(
    "temporary",
    "another logvane watches with this state",
    `state folder ${dir}`,
    effect,
    `stop it first (systemctl stop logvane), then ${then} and start it again`,
  );
