import type { Range, Row, Summary } from "../mail/summary.ts";
import { cut, htmlSafe } from "./escape.ts";
import { numberText } from "./format.ts";
import { STYLE } from "./style.ts";
import { cellText, SECTIONS, type Section, totalLines, verdictText } from "./summary-sections.ts";

/** Rows of a list, unless asked otherwise; characters of a text. */
const ROWS = 25;
const TEXT_WIDTH = 160;

/** Added to the look of the alert report. */
const MORE_STYLE = `
.scroll { overflow-x: auto; }
.totals td.usual { color: var(--soft); font-size: .85rem; width: 45%; }
.totals tr.odd td, .totals tr.odd th { color: var(--high); font-weight: 600; }
table.list th { color: var(--soft); font-size: .85rem; border-top: 0; padding-right: 1rem; white-space: nowrap; }
table.list td { text-align: left; padding-right: 1rem; vertical-align: top; }
table.list td.n, table.list th.n { text-align: right; white-space: nowrap; width: 1%; }
table.list td.w { white-space: nowrap; overflow-wrap: normal; }
.bars2 { display: flex; align-items: flex-end; gap: 2px; height: 5rem; margin-top: .75rem; }
.bars2 i { flex: 1; background: var(--bar); min-height: 1px; border-radius: 2px 2px 0 0; }
.hours { display: flex; justify-content: space-between; color: var(--soft); font-size: .75rem; }
details > summary { font-size: 1.1rem; color: var(--text); font-weight: 600; }
@media (max-width: 36rem) { .totals td.usual { width: 40%; } main { padding: 1rem .5rem 2rem; } section { padding: .8rem; } }
`;

export type SummaryHtmlOptions = {
  readonly limit?: number | undefined;
  readonly usual?: Readonly<Record<string, Range>>;
  readonly timeZone: string;
};

/** One page that needs nothing else: no script, no font, no picture from elsewhere. */
export function summaryHtml(s: Summary, options: SummaryHtmlOptions): string {
  const usual = options.usual ?? {};
  const lines = totalLines(s, usual);
  const day = s.date === "all" ? "whole log" : s.date;
  const some = lines.some((l) => l.usual !== "");
  const rows = lines.map(
    (l) =>
      `<tr${l.unusual ? ' class="odd"' : ""}><th scope="row">${htmlSafe(l.label)}</th><td>${htmlSafe(l.value)}</td>${some ? `<td class="usual">${htmlSafe(l.usual)}</td>` : ""}</tr>`,
  );
  const sections = SECTIONS.map((section) => sectionHtml(s, section, options.limit ?? ROWS));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Mail summary, ${htmlSafe(day)}</title>
<style>${STYLE}${MORE_STYLE}</style>
</head>
<body>
<main>
<header>
<p class="note">Mail summary (${htmlSafe(options.timeZone)})</p>
<h1>${htmlSafe(day)}</h1>
<p>${htmlSafe(verdictText(s, lines))}</p>
</header>
<section>
<h2>Totals</h2>
<table class="totals">
${rows.join("\n")}
</table>
<p class="note">From ${numberText(s.lines)} lines${s.unknown > 0 ? `, ${numberText(s.unknown)} of them not understood` : ""}.</p>
${hours(s.lists["per_hour"] ?? [])}
</section>
${sections.filter((text) => text !== "").join("\n")}
${differences(s)}
${boundedHtml(s)}
</main>
</body>
</html>
`;
}

/** Received messages by hour as bars. */
function hours(rows: readonly Row[]): string {
  const values = rows.map((r) => Number(r["received"] ?? 0));
  const most = Math.max(...values, 0);
  if (most === 0) return "";
  const bars = values.map(
    (v, h) => `<i style="height:${((100 * v) / most).toFixed(1)}%" title="${h} h: ${numberText(v)}"></i>`,
  );
  return `<div class="bars2" role="img" aria-label="messages received by hour">${bars.join("")}</div>
<div class="hours"><span>0 h</span><span>6 h</span><span>12 h</span><span>18 h</span><span>24 h</span></div>
<p class="note">Messages received by hour</p>`;
}

function sectionHtml(s: Summary, section: Section, limit: number): string {
  const list = s.lists[section.list] ?? [];
  if (list.length === 0 || (section.list.endsWith("per_day") && list.length < 2)) return "";
  const whole = /per_(?:day|hour)$/.test(section.list);
  const rows = whole ? list : list.slice(0, limit);
  const kind = (key: string, i: number): string =>
    typeof rows[0]![key] === "number" ? ' class="n"' : i < section.columns.length - 1 ? ' class="w"' : "";
  const head = section.columns.map(
    ([key, name], i) => `<th scope="col"${kind(key, i)}>${htmlSafe(name)}</th>`,
  );
  const body = rows.map(
    (row) =>
      `<tr>${section.columns
        .map(([key], i) => `<td${kind(key, i)}>${htmlSafe(cut(cellText(key, row[key]), TEXT_WIDTH))}</td>`)
        .join("")}</tr>`,
  );
  const more = list.length - rows.length + (s.omitted[section.list] ?? 0);
  const note = more > 0 ? `<p class="note">and ${numberText(more)} more</p>` : "";
  return `<section>
<details open><summary>${htmlSafe(section.title)}</summary>
<div class="scroll"><table class="list">
<tr>${head.join("")}</tr>
${body.join("\n")}
</table></div>${note}</details>
</section>`;
}

function differences(s: Summary): string {
  if (s.differences.length === 0) return "";
  const rows = s.differences.map(
    ({ total, lines, reason }) =>
      `<tr><td>${htmlSafe(total)}</td><td class="n">${numberText(s.totals[total])}</td><td class="n">${numberText(s.corrected[total])}</td><td class="n">${numberText(lines)}</td><td>${htmlSafe(reason)}</td></tr>`,
  );
  return `<section>
<details><summary>Where pflogsumm counts otherwise</summary>
<div class="scroll"><table class="list">
<tr><th scope="col">total</th><th scope="col" class="n">pflogsumm</th><th scope="col" class="n">here</th><th scope="col" class="n">lines</th><th scope="col">reason</th></tr>
${rows.join("\n")}
</table></div></details>
</section>`;
}

function boundedHtml(s: Summary): string {
  if (s.bounded.length === 0) return "";
  const rows = s.bounded.map(
    (b) =>
      `<tr><td>${htmlSafe(b.table)}</td><td class="n">${numberText(b.rows)}</td><td class="n">${numberText(b.left_out)}</td></tr>`,
  );
  return `<section><h2>Lists that could not hold everything</h2><table class="list"><tr><th scope="col">list</th><th scope="col" class="n">rows kept</th><th scope="col" class="n">left out</th></tr>${rows.join("")}</table></section>`;
}
