import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { suite, test } from "node:test";
import { needs } from "../support/need.ts";
import { workspace } from "./support.ts";

const folder = workspace("full-disk");

/** Run in a mount namespace of its own, with a disk of 1 MiB at DIR. Prints what came of it as JSON. */
const SCRIPT = `
import { rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { Follower } from "FOLLOW";
const stateDir = "DIR";
const [tcp, otlp] = [Number(process.env.PORT), Number(process.env.PORT) + 1];
const listen = [["tcp", tcp], ["otlp", otlp]].map(([protocol, port]) => ({ protocol, address: "127.0.0.1", port }));
const config = { paths: [], journal: false, units: [], listen, timezone: "UTC" };
let clock = Date.now();
const follower = await Follower.open(config, new Map(), { stateDir, now: () => clock, pollMs: 50 });
const texts = [];
const faults = [];
async function read(ms) {
  for (let end = performance.now() + ms; performance.now() < end; ) {
    const run = await follower.next(50);
    for (const { text } of run?.lines ?? []) texts.push(text.slice(0, 60));
  }
  clock += 6000;
  await follower.next(50);
  faults.push(...follower.faults().map((fault) => fault.message));
}
const line = (n, size = 1000) => "Nov 29 10:00:00 mx1 postfix/smtpd[" + n + "]: " + "x".repeat(size);
async function post(n) {
  const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: line(n, 7000) } }] }] }] });
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body };
  const answer = await fetch("http://127.0.0.1:" + otlp + "/v1/logs", init);
  return [answer.status, answer.headers.get("retry-after")];
}
const socket = connect(tcp, "127.0.0.1");
socket.write(line(1) + "\\n");
const before = await post(2);
await read(500);
try { writeFileSync(stateDir + "/ballast", Buffer.alloc(4 << 20)); } catch {}
for (let n = 3; n < 103; n++) socket.write(line(n) + "\\n");
const full = [await post(103), await post(103)];
await read(2500);
const states = follower.status().map((status) => [status.state, status.lost.lines]);
rmSync(stateDir + "/ballast");
await read(2500);
const after = await post(103);
await read(500);
console.log(JSON.stringify({ before, full, states, after, texts, faults, end: follower.status().map((s) => s.state) }));
process.exit(0);
`;

suite("a listener whose disk is full", () => {
  const may = spawnSync("unshare", ["-m", "true"]).status === 0;
  const missing = needs("unshare", "mount");
  const skip = missing.skip ?? (may ? undefined : "a disk of our own takes root");
  test(
    "keeps what waits, has senders keep the rest, says so, and takes all when there is room",
    { skip },
    () => {
      const dir = folder();
      const follow = new URL("../../src/source/follow.js", import.meta.url).href;
      const script = SCRIPT.replaceAll("DIR", dir).replace("FOLLOW", follow);
      const mount = `mount -t tmpfs -o size=1m none ${dir} && exec ${process.execPath} --input-type=module -`;
      const env = { ...process.env, PORT: String(40_000 + (process.pid % 20_000)) };
      const { status, stdout, stderr } = spawnSync("unshare", ["-m", "sh", "-c", mount], {
        ...{ input: script, encoding: "utf8", env },
      });
      assert.equal(status, 0, stderr);
      const got = JSON.parse(stdout) as Record<string, unknown> & { texts: string[]; faults: string[] };
      assert.deepEqual(got["before"], [200, null]);
      assert.deepEqual(got["full"], [
        [503, "5"],
        [503, "5"],
      ]);
      assert.deepEqual(got["states"], [
        ["failed", 0],
        ["failed", 0],
      ]);
      assert.deepEqual(got["after"], [200, null]);
      assert.deepEqual(got["end"], ["ok", "ok"]);
      const numbers = got.texts.map((text) => Number(/\[(\d+)\]/.exec(text)![1]));
      const sent = Array.from({ length: 103 }, (_, i) => i + 1);
      assert.deepEqual(
        numbers.sort((a, b) => a - b),
        sent,
      ); // each once
      assert.deepEqual([...new Set(got.faults)].sort(), [
        "2 requests were refused: the lines can't be kept now: the spool is full, or its disk",
        "cannot keep what is sent: ENOSPC",
      ]);
    },
  );
});
