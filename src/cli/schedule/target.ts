import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Config } from "../../config/config.ts";
import { Fault } from "../../fault.ts";
import { type Options, stateDir } from "../options.ts";
import { configPlace } from "../settings.ts";
import { configuredFiles } from "../sources.ts";
import { type Host, hasSystemd, hostAt, logAccess } from "./host.ts";
import { type Plan, unitFolder } from "./units.ts";

/** The service's account. */
export const USER = "logvane";
const SYSTEM_STATE = "/var/lib/logvane";
/** What has to be started or stopped; services that timers start are not among them. */
export const STARTED: readonly string[] = [
  "logvane.service",
  "logvane-report.timer",
  "logvane-retrain.timer",
];
export const UNITS: readonly string[] = [
  "logvane.service",
  "logvane-report.service",
  "logvane-report.timer",
  "logvane-retrain.service",
  "logvane-retrain.timer",
];

/** The machine, and by what means runs are started there. */
export type Target = {
  readonly host: Host;
  readonly scope: Plan["scope"];
  readonly folder: string;
  readonly cron: boolean;
};

export function targetOf(options: Options): Target {
  const root = typeof options["root"] === "string" ? resolve(options["root"]) : "";
  const host = hostAt(root);
  const scope = options["user"] === true ? "user" : "system";
  const home = process.env["XDG_CONFIG_HOME"] || join(process.env["HOME"] || homedir(), ".config");
  return {
    host,
    scope,
    folder: unitFolder(scope, home),
    cron: options["cron"] === true || !hasSystemd(host),
  };
}

/** A line end in a path would begin a line of its own in a unit or a crontab. */
function checkPaths(paths: readonly string[]): void {
  for (const path of paths)
    if (/\p{Cc}/u.test(path))
      throw new Fault(
        "usage",
        "a path holds a control character",
        path,
        "nothing was installed",
        "give the file or folder a plain name, and name that",
      );
}

/** What an installation there is to be. Throws Fault usage for a path that no unit can hold. */
export function planOf({ host, scope, cron }: Target, options: Options, config: Config): Plan {
  const script = realpathSync(process.argv[1] ?? "");
  const state =
    scope === "user"
      ? stateDir(options)
      : typeof options["state"] === "string"
        ? resolve(options["state"])
        : SYSTEM_STATE;
  const usual = scope === "user" ? stateDir({}) : SYSTEM_STATE;
  const configPath = config.path ?? configPlace(options).path;
  checkPaths([process.execPath, script, state, configPath]);
  const wanted = String(options["runAs"] ?? USER);
  return {
    config,
    command: [process.execPath, script],
    configPath,
    scope,
    mode: cron || options["daily"] === true ? "daily" : "watch",
    // cron makes no account: without one, root runs it.
    user: cron && host.user(wanted) === undefined ? "root" : wanted,
    access: scope === "user" ? { groups: [], closed: [] } : logAccess(host, logsThere(host, config)),
    postdrop:
      host.group("postdrop") !== undefined &&
      config.channels.some((c) => c.type === "mail" && c.via.by === "sendmail"),
    stateDir: state,
    ownState: state !== usual,
  };
}

/** The logs that are there now, as paths of the machine. */
function logsThere({ root }: Host, { log }: Config): string[] {
  const paths = log.paths.map((path) => join(root, path));
  return configuredFiles({ paths, journal: false }).map((path) =>
    root === "" ? path : path.slice(root.length),
  );
}
