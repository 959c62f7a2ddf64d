import type { Alert } from "../detect/alert.ts";
import type { Row } from "../mail/summary.ts";
import type { DailyReport, ReportTemplate } from "./daily.ts";
import { hoursOfDay } from "./daily-figures.ts";
import { incidentsOf } from "./daily-verdict.ts";
import { cut } from "./escape.ts";
import { countText, durationText, localTime, numberText } from "./format.ts";
import { alertFromRecord } from "./record.ts";
import { cellText } from "./summary-sections.ts";

/** What the report's text and page have in common: which lists are shown, and the sentences about incidents and about Logvane. */

/** How many of each are shown; the rest are counted. */
type Limits = {
  /** Incidents told in full, and of the day or from before in one line each. */
  readonly full: number;
  readonly short: number;
  readonly held: number;
  readonly suppressed: number;
  readonly templates: number;
  /** Rows of each list. */
  readonly rows: number;
  readonly notes: number;
};
const USUAL: Limits = { full: 6, short: 12, held: 10, suppressed: 10, templates: 8, rows: 5, notes: 12 };
/** Characters of the name of what is planned. */
const REASON = 30;
/** On a day with so much to tell that the mail would grow beyond what mail programs show (100 kB), each part is shorter. */
const CROWDED: Limits = { full: 3, short: 6, held: 2, suppressed: 1, templates: 2, rows: 3, notes: 3 };

function limitsOf(report: DailyReport): Limits {
  const many =
    report.alerts.length > USUAL.full ||
    report.held.length + (report.suppressed ?? []).length > USUAL.held ||
    report.health.notes.length > CROWDED.notes;
  return many ? CROWDED : USUAL;
}

/** What is shown of all that a report holds; of incidents the gravest. */
export type Shown = {
  readonly full: readonly Alert[];
  readonly short: readonly Alert[];
  readonly ongoing: readonly Alert[];
  readonly moreIncidents: number;
  readonly held: readonly Alert[];
  readonly moreHeld: number;
  /** Titles that begin with what kept them from being told. */
  readonly suppressed: readonly Alert[];
  readonly moreSuppressed: number;
  readonly templates: readonly ReportTemplate[];
  readonly moreTemplates: number;
  readonly notes: readonly string[];
  readonly moreNotes: number;
};

export function shownOf(report: DailyReport): Shown {
  const limits = limitsOf(report);
  const { opened, ongoing } = incidentsOf(report);
  const full = opened.slice(0, limits.full);
  const short = opened.slice(limits.full, limits.full + limits.short);
  const carried = ongoing.slice(0, limits.short);
  const all = opened.length + ongoing.length + report.more_alerts;
  const held = report.held.slice(0, limits.held).map(alertFromRecord);
  const suppressed = (report.suppressed ?? [])
    .slice(0, limits.suppressed)
    .map(alertFromRecord)
    .map(withReason);
  const templates = report.new_templates.slice(0, limits.templates);
  const notes = report.health.notes.slice(0, limits.notes);
  return {
    full,
    short,
    ongoing: carried,
    moreIncidents: all - full.length - short.length - carried.length,
    held,
    moreHeld: Math.max(0, report.budget.held - held.length),
    suppressed,
    moreSuppressed: Math.max(0, notTold(report) - suppressed.length),
    templates,
    moreTemplates: report.new_templates.length - templates.length + report.more_new_templates,
    notes,
    moreNotes: report.health.notes.length - notes.length,
  };
}

/** How many were not told because of feedback or the calendar. */
export const notTold = ({ budget }: DailyReport): number => (budget.suppressed ?? 0) + (budget.planned ?? 0);

const withReason = (alert: Alert): Alert => ({
  ...alert,
  title: `${reasonText(alert)}: ${alert.title}`,
});

/** "feedback 3, harmless", or "calendar 2, reboot". */
function reasonText({ suppressed }: Alert): string {
  return suppressed === undefined
    ? ""
    : `${suppressed.by} ${suppressed.rule}, ${cut(suppressed.name, REASON)}`;
}

