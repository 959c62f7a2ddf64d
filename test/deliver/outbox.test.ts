import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { suite, test } from "node:test";
import type { ChannelConfig } from "../../src/config/config.ts";
import { holdsLock, releaseLock } from "../../src/deliver/lock.ts";
import type { Delivery, Outcome, Sender } from "../../src/deliver/sender.ts";
import type { Digest } from "../../src/report/notification.ts";
import { databasePath, openDatabase } from "../../src/store/db.ts";
import { outboxOf } from "../../src/store/outbox.ts";
import { configOf, delivererOf, folder, mailChannel, NOW, openOutbox, smtp, wait } from "./support.ts";

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const mail = mailChannel(smtp(25));
const other = (name: string, change: Partial<ChannelConfig> = {}): ChannelConfig =>
  ({
    name,
    type: "file",
    when: "always",
    minSeverity: "low",
    report: false,
    path: "/x",
    ...change,
  }) as ChannelConfig;

/** A sender that keeps what it was given, and answers as it is told. */
function recorder(answer: (delivery: Delivery, channel: string) => Outcome | Promise<Outcome>): {
  sent: string[];
  sender: (channel: ChannelConfig) => Sender;
} {
  const sent: string[] = [];
  return {
    sent,
    sender: (channel) => ({
      async send(delivery) {
        const outcome = await answer(delivery, channel.name);
        if (outcome.result === "sent") sent.push(`${channel.name}: ${delivery.key}`);
        return outcome;
      },
      close() {},
    }),
  };
}
const ok: Outcome = { result: "sent" };
const down: Outcome = { result: "retry", error: "down" };

suite("an outbox", () => {
  test("keeps what waits over a restart, with the caller's transaction or not at all", () => {
    const dir = folder();
    const db = openDatabase(dir);
    const outbox = outboxOf(db, databasePath(dir));
    assert.throws(() =>
      db.transaction(() => {
        outbox.enqueue("alert a1 opened", "{}", ["mail"], NOW);
        throw new Error("no");
      })(),
    );
    db.transaction(() => outbox.enqueue("alert a2 opened", "{}", ["mail", "hook"], NOW))();
    db.close();
    const again = openOutbox(dir);
    assert.equal(again.first("mail")?.key, "alert a2 opened mail");
    assert.deepEqual(
      [again.holds("alert a1 opened"), again.holds("alert a2 opened"), again.holds("alert a2 opened", "x")],
      [false, true, false],
    );
    assert.deepEqual(again.waitingChannels(), ["hook", "mail"]);
  });
  test("counts what was sent and given up for good, and forgets the rest after a time", () => {
    const dir = folder();
    const outbox = openOutbox(dir);
    const db = openDatabase(dir);
    wait(outbox, ["a1", "a2", "a3"]);
    outbox.markSent(outbox.first("mail")!.id, NOW);
    outbox.markGivenUp(outbox.first("mail")!.id, NOW, "no");
    const texts = db.prepare("SELECT payload FROM outbox ORDER BY id").pluck().all() as string[];
    assert.deepEqual(texts.slice(0, 2), ["{}", "{}"], "what is done names nobody any more");
    assert.match(texts[2]!, /192\.0\.2\.9/);
    outbox.prune(NOW + 1);
    assert.equal(outbox.holds("alert a1 opened"), false);
    assert.deepEqual(outbox.counts(), [
      { channel: "mail", waiting: 1, sent: 1, givenUp: 1, digested: 0, oldestAt: NOW },
    ]);
  });
});

