import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { Fault } from "../fault.ts";
import { encodeOnnx } from "../model/onnx.ts";
import { type Network, networksOf } from "../pipeline/networks.ts";
import { terminalSafe } from "../report/escape.ts";
import { type ModelRecord, modelRecord, modelRowText, modelText, networkRecord } from "../report/model.ts";
import { noModel, placeOfModel } from "../store/champion.ts";
import { hasDatabase } from "../store/db.ts";
import { unpackModel } from "../store/model.ts";
import { decodeModelFile, encodeModelFile } from "../store/model-file.ts";
import { type ModelEntry, openStore, type Store, type StoredModel } from "../store/queries.ts";
import { loadKernels } from "./kernels.ts";
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
import { release } from "./release.ts";

/** Longest part of an argument shown in a message. */
const SHOWN = 80;
/** An exported model tells what a mail server's lines look like, and holds the key of its pseudonyms: only its owner reads it. */
const FILE_MODE = 0o600;

/** Registers `logvane model` with its own verbs. */
export function modelCommand(program: Command): Command {
  const command = program
    .command("model")
    .description("list, show and export the models of the state folder")
    .usage("list|show|export [options]")
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
    "use one of: model list, model show, model export (logvane model --help tells what each does)",
  );
}

async function list(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json", "ndjson"]);
  const dir = stateDir(options);
  const models = (hasDatabase(dir) ? withStore(dir, (store) => store.listModels()) : []).map(modelRecord);
  if (format === "json") await writeOut(`${JSON.stringify(models, undefined, 2)}\n`);
  else if (format === "ndjson") await writeOut(models.map((m) => `${JSON.stringify(m)}\n`).join(""));
  else if (models.length === 0) await writeOut("No models. logvane train FILE... learns one.\n");
  else await writeOut(models.map((m) => modelRowText(m, timeZone(options))).join(""));
}

async function show(id: string | undefined, options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const { file } = options;
  const found =
    typeof file === "string" ? fromFile(file, id) : fromState(stateDir(options), id, "nothing was shown");
  const record: ModelRecord = modelRecord(found.entry);
  const networks = networksIn(found).map(networkRecord);
  await writeOut(
    format === "json"
      ? `${JSON.stringify({ ...record, networks }, undefined, 2)}\n`
      : modelText(record, networks, timeZone(options)),
  );
}

async function exportModel(file: string | undefined, options: Options): Promise<void> {
  outputFormat(options, ["text"]);
  const { id, onnx } = options;
  if (file === undefined && typeof onnx !== "string")
    throw new Fault(
      "usage",
      "no file was named",
      "command line: logvane model export",
      "nothing was written",
      "type: logvane model export FILE (the whole model), or: logvane model export --onnx FILE (its networks)",
    );
  const found = fromState(stateDir(options), typeof id === "string" ? id : undefined, "nothing was written");
  const files: (readonly [string, Uint8Array])[] = [];
  if (file !== undefined) files.push([file, encodeModelFile(found.model)]);
  if (typeof onnx === "string") {
    const networks = networksIn(found);
    if (networks.length === 0) throw noNetwork(found.where);
    for (const network of networks) files.push([onnxFile(onnx, network.name), onnxOf(network, found.model)]);
  }
  for (const [name, bytes] of files) {
    write(name, bytes);
    await writeOut(`${terminalSafe(name)}\n`);
  }
}

/** m.onnx -> m.window.onnx; of a folder: window.onnx in it. */
function onnxFile(asked: string, network: string): string {
  if (statSync(asked, { throwIfNoEntry: false })?.isDirectory()) return join(asked, `${network}.onnx`);
  return `${asked.replace(/\.onnx$/, "")}.${network}.onnx`;
}

function onnxOf({ name, vae, counts, reals, conditions, offsets }: Network, model: StoredModel): Uint8Array {
  const { from, to } = modelRecord({ ...model, bytes: 0, champion: false });
  const more = {
    "logvane.model": model.id,
    "logvane.learned": JSON.stringify({ from, to }),
    ...(offsets === undefined ? {} : { "logvane.offsets": JSON.stringify(offsets) }),
  };
  return encodeOnnx(vae, { network: name, counts, reals, conditions, release: release(), more });
}

function write(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes, { mode: FILE_MODE });
  } catch (error) {
    throw new Fault(
      "io",
      `cannot write the file (${(error as NodeJS.ErrnoException).code})`,
      file,
      "the file is missing or incomplete; the state is unharmed",
      "name a file in a folder that exists, that you may write to, and that has room",
    );
  }
}

type Found = { readonly model: StoredModel; readonly entry: ModelEntry; readonly where: string };

/** A stored model, the one in use unless `id` names another. The state folder is not made. */
function fromState(dir: string, id: string | undefined, effect: string): Found {
  if (!hasDatabase(dir)) throw id === undefined ? noModel(dir, effect) : unknownModel(dir, id, effect);
  return withStore(dir, (store) => {
    const model = id === undefined ? store.champion() : store.getModel(id);
    if (model === undefined) throw id === undefined ? noModel(dir, effect) : unknownModel(dir, id, effect);
    const champion = store.listModels().some((m) => m.id === model.id && m.champion);
    const entry = { ...model, bytes: model.blob.length, champion };
    return { model, entry, where: placeOfModel(dir, model.id) };
  });
}

function fromFile(file: string, id: string | undefined): Found {
  if (id !== undefined)
    throw new Fault(
      "usage",
      "give either an id or --file",
      `command line: ${id.slice(0, SHOWN)}, --file`,
      "nothing was shown",
      "leave one of them out",
    );
  const model = decodeModelFile(read(file), file);
  return { model, entry: { ...model, bytes: model.blob.length, champion: false }, where: file };
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Fault(
      "noInput",
      `cannot read the file (${(error as NodeJS.ErrnoException).code})`,
      file,
      "nothing was shown",
      "check the name after --file and who may read it",
    );
  }
}

function withStore<T>(dir: string, use: (store: Store) => T): T {
  const store = openStore(dir);
  try {
    return use(store);
  } finally {
    store.close();
  }
}

const networksIn = ({ model, where }: Found): Network[] =>
  networksOf(unpackModel(model.blob, loadKernels(), where).model);

function unknownModel(dir: string, id: string, effect: string): Fault {
  return new Fault(
    "noInput",
    `there is no model "${id.slice(0, SHOWN)}"`,
    `state folder ${dir}`,
    effect,
    "logvane model list lists the ids; --state DIR names another state folder",
  );
}

function noNetwork(where: string): Fault {
  return new Fault(
    "noInput",
    "the model has no network",
    where,
    "nothing was written",
    "train on three days of log or more: logvane train FILE...",
  );
}
