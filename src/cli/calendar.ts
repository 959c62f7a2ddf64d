import { readFileSync, statSync } from "node:fs";
import { type Command, Option } from "commander";
import { KINDS, type Kind } from "../detect/alert.ts";
import { MAX_PLAN_MINUTES, nextOccurrence, type Plan, wallMinute } from "../detect/planned.ts";
import { Fault } from "../fault.ts";
import { terminalSafe } from "../report/escape.ts";
import { durationText } from "../report/format.ts";
import { hasDatabase } from "../store/db.ts";
import { openStore, type Store } from "../store/queries.ts";
import { plansOfIcs } from "./ics.ts";
import {
  addCommonOptions,
  addZoneOption,
  collect,
  flagsOf,
  type Options,
  outputFormat,
  stateDir,
  timeZone,
} from "./options.ts";
import { writeOut } from "./out.ts";
import { durationMs, instant } from "./when.ts";

const SHOWN = 80;
const MAX_ICS = 1 << 20;
const NAME = 200;

/** Registers `logvane calendar` with its own verbs. */
export function calendarCommand(program: Command): Command {
  const command = program
    .command("calendar")
    .description("say what is planned, so that it raises no alarm and is not learned: maintenance, campaigns")
    .usage("add|list|remove [options]")
    .argument("[verb]")
    .enablePositionalOptions()
    .action((verb: string | undefined) => {
      throw usage(
        verb === undefined ? "no verb was given" : `there is no verb "calendar ${verb.slice(0, SHOWN)}"`,
        "command line",
        "use calendar add, calendar list or calendar remove",
      );
    });
  const add = (name: string, description: string): Command =>
    addZoneOption(addCommonOptions(command.command(name).description(description)));
  add("add", "add an entry, or all events of a calendar file")
    .argument("[name]", "what is planned")
    .option("--from <time>", "when it begins (the first time): 2026-10-04 02:00, by the clock of --timezone")
    .option("--to <time>", "when it ends")
    .option("--for <duration>", "how long it lasts, in place of --to: 2h, 90m, 1d")
    .addOption(
      new Option("--repeat <how>", "how often").choices(["once", "weekly", "monthly"]).default("once"),
    )
    .option("--until <time>", "no repetition begins after")
    .option("--kind <kind>", "only alerts of this kind; may be repeated", collect, [])
    .option(
      "--entity <value>",
      "only alerts of this account, host, network or program; may be repeated",
      collect,
      [],
    )
    .option("--ics <file>", "an iCalendar file with the events")
    .action((name, _own, verb) => addPlans(name, flagsOf(verb)));
  add("list", "list what is planned").action((_own, verb) => list(flagsOf(verb)));
  add("remove", "remove an entry")
    .argument("<n>", "its number")
    .action((n, _own, verb) => remove(n, flagsOf(verb)));
  return command;
}

async function addPlans(name: string | undefined, options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const scope = scopeOf(options);
  const found =
    typeof options["ics"] === "string" ? fromIcs(options["ics"], options) : [typed(name, options)];
  const plans = found.map((plan) => checked({ ...plan, ...scope }));
  const store = openStore(stateDir(options));
  try {
    const ids = store.rules.addPlans(plans);
    const added = ids.map((id, i) => ({ ...plans[i]!, id }));
    const now = store.rules.logTime() ?? Date.now();
    if (format === "json") await writeOut(`${JSON.stringify(added, undefined, 2)}\n`);
    else await writeOut(added.map((plan) => row(plan, now)).join(""));
  } finally {
    store.close();
  }
}

function scopeOf(options: Options): Pick<Plan, "kinds" | "entities"> {
  const kinds = options["kind"] as string[];
  for (const kind of kinds)
    if (!KINDS.includes(kind as Kind))
      throw usage(`there is no kind "${kind.slice(0, SHOWN)}"`, "--kind", `use one of: ${KINDS.join(", ")}`);
  const entities = (options["entity"] as string[]).map((value) => value.toLowerCase());
  return { kinds: kinds as Kind[], entities };
}

