import { absolutePath } from "./forms.ts";
import type { TableReader } from "./reader.ts";

/** What the settings depend on beside their file. */
export type Facts = {
  /** The system's host name and zone, for the defaults. */
  readonly hostName: string;
  readonly timezone: string;
  /** Permission bits of a file; "missing", or "unknown" when it can't be told. */
  readonly modeOf: (path: string) => number | "missing" | "unknown";
};

/** Any access of others, or writing by the group. Reading by the group is how a service's user gets at root's file. */
const TOO_OPEN = 0o027;

/** A file that holds a secret: a whole path, there, and closed to others. Its content is not read here. */
export function secretFile(reader: TableReader, key: string, facts: Facts): string | undefined {
  const path = reader.read(key, absolutePath);
  if (path === undefined) return undefined;
  const mode = facts.modeOf(path);
  if (mode === "missing")
    reader.complainOf(key, "there is no such file", "a file of mode 0600 that holds the secret alone");
  else if (mode !== "unknown" && (mode & TOO_OPEN) !== 0)
    reader.complainOf(
      key,
      `others can get at the file (mode ${mode.toString(8).padStart(4, "0")})`,
      `a file of its owner alone: chmod 0600 ${path}`,
    );
  return path;
}
