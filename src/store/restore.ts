import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { createGunzip } from "node:zlib";
import { Fault } from "../fault.ts";
import { BACKUP_FORMAT, type Manifest, sync } from "./backup.ts";
import {
  databasePath,
  guarded,
  hasDatabase,
  lockFolder,
  soundDatabase,
  watchedFault,
  withoutOthers,
} from "./db.ts";
import { makeFile } from "./folder.ts";
import { SCHEMA_VERSION } from "./migrations.ts";

/** Far above any real manifest. */
const MAX_MANIFEST = 4096;
const LF = 10;

/** kept: where the state that was there before is now. */
export type Restored = { readonly manifest: Manifest; readonly kept: string | undefined };

/**
 * Puts the state of a backup into `dir`. All of the file is read and checked before anything is replaced; a backup of an older
 * release is brought to this one's schema. force: also where there is a state, which is kept beside it. Throws a Fault.
 */
export async function restoreBackup(file: string, dir: string, force: boolean): Promise<Restored> {
  const lock = lockFolder(dir);
  if (lock === undefined) throw watchedFault(dir, UNCHANGED, "restore");
  const path = databasePath(dir);
  const next = `${path}.restoring`;
  try {
    if (hasDatabase(dir) && !force) throw occupied(path);
    rmSync(next, { force: true });
    guarded(next, () => makeFile(dir, next));
    const manifest = await unpack(file, next);
    check(file, next);
    const kept = guarded(path, () => replace(dir, next));
    return { manifest, kept };
  } finally {
    for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(`${next}${end}`, { force: true });
    lock.close();
  }
}

/** Reads the whole backup; its database goes to a file. */
async function unpack(file: string, to: string): Promise<Manifest> {
  const out = openSync(to, "r+");
  const hash = createHash("sha256");
  let manifest: Manifest | undefined;
  let bytes = 0;
  try {
    for await (const chunk of unpacked(file)) {
      if (manifest === undefined) {
        manifest = manifestOf(chunk.toString("utf8"), file);
        continue;
      }
      bytes += chunk.length;
      if (bytes > manifest.bytes) throw damaged(file, "it is longer than it says");
      hash.update(chunk);
      guarded(to, () => writeAll(out, chunk));
    }
    guarded(to, () => fsyncSync(out));
  } catch (error) {
    throw error instanceof Fault ? error : unpackFault(error, file, manifest !== undefined);
  } finally {
    closeSync(out);
  }
  if (manifest === undefined) throw noBackup(file);
  if (bytes !== manifest.bytes) throw damaged(file, "it is shorter than it says");
  if (hash.digest("hex") !== manifest.sha256) throw damaged(file, "its checksum does not match its bytes");
  return manifest;
}

/** The first line without its end, then what comes after it. Throws the system's errors and those of zlib. */
async function* unpacked(file: string): AsyncGenerator<Buffer> {
  // A FIFO would be waited for.
  if (!statSync(file).isFile()) throw Object.assign(new Error("not a file"), { code: "not a file" });
  const input = createReadStream(file);
  const gunzip = createGunzip();
  input.on("error", (error) => gunzip.destroy(error)).pipe(gunzip);
  let head: Buffer | undefined = Buffer.alloc(0);
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      if (head === undefined) {
        yield chunk;
        continue;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf(LF);
      if (end < 0 && head.length <= MAX_MANIFEST) continue;
      yield head.subarray(0, Math.max(0, end));
      yield head.subarray(end + 1);
      head = undefined;
    }
  } finally {
    input.destroy();
  }
}

function unpackFault(error: unknown, file: string, begun: boolean): Fault {
  const code = String((error as NodeJS.ErrnoException).code ?? (error as Error).message);
  if (code === "Z_BUF_ERROR") return damaged(file, "it ends in the middle");
  if (!code.startsWith("Z_")) return unread(file, code);
  return begun ? damaged(file, `it can't be unpacked (${code})`) : noBackup(file);
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

function manifestOf(line: string, file: string): Manifest {
  let found: Partial<Manifest>;
  try {
    found = (JSON.parse(line) ?? {}) as Partial<Manifest>;
  } catch {
    throw noBackup(file);
  }
  const { logvane, format, schema, bytes, sha256 } = found;
  if (logvane !== "backup" || typeof bytes !== "number" || typeof sha256 !== "string") throw noBackup(file);
  if (format !== BACKUP_FORMAT || typeof schema !== "number" || schema > SCHEMA_VERSION)
    throw new Fault(
      "configuration",
      `the backup is of a newer Logvane (format ${format}, schema ${schema}; this one knows ${BACKUP_FORMAT}, ${SCHEMA_VERSION})`,
      file,
      UNCHANGED,
      "install the release that wrote it, or a newer one",
    );
  return found as Manifest;
}

/** What has the right checksum may still have been taken of something damaged. */
function check(file: string, path: string): void {
  try {
    soundDatabase(path);
  } catch (error) {
    if (error instanceof RangeError) throw damaged(file, `SQLite says: ${error.message}`);
    if (error instanceof Fault && error.exit === "badData") throw damaged(file, error.message);
    throw error;
  }
}

/** Whoever opens the state sees the old one or the new one. Returns where the old one is. */
function replace(dir: string, next: string): string | undefined {
  const path = databasePath(dir);
  if (!hasDatabase(dir)) {
    renameSync(next, path);
    sync(dir);
    return undefined;
  }
  const kept = freeName(`${path}.before-restore`);
  withoutOthers(dir, () => {
    // Of a damaged database they stay; beside another one they would be taken for its own.
    for (const end of ["-wal", "-shm", "-journal"])
      if (existsSync(`${path}${end}`)) renameSync(`${path}${end}`, `${kept}${end}`);
    linkSync(path, kept);
    renameSync(next, path);
    sync(dir);
  });
  return kept;
}

/** Earlier states stay as well. */
function freeName(path: string): string {
  let name = path;
  for (let i = 2; existsSync(name); i++) name = `${path}${i}`;
  return name;
}

const UNCHANGED = "nothing was restored; the state is as it was";

const unread = (file: string, code: string): Fault =>
  new Fault(
    "noInput",
    `cannot read the backup (${code})`,
    file,
    UNCHANGED,
    "check the name after --restore and who may read the file",
  );

const noBackup = (file: string): Fault =>
  new Fault(
    "badData",
    "this is no backup of Logvane",
    file,
    UNCHANGED,
    "name a file that logvane export FILE has written",
  );

const damaged = (file: string, how: string): Fault =>
  new Fault(
    "badData",
    `the backup is damaged: ${how}`,
    file,
    UNCHANGED,
    "copy it again from where it was kept, or take an older one",
  );

const occupied = (path: string): Fault =>
  new Fault(
    "configuration",
    "there is a state already",
    path,
    UNCHANGED,
    "add --force, which keeps it beside the restored one, or name another folder with --state DIR",
  );
