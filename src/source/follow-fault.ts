import { Fault } from "../fault.ts";
import type { SourceState } from "./followed.ts";
import { NotAFile } from "./generation.ts";
import { isKept, type Refusal, wordsOf } from "./otlp-answer.ts";

const GOES_ON = "the other logs are watched; this one goes on where it was, by itself";

/** The Fault for a log that is not there. */
const missingLogFault = (path: string): Fault =>
  new Fault(
    "noInput",
    `no such file: ${path}`,
    `log source file:${path}`,
    "nothing of it is watched until it is there; the other logs are",
    "check log.paths, and that the system still writes this log",
  );

const deniedFault = (path: string, code: string): Fault =>
  new Fault(
    "noInput",
    `cannot read ${path}: permission denied (${code})`,
    `log source file:${path}`,
    GOES_ON,
    'add the user of the service to group "adm" (Debian), or mend the "create" line of logrotate',
  );

const notAFileFault = (path: string): Fault =>
  new Fault(
    "noInput",
    `not a file: ${path}`,
    `log source file:${path}: a folder, FIFO, socket or device, which is not opened`,
    GOES_ON,
    "put the log back, or take the path out of log.paths",
  );

const failedFault = (path: string, code: string): Fault =>
  new Fault(
    "io",
    `cannot read ${path}: ${code}`,
    `log source file:${path}`,
    GOES_ON,
    "check the disk and the system log; it is tried again every second",
  );

/** What an error of the system says of a log. */
export function stateOf(error: unknown): SourceState {
  if (error instanceof NotAFile) return "not a file";
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return "missing";
  return code === "EACCES" || code === "EPERM" ? "denied" : "failed";
}

export function followFault(error: unknown, path: string): Fault {
  if (error instanceof Fault) return error;
  const code = (error as NodeJS.ErrnoException).code ?? String((error as Error).message);
  switch (stateOf(error)) {
    case "missing":
      return missingLogFault(path);
    case "denied":
      return deniedFault(path, code);
    case "not a file":
      return notAFileFault(path);
    default:
      return failedFault(path, code);
  }
}

export const stalledFault = (source: string): Fault =>
  new Fault(
    "io",
    `the operating system does not answer: ${source}`,
    `log source ${source}`,
    "nothing of it is read meanwhile; the other logs are watched",
    "check the file system that it is on (a network file system whose server is away?)",
  );

/** The Fault for a source that a bug of ours keeps from being read. */
export const bugFault = (source: string, error: unknown): Fault =>
  new Fault(
    "io",
    `a bug in Logvane: ${error instanceof Error ? error.message : String(error)}`,
    `log source ${source}`,
    "nothing of it is read until a try succeeds, one every ten seconds; the other logs are watched",
    "report it with this message; a restart (systemctl restart logvane) reads on where the last commit was",
  );

/** Why bytes of a log are gone. */
export type LossReason = "emptied" | "removed" | "late" | "edited" | "damaged";

const LOSS: Readonly<Record<LossReason, readonly [string, string, string]>> = {
  emptied: [
    "was emptied before all of it was read",
    "no rotated file beside it holds what was in it",
    'with "copytruncate" logrotate can lose lines, and does with "olddir"; "create" loses none',
  ],
  removed: [
    "was rotated away while nobody watched, and removed or put into another folder",
    "no file beside it holds the place up to which it was read",
    'let logrotate keep more files ("rotate 7") beside the log (no "olddir"), and the service run',
  ],
  late: [
    "was still written to after it had been rotated",
    "the program that writes it was not told to open the new file",
    'check "postrotate" in the settings of logrotate',
  ],
  edited: [
    "was changed by somebody",
    "what was read of it is no longer there; reading goes on at its end",
    "leave logs to the programs that write them",
  ],
  damaged: ["is a damaged compressed file", "its lines up to the damage were read", "look at the disk"],
};

/** The Fault for lines that will never be read. bytes: how many are known to be gone; 0 when that can't be known. */
export function lossFault(path: string, reason: LossReason, bytes: number): Fault {
  const [what, why, remedy] = LOSS[reason];
  const size = bytes > 0 ? `${bytes} bytes of it` : "what was written to it last, if anything,";
  return new Fault(
    "io",
    `${path} ${what}`,
    `log source file:${path}: ${why}`,
    `${size} can't be scored; all that is there now is`,
    remedy,
  );
}

/** The Fault for entries of the journal that were removed unread. entries: of all units, as the journal numbers them; 0 when that can't be told. */
export const journalGoneFault = (entries: number): Fault =>
  new Fault(
    "io",
    "the journal no longer holds the entry that was read last",
    "log source journal:",
    entries > 0
      ? `up to ${entries} entries can't be scored; all that is there now is`
      : "entries that were removed since, if any, can't be scored; all that is there now is",
    'give the journal more room ("SystemMaxUse" in journald.conf), and let the service run',
  );

/** The Fault for a listener that can't listen. */
export function bindFault(source: string, error: Error): Fault {
  const code = (error as NodeJS.ErrnoException).code ?? error.message;
  return new Fault(
    "unavailable",
    `cannot listen: ${code}`,
    `log source ${source}`,
    "nothing that is sent there arrives; it is tried again every ten seconds",
    code === "EADDRINUSE"
      ? "another program listens there: choose another port under log.listen, and in what sends"
      : code === "EACCES"
        ? "ports below 1024 need a privilege: choose one above, and set it in what sends"
        : code === "EADDRNOTAVAIL"
          ? "this machine has no such address: mend it under log.listen"
          : "check log.listen: address, port, and the PEM files of certificate and key",
  );
}

/** The Fault for a spool that can't be written. */
export function spoolFault(source: string, folder: string, error: Error): Fault {
  const code = (error as NodeJS.ErrnoException).code ?? error.message;
  return new Fault(
    "io",
    `cannot keep what is sent: ${code}`,
    `log source ${source}, ${folder}`,
    "what is sent over TCP or by OTLP waits at its sender, what is sent over UDP is lost when 4 MiB wait here",
    "free some space, and check that the service may write to its state folder",
  );
}

/** The Fault for messages that found no room in the spool. */
export const droppedFault = (source: string, lines: number): Fault =>
  new Fault(
    "io",
    `${lines} messages were dropped: the spool is full`,
    `log source ${source}`,
    "they can't be scored",
    "find out what sends so much, or why Logvane is behind (logvane doctor)",
  );

/** The Fault for requests that an OTLP listener refused. */
export const refusedFault = (source: string, requests: number, why: Refusal): Fault =>
  new Fault(
    isKept(why) ? "temporary" : "badData",
    `${requests} requests were refused: ${wordsOf(why)}`,
    `log source ${source}`,
    isKept(why)
      ? "their senders are told to try again, and lose them when they give up"
      : "the records in them can't be scored",
    isKept(why)
      ? "free some space, or find out what sends so much, or why Logvane is behind (logvane doctor)"
      : "mend the settings of what sends (docs/watching.md, Listeners)",
  );

/** The Fault for lines that were read before a crash and are wanted again. */
export const goneFault = (source: string): Fault =>
  new Fault(
    "io",
    `lines that were read before the restart are gone: ${source}`,
    `log source ${source}`,
    "what was counted from them can't be counted again",
    'let logrotate keep more files ("rotate 7")',
  );
