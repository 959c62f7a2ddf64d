import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openStore } from "../../src/store/queries.ts";
import { program } from "../e2e/support.ts";
import { logvane } from "../faults/support.ts";
import { composedLog } from "./log.ts";

const dir = mkdtempSync(join(tmpdir(), "logvane-live-backup-"));
after(() => rmSync(dir, { recursive: true, force: true }));
const pathOf = (name: string): string => join(dir, name);
const at = (state: string): string[] => ["--state", pathOf(state), "--config", pathOf("logvane.toml")];

function stateOf(state: string): { lines: number; alerts: readonly object[]; checkpoint: boolean } {
  const store = openStore(pathOf(state));
  try {
    const lines = [...store.live.days().values()].reduce((sum, day) => sum + day.lines, 0);
    return { lines, alerts: store.listAlerts(1000), checkpoint: store.live.checkpoint() !== undefined };
  } finally {
    store.close();
  }
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (what()) return;
    await sleep(100);
  }
  assert.fail("it did not come about within a minute");
}

suite("a backup while a watch runs", () => {
  test(
    "is written, is not restored over it, and goes on as the watch did",
    { timeout: 600_000 },
    async () => {
      const { past, today } = composedLog(Date.now(), 4, 500);
      writeFileSync(pathOf("past.log"), past);
      writeFileSync(pathOf("mail.log"), "");
      writeFileSync(
        pathOf("logvane.toml"),
        `[server]\nname = "mx.example"\n[log]\npaths = ["${pathOf("mail.log")}"]\ntimezone = "UTC"
[[channel]]\nname = "told"\ntype = "file"\npath = "${pathOf("told")}"\n`,
        { mode: 0o600 },
      );
      const trained = await program("bin/logvane.js", [
        "train",
        pathOf("past.log"),
        "--quiet",
        ...at("state"),
      ]);
      assert.equal(trained.status, 0, trained.stderr);

      const half = Math.floor(today.length / 2);
      const first = logvane(["watch", "--once", "--quiet", ...at("state")]);
      assert.equal(first.status, 0, first.stderr);
      appendFileSync(pathOf("mail.log"), today.slice(0, 100).join(""));
      assert.equal(logvane(["watch", "--once", "--quiet", ...at("state")]).status, 0);
      const begun = stateOf("state");
      assert.deepEqual([begun.lines, begun.checkpoint], [100, true]);

      const child = spawn(process.execPath, ["bin/logvane.js", "watch", "--quiet", ...at("state")], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      const ended = new Promise((done) => child.on("exit", done));
      try {
        appendFileSync(pathOf("mail.log"), today.slice(100, half).join(""));
        await until(() => stateOf("state").lines > 100);
        const written = logvane(["export", pathOf("backup"), "--json", ...at("state")]);
        assert.equal(written.status, 0, written.stderr);
        assert.equal(JSON.parse(written.stdout).logvane, "backup");
        const restored = logvane(["export", "--restore", pathOf("backup"), "--force", ...at("state")]);
        assert.equal(restored.status, 75);
        assert.match(restored.stderr, /^error {3}another logvane watches with this state\n/);
      } finally {
        child.kill("SIGTERM");
        assert.equal(await ended, 0);
      }
      const elsewhere = logvane(["export", "--restore", pathOf("backup"), ...at("other")]);
      assert.equal(elsewhere.status, 0, elsewhere.stderr);
      assert.match(elsewhere.stdout, /^restored .*other: [\d.]+ MB of state, of 20/);

      appendFileSync(pathOf("mail.log"), today.slice(half).join(""));
      for (const state of ["state", "other"]) {
        const { status, stderr } = await program("bin/logvane.js", [
          "watch",
          "--once",
          "--quiet",
          ...at(state),
        ]);
        assert.equal(status, 0, stderr);
      }
      const whole = stateOf("state");
      assert.equal(whole.lines, today.length);
      assert.ok(whole.alerts.length >= 2);
      assert.deepEqual(stateOf("other"), whole);
    },
  );
});
