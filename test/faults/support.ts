import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

export type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** Runs the real command line in a process of its own. env: added to an otherwise small environment, without the machine's own settings. input: through a pipe. */
export function logvane(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Ran {
  const bin = join(process.cwd(), "bin/logvane.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    encoding: "utf8",
    input,
    env: { PATH: process.env["PATH"] ?? "", TZ: "UTC", LOGVANE_CONFIG: "/dev/null", ...env },
  });
  return { status, stdout, stderr };
}

/** A mistake: its name, arguments, exit code, and a word each of what, where and do. */
export type FaultCase = readonly [string, readonly string[], number, RegExp, RegExp, RegExp];

/** Runs it and holds the message to its four parts, with nothing else on either stream. */
export function assertFault([, args, code, what, where, remedy]: FaultCase): void {
  const { status, stdout, stderr } = logvane(args);
  assert.equal(status, code, stderr);
  assert.equal(stdout, "");
  const [error, place, effect, advice, end, ...more] = stderr.split("\n");
  assert.match(error!, /^error {3}\S/);
  assert.match(error!, what);
  assert.match(place!, /^where {3}\S/);
  assert.match(place!, where);
  assert.match(effect!, /^effect {2}\S/);
  assert.match(advice!, /^do {6}\S/);
  assert.match(advice!, remedy);
  assert.deepEqual([end, more], ["", []]);
  assert.doesNotMatch(stderr, /[\u0000-\u0009\u000b-\u001f]| at .*\.js:/);
}
