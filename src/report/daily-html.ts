import type { Alert } from "../detect/alert.ts";
import type { DailyReport } from "./daily.ts";
import { hoursCid, type ReportChart, reportCharts, trendCid } from "./daily-charts.ts";
import { busiest, type Figure, figuresOf, hourly, TREND_DAYS } from "./daily-figures.ts";
import {
  clockOf,
  dayNote,
  failedLists,
  healthRows,
  notTold,
  type Shown,
  type ShownList,
  shownOf,
  spanText,
  trafficLists,
  whoText,
} from "./daily-sections.ts";
import { BLOCK, edged, look, toned } from "./daily-style.ts";
import { longDay, reportSubject, verdictOf } from "./daily-verdict.ts";
import { cut, htmlSafe, unlinked } from "./escape.ts";
import { countText, measureText, nextCommand, numberText } from "./format.ts";
import { verdictText } from "./summary-sections.ts";

/** Characters of texts from a log. */
const TITLE = 160;
const ROW_TITLE = 110;
const SUMMARY = 300;
const LINE = 200;
const WORDS = 120;
const NOTE = 320;
const ENTITIES = 5;
const MEASURES = 3;

export type ReportHtmlOptions = {
  /** `cid`: pictures are parts of the same mail (see reportCharts); `data`: they are in the page itself. */
  readonly charts: "cid" | "data";
};

