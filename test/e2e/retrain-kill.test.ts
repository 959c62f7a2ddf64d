import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "../../src/math/random.ts";
import { openDatabase } from "../../src/store/db.ts";
import { openStore } from "../../src/store/queries.ts";
import { composedLog } from "../live/log.ts";
import { needsNamespaces } from "../support/need.ts";
import { type Finished, program } from "./support.ts";

/** LOGVANE_KILLS=200 for the whole stress (npm run stress:retrain). */
const KILLS = Number(process.env["LOGVANE_KILLS"] ?? 2);
const DAYS = 7;
const MAILS = 80;
const FLAGS = ["--timezone", "UTC", "--quiet"];

const dir = mkdtempSync(join(tmpdir(), "logvane-retrain-kill-"));
const log = join(dir, "mail.log");
const base = join(dir, "base");
const random = createRandom(Date.now() % 65_536);
const RETRAIN = ["retrain", log, ...FLAGS, "--state"];

/** What is in use, and what the last retraining said; all that belongs to the model is whole, or this throws. */
function stateOf(state: string): { id: string; mark: { model: string; promoted: boolean } | undefined } {
  const db = openDatabase(state);
  assert.equal(db.pragma("integrity_check", { simple: true }), "ok");
  db.close();
  const store = openStore(state);
  try {
    const { id } = store.champion()!;
    assert.ok(store.warmState(id));
    assert.equal(store.switches().at(-1)!.model, id);
    const mark = store.outbox.mark("retrained");
    return { id, mark: mark === undefined ? undefined : JSON.parse(mark) };
  } finally {
    store.close();
  }
}

let first: string;
/** How long a retraining takes here, in ms. */
let whole: number;

before(async () => {
  // The log ends five days after the end of the first training.
  const { past, today } = composedLog(Date.UTC(2026, 8, 20), DAYS, MAILS);
  const lines = [...past.split(/(?<=\n)/), ...today];
  writeFileSync(
    join(dir, "past.log"),
    lines.slice(0, Math.floor((3.2 / (DAYS + 1)) * lines.length)).join(""),
  );
  writeFileSync(log, lines.join(""));
  const trained = await program("bin/logvane.js", [
    "train",
    join(dir, "past.log"),
    ...FLAGS,
    "--state",
    base,
  ]);
  assert.equal(trained.status, 0, trained.stderr);
  first = stateOf(base).id;
});
after(() => rmSync(dir, { recursive: true, force: true }));

const retrained = (state: string): Promise<Finished> => program("bin/logvane.js", [...RETRAIN, state]);

suite(`a retraining that is killed ${KILLS} times`, { timeout: 7_200_000 }, () => {
  test("ends by itself with a new model, and is judged by faults that are put in", async () => {
    const state = join(dir, "whole");
    cpSync(base, state, { recursive: true });
    const began = performance.now();
    const { status, stderr, stdout } = await retrained(state);
    whole = performance.now() - began;
    assert.equal(status, 0, stderr);
    assert.match(stdout.toString("utf8"), /^put in +\d+ faults: \d+ found/m);
    const { id, mark } = stateOf(state);
    assert.deepEqual([mark?.promoted, mark?.model], [id !== first, id]);
  });

  test("leaves the former model in use or the new one, each whole, and never something between", async () => {
    const state = join(dir, "killed");
    let early = 0;
    cpSync(base, state, { recursive: true });
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(process.execPath, ["bin/logvane.js", ...RETRAIN, state], { stdio: "ignore" });
      const closed = once(child, "close");
      // Most while it learns, many while it writes: that is at the end.
      const share = random.uniform() < 0.5 ? random.uniform() : 0.85 + 0.2 * random.uniform();
      await Promise.race([sleep(share * whole), closed]);
      child.kill("SIGKILL");
      await closed;
      const { id, mark } = stateOf(state);
      if (mark === undefined) {
        assert.equal(id, first);
        early++;
        continue;
      }
      assert.deepEqual([mark.promoted, mark.model], [id !== first, id]);
      rmSync(state, { recursive: true });
      cpSync(base, state, { recursive: true });
    }
    assert.ok(KILLS < 20 || early > 0, "some were killed before their end");
  });
});

suite("a retraining whose disk is full", { timeout: 600_000 }, () => {
  test(
    "says so, leaves the model in use, and goes through when there is room",
    needsNamespaces("dd"),
    async () => {
      const small = join(dir, "small");
      mkdirSync(small);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", small]);
      try {
        const state = join(small, "state");
        cpSync(base, state, { recursive: true });
        writeFileSync(join(small, "room"), Buffer.alloc(150_000));
        try {
          execFileSync("dd", ["if=/dev/zero", `of=${join(small, "ballast")}`, "bs=4k"], { stdio: "ignore" });
        } catch {
          // until there is no room
        }
        rmSync(join(small, "room"));
        const { status, stderr } = await retrained(state);
        assert.equal(status, 74, stderr);
        assert.match(stderr, /^error +the disk is full/m);
        assert.deepEqual(stateOf(state), { id: first, mark: undefined });
        rmSync(join(small, "ballast"));
        assert.equal((await retrained(state)).status, 0);
        assert.ok(stateOf(state).mark);
      } finally {
        execFileSync("umount", ["-l", small]);
      }
    },
  );
});
