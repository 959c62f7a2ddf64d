import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { gunzipSync } from "node:zlib";

/** Our own lab log, four weeks; three of them are the past. */
const SAMPLE = "samples/quickstart.log.gz";
const UNTIL = "Sep 28 ";

const dir = mkdtempSync(join(tmpdir(), "logvane-train-"));
const state = join(dir, "state");
const flags = ["--timezone", "UTC", "--year", "2026", "--state", state, "--quiet"];
const logvane = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, ["bin/logvane.js", ...args], { encoding: "utf8", maxBuffer: 1 << 26 });

suite("a model that is kept", () => {
  after(() => rmSync(dir, { recursive: true, force: true }));

  test("is asked for by name when there is none", () => {
    const { status, stderr } = logvane("detect", SAMPLE, "--state", join(dir, "none"));
    assert.equal(status, 78);
    assert.match(stderr, /^error {3}there is no model yet\nwhere .*\neffect .*\ndo {6}learn one first/);
  });

  test("finds the faults of the week after it, and explain tells of each", () => {
    const lines = gunzipSync(readFileSync(SAMPLE)).toString("utf8").split("\n");
    const past = join(dir, "past.log");
    writeFileSync(
      past,
      `${lines
        .slice(
          0,
          lines.findIndex((l) => l.startsWith(UNTIL)),
        )
        .join("\n")}\n`,
    );
    const trained = logvane("train", past, ...flags);
    assert.equal(trained.status, 0, trained.stderr);
    assert.match(trained.stdout, /^model [0-9a-f]{12}: 2[01]\.\d days/);
    assert.equal(statSync(join(state, "logvane.db")).mode & 0o777, 0o600);
    const found = logvane("detect", SAMPLE, ...flags, "--format", "ndjson");
    assert.equal(found.status, 0, found.stderr);
    const alerts = found.stdout
      .trim()
      .split("\n")
      .map((l) => JSON.parse(l) as { id: string; kind: string; title: string });
    const kinds = new Set(alerts.map((a) => a.kind));
    for (const kind of ["bruteforce", "dns_failure", "account_compromised", "log_silence"])
      assert.ok(kinds.has(kind), kind);
    assert.ok(alerts.length <= 8, `${alerts.length} alerts in a week`);
    const loud = logvane("detect", SAMPLE, ...flags.filter((f) => f !== "--quiet"), "--format", "ndjson");
    assert.equal(loud.stdout, found.stdout);
    const ledger =
      /^(\d+) alerts, \d+ held back by the budget; 98204 lines read, (\d+) of them watched \(0 not understood, 0 without a readable time, 0 duplicates left out\)\n(\d+) lines from before the model's end were left out$/m.exec(
        loud.stderr,
      );
    const [counted, watched, before] = ledger!.slice(1).map(Number);
    assert.equal(counted, alerts.length);
    assert.equal(watched! + before!, 98_204);
    assert.equal(
      before,
      lines.findIndex((l) => l.startsWith(UNTIL)), // each line is learned or watched, none is both
    );
    const told = logvane("explain", alerts[0]!.id, "--state", state, "--json");
    assert.equal((JSON.parse(told.stdout) as { title: string }).title, alerts[0]!.title);
  });
});
