import { HEADER, type Plan, type PlannedFile } from "./units.ts";

/** Schedules for hosts without systemd: one run a day and one training a week, no daemon. */

export const CRON_FILE = "/etc/cron.d/logvane";

/** A word as a shell reads it. */
const shellWord = (text: string): string =>
  /^[A-Za-z0-9_./:=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** In a crontab a percent sign ends the command. */
const cronText = (command: string): string => command.replaceAll("%", "\\%");

/** The crontab's lines; cron's clock is the system's, whatever the log's zone. user: "" for a crontab of one's own, which names none. */
export function cronLines(plan: Plan, user: string): string[] {
  const { config, stateDir } = plan;
  const as = user === "" ? "" : `${user} `;
  const own = (...args: readonly string[]): string =>
    [...plan.command, ...args, "--config", plan.configPath, "--state", stateDir, "--quiet"]
      .map(shellWord)
      .join(" ");
  // One run at a time: what was missed, the next run reads.
  const locked = (lock: string, command: string): string =>
    `flock -n ${shellWord(`${stateDir}/${lock}.lock`)} nice -n 10 sh -c ${shellWord(command)}`;
  const { report, retrain } = config;
  const daily = `${own("detect")} >/dev/null; ${own("report", "--date", "yesterday", "--send")}`;
  const lines = [
    `${report.atMinute % 60} ${Math.floor(report.atMinute / 60)} * * * ${as}${cronText(locked("daily", daily))}`,
  ];
  if (retrain.weekday !== undefined)
    lines.push(
      `${retrain.atMinute % 60} ${Math.floor(retrain.atMinute / 60)} * * * ${as}${cronText(locked("retrain", `${own("retrain", "--due")} >/dev/null`))}`,
    );
  return lines;
}

/** The file for /etc/cron.d. */
export function cronFile(plan: Plan): PlannedFile {
  const head = [
    HEADER,
    "# Times are those of the system's clock. What a run missed while the machine was off, the next one reads.",
    "SHELL=/bin/sh",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  ];
  return { path: CRON_FILE, content: `${[...head, ...cronLines(plan, plan.user)].join("\n")}\n` };
}
