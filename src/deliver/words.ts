import type { Alert, AlertSeverity } from "../detect/alert.ts";
import { KIND_TITLES } from "../detect/explain.ts";
import {
  countText,
  durationText,
  localTime,
  measureText,
  nextCommand,
  numberText,
} from "../report/format.ts";
import type { Digest, Notification } from "../report/notification.ts";
import { alertFromRecord } from "../report/record.ts";
import type { MailLink } from "./links.ts";
import { alertSeverity } from "./route.ts";
import type { SenderContext } from "./sender.ts";

/** What a notification says, before a channel gives it its form. Texts may come from a log: whoever shows them escapes them. */
export type Words = {
  /** For the place where room is short: a subject, a lock screen. */
  readonly subject: string;
  readonly title: string;
  /** A sentence. */
  readonly lead: string;
  /** Undefined for what is neither good nor bad. */
  readonly severity: AlertSeverity | undefined;
  /** Good news. */
  readonly over: boolean;
  readonly rows: readonly { readonly label: string; readonly text: string }[];
  readonly lines: readonly { readonly place: string; readonly text: string }[];
  /** Over the lines. */
  readonly linesTitle: string;
  /** What to do, and what to type for it: commands are made of our own words and ids alone. */
  readonly hints: readonly { readonly text: string; readonly command?: string | undefined }[];
  /** Pages that act; for mails alone. */
  readonly links?: readonly MailLink[];
  readonly footer: string;
};

type AlertNotification = Extract<Notification, { type: "alert" }>;

const ENTITIES = 8;
const MEASURES = 4;
const LINES = 5;
/** Characters of each part that are shown; a line of syslog rarely has more. */
const TITLE = 200;
const LEAD = 1000;
const ROW = 400;
const LINE = 1000;
/** Of a digest. */
const LISTED = 100;

const EXPLAIN = "logvane explain";

/** What an alert, a digest or a test says. Throws Fault badData for a damaged alert. */
export function wordsOf(
  notification: Exclude<Notification, { type: "report" }>,
  context: SenderContext,
): Words {
  switch (notification.type) {
    case "alert":
      return alertWords(notification, context);
    case "digest":
      return digestWords(notification.digest, context);
    case "test":
      return testWords(notification.at, context);
  }
}

function alertWords({ event, alert: record }: AlertNotification, context: SenderContext): Words {
  const alert = alertFromRecord(record);
  const severity = alertSeverity(record);
  const title = short(titleOf(alert, event), TITLE);
  const prefix = { opened: severity, worse: `now ${severity}`, closed: "over" }[event];
  return {
    subject: `[${context.server}] ${prefix}: ${title}`,
    title: { opened: title, worse: `Changed: ${title}`, closed: `Over: ${title}` }[event],
    lead: short(leadOf(alert, event), LEAD),
    severity,
    over: event === "closed",
    rows: alertRows(alert, severity, event, context),
    lines:
      event === "closed"
        ? []
        : alert.lines.slice(0, LINES).map(({ file, line, text }) => ({
            place: short(`${file}:${line}`, ROW),
            text: short(text, LINE),
          })),
    linesTitle: linesTitle(alert),
    hints: alertHints(alert, event, context),
    footer: footer(context, `alert ${short(alert.id, 64)}`),
  };
}

/** What it is now: an incident that has changed its nature is called by the new one. */
const titleOf = ({ title, updates }: Alert, event: AlertNotification["event"]): string =>
  event === "worse" ? (updates.at(-1)?.title ?? title) : title;

function leadOf(alert: Alert, event: AlertNotification["event"]): string {
  if (event === "worse" && titleOf(alert, event) !== alert.title)
    return `It began as: ${alert.title}. ${alert.summary}`;
  return event === "closed" ? `Nothing more was seen of it. It was: ${alert.summary}` : alert.summary;
}

function alertRows(
  alert: Alert,
  severity: AlertSeverity,
  event: AlertNotification["event"],
  { server, timeZone }: SenderContext,
): Words["rows"] {
  const was = event === "worse" && severity !== alert.severity ? `, was ${alert.severity}` : "";
  const rows = [
    { label: "Server", text: server },
    { label: "Severity", text: severity + was },
    { label: "Since", text: since(alert, event, timeZone) },
    ...alert.measures.slice(0, MEASURES).map((measure, i) => ({
      label: i === 0 ? "Measured" : "",
      text: `${measure.name}: ${measureText(measure)}`,
    })),
    ...who(alert).map((text, i) => ({ label: i === 0 ? "Who" : "", text })),
    {
      label: "Looks like",
      text: `${KIND_TITLES[alert.kind]} (${alert.kind}, ${Math.round(alert.kindConfidence * 100)} %)`,
    },
  ];
  return rows.map(({ label, text }) => ({ label, text: short(text, ROW) }));
}

