import type { Command } from "commander";
import { Fault } from "../fault.ts";
import { describe } from "../pipeline/describe.ts";
import { networksOf } from "../pipeline/networks.ts";
import { modelRecord, modelRowText, modelText, networkRecord } from "../report/model.ts";
import { modelDiff, modelDiffText } from "../report/model-diff.ts";
import { hasDatabase } from "../store/db.ts";
import type { Switch } from "../store/switches.ts";
import { exportModel } from "./model-export.ts";
import { fromFile, fromState, learnedIn, SHOWN, withStore } from "./model-found.ts";
import { promote, prune, rollBack } from "./model-switch.ts";
import {
  addCommonOptions,
  addZoneOption,
  flagsOf,
  type Options,
  outputFormat,
  stateDir,
  timeZone,
} from "./options.ts";
import { writeOut } from "./out.ts";

/** Registers `logvane model` with its own verbs. */
export function modelCommand(program: Command): Command {
  const command = program
    .command("model")
    .description("the models of the state folder: which there are, how they differ, which one is in use")
    .usage("list|show|diff|promote|rollback|export|prune [options]")
    .argument("[verb]")
    .enablePositionalOptions()
    .action((verb: string | undefined) => {
      throw noSuchVerb(verb);
    });
  const add = (name: string, description: string): Command =>
    addZoneOption(addCommonOptions(command.command(name).description(description)));
  add("list", "list the models, the newest first").action((_own, verb) => list(flagsOf(verb)));
  add("show", "tell all that is known of a model")
    .argument("[id]", "the model's id, or its beginning (default: the model in use)")
    .option("--file <file>", "an exported model in place of a stored one")
    .action((id, _own, verb) => show(id, flagsOf(verb)));
  add("export", "write a model to a file of its own, or its networks as ONNX")
    .argument("[file]", "file for the whole model, in Logvane's own format")
    .option(
      "--onnx <file>",
      "file or folder for the networks: m.onnx gives m.window.onnx and m.transaction.onnx",
    )
    .option("--id <id>", "the model's id, or its beginning (default: the model in use)")
    .action((file, _own, verb) => exportModel(file, flagsOf(verb)));
  add("diff", "tell how two models differ")
    .argument("[from]", "a model's id, or its beginning (default: the one that was in use before)")
    .argument("[to]", "the other one (default: the model in use)")
    .action((from, to, _own, verb) => diff(from, to, flagsOf(verb)));
  add("promote", "put a model in use by hand; a running watch goes over to it")
    .argument("<id>", "the model's id, or its beginning")
    .option("--reason <text>", "why; it is kept and shown")
    .action((id, _own, verb) => promote(id, flagsOf(verb)));
  add("rollback", "put the model in use again that was in use before")
    .option("--reason <text>", "why; it is kept and shown")
    .action((_own, verb) => rollBack(flagsOf(verb)));
  add("prune", "remove the oldest models that nothing needs")
    .requiredOption("--keep <n>", "models out of use that stay, the newest")
    .action((_own, verb) => prune(flagsOf(verb)));
  return command;
}

function noSuchVerb(verb: string | undefined): Fault {
  return new Fault(
    "usage",
    verb === undefined
      ? 'no verb was given after "model"'
      : `there is no verb "model ${verb.slice(0, SHOWN)}"`,
    "command line, second word",
    "nothing was done",
    "use one of: model list, show, diff, promote, rollback, export, prune (logvane model --help tells what each does)",
  );
}

async function list(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json", "ndjson"]);
  const dir = stateDir(options);
  const none = { entries: [], former: undefined };
  const { entries, former } = hasDatabase(dir)
    ? withStore(dir, (store) => ({ entries: store.listModels(), former: store.former() }))
    : none;
  const models = entries.map((entry) => ({ ...modelRecord(entry), former: entry.id === former }));
  if (format === "json") await writeOut(`${JSON.stringify(models, undefined, 2)}\n`);
  else if (format === "ndjson") await writeOut(models.map((m) => `${JSON.stringify(m)}\n`).join(""));
  else if (models.length === 0) await writeOut("No models. logvane train FILE... learns one.\n");
  else await writeOut(models.map((m) => modelRowText(m, m.former, timeZone(options))).join(""));
}

async function show(id: string | undefined, options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const { file } = options;
  const dir = stateDir(options);
  const found = typeof file === "string" ? fromFile(file, id) : fromState(dir, id, "nothing was shown");
  const record = modelRecord(found.entry);
  const { model } = learnedIn(found);
  const networks = networksOf(model).map(networkRecord);
  const { calibration } = describe(model);
  const used = typeof file === "string" ? [] : switchesOf(dir, found.model.id);
  const { retrained = null } = found.model.header as { retrained?: object };
  const shown = { ...record, used, retrained, calibration, networks };
  await writeOut(
    format === "json" ? `${JSON.stringify(shown, undefined, 2)}\n` : modelText(shown, timeZone(options)),
  );
}

/** When a model came into use, and why. */
const switchesOf = (dir: string, id: string): Switch[] =>
  withStore(dir, (store) => store.switches().filter(({ model }) => model === id));

async function diff(from: string | undefined, to: string | undefined, options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const dir = stateDir(options);
  const effect = "nothing was compared";
  const second = fromState(dir, to, effect);
  const former = from ?? withStore(dir, (store) => store.former());
  if (former === undefined) throw noFormer(dir);
  const first = fromState(dir, former, effect);
  const [a, b] = [first, second].map((found) => ({
    record: modelRecord(found.entry),
    known: describe(learnedIn(found).model),
  })) as [Side, Side];
  const told = modelDiff(a, b);
  await writeOut(format === "json" ? `${JSON.stringify(told, undefined, 2)}\n` : modelDiffText(told));
}

type Side = Parameters<typeof modelDiff>[0];

function noFormer(dir: string): Fault {
  return new Fault(
    "noInput",
    "no model was in use before this one",
    `state folder ${dir}`,
    "nothing was compared",
    "name two models: logvane model diff FROM TO (logvane model list lists the ids)",
  );
}