/** A list of the summary: title, name, its columns of figures, and what its last column joins. */
export type ListSection = {
  readonly title: string;
  readonly list: string;
  /** Key in a row, and heading. */
  readonly figures: readonly (readonly [string, string])[];
  readonly words: readonly string[];
  readonly heading: string;
};

const COUNT = [["count", "n"]] as const;
const failed = (title: string, list: string, heading: string, ...words: string[]): ListSection => ({
  title,
  list,
  figures: COUNT,
  words,
  heading,
});
const top = (title: string, list: string, figures: ListSection["figures"], word: string): ListSection => ({
  title,
  list,
  figures,
  words: [word],
  heading: word === "host" ? "domain" : word,
});

/** What asks for action. */
const FAILED: readonly ListSection[] = [
  failed("Panics", "panic_detail", "daemon, text", "daemon", "text"),
  failed("Fatal errors", "fatal_detail", "daemon, text", "daemon", "text"),
  failed("Deferrals by provider", "provider_deferrals", "provider, code, cause", "provider", "code", "cause"),
  failed("Why mail was deferred", "deferral_detail", "daemon, reason", "daemon", "reason"),
  failed("Why mail bounced", "bounce_detail", "relay, reason", "relay", "reason"),
  failed("Why mail was rejected", "reject_classes", "class, code, reason", "cause", "code", "reason"),
  failed("Failed connections out", "smtp_failure_detail", "reason, host", "reason", "host"),
  failed("Failed log-ins", "auth_failures", "service, user, address", "service", "user", "address"),
  failed("Warnings", "warning_detail", "daemon, text", "daemon", "text"),
];

/** Who sent and received, as pflogsumm lists it. */
const TRAFFIC: readonly ListSection[] = [
  top(
    "Recipient domains",
    "recipient_domains",
    [
      ["sent", "sent"],
      ["defers", "defers"],
      ["bytes", "size"],
    ],
    "host",
  ),
  top(
    "Sending domains",
    "sending_domains",
    [
      ["messages", "sent"],
      ["bytes", "size"],
    ],
    "host",
  ),
  top(
    "Users who sent mail",
    "sasl_users",
    [
      ["messages", "sent"],
      ["recipients", "to"],
      ["addresses", "from IPs"],
    ],
    "user",
  ),
  top("Senders by messages", "senders_by_count", COUNT, "address"),
  top("Senders by size", "senders_by_size", [["bytes", "size"]], "address"),
  top("Recipients by messages", "recipients_by_count", COUNT, "address"),
  top("Recipients by size", "recipients_by_size", [["bytes", "size"]], "address"),
];

/** A list as it is shown: cells of figures and one of words for each row; more: rows left out. */
export type ShownList = {
  readonly title: string;
  readonly headings: readonly string[];
  readonly heading: string;
  readonly rows: readonly { readonly figures: readonly string[]; readonly words: string }[];
  readonly more: number;
};

export const failedLists = (report: DailyReport): ShownList[] => shown(report, FAILED);
export const trafficLists = (report: DailyReport): ShownList[] => shown(report, TRAFFIC);

function shown(report: DailyReport, sections: readonly ListSection[]): ShownList[] {
  const { summary } = report;
  if (summary === null) return [];
  const limit = limitsOf(report).rows;
  return sections.flatMap((section) => {
    const list = summary.lists[section.list] ?? [];
    if (list.length === 0) return [];
    const rows = list.slice(0, limit).map((row) => ({
      figures: section.figures.map(([key]) => cellText(key, row[key])),
      words: wordsOf(row, section.words),
    }));
    return [
      {
        title: section.title,
        headings: section.figures.map(([, name]) => name),
        heading: section.heading,
        rows,
        more: list.length - rows.length + (summary.omitted[section.list] ?? 0),
      },
    ];
  });
}

const wordsOf = (row: Row, keys: readonly string[]): string =>
  keys
    .map((key) => String(row[key] ?? ""))
    .filter((word) => word !== "")
    .join(", ");

