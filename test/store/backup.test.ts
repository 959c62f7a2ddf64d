import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { Fault } from "../../src/fault.ts";
import { createRandom } from "../../src/math/random.ts";
import { writeBackup } from "../../src/store/backup.ts";
import { databasePath, lockFolder, openDatabase } from "../../src/store/db.ts";
import { SCHEMA_VERSION } from "../../src/store/migrations.ts";
import { restoreBackup } from "../../src/store/restore.ts";
import { alertIds, dump, fill, remade, sha256, withState } from "./backup-support.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-backup-"));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const path = (): string => join(root, `p${++count}`);

const source = path();
fill(source);
const file = path();
const manifest = await writeBackup(source, file, { release: "9.9", now: Date.UTC(2026, 8, 21) });
const backup = readFileSync(file);

async function refused(exit: string, what: RegExp, act: () => Promise<unknown>): Promise<void> {
  await assert.rejects(act, (error) => {
    assert.ok(error instanceof Fault, String(error));
    assert.equal(error.exit, exit, error.message);
    assert.match(error.message, what);
    return true;
  });
}

/** Restores these bytes over a state of its own, and holds that state to be as it was. */
async function refusedBytes(bytes: Buffer, exit: string, what: RegExp): Promise<void> {
  const [dir, at] = [path(), path()];
  withState(dir, (db) => db.exec("INSERT INTO marks (name, value) VALUES ('mine', 'x')"));
  writeFileSync(at, bytes);
  const before = dump(dir);
  await refused(exit, what, () => restoreBackup(at, dir, true));
  assert.equal(dump(dir), before);
  assert.deepEqual(readdirSync(dir).sort(), ["logvane.db", "watch.lock"]);
}

suite("a backup", () => {
  test("is one file for its owner alone, with nothing left beside it", () => {
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(
      readdirSync(root).filter((name) => /\.(db|new)$/.test(name)),
      [],
    );
  });
  test("says in its first line what it is, and holds the database behind it", () => {
    const whole = gunzipSync(backup);
    const end = whole.indexOf(10);
    assert.deepEqual(JSON.parse(whole.subarray(0, end).toString()), manifest);
    const { logvane, release, schema, created, bytes } = manifest;
    assert.deepEqual([logvane, release, schema], ["backup", "9.9", SCHEMA_VERSION]);
    assert.equal(created, "2026-09-21T00:00:00.000Z");
    const database = whole.subarray(end + 1);
    assert.equal(database.subarray(0, 15).toString(), "SQLite format 3");
    assert.deepEqual([database.length, sha256(database)], [bytes, manifest.sha256]);
  });
  test("restores every row of every table into a new folder", async () => {
    const dir = path();
    const { kept } = await restoreBackup(file, dir, false);
    assert.equal(kept, undefined);
    assert.equal(dump(dir), dump(source));
    assert.equal(statSync(databasePath(dir)).mode & 0o777, 0o600);
  });
  test("holds what was committed and nothing of a transaction that goes on", async () => {
    const dir = path();
    fill(dir);
    const before = dump(dir);
    const at = path();
    const db = openDatabase(dir);
    db.exec("BEGIN IMMEDIATE; DELETE FROM models; DELETE FROM alerts");
    await writeBackup(dir, at, { release: "1", now: 0 });
    db.exec("COMMIT");
    db.close();
    const restored = path();
    await restoreBackup(at, restored, false);
    assert.equal(dump(restored), before);
  });
  test("takes the place of an earlier one, or leaves that whole", async () => {
    const at = path();
    writeFileSync(at, "earlier");
    await writeBackup(source, at, { release: "1", now: 0 });
    assert.notEqual(readFileSync(at, "latin1").slice(0, 7), "earlier");
    await refused("io", /cannot write the backup \(ENOENT\)/, () =>
      writeBackup(source, join(root, "none", "x"), { release: "1", now: 0 }),
    );
  });
  test("of a folder without state is refused, and makes none", async () => {
    const dir = path();
    await refused("noInput", /no state/, () => writeBackup(dir, path(), { release: "1", now: 0 }));
    assert.equal(existsSync(dir), false);
  });
});

suite("restoring over a state", () => {
  test("asks for force, and keeps what was there, each time", async () => {
    const dir = path();
    withState(dir, (db) =>
      db.exec("INSERT INTO alerts (id, opened_at, record) VALUES ('old', 1, '{\"id\":\"old\"}')"),
    );
    await refused("configuration", /a state already/, () => restoreBackup(file, dir, false));
    assert.deepEqual(alertIds(dir), ["old"]);
    const { kept } = await restoreBackup(file, dir, true);
    assert.deepEqual(alertIds(dir), ["aaaa"]);
    assert.equal(kept, `${databasePath(dir)}.before-restore`);
    const again = await restoreBackup(file, dir, true);
    assert.equal(again.kept, `${databasePath(dir)}.before-restore2`);
    const old = path();
    mkdirSync(old, { mode: 0o700 });
    copyFileSync(kept, databasePath(old));
    assert.deepEqual(alertIds(old), ["old"]);
  });
  test("of which the database is damaged works as well", async () => {
    const dir = path();
    fill(dir);
    writeFileSync(databasePath(dir), "no database ".repeat(500));
    writeFileSync(`${databasePath(dir)}-wal`, "neither");
    await restoreBackup(file, dir, true);
    assert.equal(dump(dir), dump(source));
    assert.match(readFileSync(`${databasePath(dir)}.before-restore`, "latin1"), /^no database/);
    const broken = path();
    fill(broken);
    const bytes = readFileSync(databasePath(broken));
    bytes.fill(0xff, 4096, 20_000);
    writeFileSync(databasePath(broken), bytes);
    await restoreBackup(file, broken, true);
    assert.equal(dump(broken), dump(source));
  });
  test("that is watched is refused", async () => {
    const dir = path();
    fill(dir);
    const before = dump(dir);
    const lock = lockFolder(dir)!;
    await refused("temporary", /another logvane watches/, () => restoreBackup(file, dir, true));
    lock.close();
    assert.equal(dump(dir), before);
  });
  test("that another command has open is refused", { timeout: 60_000 }, async () => {
    const dir = path();
    fill(dir);
    const db = openDatabase(dir);
    await refused("temporary", /another command/, () => restoreBackup(file, dir, true));
    db.close();
    await restoreBackup(file, dir, true);
  });
});

