import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { Weeks } from "../../eval/weeks.ts";
import type { Fault } from "../../src/compose/plan.ts";
import type { Alert } from "../../src/detect/alert.ts";
import { DAY_MS, slotOf } from "../../src/feature/clock.ts";
import { ColumnRegistry } from "../../src/feature/columns.ts";
import { SlotCounter } from "../../src/feature/window.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader } from "../../src/mail/read.ts";
import { at, linesOf, MONDAY, planOf, SECOND } from "../compose/support.ts";

/** Four days of a server are learned, without any maintenance; then there is much of it, and at last a fault. */
const UNTIL = Date.parse(MONDAY) + 4 * DAY_MS;
const FAULT = Date.parse(at(5, 14));
const brief = (kind: string, start: string): Fault => ({ kind, start, minutes: 1, unlabelled: true });

suite("normal maintenance that was never seen", () => {
  let alerts: Alert[] = [];

  before(() => {
    const plan = planOf(
      {
        days: 6,
        maintenance: [
          { kind: "reload", at: at(4, 8) },
          { kind: "restart", at: at(4, 15.2), minutes: 0.2 },
          { kind: "certificate", at: at(4, 21.4) },
          { kind: "restart", at: at(5, 3.1), minutes: 3 },
        ],
        faults: [
          brief("policy_down", at(4, 11.3)),
          brief("postfix_stopped", at(5, 8.4)),
          { kind: "postfix_stopped", start: at(5, 14), minutes: 60 },
        ],
      },
      { mailsPerDay: 250, longQueueIds: true },
    );
    const weeks = new Weeks(linesOf(plan, SECOND));
    alerts = weeks.watch(weeks.learn(UNTIL), UNTIL, UNTIL + 2 * DAY_MS);
  });

  const told = (from: number, to: number): string[] =>
    alerts
      .filter(({ openedAt }) => openedAt >= from && openedAt < to)
      .map(({ kind, title }) => `${kind}: ${title}`);

  test("raises nothing: reloads, restarts, a machine that starts anew, a program away for a minute", () =>
    assert.deepEqual(told(UNTIL, FAULT), []));
  test("hides no stop that lasts, and cites how it began", () => {
    assert.notDeepEqual(told(FAULT, FAULT + 30 * 60_000), []);
    const lines = alerts.filter(({ openedAt }) => openedAt >= FAULT).flatMap((alert) => alert.lines);
    assert.ok(lines.some(({ text }) => text.includes("stopping the Postfix mail system")));
  });
});

suite("the lines of one restart", () => {
  const BANNER = [
    "Process Backgrounded",
    "Binding to TCP port 10023 on host 127.0.0.1",
    'Setting uid to "109"',
  ];
  const CUT = ["imap(ann)<12><a1>", "imap(bob)<13><b2>", "pop3(cid)<14><c3>"].map(
    (who) => `${who}: Disconnected: Server shutting down. in=16 out=740`,
  );
  const counted = (
    seconds: readonly number[],
    tag = "postgrey",
    texts: readonly string[] = BANNER,
  ): number => {
    const counter = new SlotCounter(new ColumnRegistry());
    const reader = new EventReader(new LogClock(new Zone("UTC"), 2026), 1);
    const start = Date.parse(MONDAY);
    let n = 0;
    for (const second of seconds)
      for (const text of texts) {
        const stamp = new Date(start + second * 1000).toISOString();
        counter.add(reader.readText("mail.log", ++n, `${stamp} mx7 ${tag}[258]: ${text}`), slotOf(start));
      }
    const { ids, counts } = counter.close()!;
    return counts[ids.indexOf(counter.registry.id("all")!)]!;
  };
  test("count once", () => assert.equal(counted([0]), 1));
  test("count once though they take more than a minute", () => assert.equal(counted([0, 30, 70]), 1));
  test("count once with all sessions that they end", () => assert.equal(counted([0], "dovecot", CUT), 1));
  test("of a program that starts again and again count every two minutes", () =>
    assert.equal(counted([0, 61, 122, 183, 244]), 3));
});