/** The report as one page that loads nothing from anywhere and runs nothing; within what mail programs show. */
export function reportHtml(report: DailyReport, options: ReportHtmlOptions): string {
  const parts = shownOf(report);
  const charts = new Map(reportCharts(report).map((chart) => [chart.cid, chart]));
  const draw = (cid: string, style: string): string => picture(charts.get(cid), options, style);
  // A reader of mail gives its own addresses to pictures of the mail; a policy that it takes over would forbid them.
  const policy =
    options.charts === "data"
      ? `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">\n`
      : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${policy}<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${htmlSafe(reportSubject(report))}</title>
<style>${BLOCK}</style>
</head>
<body ${look("page")}>
<!--[if mso]><table role="presentation" width="640" align="center"><tr><td><![endif]-->
<div ${look("wrap")}>
${[
  head(report),
  ...incidents(report, parts),
  heldBack(report, parts),
  asYouSaid(report, parts),
  newTemplates(report, parts),
  figures(report, draw),
  hours(report, draw),
  lists("What failed", failedLists(report), false),
  lists("Who sent and received", trafficLists(report), true),
  health(report),
  notes(parts),
]
  .filter((part) => part !== "")
  .join("\n")}
</div>
<!--[if mso]></td></tr></table><![endif]-->
</body>
</html>
`;
}

/** Text from a log, for the content of an element. */
const shown = (text: string, width: number): string => htmlSafe(unlinked(cut(text, width)));
/** The same, so that an address that is wider than its column breaks before its domain. */
const shownBroken = (text: string, width: number): string => shown(text, width).replaceAll("@", "@<wbr>");
const card = (title: string, body: string): string =>
  `<div ${look("card")}>\n<h2 ${look("h2")}>${htmlSafe(title)}</h2>\n${body}</div>`;
const more = (n: number): string => (n > 0 ? `<p ${look("soft")}>and ${numberText(n)} more</p>\n` : "");

function picture(chart: ReportChart | undefined, { charts }: ReportHtmlOptions, style: string): string {
  if (chart === undefined) return "";
  const source =
    charts === "cid" ? `cid:${chart.cid}` : `data:image/png;base64,${chart.png.toString("base64")}`;
  return `<img src="${source}" width="${chart.width}" height="${chart.height}" alt="${htmlSafe(chart.alt)}" style="border:0;${style}">`;
}

function head(report: DailyReport): string {
  const { level, text } = verdictOf(report);
  const verdict = text("this day", 2 * TITLE);
  const sentences = [report.summary === null ? "" : verdictText(report.summary, []), dayNote(report)];
  return `<div ${edged(level === "notice" ? "medium" : level)}>
<p ${look("soft", "margin:0")}>${shown(report.server, TITLE)} &middot; ${longDay(report.day)}</p>
<h1 ${look("h1")}>${shown(verdict.charAt(0).toUpperCase() + verdict.slice(1), 2 * TITLE)}</h1>
${sentences
  .filter((sentence) => sentence !== "")
  .map((sentence) => `<p ${look("soft")}>${htmlSafe(sentence)}</p>`)
  .join("\n")}
</div>`;
}

function incidents(report: DailyReport, { full, short, ongoing, moreIncidents }: Shown): string[] {
  const records = new Map(report.alerts.map((record) => [record.id, record]));
  const parts = full.map((alert, i) => incident(alert, i + 1, report, records.get(alert.id)));
  if (short.length > 0) parts.push(card("More incidents", oneLiners(short, report)));
  if (ongoing.length > 0) parts.push(card("Going on from before", oneLiners(ongoing, report, true)));
  if (moreIncidents > 0)
    parts.push(
      card(
        "And more",
        `<p ${look("p")}>${countText(moreIncidents, "incident")} beyond these: logvane alerts lists them.</p>\n`,
      ),
    );
  return parts;
}

function incident(alert: Alert, number: number, report: DailyReport, record: unknown): string {
  const { severity } = alert;
  const next = nextCommand("logvane explain", alert.id);
  const facts = [
    fact("When", htmlSafe(spanText(alert, report))),
    ...alert.measures
      .slice(0, MEASURES)
      .map((m, i) => fact(i === 0 ? "Actual" : "", shown(`${m.name}: ${measureText(m)}`, WORDS))),
    alert.entities.length > 0 ? fact("Who", shown(whoText(alert, record, ENTITIES), LINE)) : "",
    alert.lines.length > 0
      ? fact("Line", `<span ${look("code")}>${shown(alert.lines[0]!.text, LINE)}</span>`)
      : "",
    next === undefined ? "" : fact("Next", `<code ${look("code")}>${next}</code>`),
  ];
  return `<div ${edged(severity)}>
<h2 ${look("title")}>${number}. <span ${toned(severity)}>${severity}</span> &middot; ${shown(alert.title, TITLE)}</h2>
<p ${look("p", "font-size:14px")}>${shown(alert.summary, SUMMARY)}</p>
<table ${look("table")}>
${facts.join("")}</table>
</div>`;
}

/** html: escaped already. */
const fact = (name: string, html: string): string =>
  `<tr><th scope="row" ${look("key")}>${name}</th><td ${look("fact")}>${html}</td></tr>\n`;

/** spans: with since when and until when, for those of other days. */
function oneLiners(alerts: readonly Alert[], report: DailyReport, spans = false): string {
  const from = spans ? "" : `<th scope="col" ${look("th", "width:48px")}>from</th>`;
  const rows = alerts.map(
    (a) =>
      `<tr>${spans ? "" : `<td ${look("w")}>${clockOf(a.openedAt, report)}</td>`}<td ${look("w")}><span ${toned(a.severity)}>${a.severity}</span></td><td ${look("w")}>${shown(a.title, ROW_TITLE)}${spans ? `<br><span ${look("usual")}>${htmlSafe(spanText(a, report))}</span>` : ""}</td></tr>\n`,
  );
  return `<table ${look("table")}>
<tr>${from}<th scope="col" ${look("th", "width:64px")}>severity</th><th scope="col" ${look("th")}>what</th></tr>
${rows.join("")}</table>
`;
}

function heldBack(report: DailyReport, { held, moreHeld }: Shown): string {
  if (report.budget.held === 0) return "";
  return card(
    `Held back by the budget of ${countText(report.budget.per_day, "alert")} a day`,
    oneLiners(held, report) + more(moreHeld),
  );
}

function asYouSaid(report: DailyReport, { suppressed, moreSuppressed }: Shown): string {
  if (notTold(report) === 0) return "";
  return card("Not told, as you said or planned", oneLiners(suppressed, report) + more(moreSuppressed));
}

function newTemplates(report: DailyReport, { templates, moreTemplates }: Shown): string {
  if (templates.length === 0) return "";
  const cells = templates.map(
    ({ text, lines, first_at }) =>
      `<tr><td ${look("n")}>${numberText(lines)}</td><td ${look("w", "width:48px")}>${clockOf(Date.parse(first_at), report)}</td><td ${look("w")}><span ${look("code")}>${shown(text, WORDS)}</span></td></tr>\n`,
  );
  return card(
    "New kinds of lines",
    `<table ${look("table")}>
<tr><th scope="col" ${look("th", "width:52px;text-align:right")}>lines</th><th scope="col" ${look("th", "width:48px")}>first</th><th scope="col" ${look("th")}>what they look like</th></tr>
${cells.join("")}</table>
${more(moreTemplates)}`,
  );
}

type Draw = (cid: string, style: string) => string;

function figures(report: DailyReport, draw: Draw): string {
  const rows = figuresOf(report);
  const lack = htmlSafe(report.figures_lack ?? "");
  if (rows.length === 0) return lack === "" ? "" : card("Figures", `<p ${look("p")}>${lack}</p>\n`);
  const pictures = rows.map((f) => draw(trendCid(f.name), "display:inline-block"));
  const drawn = pictures.some((p) => p !== "");
  const line = (f: Figure, i: number): string => {
    const usual =
      f.usual === "" ? "" : `<br class="br"> <span ${look("usual")}>usually ${htmlSafe(f.usual)}</span>`;
    const mark =
      f.mark === undefined
        ? ""
        : `<br><span ${toned("high", "font-size:12px")}>${f.mark === "above" ? "&#9650; above" : "&#9660; below"} usual</span>`;
    const trend = drawn ? `<td ${look("trend")}>${pictures[i]}</td>` : "";
    return `<tr><th scope="row" ${look("label")}>${htmlSafe(f.label)}${usual}</th><td ${look("value")}>${htmlSafe(f.value)}${mark}</td>${trend}</tr>\n`;
  };
  const days = Object.values(report.usual)[0]?.days;
  const legend = [
    days === undefined
      ? ""
      : `Usually: 8 in 10 of the ${days} days of this kind (working days, or weekends); marked when far out of that.`,
    drawn
      ? `Pictures: the ${TREND_DAYS - 1} days before in grey, weekends paler; this day in blue, in orange when far out${days === undefined ? "" : "; the usual range as a band"}.`
      : "",
    lack,
  ].filter((sentence) => sentence !== "");
  return card(
    "Figures",
    `<table ${look("table")}>
<tr><th scope="col" ${look("th")}>figure</th><th scope="col" ${look("th", "width:96px;text-align:right;padding-right:12px")}>this day</th>${drawn ? `<th scope="col" ${look("th", "width:116px;padding-right:0")}>last 4 weeks</th>` : ""}</tr>
${rows.map(line).join("")}</table>
${legend.length > 0 ? `<p ${look("soft", "font-size:12px;margin-top:8px")}>${legend.join(" ")}</p>\n` : ""}`,
  );
}

function hours(report: DailyReport, draw: Draw): string {
  const rows = hourly(report.summary).map(({ key, label, hours: values }) => {
    const { hour, n } = busiest(values);
    const sum = values.reduce((all, one) => all + one, 0);
    return `<p ${look("p", "font-size:14px;margin:8px 0 2px")}>${label} ${numberText(sum)} <span ${look("usual")}>most at ${hour} h: ${numberText(n)}</span></p>
${draw(hoursCid(key), "display:block;width:100%;max-width:576px;height:auto")}
`;
  });
  if (rows.length === 0) return "";
  const axis = ["0 h", "6 h", "12 h", "18 h"].map((hour) => `<td ${look("hours")}>${hour}</td>`).join("");
  return card(
    "By hour",
    `${rows.join("")}<table role="presentation" ${look("table", "max-width:576px")}><tr>${axis}</tr></table>\n`,
  );
}

/** pairs: lists of one column of figures stand side by side where there is room. */
function lists(title: string, shownLists: readonly ShownList[], pairs: boolean): string {
  if (shownLists.length === 0) return "";
  const body = shownLists.map((one) => {
    const text = list(one);
    return pairs && one.headings.length === 1 ? `<div class="half">${text}</div>` : text;
  });
  return card(title, body.join(""));
}

/** Pixels of columns of figures whose heading or values are wider than others. */
const WIDTHS: Readonly<Record<string, number>> = { n: 44, size: 72, "from IPs": 62 };

function list({ title, headings, heading, rows, more: rest }: ShownList): string {
  const head = headings.map(
    (name) =>
      `<th scope="col" ${look("th", `width:${WIDTHS[name] ?? 48}px;text-align:right;padding-right:10px`)}>${name}</th>`,
  );
  const body = rows.map(
    ({ figures: cells, words }) =>
      `<tr>${cells.map((cell) => `<td ${look("n")}>${htmlSafe(cell)}</td>`).join("")}<td ${look("w")}>${shownBroken(words, WORDS)}</td></tr>\n`,
  );
  return `<h3 ${look("h3")}>${htmlSafe(title)}</h3>
<table ${look("table")}>
<tr>${head.join("")}<th scope="col" ${look("th")}>${heading}</th></tr>
${body.join("")}</table>
${more(rest)}`;
}

function health(report: DailyReport): string {
  const rows = healthRows(report).map(
    ([label, text]) =>
      `<tr><th scope="row" ${look("key", "width:96px")}>${htmlSafe(label)}</th><td ${look("fact")}>${shown(text, SUMMARY)}</td></tr>\n`,
  );
  return card(`Logvane ${report.health.release}`, `<table ${look("table")}>\n${rows.join("")}</table>\n`);
}

function notes({ notes: shownNotes, moreNotes }: Shown): string {
  if (shownNotes.length === 0) return "";
  const rows = shownNotes.map((note) => `<p ${look("p", "font-size:14px")}>${shown(note, NOTE)}</p>\n`);
  return card("To do", rows.join("") + more(moreNotes));
}
