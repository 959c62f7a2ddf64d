import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createRandom, type Random } from "../../src/math/random.ts";
import { Follower } from "../../src/source/follow.ts";
import { Daemon, logConfig } from "./follow-support.ts";
import { RotatingLog } from "./rotating-log.ts";
import { workspace } from "./support.ts";

const folder = workspace("follow-property");
const SCENARIOS = Number(process.env["SCENARIOS"] ?? 30);
const POLL_MS = 10;

/** What may happen to a log, and how often. */
const EVENTS: readonly [string, number, (log: RotatingLog, random: Random) => void][] = [
  ["lines", 30, (log, random) => log.write(1 + random.int(20))],
  ["burst", 4, (log, random) => log.write(500 + random.int(3000))],
  ["half a line", 8, (log) => log.begin()],
  ["a long line", 2, (log, random) => log.write(1, 9000 + random.int(200_000))],
  ["rename", 5, (log, random) => log.rename(random.int(4), random.int(2) === 0)],
  ["copytruncate", 4, (log) => log.copyTruncate()],
  ["pack", 4, (log, random) => log.pack(random.int(2) === 0)],
];
const WEIGHT = EVENTS.reduce((sum, [, weight]) => sum + weight, 0);

function event(random: Random, log: RotatingLog): string {
  let at = random.int(WEIGHT);
  for (const [name, weight, act] of EVENTS) {
    at -= weight;
    if (at >= 0) continue;
    act(log, random);
    return name;
  }
  return "";
}

/** A log and a daemon that is killed now and then; what happened, for the message of a failure. */
async function scenario(seed: number): Promise<void> {
  const random = createRandom(seed);
  const dir = folder();
  const log = new RotatingLog(dir, random.int(2) === 0);
  if (random.int(2) === 0) log.write(random.int(50));
  const before = log.lines.length;
  const config = logConfig([random.int(2) === 0 ? log.path : `${dir}/mail*`]);
  const daemon = new Daemon(config, { pollMs: POLL_MS });
  await daemon.start();
  const story: string[] = [];
  for (let n = 0; n < 60; n++) {
    const at = random.int(10);
    if (at < 6) story.push(event(random, log));
    else if (at < 8) await daemon.read(random.int(3) * POLL_MS, 1 + random.int(5));
    else if (at < 9) await wait(random.int(3) * POLL_MS);
    else {
      story.push("kill");
      await daemon.kill();
      for (let k = random.int(6); k > 0; k--) story.push(`${event(random, log)} meanwhile`);
      await daemon.start();
    }
  }
  log.write(1);
  const until = Date.now() + 60_000;
  while (daemon.seen.length < log.lines.length - before && Date.now() < until) await daemon.read(POLL_MS);
  await daemon.read(10 * POLL_MS);
  log.close();
  const want = log.lines.slice(before).map((line) => line.slice(0, 8192));
  const told = `seed ${seed}: ${story.join(", ")}; ${JSON.stringify(daemon.follower!.status())}`;
  assertSame(daemon.texts, want, told);
  // A machine that is busy with other things may answer late; nothing must be lost.
  assert.deepEqual(
    daemon.faults.map((fault) => fault.message).filter((message) => !message.includes("does not answer")),
    [],
    told,
  );
  await again(daemon, config, told);
}

/** Reads all runs again, as after a crash. */
async function again(daemon: Daemon, config: ReturnType<typeof logConfig>, told: string): Promise<void> {
  await daemon.kill();
  const follower = await Follower.open(config, daemon.positions, { stateDir: "", now: Date.now });
  const texts: string[] = [];
  for (const run of daemon.runs)
    for await (const { lines } of follower.reread(run)) for (const { text } of lines) texts.push(text);
  await follower.close();
  assertSame(texts, daemon.texts, `again, ${told}`);
}

/** The first line that differs; a whole difference of thousands of lines takes minutes to make. */
function assertSame(got: readonly string[], want: readonly string[], told: string): void {
  for (let i = 0; i < Math.max(want.length, got.length); i++)
    if (want[i] !== got[i])
      assert.equal(`${i}: ${got[i]?.slice(0, 80)}`, `${i}: ${want[i]?.slice(0, 80)}`, told);
}

suite("whatever happens to a log", () => {
  test("each line is read once, in order, over kills too", async () => {
    const first = Number(process.env["SEED"] ?? 1);
    for (let seed = first; seed < first + SCENARIOS; seed += 10)
      await Promise.all(Array.from({ length: Math.min(10, SCENARIOS) }, (_, i) => scenario(seed + i)));
  });
});
