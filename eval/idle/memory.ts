import { existsSync, readFileSync, rmSync } from "node:fs";
import { type Daemon, until } from "../../test/live/daemon.ts";
import type { Held } from "./held.ts";

/** A collection, and a snapshot where one is asked for, take no longer. */
const LOOK_WAIT_MS = 120_000;

/** Of a process, in bytes: all that is resident, and what of it no file stands behind. */
export type Resident = { readonly all: number; readonly anonymous: number };

export function residentOf(pid: number): Resident {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const bytes = (name: string): number =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)![1]);
  return { all: bytes("Rss"), anonymous: bytes("Anonymous") };
}

/** Collects garbage in a daemon that has the probe, which writes to `file`. */
export async function collected(daemon: Daemon, file: string): Promise<Held> {
  rmSync(file, { force: true });
  daemon.signal("SIGUSR2");
  await until("what the daemon holds", LOOK_WAIT_MS, () => existsSync(file) || undefined);
  return JSON.parse(readFileSync(file, "utf8")) as Held;
}

/** The least-squares line through points: what y gains for each x, and the standard error of that. At least three points. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): {
  readonly slope: number;
  readonly error: number;
} {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const xx = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / xx;
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (n - 2) / xx) };
}
