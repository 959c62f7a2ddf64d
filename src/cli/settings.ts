import { readFileSync, statSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join, resolve } from "node:path";
import type { Config } from "../config/config.ts";
import type { Mistake } from "../config/mistake.ts";
import type { ConfigRead } from "../config/read.ts";
import type { Facts } from "../config/secret-file.ts";
import { Fault } from "../fault.ts";
import { type Options, timeZone } from "./options.ts";

/** Where the file is looked for, and who said so. */
export type ConfigPlace = { readonly path: string; readonly from: "--config" | "LOGVANE_CONFIG" | "default" };

/** A file that was read. text: undefined where there is none, which gives the defaults. */
export type LoadedConfig = ConfigRead & { readonly place: ConfigPlace; readonly text: string | undefined };

const SYSTEM_FILE = "/etc/logvane/logvane.toml";
const OTHERS_WRITE = 0o002;
const GROUP_WRITE = 0o020;

/** --config, LOGVANE_CONFIG, the system's file for root, else the user's own (XDG base directory specification). */
export function configPlace(options: Options): ConfigPlace {
  const asked = options["config"];
  if (typeof asked === "string") return { path: resolve(asked), from: "--config" };
  const env = process.env;
  if (env["LOGVANE_CONFIG"]) return { path: resolve(env["LOGVANE_CONFIG"]), from: "LOGVANE_CONFIG" };
  if (process.getuid?.() === 0) return { path: SYSTEM_FILE, from: "default" };
  const home = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return { path: join(home, "logvane", "logvane.toml"), from: "default" };
}

/**
 * Reads the file of settings; its mistakes are in the result. Throws Fault noInput when a file that was named can't be read,
 * configuration when the usual one can't, or when others may write it.
 */
export async function loadConfig(options: Options): Promise<LoadedConfig> {
  const place = configPlace(options);
  const text = readText(place);
  const { readConfig } = await import("../config/read.ts");
  return {
    ...readConfig(text ?? "", text === undefined ? undefined : place.path, systemFacts()),
    place,
    text,
  };
}

/** What defaults and checks take from the system. */
export function systemFacts(): Facts {
  return { hostName: hostname(), timezone: timeZone({}), modeOf };
}

function modeOf(path: string): number | "missing" | "unknown" {
  try {
    return statSync(path).mode & 0o777;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "missing" : "unknown";
  }
}

function readText({ path, from }: ConfigPlace): string | undefined {
  try {
    const text = readFileSync(path, "utf8");
    checkOwner(path);
    return text;
  } catch (error) {
    if (error instanceof Fault) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (from === "default" && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
    throw new Fault(
      from === "default" ? "configuration" : "noInput",
      `cannot read the configuration (${code})`,
      path,
      "nothing was done",
      from === "default"
        ? "check who may read the file, or name another one with --config"
        : `check the name after ${from} and who may read the file, or leave it out`,
    );
  }
}

/** Who may write the file may have any program run by us. */
function checkOwner(path: string): void {
  const stat = statSync(path);
  if (stat.isCharacterDevice()) return; // /dev/null: no settings
  const { mode, uid, gid } = stat;
  const me = process.getuid?.();
  const others = (mode & OTHERS_WRITE) !== 0;
  const group = me === 0 && gid !== 0 && (mode & GROUP_WRITE) !== 0;
  if (!others && !group) return;
  const bits = (mode & 0o777).toString(8).padStart(4, "0");
  throw new Fault(
    "configuration",
    `others may write the configuration (mode ${bits}, owner ${uid}, group ${gid})`,
    path,
    "nothing was done: it names programs to run and where log lines are sent",
    `look through the file, then: chmod go-w ${path}`,
  );
}

let loaded: LoadedConfig | undefined;

/**
 * Loads the settings for a verb, whose flags win over them. Throws as loadConfig, and Fault configuration when the file
 * holds mistakes.
 */
export async function loadSettings(options: Options): Promise<LoadedConfig> {
  const config = await loadConfig(options);
  if (config.mistakes.length > 0) throw mistakesFault(config.mistakes, config.place.path);
  loaded = config;
  return config;
}

/** The settings that loadSettings loaded, under the flags of the verb. */
export function settingsOf(options: Options): Config {
  if (loaded === undefined) throw new RangeError("settingsOf was called before loadSettings");
  const { config } = loaded;
  const zone = options["timezone"];
  const budget = options["alertBudget"];
  return {
    ...config,
    log: { ...config.log, timezone: typeof zone === "string" ? zone : config.log.timezone },
    alerts: { perDay: typeof budget === "string" ? Number.parseInt(budget, 10) : config.alerts.perDay },
  };
}

/** All mistakes in one message, as many as it can hold. */
function mistakesFault(mistakes: readonly Mistake[], path: string): Fault {
  const all = mistakes.map(
    ({ line, column, key, what }) => `line ${line}, column ${column}: ${key === "" ? "" : `${key}: `}${what}`,
  );
  return new Fault(
    "configuration",
    mistakes.length === 1
      ? "the configuration has a mistake"
      : `the configuration has ${mistakes.length} mistakes`,
    `${path}: ${all.join("; ")}`,
    "nothing was done",
    `type: logvane config check --config ${path} (shows each with its line and what is allowed)`,
  );
}
