import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "../../fault.ts";
import { HEADER, type PlannedFile } from "./units.ts";

/** Files of an installation: written whole or not at all, and never in the place of somebody else's. */

/** ours: begins with our header; foreign: there, but not ours. */
export type FileState = "missing" | "ours" | "foreign";

export function stateOf(root: string, path: string): FileState {
  try {
    return readFileSync(join(root, path), "utf8").startsWith(HEADER) ? "ours" : "foreign";
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return "missing";
    throw fileFault(error, path, "read", "nothing was changed");
  }
}

/** Whether a file is there with just this content. */
export const isCurrent = (root: string, file: PlannedFile): boolean =>
  existsSync(join(root, file.path)) && readFileSync(join(root, file.path), "utf8") === file.content;

/** Writes all files, after a look that none of them is somebody else's. Throws Fault configuration or io. */
export function installFiles(root: string, files: readonly PlannedFile[]): void {
  for (const { path } of files)
    if (stateOf(root, path) === "foreign")
      throw new Fault(
        "configuration",
        "there is such a file already, and Logvane did not write it",
        path,
        "nothing was changed",
        "look at the file; move it away if nothing needs it, then run the command again",
      );
  for (const { path, content } of files) writeWhole(join(root, path), content, 0o644, path);
}

/** Takes a file away if it is ours. Whether it was. */
export function removeFile(root: string, path: string): boolean {
  if (stateOf(root, path) !== "ours") return false;
  try {
    rmSync(join(root, path));
    return true;
  } catch (error) {
    throw fileFault(error, path, "remove", "what was removed before stays so");
  }
}

/** Writes a file beside its place and moves it there. name: for the message. Throws Fault io. */
export function writeWhole(path: string, content: string, mode: number, name: string = path): void {
  const beside = `${path}.logvane-${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    const fd = openSync(beside, "w", mode);
    try {
      writeSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    chmodSync(beside, mode);
    renameSync(beside, path);
  } catch (error) {
    discard(beside);
    throw fileFault(error, name, "write", "the file is as it was before");
  }
}

/** The trouble that stopped the writing is told, not that of cleaning up after it. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // it was never made
  }
}

function fileFault(error: unknown, path: string, act: string, effect: string): Fault {
  const { code } = error as NodeJS.ErrnoException;
  const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
  return new Fault(
    "io",
    `cannot ${act} the file (${code ?? "unknown"})`,
    path,
    effect,
    denied
      ? "run the command as root (sudo), or with --user for your own account"
      : "check the folder and the disk, then run it again",
  );
}
