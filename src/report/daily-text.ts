import type { Alert } from "../detect/alert.ts";
import { columns, fitted, folded, left, right } from "./columns.ts";
import type { DailyReport } from "./daily.ts";
import { busiest, type Figure, figuresOf, hourly, trendOf } from "./daily-figures.ts";
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
import { longDay, verdictOf } from "./daily-verdict.ts";
import { terminalSafe, unlinked } from "./escape.ts";
import { countText, measureText, nextCommand, numberText } from "./format.ts";
import { verdictText } from "./summary-sections.ts";

/** Columns of the text: a mail program's 80 with room for a mark of quotation. */
const WIDTH = 78;
const LABEL = 9;
const SUMMARY_LINES = 4;
const LIST_LINES = 2;
const ENTITIES = 4;
const MEASURES = 3;
/** Days of the trend behind a figure. */
const SPARK = 14;

export type ReportTextOptions = {
  /** False where the reader shows ASCII alone; true unless told. */
  readonly unicode?: boolean;
};

/** The report as plain text of at most 78 columns. No line of it begins with what a log says. */
export function reportText(report: DailyReport, options: ReportTextOptions = {}): string {
  const unicode = options.unicode ?? true;
  const parts = shownOf(report);
  const text = [
    head(report),
    ...incidents(report, parts),
    heldBack(report, parts),
    asYouSaid(report, parts),
    newTemplates(report, parts),
    figures(report, unicode),
    hours(report, unicode),
    ...failedLists(report).map(list),
    ...trafficLists(report).map(list),
    health(report),
    notes(parts),
  ]
    .filter((part) => part !== "")
    .join("\n");
  return unicode ? text : text.replaceAll("…", "~").replace(/[^\x20-\x7e\n]/g, "?");
}

const shown = (text: string): string => terminalSafe(unlinked(text.slice(0, 4000)));
const heading = (title: string): string => `${title}\n${"-".repeat(columns(title))}\n`;
const more = (n: number, indent = "  "): string => (n > 0 ? `${indent}and ${numberText(n)} more\n` : "");

/** Lines with a label before the first one. */
const row = (label: string, text: string, most = SUMMARY_LINES): string =>
  folded(shown(text), WIDTH - LABEL - 2, most)
    .map((line, i) => `  ${left(i === 0 ? label : "", LABEL)}${line}\n`)
    .join("");

function head(report: DailyReport): string {
  const title = fitted(`${shown(report.server)}, ${longDay(report.day)}`, WIDTH);
  const { text } = verdictOf(report);
  const verdict = shown(text("this day", 3 * WIDTH));
  const sentences = [
    `${verdict.charAt(0).toUpperCase()}${verdict.slice(1)}.`,
    report.summary === null ? "" : verdictText(report.summary, []),
    dayNote(report),
  ].filter((sentence) => sentence !== "");
  const body = sentences.flatMap((sentence) => folded(sentence, WIDTH - 2, SUMMARY_LINES));
  return `${title}\n${"=".repeat(columns(title))}\n${body.map((line) => `  ${line}\n`).join("")}`;
}

function incidents(report: DailyReport, { full, short, ongoing, moreIncidents }: Shown): string[] {
  const records = new Map(report.alerts.map((record) => [record.id, record]));
  const parts = full.map((alert, i) => incident(alert, i + 1, report, records.get(alert.id)));
  if (parts.length > 0) parts[0] = heading("Incidents") + parts[0];
  if (short.length > 0) parts.push(heading("More incidents") + short.map((a) => oneLine(a, report)).join(""));
  if (ongoing.length > 0)
    parts.push(heading("Going on from before") + ongoing.map((a) => goingOn(a, report)).join(""));
  if (moreIncidents > 0) parts.push(`  and ${numberText(moreIncidents)} more: logvane alerts lists them\n`);
  return parts;
}

function incident(alert: Alert, number: number, report: DailyReport, record: unknown): string {
  const mark = `${number}. ${alert.severity}: `;
  const title = folded(shown(alert.title), WIDTH - columns(mark), 3);
  const next = nextCommand("logvane explain", alert.id);
  return [
    title.map((line, i) => `${i === 0 ? mark : " ".repeat(columns(mark))}${line}\n`).join(""),
    row("", alert.summary),
    row("when", spanText(alert, report)),
    ...alert.measures
      .slice(0, MEASURES)
      .map((m, i) => row(i === 0 ? "actual" : "", `${m.name}: ${measureText(m)}`, 2)),
    alert.entities.length > 0 ? row("who", whoText(alert, record, ENTITIES), 3) : "",
    alert.lines.length > 0
      ? `  ${left("line", LABEL)}${fitted(unlinked(alert.lines[0]!.text), WIDTH - LABEL - 2)}\n`
      : "",
    next === undefined ? "" : row("next", next),
  ].join("");
}

function oneLine(alert: Alert, report: DailyReport): string {
  const begin = `  ${left(clockOf(alert.openedAt, report), 5)}  ${left(alert.severity, 8)}  `;
  return `${begin}${fitted(unlinked(alert.title), WIDTH - columns(begin))}\n`;
}

function goingOn(alert: Alert, report: DailyReport): string {
  const begin = `  ${left(alert.severity, 8)}  `;
  return `${begin}${fitted(unlinked(alert.title), WIDTH - columns(begin))}\n${" ".repeat(columns(begin))}${spanText(alert, report)}\n`;
}

