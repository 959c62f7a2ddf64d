import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { durationText, localTime, nextCommand, numberText } from "../../src/report/format.ts";
import { alertRowText, renderAlertsText, renderAlertText } from "../../src/report/text.ts";
import { HOSTILE, hostileAlert, sampleAlert } from "./support.ts";

const plain = { color: false, width: 80, timeZone: "Europe/Berlin", command: "npx logvane explain" };
/** All that a terminal acts on, but the end of a line. */
const ACTIVE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\ufeff]|\p{Cs}/u;

suite("an alert on a terminal", () => {
  test("tells what, since when, how much, who, by which lines, and what to type", () =>
    assert.equal(
      renderAlertText(sampleAlert(), plain),
      `high      Many failed log-ins from 192.0.2.9
          412 log-ins failed in an hour; at most 3 are usual.
since     2026-09-21 04:00 +02:00, for 2 h
actual    failed log-ins: 412, typically 0 to 3
who       client 192.0.2.9
kind      bruteforce (92 %), seen by the entity view
lines     mail.log:17
          Sep 21 02:00:01 mx postfix/smtpd[5]: SASL LOGIN failed
          and 411 more lines
next      npx logvane explain b4f00d
`,
    ));
  test("says when it is still open or was held back", () => {
    const text = renderAlertText(sampleAlert({ closedAt: null, held: true }), plain);
    assert.match(text, /still open at the end of the log/);
    assert.match(text, /held back by the alert budget/);
  });
  test("keeps within the width", () => {
    const long = sampleAlert({ summary: `${"word ".repeat(50)}${"w".repeat(200)}` });
    for (const line of renderAlertText(long, plain).split("\n")) assert.ok(line.length <= 80, line);
  });
  test("has colour only when asked for", () => {
    assert.ok(renderAlertText(sampleAlert(), { ...plain, color: true }).includes("\u001b[31m"));
    assert.doesNotMatch(renderAlertText(sampleAlert(), plain), ACTIVE);
  });
  test("names at most five raw lines", () => {
    const line = { file: "f", line: 1, text: "t" };
    const text = renderAlertText(sampleAlert({ lines: new Array(9).fill(line) }), plain);
    assert.equal(text.match(/f:1/g)?.length, 5);
  });
  test("of which there is none is a sentence", () =>
    assert.equal(renderAlertsText([], plain), "No alerts.\n"));
});

suite("an alert written by an attacker", () => {
  const text = renderAlertText(hostileAlert(), plain) + alertRowText(hostileAlert(), plain);
  test("sends nothing to the terminal", () => {
    assert.doesNotMatch(text, ACTIVE);
    assert.ok(text.includes("\\x1b]0;pwned"));
  });
  test("starts no line of its own", () => assert.doesNotMatch(text, /^error/m));
  test("is cut, however long its lines are", () => assert.ok(text.length < 4000));
  test("puts no word into the command to type", () => {
    assert.doesNotMatch(text, /^next/m);
    const good = renderAlertText({ ...hostileAlert(), id: "b4f00d" }, plain);
    assert.equal(good.match(/^next +(.*)$/m)?.[1], "npx logvane explain b4f00d");
  });
  test("cannot bring a command of its own", () => {
    assert.equal(nextCommand("logvane explain", "--state"), undefined);
    assert.equal(nextCommand("logvane explain", "a b"), undefined);
    assert.equal(nextCommand("logvane explain", HOSTILE), undefined);
    assert.throws(() => nextCommand("rm -rf", "a"), RangeError);
  });
});

suite("times and numbers", () => {
  test("carry the offset of the season", () => {
    assert.equal(localTime(Date.UTC(2026, 0, 1, 12), "America/New_York"), "2026-01-01 07:00 -05:00");
    assert.equal(localTime(Date.UTC(2026, 6, 1, 0), "UTC"), "2026-07-01 00:00 +00:00");
  });
  test("are short", () => {
    assert.deepEqual(
      [durationText(40_000), durationText(720_000), durationText(12_600_000), durationText(604_800_000)],
      ["40 s", "12 min", "3.5 h", "7 days"],
    );
    assert.deepEqual(
      [numberText(1234567), numberText(0.126), numberText(Number.NaN)],
      ["1,234,567", "0.13", "-"],
    );
  });
});
