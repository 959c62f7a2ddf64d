import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { Fault } from "../fault.ts";
import { terminalSafe } from "../report/escape.ts";
import { addCommonOptions, flagsOf, type Options, outputFormat } from "./options.ts";
import { writeError, writeOut } from "./out.ts";
import { CRON_FILE, cronFile, cronLines } from "./schedule/cron.ts";
import { installFiles } from "./schedule/files.ts";
import { type Host, mayRead, openToAll, systemdRuns } from "./schedule/host.ts";
import { remove, takeAway } from "./schedule/remove.ts";
import { show } from "./schedule/show.ts";
import { planOf, STARTED, type Target, targetOf, UNITS, USER } from "./schedule/target.ts";
import { type Plan, type PlannedFile, SYSUSERS, unitFiles } from "./schedule/units.ts";
import { settingsOf } from "./settings.ts";
import { ask } from "./survey.ts";

const SHOWN = 80;

/** Registers `logvane schedule` with its own verbs. */
export function scheduleCommand(program: Command): Command {
  const command = program
    .command("schedule")
    .description("install, show or remove what runs Logvane by itself: systemd units, or a cron file")
    .usage("install|show|remove [options]")
    .argument("[verb]")
    .enablePositionalOptions()
    .action((verb: string | undefined) => {
      throw noSuchVerb(verb);
    });
  const add = (name: string, description: string): Command =>
    addCommonOptions(command.command(name).description(description))
      .option("--user", "for your own account, without root")
      .addOption(new Option("--root <dir>", "work on the machine whose / is this folder").hideHelp());
  add("install", "write the files and start what they describe")
    .option("--daily", "no daemon: one run a day, before the report")
    .option("--cron", "a cron file even where there is systemd; implies --daily")
    .option("--run-as <name>", "account of the service, made where missing", account, USER)
    .option("--dry-run", "print the files, change nothing")
    .action((_own, verb) => install(flagsOf(verb)));
  add("show", "tell what is installed, when it runs next, and how it went").action((_own, verb) =>
    show(flagsOf(verb)),
  );
  add("remove", "take away what install wrote; the state and the configuration stay")
    .option("--dry-run", "tell what would be removed, change nothing")
    .action((_own, verb) => remove(flagsOf(verb)));
  return command;
}

function account(name: string): string {
  if (/^[a-z_][a-z0-9_-]{0,30}$/.test(name)) return name;
  throw new InvalidArgumentError("It is no account's name, such as logvane.");
}

function noSuchVerb(verb: string | undefined): Fault {
  return new Fault(
    "usage",
    verb === undefined
      ? 'no verb was given after "schedule"'
      : `there is no verb "schedule ${verb.slice(0, SHOWN)}"`,
    "command line, second word",
    "nothing was done",
    "use one of: schedule install, schedule show, schedule remove (logvane schedule --help tells what each does)",
  );
}

/** Writes the files of a schedule and starts it, or prints the commands that do. */
export async function install(options: Options): Promise<void> {
  outputFormat(options, ["text"]);
  const target = targetOf(options);
  const plan = planOf(target, options, settingsOf(options));
  const dry = options["dryRun"] === true;
  if (target.cron && target.scope === "user") return writeOut(ownCrontab(plan));
  const files = target.cron ? [cronFile(plan)] : unitFiles(plan, target.folder);
  const warnings = warningsOf(plan, target.host);
  for (const warning of warnings) writeError(`note: ${terminalSafe(warning)}\n`);
  if (dry) {
    for (const { path, content } of files) await writeOut(`# ---- ${terminalSafe(path)}\n${content}\n`);
    return;
  }
  installFiles(target.host.root, files);
  takeAway(target, leftovers(target, files));
  for (const { path } of files) await writeOut(`wrote ${terminalSafe(join(target.host.root, path))}\n`);
  await carryOut(startCommands(plan, target, files), target);
  await writeOut("logvane schedule show tells when each runs next\n");
}

