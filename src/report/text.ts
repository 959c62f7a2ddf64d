import type { Alert, AlertSeverity } from "../detect/alert.ts";
import { cut, terminalSafe } from "./escape.ts";
import { countText, localTime, measureText, nextCommand, sinceText } from "./format.ts";

export type AlertTextOptions = {
  /** Whether the reader shows colours. */
  readonly color: boolean;
  /** Columns of the reader. */
  readonly width: number;
  /** IANA zone in which times are shown. */
  readonly timeZone: string;
  /** Our program and verb that tells more of an alert, such as "npx logvane explain"; "" for none. */
  readonly command: string;
};

/** Raw lines of an alert that are shown; the record holds no more. */
const LINES = 5;
/** Entities that are named; of an attack by thousands of clients the first ones tell enough. */
const ENTITIES = 6;
const MEASURES = 4;
/** Width of the column of labels. */
const LABEL = 10;
const MIN_WIDTH = 40;

/** SGR colour of each severity. */
const COLORS: Readonly<Record<AlertSeverity, string>> = {
  critical: "\u001b[1;31m",
  high: "\u001b[31m",
  medium: "\u001b[33m",
  low: "\u001b[36m",
};
const DIM = "\u001b[2m";
const BOLD = "\u001b[1m";
const RESET = "\u001b[0m";

/** One alert for a terminal: what, since when, how much, who, the lines that show it, and what to type next. */
export function renderAlertText(alert: Alert, options: AlertTextOptions): string {
  const width = Math.max(MIN_WIDTH, options.width);
  const paint = (code: string, text: string): string => (options.color ? code + text + RESET : text);
  const row = (label: string, text: string): string =>
    wrap(terminalSafe(text), width - LABEL)
      .map((part, i) => `${paint(DIM, (i === 0 ? label : "").padEnd(LABEL))}${part}\n`)
      .join("");
  const name = alert.severity.padEnd(LABEL);
  const title = paint(BOLD, cut(terminalSafe(alert.title), width - LABEL));
  const held = alert.held ? row("held", heldText(alert)) : "";
  return [
    `${paint(COLORS[alert.severity], name)}${title}\n`,
    row("", alert.summary),
    row("since", sinceText(alert, options.timeZone)),
    ...alert.measures
      .slice(0, MEASURES)
      .map((m, i) => row(i === 0 ? "actual" : "", `${m.name}: ${measureText(m)}`)),
    alert.entities.length > 0 ? row("who", entitiesText(alert)) : "",
    row(
      "kind",
      `${alert.kind} (${Math.round(alert.kindConfidence * 100)} %), seen by the ${alert.view} view`,
    ),
    held,
    linesText(alert, width, (text) => paint(DIM, text)),
    nextText(alert, options.command, (text) => paint(DIM, text)),
  ].join("");
}

/** Why an alert was not sent. */
const heldText = ({ suppressed }: Alert): string =>
  suppressed === undefined
    ? "held back by the alert budget; not sent"
    : `${suppressed.name}, by ${suppressed.by} ${suppressed.rule}; not sent`;

/** All alerts in the order given, a blank line between them, or a sentence that there is none. */
export function renderAlertsText(alerts: readonly Alert[], options: AlertTextOptions): string {
  if (alerts.length === 0) return "No alerts.\n";
  return alerts.map((alert) => renderAlertText(alert, options)).join("\n");
}

/** One alert on one line, for a list. */
export function alertRowText(alert: Alert, options: AlertTextOptions): string {
  const severity = alert.severity.padEnd(8);
  const painted = options.color ? COLORS[alert.severity] + severity + RESET : severity;
  const id = terminalSafe(alert.id);
  const time = localTime(alert.openedAt, options.timeZone);
  const room = Math.max(MIN_WIDTH, options.width) - id.length - time.length - severity.length - 6;
  return `${id}  ${time}  ${painted}  ${cut(terminalSafe(alert.title), Math.max(MIN_WIDTH / 2, room))}\n`;
}

function entitiesText(alert: Alert): string {
  const named = alert.entities.slice(0, ENTITIES).map((e) => `${e.type} ${e.value}`);
  const more = alert.entities.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function linesText(alert: Alert, width: number, dim: (text: string) => string): string {
  const rows = alert.lines.slice(0, LINES).map((line, i) => {
    const place = terminalSafe(`${line.file}:${line.line}`);
    const text = cut(terminalSafe(line.text), Math.max(MIN_WIDTH, width - LABEL));
    const label = " ".repeat(LABEL);
    return `${i === 0 ? dim("lines".padEnd(LABEL)) : label}${dim(place)}\n${label}${text}\n`;
  });
  const more = alert.total.lines - rows.length;
  if (rows.length > 0 && more > 0) rows.push(`${" ".repeat(LABEL)}and ${countText(more, "more line")}\n`);
  return rows.join("");
}

function nextText(alert: Alert, command: string, dim: (text: string) => string): string {
  const next = command === "" ? undefined : nextCommand(command, alert.id);
  return next === undefined ? "" : `${dim("next".padEnd(LABEL))}${next}\n`;
}

/** Breaks at spaces into lines of at most `width` characters; a longer word is cut. At least one line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = cut(line === "" ? word : `${line} ${word}`, width);
  }
  lines.push(line);
  return lines;
}
