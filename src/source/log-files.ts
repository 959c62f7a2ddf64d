import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Fault } from "../fault.ts";
import { expandArguments, matchesGlob } from "./expand.ts";
import { readFault } from "./fault.ts";
import { isPattern } from "./paths.ts";
import { isRotated, rotatedOf } from "./rotated.ts";

/**
 * The logs that paths or patterns of the settings name, each with all its rotated copies, sorted by name. A log of which
 * copies alone are there, since it was just rotated, counts. Throws a Fault for a folder that may not be listed.
 */
export function rotationsOf(patterns: readonly string[]): string[][] {
  const logs = new Map<string, string[]>();
  for (const pattern of patterns)
    for (const folder of foldersOf(pattern)) {
      const names = namesIn(folder);
      for (const base of basesOf(basename(pattern), names)) {
        const copies = names.filter((name) => name === base || rotatedOf(base, name) !== undefined);
        if (copies.length > 0)
          logs.set(
            join(folder, base),
            copies.sort().map((name) => join(folder, name)),
          );
      }
    }
  return [...logs.values()];
}

/** The names without rotation that a name or pattern stands for. */
function basesOf(pattern: string, names: readonly string[]): string[] {
  if (!isPattern(pattern)) return [pattern];
  const all = new Set(names);
  return names.filter((name) => matchesGlob(name, pattern) && !isRotated(name, all));
}

function foldersOf(pattern: string): string[] {
  const folder = dirname(pattern);
  if (!isPattern(folder)) return [folder];
  try {
    return [...new Set(expandArguments([pattern]).map(({ path }) => dirname(path)))];
  } catch (error) {
    if (error instanceof Fault && error.exit === "noInput") return [];
    throw error;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw readFault(error, folder);
  }
}
