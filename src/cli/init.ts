import { chownSync, existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { recipient } from "../config/forms.ts";
import { readConfig } from "../config/read.ts";
import { configText, type Draft } from "../config/write.ts";
import { Fault } from "../fault.ts";
import { terminalSafe } from "../report/escape.ts";
import { secureFolder } from "../store/folder.ts";
import { Dialogue } from "./dialogue.ts";
import { learn } from "./first-training.ts";
import { addInputOptions, type Options, outputFormat, stateDir, timeZone } from "./options.ts";
import { writeOut } from "./out.ts";
import { writeWhole } from "./schedule/files.ts";
import { hostAt } from "./schedule/host.ts";
import { install } from "./schedule.ts";
import { configPlace, loadSettings, systemFacts } from "./settings.ts";
import { type Machine, type ServerFacts, surveyServer } from "./survey.ts";
import { type FoundLogs, surveyLogs } from "./survey-logs.ts";
import { foundText } from "./survey-text.ts";

const BUDGET = 2;
const MAX_BUDGET = 9999;
const SERVICE_USER = "logvane";

/** Registers `logvane init`. */
export function initCommand(program: Command): Command {
  const command = program
    .command("init")
    .description(
      "set all up: find the logs, write the configuration, learn from the past, show what would have been told",
    )
    .option("--yes", "ask nothing")
    .option("--force", "replace the configuration; the old one is kept beside it as .bak")
    .option("--mail-to <address>", "who gets alerts and the daily report; may be repeated", mailTo, [])
    .option("--no-train", "write the configuration only")
    .action(async (options: Options) => init(options));
  return addInputOptions(command);
}

function mailTo(text: string, before: readonly string[]): string[] {
  if (!isRecipient(text))
    throw new InvalidArgumentError("It is no mail address, such as ann@example.org or root.");
  return [...before, text];
}

const isRecipient = (text: string): boolean =>
  recipient({ kind: "string", value: text, at: { line: 1, column: 1 } }, () => undefined) !== undefined;

async function init(options: Options): Promise<void> {
  outputFormat(options, ["text"]);
  // For tests and images: another machine's / as a folder. Its programs are not asked.
  const machine: Machine = { root: process.env["LOGVANE_ROOT"] ?? "" };
  const path = pathOf(options, machine);
  const state =
    typeof options["state"] === "string" || machine.root === ""
      ? stateDir(options)
      : join(machine.root, "/var/lib/logvane");
  refuseExisting(path, options["force"] === true);
  const server = surveyServer(machine);
  const logs = surveyLogs(machine, server.ownLog);
  await writeOut(foundText(server, logs, timeZone(options)));
  const dialogue = new Dialogue(options["yes"] !== true && process.stdin.isTTY === true);
  try {
    const draft = await draftOf(server, logs, options, dialogue);
    writeConfig(path, draft, options["force"] === true);
    await writeOut(`\nwrote ${terminalSafe(path)}\n`);
    makeState(state);
    const trained = options["train"] === false ? undefined : await learn(logs, draft, { ...options, state });
    if (process.getuid?.() === 0) giveToService(path, state, machine);
    const scheduled = await offerSchedule(dialogue, { ...options, config: path }, machine);
    await writeOut(nextText(path, options, trained !== undefined, scheduled));
  } finally {
    dialogue.end();
  }
}

function pathOf(options: Options, { root }: Machine): string {
  const place = configPlace(options);
  return place.from === "default" && root !== "" ? join(root, "/etc/logvane/logvane.toml") : place.path;
}

function refuseExisting(path: string, force: boolean): void {
  if (force || !existsSync(path)) return;
  throw new Fault(
    "configuration",
    "there is a configuration already",
    path,
    "nothing was changed",
    "edit it (logvane config check tells mistakes), or replace it: logvane init --force (keeps the old one as .bak)",
  );
}

async function draftOf(
  server: ServerFacts,
  logs: FoundLogs,
  options: Options,
  dialogue: Dialogue,
): Promise<Draft> {
  const given = options["mailTo"] as readonly string[];
  const fallback = server.mta === undefined ? "" : "root";
  const question = `Who gets alerts and the daily report? A mail address${fallback ? "" : ", or nothing"}`;
  const answer =
    given.length > 0
      ? given.join(" ")
      : await dialogue.ask(
          question,
          fallback,
          (text) => text === "" || text.split(/[\s,]+/).every(isRecipient),
        );
  const to = answer.split(/[\s,]+/).filter((one) => one !== "");
  const budget = await dialogue.ask(
    "How many alerts a day at most?",
    String(BUDGET),
    (text) => /^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_BUDGET,
  );
  const prior = await dialogue.ask(
    "Begin with messages of healthy servers from our lab, until four weeks of your own are there? yes or no",
    "yes",
    isYesOrNo,
  );
  const via = server.mta === undefined || server.mta.name === "Postfix" ? "sendmail" : "smtp";
  return {
    name: server.name,
    domains: server.domains,
    paths: logs.files.map((file) => file.path),
    journal: logs.journal === "used",
    timezone: timeZone(options),
    perDay: Number(budget),
    prior: isYes(prior),
    mail: to.length === 0 ? undefined : { to, from: `logvane@${server.name}`, via },
  };
}

const isYesOrNo = (text: string): boolean => /^(y|yes|n|no)$/i.test(text);
const isYes = (text: string): boolean => /^y/i.test(text);

/** Readable by the group: the service's user, once there is one. */
function writeConfig(path: string, draft: Draft, force: boolean): void {
  const text = configText(draft);
  const { mistakes } = readConfig(text, path, systemFacts());
  if (mistakes.length > 0)
    throw new RangeError(
      `the written configuration has a mistake: ${mistakes[0]!.key}: ${mistakes[0]!.what}`,
    );
  if (force && existsSync(path)) renameSync(path, freeName(`${path}.bak`));
  writeWhole(path, text, process.getuid?.() === 0 ? 0o640 : 0o600);
}

/** Earlier copies stay as well. */
function freeName(path: string): string {
  let name = path;
  for (let i = 2; existsSync(name); i++) name = `${path}${i}`;
  return name;
}

function makeState(dir: string): void {
  try {
    secureFolder(dir);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(
      "io",
      `cannot make the state folder (${(error as NodeJS.ErrnoException).code})`,
      dir,
      "the configuration is written; nothing was learned",
      "name a folder that you may write to with --state DIR, then: logvane init --force",
    );
  }
}

/** The service's account, where there is one, owns the state and reads the configuration. */
function giveToService(config: string, state: string, machine: Machine): void {
  const host = hostAt(machine.root);
  const user = host.user(SERVICE_USER);
  const group = host.group(SERVICE_USER);
  if (user === undefined || group === undefined) return;
  chownSync(config, 0, group.id);
  chownSync(state, user.id, group.id);
  for (const name of readdirSync(state)) chownSync(join(state, name), user.id, group.id);
}

async function offerSchedule(dialogue: Dialogue, options: Options, { root }: Machine): Promise<boolean> {
  if (!dialogue.asks || root !== "") return false;
  const answer = await dialogue.ask(
    "Start watching now (logvane schedule install)? yes or no",
    "no",
    isYesOrNo,
  );
  if (!isYes(answer)) return false;
  await loadSettings(options);
  await install({ ...options, runAs: SERVICE_USER, user: process.getuid?.() !== 0 });
  return true;
}

function nextText(path: string, options: Options, trained: boolean, scheduled: boolean): string {
  const flags = `${typeof options["config"] === "string" ? ` --config ${path}` : ""}${typeof options["state"] === "string" ? ` --state ${options["state"]}` : ""}`;
  const user = process.getuid?.() === 0 ? "" : " --user";
  const steps = [
    ...(trained ? [] : [[`logvane train${flags}`, "learns, once there is a log"]]),
    ...(scheduled
      ? [[`logvane schedule show${user}`, "tells what runs when"]]
      : [[`logvane schedule install${user}${flags}`, "starts watching"]]),
    [`logvane check --send-test${flags}`, "sends a test by every channel"],
    [`logvane config show${flags}`, "shows all settings"],
  ];
  const width = Math.max(...steps.map(([command]) => command!.length)) + 4;
  return `\nnext\n${steps.map(([command, what]) => `  ${terminalSafe(command!).padEnd(width)}${what}\n`).join("")}`;
}
