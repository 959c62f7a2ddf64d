import { spawn } from "node:child_process";
import { Fault } from "../fault.ts";
import type { Outcome } from "./sender.ts";

export type Ended = {
  /** Undefined when a signal ended it, or we did. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
  /** Whether it was ended because it took too long, or because we stop. */
  readonly stopped: boolean;
  /** The end of what it wrote to standard error, on one line. */
  readonly complaint: string;
};

/** "Try again later", sysexits.h. */
export const EX_TEMPFAIL = 75;
/** Characters of a program's complaint that are kept. */
const COMPLAINT = 300;
/** What a program is asked to end with, and how long it has before it is made to. */
const GRACE_MS = 2000;

/**
 * Runs a program without a shell, in a process group of its own, with input on its standard input and nothing else of ours.
 * Past the time or at the signal the whole group is ended. where: the setting that names it. Throws Fault when there is no such program.
 */
export async function runProgram(
  command: readonly [string, ...string[]],
  input: string | Uint8Array,
  timeoutMs: number,
  signal: AbortSignal,
  where: string,
): Promise<Ended> {
  const [file, ...args] = command;
  const child = spawn(file, args, {
    detached: true,
    cwd: "/",
    stdio: ["pipe", "ignore", "pipe"],
    env: {
      PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: process.env["HOME"] ?? "/",
      LANG: "C.UTF-8",
    },
  });
  let complaint = "";
  let stopped = false;
  let kill: NodeJS.Timeout | undefined;
  const stop = (): void => {
    stopped = true;
    end(child.pid, "SIGTERM");
    kill ??= setTimeout(() => end(child.pid, "SIGKILL"), GRACE_MS);
  };
  const timer = setTimeout(stop, timeoutMs);
  signal.addEventListener("abort", stop, { once: true });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT);
  });
  child.stdin.on("error", () => undefined); // it may end without reading all
  child.stdin.end(input);
  try {
    return await new Promise<Ended>((done, fail) => {
      child.on("error", (error) => fail(missing(error, file, where)));
      const settle = (status: number | null, by: string | null): void =>
        done({
          status: status ?? undefined,
          signal: by ?? undefined,
          stopped,
          complaint: complaint.replace(/\s+/g, " ").trim(),
        });
      // A grandchild may hold standard error open; it is not waited for longer than a moment.
      child.on("exit", (status, by) => setTimeout(settle, GRACE_MS, status, by).unref());
      child.on("close", settle);
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    if (stopped) end(child.pid, "SIGKILL"); // whoever of the group ignored the first
    if (kill !== undefined) clearTimeout(kill);
    child.stderr.destroy();
  }
}

function end(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // gone already
  }
}

function missing(error: Error, file: string, where: string): Fault {
  const { code } = error as NodeJS.ErrnoException;
  return new Fault(
    "unavailable",
    `cannot run ${file} (${code ?? error.message})`,
    where,
    "nothing is sent on this channel; what waits is kept",
    "install the program, or correct its path; it must be executable for the user that Logvane runs as",
  );
}

/** How a program that did not end well is told. */
export function endedText(file: string, { status, signal, stopped, complaint }: Ended): string {
  const how = stopped
    ? "took too long and was ended"
    : status === undefined
      ? `was ended by ${signal ?? "a signal"}`
      : `ended with ${status}`;
  return `${file} ${how}${complaint === "" ? "" : `: ${complaint}`}`;
}

/** The outcome of a program whose exit codes we don't know further: 0 is done, 75 and what was ended is for later, all else is no. */
export function programOutcome(file: string, ended: Ended): Outcome {
  if (ended.status === 0 && !ended.stopped) return { result: "sent" };
  const error = endedText(file, ended);
  if (ended.status === undefined || ended.stopped || ended.status === EX_TEMPFAIL)
    return { result: "retry", error };
  return { result: "refused", error };
}
