import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { Fault } from "../../src/fault.ts";
import { databasePath, openDatabase } from "../../src/store/db.ts";
import { openStore, type StoredAlert, storeOf } from "../../src/store/queries.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-store-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = (): string => join(root, `state${++folders}`);

const alert = (id: string, hour: number): StoredAlert => ({
  id,
  opened_at: `2026-09-21T0${hour}:00:00.000Z`,
  title: `'; DROP TABLE alerts; -- ${id}`,
});
const fails = (exit: string, what: RegExp, act: () => unknown): void =>
  assert.throws(act, (error) => error instanceof Fault && error.exit === exit && what.test(error.message));

suite("a state folder", () => {
  test("is made for its owner alone", () => {
    const dir = folder();
    openStore(dir).close();
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    assert.equal(statSync(databasePath(dir)).mode & 0o777, 0o600);
  });
  test("keeps alerts over a restart and lists the newest first", () => {
    const dir = folder();
    const first = openStore(dir);
    first.saveAlerts([alert("aaa111", 1), alert("aab222", 3), alert("bbb333", 2)]);
    first.saveAlerts([{ ...alert("aaa111", 1), closed_at: null }]);
    first.close();
    const store = openStore(dir);
    assert.deepEqual(
      store.listAlerts(2).map((a) => a.id),
      ["aab222", "bbb333"],
    );
    assert.deepEqual(store.getAlert("aaa111"), { ...alert("aaa111", 1), closed_at: null });
    assert.equal(store.getAlert("b")?.id, "bbb333");
    assert.equal(store.getAlert("%"), undefined);
    assert.equal(store.getAlert(""), undefined);
    fails("usage", /several alerts/, () => store.getAlert("aa"));
    store.close();
  });
  test("saves none of the alerts when one is wrong", () => {
    const store = openStore(folder());
    assert.throws(() => store.saveAlerts([alert("a", 1), { id: "b", opened_at: "never" }]), RangeError);
    assert.deepEqual(store.listAlerts(9), []);
    store.close();
  });
  test("has one champion, the model saved last", () => {
    const store = openStore(folder());
    assert.equal(store.champion(), undefined);
    const model = { id: "m1", createdAt: 5, header: { columns: ["a"] }, blob: new Uint8Array([1, 2, 3]) };
    store.saveModel(model);
    store.saveModel({ ...model, id: "m2", createdAt: 9 });
    assert.deepEqual(store.champion(), { ...model, id: "m2", createdAt: 9 });
    store.saveModel(model);
    assert.equal(store.champion()?.id, "m1");
    store.close();
  });
});

suite("a state that cannot be used", () => {
  test("of text instead of a database is bad data", () => {
    const dir = folder();
    openStore(dir).close();
    writeFileSync(databasePath(dir), "no database ".repeat(500));
    fails("badData", /damaged/, () => openStore(dir));
  });
  test("with overwritten pages is bad data when they are read", () => {
    const dir = folder();
    const first = openStore(dir);
    first.saveAlerts([alert("a", 1)]);
    first.close();
    const bytes = readFileSync(databasePath(dir));
    bytes.fill(0xa5, 4096); // all pages but that of the schema
    writeFileSync(databasePath(dir), bytes);
    fails("badData", /damaged/, () => {
      const store = openStore(dir);
      try {
        store.listAlerts(9);
      } finally {
        store.close();
      }
    });
  });
  test("of a newer release is left alone", () => {
    const dir = folder();
    const db = openDatabase(dir);
    db.pragma("user_version = 99");
    db.close();
    const before = readFileSync(databasePath(dir));
    fails("configuration", /schema 99/, () => openStore(dir));
    assert.deepEqual(readFileSync(databasePath(dir)), before);
  });
  test("with a model whose bytes changed is bad data", () => {
    const dir = folder();
    const store = openStore(dir);
    store.saveModel({ id: "m", createdAt: 1, header: {}, blob: new Uint8Array([1]) });
    const db = openDatabase(dir);
    db.prepare("UPDATE models SET blob = x'02'").run();
    db.close();
    fails("badData", /model is damaged/, () => store.champion());
    store.close();
  });
  test("because a file is in its place is an I/O fault", () => {
    const file = join(root, "file");
    writeFileSync(file, "");
    fails("io", /cannot use the state folder/, () => openStore(file));
    fails("io", /cannot use the state folder/, () => openStore(join(file, "below")));
  });
  test("because the disk is full is an I/O fault and harms nothing", () => {
    const dir = folder();
    const store = openStore(dir);
    store.saveAlerts([alert("a", 1)]);
    store.close();
    const db = openDatabase(dir);
    db.pragma("max_page_count = 1"); // SQLite takes its present size and answers SQLITE_FULL beyond
    const full = storeOf(db, databasePath(dir));
    const big = "x".repeat(100_000);
    fails("io", /disk is full/, () => full.saveAlerts([{ ...alert("b", 2), summary: big }]));
    assert.deepEqual(full.listAlerts(9), [alert("a", 1)]);
    full.close();
  });
  test("because it may not be written is an I/O fault", () => {
    const dir = folder();
    openStore(dir).close();
    chmodSync(dir, 0o500);
    chmodSync(databasePath(dir), 0o400);
    const root = process.getuid?.() === 0; // may write anything, so it becomes nobody for a moment
    if (root) process.seteuid!(65534);
    try {
      fails("io", /cannot use the state folder/, () => openStore(dir));
    } finally {
      if (root) process.seteuid!(0);
      chmodSync(dir, 0o700);
    }
  });
});
