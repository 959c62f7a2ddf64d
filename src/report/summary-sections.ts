import type { Summary, TotalName, Range as Usual } from "../mail/summary.ts";
import { countText, numberText } from "./format.ts";

/** What the summary's text and page have in common: which totals and lists are shown, in what order and under which names. */

/** A total with its words, its value and the range that is usual. */
export type TotalLine = {
  readonly name: TotalName;
  readonly label: string;
  readonly value: string;
  readonly usual: string;
  /** Outside of the usual range. */
  readonly unusual: boolean;
};

const LABELS: readonly (readonly [TotalName, string, "count" | "bytes" | "seconds"])[] = [
  ["received", "messages received", "count"],
  ["delivered", "delivered (recipients)", "count"],
  ["forwarded", "forwarded", "count"],
  ["deferred", "messages deferred", "count"],
  ["deferrals", "deferrals", "count"],
  ["bounced", "bounced", "count"],
  ["rejected", "rejected", "count"],
  ["reject_warnings", "reject warnings", "count"],
  ["held", "held", "count"],
  ["discarded", "discarded", "count"],
  ["bytes_received", "bytes received", "bytes"],
  ["bytes_delivered", "bytes delivered", "bytes"],
  ["senders", "senders", "count"],
  ["sending_hosts", "sending domains", "count"],
  ["recipients", "recipients", "count"],
  ["recipient_hosts", "recipient domains", "count"],
  ["connections", "SMTP connections", "count"],
  ["connection_hosts", "connecting hosts or domains", "count"],
  ["connect_time_avg_seconds", "mean connection", "seconds"],
  ["messages_without_size", "messages of unknown size", "count"],
  ["smtp_delivery_failures", "failed connections out", "count"],
  ["warnings", "warnings", "count"],
  ["fatal_errors", "fatal errors", "count"],
  ["panics", "panics", "count"],
  ["master_messages", "messages of master", "count"],
];

/** The corrected totals, with `usual` beside them where it is known. */
export function totalLines(s: Summary, usual: Readonly<Record<string, Usual>>): TotalLine[] {
  return LABELS.map(([name, label, unit]) => {
    const show = (n: number): string =>
      unit === "bytes" ? bytesText(n) : unit === "seconds" ? `${numberText(n)} s` : numberText(n);
    const value = s.corrected[name];
    const range = usual[name];
    const percent =
      name === "rejected" || name === "discarded" ? ` (${s.corrected[`${name}_percent`]} %)` : "";
    return {
      name,
      label,
      value: show(value) + percent,
      usual:
        range === undefined
          ? ""
          : range.low === range.high
            ? `usual ${show(range.low)}`
            : `usual ${show(range.low)} to ${show(range.high)}`,
      unusual: range !== undefined && (value < range.low || value > range.high),
    };
  });
}

/** The one sentence at the top: how much mail, how much trouble. */
export function verdictText(s: Summary, lines: readonly TotalLine[]): string {
  const t = s.corrected;
  if (s.lines === 0) return "No lines of this day in the log.";
  const parts = [
    `${countText(t.received, "message")} received and ${numberText(t.delivered)} ${t.delivered === 1 ? "delivery" : "deliveries"}`,
    `${countText(t.deferred, "message")} deferred, ${countText(t.bounced, "recipient")} bounced, ${countText(t.rejected, "attempt")} rejected`,
  ];
  const odd = lines.filter((l) => l.unusual).map((l) => l.label);
  if (odd.length > 0) parts.push(`unusual: ${odd.slice(0, 6).join(", ")}`);
  else if (lines.some((l) => l.usual !== "")) parts.push("all totals within their usual range");
  return `${parts.join("; ")}.`;
}

/** A list with its title and columns: the key in a row, and its heading. Numbers stand first. */
export type Section = {
  readonly title: string;
  readonly list: string;
  readonly columns: readonly (readonly [string, string])[];
};

const COUNT = ["count", "n"] as const;

