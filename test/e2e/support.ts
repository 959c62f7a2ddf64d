import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT: string = process.cwd();
export const SAMPLE: string = join(ROOT, "samples/quickstart.log.gz");
/** The sample's first fault begins a week after this. */
export const TRAIN_UNTIL = "2026-09-21T00:00:00Z";

export type Finished = { readonly status: number | null; readonly stdout: Buffer; readonly stderr: string };

/** Runs a program of ours and waits for it without blocking. env: all of it but PATH. cwd: the clone's root when absent. */
export function program(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = { TZ: "UTC", HOME: tmpdir() },
  cwd: string = ROOT,
): Promise<Finished> {
  const child = spawn(process.execPath, [join(ROOT, file), ...args], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (status) =>
      done({ status, stdout: Buffer.concat(out), stderr: Buffer.concat(errors).toString("utf8") }),
    );
  });
}

/** An alert as the contract prints it. */
export type Printed = {
  readonly id: string;
  readonly opened_at: string;
  readonly closed_at: string | null;
  readonly class: string;
  readonly title: string;
  readonly kind: string;
  readonly view: string;
  readonly p_value: number;
  readonly lines: readonly { readonly file: string; readonly line: number; readonly text: string }[];
};

export const printed = (stdout: Buffer): Printed[] =>
  stdout
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Printed);

/** What the prefix rule freezes at the opening. */
export type Frozen = Pick<Printed, "id" | "opened_at" | "title" | "kind" | "p_value" | "lines">;

export function frozen(alert: Printed): Frozen {
  const { id, opened_at, title, kind, p_value, lines } = alert;
  return { id, opened_at, title, kind, p_value, lines };
}
