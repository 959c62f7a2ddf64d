import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../fault.ts";
import { encodeOnnx } from "../model/onnx.ts";
import type { Network } from "../pipeline/networks.ts";
import { terminalSafe } from "../report/escape.ts";
import { modelRecord } from "../report/model.ts";
import { encodeModelFile } from "../store/model-file.ts";
import type { StoredModel } from "../store/registry.ts";
import { fromState, networksIn } from "./model-found.ts";
import { type Options, outputFormat, stateDir } from "./options.ts";
import { writeOut } from "./out.ts";
import { release } from "./release.ts";

/** An exported model tells what a mail server's lines look like, and holds the key of its pseudonyms: only its owner reads it. */
const FILE_MODE = 0o600;

/** `logvane model export`. */
export async function exportModel(file: string | undefined, options: Options): Promise<void> {
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

function noNetwork(where: string): Fault {
  return new Fault(
    "noInput",
    "the model has no network",
    where,
    "nothing was written",
    "train on three days of log or more: logvane train FILE...",
  );
}
