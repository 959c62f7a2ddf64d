import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { DayCount } from "../../src/store/live.ts";
import { openStore } from "../../src/store/queries.ts";

/** Clock ticks of the kernel a second (proc(5)). */
const HZ = 100;

/** `logvane watch` as a process of its own. */
export class Daemon {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #said = "";

  /** node: options of Node itself. */
  constructor(config: string, state: string, node: readonly string[] = []) {
    const args = [...node, "bin/logvane.js", "watch", "--config", config, "--state", state];
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.pid = this.#child.pid!;
    this.#child.stderr!.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString("utf8");
    });
    this.#ended = new Promise((done) => this.#child.on("close", done));
  }

  /** What it has written so far. */
  get said(): string {
    return this.#said;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The exit code, once it has ended by itself or by the signal. */
  end(name?: NodeJS.Signals): Promise<number | null> {
    if (name !== undefined) this.#child.kill(name);
    return this.#ended;
  }

  /** Seconds of processor time that it has used. */
  cpuS(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, "latin1").split(") ")[1]!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) / HZ;
  }

  /** Seconds that its main thread was ready to run and others had the processor (sched-stats of the kernel); NaN where that is not told. */
  waitedS(): number {
    try {
      return Number(readFileSync(`/proc/${this.pid}/schedstat`, "latin1").split(" ")[1]) / 1e9;
    } catch {
      return Number.NaN;
    }
  }

  /** Resident memory in bytes. */
  memory(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, "latin1"))![1]) * 1024;
  }
}

/** Waits for what `look` finds. Throws after so many ms. */
export async function until<T>(
  what: string,
  ms: number,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(100)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`not within ${ms / 1000} s: ${what}`);
}

/** All days together of what a state counts. */
export function counted(state: string, what: DayCount = "lines"): number {
  const store = openStore(state);
  try {
    return [...store.live.days().values()].reduce((sum, day) => sum + day[what], 0);
  } finally {
    store.close();
  }
}

/** Notifications of a state that are still to be delivered. */
export function waiting(state: string): number {
  const store = openStore(state);
  try {
    return store.outbox.counts().reduce((sum, { waiting: n }) => sum + n, 0);
  } finally {
    store.close();
  }
}

/** Settings with a file that tells what arrived. Returns their path. */
export function writeSettings(path: string, log: string, told: string, more = ""): string {
  const text = `[server]\nname = "mx.example"\n[log]\npaths = ["${log}"]\ntimezone = "UTC"\n[alerts]\nper_day = 20
[[channel]]\nname = "told"\ntype = "file"\npath = "${told}"\n${more}`;
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