function since(alert: Alert, event: AlertNotification["event"], timeZone: string): string {
  const start = localTime(alert.start, timeZone);
  if (event !== "closed") return `${start}, still going on`;
  const lasted = durationText(Math.max(0, alert.end - alert.start));
  return `${start}, for ${lasted}; last seen ${localTime(alert.end, timeZone)}`;
}

function who(alert: Alert): string[] {
  const named = alert.entities.slice(0, ENTITIES).map((e) => `${e.type} ${short(e.value, 100)}`);
  const more = alert.entities.length - named.length;
  return more > 0 ? [...named, `and ${numberText(more)} more`] : named;
}

function linesTitle(alert: Alert): string {
  const shown = Math.min(alert.lines.length, LINES);
  const all = Math.max(alert.total.lines, shown);
  return all === shown ? "Lines that show it" : `${shown} of the ${countText(all, "line")} that show it`;
}

function alertHints(alert: Alert, event: AlertNotification["event"], context: SenderContext): Words["hints"] {
  const explain = nextCommand(EXPLAIN, alert.id);
  const more = explain === undefined ? [] : [{ text: "All that is known of it:", command: explain }];
  if (event === "closed") return more;
  const harmless = context.harmless === "" ? undefined : nextCommand(context.harmless, alert.id);
  const grave = alert.class === "always";
  return [
    ...more,
    harmless === undefined
      ? {
          text: "If it is harmless, nothing need be done: you are told again only if it gets worse, and the next training learns from these days too.",
        }
      : {
          text: grave ? "If it may wait, leave it alone for a day:" : "If it is harmless, say so:",
          command: `${harmless} ${grave ? "snooze" : "benign"}`,
        },
  ];
}

function digestWords(digest: Digest, context: SenderContext): Words {
  const { timeZone } = context;
  const at = (iso: string): string => localTime(Date.parse(iso), timeZone);
  const shown = Math.min(digest.listed.length, LISTED);
  const more = digest.count - shown;
  const what = countText(digest.count, "more alert");
  return {
    subject: `[${context.server}] ${what} in one message`,
    title: `${what} in one message`,
    lead: "More alerts came than this channel could be told one by one. The first ones were sent singly; these are all the others.",
    severity: digest.severities[0]?.severity as AlertSeverity | undefined,
    over: false,
    rows: [
      { label: "Server", text: context.server },
      { label: "From", text: at(digest.from) },
      { label: "To", text: at(digest.to) },
      {
        label: "Severity",
        text: digest.severities.map((s) => `${numberText(s.count)} ${s.severity}`).join(", "),
      },
    ],
    lines: digest.listed.slice(0, LISTED).map((entry) => ({
      place: `${at(entry.opened_at)} ${entry.severity}, ${entry.event}, ${short(entry.id, 64)}`,
      text: short(entry.title, TITLE),
    })),
    linesTitle: more > 0 ? `The first ${shown}, and ${numberText(more)} more` : "All of them",
    hints: [{ text: "The whole list:", command: "logvane alerts" }],
    footer: footer(context, `digest ${digest.id}`),
  };
}

function testWords(at: string, context: SenderContext): Words {
  return {
    subject: `[${context.server}] test: this channel works`,
    title: "This channel works",
    lead: `You asked Logvane on ${context.server} for a test. Alerts will come to you this way.`,
    severity: undefined,
    over: true,
    rows: [
      { label: "Server", text: context.server },
      { label: "Sent", text: localTime(Date.parse(at), context.timeZone) },
    ],
    lines: [],
    linesTitle: "",
    hints: [],
    footer: footer(context, "test"),
  };
}

const footer = ({ server, release }: SenderContext, what: string): string =>
  `Logvane ${release} on ${server}, ${what}`;

/** Text on one line of at most `width` characters; runs of blanks become one, and addresses of the web are no links. */
function short(text: string, width: number): string {
  const line = unlinked(text.slice(0, 4 * width))
    .replace(/[ \t]+/g, " ")
    .trim();
  if (line.length <= width) return line;
  const end = line.slice(0, width - 1);
  return `${/[\ud800-\udbff]$/.test(end) ? end.slice(0, -1) : end}…`;
}

/** Mail programs make a link of what looks like an address; a stranger's words must not become one in a mail from us. */
const unlinked = (text: string): string =>
  text.replace(/\bhttp(s?):\/\//gi, "hxxp$1://").replace(/\bwww\./gi, "www[.]");
