import { Command, CommanderError } from "commander";
import { EXIT, Fault } from "../fault.ts";
import { terminalSafe } from "../report/escape.ts";
import { tellOfFolders } from "../store/folder.ts";
import { addCommonOptions, addInputOptions, flagsOf } from "./options.ts";
import { diskFault, faultText, guardOutput, writeError, writeOut } from "./out.ts";
import { release } from "./release.ts";
import { loadSettings } from "./settings.ts";

/** Exit code of a bug, after sysexits.h (EX_SOFTWARE). */
const EXIT_BUG = 70;
/** Longest part of a command line shown in a message. */
const SHOWN = 200;

/** The verbs; each module is loaded only when it is asked for, so that a small verb starts fast. */
const VERBS: Readonly<Record<string, (program: Command) => Promise<unknown>>> = {
  demo: async (program) => (await import("./demo.ts")).demoCommand(program),
  backtest: async (program) => (await import("./backtest.ts")).backtestCommand(program),
  train: async (program) => (await import("./train.ts")).trainCommand(program),
  retrain: async (program) => (await import("./retrain.ts")).retrainCommand(program),
  detect: async (program) => (await import("./detect.ts")).detectCommand(program),
  parse: async (program) => {
    const [{ parseCommand }, { openMail }] = await Promise.all([import("./parse.ts"), import("./input.ts")]);
    addInputOptions(parseCommand(program, openMail, writeOut));
  },
  templates: async (program) => (await import("./templates.ts")).templatesCommand(program, { out: writeOut }),
  summary: async (program) => {
    const [{ summaryCommand }, { openMail }, { knownDays }] = await Promise.all([
      import("./summary.ts"),
      import("./input.ts"),
      import("./usual.ts"),
    ]);
    addInputOptions(summaryCommand(program, openMail, writeOut, Date.now, knownDays));
  },
  drill: async (program) => (await import("./drill.ts")).drillCommand(program),
  watch: async (program) => (await import("./watch.ts")).watchCommand(program),
  report: async (program) => (await import("./report.ts")).reportCommand(program),
  trace: async (program) => (await import("./trace.ts")).traceCommand(program),
  explain: async (program) => (await import("./explain.ts")).explainCommand(program),
  alerts: async (program) => (await import("./alerts.ts")).alertsCommand(program),
  feedback: async (program) => (await import("./feedback.ts")).feedbackCommand(program),
  calendar: async (program) => (await import("./calendar.ts")).calendarCommand(program),
  model: async (program) => (await import("./model.ts")).modelCommand(program),
  export: async (program) => (await import("./export.ts")).exportCommand(program),
  forget: async (program) => (await import("./forget.ts")).forgetCommand(program),
  config: async (program) => (await import("./config.ts")).configCommand(program),
  init: async (program) => (await import("./init.ts")).initCommand(program),
  schedule: async (program) => (await import("./schedule.ts")).scheduleCommand(program),
  check: async (program) => (await import("./check.ts")).checkCommand(program),
  completion: async (program) => (await import("./completion.ts")).completionCommand(program, withAllVerbs),
  doctor: async (program) => (await import("./doctor.ts")).doctorCommand(program),
};

/** Verbs that come to terms with a file of settings that is wrong. */
const READS_OWN: ReadonlySet<string> = new Set(["config", "init", "check", "doctor", "demo", "completion"]);

/** Runs one command line. args: without node and the script. Returns the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  guardOutput();
  tellOfFolders((notice) => writeError(`note: ${terminalSafe(notice)}\n`));
  try {
    const program = newProgram();
    await loadVerbs(program, args[0]);
    await program.parseAsync([...args], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return report(error, args);
  }
}

function newProgram(): Command {
  return new Command("logvane")
    .description("Reads a mail server's own logs, learns what is normal there, and says what is not.")
    .version(release(), "--version", "print the version")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .hook("preAction", async (_program, verb) => {
      if (verb.opts()["json"] === true) verb.setOptionValue("format", "json");
      if (!READS_OWN.has(outermost(verb).name())) await takeSettings(verb);
    });
}

/** The verb that was typed first: of `config show`, config. */
const outermost = (verb: Command): Command => (verb.parent?.parent ? outermost(verb.parent) : verb);

/**
 * Reads the file of settings; what it sets stands in for flags that were not typed. A back-test is the same wherever it is
 * run, so only a file that was named changes it.
 */
async function takeSettings(verb: Command): Promise<void> {
  const { config, settings, place } = await loadSettings(flagsOf(verb));
  if (outermost(verb).name() === "backtest" && place.from === "default") return;
  const standIn = (key: string, flag: string, value: string): void => {
    const set = settings.some((s) => s.key === key && s.line !== undefined);
    const source = verb.getOptionValueSource(flag);
    const has = verb.options.some((option) => option.attributeName() === flag);
    if (set && has && (source === undefined || source === "default"))
      verb.setOptionValueWithSource(flag, value, "config");
  };
  standIn("log.timezone", "timezone", config.log.timezone);
  standIn("alerts.per_day", "alertBudget", String(config.alerts.perDay));
}

/** A program that knows all verbs with all their flags. */
export async function withAllVerbs(): Promise<Command> {
  const program = newProgram();
  for (const load of Object.values(VERBS)) await load(program);
  for (const command of program.commands) addCommonOptions(command);
  return program;
}

/** Registers the verb that was typed, or all of them for the general help. */
async function loadVerbs(program: Command, verb: string | undefined): Promise<void> {
  if (verb !== undefined && !verb.startsWith("-")) {
    if (!Object.hasOwn(VERBS, verb)) throw unknownVerb(verb);
    await VERBS[verb]!(program);
  } else if (verb !== "--version") for (const load of Object.values(VERBS)) await load(program);
  for (const command of program.commands) addCommonOptions(command);
  if (verb === undefined)
    throw new Fault(
      "usage",
      "no verb was given",
      "command line",
      "nothing was done",
      "type: logvane --help (lists the verbs), or: logvane demo (shows what they do)",
    );
}

function unknownVerb(verb: string): Fault {
  return new Fault(
    "usage",
    `there is no verb "${verb.slice(0, SHOWN)}"`,
    "command line, first word",
    "nothing was done",
    `use one of: ${Object.keys(VERBS).join(", ")} (logvane --help tells what each does)`,
  );
}

/** Says on standard error what went wrong. Returns the exit code. */
function report(error: unknown, args: readonly string[]): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  if ((error as { code?: unknown } | null)?.code === "EPIPE") return 0;
  const fault = asFault(error, args);
  if (fault !== undefined) {
    writeError(faultText(fault));
    return EXIT[fault.exit];
  }
  if (process.env["LOGVANE_DEBUG"]) writeError(`${(error as Error)?.stack ?? String(error)}\n`);
  else
    writeError(
      `logvane: ${terminalSafe((error as Error)?.message ?? String(error))}: this is a bug; LOGVANE_DEBUG=1 shows where\n`,
    );
  return EXIT_BUG;
}

function asFault(error: unknown, args: readonly string[]): Fault | undefined {
  if (error instanceof Fault) return error;
  if (!(error instanceof CommanderError)) return diskFault(error, "a file that was being written");
  const verb = Object.hasOwn(VERBS, args[0] ?? "") ? `logvane ${args[0]}` : "logvane";
  return new Fault(
    "usage",
    error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " "),
    `command line: logvane ${args.join(" ")}`.slice(0, SHOWN),
    "nothing was done",
    `type: ${verb} --help (lists what it takes)`,
  );
}
