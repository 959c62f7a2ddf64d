// Loaded into a daemon by eval/idle/run.ts. On SIGUSR2 it collects garbage and writes what is held to LOGVANE_PROBE, as JSON (Held), and a
// heap snapshot beside it where LOGVANE_SNAPSHOTS is set. On SIGPWR clocks and timers begin to run FASTER times as fast.
import { renameSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";
import { getHeapCodeStatistics, setFlagsFromString, writeHeapSnapshot } from "node:v8";
import { runInNewContext } from "node:vm";
import { FASTER, type Held } from "./held.ts";

const path = process.env["LOGVANE_PROBE"] ?? "probe.json";
let snapshots = 0;
let waits = 0;

/** Collects and moves together what is left, as V8 does by itself after some minutes in which little happens. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  setFlagsFromString("--compact-on-every-full-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  gc(); // what only finalizers held goes with the second
  setFlagsFromString("--no-compact-on-every-full-gc");
}

process.on("SIGUSR2", () => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const { code_and_metadata_size: machine, bytecode_and_metadata_size: bytecode } = getHeapCodeStatistics();
  const code = machine + bytecode;
  const held: Held = { data: heapUsed - code, code, external, waits };
  if (process.env["LOGVANE_SNAPSHOTS"] !== undefined)
    writeHeapSnapshot(`${path}.${++snapshots}.heapsnapshot`);
  writeFileSync(`${path}.new`, JSON.stringify(held));
  renameSync(`${path}.new`, path);
});

let faster = 1;
const steady = performance.now.bind(performance);
const date = Date.now;
/** Where the clocks were when they began to run fast, and when that was. */
let [begunSteady, begunDate, since] = [0, 0, 0];

process.on("SIGPWR", () => {
  [begunSteady, begunDate, since] = [steady(), date(), steady()];
  faster = FASTER;
});

const passed = (): number => (steady() - since) * faster;
performance.now = () => (faster === 1 ? steady() : begunSteady + passed());
Date.now = () => (faster === 1 ? date() : Math.round(begunDate + passed()));

const { setTimeout: later } = globalThis;
const patched = (call: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): NodeJS.Timeout => {
  waits++;
  return later(call, ms / faster, ...args);
};
globalThis.setTimeout = Object.assign(patched, later) as typeof globalThis.setTimeout;
const sleep = timers.setTimeout;
timers.setTimeout = (ms = 0, ...rest) => {
  waits++;
  return sleep(ms / faster, ...rest);
};
syncBuiltinESMExports();
