import assert from "node:assert/strict";
import { afterEach, beforeEach, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { mailSender } from "../../src/deliver/mail-sender.ts";
import { sendNow } from "../../src/deliver/senders.ts";
import { Receiver } from "./receiver.ts";
import { alertTold, context, delivererOf, mailChannel, NOW, openOutbox, smtp, wait } from "./support.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ID = (id: string): string => `<alert.${id}.opened@logvane.mx1.example>`;
const ids = (n: number): string[] => Array.from({ length: n }, (_, i) => `a${i + 1}`);

let receiver: Receiver;
let port = 0;
beforeEach(async () => {
  receiver = new Receiver();
  port = await receiver.start();
});
afterEach(() => receiver.stop());

/** A deliverer by SMTP to the receiver, patient for a moment only. */
function world(
  to?: readonly string[],
  idle = 5000,
): ReturnType<typeof delivererOf> & { outbox: ReturnType<typeof openOutbox> } {
  const outbox = openOutbox();
  const channel = mailChannel(smtp(port), to === undefined ? {} : { to });
  const parts = delivererOf(outbox, [channel], {
    sender: (c, context) =>
      mailSender(c as typeof channel, context, { connect: 5000, greeting: 5000, idle, total: 10_000 }),
  });
  return { ...parts, outbox };
}

/** Drains again and again, each time when something is due, for at most so long a time of the test's clock. */
async function drainUntil(w: ReturnType<typeof world>, end: number): Promise<number> {
  let tries = 0;
  for (;;) {
    const { nextAt } = await w.deliverer.drain();
    tries++;
    if (nextAt === undefined || nextAt > end) return tries;
    w.clock.now = Math.max(w.clock.now, nextAt);
  }
}

suite("mail to a server that works", () => {
  test("goes out in order, over one connection", async () => {
    const w = world();
    wait(w.outbox, ids(5));
    const drained = await w.deliverer.drain();
    assert.deepEqual(receiver.ids(), ids(5).map(ID));
    assert.equal(receiver.connections, 1);
    assert.deepEqual(drained, { sent: 5, failed: 0, givenUp: 0, nextAt: undefined });
    assert.deepEqual(w.said, []);
  });
  test("goes on at once over a new connection where one takes only so many", async () => {
    receiver.behaviour = { mailsPerConnection: 2 };
    const w = world();
    wait(w.outbox, ids(5));
    assert.equal((await w.deliverer.drain()).sent, 5);
    assert.deepEqual(receiver.ids(), ids(5).map(ID));
    assert.equal(receiver.connections, 3);
  });
  test("is told once however often it is enqueued", async () => {
    const w = world();
    wait(w.outbox, ["a1", "a1"]);
    await w.deliverer.drain();
    wait(w.outbox, ["a1"]);
    await w.deliverer.drain();
    assert.deepEqual(receiver.ids(), [ID("a1")]);
  });
});

suite("a test of a channel", () => {
  test("is sent at once, past the outbox, and says what came of it", async () => {
    const told = { type: "test", at: "2026-09-21T02:31:00.000Z" } as const;
    const never = new AbortController().signal;
    assert.deepEqual(await sendNow(told, mailChannel(smtp(port)), context, NOW, never), { result: "sent" });
    assert.match(
      receiver.received[0]!.raw.toString("latin1"),
      /^Subject: \[mx1\.example\] test: this channel works/m,
    );
    await receiver.stop();
    const down = await sendNow(told, mailChannel(smtp(port)), context, NOW, never);
    assert.ok(down.result === "retry" && /ECONNREFUSED/.test(down.error));
  });
});

suite("mail to a server that is down for a day", () => {
  test("waits, at most an hour a time, and drains in order, nothing lost and nothing twice", async () => {
    await receiver.stop();
    const w = world();
    const start = w.clock.now;
    wait(w.outbox, ids(3));
    const tries = await drainUntil(w, start + DAY);
    assert.ok(tries >= 24 && tries <= 40, `${tries} tries`);
    wait(w.outbox, ["a4"], "mail", w.clock.now); // behind those that wait
    await receiver.start(port);
    w.clock.now += HOUR;
    assert.equal((await w.deliverer.drain()).sent, 4);
    assert.deepEqual(receiver.ids(), ids(4).map(ID));
    assert.equal(w.faults.length, 1, "told once, not at every try");
    assert.match(w.said[0]!, /cannot send on channel "mail": .*ECONNREFUSED/);
    assert.equal(w.said.at(-1), 'channel "mail" works again');
  });
  test("and longer than a week is given up, one by one, and counted", async () => {
    await receiver.stop();
    const w = world();
    const start = w.clock.now;
    wait(w.outbox, ["a1"]);
    await drainUntil(w, start + 7 * DAY);
    assert.equal(w.outbox.counts()[0]!.waiting, 1, "kept for seven days");
    await drainUntil(w, start + 8 * DAY);
    const [counts] = w.outbox.counts();
    assert.deepEqual([counts!.waiting, counts!.givenUp, counts!.sent], [0, 1, 0]);
    assert.equal(w.outbox.givenUpSince(start), 1);
    assert.match(w.said.at(-1)!, /gave up on a notification/);
  });
});

suite("mail to a server in trouble", () => {
  test("that says no for the time being comes again later", async () => {
    let n = 0;
    receiver.behaviour = { done: () => (n++ < 2 ? "451 4.3.0 try later" : undefined) };
    const w = world();
    wait(w.outbox, ids(2));
    assert.equal((await w.deliverer.drain()).failed, 1);
    assert.equal(receiver.ids().length, 0, "the second waits behind the first");
    await drainUntil(w, w.clock.now + HOUR);
    assert.deepEqual(receiver.ids(), ids(2).map(ID));
    assert.match(w.said[0]!, /451 4.3.0 try later/);
  });
  test("that refuses one for good gets it three times more, and then those behind it", async () => {
    receiver.behaviour = { done: (n) => (n < 4 ? "554 5.7.1 spam" : undefined) };
    const w = world();
    const start = w.clock.now;
    wait(w.outbox, ids(2));
    const tries = await drainUntil(w, start + DAY);
    assert.equal(tries, 4);
    assert.equal(w.clock.now - start, (5 + 30 + 120) * 60_000);
    assert.deepEqual(receiver.ids(), [ID("a2")]);
    assert.equal(w.outbox.counts()[0]!.givenUp, 1);
  });
  test("that refuses every recipient, or the sender, refuses the mail", async () => {
    const w = world(["a@example.org", "b@example.org"]);
    for (const behaviour of [{ rcpt: () => "550 5.1.1 no such user" }, { mail: "550 5.7.1 not you" }]) {
      receiver.behaviour = behaviour;
      wait(w.outbox, ["a1"]);
      await w.deliverer.drain();
      assert.match(w.faults.at(-1)!.effect, /refused/);
      w.clock.now += HOUR;
    }
  });
  test("that takes it for one recipient and not yet for another brings it to each once", async () => {
    let greylisted = true;
    receiver.behaviour = {
      rcpt: (a) => (a === "b@example.org" && greylisted ? "450 4.2.0 greylisted" : undefined),
    };
    const w = world(["a@example.org", "b@example.org"]);
    wait(w.outbox, ["a1"]);
    await w.deliverer.drain();
    greylisted = false;
    w.clock.now += HOUR;
    await w.deliverer.drain();
    assert.deepEqual(
      receiver.received.map((mail) => mail.to),
      [["a@example.org"], ["b@example.org"]],
    );
  });
  test("that refuses one recipient of two for good has it for the other, and it is said", async () => {
    receiver.behaviour = { rcpt: (a) => (a === "b@example.org" ? "550 5.1.1 no such user" : undefined) };
    const w = world(["a@example.org", "b@example.org"]);
    wait(w.outbox, ["a1"]);
    assert.equal((await w.deliverer.drain()).sent, 1);
    assert.match(w.said[0]!, /refused for b@example.org: 550 5.1.1/);
  });
  test("that takes no mail as large refuses it", async () => {
    receiver.behaviour = { size: 1000 };
    const w = world();
    wait(w.outbox, ["a1"]);
    await w.deliverer.drain();
    assert.match(w.faults[0]!.effect, /refused/);
  });
  test("is left soon when we stop, and the process with it", async () => {
    receiver.behaviour = { silent: true };
    const stop = new AbortController();
    const sending = sendNow(alertTold(), mailChannel(smtp(port)), context, NOW, stop.signal);
    while (receiver.received.length === 0) await sleep(10);
    const start = Date.now();
    stop.abort();
    const outcome = await sending;
    assert.ok(
      outcome.result === "retry" && /^stopped; whether the mail was taken is not known/.test(outcome.error),
    );
    assert.ok(Date.now() - start < 1000);
  });
  test("that turns connections away is asked again later, whatever the code", async () => {
    receiver.behaviour = { greeting: "554 5.7.1 no service" };
    const w = world();
    wait(w.outbox, ["a1"]);
    await w.deliverer.drain();
    assert.match(w.faults[0]!.effect, /seven days/);
  });
  test("that is slow, but answers, is waited for", async () => {
    receiver.behaviour = { slowMs: 150 };
    const w = world();
    wait(w.outbox, ["a1"]);
    assert.equal((await w.deliverer.drain()).sent, 1);
  });
  test("that falls silent is left, and the mail comes again", async () => {
    receiver.behaviour = { silent: true };
    const w = world(undefined, 300);
    wait(w.outbox, ["a1"]);
    assert.equal((await w.deliverer.drain()).failed, 1);
    assert.match(w.said[0]!, /whether the mail was taken is not known/);
  });
  test("that cuts the connection in the middle of the message gets it again, once", async () => {
    receiver.behaviour = { cut: (n) => (n === 0 ? "data" : undefined) };
    const w = world();
    wait(w.outbox, ids(2));
    await drainUntil(w, w.clock.now + HOUR);
    assert.deepEqual(receiver.ids(), ids(2).map(ID));
  });
  test("that cuts it after it took the mail gets a copy that it can tell by its Message-ID and every byte", async () => {
    receiver.behaviour = { cut: (n) => (n === 0 ? "after" : undefined) };
    const w = world();
    wait(w.outbox, ids(2));
    await drainUntil(w, w.clock.now + HOUR);
    assert.deepEqual(receiver.ids(), [ID("a1"), ID("a1"), ID("a2")]);
    assert.deepEqual(receiver.received[0]!.raw, receiver.received[1]!.raw);
  });
});
