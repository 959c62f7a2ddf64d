import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { Settling } from "../../src/daemon/settling.ts";

setFlagsFromString("--allow-natives-syntax");
/** A function that none has run yet. */
const fresh = (): ((n: number) => number) =>
  new Function("n", "let sum = 0; for (let i = 0; i < 40; i++) sum += (n * i) % 7; return sum;") as never;
/** Whether V8's optimizing compiler has compiled it: bit 4 of its status (runtime.h of V8). */
const isOptimized = new Function("f", "return (%GetOptimizationStatus(f) & 16) !== 0;") as (
  f: unknown,
) => boolean;

/** Runs a function so often, with waits in which V8 compiles beside it. */
async function run(f: (n: number) => number, times: number): Promise<boolean> {
  for (let i = 0; i < times; i++) {
    f(i);
    if (i % 100 === 0) await sleep(1);
  }
  await sleep(100);
  f(0);
  return isOptimized(f);
}

/** At V8's own budget 60 times are enough. */
const SOMETIMES = 600;
const DAY_MS = 86_400_000;

suite("a watch that is settled", () => {
  const settling = new Settling();
  test("compiles what runs sometimes on its first day", async () => {
    settling.at(Number.NEGATIVE_INFINITY);
    settling.at(5);
    settling.at(DAY_MS);
    assert.equal(await run(fresh(), SOMETIMES), true);
  });
  test("from then on no longer", async () => {
    settling.at(DAY_MS + 5);
    assert.equal(await run(fresh(), SOMETIMES), false);
  });
  test("still compiles what runs much", async () => {
    assert.equal(await run(fresh(), 50 * SOMETIMES), true);
  });
});
