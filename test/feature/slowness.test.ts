import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { LineSaver } from "../../src/feature/line-table.ts";
import { DeliveryTimer, type TimedDelivery } from "../../src/feature/slowness.ts";
import { type SeenLine, seenLine, TransactionTracker } from "../../src/feature/transaction.ts";
import { eventsOf } from "../mail/transaction-support.ts";

function timed(text: string): Omit<TimedDelivery, "line">[] {
  const timer = new DeliveryTimer();
  return eventsOf(text).flatMap((event) => {
    const read = timer.read(event);
    if (read === undefined) return [];
    const { program, destination, seconds } = read;
    return [{ program, destination, seconds }];
  });
}
const line = (id: string, delays: string, to = "ann@far.example", daemon = "smtp"): string =>
  `10:00:00 postfix/${daemon}[1]: ${id}: to=<${to}>, relay=mx.far.example[192.0.2.7]:25, delay=1, delays=${delays}, dsn=2.0.0, status=sent (250 Ok)`;

suite("the time of a delivery", () => {
  test("is told by stage, program and the recipient's domain", () =>
    assert.deepEqual(timed(line("AAAAA11111", "0.1/0.02/1.5/3", "Ann@Far.Example")), [
      { program: "postfix/smtp", destination: "far.example", seconds: [0.1, 1.5, 3] },
    ]));

  test("counts a message once a program, however many recipients it has", () =>
    assert.deepEqual(
      timed(
        [
          line("AAAAA11111", "0.1/0/1/3"),
          line("AAAAA11111", "0.1/0/2/4", "bob@far.example"),
          line("AAAAA11111", "0.1/0/0/0.2", "ann@our.example", "lmtp"),
          line("AAAAA22222", "0.1/0/5/6"),
        ].join("\n"),
      ).map(({ program, seconds }) => [program, seconds[1]]),
      [
        ["postfix/smtp", 1],
        ["postfix/lmtp", 0],
        ["postfix/smtp", 5],
      ],
    ));

  test("counts the first of what one client hands in within a minute", () => {
    const taken = (time: string, id: string, client: string): string =>
      `${time} postfix/smtpd[1]: ${id}: client=app.our.example[${client}]`;
    const ids = ["AAAAA11111", "AAAAA22222", "AAAAA33333", "AAAAA44444"];
    const lines = [
      taken("10:00:00", ids[0]!, "192.0.2.20"),
      taken("10:00:30", ids[1]!, "192.0.2.20"),
      taken("10:00:30", ids[2]!, "192.0.2.7"),
      taken("10:01:00", ids[3]!, "192.0.2.20"),
      ...ids.map((id, n) => line(id, `0.1/0/${n}/3`).replace("10:00:00", "10:01:01")),
    ];
    assert.deepEqual(
      timed(lines.join("\n")).map(({ seconds }) => seconds[1]),
      [0, 2, 3],
    );
  });

  test("is known when the message closes, for each program", () => {
    const timer = new DeliveryTimer();
    const tracker = new TransactionTracker();
    const lines = [
      line("AAAAA11111", "0.1/0/1/3"),
      line("AAAAA11111", "0.1/0/0/0.2", "ann@our.example", "lmtp"),
      line("AAAAA22222", "0.1/0/5/6"),
      "10:00:00 postfix/qmgr[1]: AAAAA11111: removed",
    ];
    const closed = eventsOf(lines.join("\n")).flatMap((event) => {
      timer.read(event);
      return tracker.add(event, event.time!).flatMap((t) => timer.closed(t));
    });
    assert.deepEqual(
      closed.map(({ program, seconds }) => [program, seconds[2]]),
      [
        ["postfix/smtp", 3],
        ["postfix/lmtp", 0.2],
      ],
    );
  });

  test("is remembered for half a day, and forgotten within a day of more mail", () => {
    const timer = new DeliveryTimer();
    const known = (): number => {
      const { seen, before } = timer.save(new LineSaver(0));
      return seen.keys.length + before.keys.length;
    };
    const counts: number[] = [];
    for (let hour = 0; hour < 240; hour++) {
      const [event] = eventsOf(line(`AAAAA${hour + 10000}`, "0.1/0/1/3"));
      const at = (hours: number): SeenLine => seenLine(event!, hours * 3_600_000, "outbound");
      assert.ok(timer.read(event!, at(hour)));
      assert.equal(timer.read(event!, at(hour)), undefined, "twice");
      counts.push(known());
    }
    assert.deepEqual(counts.slice(0, 12), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert.ok(Math.min(...counts.slice(12)) >= 12);
    assert.ok(Math.max(...counts) <= 26);
  });

  test("is not that of a retry, of a damaged record, or of another line", () =>
    assert.deepEqual(
      timed(
        [
          line("AAAAA11111", "61/0/1/3"),
          line("AAAAA22222", "1/0/x/3"),
          line("AAAAA33333", "1/0"),
          "10:00:00 postfix/smtp[1]: AAAAA44444: to=<ann@far.example>, relay=none, delay=9, status=deferred (timed out)",
          "10:00:00 postfix/qmgr[1]: AAAAA44444: removed",
        ].join("\n"),
      ),
      [],
    ));
});
