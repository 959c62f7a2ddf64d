import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { alertDays, type DaysReport, daysHtml, daysText } from "../../src/report/days.ts";
import { HOSTILE, sampleAlert } from "./support.ts";

const timeZone = "Europe/Berlin";
const at = (day: number, hour: number): number => Date.UTC(2026, 8, day, hour);
const alerts = [
  sampleAlert({ openedAt: at(21, 23), title: "Late in UTC" }),
  sampleAlert({ openedAt: at(23, 8), title: HOSTILE }),
  sampleAlert({ openedAt: at(23, 9), held: true }),
];
const days = alertDays(alerts, { from: at(21, 0), to: at(24, 1), timeZone });
const costs = [
  { perDay: 1, sent: 2, held: 1 },
  { perDay: 10, sent: 3, held: 0 },
];
const report: DaysReport = { days, costs, perDay: 2, timeZone };

suite("a back-test day by day", () => {
  test("has every day of the zone, with what was sent and how much was held back", () =>
    assert.deepEqual(
      days.map(({ day, sent, held }) => [day, sent.length, held]),
      [
        ["2026-09-21", 0, 0],
        ["2026-09-22", 1, 0],
        ["2026-09-23", 1, 1],
        ["2026-09-24", 0, 0],
      ],
    ));
  test("is written with the cost of each budget, and lets a log write nothing else", () => {
    const text = daysText(report, 80);
    assert.match(text, /^2026-09-22 {2}1\n {12}01:00 Late in UTC$/m);
    assert.match(text, /^2026-09-23 {2}1 \(1 held back\)$/m);
    assert.match(text, /^ {5}1 {9}2 {6}0\.50 {11}1$/m);
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/);
    const html = daysHtml(report);
    assert.match(html, /10 a day<\/th><td>3 sent \(0\.75 a day\), 0 held back/);
    assert.doesNotMatch(html, /<script/);
  });
  test("says what became of each training on the way, where there was one", () => {
    assert.doesNotMatch(daysText(report, 80) + daysHtml(report), /Learned anew/);
    const weekly = { ...report, retrained: [{ at: at(23, 1), text: `model b stayed in use: ${HOSTILE}` }] };
    const text = daysText(weekly, 80);
    assert.match(text, /\n\nLearned anew on the way\n2026-09-23 {2}model b stayed in use: /);
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/);
    const html = daysHtml(weekly);
    assert.match(
      html,
      /<h2>Learned anew on the way<\/h2>\n<table>\n<tr><th scope="row">2026-09-23<\/th><td>model b/,
    );
    assert.doesNotMatch(html, /<script/);
  });
});
