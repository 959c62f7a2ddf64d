import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { Fault } from "../fault.ts";

/** Flags of a verb as commander gives them. */
export type Options = Readonly<Record<string, unknown>>;

/** Years that a mail log can be from; syslog is younger than the first. */
const FIRST_YEAR = 1970;
const LAST_YEAR = 9999;

/** Adds an option unless the verb has brought its own of that name. */
function addOnce(command: Command, option: Option): void {
  if (!command.options.some((o) => o.long === option.long)) command.addOption(option);
}

/** The flags that every verb takes. Does nothing the second time. */
export function addCommonOptions(command: Command): Command {
  addOnce(command, new Option("--config <file>", "configuration file"));
  addOnce(command, new Option("--state <dir>", "folder of models and alerts"));
  addOnce(command, new Option("--quiet", "no progress and no notices"));
  addOnce(command, new Option("--no-color", "no colour (as the variable NO_COLOR)"));
  addOnce(command, new Option("--format <format>", "form of the output: text, json, ndjson or html"));
  addOnce(command, new Option("--json", "the same as --format json"));
  return command;
}

/** The zone in which a verb shows or reads times. Does nothing the second time. */
export function addZoneOption(command: Command): Command {
  const option = new Option(
    "--timezone <zone>",
    "zone of times, such as Europe/Berlin (default: the system's)",
  );
  addOnce(command, option.argParser(parseZone));
  return command;
}

/** The flags of a verb that reads log files. Does nothing the second time. */
export function addInputOptions(command: Command): Command {
  const year = new Option("--year <year>", "year of the first line of the oldest file (default: inferred)");
  addOnce(addZoneOption(command), year.argParser(parseYear));
  return command;
}

function parseZone(zone: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone;
  } catch {
    throw new InvalidArgumentError("It is no zone of the IANA database, such as Europe/Berlin or UTC.");
  }
}

function parseYear(text: string): number {
  const year = Number(text);
  if (!/^\d{4}$/.test(text) || year < FIRST_YEAR || year > LAST_YEAR)
    throw new InvalidArgumentError(`It is no year from ${FIRST_YEAR} to ${LAST_YEAR}.`);
  return year;
}

/** The zone of lines without offset: --timezone or the system's. */
export function timeZone(options: Options): string {
  const zone = options["timezone"];
  return typeof zone === "string" ? zone : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** --year, or undefined when it is to be inferred. */
export function firstYear(options: Options): number | undefined {
  const year = options["year"];
  return typeof year === "number" ? year : undefined;
}

export function isQuiet(options: Options): boolean {
  return options["quiet"] === true;
}

/** Whether to colour the text on a stream. */
export function useColor(options: Options, stream: { readonly isTTY?: boolean }): boolean {
  return options["color"] !== false && !process.env["NO_COLOR"] && stream.isTTY === true;
}

/** --json or --format, checked against what the verb can write; its first is the default. */
export function outputFormat<F extends string>(options: Options, allowed: readonly [F, ...F[]]): F {
  const asked = options["json"] === true ? "json" : options["format"];
  if (asked === undefined) return allowed[0];
  const found = allowed.find((format) => format === asked);
  if (found !== undefined) return found;
  throw new Fault(
    "usage",
    `this verb does not write ${String(asked)}`,
    "--format",
    "nothing was done",
    `use --format ${allowed.join(" or --format ")}`,
  );
}

/** Folder of the demo's alerts, apart from those of a real server. */
export const demoState = (options: Options): string => join(stateDir(options), "demo");

/**
 * Folder of models and alerts: --state, LOGVANE_STATE, what systemd gives a service, /var/lib/logvane for root, else
 * the user's own state folder of the XDG base directory specification.
 */
export function stateDir(options: Options): string {
  const asked = options["state"];
  if (typeof asked === "string") return resolve(asked);
  const env = process.env;
  const named = env["LOGVANE_STATE"] || env["STATE_DIRECTORY"]?.split(":")[0];
  if (named) return resolve(named);
  if (process.getuid?.() === 0) return "/var/lib/logvane";
  return join(env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state"), "logvane");
}

/** --seed, checked. Throws a usage Fault. */
export function seedOf(options: Options): number {
  const text = String(options["seed"]);
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Fault("usage", "--seed takes a whole number", "--seed", "nothing was done", "type: --seed 1");
}

/** --alert-budget, alerts a day, checked. Throws a usage Fault. */
export function budgetOf(options: Options): number {
  const text = String(options["alertBudget"]);
  const match = /^(\d{1,4})(?:\/day)?$/.exec(text);
  if (match && Number(match[1]) >= 1) return Number(match[1]);
  const what = `"${text.slice(0, 60)}" is no alert budget`;
  throw new Fault("usage", what, "--alert-budget", "nothing was done", "type: --alert-budget 2/day");
}

/** The flags before and after the inner verb of one such as `model list`; what was typed after it wins. */
export function flagsOf(verb: Command): Options {
  const own = verb.opts();
  const outer = verb.parent?.opts() ?? {};
  const typed = Object.entries(own).filter(([name]) => verb.getOptionValueSource(name) !== "default");
  return { ...own, ...outer, ...Object.fromEntries(typed) };
}

/** For an option that may be repeated: its values in order. */
export const collect = (value: string, before: string[]): string[] => [...before, value];
