import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { LogConfig } from "../config/config.ts";
import { Fault } from "../fault.ts";
import { expandArguments, matchesGlob } from "../source/expand.ts";
import { readFault } from "../source/fault.ts";
import { JOURNAL } from "../source/journal.ts";
import type { Options } from "./options.ts";
import { settingsOf } from "./settings.ts";

const PACKED = /\.(gz|xz|bz2|zst)$/;
/** mail.log.1, mail.log-20261129, maillog.0, mail.log.old. */
const ROTATED = /(?:[-._]\d{1,14}(?:[-._]\d{1,6}){0,3}|\.old)$/;

/** The name that a log had before it was rotated. */
export const liveName = (name: string): string => name.replace(PACKED, "").replace(ROTATED, "");

/** A verb's FILE arguments; without any, what [log] names, with rotated copies. Throws Fault usage when that is nothing. */
export function filesOf(files: readonly string[], options: Options): readonly string[] {
  if (files.length > 0) return files;
  const config = settingsOf(options);
  const found = configuredFiles(config.log);
  if (found.length > 0) return found;
  throw new Fault(
    "usage",
    config.log.paths.length === 0 ? "no log was named" : "none of the logs of the configuration is there",
    config.log.paths.length === 0
      ? "command line, and log.paths of the configuration"
      : config.log.paths.join(", "),
    "nothing was done",
    "name the log files after the verb, or set log.paths (logvane init finds them)",
  );
}

/** All files of [log]: each path with its rotated copies, sorted; then the journal. */
export function configuredFiles(log: Pick<LogConfig, "paths" | "journal">): string[] {
  const files = new Set(log.paths.flatMap(withRotated));
  return log.journal ? [...files, JOURNAL] : [...files];
}

/** Files that a pattern matches, and rotated copies of such. Throws Fault when a folder may not be listed. */
export function withRotated(pattern: string): string[] {
  const name = basename(pattern);
  return foldersOf(pattern).flatMap((folder) =>
    namesIn(folder)
      .filter((n) => matchesGlob(n, name) || matchesGlob(liveName(n), name))
      .sort()
      .map((n) => join(folder, n)),
  );
}

function foldersOf(pattern: string): string[] {
  const folder = dirname(pattern);
  if (!/[*?[]/.test(folder)) return [folder];
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
