import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { program } from "../e2e/support.ts";
import { needsNamespaces } from "../support/need.ts";
import { counted, Daemon, until, waiting, writeSettings } from "./daemon.ts";
import { composedLog } from "./log.ts";

/** LOGVANE_LONG=1 for a minute of many lines (npm run e2e:live). */
const LONG = process.env["LOGVANE_LONG"] === "1";
const MANY_S = LONG ? 60 : 10;
const MANY_PER_S = 10_000;
/** A flood of lines, with an attack in it, takes no memory of its own. */
const MAX_MIB = 200;
const WAIT_MS = 120_000;
const MIB = 1 << 20;

const dir = mkdtempSync(join(tmpdir(), "logvane-trouble-"));
const daemons: Daemon[] = [];
const mounts: string[] = [];
let today: readonly string[] = [];

before(async () => {
  const log = composedLog(Date.now(), 4, 500);
  ({ today } = log);
  writeFileSync(join(dir, "past.log"), log.past);
  const trained = await program("bin/logvane.js", [
    ...["train", join(dir, "past.log"), "--timezone", "UTC", "--state", join(dir, "model"), "--quiet"],
  ]);
  assert.equal(trained.status, 0, trained.stderr);
});
after(async () => {
  for (const daemon of daemons) if (daemon.running) await daemon.end("SIGKILL");
  for (const mount of mounts) execFileSync("umount", ["-l", mount]);
  rmSync(dir, { recursive: true, force: true });
});

/** A log, a state with the model, and the daemon that watches it. */
class Watched {
  readonly log: string;
  readonly state: string;
  readonly told: string;
  readonly config: string;
  /** Lines that stand in the log. */
  written = 0;

  /** state: a folder that is there, or a new one when absent. */
  constructor(name: string, state?: string) {
    const root = join(dir, name);
    mkdirSync(root);
    this.log = join(root, "mail.log");
    this.told = join(root, "told");
    this.state = state ?? join(root, "state");
    cpSync(join(dir, "model"), this.state, { recursive: true });
    this.config = writeSettings(join(root, "logvane.toml"), this.log, this.told);
    this.write(today);
  }

  start(): Daemon {
    const daemon = new Daemon(this.config, this.state);
    daemons.push(daemon);
    return daemon;
  }

  write(lines: readonly string[]): void {
    appendFileSync(this.log, lines.join(""));
    this.written += lines.length;
  }

  /** Waits until all lines are counted. */
  async read(): Promise<void> {
    await until(`${this.written} lines are counted`, WAIT_MS, () =>
      counted(this.state) >= this.written ? true : undefined,
    );
    assert.equal(counted(this.state), this.written);
  }

  /** Waits until all lines are counted and all that is told has arrived; the keys of that. */
  async settled(): Promise<string[]> {
    await this.read();
    await until("nothing waits", WAIT_MS, () => (waiting(this.state) === 0 ? true : undefined));
    return this.keys();
  }

  keys(): string[] {
    const text = existsSync(this.told) ? readFileSync(this.told, "utf8") : "";
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { key: string }).key);
  }
}

/** Lines of now. */
const lines = (n: number, text: (i: number) => string): string[] =>
  Array.from({ length: n }, (_, i) => `${new Date().toISOString().slice(0, 19)}Z mx ${text(i)}\n`);
const someLines = (n: number): string[] =>
  lines(n, (i) => `postfix/smtpd[77]: connect from unknown[192.0.2.${i % 250}]`);
const fullLines = (n: number): string[] =>
  lines(
    n,
    (i) =>
      `postfix/smtpd[78]: NOQUEUE: reject: MAIL from unknown[192.0.2.${i % 250}]: 452 4.3.1 Insufficient system storage; from=<a@b.example> proto=ESMTP helo=<b.example>`,
  );

/** A message of a Fault in its four parts. */
const fourParts = (what: RegExp): RegExp =>
  new RegExp(`^error +.*${what.source}.*\\nwhere +.+\\neffect +.+\\ndo +.+$`, "m");

const disks = needsNamespaces("dd");

/** A disk of its own, so small that a test can fill it. */
function disk(name: string): string {
  const path = join(dir, name);
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", path]);
  mounts.push(path);
  return path;
}
function fill(path: string, name: string): void {
  try {
    execFileSync("dd", ["if=/dev/zero", `of=${join(path, name)}`, "bs=4k"], { stdio: "ignore" });
  } catch {
    // until there is no room
  }
}

