import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type ReportData, renderHtml } from "../../src/report/html.ts";
import { HOSTILE, hostileAlert, sampleAlert } from "./support.ts";

const HOUR = 3_600_000;
const from = Date.UTC(2026, 8, 21);
const data: ReportData = {
  title: "Logvane report",
  from,
  to: from + 48 * HOUR,
  timeZone: "Europe/Berlin",
  alerts: [sampleAlert(), sampleAlert({ id: "c0ffee", severity: "low" })],
  held: 3,
  lines: { total: 1000, unknown: 10, badEnvelope: 2, duplicates: 8 },
  perHour: Array.from({ length: 48 }, (_, i) => ({ time: from + i * HOUR, lines: i === 5 ? 200 : 10 })),
  figures: [{ label: "received", value: "412" }],
  model: [{ label: "Trained on", value: "21 days" }],
  command: "npx logvane explain",
};

suite("the HTML report", () => {
  const page = renderHtml(data);
  test("opens with the verdict", () => assert.match(page, /<h1>2 incidents, 1 of them serious<\/h1>/));
  test("says so when there is nothing", () =>
    assert.match(renderHtml({ ...data, alerts: [], perHour: [] }), /<h1>Nothing unusual to report<\/h1>/));
  test("accounts for every line and for what was held back", () => {
    assert.match(page, /Understood<\/th><td>980 \(98\.00 %\)/);
    assert.match(page, /held back by the budget<\/th><td>3</);
  });
  test("shows local times with their offset", () => assert.match(page, /2026-09-21 04:00 \+02:00, for 2 h/));
  test("marks every alert on the timeline", () => {
    assert.equal(page.match(/<g class="mark /g)?.length, 2);
    assert.deepEqual(
      [...page.matchAll(/<span class="pin (\w+)" style="left:([\d.]+)%">(\d+)/g)].map((m) => m.slice(1)),
      [
        ["high", "5.2", "1"], // 2.5 of 48 hours
        ["low", "5.2", "2"],
      ],
    );
    assert.match(page, /670 lines from 2026-09-21 02:00 \+02:00/); // 47 hours of 10 and one of 200
  });
  test("draws every hour as a bar of its own", () => {
    const bars = page.match(/class="bars" d="([^"]*)"/)![1]!.match(/v-[\d.]+/g)!;
    assert.equal(bars.length, 48);
    assert.equal(bars.filter((bar) => bar === "v-5.3").length, 47); // 10 of 200 lines in 106 units
    assert.equal(bars[5], "v-106");
  });
  test("loads nothing from anywhere and runs nothing", () => {
    assert.match(page, /content="default-src 'none'; style-src 'unsafe-inline'"/);
    assert.doesNotMatch(page, /<script|<link|<img|<iframe|\bsrc=|\bhref=|url\(|@import|https?:/i);
  });
  test("offers the command that it was given, and none where nothing was kept", () => {
    assert.match(page, /<code>npx logvane explain b4f00d<\/code>/);
    assert.doesNotMatch(renderHtml({ ...data, command: "" }), /<code>/);
  });
  test("is the same on every run", () => assert.equal(renderHtml(data), page));
  test("holds no number that is none", () => assert.doesNotMatch(page, /NaN|undefined|Infinity/));
});

suite("the HTML report of an attacker's log", () => {
  const page = renderHtml({
    ...data,
    title: HOSTILE,
    alerts: [hostileAlert()],
    figures: [{ label: HOSTILE, value: HOSTILE }],
    model: [{ label: HOSTILE, value: HOSTILE }],
  });
  test("holds only tags of ours", () => {
    const tags = new Set([...page.matchAll(/<\/?([a-z0-9!]+)/gi)].map((m) => m[1]!.toLowerCase()));
    const ours =
      "!doctype html head meta title style body main header p h1 h2 section svg path g circle text article span dl div dt dd br details summary ol li table tr th td";
    for (const tag of tags) assert.ok(ours.split(" ").includes(tag), tag);
    assert.doesNotMatch(page, /<[^>]*\son\w+=/i);
  });
  test("sends no control character", () =>
    assert.doesNotMatch(page, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\ufeff]|\p{Cs}/u));
  test("offers no command to paste", () => assert.doesNotMatch(page, /<code>/));
  test("stays small", () => assert.ok(page.length < 20_000));
});
