import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../fault.ts";
import { readFault } from "./fault.ts";
import { JOURNAL } from "./journal.ts";

/** A file to read. `path` is "-" for standard input, `journal:` and what follows it for a journal, else as the user named it or joined to the folder that was named. */
export type Named = {
  readonly path: string;
  /** Named itself, not found by a glob or in a folder: it being empty is then worth a message. */
  readonly explicit: boolean;
};

/**
 * What counts as a mail log in a folder, best first. The first group with a match is taken alone, since the later ones
 * mostly repeat it: Debian writes each mail line into mail.log, mail.info and syslog.
 */
const LOG_NAMES: readonly (readonly string[])[] = [
  ["mail.log*", "maillog*", "mail", "mail-[0-9]*"],
  ["mail.*"],
  ["syslog*", "messages*"],
  ["*.log*"],
];
/** Ends of names beside logs that are none: reading positions, checksums, editor copies. */
const NO_LOG = /\.(offset|pos|sha256|md5|asc|sig|swp|bak|json|html)$|~$/;

/**
 * The files that arguments name: "-" for standard input, `journal:`, files, globs (* ? [...] in any part of the path) and folders.
 * Sorted within a glob or folder. Throws a Fault for what doesn't exist or can't be read.
 */
export function expandArguments(args: readonly string[]): Named[] {
  const out: Named[] = [];
  for (const arg of args) {
    if (arg === "-" || arg.startsWith(JOURNAL)) out.push({ path: arg, explicit: true });
    else if (!exists(arg) && /[*?[]/.test(arg)) out.push(...globbed(arg));
    else if (statOf(arg).isDirectory()) out.push(...logsIn(arg));
    else out.push({ path: arg, explicit: true });
  }
  return out;
}

/** A path under a folder that may not be entered is not known to exist; statOf says why. */
const exists = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
};

function statOf(path: string): ReturnType<typeof statSync> & object {
  try {
    return statSync(path);
  } catch (error) {
    throw readFault(error, path);
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw readFault(error, folder);
  }
}

function globbed(pattern: string): Named[] {
  const paths = glob(pattern);
  const out = paths.flatMap((path) => (statOf(path).isDirectory() ? [] : [{ path, explicit: false }]));
  if (out.length > 0) return out;
  throw new Fault(
    "noInput",
    `no file matches ${pattern}`,
    "the FILE argument",
    "nothing was read",
    "check the path, and whether the folder can be listed by this user",
  );
}

function logsIn(folder: string): Named[] {
  const names = entriesOf(folder).filter((name) => !NO_LOG.test(name) && isFile(join(folder, name)));
  for (const group of LOG_NAMES) {
    const found = names.filter((name) => group.some((pattern) => matchesGlob(name, pattern)));
    if (found.length > 0) return found.map((name) => ({ path: join(folder, name), explicit: false }));
  }
  throw new Fault(
    "noInput",
    `no log in the folder ${folder}`,
    `${names.length} files there, none named mail.log*, maillog*, mail.*, syslog*, messages* or *.log*`,
    "nothing was read",
    "name the log files themselves",
  );
}

const isFile = (path: string): boolean => exists(path) && statOf(path).isFile();

/** Existing paths that match, sorted. A part without wildcards is taken as it is. */
function glob(pattern: string): string[] {
  let paths = [pattern.startsWith("/") ? "/" : ""];
  for (const part of pattern.split("/").filter((p) => p !== "")) {
    const next: string[] = [];
    for (const base of paths) {
      if (!/[*?[]/.test(part)) {
        const path = base === "" ? part : join(base, part);
        if (part === "." || exists(path)) next.push(base === "" && part === "." ? "." : path);
      } else if (base === "" || statOf(base).isDirectory()) {
        const names = entriesOf(base === "" ? "." : base);
        for (const name of names)
          if (matchesGlob(name, part)) next.push(base === "" ? name : join(base, name));
      }
    }
    paths = next;
  }
  return paths.sort();
}

/**
 * Whether a file name matches a pattern of * ? [a-z] [!a-z]. A leading dot is matched by a dot alone. Steps are bounded
 * by name length times pattern length: after a mismatch only the last * is tried again.
 */
export function matchesGlob(name: string, pattern: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  let n = 0;
  let p = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (pattern[p] === "*") {
      star = p++;
      resume = n;
      continue;
    }
    const width = matchOne(name[n]!, pattern, p);
    if (width > 0) {
      n++;
      p += width;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** Characters of the pattern at `p` that match `char`, or 0. */
function matchOne(char: string, pattern: string, p: number): number {
  const head = pattern[p];
  if (head === "?") return 1;
  const close = head === "[" ? pattern.indexOf("]", p + 2) : -1;
  if (close < 0) return head === char ? 1 : 0;
  const negated = pattern[p + 1] === "!" || pattern[p + 1] === "^";
  let inside = false;
  for (let i = p + (negated ? 2 : 1); i < close; i++) {
    if (pattern[i + 1] === "-" && i + 2 < close) {
      inside ||= char >= pattern[i]! && char <= pattern[i + 2]!;
      i += 2;
    } else inside ||= char === pattern[i];
  }
  return inside !== negated ? close - p + 1 : 0;
}