/** What will not work as it stands. */
function warningsOf(plan: Plan, host: Host): string[] {
  const notes: string[] = [];
  if (plan.config.path === undefined)
    notes.push(`there is no ${plan.configPath} yet; logvane init writes it, and the service needs it`);
  if (plan.config.log.paths.length === 0 && !plan.config.log.journal && plan.config.log.listen.length === 0)
    notes.push("the configuration names no log, so there is nothing to watch; set log.paths or log.journal");
  if (plan.scope === "user") return notes;
  if (plan.user !== "root")
    for (const path of plan.command)
      if (!openToAll(host, path))
        notes.push(
          `${path} can't be run by ${plan.user}: install Node and Logvane where every user may read them, such as /usr/local or /opt`,
        );
  const sendsMail = plan.config.channels.some((c) => c.type === "mail" && c.via.by === "sendmail");
  if (sendsMail && !plan.postdrop && plan.user !== "root")
    notes.push(
      'the mail system is not Postfix: its sendmail may need rights that a service has not; use via = "smtp" with host = "127.0.0.1"',
    );
  for (const path of unreadSecrets(plan, host))
    notes.push(`${plan.user} can't read ${path}: chown ${plan.user} ${path}, once there is that account`);
  for (const path of plan.access.closed)
    notes.push(
      `only root reads ${path}, so the service may read every file (CAP_DAC_READ_SEARCH); chgrp adm and chmod 0640 would make that needless`,
    );
  return notes;
}

/** Files of passwords, tokens and keys that the service's user can't open. */
function unreadSecrets({ config, user }: Plan, host: Host): string[] {
  const files = [
    ...config.channels.map((c) =>
      c.type === "webhook"
        ? c.tokenFile
        : c.type === "mail" && c.via.by === "smtp"
          ? c.via.passwordFile
          : undefined,
    ),
    ...config.log.listen.map((listener) => listener.key),
  ].filter((path) => path !== undefined);
  return user === "root" ? [] : files.filter((path) => !mayRead(host, user, path));
}

/** Files of ours from an installation of another kind. */
function leftovers({ folder, scope }: Target, files: readonly PlannedFile[]): string[] {
  const kept = new Set(files.map((file) => file.path));
  return [
    ...UNITS.map((unit) => `${folder}/${unit}`),
    ...(scope === "system" ? [SYSUSERS, CRON_FILE] : []),
  ].filter((path) => !kept.has(path));
}

function startCommands(plan: Plan, { scope, cron }: Target, files: readonly PlannedFile[]): string[][] {
  const config = plan.configPath;
  const owned =
    plan.user === "root" || scope === "user" || plan.config.path === undefined
      ? []
      : [
          ["chgrp", plan.user, config],
          ["chmod", "0640", config],
        ];
  if (cron) return owned;
  const systemctl = scope === "user" ? ["systemctl", "--user"] : ["systemctl"];
  const names = files.map((file) => file.path.slice(file.path.lastIndexOf("/") + 1));
  const started = STARTED.filter((unit) => names.includes(unit));
  return [
    ...(names.includes("logvane.conf") ? [["systemd-sysusers", SYSUSERS]] : []),
    ...owned,
    [...systemctl, "daemon-reload"],
    [...systemctl, "enable", ...started],
    [...systemctl, "restart", ...started],
    ...(scope === "user" ? [["loginctl", "enable-linger"]] : []),
  ];
}

/** Runs the commands where systemd runs, and prints them elsewhere. Throws Fault unavailable when one fails. */
async function carryOut(commands: readonly (readonly string[])[], { host, cron }: Target): Promise<void> {
  if (commands.length === 0) return;
  if (!systemdRuns(host) && !(cron && host.root === "")) {
    await writeOut(
      `systemd does not run here; on that machine, type:\n${commands.map((c) => `  ${c.join(" ")}\n`).join("")}`,
    );
    return;
  }
  for (const [program, ...args] of commands) {
    if (ask(program!, args) !== undefined) continue;
    const typed = [program, ...args].join(" ");
    throw new Fault(
      "unavailable",
      `a command failed: ${typed}`,
      "after the files were written",
      "the schedule is installed, but not all of it is started",
      `type it by hand to see why: ${typed}; then: logvane schedule install`,
    );
  }
}

/** A crontab of one's own is the user's to edit. */
function ownCrontab(plan: Plan): string {
  return `There is no systemd here. Add these lines with crontab -e:\n${cronLines(plan, "")
    .map((line) => `${line}\n`)
    .join("")}`;
}