/** A time as it is told of the day: 14:03, or with its date where it is of another day. */
export function clockOf(ms: number, report: DailyReport): string {
  const text = localTime(ms, report.timezone);
  return text.slice(0, 10) === report.day ? text.slice(11, 16) : text.slice(0, 16);
}

/** Since when and until when, and whether it is over. */
export function spanText(alert: Alert, report: DailyReport): string {
  const start = clockOf(alert.start, report);
  const last = Math.max(alert.start, alert.end);
  if (alert.closedAt === null) return `${start}, not over (last seen ${clockOf(last, report)})`;
  const until = clockOf(last, report);
  const begun = localTime(alert.start, report.timezone);
  const ended = localTime(last, report.timezone);
  const end = begun.slice(0, 10) === ended.slice(0, 10) ? ended.slice(11, 16) : until;
  return `${start} to ${end} (${durationText(last - alert.start)})`;
}

/** Who is concerned, at most `most` named. */
export function whoText(alert: Alert, record: unknown, most: number): string {
  const named = alert.entities.slice(0, most).map((e) => `${e.type} ${e.value}`);
  const all = Number((record as { entity_count?: unknown } | undefined)?.entity_count ?? 0);
  const more = Math.max(all, alert.entities.length) - named.length;
  return named.join(", ") + (more > 0 ? ` and ${numberText(more)} more` : "");
}

/** Why the day had not 24 hours, or was not over; "" otherwise. */
export function dayNote(report: DailyReport): string {
  if (Date.parse(report.made_at) < Date.parse(report.to))
    return `The day is not over: all up to ${clockOf(Date.parse(report.made_at), report)}.`;
  const hours = hoursOfDay(report);
  if (hours === 24) return "";
  return `The clocks changed: this day had ${hours} hours. Hours are those of the wall clock.`;
}

/** What became of everything that seemed unusual; to the unit, where the ledger knows it. */
export function budgetText({ budget }: DailyReport): string {
  const { opened, held, suppressed = 0, planned = 0, joined, below_bar } = budget;
  const told = `${countText(opened, "incident")} told, ${numberText(held)} held back by the budget of ${numberText(budget.per_day)} a day${said("hidden by feedback", suppressed)}${said("planned", planned)}`;
  if (joined === null || below_bar === null) return `${told}.`;
  const all = opened + held + suppressed + planned + joined + below_bar;
  return `${countText(all, "finding")}: ${told}, ${numberText(joined)} joined to an incident, ${numberText(below_bar)} too common to tell.`;
}

const said = (what: string, n: number): string => (n > 0 ? `, ${numberText(n)} ${what}` : "");

/** Logvane's own state: label and value. */
export function healthRows(report: DailyReport): [string, string][] {
  const { health } = report;
  const { model } = health;
  const understood = health.lines - health.unknown - health.bad_envelope;
  const share = health.lines > 0 ? ` (${((100 * understood) / health.lines).toFixed(1)} %)` : "";
  const days = model === null ? 0 : Math.round((Date.parse(model.to) - Date.parse(model.from)) / 86_400_000);
  return [
    [
      "learned",
      model === null
        ? "nothing yet"
        : `from ${countText(days, "day")} up to ${localTime(Date.parse(model.to), report.timezone).slice(0, 10)} (model ${model.id})`,
    ],
    ...(health.retrained === null ? [] : ([["trained again", health.retrained]] as [string, string][])),
    [
      "watched",
      health.watched || report.budget.opened + report.budget.held > 0
        ? budgetText(report)
        : "nothing on this day",
    ],
    ["lines", `${numberText(health.lines)}, ${numberText(understood)} understood${share}`],
    [
      "",
      `${numberText(health.unknown)} of unknown form, ${numberText(health.bad_envelope)} without a readable time, ${numberText(health.lost)} lost`,
    ],
    [
      "outbox",
      health.waiting + health.given_up === 0
        ? "nothing waits"
        : `${numberText(health.waiting)} waiting, ${numberText(health.given_up)} given up`,
    ],
    ["state", `${numberText(health.state_mb)} MB`],
  ];
}
