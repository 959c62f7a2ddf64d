import { existsSync } from "node:fs";
import { hostname } from "node:os";
import type { Config } from "../config/config.ts";
import { type Options, timeZone } from "./options.ts";

/** Where distributions log mail: Debian, then Red Hat and SUSE. */
const LOGS = ["/var/log/mail.log", "/var/log/maillog", "/var/log/mail"];

/** The settings of a verb: all default. */
export function settingsOf(options: Options): Config {
  const name = hostname();
  return {
    path: undefined,
    server: { name, domains: [] },
    log: {
      paths: [LOGS.find((path) => existsSync(path)) ?? LOGS[0]!],
      journal: false,
      units: [],
      listen: [],
      timezone: timeZone(options),
    },
    alerts: { perDay: 2 },
    channels: [],
    report: { atMinute: 360, onChange: false },
    retrain: { weekday: undefined, atMinute: 240, days: 28 },
    heartbeat: { url: undefined, file: undefined, everyS: 60 },
    metrics: { textfile: undefined, listen: undefined },
    keep: { alertsDays: 365, linesDays: 30, notificationsDays: 30 },
  };
}
