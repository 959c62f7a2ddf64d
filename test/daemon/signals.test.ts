import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { pathToFileURL } from "node:url";

const root = mkdtempSync(join(tmpdir(), "logvane-signals-"));
after(() => rmSync(root, { recursive: true, force: true }));
const told = join(root, "told");
const bin = join(root, "bin");
const MODULE = pathToFileURL(join(process.cwd(), "dist/src/daemon/signals.js")).href;

/** Runs statements on a SystemdNotify in a process of its own; what systemd-notify was given. */
function notified(statements: string, env: Readonly<Record<string, string>>): string[] {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    join(bin, "systemd-notify"),
    `#!/bin/sh\nprintf '%s|' "$@" >> '${told}'; echo >> '${told}'\n`,
  );
  chmodSync(join(bin, "systemd-notify"), 0o755);
  const script = `import { SystemdNotify } from ${JSON.stringify(MODULE)};
const notify = new SystemdNotify();
const pause = () => new Promise((done) => setTimeout(done, 300));
${statements}
await pause(); console.log(process.pid);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    env: { PATH: `${bin}:/usr/bin:/bin`, ...env },
  });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  const lines = existsSync(told) ? readFileSync(told, "utf8").trim().split("\n") : [];
  return lines.map((line) => line.replace(`--pid=${stdout.trim()}|`, "--pid=OURS|"));
}

suite("what systemd is told", () => {
  const SYSTEMD = { NOTIFY_SOCKET: "/run/systemd/notify" };
  test("is that the service is ready, with its status, and that it stops", () => {
    assert.deepEqual(notified('notify.ready("watching"); await pause(); notify.stopping();', SYSTEMD), [
      "--pid=OURS|READY=1|STATUS=watching|",
      "--pid=OURS|STOPPING=1|",
    ]);
  });
  test("is that it lives, twice in the watchdog's time", () => {
    const beats =
      "for (const s of [0, 29, 30, 45, 61]) { notify.alive(String(s), s * 1000); await pause(); }";
    assert.deepEqual(notified(beats, { ...SYSTEMD, WATCHDOG_USEC: "60000000" }), [
      "--pid=OURS|WATCHDOG=1|STATUS=0|",
      "--pid=OURS|WATCHDOG=1|STATUS=30|",
      "--pid=OURS|WATCHDOG=1|STATUS=61|",
    ]);
  });
  test("is an argument as it stands, not a shell's words", () => {
    assert.deepEqual(notified('notify.ready("$(id); `id`");', SYSTEMD), [
      "--pid=OURS|READY=1|STATUS=$(id); `id`|",
    ]);
  });
  test("is nothing where no systemd listens", () => {
    assert.deepEqual(notified('notify.ready("x"); notify.alive("x", 0); notify.stopping();', {}), []);
  });
  test("without the program is no fault", () => {
    const statements = 'process.env.PATH = "/nowhere"; notify.ready("x");';
    assert.deepEqual(notified(statements, SYSTEMD), []);
  });
});
