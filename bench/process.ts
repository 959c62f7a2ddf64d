import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

/** What a command cost, with all processes it waited for. */
export type Cost = {
  /** User and system time, seconds. */
  readonly cpu: number;
  /** Seconds. */
  readonly wall: number;
  /** Largest resident size of one of its processes, bytes; undefined without GNU time. */
  readonly peak: number | undefined;
};

/** GNU time asks the kernel (wait4) for the peak. It forks, so a large parent does not count. */
const GNU_TIME = "/usr/bin/time";

export const installed = (name: string): boolean =>
  spawnSync("bash", ["-c", 'command -v "$1"', "bash", name], {
    env: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
  }).status === 0;

const havePeak = existsSync(GNU_TIME);
const havePin = installed("taskset");
/** The last core: the first is busiest with the system's own work. */
const CORE = String(availableParallelism() - 1);

/**
 * Runs a shell command to its end with its output thrown away. `variables` are for the command to use, so that no
 * path has to be quoted. Pinned to one core unless `free`. Throws when it fails.
 */
export function measure(
  command: string,
  variables: Readonly<Record<string, string>> = {},
  free = false,
): Cost {
  const folder = mkdtempSync(join(tmpdir(), "logvane-cost-"));
  const [times, peak, errors] = ["times", "peak", "errors"].map((name) => join(folder, name));
  const env = {
    ...process.env,
    ...variables,
    PATH: `${process.env["PATH"]}:/usr/sbin`,
    COMMAND: `set -o pipefail; ${command}`,
    TIMES: times!,
    PEAK: peak!,
    ERRORS: errors!,
  };
  const watched = `${havePeak ? `${GNU_TIME} -f %M -o "$PEAK" ` : ""}bash -c "$COMMAND" >/dev/null 2>"$ERRORS"`;
  const script = `TIMEFORMAT='%3R %3U %3S'; { time ${watched}; } 2>"$TIMES"`;
  const [program, ...args] = [...(havePin && !free ? ["taskset", "-c", CORE] : []), "bash", "-c", script];
  try {
    const { status } = spawnSync(program!, args, { env, stdio: "ignore" });
    if (status !== 0)
      throw new Error(`${command}: status ${status}\n${readFileSync(errors!, "utf8").slice(-2000)}`);
    const [wall, user, system] = readFileSync(times!, "utf8").trim().split(" ").map(Number);
    return {
      cpu: user! + system!,
      wall: wall!,
      peak: havePeak ? 1024 * Number(readFileSync(peak!, "utf8").trim()) : undefined,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
