import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { gunzipSync, gzipSync } from "node:zlib";
import Sqlite from "better-sqlite3";
import { databasePath } from "../../src/store/db.ts";

const FOLDER = "test/releases";

/** Of which states are stored: scripts/release-state.mjs makes them. */
export const RELEASES: readonly string[] = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

export type Row = Readonly<Record<string, unknown>>;
export type Tables = ReadonlyMap<string, readonly Row[]>;

/** All that a database holds, by table. */
export function tablesOf(path: string): Tables {
  const db = new Sqlite(path, { readonly: true });
  const names = db.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
  );
  const out = (names.all() as { name: string }[]).map(
    ({ name }) => [name, db.prepare(`SELECT * FROM ${name}`).all() as Row[]] as const,
  );
  db.close();
  return new Map(out);
}

/** What a release left behind, and a copy of it in a folder of our own. */
export class Left {
  readonly dir: string;
  readonly backup: string;
  /** Lines of the log that is watched, and how many of them that release has read. */
  readonly lines: readonly string[];
  readonly read: number;
  /** The folder in which it watched. */
  readonly #folder: string;
  readonly #from: string;

  constructor(release: string, dir: string) {
    this.dir = dir;
    this.#from = join(FOLDER, release);
    this.backup = join(this.#from, "backup.gz");
    const made = JSON.parse(readFileSync(join(this.#from, "made.json"), "utf8")) as {
      folder: string;
      read: number;
    };
    this.#folder = made.folder;
    this.read = made.read;
    this.lines = this.#text("mail.log.gz").split(/(?<=\n)/);
    mkdirSync(join(dir, "later"));
    const settings = readFileSync(join(this.#from, "logvane.toml"), "utf8").replaceAll(this.#folder, dir);
    writeFileSync(this.path("logvane.toml"), settings, { mode: 0o600 });
    writeFileSync(this.path("past.log"), this.#text("past.log.gz"));
    this.write(this.read);
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** Flags for a state below the folder. */
  at(state: string): string[] {
    return ["--config", this.path("logvane.toml"), "--state", this.path(state)];
  }

  /** The log as it is when it holds so many lines. */
  write(lines: number): void {
    writeFileSync(this.path("mail.log"), this.lines.slice(0, lines).join(""));
  }

  /** The state as it was left, but for the folder's name. */
  state(name: string): void {
    const bytes = gunzipSync(readFileSync(this.backup));
    mkdirSync(this.path(name), { mode: 0o700 });
    const path = databasePath(this.path(name));
    writeFileSync(path, bytes.subarray(bytes.indexOf("\n") + 1), { mode: 0o600 });
    const db = new Sqlite(path);
    db.prepare("UPDATE positions SET source = replace(source, ?, ?)").run(this.#folder, this.dir);
    db.prepare("UPDATE inputs SET record = replace(record, ?, ?)").run(this.#folder, this.dir);
    db.close();
  }

  #text(name: string): string {
    return gunzipSync(readFileSync(join(this.#from, name))).toString("utf8");
  }
}

/** Makes a state's checkpoint one that other releases would have written. change: gets what was saved. */
export function changeCheckpoint(
  state: string,
  change: (saved: { version: number; detector: { version: number } }) => void,
): void {
  const db = new Sqlite(databasePath(state));
  const { blob } = db.prepare("SELECT blob FROM checkpoint").get() as { blob: Buffer };
  const saved = deserialize(gunzipSync(blob)) as { version: number; detector: { version: number } };
  change(saved);
  const packed = gzipSync(serialize(saved));
  db.prepare("UPDATE checkpoint SET blob = ?, checksum = ?").run(
    packed,
    createHash("sha256").update(packed).digest("hex"),
  );
  db.close();
}
