import type { Alert } from "../detect/alert.ts";
import { type DaysReport, daysHtml } from "./days.ts";
import { cut, htmlSafe } from "./escape.ts";
import { countText, localTime, measureText, nextCommand, numberText, sinceText } from "./format.ts";
import { STYLE } from "./style.ts";
import { type Hour, timelineChart } from "./timeline.ts";

export type Figure = { readonly label: string; readonly value: string };

export type ReportData = {
  readonly title: string;
  /** Milliseconds since the Unix epoch: the time that the report is of. */
  readonly from: number;
  readonly to: number;
  /** IANA zone in which times are shown. */
  readonly timeZone: string;
  readonly alerts: readonly Alert[];
  /** Alerts that the budget held back. */
  readonly held: number;
  readonly lines: {
    readonly total: number;
    readonly unknown: number;
    readonly badEnvelope: number;
    readonly duplicates: number;
  };
  readonly perHour: readonly Hour[];
  readonly figures: readonly Figure[];
  readonly model: readonly Figure[];
  /** Our program and verb that tells more of an alert, such as "npx logvane explain"; "" where nothing was kept. */
  readonly command: string;
  /** Of a back-test. */
  readonly days?: DaysReport;
};

const LINES = 5;
const ENTITIES = 12;
/** Characters of a raw line that are shown. */
const LINE_WIDTH = 400;

/** One page that needs nothing else: no remote content, no script, the same bytes for the same data. */
export function renderHtml(data: ReportData): string {
  const span = `${localTime(data.from, data.timeZone)} to ${localTime(data.to, data.timeZone)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${htmlSafe(data.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p class="note">${htmlSafe(data.title)}</p>
<h1>${verdict(data)}</h1>
<p class="note">${htmlSafe(span)} (${htmlSafe(data.timeZone)})</p>
</header>
<section aria-label="Timeline">
${timelineChart(data.perHour, data.alerts, data.from, data.to, data.timeZone)}
</section>
${data.alerts.map((alert, i) => card(alert, i + 1, data)).join("\n")}
${data.days ? daysHtml(data.days) : ""}
${figuresTable("Mail figures", data.figures)}
${figuresTable("What was read", coverage(data))}
${figuresTable("Model", data.model)}
</main>
</body>
</html>
`;
}

function verdict(data: ReportData): string {
  const sent = data.alerts.filter((alert) => !alert.held);
  if (sent.length === 0) return "Nothing unusual to report";
  const grave = sent.filter((a) => a.severity === "critical" || a.severity === "high").length;
  const incidents = countText(sent.length, "incident");
  if (grave === 0) return incidents;
  return `${incidents}, ${grave === sent.length ? "serious" : `${numberText(grave)} of them serious`}`;
}

function card(alert: Alert, number: number, { timeZone, command }: ReportData): string {
  return `<article class="${htmlSafe(alert.severity)}">
<h2><span class="badge">${number} · ${htmlSafe(alert.severity)}</span> ${htmlSafe(alert.title)}</h2>
<p>${htmlSafe(alert.summary)}</p>
${alert.held ? '<p class="note">Held back by the alert budget; not sent.</p>\n' : ""}<dl>
${term("Since", htmlSafe(sinceText(alert, timeZone)))}
${term("Opened", htmlSafe(localTime(alert.openedAt, timeZone)))}
${alert.measures.map((m) => term(m.name, htmlSafe(measureText(m)))).join("\n")}
${entities(alert)}
${term("Kind", htmlSafe(`${alert.kind} (${Math.round(alert.kindConfidence * 100)} %), ${alert.view} view`))}
</dl>
${rawLines(alert)}${next(alert, command)}</article>`;
}

/** One row of a card. html: escaped already. */
const term = (name: string, html: string): string => `<div><dt>${htmlSafe(name)}</dt><dd>${html}</dd></div>`;

function entities(alert: Alert): string {
  if (alert.entities.length === 0) return "";
  const named = alert.entities.slice(0, ENTITIES).map((e) => htmlSafe(`${e.type} ${e.value}`));
  const more = alert.entities.length - named.length;
  return term("Who", named.join("<br>") + (more > 0 ? `<br>and ${numberText(more)} more` : ""));
}

function rawLines(alert: Alert): string {
  if (alert.lines.length === 0) return "";
  const rows = alert.lines.slice(0, LINES).map((line) => {
    const place = htmlSafe(`${line.file}:${line.line}`);
    return `<li><span class="place">${place}</span> ${htmlSafe(cut(line.text, LINE_WIDTH))}</li>`;
  });
  const of = countText(alert.total.lines, "line");
  return `<details open><summary>Evidence, from ${of}</summary><ol class="lines">\n${rows.join("\n")}\n</ol></details>\n`;
}

function next(alert: Alert, command: string): string {
  const line = command === "" ? undefined : nextCommand(command, alert.id);
  return line === undefined ? "" : `<p class="note">Again on a terminal: <code>${line}</code></p>\n`;
}

function coverage(data: ReportData): Figure[] {
  const { total, unknown, badEnvelope, duplicates } = data.lines;
  const read = total - unknown - badEnvelope - duplicates;
  const share = total > 0 ? ` (${((100 * read) / total).toFixed(2)} %)` : "";
  return [
    { label: "Lines", value: numberText(total) },
    { label: "Understood", value: numberText(read) + share },
    { label: "Not understood", value: numberText(unknown) },
    { label: "Without a readable time or host", value: numberText(badEnvelope) },
    { label: "Left out as doubled", value: numberText(duplicates) },
    { label: "Alerts held back by the budget", value: numberText(data.held) },
  ];
}

function figuresTable(title: string, figures: readonly Figure[]): string {
  if (figures.length === 0) return "";
  const rows = figures.map(
    (f) => `<tr><th scope="row">${htmlSafe(f.label)}</th><td>${htmlSafe(f.value)}</td></tr>`,
  );
  return `<section>\n<h2>${htmlSafe(title)}</h2>\n<table>\n${rows.join("\n")}\n</table>\n</section>`;
}
