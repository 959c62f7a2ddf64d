import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Transaction, TransactionTracker } from "../../src/feature/transaction.ts";
import { changed, eventsOf } from "../mail/transaction-support.ts";

/** The transactions of a log: closed ones as they close. */
function closedOf(text: string): Transaction[] {
  const tracker = new TransactionTracker();
  return eventsOf(text).flatMap((event) => tracker.add(event, event.time!));
}
const lineCount = (t: Transaction): number =>
  t.shapes.reduce((sum: number, x) => sum + (typeof x === "number" ? x : 0), 0);

suite("the detector's transactions", () => {
  test("a message ends with removed, a connection with disconnect", () => {
    const closed = closedOf(`
      10:00:00 postfix/smtpd[1]: warning: hostname h.example does not resolve to address 192.0.2.9: Name or service not known
      10:00:00 postfix/smtpd[1]: connect from unknown[192.0.2.9]
      10:00:00 postfix/smtpd[1]: AAAAA11111: client=unknown[192.0.2.9]
      10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<m@b.example>
      10:00:00 postfix/qmgr[3]: AAAAA11111: from=<a@b.example>, size=300, nrcpt=2 (queue active)
      10:00:04 postfix/smtpd[1]: disconnect from unknown[192.0.2.9] ehlo=1 quit=1 commands=2
      10:00:08 postfix/qmgr[3]: AAAAA11111: removed`);
    assert.deepEqual(
      closed.map((t) => [t.type, t.finished, t.startSeen, t.why, lineCount(t)]),
      [
        ["connection", true, true, undefined, 3],
        ["message", true, true, undefined, 4],
      ],
    );
    const message = closed[1]!;
    assert.equal(message.reals[3], Math.log1p(2));
    assert.equal(message.reals[4], Math.log1p(300));
    assert.equal(message.reals[5], Math.log1p(8));
  });

  test("a key that begins again ends the old one unfinished", () => {
    const closed = closedOf(`
      10:00:00 postfix/smtpd[1]: connect from h.example[192.0.2.9]
      10:00:00 postfix/smtpd[1]: AAAAA11111: client=h.example[192.0.2.9]
      10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<one@b.example>
      10:00:01 postfix/smtpd[1]: connect from h.example[192.0.2.8]
      10:00:01 postfix/smtpd[1]: AAAAA11111: client=h.example[192.0.2.8]
      10:00:01 postfix/qmgr[3]: AAAAA11111: removed`);
    assert.deepEqual(
      closed.map((t) => [t.type, t.finished, t.why, lineCount(t)]),
      [
        ["connection", false, "id reused", 1],
        ["message", false, "id reused", 2],
        ["message", true, undefined, 2],
      ],
    );
  });

  test("one of whose lines is explained is marked, also when another closes it", () => {
    const events = eventsOf(`
      10:00:00 postfix/pickup[1]: AAAAA11111: uid=33 from=<www>
      10:00:00 postfix/pickup[1]: BBBBB22222: uid=33 from=<www>
      10:00:01 postfix/qmgr[3]: BBBBB22222: from=<a@b.example>, size=300, nrcpt=2 (queue active)
      10:40:00 postfix/pickup[1]: CCCCC33333: uid=33 from=<www>`);
    const tracker = new TransactionTracker();
    const closed = events.flatMap((event) =>
      tracker.add(event, event.time!, undefined, event.event === "queue_active"),
    );
    assert.deepEqual(
      closed.map(({ key, explained }) => [key, explained]),
      [
        ["AAAAA11111", undefined],
        ["BBBBB22222", true],
      ],
    );
  });

  test("half an hour without a line leaves it unfinished; what comes then has no start", () => {
    const closed = closedOf(`
      10:00:00 postfix/pickup[1]: AAAAA11111: uid=33 from=<www>
      10:40:00 postfix/qmgr[3]: AAAAA11111: from=<a@b.example>, size=300, nrcpt=2 (queue active)
      10:40:01 postfix/qmgr[3]: AAAAA11111: removed`);
    assert.deepEqual(
      closed.map((t) => [t.finished, t.why, t.startSeen]),
      [
        [false, "timed out", true],
        [true, undefined, false],
      ],
    );
  });

  test("two instances of a host keep equal ids apart", () => {
    const closed = closedOf(`
      10:00:00 postfix/qmgr[3]: CCCCC33333: removed
      10:00:00 postfix-out/qmgr[3]: DDDDD44444: removed
      10:00:01 postfix/cleanup[2]: AAAAA11111: message-id=<in@b.example>
      10:00:01 postfix-out/cleanup[2]: AAAAA11111: message-id=<out@b.example>
      10:00:01 postfix-out/qmgr[3]: AAAAA11111: removed
      10:00:02 postfix/qmgr[3]: AAAAA11111: from=<a@b.example>, size=300, nrcpt=2 (queue active)
      10:00:02 postfix/qmgr[3]: AAAAA11111: removed`).slice(2);
    assert.deepEqual(
      closed.map((t) => [t.finished, lineCount(t)]),
      [
        [true, 2],
        [true, 3],
      ],
    );
  });

  test("the table is bounded: the one longest unseen goes unfinished", () => {
    const tracker = new TransactionTracker();
    const [base] = eventsOf("10:00:00 postfix/cleanup[2]: AAAAA11111: message-id=<m@b.example>");
    const closed: Transaction[] = [];
    for (let i = 0; i < 20_010; i++)
      closed.push(...tracker.add(changed(base!, { queueId: `A${100_000 + i}` }), base!.time!));
    assert.deepEqual(
      closed.map((t) => [t.key, t.why]),
      Array.from({ length: 10 }, (_, i) => [`A${100_000 + i}`, "evicted"]),
    );
  });
});
