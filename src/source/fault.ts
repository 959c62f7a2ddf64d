import { Fault } from "../fault.ts";

/** The Fault for an error that the operating system gave when `path` was opened or read. */
export function readFault(error: unknown, path: string): Fault {
  if (error instanceof Fault) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "unknown";
  if (code === "ENOENT" || code === "ENOTDIR")
    return new Fault(
      "noInput",
      `no such file: ${path} (${code})`,
      "the FILE argument",
      "nothing was read",
      "check the path; logs are mostly /var/log/mail.log or /var/log/maillog",
    );
  if (code === "EACCES" || code === "EPERM")
    return new Fault(
      "noInput",
      `cannot read ${path}: permission denied (${code})`,
      "the FILE argument",
      "nothing was read",
      'add this user to group "adm" (Debian) or run as a user who may read the log',
    );
  return new Fault(
    "io",
    `cannot read ${path}: ${code}`,
    "the FILE argument",
    "what stands after the failing place was not read",
    "check the disk and the system log, then run again",
  );
}

/** The Fault for a file without a byte. */
export const emptyFault = (path: string): Fault =>
  new Fault(
    "noInput",
    path === "-"
      ? "standard input is empty"
      : path.startsWith("journal:")
        ? `there is no entry in ${path}`
        : `the file is empty: ${path}`,
    "the FILE argument",
    "there is nothing to read",
    path === "-"
      ? "check the command before the pipe"
      : path.startsWith("journal:")
        ? 'check that this user is in group "systemd-journal" (or "adm"), or name the log files'
        : "name the rotated file beside it (mail.log.1), or check that the system still logs mail there",
  );

/** The Fault for a file that is no text. */
export const binaryFault = (path: string): Fault =>
  new Fault(
    "badData",
    `not a text log: ${path}`,
    "the first bytes of the file",
    "nothing was read from it",
    "name a text log, plain or compressed by gzip, zstd, xz or bzip2",
  );

/** The Fault for a journal file that comes through a pipe, which journalctl can't read. */
export const journalUnreadFault = (path: string): Fault =>
  new Fault(
    "badData",
    `not a text log: ${path}`,
    "the first bytes of the input",
    "nothing was read from it",
    "this is a systemd journal: name the file itself, or pipe it, journalctl -o export | logvane ... -",
  );

/** The Fault for a program of the system that is missing. task: what it was needed for, as "decompress FILE". */
export const missingFault = (program: string, task: string): Fault =>
  new Fault(
    "unavailable",
    `cannot ${task}: the program ${program} is not installed`,
    "the FILE argument",
    "nothing was read from it",
    program === "journalctl"
      ? "name the log files themselves, or pipe the journal from the machine that has it: journalctl -o export | logvane ... -"
      : `install ${program}, or decompress the file first`,
  );

/** The Fault for a journal that journalctl can't read. complaint: what it said. */
export const journalFault = (path: string, complaint: string): Fault =>
  new Fault(
    "noInput",
    `cannot read ${path}: journalctl failed${complaint === "" ? "" : `: ${complaint}`}`,
    "the FILE argument",
    "what was read of it so far is not all",
    'check the path, and that this user is in group "systemd-journal" (or "adm")',
  );

/** The Fault for input that is gone once read, and is needed again. */
export const readTwiceFault = (path: string): Fault =>
  new Fault(
    "usage",
    path === "-" ? "standard input can be read only once" : `${path} is a pipe and can be read only once`,
    "the FILE argument",
    "this command reads its input twice (as --since does, to find the last line)",
    "save it to a file first, or use a flag that needs no second reading (--train-until)",
  );

/** The Fault for a file that was emptied or replaced while it was read. */
export const lostFault = (path: string, how: string, lines: number): Fault =>
  new Fault(
    "io",
    `${how}: ${path}`,
    `after line ${lines}`,
    `the ${lines} lines before that were read, what followed is gone from this file`,
    "run again: the rotated copy beside it (mail.log.1) has those lines; in logrotate, create loses none where copytruncate may",
  );

/** The Fault for compressed data that ends or breaks in the middle. */
export const brokenFault = (path: string, how: string, lines: number): Fault =>
  new Fault(
    "badData",
    `${how}: ${path}`,
    `after line ${lines} of the decompressed file`,
    `the ${lines} lines before that were read, what follows is lost`,
    "copy the file again if it was still being written; otherwise leave it out",
  );
