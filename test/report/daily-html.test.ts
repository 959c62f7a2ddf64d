import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PNG } from "pngjs";
import { composeMail } from "../../src/deliver/mail.ts";
import { COLORS, DENSITY } from "../../src/report/bar-chart.ts";
import { reportCharts } from "../../src/report/daily-charts.ts";
import { figuresOf } from "../../src/report/daily-figures.ts";
import { reportHtml } from "../../src/report/daily-html.ts";
import { DARK, LIGHT, type Palette } from "../../src/report/daily-style.ts";
import { busyReport, fullestReport, hostileReport, quietReport } from "./daily-support.ts";

const busy = busyReport();
const page = reportHtml(busy, { charts: "data" });
const mail = reportHtml(busy, { charts: "cid" });
const charts = reportCharts(busy);

suite("the daily report as HTML", () => {
  test("tells the verdict, the incidents, what was held back and what is new", () => {
    assert.match(page, /<h1[^>]*>2 incidents on this day, the gravest: Mail to slow\.example is deferred/);
    assert.equal(page.match(/<h2 class="title"/g)!.length, 2);
    assert.match(page, /<code[^>]*>logvane explain gr4ve<\/code>/);
    for (const title of ["Going on from before", "Held back by the budget", "New kinds of lines", "To do"])
      assert.ok(page.includes(title), title);
  });
  test("loads nothing from anywhere and runs nothing", () => {
    for (const html of [page, mail]) {
      assert.doesNotMatch(html, /<script|<link|<iframe|<object|<form|\bhref=|url\(|@import|https?:/i);
      assert.doesNotMatch(html, /<[^>]*\son\w+=/i);
    }
    assert.match(page, /content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"/);
    const sources = [...page.matchAll(/src="([^"]*)"/g)].map((m) => m[1]!);
    assert.ok(sources.length > 10 && sources.every((s) => s.startsWith("data:image/png;base64,")));
  });
  test("in a mail refers to its own pictures, each one once", () => {
    const cids = [...mail.matchAll(/src="cid:([^"]*)"/g)].map((m) => m[1]!);
    assert.deepEqual([...cids].sort(), charts.map((c) => c.cid).sort());
    assert.equal(new Set(cids).size, cids.length);
  });
  test("is read in English, by its headings, tables with headings, and pictures with words", () => {
    assert.match(page, /<html lang="en">/);
    assert.match(page, /<title>mail\.example\.org: 2 incidents on Sat 28 Nov/);
    for (const [table] of page.matchAll(/<table class="table"[\s\S]*?<\/table>/g))
      assert.match(table, /<th scope="(?:col|row)"/);
    for (const [img] of page.matchAll(/<img[^>]*>/g)) assert.match(img, / alt="[^"]{20,}"/);
    assert.equal(page.match(/<h1/g)!.length, 1);
  });
  test("marks figures that are out of range by words too", () => {
    const out = figuresOf(busy).filter((f) => f.mark !== undefined);
    assert.ok(out.length > 0);
    assert.equal(page.match(/above usual<\/span>/g)!.length, out.length);
  });
  test("is the same on every run", () => assert.equal(reportHtml(busyReport(), { charts: "data" }), page));
  test("holds no number that is none", () => assert.doesNotMatch(page, /NaN|undefined|Infinity|>null</));
});

suite("the size of a mail with a report", () => {
  const reports = { quiet: quietReport(), busy, hostile: hostileReport(), fullest: fullestReport() };
  for (const [name, report] of Object.entries(reports))
    test(`stays below 100 kB with all its pictures (${name})`, async () => {
      const delivery = { notification: { type: "report", report }, key: "k", at: 0, reached: [] } as const;
      const channel = { from: "logvane@mail.example.org", to: ["root@mail.example.org"] };
      const context = { server: "mx", release: "0.1.0", timeZone: "UTC", harmless: "" };
      const bytes = (await composeMail(delivery, channel, context)).length;
      assert.ok(bytes < 100_000, String(bytes));
    });
});

suite("the pictures of a report", () => {
  test("have twice the pixels that the page gives them", () => {
    assert.ok(charts.length > 10);
    for (const { png, width, height } of charts) {
      const read = PNG.sync.read(png);
      assert.deepEqual([read.width, read.height], [width * DENSITY, height * DENSITY]);
    }
    assert.match(page, /<img src="[^"]*" width="116" height="28"/);
  });
  test("are drawn on a transparent ground", () => {
    const { data } = PNG.sync.read(charts[0]!.png);
    assert.equal(data[3], 0);
  });
  test("tell their figures in words", () => {
    const alt = (cid: string): string => charts.find((c) => c.cid.startsWith(cid))!.alt;
    assert.equal(alt("trend-received"), "messages received: 201, on 28 of the 28 days before 113 to 115");
    assert.match(alt("hours-received"), /^received by hour from 0 h on: 1, 1, 1, 1, 1, 1, 8, 8, 8, 59, 8/);
  });
  test("show this day in orange when it is far out, in blue when not", () => {
    const last = (report: typeof busy): readonly number[] => {
      const read = PNG.sync.read(reportCharts(report)[0]!.png);
      const at = (read.width * (read.height - 6) + read.width - 6) * 4;
      return [...read.data.subarray(at, at + 3)];
    };
    assert.deepEqual(last(busy), COLORS.odd);
    assert.deepEqual(last(quietReport()), COLORS.day);
  });
  test("are left out where too few days are known", () =>
    assert.deepEqual(
      reportCharts(quietReport({ before: [] })).map((c) => c.cid.split("@")[0]),
      ["hours-received", "hours-deferred", "hours-rejected"],
    ));
});

/** Relative luminance (WCAG 2.1). */
function luminance(rgb: readonly number[]): number {
  const [r, g, b] = rgb.map((c) =>
    c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
const rgbOf = (hex: string): number[] => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
function contrast(a: readonly number[], b: readonly number[]): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

suite("the colours of a report", () => {
  for (const [name, palette] of Object.entries({ light: LIGHT, dark: DARK }) as [string, Palette][])
    test(`have the contrast of WCAG AA (${name})`, () => {
      for (const text of ["text", "soft", "critical", "high", "medium", "low", "quiet"] as const)
        for (const ground of ["page", "card"] as const)
          assert.ok(contrast(rgbOf(palette[text]), rgbOf(palette[ground])) >= 4.5, `${text} on ${ground}`);
    });
  test("of bars stand out on light and on dark", () => {
    for (const [name, color] of Object.entries(COLORS))
      for (const ground of [LIGHT.card, DARK.card])
        assert.ok(contrast(color, rgbOf(ground)) >= 3, `${name} on ${ground}`);
  });
});

suite("the daily report as HTML of an attacker's log", () => {
  const html = reportHtml(hostileReport(), { charts: "data" });
  test("holds only tags of ours", () => {
    const tags = new Set([...html.matchAll(/<\/?([a-z0-9]+)/gi)].map((m) => m[1]!.toLowerCase()));
    const ours = "html head meta title style body div p h1 h2 h3 span table tr th td code img br wbr".split(
      " ",
    );
    for (const tag of tags) assert.ok(ours.includes(tag), tag);
    assert.doesNotMatch(html, /<[^>]*\son\w+=/i);
  });
  test("sends no control character and nothing that becomes a link", () => {
    assert.doesNotMatch(html, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\ufeff]|\p{Cs}/u);
    assert.doesNotMatch(html, /[a-z]:\/\/|\bwww\.e/i);
  });
  test("offers no command with a word of the log", () =>
    assert.deepEqual(
      [...html.matchAll(/<code[^>]*>([^<]*)/g)].map((m) => m[1]),
      ["logvane explain good1"],
    ));
});
