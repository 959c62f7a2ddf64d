import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { Fault } from "../fault.ts";
import { copyDatabase, hasDatabase } from "./db.ts";
import { SCHEMA_VERSION } from "./migrations.ts";

/**
 * A backup is one gzip file: a line of JSON (the manifest), then the database as SQLite has it in one file. So `zcat` shows
 * what it is, and `zcat FILE | tail -n +2` is the database.
 */
export type Manifest = {
  readonly logvane: "backup";
  readonly format: number;
  readonly release: string;
  readonly schema: number;
  /** The system's time, ISO 8601. */
  readonly created: string;
  /** Of the database. */
  readonly bytes: number;
  readonly sha256: string;
};

/** Raised when a backup is laid out otherwise. */
export const BACKUP_FORMAT = 1;
const FILE_MODE = 0o600;

/**
 * Writes a backup of the state in `dir`: the file is whole, or what was there before. Others may write to the state meanwhile.
 * release: of Logvane; now: the system's time in ms. Throws a Fault.
 */
export async function writeBackup(
  dir: string,
  file: string,
  { release, now }: { readonly release: string; readonly now: number },
): Promise<Manifest> {
  if (!hasDatabase(dir)) throw noState(dir);
  const copy = `${file}.${process.pid}.db`;
  const next = `${file}.${process.pid}.new`;
  try {
    closeSync(openSync(copy, "wx", FILE_MODE));
    copyDatabase(dir, copy);
    const created = new Date(now).toISOString();
    const manifest: Manifest = {
      ...{ logvane: "backup", format: BACKUP_FORMAT, release, schema: SCHEMA_VERSION, created },
      ...(await digestOf(copy)),
    };
    await pipeline(
      Readable.from(contents(manifest, copy)),
      createGzip(),
      createWriteStream(next, { flags: "wx", mode: FILE_MODE }),
    );
    sync(next);
    renameSync(next, file);
    sync(dirname(file));
    return manifest;
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw unwritten(error, file);
  } finally {
    for (const path of [copy, next]) rmSync(path, { force: true });
  }
}

async function* contents(manifest: Manifest, copy: string): AsyncGenerator<Buffer> {
  yield Buffer.from(`${JSON.stringify(manifest)}\n`, "utf8");
  for await (const chunk of createReadStream(copy)) yield chunk as Buffer;
}

async function digestOf(path: string): Promise<Pick<Manifest, "bytes" | "sha256">> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Has the system write a file, or the names in a folder, to the disk itself. */
export function sync(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const noState = (dir: string): Fault =>
  new Fault(
    "noInput",
    "there is no state to export",
    `state folder ${dir}`,
    "nothing was written",
    "name the folder of the service with --state DIR (logvane schedule show tells it), or run as its user",
  );

const unwritten = (error: unknown, file: string): Fault =>
  new Fault(
    "io",
    `cannot write the backup (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`,
    file,
    "what the file held before is unharmed, and the state is",
    "name a file in a folder that exists, that you may write to, and that has room for the state twice",
  );
