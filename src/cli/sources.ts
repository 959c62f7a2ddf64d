import type { LogConfig } from "../config/config.ts";
import { Fault } from "../fault.ts";
import { JOURNAL } from "../source/journal.ts";
import { rotationsOf } from "../source/log-files.ts";
import type { Options } from "./options.ts";
import { settingsOf } from "./settings.ts";

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

/** All files of [log]: each log with its rotated copies, sorted; then the journal. */
export function configuredFiles(log: Pick<LogConfig, "paths" | "journal">): string[] {
  const files = rotationsOf(log.paths).flat();
  return log.journal ? [...files, JOURNAL] : files;
}
