import assert from "node:assert/strict";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { program } from "../e2e/support.ts";
import { counted, Daemon, until, waiting, writeSettings } from "./daemon.ts";
import { composedLog } from "./log.ts";

const WAIT_MS = 120_000;
const dir = mkdtempSync(join(tmpdir(), "logvane-switching-"));
const path = (name: string): string => join(dir, name);
const daemons: Daemon[] = [];
let today: readonly string[] = [];

before(() => {
  const log = composedLog(Date.now(), 2, 100);
  today = log.today.slice(0, 900);
  writeFileSync(path("past.log"), log.past);
  writeFileSync(path("longer.log"), log.past + today.slice(0, 200).join(""));
});
after(async () => {
  for (const daemon of daemons) if (daemon.running) await daemon.end("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

async function train(log: string, state: string): Promise<void> {
  const args = ["train", path(log), "--timezone", "UTC", "--state", state, "--quiet"];
  const { status, stderr } = await program("bin/logvane.js", args);
  assert.equal(status, 0, stderr);
}

async function watchOnce(config: string, state: string): Promise<string> {
  const { status, stderr } = await program("bin/logvane.js", [
    "watch",
    "--once",
    "--config",
    config,
    "--state",
    state,
  ]);
  assert.equal(status, 0, stderr);
  return stderr;
}

const told = (name: string): { key: string; alert?: { kind: string; measures: { actual: number }[] } }[] =>
  (existsSync(path(name)) ? readFileSync(path(name), "utf8") : "")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

/** Lines of now, of a shape that was never seen. */
const fullLines = (): string[] =>
  Array.from(
    { length: 30 },
    (_, i) =>
      `${new Date().toISOString().slice(0, 19)}Z mx postfix/smtpd[78]: NOQUEUE: reject: MAIL from unknown[192.0.2.${i}]: 452 4.3.1 Insufficient system storage; from=<a@b.example> proto=ESMTP helo=<b.example>\n`,
  );

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

function send(port: number, lines: readonly string[]): Promise<void> {
  return new Promise((done, fail) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", fail);
    socket.end(lines.join(""), () => done());
  });
}

suite("another model", { concurrency: true, timeout: 600_000 }, () => {
  test("judges what was written after the log had been copied and emptied, and no watch had seen", async () => {
    const log = path("mail.log");
    const state = path("copied");
    const config = writeSettings(path("copied.toml"), log, path("copied.told"));
    await train("past.log", state);
    writeFileSync(log, "");
    await watchOnce(config, state);
    appendFileSync(log, today.slice(0, 600).join(""));
    await watchOnce(config, state);
    assert.equal(counted(state), 600);

    appendFileSync(log, today.slice(600).join(""));
    copyFileSync(log, `${log}.1`);
    truncateSync(log);
    appendFileSync(log, fullLines().join(""));
    await train("longer.log", state);
    assert.match(await watchOnce(config, state), /another model is in use than before/);
    assert.equal(counted(state), today.length + 30);
    const full = told("copied.told").filter(({ alert }) => alert?.kind === "disk_full");
    assert.equal(full.length, 1);
    assert.equal(
      full[0]?.alert?.measures[0]?.actual,
      1,
      "lines of this shape by then: none was taken in twice",
    );
  });

  test("goes on with what a listener gets: every line is counted once, and told once", async () => {
    const state = path("listening");
    const port = await freePort();
    const listen = `[[log.listen]]\nprotocol = "tcp"\nport = ${port}\n`;
    const config = writeSettings(path("listening.toml"), path("none.log"), path("listening.told"), listen);
    writeFileSync(config, readFileSync(config, "utf8").replace(/paths = .*/, "paths = []"), { mode: 0o600 });
    await train("past.log", state);
    const start = async (): Promise<Daemon> => {
      const daemon = new Daemon(config, state);
      daemons.push(daemon);
      await until("it listens", WAIT_MS, () =>
        send(port, []).then(
          () => true,
          () => undefined,
        ),
      );
      return daemon;
    };
    const read = (lines: number): Promise<true> =>
      until(`${lines} lines are counted`, WAIT_MS, () => (counted(state) >= lines ? true : undefined));

    const first = await start();
    await send(port, today.slice(0, 400));
    await read(400);
    await first.end("SIGKILL");
    const daemon = await start();
    await send(port, today.slice(400, 700));
    await read(700);
    await train("longer.log", state);
    await send(port, today.slice(700));
    await until("the change", WAIT_MS, () =>
      /another model is in use now, going on with that/.test(daemon.said) ? true : undefined,
    );
    await until("it listens again", WAIT_MS, () =>
      send(port, []).then(
        () => true,
        () => undefined,
      ),
    );
    await send(port, fullLines());
    await read(today.length + 30);
    await until("the alert", WAIT_MS, () =>
      told("listening.told").some(({ alert }) => alert?.kind === "disk_full") ? true : undefined,
    );
    await until("nothing waits", WAIT_MS, () => (waiting(state) === 0 ? true : undefined));
    assert.equal(await daemon.end("SIGTERM"), 0);
    assert.equal(counted(state), today.length + 30);
    const report = ["report", "--date", "today", "--json", "--config", config, "--state", state];
    const { stdout } = await program("bin/logvane.js", report);
    assert.match(JSON.parse(stdout.toString()).figures_lack, /came over the network/);
    const keys = told("listening.told").map(({ key }) => key);
    assert.deepEqual([...new Set(keys)], keys);
  });
});
