// Writes man/logvane.8 of the verbs' own help. Needs a build. --check: says whether it is up to date instead.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withAllVerbs } from "../dist/src/cli/main.js";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const FILE = join(ROOT, "man/logvane.8");
/** Flags that every verb takes are told once. */
const COMMON = new Set(["--config", "--state", "--quiet", "--no-color", "--format", "--json"]);

/** Text as groff(7) takes it: nothing in it is a request or an escape. */
const roff = (text) =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^(?=[.'])/gm, "\\&");
const bold = (text) => `.B "${roff(text).replaceAll('"', '""')}"`;
const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

function optionText({ flags, description, defaultValue }) {
  const value =
    typeof defaultValue === "string" && !/\(default: /.test(description) ? ` (default: ${defaultValue})` : "";
  return `.TP\n${bold(flags)}\n${roff(sentence(`${description}${value}`))}\n`;
}

const own = (command) => command.options.filter(({ long, hidden }) => !hidden && !COMMON.has(long));

function argumentsOf(command) {
  return command.registeredArguments
    .map((one) => {
      const name = `${one.name()}${one.variadic ? "..." : ""}`;
      return one.required ? ` <${name}>` : ` [${name}]`;
    })
    .join("");
}

/** A verb, then its inner verbs. */
function verbText(command, before) {
  const words = `${before} ${command.name()}`;
  const inner = command.commands;
  const title = inner.length > 0 ? words : `${words}${argumentsOf(command)}`;
  const head = `.SS "${roff(title)}"\n${roff(sentence(command.description()))}\n`;
  return `${head}${own(command).map(optionText).join("")}${inner.map((one) => verbText(one, words)).join("")}`;
}

const program = await withAllVerbs();
const common = program.commands[0].options.filter(({ long }) => COMMON.has(long));
const codes = [
  ["0", "done"],
  ["1", "something was found, with --exit-code only"],
  ["64", "the command line is wrong"],
  ["65", "the data is wrong or damaged"],
  ["66", "there is no such input, or it may not be read"],
  ["69", "something needed is not installed"],
  ["70", "a bug in Logvane"],
  ["74", "a disk or file could not be read or written"],
  ["75", "busy; the same command works later"],
  ["78", "the configuration or the state does not fit"],
];
const files = [
  ["/etc/logvane/logvane.toml", "the configuration of root and of the service"],
  ["~/.config/logvane/logvane.toml", "that of anybody else"],
  ["/var/lib/logvane", "the state of root and of the service"],
  ["~/.local/state/logvane", "that of anybody else"],
];
const variables = [
  ["LOGVANE_CONFIG", "the configuration, where --config names none"],
  ["LOGVANE_STATE", "the state folder, where --state names none"],
  ["LOGVANE_DEBUG", "shows where a bug is"],
  ["NO_COLOR", "no colour"],
];
const list = (items) => items.map(([name, what]) => `.TP\n${bold(name)}\n${roff(sentence(what))}\n`).join("");
const text = `.\\" Written by scripts/man.mjs (npm run man) of the verbs' own help.
.TH LOGVANE 8 "" "" "System Administration"
.SH NAME
logvane \\- ${roff("learns what is normal in a mail server's logs, and says what is not")}
.SH SYNOPSIS
.B logvane
.I verb
.RI [ options "] [" file ...]
.SH DESCRIPTION
${roff(program.description())}
.SH OPTIONS
Every verb takes these.
${common.map(optionText).join("")}.SH VERBS
${program.commands.map((command) => verbText(command, "logvane")).join("")}.SH EXIT STATUS
${list(codes)}.SH FILES
${list(files)}.SH ENVIRONMENT
${list(variables)}.SH SEE ALSO
${roff("The folder docs/ of the package, docs/install.md first.")}
`;
if (process.argv.includes("--check")) {
  if (existsSync(FILE) && readFileSync(FILE, "utf8") === text) process.exit(0);
  console.error("man/logvane.8 is out of date: npm run man");
  process.exit(1);
}
mkdirSync(dirname(FILE), { recursive: true });
writeFileSync(FILE, text);
