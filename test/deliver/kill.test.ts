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
    let during = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const before = receiver.received.length;
      const child = start();
      const gone = once(child, "exit");
      const worst = kill % 4 === 0; // the mail is taken, and the sender never hears of it
      receiver.behaviour.done = () => {
        if (worst && receiver.received.length >= before + 2) child.kill("SIGKILL");
        return undefined;
      };
      while (receiver.received.length <= before) await sleep(5);
      if (!worst) {
        await sleep(Math.random() * 150);
        child.kill("SIGKILL");
      }
      await gone;
      if (child.signalCode === "SIGKILL") during++;
    }
    delete receiver.behaviour.done;
    const [code] = await once(start(), "exit");
    assert.equal(code, 0);
    assert.equal(during, KILLS, "every kill met it at work");
    await receiver.stop();

    const told = receiver.ids().map((id) => id.split(".")[1]!);
    const once_ = told.filter((id, i) => told.indexOf(id) === i);
    assert.deepEqual(once_, ids, "all there, in order");
    const twice = told.length - once_.length;
    assert.ok(twice >= KILLS / 4 && twice <= KILLS, `${twice} sent again`);
    for (const mail of receiver.received) {
      const first = receiver.received.find((other) => other.id === mail.id)!;
      assert.deepEqual(mail.raw, first.raw, "a copy is the same to the last byte");
    }
    assert.deepEqual(
      outbox.counts().map((c) => [c.waiting, c.sent]),
      [[0, MAILS]],
    );
    console.log(`# ${during} kills, ${twice} mails sent twice`);
  });
});
