import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { ClockWatch } from "../../src/detect/clock-watch.ts";
import type { SeenLine } from "../../src/feature/transaction.ts";

const MINUTE = 60_000;
const seen = (line: number, time: number): SeenLine => ({
  ...{ file: "mail.log", line, text: `line ${line}`, time },
  ...{ templateId: "t", template: "postfix/smtpd: connect", family: "inbound", cause: undefined },
});

/** Shows `lines` lines of a host, ten seconds apart from `from`; returns the first finding. */
function show(watch: ClockWatch, host: string, from: number, lines: number) {
  for (let i = 0; i < lines; i++) {
    const found = watch.see(host, "postfix/smtpd", from + i * 10_000, seen(i + 1, from + i * 10_000));
    if (found) return { found, after: i + 1 };
  }
  return undefined;
}

suite("a clock", () => {
  test("that is set back by an hour is told once, with its first lines", () => {
    const watch = new ClockWatch();
    show(watch, "mx", 0, 600);
    const told = show(watch, "mx", 0, 100);
    assert.equal(told?.after, 12);
    assert.equal(Math.round(told.found.backMs / MINUTE), 98);
    assert.deepEqual(
      told.found.lines.map((l) => l.line),
      [1, 2, 3, 4, 5],
    );
    assert.equal(show(watch, "mx", 200_000, 100), undefined, "it is told once");
  });

  test("is another's business: hosts may be late against each other", () => {
    const watch = new ClockWatch();
    show(watch, "mx1", 100 * MINUTE, 50);
    assert.equal(show(watch, "mx2", 0, 50), undefined);
  });

  test("does not jump by a few late lines, by minutes, or by a file that begins days earlier", () => {
    const watch = new ClockWatch();
    show(watch, "mx", 2 * 86_400_000, 600);
    assert.equal(show(watch, "mx", 2 * 86_400_000, 11), undefined, "eleven lines");
    show(watch, "mx", 2 * 86_400_000 + 100 * MINUTE, 1);
    assert.equal(show(watch, "mx", 2 * 86_400_000 + 91 * MINUTE, 40), undefined, "nine minutes");
    assert.equal(show(watch, "mx", 0, 500), undefined, "two days");
  });
});