suite("a watch in trouble", { concurrency: true, timeout: 600_000 }, () => {
  test(
    "whose disk is full tells of it from its reserve, then waits, and goes on when there is room",
    disks,
    async () => {
      const small = disk("small");
      const here = new Watched("full", join(small, "state"));
      const daemon = here.start();
      await here.read();
      assert.ok(existsSync(join(small, "state/reserve")));
      fill(small, "one");
      here.write(fullLines(30));
      await until("the alert of a full disk", WAIT_MS, () =>
        existsSync(here.told) && /"kind":"disk_full"/.test(readFileSync(here.told, "utf8"))
          ? true
          : undefined,
      );
      assert.match(daemon.said, fourParts(/the disk is full/));
      assert.match(daemon.said, /reading pauses until this can be written/);
      assert.ok(!existsSync(join(small, "state/reserve")));
      await here.read();
      fill(small, "two");
      for (let n = 0; n < 20; n++) {
        here.write(someLines(2000));
        await sleep(500);
      }
      assert.ok(daemon.running, daemon.said);
      assert.ok(counted(here.state) < here.written, "it waits");
      for (const name of ["one", "two"]) rmSync(join(small, name));
      await here.read();
      assert.ok(daemon.running);
      assert.equal(await daemon.end("SIGTERM"), 0);
      assert.ok(existsSync(join(small, "state/reserve")), "a new reserve is there");
      assert.deepEqual([...new Set(here.keys())], here.keys());
    },
  );

  test("whose state can't be written says so and ends with 74, and starts when it can", disks, async () => {
    const small = disk("readonly");
    const here = new Watched("readonly-log", join(small, "state"));
    execFileSync("mount", ["-o", "remount,ro", small]);
    const refused = here.start();
    assert.equal(await refused.end(), 74);
    assert.match(refused.said, fourParts(/cannot use the state folder \(\w+\)/));
    execFileSync("mount", ["-o", "remount,rw", small]);
    const daemon = here.start();
    await here.read();
    assert.equal(await daemon.end("SIGTERM"), 0);
  });

  test("whose log becomes a folder, then a FIFO, tells of both, and loses no line", async () => {
    const here = new Watched("replaced");
    const daemon = here.start();
    await here.read();
    const aside = `${here.log}.aside`;
    renameSync(here.log, aside);
    mkdirSync(here.log);
    appendFileSync(aside, someLines(3).join(""));
    here.written += 3;
    await until("the message of the folder", WAIT_MS, () =>
      fourParts(/not a file: .*mail\.log/).test(daemon.said) ? true : undefined,
    );
    rmdirSync(here.log);
    renameSync(aside, here.log);
    here.write(someLines(3));
    await here.read();
    renameSync(here.log, aside);
    execFileSync("mkfifo", [here.log]);
    const before = daemon.said.length;
    await until("the message of the FIFO", WAIT_MS, () =>
      /not a file/.test(daemon.said.slice(before)) ? true : undefined,
    );
    rmSync(here.log);
    renameSync(aside, here.log);
    here.write(someLines(3));
    await here.read();
    assert.equal(await daemon.end("SIGTERM"), 0);
  });

  test("that is told to end does so within five seconds, and the next one reads nothing twice", async () => {
    const here = new Watched("ended");
    const first = here.start();
    const keys = await here.settled();
    assert.ok(keys.length >= 2, "the faults of the day");
    const asked = performance.now();
    assert.equal(await first.end("SIGTERM"), 0);
    assert.ok(performance.now() - asked < 5000);
    assert.match(first.said, /the next start goes on there/);
    here.write(someLines(10));
    const second = here.start();
    assert.deepEqual(await here.settled(), keys);
    assert.equal(await second.end("SIGINT"), 0);
    assert.match(second.said, /^10 lines read/m);
  });

  test("does not share its state with another one, and reads its settings anew on SIGHUP", async () => {
    const here = new Watched("shared");
    const daemon = here.start();
    await here.read();
    const other = here.start();
    assert.equal(await other.end(), 75);
    assert.match(other.said, fourParts(/another logvane watches with this state/));
    const metrics = join(dir, "shared", "logvane.prom");
    writeSettings(here.config, here.log, here.told, `[metrics]\ntextfile = "${metrics}"\n`);
    daemon.signal("SIGHUP");
    await until("the metrics of the new settings", WAIT_MS, () => (existsSync(metrics) ? true : undefined));
    assert.match(readFileSync(metrics, "utf8"), /^logvane_source_up\{source="file:.*mail\.log"\} 1$/m);
    here.write(someLines(5));
    await here.read();
    writeFileSync(here.config, "[alerts]\nper_day = 0\n", { mode: 0o600 });
    daemon.signal("SIGHUP");
    await until("the message of the mistake", WAIT_MS, () =>
      fourParts(/the configuration has .*mistake/).test(daemon.said) ? true : undefined,
    );
    assert.match(daemon.said, /watching goes on with the settings before/);
    here.write(someLines(5));
    await here.read();
    assert.equal(await daemon.end("SIGTERM"), 0);
  });

  test("whose log's clock goes ahead by an hour and comes back counts all lines, and tells of the clock", async () => {
    const here = new Watched("clock");
    const daemon = here.start();
    await here.read();
    const at = (seconds: number): string =>
      `${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)}Z mx postfix/smtpd[77]: connect from unknown[192.0.2.1]\n`;
    here.write(Array.from({ length: 10 }, (_, n) => at(3600 + n)));
    here.write(Array.from({ length: 30 }, (_, n) => at(5 * n)));
    await here.read();
    await until("the alert", WAIT_MS, () =>
      existsSync(here.told) && /"kind":"clock_fault"/.test(readFileSync(here.told, "utf8"))
        ? true
        : undefined,
    );
    // A new shape is news as ever.
    here.write(fullLines(30));
    await until("the alert of a full disk", WAIT_MS, () =>
      /"kind":"disk_full"/.test(readFileSync(here.told, "utf8")) ? true : undefined,
    );
    assert.equal(await daemon.end("SIGTERM"), 0);
    const next = here.start();
    here.write(someLines(5));
    await here.read();
    assert.equal(await next.end("SIGTERM"), 0);
    assert.deepEqual([...new Set(here.keys())], here.keys());
  });

  test("goes on with another model as soon as one is in use, and back after a rollback, and tells nothing twice", async () => {
    const here = new Watched("another");
    const daemon = here.start();
    const keys = await here.settled();
    assert.ok(keys.length >= 2);
    const half = join(dir, "half.log");
    cpSync(join(dir, "past.log"), half);
    appendFileSync(half, today.slice(0, 200).join(""));
    const args = ["train", half, "--timezone", "UTC", "--state", here.state, "--quiet"];
    const trained = await program("bin/logvane.js", args);
    assert.equal(trained.status, 0, trained.stderr);
    await until("the change", WAIT_MS, () =>
      /another model is in use now, going on with that/.test(daemon.said) ? true : undefined,
    );
    here.write(someLines(20));
    assert.deepEqual(await here.settled(), keys);
    const rolled = await program("bin/logvane.js", ["model", "rollback", "--state", here.state]);
    assert.equal(rolled.status, 0, rolled.stderr);
    await until("the change back", WAIT_MS, () =>
      daemon.said.split("another model is in use now, going on with that").length > 2 ? true : undefined,
    );
    here.write(someLines(20));
    assert.deepEqual(await here.settled(), keys);
    assert.equal(await daemon.end("SIGTERM"), 0);
  });

  test(`counts all of ${MANY_PER_S} lines a second for ${MANY_S} s`, async () => {
    const here = new Watched("many");
    const daemon = here.start();
    await here.read();
    const [cpu, waited] = [daemon.cpuS(), daemon.waitedS()];
    const begun = performance.now();
    for (let second = 0; second < MANY_S; second++) {
      const stamp = `${new Date().toISOString().slice(0, 19)}Z`;
      const from = (second * MANY_PER_S) % today.length;
      const batch = Array.from(
        { length: MANY_PER_S },
        (_, i) => stamp + today[(from + i) % today.length]!.slice(stamp.length),
      );
      for (let part = 0; part < 10; part++) {
        here.write(batch.slice((part * MANY_PER_S) / 10, ((part + 1) * MANY_PER_S) / 10));
        await sleep(Math.max(0, begun + (second + (part + 1) / 10) * 1000 - performance.now()));
      }
    }
    const written = performance.now();
    await here.read();
    const behind = (performance.now() - written) / 1000;
    const share = (seconds: number): string =>
      ((100 * seconds) / ((performance.now() - begun) / 1000)).toFixed(0);
    const memory = daemon.memory() / MIB;
    console.log(
      `${MANY_PER_S} lines a second for ${MANY_S} s: ${share(daemon.cpuS() - cpu)} % of a core (and ${share(daemon.waitedS() - waited)} % of the time waited for one), ${memory.toFixed(0)} MiB, read ${behind.toFixed(1)} s after the last was written`,
    );
    assert.ok(memory < MAX_MIB, `${memory} MiB`);
    assert.equal(await daemon.end("SIGTERM"), 0);
  });
});
