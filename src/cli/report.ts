import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { Config, MailChannel } from "../config/config.ts";
import { composeMail } from "../deliver/mail.ts";
import { channelsFor } from "../deliver/route.ts";
import { Fault } from "../fault.ts";
import type { DailyReport } from "../report/daily.ts";
import { dailyReport } from "../report/daily-data.ts";
import { reportHtml } from "../report/daily-html.ts";
import { type Day, type DayLog, dayOf, readConfiguredDay, readDay } from "../report/daily-log.ts";
import { reportText } from "../report/daily-text.ts";
import { isQuietDay, reportSubject } from "../report/daily-verdict.ts";
import { notificationKey } from "../report/notification.ts";
import { hasDatabase } from "../store/db.ts";
import { openStore } from "../store/queries.ts";
import { addInputOptions, firstYear, isQuiet, type Options, outputFormat, stateDir } from "./options.ts";
import { faultText, writeError, writeOut } from "./out.ts";
import { release } from "./release.ts";
import { settingsOf } from "./settings.ts";
import { resolveDate } from "./summary.ts";
import { tellNow } from "./tell.ts";
import { writeWhole } from "./write-file.ts";

/** Registers `logvane report`. */
export function reportCommand(program: Command): Command {
  const command = program
    .command("report")
    .description("the daily report: incidents, what was held back, what is new, and the day's mail figures")
    .argument("[file...]", "log files, globs, directories, or - (default: the logs that are followed)")
    .option("--date <date>", "yesterday, today or YYYY-MM-DD", "yesterday")
    .option("--format <format>", "text, html, json or eml")
    .option("--output <file>", "write it into a file, whole or not at all")
    .option("--on-change", "nothing on a day with nothing to tell")
    .option("--send", "send it by the channels that get the report")
    .action(async (files: string[], options: Options) => report(files, options));
  return addInputOptions(command);
}

async function report(files: readonly string[], options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "html", "json", "eml"]);
  const config = settingsOf(options);
  const now = Date.now();
  const day = dayOf(dateOf(String(options["date"]), now, config.log.timezone), config.log.timezone);
  if (files.length === 0) checkSources(config);
  const log =
    files.length > 0
      ? await readDay(files, day, firstYear(options), now)
      : await readConfiguredDay(config.log, day, now);
  const made = build(config, day, log, options, now, files.length === 0);
  const onChange = options["onChange"] === true || (options["send"] === true && config.report.onChange);
  if (onChange && isQuietDay(made)) {
    if (!isQuiet(options))
      writeError(`${reportSubject(made)}; nothing to tell, nothing was written or sent\n`);
    return;
  }
  if (options["send"] === true) await send(made, config, options);
  const output = options["output"];
  if (options["send"] === true && output === undefined && options["format"] === undefined) return;
  const written = await rendered(made, format, config);
  if (typeof output === "string") writeWhole(output, written);
  else await writeOut(written.toString());
}

/** A day: unlike `summary`, a report is of one. */
function dateOf(text: string, now: number, zone: string): string {
  if (text !== "all") return resolveDate(text, now, zone);
  throw new Fault(
    "usage",
    "a report is of one day",
    "--date all",
    "nothing was done",
    "use --date yesterday, today or 2026-10-04; logvane summary --date all has figures of a whole log",
  );
}

/** A report of nothing helps nobody. What comes by the network alone is not in any file, and its report says so. */
function checkSources({ log }: Config): void {
  if (log.paths.length > 0 || log.journal || log.listen.length > 0) return;
  throw new Fault(
    "usage",
    "no log was named",
    "command line, and log.paths of the configuration",
    "nothing was done",
    "name the log files after the verb, or set log.paths (logvane init finds them)",
  );
}

/** The report from the log and the state. A state that can't be read is told, and the report goes out without it. */
function build(
  config: Config,
  day: Day,
  log: DayLog,
  options: Options,
  now: number,
  own: boolean,
): DailyReport {
  const dir = stateDir(options);
  const { paths, journal, listen } = config.log;
  const settings = {
    ...{ server: config.server.name, perDay: config.alerts.perDay, release: release(), now },
    ...{ logs: !own || paths.length > 0 || journal, network: own && listen.length > 0 },
  };
  const without = { facts: undefined, figures: [], stateBytes: 0, log };
  try {
    if (!hasDatabase(dir)) return dailyReport(settings, day, without);
    const store = openStore(dir);
    try {
      const facts = store.report.dayFacts(day.day, day.from, day.to);
      const figures = store.report.figures();
      // What was named by hand may be the log of another server.
      if (own && log.summary !== undefined && log.faults.length === 0 && now >= day.to)
        store.report.saveFigures(day.day, log.summary.corrected);
      return dailyReport(settings, day, { facts, figures, stateBytes: bytesOf(dir), log });
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (!isQuiet(options)) writeError(faultText(error));
    return dailyReport(settings, day, { ...without, log: { ...log, faults: [...log.faults, error] } });
  }
}

/** Bytes of the files in a folder. */
function bytesOf(dir: string): number {
  let sum = 0;
  for (const name of readdirSync(dir)) {
    const stat = statSync(join(dir, name), { throwIfNoEntry: false });
    if (stat?.isFile()) sum += stat.size;
  }
  return sum;
}

async function rendered(made: DailyReport, format: string, config: Config): Promise<string | Buffer> {
  if (format === "json") return `${JSON.stringify(made, undefined, 2)}\n`;
  if (format === "html") return reportHtml(made, { charts: "data" });
  if (format === "text") return reportText(made, { unicode: showsUnicode() });
  return await mailOf(made, config);
}

/** The mail as the mail channel sends it. */
async function mailOf(made: DailyReport, config: Config): Promise<Buffer> {
  const { name } = config.server;
  const channel = config.channels.find((c): c is MailChannel => c.type === "mail");
  const notification = { type: "report" as const, report: made };
  return await composeMail(
    { notification, key: notificationKey(notification), at: Date.parse(made.made_at), reached: [] },
    channel ?? { from: `logvane@${name}`, to: [] },
    { server: name, release: release(), timeZone: made.timezone, harmless: "" },
  );
}

/** Whether the reader of standard output shows more than ASCII (POSIX: the first of these that is set tells). */
function showsUnicode(): boolean {
  const env = process.env;
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return locale === "" || /utf-?8/i.test(locale);
}

async function send(made: DailyReport, config: Config, options: Options): Promise<void> {
  const notification = { type: "report" as const, report: made };
  const channels = channelsFor(notification, config.channels, () => false);
  if (channels.length === 0)
    throw new Fault(
      "configuration",
      "no channel gets the daily report",
      config.path ?? "no configuration file",
      "the report was not sent",
      "set up [mail] (logvane init does), or write the report to a file with --output",
    );
  const store = openStore(stateDir(options));
  try {
    const waiting = await tellNow(store, config, stateDir(options), notification, channels);
    if (isQuiet(options)) return;
    const rest = waiting === 0 ? "" : `; ${waiting} notifications still wait there`;
    writeError(`${reportSubject(made)}: given to ${channels.join(", ")}${rest}\n`);
  } finally {
    store.close();
  }
}
