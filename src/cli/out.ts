import { once } from "node:events";
import { EXIT, Fault } from "../fault.ts";
import { cut, terminalSafe } from "../report/escape.ts";
import type { AlertTextOptions } from "../report/text.ts";
import { type Options, timeZone, useColor } from "./options.ts";

/** Columns where standard output is no terminal. */
const WIDTH = 100;
/** A part of a message stays readable whatever file name or argument it quotes. */
const PART = 600;

/** How alerts are shown on standard output. command: see AlertTextOptions. */
export function viewOptions(options: Options, command: string): AlertTextOptions {
  return {
    color: useColor(options, process.stdout),
    width: process.stdout.columns ?? WIDTH,
    timeZone: timeZone(options),
    command,
  };
}

/** Writes to standard output and waits while its reader is slower than we are. */
export async function writeOut(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

/** Writes to standard error, where messages and progress go. */
export function writeError(text: string): void {
  process.stderr.write(text);
}

/** The four lines of a fault, each on one line whatever file names hold. */
export function faultText(fault: Fault): string {
  const { exit, message, where, effect, remedy } = fault;
  const part = (text: string): string => cut(terminalSafe(text), PART);
  return new Fault(exit, part(message), part(where), part(effect), part(remedy)).format();
}

/** Trouble of a disk that any write can meet. */
const DISK: Readonly<Record<string, readonly [string, string]>> = {
  ENOSPC: ["the disk is full (ENOSPC)", "free some space (df -h shows where), then run the command again"],
  EDQUOT: ["the disk quota is used up (EDQUOT)", "free some space or raise the quota, then run it again"],
  EROFS: ["the file system is read-only (EROFS)", "remount it writable or name another folder with --state"],
  EIO: ["the disk reported an error (EIO)", "look at dmesg for the device, then run the command again"],
};

/** The fault behind an error of the operating system that says so by its code; undefined for anything else. */
export function diskFault(error: unknown, where: string): Fault | undefined {
  const { code, path } = error as { code?: unknown; path?: unknown };
  const known = typeof code === "string" ? DISK[code] : undefined;
  if (known === undefined) return undefined;
  return new Fault(
    "io",
    known[0],
    typeof path === "string" ? path : where,
    "the output is incomplete; nothing that was there before has changed",
    known[1],
  );
}

let guarded = false;

/** Ends the process when standard output does: quietly with 0 when the reader left (EPIPE), as a fault otherwise. */
export function guardOutput(): void {
  if (guarded) return;
  guarded = true;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    writeError(
      faultText(
        diskFault(error, "standard output") ??
          new Fault(
            "io",
            `cannot write (${error.code ?? "unknown"})`,
            "standard output",
            "the output is incomplete",
            "check where the output goes, then run the command again",
          ),
      ),
    );
    process.exit(EXIT.io);
  });
  process.stderr.on("error", () => {}); // a closed terminal must not end the work
}
