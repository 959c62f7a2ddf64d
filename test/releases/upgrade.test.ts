import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import Sqlite from "better-sqlite3";
import { databasePath } from "../../src/store/db.ts";
import { migrate, SCHEMA_VERSION } from "../../src/store/migrations.ts";
import { openStore, type StoredAlert } from "../../src/store/queries.ts";
import { logvane } from "../faults/support.ts";
import { changeCheckpoint, Left, RELEASES, type Tables, tablesOf } from "./support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-upgrade-"));
after(() => rmSync(root, { recursive: true, force: true }));
const folder = (name: string): string => mkdtempSync(join(root, `${name}-`));

/** Runs a verb that must succeed. Its standard output. */
function ran(...args: string[]): string {
  const { status, stdout, stderr } = logvane([...args, "--quiet"]);
  assert.equal(status, 0, stderr);
  return stdout;
}

const alertsOf = (state: string): StoredAlert[] => inStore(state, (store) => store.listAlerts(1000));
const linesIn = (state: string): number =>
  inStore(state, (store) => [...store.live.days().values()].reduce((sum, day) => sum + day.lines, 0));

function inStore<T>(state: string, ask: (store: ReturnType<typeof openStore>) => T): T {
  const store = openStore(state);
  try {
    return ask(store);
  } finally {
    store.close();
  }
}

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

test("the release in package.json has left a state behind", () => {
  assert.ok(RELEASES.includes(version), "node scripts/release-state.mjs makes it");
});

for (const release of RELEASES)
  suite(`the state that ${release} left behind`, { timeout: 600_000 }, () => {
    let left: Left;
    let was: Tables;
    const old = (): StoredAlert[] =>
      was.get("alerts")!.map(({ record }) => JSON.parse(String(record)) as StoredAlert);
    before(() => {
      left = new Left(release, folder(release));
      left.state("state");
      was = tablesOf(databasePath(left.path("state")));
    });

    test("is read by every verb", () => {
      assert.ok(old().length > 0);
      const flags = left.at("state");
      ran("config", "check", ...flags);
      const models = JSON.parse(ran("model", "list", "--json", ...flags)) as { id: string }[];
      assert.deepEqual(
        models.map(({ id }) => id),
        was.get("models")!.map(({ id }) => id),
      );
      assert.match(ran("model", "show", ...flags), /columns/);
      assert.deepEqual(JSON.parse(ran("alerts", "--json", ...flags)), old());
      const { id, opened_at, title } = old()[0]! as StoredAlert & { title: string };
      assert.ok(ran("explain", id, ...flags).includes(title.slice(0, 20)));
      const report = ran("report", "--date", opened_at.slice(0, 10), "--format", "json", ...flags);
      assert.ok(report.includes(id));
      const check = logvane(["check", "--send-test", "--json", ...flags]); // what waits is due at once
      const { checks } = JSON.parse(check.stdout) as { checks: { name: string; level: number }[] };
      assert.deepEqual(
        checks.filter(({ level }) => level > 2),
        [],
      );
    });

    test("goes on: every line is counted once, what waits is told once, and what was found stays", () => {
      const flags = left.at("state");
      const step = Math.ceil((left.lines.length - left.read) / 2);
      left.write(left.read + step);
      ran("detect", ...flags);
      assert.equal(linesIn(left.path("state")), left.read + step);
      left.write(left.lines.length);
      const { status, stderr } = logvane(["watch", "--once", ...flags]);
      assert.equal(status, 0, stderr);
      if (release === version) assert.doesNotMatch(stderr, /reads again/); // the checkpoint was taken up
      assert.equal(linesIn(left.path("state")), left.lines.length);
      const now = alertsOf(left.path("state"));
      for (const alert of old())
        assert.deepEqual(
          now.find(({ id }) => id === alert.id),
          alert,
        );
      assert.ok(now.length > old().length, "the full disk");
      const told = readFileSync(left.path("later/told"), "utf8").trimEnd().split("\n");
      const keys = told.map((line) => (JSON.parse(line) as { key: string }).key);
      const waited = was.get("outbox")!.filter(({ state }) => state === "waiting");
      assert.ok(waited.length > 0);
      for (const { key } of waited) assert.equal(keys.filter((k) => `${k} later` === key).length, 1);
      assert.deepEqual([...new Set(keys)], keys);
    });

    test("is learned from: retraining begins with its model", () => {
      const text = ran("retrain", left.path("past.log"), left.path("mail.log"), ...left.at("state"));
      assert.match(text, /model/);
    });

    for (const part of ["engine", "detector"] as const)
      test(`whose running ${part} was saved in another form goes on without it, and counts no line twice`, () => {
        const name = `other-${part}`;
        left.state(name);
        changeCheckpoint(left.path(name), (saved) => {
          (part === "engine" ? saved : saved.detector).version = 0;
        });
        const { status, stderr } = logvane(["watch", "--once", ...left.at(name)]);
        assert.equal(status, 0, stderr);
        assert.match(stderr, /saved by another release: the model reads again what came since its training/);
        assert.equal(linesIn(left.path(name)), left.lines.length);
        const now = alertsOf(left.path(name));
        for (const alert of old())
          assert.deepEqual(
            now.find(({ id }) => id === alert.id),
            alert,
          );
        assert.ok(now.length > old().length, "the full disk");
      });

    test("is restored from its backup", () => {
      ran("export", "--restore", left.backup, ...left.at("restored"));
      assert.deepEqual(alertsOf(left.path("restored")), old());
    });

    for (let schema = 0; schema < SCHEMA_VERSION; schema++)
      test(`is all there when it was kept in schema ${schema}, as far as that goes`, () => {
        const state = folder(`schema${schema}`);
        const db = new Sqlite(databasePath(state));
        db.pragma("foreign_keys = OFF"); // tables come in any order
        migrate(db, schema);
        const has = db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").pluck();
        const tables = new Map([...was].filter(([name]) => has.get(name) === 1));
        for (const [name, rows] of tables) {
          const columns = db.pragma(`table_info(${name})`) as { name: string }[];
          const names = columns.map((column) => column.name).filter((column) => column in (rows[0] ?? {}));
          const insert = `INSERT INTO ${name} (${names}) VALUES (${names.map((n) => `@${n}`)})`;
          for (const row of rows) db.prepare(insert).run(row);
        }
        db.close();
        inStore(state, (store) =>
          assert.equal(store.champion()?.id, schema > 0 ? was.get("models")![0]!["id"] : undefined),
        );
        const now = tablesOf(databasePath(state));
        for (const [name, rows] of tables)
          for (const [i, row] of rows.entries())
            for (const [column, value] of Object.entries(row))
              assert.deepEqual(now.get(name)?.[i]?.[column], value, `${name}.${column}`);
        assert.equal(ran("model", "list", "--json", "--state", state) === "[]\n", schema === 0);
      });
  });
