import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type ForgetResult, forget } from "../engine/forget.ts";
import { Fault } from "../fault.ts";
import type { Kernels } from "../model/kernels.ts";
import { isOwnWord } from "../pipeline/forget.ts";
import type { Model } from "../pipeline/model.ts";
import { terminalSafe } from "../report/escape.ts";
import { placeOfModel } from "../store/champion.ts";
import { hasDatabase, lockFolder, watchedFault } from "../store/db.ts";
import { unpackModel } from "../store/model.ts";
import { loadKernels } from "./kernels.ts";
import { withStore } from "./model-found.ts";
import { addCommonOptions, type Options, outputFormat, stateDir } from "./options.ts";
import { writeOut } from "./out.ts";

/** Shorter names are parts of everything; longer ones are none. */
const MIN_NAME = 2;
const MAX_NAME = 255;
/** Files of the state folder that are looked through, or hold nothing. */
const OURS = /^(logvane\.db(-wal|-shm|-journal)?|reserve|watch\.lock|link\.key)$/;

/** Registers `logvane forget`. */
export function forgetCommand(program: Command): Command {
  const command = program
    .command("forget")
    .description(
      "remove accounts, addresses or IP addresses from all that is kept: alerts, what waits to be sent, models",
    )
    .argument("<name...>", "as the log has them; an account and its address are two")
    .option("--dry-run", "only tell what would be removed")
    .action(async (typed: readonly string[], options: Options) => {
      const format = outputFormat(options, ["text", "json"]);
      const dir = stateDir(options);
      const dry = options["dryRun"] === true;
      const names = typed.map(nameOf);
      const result = forgetFrom(dir, names, dry);
      const left = leftFiles(dir, names);
      if (format === "json")
        await writeOut(`${JSON.stringify(recordOf(names, dry, result, left), undefined, 2)}\n`);
      else await writeOut(textOf(names, dry, result, left));
    });
  return addCommonOptions(command);
}

function nameOf(typed: string): string {
  const name = typed.trim().replace(/^<(.*)>$/, "$1");
  if (name.length >= MIN_NAME && name.length <= MAX_NAME && !/[\s\u0000-\u001f\u007f]/.test(name))
    return name;
  throw new Fault(
    "usage",
    `"${name.slice(0, 80)}" is no name of an account, no address and no IP address`,
    "command line: logvane forget",
    UNCHANGED,
    `type one of ${MIN_NAME} to ${MAX_NAME} characters without blanks, as the log has it`,
  );
}

/** Nobody else watches meanwhile: a running detector knows names, too. */
function forgetFrom(dir: string, names: readonly string[], dry: boolean): ForgetResult {
  if (!hasDatabase(dir)) throw noState(dir);
  const lock = lockFolder(dir);
  if (lock === undefined) throw watchedFault(dir, UNCHANGED, "forget");
  try {
    const kernels = loadKernels();
    const models = championOf(dir, kernels);
    const own = names.find((name) => isOwnWord(name, models));
    if (own !== undefined) throw ownWord(own);
    return forget(dir, names, dry, kernels);
  } finally {
    lock.close();
  }
}

/** The model in use, where there is one that can be read. */
function championOf(dir: string, kernels: Kernels): Model[] {
  const stored = withStore(dir, (store) => store.champion());
  try {
    return stored ? [unpackModel(stored.blob, kernels, placeOfModel(dir, stored.id)).model] : [];
  } catch (error) {
    if (error instanceof Fault) return [];
    throw error;
  }
}

/** Other files of the folder that name them, or may: former states, what listeners have received and nobody has judged yet. */
function leftFiles(dir: string, names: readonly string[]): string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  return entries
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) => !OURS.test(path.slice(dir.length + 1)) && (/\.db\b/.test(path) || holdsAny(path, names)),
    )
    .sort();
}

function holdsAny(path: string, names: readonly string[]): boolean {
  const text = readFileSync(path).toString("utf8").toLowerCase();
  return names.some((name) => text.includes(name.toLowerCase()));
}

const countOf = ({
  alerts,
  notifications,
  templates,
  rules,
  models,
  warm,
  checkpoint,
}: ForgetResult): number =>
  alerts + notifications + templates + rules + models.length + warm + (checkpoint ? 1 : 0);

function recordOf(
  names: readonly string[],
  dry: boolean,
  result: ForgetResult,
  left: readonly string[],
): object {
  const { alerts, notifications, templates, models, entries, pairs, warm, checkpoint } = result;
  return {
    ...{
      names,
      dry_run: dry,
      found: countOf(result) > 0,
      alerts,
      notifications,
      new_templates: templates,
      rules: result.rules,
    },
    ...{ models, model_entries: entries, model_pairs: pairs, starts: warm, running_detector: checkpoint },
    ...{ dropped: result.dropped, unread_models: result.unread, unmarked_pairs: result.unmarked },
    ...{ reread: result.inputs, left },
  };
}

function textOf(
  names: readonly string[],
  dry: boolean,
  result: ForgetResult,
  left: readonly string[],
): string {
  const what = names.map((name) => terminalSafe(name)).join(", ");
  const { alerts, notifications, templates, models, entries, pairs, warm, checkpoint } = result;
  const lines =
    countOf(result) === 0
      ? [`nothing that is kept names ${what}`]
      : [
          `${dry ? "would forget" : "forgot"} ${what}`,
          `  ${alerts} alerts, ${notifications} notifications, ${templates} new kinds of lines, ${result.rules} of feedback and calendar name them`,
          `  ${models.length} models know them, by ${entries} pseudonyms and ${pairs} pairs with networks`,
          ...(dry ? [] : models.map(({ from, to }) => `  model ${from} is ${to} now`)),
          `  ${warm + (checkpoint ? 1 : 0)} states in which a watch begins or goes on remember them`,
        ];
  return [...lines, ...notes(result, left), ""].join("\n");
}

function notes({ unread, unmarked, dropped, inputs }: ForgetResult, left: readonly string[]): string[] {
  return [
    "the logs themselves, backups, exported models and what was sent are not touched; what a log still says is read again",
    ...unread.map(
      (id) => `model ${id} can't be read by this release and is as it was: logvane model prune --keep 0`,
    ),
    ...(unmarked > 0
      ? [
          `of ${unmarked} pairs of account and network an older release did not note whose they are: they stay until logvane retrain`,
        ]
      : []),
    ...(dropped > 0 ? [`${dropped} states of another release, in which a watch goes on, are removed`] : []),
    ...(inputs > 0
      ? [
          "the watch was not stopped in order, and reads again some lines of the log: run this again after its next stop",
        ]
      : []),
    ...left.map((path) => `not looked through, remove it if it is not needed: ${terminalSafe(path)}`),
  ];
}

const UNCHANGED = "nothing was removed";

const ownWord = (name: string): Fault =>
  new Fault(
    "usage",
    `"${name}" is a word that logs themselves are made of, and not only a name`,
    "command line: logvane forget",
    UNCHANGED,
    "name the whole address of the account; the bare word goes with time, as keep.lines_days and keep.alerts_days say",
  );

const noState = (dir: string): Fault =>
  new Fault(
    "noInput",
    "there is no state to forget from",
    `state folder ${dir}`,
    UNCHANGED,
    "name the folder of the service with --state DIR (logvane schedule show tells it), or run as its user",
  );
