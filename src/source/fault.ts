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
    path === "-" ? "standard input is empty" : `the file is empty: ${path}`,
    "the FILE argument",
    "there is nothing to read",
    path === "-"
      ? "check the command before the pipe"
      : "name the rotated file beside it (mail.log.1), or check that the system still logs mail there",
  );

/** The Fault for a file that is no text. */
export const binaryFault = (path: string, journal: boolean): Fault =>
  new Fault(
    "badData",
    `not a text log: ${path}`,
    "the first bytes of the file",
    "nothing was read from it",
    journal
      ? "this is a systemd journal: pipe it, journalctl -o short-iso --no-pager | logvane ... -"
      : "name a text log, plain or compressed by gzip, zstd, xz or bzip2",
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
