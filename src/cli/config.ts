import type { Command } from "commander";
import type { Mistake } from "../config/mistake.ts";
import type { Plain, Setting } from "../config/reader.ts";
import { EXIT, Fault } from "../fault.ts";
import { cut, terminalSafe } from "../report/escape.ts";
import { addCommonOptions, addZoneOption, flagsOf, type Options, outputFormat, stateDir } from "./options.ts";
import { writeOut } from "./out.ts";
import { configPlace, type LoadedConfig, loadConfig } from "./settings.ts";

const SHOWN = 80;
/** Longest part of a line of the file that is shown with a mistake. */
const LINE_SHOWN = 100;
const INDENT = "    ";
/** A line that may hold a secret is shown up to its =. */
const MAYBE_SECRET = /pass|pwd|token|secret|url/i;
const HIDDEN = "(not shown)";

/** Registers `logvane config` with its own verbs. */
export function configCommand(program: Command): Command {
  const command = program
    .command("config")
    .description("check the configuration, show what is set and where from, or where the file is")
    .usage("check|show|path [options]")
    .argument("[verb]")
    .enablePositionalOptions()
    .action((verb: string | undefined) => {
      throw noSuchVerb(verb);
    });
  const add = (name: string, description: string): Command =>
    addCommonOptions(command.command(name).description(description));
  add("check", "tell all mistakes, with line and column; ends with 78 when there are some").action(
    (_own, verb) => check(flagsOf(verb)),
  );
  addZoneOption(add("show", "show every setting and what it comes from, but no secret")).action(
    (_own, verb) => show(flagsOf(verb)),
  );
  add("path", "tell which file is read").action((_own, verb) => path(flagsOf(verb)));
  return command;
}

function noSuchVerb(verb: string | undefined): Fault {
  return new Fault(
    "usage",
    verb === undefined
      ? 'no verb was given after "config"'
      : `there is no verb "config ${verb.slice(0, SHOWN)}"`,
    "command line, second word",
    "nothing was done",
    "use one of: config check, config show, config path (logvane config --help tells what each does)",
  );
}

async function check(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const loaded = await loadConfig(options);
  if (loaded.mistakes.length > 0) process.exitCode = EXIT.configuration;
  await writeOut(format === "json" ? checkJson(loaded) : checkText(loaded));
}

function checkJson({ place, text, mistakes }: LoadedConfig): string {
  const list = mistakes.map(({ line, column, key, what, allowed }) => ({ line, column, key, what, allowed }));
  return `${JSON.stringify({ path: place.path, found: text !== undefined, mistakes: list }, undefined, 2)}\n`;
}

function checkText({ place, text, mistakes }: LoadedConfig): string {
  const name = terminalSafe(place.path);
  if (text === undefined)
    return `There is no ${name}; all settings are the defaults. logvane init writes one.\n`;
  if (mistakes.length === 0) return `${name}: no mistakes\n`;
  const lines = text.replace(/^\ufeff/, "").split("\n");
  const each = mistakes.map((mistake) => mistakeText(mistake, name, lines[mistake.line - 1] ?? ""));
  return `${each.join("\n")}\n${mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`}\n`;
}

/** The place, the line with a mark under the column, and what would be right. */
function mistakeText(
  { line, column, key, what, allowed, secret }: Mistake,
  file: string,
  source: string,
): string {
  const about = key === "" ? "" : `${key}: `;
  return (
    `${file}:${line}:${column}: ${terminalSafe(about + what)}\n` +
    markedLine(source, column, secret === true) +
    `${INDENT}allowed: ${terminalSafe(allowed)}\n`
  );
}

function markedLine(source: string, column: number, secret: boolean): string {
  const before = terminalSafe(source.slice(0, column - 1));
  const equals = source.indexOf("=");
  const hide = secret || MAYBE_SECRET.test(equals < 0 ? source : source.slice(0, equals));
  const whole = terminalSafe(source.replace(/\r$/, ""));
  const shown = hide ? `${terminalSafe(equals < 0 ? "" : source.slice(0, equals + 1))} ...` : whole;
  if (before.length >= LINE_SHOWN || (hide && before.length > shown.length))
    return `${INDENT}${cut(shown, LINE_SHOWN)}\n`;
  return `${INDENT}${cut(shown, LINE_SHOWN)}\n${INDENT}${" ".repeat(before.length)}^\n`;
}

/** A setting as it takes effect. */
type Effective = {
  readonly key: string;
  readonly value: Plain | null;
  readonly origin: string;
  readonly line: number | null;
};

async function show(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const loaded = await loadConfig(options);
  const settings = effective(loaded, options);
  if (loaded.mistakes.length > 0) process.exitCode = EXIT.configuration;
  if (format === "json") {
    const { place, text, mistakes } = loaded;
    const record = { path: place.path, found: text !== undefined, mistakes: mistakes.length, settings };
    await writeOut(`${JSON.stringify(record, undefined, 2)}\n`);
    return;
  }
  await writeOut(showText(loaded, settings));
}

/** The settings under the flags, in the order of the documentation; the state folder, which only flags and the environment set. */
function effective({ settings }: LoadedConfig, options: Options): Effective[] {
  const zone = options["timezone"];
  const list = settings.map((setting): Effective => {
    const { key, line } = setting;
    if (key === "log.timezone" && typeof zone === "string")
      return { key, value: zone, origin: "--timezone", line: null };
    return { key, value: shownValue(setting), origin: originOf(setting), line: line ?? null };
  });
  return [{ key: "state", value: stateDir(options), origin: stateOrigin(options), line: null }, ...list];
}

function originOf({ line, value, key }: Setting): string {
  if (line !== undefined) return `line ${line}`;
  if (value === undefined) return "not set";
  return key === "log.timezone" || key === "server.name" ? "the system" : "default";
}

function stateOrigin(options: Options): string {
  if (typeof options["state"] === "string") return "--state";
  if (process.env["LOGVANE_STATE"]) return "LOGVANE_STATE";
  return process.env["STATE_DIRECTORY"] ? "STATE_DIRECTORY" : "default";
}

function shownValue({ value, secret }: Setting): Plain | null {
  if (value === undefined) return null;
  return secret ? HIDDEN : value;
}

function showText({ place, text, mistakes }: LoadedConfig, settings: readonly Effective[]): string {
  const head =
    text === undefined
      ? `# there is no ${place.path}; all settings are the defaults\n`
      : `# ${place.path}${mistakes.length > 0 ? `: ${mistakes.length} mistakes, defaults in their place (logvane config check tells them)` : ""}\n`;
  const rows = settings.map(({ key, value, origin }) => ({
    left: value === null ? `# ${key}` : `${key} = ${JSON.stringify(value)}`,
    origin,
  }));
  const width = Math.min(48, Math.max(...rows.map((row) => row.left.length)));
  const body = rows.map(({ left, origin }) => `${terminalSafe(left).padEnd(width)}  # ${origin}\n`);
  return `${terminalSafe(head.trimEnd())}\n${body.join("")}`;
}

async function path(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const place = configPlace(options);
  await writeOut(format === "json" ? `${JSON.stringify(place)}\n` : `${terminalSafe(place.path)}\n`);
}
