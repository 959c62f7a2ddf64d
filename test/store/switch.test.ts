import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { createRandom } from "../../src/math/random.ts";
import { databasePath, openDatabase } from "../../src/store/db.ts";
import { openStore } from "../../src/store/queries.ts";

const root = mkdtempSync(join(tmpdir(), "logvane-switch-"));
after(() => rmSync(root, { recursive: true, force: true }));

const KILLS = 12;
const model = (id: string, createdAt = 1) => ({ id, createdAt, header: {}, blob: Uint8Array.of(1, 2, 3) });

suite("the switch to another model", () => {
  test("is whole or has not been, wherever the process is killed", async () => {
    const random = createRandom(Date.now() % 65_536);
    const dir = join(root, "killed");
    for (let i = 0; i < KILLS; i++) {
      const child = spawn(process.execPath, [join(import.meta.dirname, "switching.js"), dir]);
      await once(child.stdout, "data");
      await setTimeout(400 * random.uniform());
      child.kill("SIGKILL");
      await once(child, "close");
      const store = openStore(dir);
      const { id, blob } = store.champion()!; // its checksum is right, or this throws
      const warm = store.warmState(id)!;
      assert.equal(warm[0], (blob[0]! + 1) % 256);
      assert.equal(store.outbox.mark("retrained"), id);
      assert.ok(store.listModels().length <= 14);
      assert.notEqual(id, "model0"); // the one after it was in use already
      store.close();
    }
  });

  test("does not come about where another model came into use meanwhile", () => {
    const store = openStore(join(root, "meanwhile"));
    assert.ok(store.saveModel(model("first")));
    assert.ok(store.saveModel(model("second"), { replaces: "first" }));
    const mark = { name: "retrained", value: "third" };
    assert.equal(store.saveModel(model("third"), { replaces: "first", mark }), false);
    assert.equal(store.champion()?.id, "second");
    assert.equal(store.outbox.mark("retrained"), undefined);
    store.close();
  });

  test("keeps the warm state of each model, and none that was damaged is given out", () => {
    const dir = join(root, "warm");
    const store = openStore(dir);
    store.saveModel(model("first"), { warm: Uint8Array.of(7) });
    assert.deepEqual(store.warmState("first"), Uint8Array.of(7));
    store.saveModel(model("second"), { warm: Uint8Array.of(8) });
    assert.deepEqual(store.warmState("first"), Uint8Array.of(7));
    const db = openDatabase(dir);
    db.prepare("UPDATE warm_states SET blob = x'09' WHERE model = 'second'").run();
    db.close();
    assert.equal(store.warmState("second"), undefined, databasePath(dir));
    store.close();
  });

  test("forgets models long out of use, never the one in use and the one before", () => {
    const store = openStore(join(root, "many"));
    for (let n = 0; n < 20; n++) store.saveModel(model(`m${n}`, 100 - n));
    const ids = store.listModels().map(({ id }) => id);
    assert.equal(ids.length, 14);
    assert.equal(store.champion()?.id, "m19");
    assert.ok(
      ["m0", "m11", "m18", "m19"].every((id) => ids.includes(id)),
      ids.join(" "),
    );
    store.close();
  });
});