function fromIcs(file: string, options: Options): Omit<Plan, "id">[] {
  try {
    if (statSync(file).size > MAX_ICS)
      throw new Fault(
        "badData",
        "the file is larger than a calendar",
        file,
        "nothing was added",
        "name a file of at most 1 MiB",
      );
    return plansOfIcs(readFileSync(file, "utf8"), timeZone(options), file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Fault("noInput", `cannot read the file (${code})`, file, "nothing was added", "check the path");
  }
}

/** The entry that the flags tell. Throws a usage Fault. */
function typed(name: string | undefined, options: Options): Omit<Plan, "id"> {
  const zone = timeZone(options);
  if (name === undefined || options["from"] === undefined)
    throw usage(
      "an entry needs a name and a beginning",
      "calendar add",
      'type: logvane calendar add "Sunday reboot" --from "2026-10-04 02:00" --for 2h --repeat weekly',
    );
  const first = minuteOf(String(options["from"]), "--from", zone);
  if ((options["to"] === undefined) === (options["for"] === undefined))
    throw usage("give either --to or --for", "calendar add", "type: --for 2h");
  const minutes =
    options["to"] === undefined
      ? durationMs(String(options["for"]), "--for", "2h") / 60_000
      : minuteOf(String(options["to"]), "--to", zone) - first;
  const date = new Date(first * 60_000); // of the wall clock
  const repeat = options["repeat"] as Plan["repeat"];
  return {
    ...{ name: name.slice(0, NAME), zone, repeat, first, minutes, every: 1, monthWeekdays: [], except: [] },
    weekdays: repeat === "weekly" ? [date.getUTCDay()] : [],
    monthDays: repeat === "monthly" ? [date.getUTCDate()] : [],
    until: options["until"] === undefined ? undefined : minuteOf(String(options["until"]), "--until", zone),
    ...{ kinds: [], entities: [] },
  };
}

/** A time without offset is of the wall clock. */
function minuteOf(text: string, flag: string, zone: string): number {
  const time = instant(text, flag);
  return /(Z|[+-]\d\d:?\d\d)$/i.test(text.slice(10)) ? wallMinute(time, zone) : Math.floor(time / 60_000);
}

function checked(plan: Omit<Plan, "id">): Omit<Plan, "id"> {
  if (plan.minutes >= 1 && plan.minutes <= MAX_PLAN_MINUTES) return plan;
  throw usage(
    plan.minutes < 1
      ? `"${plan.name.slice(0, SHOWN)}" ends before it begins`
      : `"${plan.name.slice(0, SHOWN)}" lasts longer than 31 days`,
    "calendar add",
    "give an end after the beginning, at most 31 days later",
  );
}

async function list(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const known = inState(options, (store) => ({ plans: store.rules.plans(), now: store.rules.logTime() }));
  const { plans, now = Date.now() } = known ?? { plans: [] };
  if (format === "json") return writeOut(`${JSON.stringify(plans, undefined, 2)}\n`);
  if (plans.length === 0) return writeOut("Nothing is planned. logvane calendar add --help tells how.\n");
  await writeOut(plans.map((plan) => row(plan, now)).join(""));
}

function row(plan: Plan, now: number): string {
  const { id, name, repeat, zone, kinds, entities, minutes } = plan;
  const next = nextOccurrence(plan, now);
  const wall = (minute: number): string =>
    new Date(minute * 60_000).toISOString().slice(0, 16).replace("T", " ");
  const when = next === undefined ? "over" : `${wall(next.start)} to ${wall(next.end)} (${zone})`;
  const only = [...kinds, ...entities];
  const scope = only.length === 0 ? "" : `      only ${only.map(terminalSafe).join(", ")}\n`;
  return `${String(id).padStart(4)}  ${repeat.padEnd(7)}  ${terminalSafe(name)}, ${durationText(minutes * 60_000)}\n      ${when}\n${scope}`;
}

async function remove(text: string, options: Options): Promise<void> {
  const number = Number(text);
  const done = Number.isSafeInteger(number) && inState(options, (store) => store.rules.removePlan(number));
  if (done !== true)
    throw usage(
      `the calendar has no entry ${text.slice(0, SHOWN)}`,
      `state folder ${stateDir(options)}`,
      "logvane calendar list shows the numbers",
    );
  await writeOut(`entry ${number} is removed\n`);
}

/** Undefined where there is no state yet. */
function inState<T>(options: Options, use: (store: Store) => T): T | undefined {
  const dir = stateDir(options);
  if (!hasDatabase(dir)) return undefined;
  const store = openStore(dir);
  try {
    return use(store);
  } finally {
    store.close();
  }
}

const usage = (what: string, where: string, remedy: string): Fault =>
  new Fault("usage", what, where, "nothing was changed", remedy);
