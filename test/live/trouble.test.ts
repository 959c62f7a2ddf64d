import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openStore } from "../../src/store/queries.ts";
import { program } from "../e2e/support.ts";
import { until, waiting, writeSettings } from "./daemon.ts";
import { dir, fourParts, fullLines, learn, someLines, tidy, today, WAIT_MS, Watched } from "./watched.ts";

/** LOGVANE_LONG=1 for a minute of many lines (npm run e2e:live). */
const LONG = process.env["LOGVANE_LONG"] === "1";
const MANY_S = LONG ? 60 : 10;
const MANY_PER_S = 10_000;
/** What is being sent has five seconds; the rest is for a busy machine. */
const END_MS = 20_000;
/** A flood of lines, with an attack in it, takes no memory of its own. */
const MAX_MIB = 200;
const MIB = 1 << 20;

before(learn);
after(() => tidy());

/** What a watch has written of sources that it can't see, once there are any; with `text`, what it finds instead. */
function blindMark(state: string, text?: string): string | undefined {
  const store = openStore(state);
  try {
    if (text !== undefined) store.outbox.setMark("watch.blind", text);
    const mark = store.outbox.mark("watch.blind") ?? "";
    return mark.includes("since") ? mark : undefined;
  } finally {
    store.close();
  }
}

suite("a watch in trouble", { concurrency: true, timeout: 600_000 }, () => {
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

  test("that has not seen its log for five minutes tells so beside the mail, over a restart, and when it is back", async () => {
    const here = new Watched("blind");
    const mail = `[mail]\nto = ["root@mx.example"]\nvia = "smtp"\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\n`;
    writeSettings(here.config, here.log, here.told, `when = "fallback"\n${mail}`);
    const first = here.start();
    await here.read();
    const aside = `${here.log}.aside`;
    renameSync(here.log, aside);
    mkdirSync(here.log);
    const mark = await until("it is noticed", WAIT_MS, () => blindMark(here.state));
    await first.end("SIGKILL");
    // Six minutes go by.
    blindMark(
      here.state,
      mark.replace(/"since":(\d+)/, (_, at) => `"since":${Number(at) - 360_000}`),
    );
    const daemon = here.start();
    const blind = (event: string): string[] => here.keys("blind").filter((key) => key.endsWith(event));
    await until("the alert", WAIT_MS, () => (blind("opened").length > 0 ? true : undefined));
    assert.ok(waiting(here.state) > 0, "the mail can't be sent");
    rmdirSync(here.log);
    renameSync(aside, here.log);
    await until("its end", WAIT_MS, () => (blind("closed").length > 0 ? true : undefined));
    here.write(someLines(3));
    await here.read();
    assert.equal(await daemon.end("SIGTERM"), 0);
    assert.equal(blind("").length, 2);
  });

  test("that is told to end does so, and the next one reads nothing twice", async () => {
    const here = new Watched("ended");
    const first = here.start();
    const keys = await here.settled();
    assert.ok(keys.length >= 2, "the faults of the day");
    const asked = performance.now();
    assert.equal(await first.end("SIGTERM"), 0);
    assert.ok(performance.now() - asked < END_MS);
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
