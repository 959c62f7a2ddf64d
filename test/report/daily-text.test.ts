import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { columns } from "../../src/report/columns.ts";
import type { DailyReport } from "../../src/report/daily.ts";
import { dayOf } from "../../src/report/daily-log.ts";
import { reportText } from "../../src/report/daily-text.ts";
import {
  busyReport,
  DAY,
  dayLines,
  hostileReport,
  incident,
  quietReport,
  summaryOf,
  ZONE,
} from "./daily-support.ts";

const CASES = join(process.cwd(), "test/report/cases/daily");

const first = quietReport({ usual: {}, before: [] });
const noModel: DailyReport = {
  ...first,
  budget: { per_day: 2, opened: 0, held: 0, joined: null, below_bar: null },
  health: {
    ...first.health,
    model: null,
    watched: false,
    notes: ["Nothing is learned yet, so nothing can be called unusual: logvane train FILE..."],
  },
};
const noLog: DailyReport = quietReport({
  summary: null,
  usual: {},
  health: { ...first.health, lines: 0, notes: ["No line of this day was found in the log."] },
});
const many = quietReport({
  alerts: Array.from({ length: 200 }, (_, i) =>
    incident(i / 10, { id: `a${i}`, title: `Incident ${i}`, severity: i === 150 ? "critical" : "medium" }),
  ),
  more_alerts: 50,
  budget: { per_day: 300, opened: 250, held: 0, joined: 0, below_bar: 0 },
});

/** UPDATE=1 writes the cases anew. */
function golden(name: string, text: string): void {
  const file = join(CASES, `${name}.txt`);
  if (process.env["UPDATE"] === "1") writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"));
}

suite("a text that was cut where it was counted", () => {
  test("takes one line, not a second one for its last letters", () => {
    const warning =
      "Nov 28 10:00:00 mx postfix/smtpd[10]: warning: unknown[198.51.100.7]: SASL LOGIN authentication failed: of a reason that goes on and on";
    const summary = summaryOf([...dayLines(DAY, () => 4), warning], dayOf(DAY, ZONE));
    assert.match(reportText(quietReport({ summary })), /^ +1 {2}smtpd, unknown.*…$/m);
  });
});

suite("the daily report as text", () => {
  test("of a busy day", () => golden("busy", reportText(busyReport())));
  test("of a quiet day", () => golden("quiet", reportText(quietReport())));
  test("of the first day, without a model", () => golden("first", reportText(noModel)));
  test("of a day without log", () => golden("no-log", reportText(noLog)));
  test("of 250 incidents tells the gravest ones and counts the rest", () => {
    const text = reportText(many);
    golden("many", text);
    assert.ok(text.length < 20_000);
    const told = text.match(/^(?:\d+\. | {2}\d\d:\d\d {2}(?:medium|critical))/gm)!.length;
    const rest = Number(/and (\d+) more: logvane alerts/.exec(text)![1]);
    assert.equal(told + rest, 250);
    assert.match(text, /^1\. critical: Incident 150$/m);
  });
  test("for a reader of ASCII alone", () => {
    const text = reportText(busyReport(), { unicode: false });
    golden("busy-ascii", text);
    assert.match(text, /^[\x20-\x7e\n]*$/);
  });
  for (const report of [busyReport(), quietReport(), noModel, noLog, many, hostileReport()])
    test(`keeps within 78 columns (${report.alerts.length} incidents)`, () => {
      for (const line of reportText(report).split("\n")) assert.ok(columns(line) <= 78, line);
    });
  test("is the same on every run", () => assert.equal(reportText(busyReport()), reportText(busyReport())));
  test("holds no number that is none", () =>
    assert.doesNotMatch(reportText(busyReport()) + reportText(noLog), /NaN|undefined|Infinity|null/));
});

suite("the daily report as text of an attacker's log", () => {
  const text = reportText(hostileReport());
  test("sends nothing to the terminal", () =>
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\ufeff]|\p{Cs}/u));
  test("starts no line with what the log says", () => {
    assert.doesNotMatch(text, /^error/m);
    for (const line of text.split("\n").slice(2))
      if (/evil|pwned|rm -rf/.test(line)) assert.match(line, /^(?: {2}|\d\. high: )/);
  });
  test("holds nothing that a mail program makes a link of", () =>
    assert.doesNotMatch(text, /[a-z]:\/\/|\bwww\.e/i));
  test("puts no word into a command to type", () => {
    assert.deepEqual(
      text.match(/^ {2}next.*$/gm)!.map((line) => line.trim()),
      ["next     logvane explain good1"],
    );
  });
});
