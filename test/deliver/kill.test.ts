import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Receiver } from "./receiver.ts";
import { folder, openOutbox, wait } from "./support.ts";

const CHILD = join(import.meta.dirname, "drain-child.js");
const KILLS = 20;
const MAILS = 180;

suite("a process that sends and is killed twenty times", () => {
  test("loses no mail, keeps their order, and sends twice only what a kill left unknown", async () => {
    const receiver = new Receiver();
    receiver.behaviour = { slowMs: 6 };
    const port = await receiver.start();
    const dir = folder();
    const outbox = openOutbox(dir);
    const ids = Array.from({ length: MAILS }, (_, i) => `a${i}`);
    wait(outbox, ids, "mail", Date.now());
    const start = (): ReturnType<typeof spawn> =>
      spawn(process.execPath, [CHILD, dir, String(port)], { stdio: ["ignore", "pipe", "inherit"] });
    let interrupted = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = start();
      await once(child.stdout!, "data");
      await sleep(40 + Math.random() * 160);
      if (child.exitCode === null) interrupted++;
      child.kill("SIGKILL");
      await once(child, "close");
    }
    const [code] = await once(start(), "exit");
    assert.equal(code, 0);
    assert.equal(interrupted, KILLS, "every kill met it at work");
    await receiver.stop();

    const told = receiver.ids().map((id) => id.split(".")[1]!);
    const once_ = told.filter((id, i) => told.indexOf(id) === i);
    assert.deepEqual(once_, ids, "all there, in order");
    const twice = told.length - once_.length;
    assert.ok(twice <= KILLS, `${twice} sent again`);
    for (const mail of receiver.received) {
      const first = receiver.received.find((other) => other.id === mail.id)!;
      assert.deepEqual(mail.raw, first.raw, "a copy is the same to the last byte");
    }
    assert.deepEqual(
      outbox.counts().map((c) => [c.waiting, c.sent]),
      [[0, MAILS]],
    );
    console.log(`# ${interrupted} kills, ${twice} mails sent twice`);
  });
});