function heldBack(report: DailyReport, { held, moreHeld }: Shown): string {
  if (report.budget.held === 0) return "";
  const rows = held.map((alert) => oneLine(alert, report));
  return `${heading(`Held back by the budget of ${countText(report.budget.per_day, "alert")} a day`)}${rows.join("")}${more(moreHeld)}`;
}

function asYouSaid(report: DailyReport, { suppressed, moreSuppressed }: Shown): string {
  if (notTold(report) === 0) return "";
  const rows = suppressed.map((alert) => oneLine(alert, report));
  return `${heading("Not told, as you said or planned")}${rows.join("")}${more(moreSuppressed)}`;
}

function newTemplates(report: DailyReport, { templates, moreTemplates }: Shown): string {
  if (templates.length === 0) return "";
  const lines = templates.map(({ text, lines: n, first_at }) => {
    const begin = `${right(numberText(n), 9)}  ${left(clockOf(Date.parse(first_at), report), 5)}  `;
    return `${begin}${fitted(unlinked(text), WIDTH - columns(begin))}\n`;
  });
  return `${heading("New kinds of lines")}    lines  first  what they look like\n${lines.join("")}${more(moreTemplates)}`;
}

const LEVELS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII_LEVELS = [".", ":", "-", "=", "+", "*", "#", "@"];

/** Values as characters of growing height, a blank for 0 and for what is not known. */
function spark(values: readonly (number | null)[], unicode: boolean): string {
  const most = values.reduce<number>((max, n) => Math.max(max, n ?? 0), 0);
  const levels = unicode ? LEVELS : ASCII_LEVELS;
  return values
    .map((n) => (n === null || n <= 0 ? " " : levels[Math.min(7, Math.ceil((8 * n) / most) - 1)]!))
    .join("");
}

function figures(report: DailyReport, unicode: boolean): string {
  const rows = figuresOf(report);
  const lack = folded(report.figures_lack ?? "", WIDTH - 2, SUMMARY_LINES).map((l) =>
    l === "" ? "" : `  ${l}\n`,
  );
  if (rows.length === 0) return lack.join("") === "" ? "" : heading("Figures") + lack.join("");
  const trends = rows.map((f) => trendOf(report, f.name)?.slice(-SPARK) ?? []);
  const some = rows.some((f) => f.usual !== "");
  const drawn = trends.some((t) => t.length > 0);
  const marks = unicode ? { above: "▲", below: "▼" } : { above: "+", below: "-" };
  const line = (f: Figure, i: number): string =>
    `${left(f.label, 24)}${right(f.value, 11)} ${left(f.mark === undefined ? "" : marks[f.mark], 3)}${left(f.usual, 25)}${spark(trends[i]!, unicode)}`;
  const names = `${right(report.summary === null ? "" : "this day", 35)} ${left("", 3)}${left(some ? "usual" : "", 25)}${drawn ? `last ${SPARK} days` : ""}`;
  const days = Object.values(report.usual)[0]?.days;
  const note =
    days === undefined
      ? ""
      : `  usual: 8 in 10 of the ${days} days of this kind; ${marks.above} ${marks.below}: far above or below that\n`;
  return `${heading("Figures")}${`${[names, ...rows.map(line)].map((l) => l.trimEnd()).join("\n")}\n`}${note}${lack.join("")}`;
}

function hours(report: DailyReport, unicode: boolean): string {
  const rows = hourly(report.summary).map(({ label, hours: values }) => {
    const { hour, n } = busiest(values);
    const sum = values.reduce((all, one) => all + one, 0);
    return `  ${left(label, 10)}|${spark(values, unicode)}|  ${numberText(sum)}, most at ${hour} h: ${numberText(n)}\n`;
  });
  if (rows.length === 0) return "";
  return `${heading("By hour")}${rows.join("")}             0     6     12    18\n`;
}

function list({ title, headings, heading: words, rows, more: rest }: ShownList): string {
  const widths = headings.map((name, i) =>
    rows.reduce(
      (width, { figures: cells }) => Math.max(width, columns(cells[i]!)),
      Math.max(6, columns(name)),
    ),
  );
  const begin = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => right(cell, widths[i]!)).join("  ")}  `;
  const lines = rows.map(({ figures: cells, words: text }) => {
    const start = begin(cells);
    const blank = " ".repeat(columns(start));
    const most = text.endsWith("...") ? 1 : LIST_LINES; // cut already: what is left would stand alone on its line
    return folded(shown(text), WIDTH - columns(start), most)
      .map((line, i) => `${i === 0 ? start : blank}${line}\n`)
      .join("");
  });
  return `${heading(title)}${begin(headings)}${words}\n${lines.join("")}${more(rest)}`;
}

function health(report: DailyReport): string {
  const rows = healthRows(report).map(([label, text]) =>
    folded(shown(text), WIDTH - 16, 3)
      .map((line, i) => `  ${left(i === 0 ? label : "", 14)}${line}\n`)
      .join(""),
  );
  return `${heading(`Logvane ${shown(report.health.release)}`)}${rows.join("")}`;
}

function notes({ notes: shownNotes, moreNotes }: Shown): string {
  if (shownNotes.length === 0) return "";
  const lines = shownNotes.map((note) =>
    folded(shown(note), WIDTH - 4, 4)
      .map((line, i) => `  ${i === 0 ? "*" : " "} ${line}\n`)
      .join(""),
  );
  return `${heading("To do")}${lines.join("")}${more(moreNotes)}`;
}
