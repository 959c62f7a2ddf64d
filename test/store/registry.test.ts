import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { openDatabase } from "../../src/store/db.ts";
import { openStore, type Store } from "../../src/store/queries.ts";
import type { How } from "../../src/store/switches.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-registry-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = (): string => join(root, `state${++folders}`);

const model = (id: string, createdAt = 1) => ({
  id,
  createdAt,
  header: { id },
  blob: new TextEncoder().encode(id),
});
const by = (how: How, reason = "because") => ({ how, reason, at: 5 });
const ids = (store: Store): string[] => store.listModels().map(({ id }) => id);

/** A state with models of these ids, each put in use after the one before. */
function withModels(dir: string, ...names: string[]): Store {
  const store = openStore(dir);
  for (const [i, name] of names.entries()) store.saveModel(model(name, i));
  return store;
}

suite("a model in the registry", () => {
  test("never changes: the same is saved again as it was, another of its id is not", () => {
    const store = withModels(folder(), "a", "b");
    store.saveModel({ ...model("a"), header: { changed: true } });
    assert.deepEqual(store.champion()?.header, { id: "a" });
    assert.throws(() => store.saveModel({ ...model("a"), blob: Uint8Array.of(9) }), RangeError);
    store.close();
  });
  test("may be kept out of use", () => {
    const store = withModels(folder(), "a");
    assert.ok(store.saveModel(model("refused", 9), { warm: Uint8Array.of(4), use: false }));
    assert.equal(store.championId(), "a");
    assert.deepEqual([ids(store), store.warmState("refused")], [["refused", "a"], Uint8Array.of(4)]);
    store.close();
  });
});

suite("a switch by hand", () => {
  test("puts a kept model in use, and is written down with its reason", () => {
    const store = withModels(folder(), "a", "b");
    assert.ok(store.useModel("a", by("promote", "b is deaf"), "b"));
    assert.equal(store.championId(), "a");
    assert.equal(store.former(), "b");
    assert.deepEqual(store.switches().at(-1), { model: "a", how: "promote", reason: "b is deaf", at: 5 });
    store.close();
  });
  test("does nothing for a model that is gone, or when another one came into use meanwhile", () => {
    const store = withModels(folder(), "a", "b", "c");
    assert.equal(store.useModel("x", by("promote")), false);
    assert.equal(store.useModel("a", by("promote"), "b"), false);
    assert.equal(store.rollBack("b", "why", 1), undefined);
    assert.equal(store.championId(), "c");
    store.close();
  });
});

suite("a rollback", () => {
  test("goes back further each time, to the first model and no further", () => {
    const store = withModels(folder(), "a", "b", "c");
    assert.equal(store.rollBack("c", "why", 1), "b");
    assert.equal(store.rollBack("b", "why", 1), "a");
    assert.equal(store.rollBack("a", "why", 1), undefined);
    assert.equal(store.championId(), "a");
    store.saveModel(model("d", 9));
    assert.equal(store.former(), "a");
    store.close();
  });
  test("passes over models that were removed", () => {
    const dir = folder();
    const store = withModels(dir, "a", "b", "c");
    const db = openDatabase(dir);
    db.prepare("DELETE FROM models WHERE id = 'b'").run();
    db.close();
    assert.equal(store.rollBack("c", "why", 1), "a");
    store.close();
  });
  test("knows the model of a state that was made before switches were written down", () => {
    const dir = folder();
    withModels(dir, "a").close();
    const db = openDatabase(dir);
    for (const name of ["switches", "feedback", "calendar", "used_links"]) db.exec(`DROP TABLE ${name}`);
    db.exec("ALTER TABLE alerts DROP COLUMN model; PRAGMA user_version = 2");
    db.close();
    const store = openStore(dir);
    store.saveModel(model("b", 2));
    assert.equal(store.former(), "a");
    store.close();
  });
});

suite("a pruning of models", () => {
  const alert = (id: string, closedAt: string | null, held = false) => ({
    ...{ id, opened_at: "2026-09-21T00:00:00Z", closed_at: closedAt, held },
  });
  test("removes the oldest, never the one in use, the one before, and one of which an incident is open", () => {
    const store = withModels(folder(), "a", "b", "c", "d");
    for (const name of ["b", "a", "c", "d", "e", "f"]) {
      store.saveModel(model(name, name.charCodeAt(0)));
      if (name === "a") store.saveAlerts([alert("open", null)]);
      if (name === "b")
        store.saveAlerts([alert("closed", "2026-09-21T01:00:00Z"), alert("held", null, true)]);
    }
    assert.deepEqual(store.pruneModels(0), {
      removed: ["d", "c", "b"],
      needed: [
        { id: "e", why: "in use before" },
        { id: "a", why: "an open incident is of it" },
      ],
    });
    assert.deepEqual(ids(store), ["f", "e", "a"]);
    store.close();
  });
  test("keeps as many of those out of use as it is asked to", () => {
    const store = withModels(folder(), "a", "b", "c", "d");
    assert.deepEqual(store.pruneModels(2).removed, ["a"]);
    store.close();
  });
});

suite("an alert", () => {
  test("belongs to the model that was in use when it opened, also when another one goes on with it", () => {
    const dir = folder();
    const store = withModels(dir, "a");
    const commit = (name: string, closed: string | null) =>
      store.live.commit({
        ...{ inputs: [], positions: new Map(), days: new Map(), templates: [], notifications: [], now: 1 },
        alerts: [{ id: "one", opened_at: "2026-09-21T00:00:00Z", closed_at: closed }],
        checkpoint: { model: name, logTime: 1, blob: Uint8Array.of(1) },
      });
    commit("a", null);
    commit("b", null);
    const db = openDatabase(dir);
    assert.deepEqual(db.prepare("SELECT model FROM alerts").all(), [{ model: "a" }]);
    db.close();
    store.close();
  });
});
