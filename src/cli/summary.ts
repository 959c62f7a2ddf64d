import type { Command } from "commander";
import { Fault } from "../fault.ts";
import { type DayFigures, MailSummary, type Range, type Summary, usualOf } from "../mail/summary.ts";
import { dayHour } from "../mail/summary-day.ts";
import { compatText } from "../report/summary-compat.ts";
import { summaryHtml } from "../report/summary-html.ts";
import { bytesText } from "../report/summary-sections.ts";
import { summaryText } from "../report/summary-text.ts";
import { eachEvent, type OpenMail } from "./events.ts";
import { type Options, outputFormat } from "./options.ts";

export { summaryText };

const DAY_MS = 86_400_000;
/** Rows of a list that may be asked for. */
const MOST_ROWS = 1_000_000;

/** The daily figures kept with the model in use; undefined without one. */
export type KnownDays = (options: Options) => readonly DayFigures[] | undefined;

/** Registers `logvane summary`. now: milliseconds since the Unix epoch, for `yesterday` and `today`. */
export function summaryCommand(
  program: Command,
  open: OpenMail,
  write: (text: string) => void | Promise<void>,
  now: () => number,
  known: KnownDays = () => undefined,
): Command {
  return program
    .command("summary")
    .description("the mail figures of a day: a report as pflogsumm's, and more")
    .argument("<file...>", "log files, globs, directories, or - for standard input")
    .option("--date <date>", "yesterday, today, YYYY-MM-DD or all", "all")
    .option("--format <format>", "text, json or html")
    .option("--compat <program>", "the report of another program, in its layout and counting: pflogsumm")
    .option("--limit <n>", "rows of each list (pflogsumm's -h, -u and --detail)")
    .option("--problems-first", "with --compat: deferrals, bounces and warnings before traffic")
    .option("--iso", "with --compat: dates as 2026-10-04, hours as 10:00")
    .action(async (files: string[], options: Options) => {
      const format = outputFormat(options, ["text", "json", "html"]);
      const limit = limitOf(options);
      const compat = compatOf(options, format);
      const mail = await open(files, options);
      const date = resolveDate(String(options["date"]), now(), mail.timezone);
      const summary = new MailSummary(date, mail.timezone, compat);
      await eachEvent(mail, (event) => summary.add(event));
      if (compat) {
        await write(
          compatText(summary, {
            limit,
            problemsFirst: options["problemsFirst"] === true,
            iso: options["iso"] === true,
          }),
        );
        return;
      }
      const result = summary.summary(limit);
      const days = date === "all" ? undefined : known(options);
      const usual = days === undefined ? {} : usualOf(days, date);
      if (format === "json") await write(`${JSON.stringify(summaryJson(result, usual), undefined, 2)}\n`);
      else if (format === "html") await write(summaryHtml(result, { limit, usual, timeZone: mail.timezone }));
      else await write(summaryText(result, { limit, usual }));
    });
}

/** The contract's JSON: the lists stand beside the totals. */
export function summaryJson(s: Summary, usual: Readonly<Record<string, Range>>): object {
  const { lists, ...rest } = s;
  return { ...rest, ...(Object.keys(usual).length > 0 ? { usual } : {}), ...lists };
}

function limitOf(options: Options): number | undefined {
  const text = options["limit"];
  if (text === undefined) return undefined;
  const n = Number(text);
  if (Number.isInteger(n) && n >= 1 && n <= MOST_ROWS) return n;
  throw new Fault(
    "usage",
    `--limit takes a whole number from 1 to ${MOST_ROWS}`,
    "--limit",
    "nothing was done",
    "type: --limit 20",
  );
}

function compatOf(options: Options, format: string): boolean {
  const asked = options["compat"];
  if (asked === undefined) return false;
  if (asked === "pflogsumm" && format === "text") return true;
  throw new Fault(
    "usage",
    asked === "pflogsumm" ? "pflogsumm's report is text" : "--compat knows pflogsumm alone",
    "--compat",
    "nothing was done",
    "type: --compat pflogsumm, without --format",
  );
}

/** `yesterday` and `today` as a calendar day of the zone; anything else as given. Throws a usage Fault for what is no date. */
export function resolveDate(date: string, now: number, zone: string): string {
  if (date === "today") return dayHour(now, zone).day;
  if (date === "yesterday") {
    const today = dayHour(now, zone).day;
    return new Date(Date.parse(`${today}T12:00:00Z`) - DAY_MS).toISOString().slice(0, 10);
  }
  if (date !== "all" && !isDay(date))
    throw new Fault(
      "usage",
      `"${date.slice(0, 40)}" is no date`,
      "--date",
      "nothing was done",
      "use --date yesterday, today, all or 2026-10-04",
    );
  return date;
}

/** A day that the calendar has. Date.parse takes February 30th for March 2nd. */
function isDay(date: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}

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
