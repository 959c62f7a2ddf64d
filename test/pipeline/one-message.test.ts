import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { learn, QUICKSTART, type Result, Watch } from "./support.ts";

/** A mailbox elsewhere is full, of which training has nothing: that is told when it is met by several messages, not when one is tried again. */

const TRIES = 9;

/** The demo's log with failures among the lines of a calm morning. ids: queue ids, one for each. */
function told(ids: readonly string[]): Result["alerts"] {
  const lines = QUICKSTART.bytes.toString("latin1").split("\n");
  ids.forEach((id, i) => {
    const time = `Sep 22 10:${String(i).padStart(2, "0")}:30`;
    const head = `${time} mx1 postfix/smtp[4711]: ${id}: `;
    const said = "host mx.far.example[192.0.2.7] said: 452 4.2.2 Mailbox full (in reply to RCPT TO command)";
    const at = lines.findIndex((line) => line.startsWith("Sep 22 ") && line.slice(0, 15) >= time);
    lines.splice(
      at,
      0,
      `${head}${said}`,
      `${head}to=<ann@far.example>, relay=mx.far.example[192.0.2.7]:25, delay=${4 * i}, delays=0/0/1/0, dsn=4.2.2, status=deferred (${said})`,
    );
  });
  const end = lines.findIndex((line) => line.startsWith("Sep 22 14:"));
  const bytes = Buffer.from(`${lines.slice(0, end).join("\n")}\n`, "latin1");
  const log = { ...QUICKSTART, bytes, until: Date.UTC(2026, 8, 21) };
  const learned = learn(log, { timeOnly: true, without: new Set(["novelty"]) });
  const watch = Watch.from(learned, learned.start);
  for (let i = learned.first; i < learned.lines.count; i++) watch.line(i);
  return watch.result().alerts;
}

suite("rare failures", () => {
  const some = Array.from({ length: TRIES }, (_, i) => `4E12B10${i}0F`);
  test("of several messages are told", () => assert.equal(told(some).length, 1));
  test("of one message, at each try anew, are not", () =>
    assert.deepEqual(told(some.map(() => "4E12B10F0F")), []));
});