suite("a file that is no sound backup", () => {
  test("cut anywhere is refused", async () => {
    const random = createRandom(3);
    const lengths = [0, 1, 9, 10, 30, backup.length - 8, backup.length - 1];
    for (let i = 0; i < 20; i++) lengths.push(random.int(backup.length));
    for (const length of lengths)
      await refusedBytes(backup.subarray(0, length), "badData", /is damaged|no backup/);
  });
  test("with a changed byte is refused", async () => {
    const random = createRandom(4);
    for (let i = 0; i < 40; i++) {
      const bytes = Buffer.from(backup);
      const at = 10 + random.int(bytes.length - 10); // before that a gzip head, of which not all matters
      bytes[at] = bytes[at]! ^ (1 << random.int(8));
      await refusedBytes(bytes, "badData", /is damaged|no backup/);
    }
  });
  test("is refused with a checksum that fits, but no sound database", async () => {
    const zeros = remade(backup, (m, database) => {
      const changed = Buffer.from(database);
      changed.fill(0, 4096, 12_288);
      m["sha256"] = sha256(changed);
      return changed;
    });
    await refusedBytes(zeros, "badData", /is damaged: /);
    const text = remade(backup, (m, database) => {
      const changed = Buffer.alloc(database.length, "no database ");
      m["sha256"] = sha256(changed);
      return changed;
    });
    await refusedBytes(text, "badData", /is damaged: /);
  });
  test("is refused where it is longer than it says, before all of it is written", async () => {
    const bomb = remade(backup, (_, database) => Buffer.concat([database, Buffer.alloc(50_000_000)]));
    await refusedBytes(bomb, "badData", /longer than it says/);
  });
  test("is refused where it is something else", async () => {
    for (const bytes of [Buffer.from("text\n"), gzipSync("no JSON\n"), gzipSync('{"a":1}\n')])
      await refusedBytes(bytes, "badData", /no backup of Logvane/);
    await refusedBytes(gzipSync("null\n"), "badData", /no backup/);
    await refusedBytes(gzipSync(Buffer.alloc(100_000, "x")), "badData", /no backup/);
    await refused("noInput", /ENOENT/, () => restoreBackup(path(), path(), true));
    await refused("noInput", /not a file/, () => restoreBackup(root, path(), true));
  });
});

suite("a backup of another release", () => {
  test("that is newer is refused", async () => {
    const newer = remade(backup, (m) => void Object.assign(m, { schema: 99 }));
    await refusedBytes(newer, "configuration", /newer Logvane .*schema 99/);
    const other = remade(backup, (m) => void Object.assign(m, { format: 2 }));
    await refusedBytes(other, "configuration", /newer Logvane \(format 2/);
  });
  test("whose database is newer than it says is refused", async () => {
    const lies = remade(backup, (m, database) => {
      const changed = Buffer.from(database);
      changed.writeUInt32BE(99, 60); // user_version, "Database Header" of SQLite's file format
      m["sha256"] = sha256(changed);
      return changed;
    });
    await refusedBytes(lies, "configuration", /schema 99/);
  });
  test("that is older is brought to this release's schema", async () => {
    const dir = path();
    fill(dir);
    const later = withState(dir, (db) => {
      const watch = ["checkpoint", "inputs", "positions", "counters", "days", "figures", "new_templates"];
      const rest = ["outbox", "warm_states", "marks", "switches", "feedback", "calendar", "used_links"];
      for (const name of [...watch, ...rest]) db.exec(`DROP TABLE ${name}`);
      db.exec("ALTER TABLE alerts DROP COLUMN model");
      db.pragma("user_version = 1");
      db.pragma("journal_mode = DELETE");
      return readFileSync(databasePath(dir));
    });
    const older = remade(backup, (m) => {
      Object.assign(m, { schema: 1, bytes: later.length, sha256: sha256(later) });
      return later;
    });
    const at = path();
    writeFileSync(at, older);
    const restored = path();
    await restoreBackup(at, restored, false);
    assert.deepEqual(alertIds(restored), ["aaaa"]);
    withState(restored, (db) => {
      assert.equal(db.pragma("user_version", { simple: true }), SCHEMA_VERSION);
      assert.deepEqual(db.prepare("SELECT count(*) AS n FROM outbox").get(), { n: 0 });
    });
  });
});
