import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  type Stats,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { Fault } from "../fault.ts";

/**
 * Who may use a state folder, and what may lie in it. It holds lines of the log, and what is to be sent to whom: who can write
 * it could have anything told, or have us overwrite a file of ours elsewhere.
 */

/** The state names hosts and accounts: only its owner reads it. */
const DIR_MODE = 0o700;
const FILE_MODE = 0o600;
const OTHERS_WRITE = 0o022;
const OTHERS = 0o077;
/** Accounts of services have lower numbers (SYS_UID_MAX of login.defs(5)). */
const FIRST_LOGIN_UID = 1000;

/** What is opened there by name; listeners have a folder of their own below. */
const FILES = [
  "logvane.db",
  "logvane.db-wal",
  "logvane.db-shm",
  "logvane.db-journal",
  "reserve",
  "watch.lock",
  "link.key",
];

let tell: (notice: string) => void = () => undefined;

/** Where notices about state folders go: one line without its end. */
export function tellOfFolders(to: (notice: string) => void): void {
  tell = to;
}

/**
 * Makes the folder where it is missing, and looks at it and at the files in it where it is not; what others may read is closed
 * to them. Throws a Fault configuration when the folder isn't ours alone or a file of it is none, and the system's error.
 */
export function secureFolder(dir: string): void {
  const link = lstatSync(dir, { throwIfNoEntry: false });
  if (link === undefined) {
    mkdirSync(dir, { recursive: true, mode: DIR_MODE });
    chmodSync(dir, DIR_MODE);
    return;
  }
  const folder = statSync(dir);
  if (!folder.isDirectory()) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
  checkOwner(dir, link);
  checkOwner(dir, folder);
  if ((folder.mode & OTHERS_WRITE) !== 0) throw writable(dir, folder);
  tighten(dir, folder, DIR_MODE);
  for (const name of FILES) {
    const path = join(dir, name);
    const file = lstatSync(path, { throwIfNoEntry: false });
    if (file === undefined) continue;
    if (!file.isFile()) throw noFile(path, file);
    tighten(path, file, FILE_MODE);
  }
}

/** Makes an empty file of the folder where it is missing; root leaves it to the folder's owner. Throws the system's error. */
export function makeFile(dir: string, path: string): void {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  try {
    closeSync(openSync(path, O_WRONLY | O_CREAT | O_EXCL, FILE_MODE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw error;
  }
  const { uid, gid } = statSync(dir);
  if (process.getuid?.() === 0 && uid !== 0) chownSync(path, uid, gid);
}

/** Bytes of all files in a state folder. Throws the system's error. */
export function folderBytes(dir: string): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { recursive: true, encoding: "utf8" }))
    bytes += statSync(join(dir, entry), { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}

/**
 * Ours are our own folders. Root uses those of services too, since `logvane alerts` of an administrator asks the service's
 * state; of a folder of a person it could be led anywhere.
 */
function checkOwner(dir: string, { uid }: Stats): void {
  const me = process.getuid?.();
  if (me === undefined || uid === me) return;
  if (me === 0 && uid < FIRST_LOGIN_UID) return;
  if (uid === 0 && lstatSync(dir).isSymbolicLink()) return; // root may lead us; where to is looked at, too
  throw new Fault(
    "configuration",
    `the state folder belongs to another user (${uid}; this is ${me})`,
    dir,
    "nothing was read or changed",
    `run it as that user (sudo -u '#${uid}' logvane ...), or name a folder of your own with --state DIR`,
  );
}

function tighten(path: string, { mode, uid }: Stats, to: number): void {
  if ((mode & OTHERS) === 0) return;
  const me = process.getuid?.();
  if (me === undefined || (me !== 0 && me !== uid)) return;
  chmodSync(path, mode & 0o700 & to);
  tell(`${path} could be read by others (mode ${octal(mode)}); it is closed to them now`);
}

function writable(dir: string, { mode }: Stats): Fault {
  return new Fault(
    "configuration",
    `others may write to the state folder (mode ${octal(mode)})`,
    dir,
    "nothing was read or changed: what lies in it may be of somebody else",
    `look through it (ls -la ${dir}), then: chmod go-w ${dir}`,
  );
}

function noFile(path: string, file: Stats): Fault {
  return new Fault(
    "configuration",
    `there is ${kindOf(file)} where a file of the state belongs`,
    path,
    "nothing was read or changed",
    "find out who put it there, and move it away; a state elsewhere is named by --state DIR, not by links to its files",
  );
}

function kindOf(file: Stats): string {
  if (file.isSymbolicLink()) return "a symbolic link";
  if (file.isDirectory()) return "a folder";
  if (file.isFIFO()) return "a FIFO";
  return file.isSocket() ? "a socket" : "a device";
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, "0");
