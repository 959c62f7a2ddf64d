import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { openStore } from "../../src/store/queries.ts";
import { makeReserve } from "../../src/store/retention.ts";
import { logvane } from "../faults/support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-doctor-"));
after(() => rmSync(root, { recursive: true, force: true }));

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const now = Date.now();

type Check = {
  readonly name: string;
  readonly status: string;
  readonly found: string;
  readonly remedy?: string;
};

function checks(dir: string): Record<string, Check> {
  const { stdout } = logvane(["doctor", "--json", "--state", dir]);
  const list = JSON.parse(stdout).checks as Check[];
  return Object.fromEntries(list.map((check) => [check.name, check]));
}

/** A state that a watch left so long ago. */
function state(name: string, ageMs: number, lost: number): string {
  const dir = join(root, name);
  const store = openStore(dir);
  store.saveModel({ id: "m", createdAt: now - ageMs, header: {}, blob: Uint8Array.of(1) });
  store.live.commit({
    ...{ inputs: [], positions: new Map(), alerts: [], templates: [] },
    days: new Map([["2026-11-28", { lines: 1_500_000, lost }]]),
    notifications: [{ key: "k", payload: {}, channels: ["mail", "hook"] }],
    checkpoint: { model: "m", logTime: now - ageMs, blob: Uint8Array.of(1) },
    now: now - ageMs,
  });
  const row = store.outbox.first("hook")!;
  if (lost > 0) store.outbox.markGivenUp(row.id, now - HOUR_MS, "no");
  else store.outbox.markSent(row.id, now);
  store.close();
  return dir;
}

suite("doctor of a state", () => {
  test("tells its size by lines, ages, and how long things are kept", () => {
    const found = checks(state("fresh", 20 * 60_000, 0));
    assert.match(found["size"]!.found, /^0\.\d MB, 1,500,000 lines counted, 0\.\d MB for a million lines$/);
    assert.equal(found["lost"]!.found, "0 lines lost in the last two days");
    assert.equal(
      found["outbox"]!.found,
      "1 notifications wait, the first for 20 min; 0 given up in the last week",
    );
    assert.equal(found["model"]!.found, "learned until 20 min ago");
    assert.equal(found["checkpoint"]!.found, "of log time 20 min ago");
    assert.match(found["keep"]!.found, /^alerts \d+ days, their lines \d+, notifications \d+$/);
    for (const name of ["size", "lost", "outbox", "model", "checkpoint", "keep"])
      assert.deepEqual([found[name]!.status, found[name]!.remedy], ["ok", undefined], name);
  });
  test("does not count the reserve among what lines take", () => {
    const dir = state("reserve", 20 * 60_000, 0);
    makeReserve(dir);
    assert.match(
      checks(dir)["size"]!.found,
      /^0\.\d MB and a reserve of 8\.4 MB, 1,500,000 lines counted, 0\.\d MB for a million lines$/,
    );
  });
  test("says what to do where something is off", () => {
    const found = checks(state("old", 30 * DAY_MS, 12));
    assert.equal(
      found["outbox"]!.found,
      "1 notifications wait, the first for 30 days; 1 given up in the last week",
    );
    const remedies = {
      lost: /journalctl/,
      outbox: /--send-test/,
      model: /retrain/,
      checkpoint: /schedule show/,
    };
    for (const [name, remedy] of Object.entries(remedies)) {
      assert.equal(found[name]!.status, "warn", name);
      assert.match(found[name]!.remedy!, remedy);
    }
  });
  test("of an empty one says that there is no model, and of none nothing", () => {
    const dir = join(root, "empty");
    openStore(dir).close();
    assert.match(checks(dir)["model"]!.remedy!, /logvane train/);
    assert.equal(checks(join(root, "none"))["model"], undefined);
  });
});