suite("a deliverer", () => {
  test("lets one channel that fails hold back only itself", async () => {
    const outbox = openOutbox();
    const { sent, sender } = recorder((_, channel) => (channel === "mail" ? down : ok));
    const { deliverer } = delivererOf(outbox, [mail, other("b")], { sender });
    wait(outbox, ["a1", "a2"]);
    wait(outbox, ["a1", "a2"], "b");
    assert.deepEqual(await deliverer.drain(), { sent: 2, failed: 1, givenUp: 0, nextAt: NOW + 30_000 });
    assert.deepEqual(sent, ["b: alert a1 opened", "b: alert a2 opened"]);
  });
  test("leaves a channel that is being served to the call that serves it", async () => {
    const outbox = openOutbox();
    let go: (outcome: Outcome) => void = () => undefined;
    const slow = new Promise<Outcome>((done) => {
      go = done;
    });
    const { sent, sender } = recorder((_, channel) => (channel === "mail" ? slow : ok));
    const { deliverer } = delivererOf(outbox, [mail, other("b")], { sender });
    wait(outbox, ["a1"]);
    const first = deliverer.drain();
    wait(outbox, ["a1"], "b");
    assert.equal((await deliverer.drain()).sent, 1);
    assert.deepEqual(sent, ["b: alert a1 opened"]);
    go(ok);
    assert.equal((await first).sent, 1);
    assert.equal(sent.length, 2);
  });
  test("tries at once what waits when somebody asks for it, still in order", async () => {
    const outbox = openOutbox();
    let works = false;
    const { sent, sender } = recorder(() => (works ? ok : down));
    const { deliverer } = delivererOf(outbox, [mail], { sender });
    wait(outbox, ["a1"]);
    await deliverer.drain();
    works = true;
    wait(outbox, ["a2"]);
    await deliverer.drain();
    assert.deepEqual(sent, [], "both wait");
    outbox.hurry("mail", NOW);
    await deliverer.drain();
    assert.deepEqual(sent, ["mail: alert a1 opened", "mail: alert a2 opened"]);
  });
  test("does not wait for a channel that hangs, and lets go of it only at its end", async () => {
    const outbox = openOutbox();
    let go: (outcome: Outcome) => void = () => undefined;
    const slow = new Promise<Outcome>((done) => {
      go = done;
    });
    const { sent, sender } = recorder((_, channel) => (channel === "mail" ? slow : ok));
    const { deliverer } = delivererOf(outbox, [mail, other("b")], { sender, patienceMs: 50 });
    wait(outbox, ["a1", "a2"]);
    assert.deepEqual(await deliverer.drain(), { sent: 0, failed: 0, givenUp: 0, nextAt: undefined });
    wait(outbox, ["a1"], "b");
    await deliverer.drain();
    assert.deepEqual(sent, ["b: alert a1 opened"]);
    const closed = deliverer.close();
    assert.notEqual(outbox.mark("deliverer"), "");
    go(ok);
    await closed;
    assert.equal(outbox.mark("deliverer"), "");
    assert.deepEqual(sent.slice(1), ["mail: alert a1 opened", "mail: alert a2 opened"]);
  });
  test("gives an alert that mail has had for ten minutes to the channel that stands in, once", async () => {
    const outbox = openOutbox();
    const { sent, sender } = recorder((_, channel) => (channel === "mail" ? down : ok));
    const { deliverer, clock } = delivererOf(
      outbox,
      [
        mail,
        other("pager", { when: "fallback" }),
        other("night", { when: "fallback", minSeverity: "critical" }),
      ],
      { sender },
    );
    wait(outbox, ["a1"]);
    for (const minutes of [1, 9, 10.5, 11, 60]) {
      clock.now = NOW + minutes * MINUTE;
      await deliverer.drain();
      assert.equal(sent.length, minutes > 10 ? 1 : 0, `after ${minutes} minutes`);
    }
    assert.deepEqual(sent, ["pager: alert a1 opened"]);
  });
  test("says when it wants to be called again, in time for the channel that stands in", async () => {
    const outbox = openOutbox();
    const wish: Outcome = { result: "retry", error: "busy", afterMs: 120 * MINUTE };
    const { sender } = recorder((_, channel) => (channel === "mail" ? wish : ok));
    const { deliverer, clock } = delivererOf(outbox, [mail, other("pager", { when: "fallback" })], {
      sender,
    });
    wait(outbox, ["a1"]);
    const first = await deliverer.drain();
    assert.equal(first.nextAt, NOW + 10 * MINUTE + 1);
    clock.now = first.nextAt!;
    assert.deepEqual(await deliverer.drain(), { sent: 1, failed: 0, givenUp: 0, nextAt: NOW + 120 * MINUTE });
  });
  test("sums up alerts beyond two hundred in one, behind those that wait, and loses none", async () => {
    const outbox = openOutbox();
    const digests: Digest[] = [];
    let works = false;
    const { sent, sender } = recorder(({ notification }) => {
      if (!works) return down;
      if (notification.type === "digest") digests.push(notification.digest);
      return ok;
    });
    const { deliverer, clock } = delivererOf(outbox, [mail], { sender });
    const ids = Array.from({ length: 450 }, (_, i) => `a${i}`);
    wait(outbox, ids.slice(0, 300));
    await deliverer.drain();
    wait(outbox, ids.slice(300)); // a later burst goes into the same one
    clock.now += DAY;
    await deliverer.drain();
    works = true;
    clock.now += DAY;
    await deliverer.drain();
    assert.equal(sent.length, 201);
    assert.deepEqual(
      sent.slice(0, 200),
      ids.slice(0, 200).map((id) => `mail: alert ${id} opened`),
    );
    assert.deepEqual(
      digests.map((d) => [d.count, d.severities, d.listed.length, d.listed[0]!.id]),
      [[250, [{ severity: "high", count: 250 }], 100, "a200"]],
    );
    assert.deepEqual(outbox.counts()[0]!.digested, 250);
    wait(outbox, ids); // none is told anew
    await deliverer.drain();
    assert.equal(sent.length, 201);
  });
  test("goes on when the clock was set back by a year, or forward", async () => {
    const outbox = openOutbox();
    let works = false;
    const { sent, sender } = recorder(() => (works ? ok : down));
    const { deliverer, clock } = delivererOf(outbox, [mail], { sender });
    wait(outbox, ["a1", "a2"]);
    await deliverer.drain();
    works = true;
    clock.now -= 365 * DAY;
    await deliverer.drain();
    assert.equal(sent.length, 2);
    works = false;
    wait(outbox, ["a3"], "mail", clock.now);
    clock.now += 10 * 365 * DAY;
    await deliverer.drain();
    assert.equal(outbox.counts()[0]!.waiting, 1, "not given up because of the clock");
  });
  test("sends nothing again that the state could not take down as sent", async () => {
    const dir = folder();
    const outbox = openOutbox(dir);
    const { sent, sender } = recorder(() => ok);
    let full = true;
    const broken = {
      ...outbox,
      markSent: (id: number, now: number, error?: string) => {
        if (full) throw new Error("the disk is full");
        outbox.markSent(id, now, error);
      },
    };
    const { deliverer, clock } = delivererOf(broken, [mail], { sender });
    wait(outbox, ["a1", "a2"]);
    for (let i = 0; i < 5; i++) {
      await assert.rejects(deliverer.drain(), /disk is full/);
      clock.now += MINUTE;
    }
    full = false;
    await deliverer.drain();
    assert.deepEqual(sent, ["mail: alert a1 opened", "mail: alert a2 opened"]);
  });
  test("stops soon in the middle of a sending, and what was on its way is sent when it starts again", async () => {
    const outbox = openOutbox();
    const stop = new AbortController();
    let ended = 0;
    const hanging = (): Sender => ({
      send: (_, signal) =>
        new Promise((done) => {
          signal.addEventListener("abort", () => done({ result: "retry", error: `stopped ${++ended}` }));
          setTimeout(() => stop.abort(), 20);
        }),
      close() {},
    });
    const { deliverer } = delivererOf(outbox, [mail], { sender: hanging, signal: stop.signal });
    wait(outbox, ["a1"]);
    const hold = setTimeout(() => undefined, 10_000); // the grace does not keep the process
    const start = Date.now();
    await deliverer.drain();
    clearTimeout(hold);
    assert.ok(Date.now() - start < 7000);
    assert.equal(ended, 1);
    assert.equal(outbox.first("mail")?.attempts, 0);
    const { sent, sender } = recorder(() => ok);
    await delivererOf(outbox, [mail], { sender }).deliverer.drain();
    assert.equal(sent.length, 1);
  });
  test("gives up what waits for a channel that is gone, and says so", async () => {
    const outbox = openOutbox();
    const { sender } = recorder(() => ok);
    const { deliverer, faults } = delivererOf(outbox, [mail], { sender });
    wait(outbox, ["a1", "a2"], "old");
    assert.equal((await deliverer.drain()).givenUp, 2);
    assert.match(faults[0]!.message, /2 notifications waited for a channel that there no longer is: "old"/);
    assert.equal(configOf([mail]).channels.length, 1);
  });
});

suite("two processes", () => {
  test("don't both send; the second takes over when the first is gone", async () => {
    const outbox = openOutbox();
    const child = spawn("sleep", ["100"]);
    assert.ok(holdsLock(outbox, child.pid));
    assert.ok(!holdsLock(outbox));
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.ok(holdsLock(outbox));
    releaseLock(outbox);
    assert.equal(outbox.mark("deliverer"), "");
  });
});
