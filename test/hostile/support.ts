import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ROOT } from "../e2e/support.ts";

/** LOGVANE_HOSTILE=full runs every case in its full size: minutes instead of seconds. */
const FULL: boolean = process.env["LOGVANE_HOSTILE"] === "full";

/** The size of a case: in an ordinary run, and in a full one. */
export const sized = (ordinary: number, full: number): number => (FULL ? full : ordinary);

/** What a program printed and cost: CPU seconds of all its threads, bytes resident at most. */
export type Outcome = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly cpu: number;
  readonly peak: number;
};

/** Bytes of standard output kept; a flood of records is counted and thrown away. */
const KEPT = 4 << 20;

/** Runs logvane as a process with `input` as its standard input. */
export async function fed(args: readonly string[], input: Iterable<string | Uint8Array>): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "logvane-cost-"));
  const file = join(folder, "cost.json");
  const probe = new URL("cost.js", import.meta.url).href;
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, TZ: "UTC", NODE_OPTIONS: `--import=${probe}` };
  try {
    const child = spawn(process.execPath, [join(ROOT, "bin/logvane.js"), ...args], {
      cwd: ROOT,
      env: { ...env, LOGVANE_TEST_COST: file },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < KEPT) stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const ended = new Promise<number | null>((done) => child.on("close", done));
    // A program that ends before its input does is judged by its status.
    await pipeline(Readable.from(input), child.stdin).catch(() => undefined);
    const status = await ended;
    return {
      status,
      stdout,
      stderr,
      ...(JSON.parse(readFileSync(file, "utf8")) as { cpu: number; peak: number }),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
