import { basename, dirname, join } from "node:path";
import type { Disk } from "./disk.ts";
import { matchesGlob } from "./expand.ts";
import { isRotated } from "./rotated.ts";

/** Files that patterns can bring at most. */
const MAX_FILES = 1000;

const WILD = /[*?[]/;

/** Whether a path of the settings is a pattern. */
export const isPattern = (path: string): boolean => WILD.test(path);

/** Whether a pattern can name a path. */
export function namesPath(pattern: string, path: string): boolean {
  const parts = pattern.split("/");
  const names = path.split("/");
  return parts.length === names.length && parts.every((part, i) => matchesGlob(names[i]!, part));
}

/**
 * The files that a pattern names now, rotated ones left out, sorted. known: paths that are followed; one of them may be between
 * two names right now, and what was rotated away from it is none the less no file of its own. A folder that isn't there holds none. Throws the system's
 * error for one that may not be read.
 */
export async function matching(disk: Disk, pattern: string, known: ReadonlySet<string>): Promise<string[]> {
  let folders = [pattern.startsWith("/") ? "/" : "."];
  const parts = pattern.split("/").filter((part) => part !== "");
  const last = parts.pop()!;
  for (const part of parts) {
    const next: string[] = [];
    for (const folder of folders) {
      if (!WILD.test(part)) next.push(join(folder, part));
      else
        for (const name of await namesIn(disk, folder))
          if (matchesGlob(name, part)) next.push(join(folder, name));
    }
    folders = next.slice(0, MAX_FILES);
  }
  const out: string[] = [];
  for (const folder of folders) {
    const names = (await namesIn(disk, folder)).filter((name) => matchesGlob(name, last));
    const bases = new Set(names);
    for (const path of known) if (dirname(path) === folder) bases.add(basename(path));
    for (const name of names) if (!isRotated(name, bases)) out.push(join(folder, name));
  }
  return out.sort().slice(0, MAX_FILES);
}

async function namesIn(disk: Disk, folder: string): Promise<string[]> {
  try {
    return await disk.list(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}
