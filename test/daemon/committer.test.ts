import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { Committer } from "../../src/daemon/committer.ts";
import type { Drained, Engine } from "../../src/engine/engine.ts";
import { Fault } from "../../src/fault.ts";
import type { Effects } from "../../src/store/live.ts";
import { openStore, type Store } from "../../src/store/queries.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-committer-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

const full = (): Fault =>
  new Fault(
    "io",
    "the disk is full (SQLITE_FULL)",
    "db",
    "nothing was saved",
    "x, then run the command again",
  );
const NOTHING: Drained = {
  inputs: [],
  positions: new Map(),
  alerts: [],
  told: [],
  days: new Map(),
  templates: [],
};
const linesOf = (n: number): Drained => ({ ...NOTHING, days: new Map([["2026-11-29", { lines: n }]]) });

/** A committer whose disk has room or not, for what comes from the engine, and what it wrote. */
function committerOf() {
  const dir = join(root, `state${++folders}`);
  const store = openStore(dir);
  const it = {
    dir,
    /** Writes that fail from now on. */
    failing: 0,
    drained: NOTHING,
    written: [] as Effects[],
    marks: [] as string[],
    faults: [] as Fault[],
  };
  const fail = (): void => {
    if (it.failing > 0) {
      it.failing--;
      throw full();
    }
  };
  const live = {
    ...store.live,
    commit: (effects: Effects) => {
      fail();
      it.written.push(effects);
    },
  };
  const outbox = {
    ...store.outbox,
    setMark: (name: string) => {
      fail();
      it.marks.push(name);
    },
  };
  const engine = {
    drain: () => {
      const { drained } = it;
      it.drained = NOTHING;
      return drained;
    },
  } as unknown as Engine;
  const committer = new Committer({
    store: { ...store, live, outbox } as Store,
    engine,
    follower: { committed: () => undefined },
    channels: [],
    stateDir: dir,
    now: Date.now,
    fault: (fault) => it.faults.push(fault),
  });
  return { it, committer, reserve: (): boolean => existsSync(join(dir, "reserve")) };
}

suite("what is read, where the disk is full", () => {
  test("is written once the reserve is given back", () => {
    const { it, committer, reserve } = committerOf();
    assert.ok(reserve());
    Object.assign(it, { failing: 1, drained: linesOf(3) });
    assert.ok(committer.commit(false));
    assert.ok(!reserve());
    assert.equal(it.written.length, 1);
    assert.match(it.faults[0]!.effect, /reading pauses until this can be written/);
    assert.match(it.faults[0]!.remedy, /watching goes on by itself$/);
  });

  test("waits where the reserve was not enough, is told of once, and is written once", () => {
    const { it, committer } = committerOf();
    Object.assign(it, { failing: 4, drained: linesOf(3) });
    for (let n = 0; n < 3; n++) {
      assert.ok(!committer.commit(false));
      assert.ok(committer.stuck);
    }
    assert.equal(it.faults.length, 1);
    assert.ok(committer.commit(false));
    assert.ok(!committer.stuck);
    assert.deepEqual(
      it.written.map(({ days }) => [...days.values()]),
      [[{ lines: 3 }]],
    );
  });

  test("is no reason to end: a mark that can't be written leaves the reserve to what counts", () => {
    const { it, committer, reserve } = committerOf();
    it.failing = 2;
    const marks = new Map([["watch.alive", "now"]]);
    assert.ok(!committer.mark(marks));
    assert.ok(!committer.mark(marks));
    assert.equal(it.faults.length, 1);
    assert.ok(reserve());
    Object.assign(it, { failing: 1, drained: linesOf(1) });
    assert.ok(committer.commit(false), "by the reserve");
    assert.ok(committer.mark(marks));
    assert.deepEqual(it.marks, ["watch.alive"]);
  });

  test("keeps marks from being written before what they tell of", () => {
    const { it, committer } = committerOf();
    Object.assign(it, { failing: 2, drained: linesOf(1) });
    assert.ok(!committer.commit(false));
    assert.ok(!committer.mark(new Map([["watch.blind", "[]"]])));
    assert.deepEqual(it.marks, []);
  });
});
