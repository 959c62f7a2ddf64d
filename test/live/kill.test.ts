import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { createRandom } from "../../src/math/random.ts";
import { openStore } from "../../src/store/queries.ts";
import { frozen, type Printed, printed, program } from "../e2e/support.ts";
import { composedLog } from "./log.ts";

/** LOGVANE_KILLS=100 for the whole stress. */
const KILLS = Number(process.env["LOGVANE_KILLS"] ?? 5);
const PAST_DAYS = 4;
const MAILS = 500;
/** Lines between two rotations. */
const ROTATE = 2500;

const dir = mkdtempSync(join(tmpdir(), "logvane-kill-"));
const random = createRandom(5);

const pathOf = (name: string): string => join(dir, name);
const LOG = pathOf("log/mail.log");

/** Settings with a channel whose file tells what arrived. */
function settings(name: string, log: string): string {
  const path = pathOf(`${name}.toml`);
  const text = `[server]\nname = "mx.example"\n[log]\npaths = ["${log}"]\ntimezone = "UTC"
[[channel]]\nname = "told"\ntype = "file"\npath = "${pathOf(`${name}.told`)}"\n`;
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** As logrotate does it: the newest copy is packed a rotation later. */
function rotate(): void {
  const copies = readdirSync(join(dir, "log"))
    .map((name) => /^mail\.log\.(\d+)(\.gz)?$/.exec(name))
    .filter((m) => m !== null)
    .sort((a, b) => Number(b[1]) - Number(a[1]));
  for (const [name, n, packed] of copies) {
    const from = join(dir, "log", name);
    const to = `${LOG}.${Number(n) + 1}`;
    if (packed) renameSync(from, `${to}.gz`);
    else {
      writeFileSync(`${to}.gz.tmp`, gzipSync(readFileSync(from)));
      renameSync(`${to}.gz.tmp`, `${to}.gz`);
      rmSync(from);
    }
  }
  renameSync(LOG, `${LOG}.1`);
  writeFileSync(LOG, "");
}

/** Lines that lie in the files, counted without anything of ours. */
function linesOnDisk(): number {
  let n = 0;
  for (const name of readdirSync(join(dir, "log"))) {
    const bytes = readFileSync(join(dir, "log", name));
    for (const byte of name.endsWith(".gz") ? gunzipSync(bytes) : bytes) if (byte === 10) n++;
  }
  return n;
}

function watch(config: string, state: string, ...more: string[]): ChildProcess {
  const args = ["bin/logvane.js", "watch", "--config", config, "--state", state, "--quiet", ...more];
  return spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((done) => child.on("exit", (code) => done(code)));

const told = (name: string): string[] => {
  const path = pathOf(`${name}.told`);
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return text.split("\n").filter((line) => line !== "");
};
const keyOf = (line: string): string => String((JSON.parse(line) as { key: string }).key);

function stateOf(state: string): { lines: number; alerts: readonly object[] } {
  const store = openStore(pathOf(state));
  try {
    const days = [...store.live.days().values()];
    return { lines: days.reduce((sum, day) => sum + day.lines, 0), alerts: store.listAlerts(1000) };
  } finally {
    store.close();
  }
}

suite(`a watch that is killed ${KILLS} times while the log is written and rotated`, () => {
  after(() => rmSync(dir, { recursive: true, force: true }));

  test("counts every line once, and tells every alert once", { timeout: 3_600_000 }, async () => {
    const { past, today } = composedLog(Date.now(), PAST_DAYS, MAILS);
    writeFileSync(pathOf("past.log"), past);
    const trained = await program("bin/logvane.js", [
      ...["train", pathOf("past.log"), "--timezone", "UTC", "--state", pathOf("model"), "--quiet"],
    ]);
    assert.equal(trained.status, 0, trained.stderr);
    for (const state of ["killed", "whole", "pieces"])
      cpSync(pathOf("model"), pathOf(state), { recursive: true });

    mkdirSync(join(dir, "log"));
    writeFileSync(LOG, "");
    const config = settings("killed", LOG);
    let written = 0;
    let sinceRotation = 0;
    /** Some lines, now and then only the first part of one. */
    const write = (): void => {
      const n = Math.min(
        today.length - written,
        1 + random.int(Math.ceil((2 * today.length) / (KILLS * 12))),
      );
      const text = today.slice(written, written + n).join("");
      const cut = random.int(text.length);
      appendFileSync(LOG, text.slice(0, cut));
      appendFileSync(LOG, text.slice(cut));
      written += n;
      sinceRotation += n;
      if (sinceRotation < ROTATE) return;
      rotate();
      sinceRotation = 0;
    };
    for (let kill = 0; kill < KILLS; kill++) {
      const child = watch(config, pathOf("killed"));
      const end = ended(child);
      // Some are killed before they read a line, most while they read.
      const until = performance.now() + 300 + random.int(4000);
      while (performance.now() < until) {
        if (written < (today.length * (kill + 1)) / KILLS) write();
        await sleep(50 + random.int(100));
      }
      child.kill("SIGKILL");
      await end;
    }
    while (written < today.length) write();
    assert.equal(await ended(watch(config, pathOf("killed"), "--once")), 0);
    const killed = stateOf("killed");
    assert.equal(killed.lines, linesOnDisk());
    assert.equal(killed.lines, today.length);

    writeFileSync(pathOf("whole.log"), today.join(""));
    assert.equal(await ended(watch(settings("whole", pathOf("whole.log")), pathOf("whole"), "--once")), 0);
    const whole = stateOf("whole");
    const plain = (alerts: readonly object[]): string =>
      JSON.stringify(alerts)
        .replaceAll(pathOf("whole.log"), LOG)
        .replace(/"line":\d+/g, '"line":0');
    assert.equal(whole.lines, today.length);
    assert.ok(whole.alerts.length >= 2, `${whole.alerts.length} alerts`);
    assert.equal(plain(killed.alerts), plain(whole.alerts));
    const keys = told("killed").map(keyOf);
    assert.deepEqual([...new Set(keys)].sort(), keys.sort(), "nothing is told twice");
    assert.deepEqual(keys, told("whole").map(keyOf).sort(), "nothing is lost");
    assert.ok(keys.length >= 2);

    // A day that is looked at in pieces, and a back-test, tell the same.
    const piece = pathOf("pieces.log");
    const part = Math.ceil(today.length / 3);
    for (let at = 0; at < today.length; at += part) {
      appendFileSync(piece, today.slice(at, at + part).join(""));
      const flags = ["--config", settings("pieces", piece), "--state", pathOf("pieces"), "--quiet"];
      const found = await program("bin/logvane.js", ["detect", ...flags]);
      assert.equal(found.status, 0, found.stderr);
    }
    const pieces = stateOf("pieces").alerts;
    assert.equal(plain(pieces).replaceAll(piece, LOG), plain(whole.alerts));
    // what is new a day is counted up to the end of training, which for `train` is its last line
    const end = new Date(Date.parse(past.trimEnd().split("\n").at(-1)!.split(" ", 1)[0]!) + 1).toISOString();
    const tested = await program("bin/logvane.js", [
      ...["backtest", pathOf("past.log"), pathOf("whole.log"), "--train-until", end],
      ...["--timezone", "UTC", "--include-held", "--format", "ndjson", "--quiet"],
    ]);
    const opened = (alerts: readonly object[]): object[] =>
      alerts.map((alert) => frozen(alert as Printed)).sort((x, y) => (x.id < y.id ? -1 : 1));
    assert.deepEqual(opened(printed(tested.stdout)), opened(whole.alerts));
  });
});
