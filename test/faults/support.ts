import { spawnSync } from "node:child_process";
import { join } from "node:path";

export type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** Runs the real command line in a process of its own. env: added to an otherwise small environment. */
export function logvane(args: readonly string[], env: Readonly<Record<string, string>> = {}): Ran {
  const bin = join(process.cwd(), "bin/logvane.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", TZ: "UTC", ...env },
  });
  return { status, stdout, stderr };
}