/** What asks for action first, then traffic, then the rest. */
export const SECTIONS: readonly Section[] = [
  {
    title: "Panics",
    list: "panic_detail",
    columns: [COUNT, ["daemon", "daemon"], ["text", "text"]],
  },
  {
    title: "Fatal errors",
    list: "fatal_detail",
    columns: [COUNT, ["daemon", "daemon"], ["text", "text"]],
  },
  {
    title: "Deferrals by provider, code and cause",
    list: "provider_deferrals",
    columns: [COUNT, ["provider", "provider"], ["code", "code"], ["cause", "cause"]],
  },
  {
    title: "Why mail was deferred",
    list: "deferral_detail",
    columns: [COUNT, ["daemon", "daemon"], ["reason", "reason"]],
  },
  {
    title: "Why mail bounced, by relay",
    list: "bounce_detail",
    columns: [COUNT, ["relay", "relay"], ["reason", "reason"]],
  },
  {
    title: "Rejections by class and reason",
    list: "reject_classes",
    columns: [COUNT, ["cause", "class"], ["code", "code"], ["reason", "reason"]],
  },
  {
    title: "Rejections in detail",
    list: "reject_detail",
    columns: [COUNT, ["stage", "stage"], ["reason", "reason"], ["who", "who"]],
  },
  {
    title: "Reject warnings",
    list: "reject_warning_detail",
    columns: [COUNT, ["stage", "stage"], ["reason", "reason"], ["who", "who"]],
  },
  {
    title: "Held messages",
    list: "hold_detail",
    columns: [COUNT, ["stage", "stage"], ["reason", "reason"], ["who", "who"]],
  },
  {
    title: "Discarded messages",
    list: "discard_detail",
    columns: [COUNT, ["stage", "stage"], ["reason", "reason"], ["who", "who"]],
  },
  {
    title: "Connections that failed on the way out",
    list: "smtp_failure_detail",
    columns: [COUNT, ["reason", "reason"], ["host", "host"]],
  },
  {
    title: "Failed log-ins",
    list: "auth_failures",
    columns: [COUNT, ["service", "service"], ["user", "user"], ["address", "address"]],
  },
  {
    title: "TLS failures",
    list: "tls_failures",
    columns: [COUNT, ["direction", "way"], ["text", "message"]],
  },
  {
    title: "Warnings",
    list: "warning_detail",
    columns: [COUNT, ["daemon", "daemon"], ["text", "text"]],
  },
  { title: "Messages of master", list: "master_detail", columns: [COUNT, ["text", "text"]] },
  {
    title:
      "Delay of deliveries in seconds (to 1 %): a before the queue manager, b in the queue, c connecting, d sending",
    list: "delay_percentiles",
    columns: [
      ["deliveries", "n"],
      ["p50", "50 %"],
      ["p90", "90 %"],
      ["p95", "95 %"],
      ["p99", "99 %"],
      ["max", "max"],
      ["part", "part"],
    ],
  },
  {
    title: "Users who sent mail",
    list: "sasl_users",
    columns: [
      ["messages", "messages"],
      ["recipients", "recipients"],
      ["addresses", "addresses"],
      ["user", "user"],
    ],
  },
  {
    title: "TLS connections",
    list: "tls_connections",
    columns: [COUNT, ["direction", "way"], ["version", "version"], ["cipher", "cipher"]],
  },
  { title: "postscreen", list: "postscreen", columns: [COUNT, ["outcome", "outcome"]] },
  {
    title: "Dovecot",
    list: "dovecot",
    columns: [
      ["logins", "log-ins"],
      ["failures", "failures"],
      ["sessions", "sessions ended"],
      ["bytes_in", "bytes in"],
      ["bytes_out", "bytes out"],
    ],
  },
  {
    title: "Dovecot log-ins by method",
    list: "dovecot_methods",
    columns: [COUNT, ["service", "service"], ["method", "method"]],
  },
  {
    title: "Dovecot log-ins by user",
    list: "dovecot_users",
    columns: [
      ["logins", "n"],
      ["user", "user"],
    ],
  },
  {
    title: "By day",
    list: "per_day",
    columns: [
      ["received", "received"],
      ["delivered", "delivered"],
      ["deferred", "deferred"],
      ["bounced", "bounced"],
      ["rejected", "rejected"],
      ["date", "day"],
    ],
  },
  {
    title: "By hour",
    list: "per_hour",
    columns: [
      ["received", "received"],
      ["delivered", "delivered"],
      ["deferred", "deferred"],
      ["bounced", "bounced"],
      ["rejected", "rejected"],
      ["hour", "hour"],
    ],
  },
  {
    title: "Recipient domains",
    list: "recipient_domains",
    columns: [
      ["sent", "sent"],
      ["bytes", "bytes"],
      ["defers", "defers"],
      ["delay_avg_seconds", "mean delay s"],
      ["delay_max_seconds", "max delay s"],
      ["host", "domain"],
    ],
  },
  {
    title: "Sending domains",
    list: "sending_domains",
    columns: [
      ["messages", "messages"],
      ["bytes", "bytes"],
      ["host", "domain"],
    ],
  },
  {
    title: "SMTP connections by day",
    list: "connections_per_day",
    columns: [
      ["connections", "n"],
      ["time_total_seconds", "total s"],
      ["time_avg_seconds", "mean s"],
      ["time_max_seconds", "max s"],
      ["date", "day"],
    ],
  },
  {
    title: "SMTP connections by hour",
    list: "connections_per_hour",
    columns: [
      ["connections", "n"],
      ["time_total_seconds", "total s"],
      ["time_avg_seconds", "mean s"],
      ["time_max_seconds", "max s"],
      ["hour", "hour"],
    ],
  },
  {
    title: "SMTP connections by host or domain",
    list: "connection_domains",
    columns: [
      ["connections", "n"],
      ["time_total_seconds", "total s"],
      ["time_avg_seconds", "mean s"],
      ["time_max_seconds", "max s"],
      ["host", "host"],
    ],
  },
  { title: "Senders by messages", list: "senders_by_count", columns: [COUNT, ["address", "address"]] },
  { title: "Recipients by messages", list: "recipients_by_count", columns: [COUNT, ["address", "address"]] },
  {
    title: "Senders by size",
    list: "senders_by_size",
    columns: [
      ["bytes", "bytes"],
      ["address", "address"],
    ],
  },
  {
    title: "Recipients by size",
    list: "recipients_by_size",
    columns: [
      ["bytes", "bytes"],
      ["address", "address"],
    ],
  },
  {
    title: "Messages delivered whose size is not in the log",
    list: "no_size_detail",
    columns: [
      ["queue_id", "queue id"],
      ["address", "last recipient"],
    ],
  },
];

/** A figure of a list: bytes shortened, numbers with commas. */
export function cellText(key: string, value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  return key.startsWith("bytes") ? bytesText(value) : numberText(value);
}

/** 34067501 as "32.5 MiB". */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
