import type { Command } from "commander";
import { Fault } from "../fault.ts";
import { MailSummary, type Row, type Summary } from "../mail/summary.ts";
import { dayHour } from "../mail/summary-day.ts";
import { eachEvent, type OpenMail } from "./parse.ts";

const DAY_MS = 86_400_000;
/** Rows of a table in the text report. */
const SHOWN = 10;

/** Registers `logvane summary`. now: milliseconds since the Unix epoch, for `yesterday` and `today`. */
export function summaryCommand(
  program: Command,
  open: OpenMail,
  write: (text: string) => void | Promise<void>,
  now: () => number,
): Command {
  return program
    .command("summary")
    .description("the mail figures of a day: a report as pflogsumm's, and more")
    .argument("<file...>", "log files, globs, directories, or - for standard input")
    .option("--date <date>", "yesterday, today, YYYY-MM-DD or all", "all")
    .option("--format <format>", "text or json", "text")
    .action(async (files: string[], options: Record<string, unknown>) => {
      const mail = await open(files, options);
      const summary = new MailSummary(
        resolveDate(String(options["date"]), now(), mail.timezone),
        mail.timezone,
      );
      await eachEvent(mail, (event) => summary.add(event));
      const result = summary.summary();
      await write(
        options["format"] === "json" ? `${JSON.stringify(result, undefined, 2)}\n` : summaryText(result),
      );
    });
}

/** `yesterday` and `today` as a calendar day of the zone; anything else as given. Throws a usage Fault for what is no date. */
export function resolveDate(date: string, now: number, zone: string): string {
  if (date === "today") return dayHour(now, zone).day;
  if (date === "yesterday") {
    const today = dayHour(now, zone).day;
    return new Date(Date.parse(`${today}T12:00:00Z`) - DAY_MS).toISOString().slice(0, 10);
  }
  if (date !== "all" && !/^\d{4}-\d\d-\d\d$/.test(date))
    throw new Fault(
      "usage",
      `"${date.slice(0, 40)}" is no date`,
      "--date",
      "nothing was done",
      "use --date yesterday, today, all or 2026-10-04",
    );
  return date;
}

/** The report for a terminal or a mail. Log text in it has its control characters replaced. */
export function summaryText(s: Summary): string {
  const parts = [totalsText(s), hoursText(s.per_hour)];
  const tables: readonly (readonly [string, readonly Row[]])[] = [
    ["Senders by messages", s.senders_by_count],
    ["Recipients by messages", s.recipients_by_count],
    ["Recipient domains", s.recipient_domains],
    ["Sending domains", s.sending_domains],
    ["Why mail was deferred", s.deferral_detail],
    ["Why mail bounced", s.bounce_detail],
    ["What was refused", s.reject_detail],
    ["Warnings", s.warning_detail],
    ["Submissions by user", s.auth_users],
    ["Failed log-ins", s.auth_failures],
    ["Dovecot log-ins", s.dovecot_users],
  ];
  for (const [title, rows] of tables) if (rows.length > 0) parts.push(tableText(title, rows));
  if (s.differences.length > 0)
    parts.push(
      heading("Where we count more than pflogsumm") +
        s.differences.map((d) => `${pad(d.lines)}  ${d.total}: ${clean(d.reason)}\n`).join(""),
    );
  return parts.join("\n");
}

const heading = (title: string): string => `${title}\n${"-".repeat(title.length)}\n`;
const pad = (n: string | number): string => String(n).padStart(8);

/** Without control characters, cut to a line's width. */
export const clean = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "?").slice(0, 120);

/** The day's figures for a page. */
export function figuresOf(s: Summary): { label: string; value: string }[] {
  const t = s.corrected;
  const figure = (label: string, value: number | string): { label: string; value: string } => ({
    label,
    value: String(value),
  });
  return [
    figure("received", t.received),
    figure("delivered", t.delivered),
    figure("deferred", `${t.deferred} (${t.deferrals} deferrals)`),
    figure("bounced", t.bounced),
    figure("rejected", t.rejected),
    figure("bytes received", bytesText(t.bytes_received)),
    figure("senders", t.senders),
    figure("recipients", t.recipients),
    figure("SMTP connections", t.connections),
  ];
}

function totalsText(s: Summary): string {
  const t = s.corrected;
  const lines: readonly (readonly [number, string])[] = [
    [t.received, "received"],
    [t.delivered, "delivered"],
    [t.forwarded, "forwarded"],
    [t.deferred, `deferred  (${t.deferrals} deferrals)`],
    [t.bounced, "bounced"],
    [t.rejected, "rejected"],
    [t.reject_warnings, "reject warnings"],
    [t.held, "held"],
    [t.discarded, "discarded"],
    [t.senders, `senders, of ${t.sending_hosts} domains`],
    [t.recipients, `recipients, in ${t.recipient_hosts} domains`],
    [t.connections, "SMTP connections"],
  ];
  const day = s.date === "all" ? "whole log" : s.date;
  const bytes = `${pad(bytesText(t.bytes_received))}  received, ${bytesText(t.bytes_delivered)} delivered\n`;
  const unread = s.unknown > 0 ? `${pad(s.unknown)}  lines not understood, of ${s.lines}\n` : "";
  return (
    heading(`Mail summary, ${day}`) +
    lines.map(([n, name]) => `${pad(n)}  ${name}\n`).join("") +
    bytes +
    unread +
    (s.bounded ? "          (tables were full; small figures are lower bounds)\n" : "")
  );
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

function hoursText(rows: readonly Row[]): string {
  const names = ["received", "delivered", "deferred", "bounced", "rejected"];
  const head = `  hour${names.map((n) => n.padStart(11)).join("")}\n`;
  return (
    heading("By hour") +
    head +
    rows.map((r) => `    ${r["hour"]}${names.map((n) => String(r[n] ?? 0).padStart(11)).join("")}\n`).join("")
  );
}

function tableText(title: string, rows: readonly Row[]): string {
  const body = rows.slice(0, SHOWN).map((row) => {
    const words = Object.entries(row)
      .filter(([key]) => key !== "count" && key !== "bytes")
      .map(([, v]) => clean(String(v)));
    return `${pad(row["count"] ?? 0)}  ${words.join("  ")}\n`;
  });
  const more = rows.length > SHOWN ? `          and ${rows.length - SHOWN} more\n` : "";
  return heading(title) + body.join("") + more;
}
