import type { Alert } from "../detect/alert.ts";
import type { DailyReport } from "./daily.ts";
import { figuresOf } from "./daily-figures.ts";
import { cut, terminalSafe, unlinked } from "./escape.ts";
import { countText, numberText } from "./format.ts";
import { alertFromRecord } from "./record.ts";

/** What the report says first: in its subject and above everything else. */

/** Characters of a subject, of the server's name in it, and the least that a title gets. */
const SUBJECT = 120;
const SERVER = 60;
const TITLE = 30;

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const SEVERITIES: readonly Alert["severity"][] = ["critical", "high", "medium", "low"];

/** Incidents of a report, the gravest first; those of the day apart from those that go on from before. */
export type Incidents = { readonly opened: readonly Alert[]; readonly ongoing: readonly Alert[] };

export function incidentsOf(report: DailyReport): Incidents {
  const from = Date.parse(report.from);
  const alerts = report.alerts
    .map(alertFromRecord)
    .sort(
      (a, b) =>
        SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
        a.openedAt - b.openedAt ||
        (a.id < b.id ? -1 : 1),
    );
  return {
    opened: alerts.filter((a) => a.openedAt >= from),
    ongoing: alerts.filter((a) => a.openedAt < from),
  };
}

/** How the day was. level: the gravest severity of its incidents; `notice` when something else is to be told. */
export type Verdict = {
  readonly level: Alert["severity"] | "notice" | "quiet";
  /** Without the server's name; a title in it is as the log has it. day: in words, to stand in it. */
  readonly text: (day: string, width: number) => string;
};

export function verdictOf(report: DailyReport): Verdict {
  const { opened, ongoing } = incidentsOf(report);
  const held = report.budget.held;
  const worst = opened[0];
  if (worst !== undefined) {
    const n = opened.length + report.more_alerts;
    const plus = held > 0 ? ` (+${numberText(held)} held back)` : "";
    const text = (day: string, width: number): string => {
      const head = `${countText(n, "incident")} on ${day}${n > 1 ? ", the gravest" : ""}: `;
      return head + cut(worst.title, Math.max(TITLE, width - head.length - plus.length)) + plus;
    };
    return { level: worst.severity, text };
  }
  const carried = ongoing[0];
  if (carried !== undefined) {
    const n = ongoing.length + report.more_alerts;
    const text = (day: string, width: number): string => {
      const head = `nothing new on ${day}, ${countText(n, "incident")} ${n === 1 ? "goes" : "go"} on: `;
      return head + cut(carried.title, Math.max(TITLE, width - head.length));
    };
    return { level: carried.severity, text };
  }
  return withoutIncident(report);
}

function withoutIncident(report: DailyReport): Verdict {
  const notice = (text: (day: string) => string): Verdict => ({ level: "notice", text });
  const { held } = report.budget;
  const { notes, model, watched } = report.health;
  if (report.summary === null && (report.figures_lack ?? null) === null)
    return notice((day) => `no log of ${day}`);
  if (model === null) return notice((day) => `the figures of ${day}; nothing is learned yet`);
  if (!watched && held === 0) return notice((day) => `the figures of ${day}; nothing was watched`);
  if (held > 0) return notice((day) => `no incident on ${day}, ${numberText(held)} held back`);
  const said = (report.budget.suppressed ?? 0) + (report.budget.planned ?? 0);
  if (said > 0)
    return notice((day) => `no incident on ${day}, ${numberText(said)} not told as you said or planned`);
  const out = figuresOf(report).filter((f) => f.mark !== undefined);
  if (out.length > 0) {
    const named = out.slice(0, 2).map((f) => `${f.label} ${f.mark} usual`);
    const more = out.length > 2 ? ` and ${out.length - 2} more` : "";
    return notice((day) => `no incident on ${day}; ${named.join(", ")}${more}`);
  }
  if (notes.length > 0) return notice((day) => `all quiet on ${day}, ${countText(notes.length, "note")}`);
  return { level: "quiet", text: (day) => `all quiet on ${day}` };
}

/** Whether there is nothing to tell: no incident, nothing held back, no figure far out of its range, no note. */
export const isQuietDay = (report: DailyReport): boolean => verdictOf(report).level === "quiet";

/**
 * One line for a mail's subject, within its length and without a character that does something. "=?", which begins an
 * encoded word (RFC 2047) that a reader would decode, is taken apart.
 */
export function reportSubject(report: DailyReport): string {
  const server = cut(terminalSafe(report.server), SERVER);
  const text = verdictOf(report).text(shortDay(report.day), SUBJECT - server.length - 2);
  return cut(terminalSafe(unlinked(`${server}: ${text}`)).replaceAll("=?", "= ?"), SUBJECT);
}

function dateParts(day: string): [string, number, string] {
  const date = new Date(`${day}T12:00:00Z`);
  return [WEEKDAYS[date.getUTCDay()]!, date.getUTCDate(), MONTHS[date.getUTCMonth()]!];
}

/** Sat 28 Nov. */
export function shortDay(day: string): string {
  const [weekday, date, month] = dateParts(day);
  return `${weekday.slice(0, 3)} ${date} ${month.slice(0, 3)}`;
}

/** Saturday 28 November 2026. */
export function longDay(day: string): string {
  const [weekday, date, month] = dateParts(day);
  return `${weekday} ${date} ${month} ${day.slice(0, 4)}`;
}
