import { Fault } from "../fault.ts";
import { placeOfModel } from "../store/champion.ts";
import { unpackModel } from "../store/model.ts";
import type { PrunedModels } from "../store/registry.ts";
import { loadKernels } from "./kernels.ts";
import { fromState, withStore } from "./model-found.ts";
import { type Options, outputFormat, stateDir } from "./options.ts";
import { writeOut } from "./out.ts";

/** Verbs of `logvane model` that change which model is in use, or which are kept. */

/** Longest reason that is kept. */
const MAX_REASON = 500;
/** Models that prune may be asked to keep. */
const MAX_KEEP = 1000;

/** Puts a model in use by hand, whatever its evidence says. */
export async function promote(typed: string, options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const dir = stateDir(options);
  const { model, where } = fromState(dir, typed, UNCHANGED);
  unpackModel(model.blob, loadKernels(), where); // a watch must be able to go on with it
  const reason = reasonOf(options, "put in use by hand");
  const former = withStore(dir, (store) => {
    const before = store.championId();
    if (before === model.id) throw inUse(dir, model.id);
    if (!store.useModel(model.id, { how: "promote", reason, at: Date.now() }, before)) throw meanwhile(dir);
    return before;
  });
  await told(format, { model: model.id, former: former ?? null, reason });
}

/** Goes back to the model that was in use before. */
export async function rollBack(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const dir = stateDir(options);
  const { id } = fromState(dir, undefined, UNCHANGED).model;
  const reason = reasonOf(options, "rolled back by hand");
  const model = withStore(dir, (store) => {
    const back = store.former();
    if (back === undefined) throw noFormer(dir, id);
    const { blob } = store.getModel(back)!;
    unpackModel(blob, loadKernels(), placeOfModel(dir, back));
    const done = store.rollBack(id, reason, Date.now());
    if (done === undefined) throw meanwhile(dir);
    return done;
  });
  await told(format, { model, former: id, reason });
}

/** Removes models that are old and not needed. */
export async function prune(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const dir = stateDir(options);
  const keep = keepOf(options);
  fromState(dir, undefined, "nothing was removed");
  const pruned = withStore(dir, (store) => store.pruneModels(keep));
  await writeOut(format === "json" ? `${JSON.stringify(pruned, undefined, 2)}\n` : prunedText(pruned));
}

const UNCHANGED = "the model in use is the same as before";

type Switched = { readonly model: string; readonly former: string | null; readonly reason: string };

async function told(format: "text" | "json", switched: Switched): Promise<void> {
  const { model, former, reason } = switched;
  const place = former === null ? "" : ` in place of ${former}`;
  await writeOut(
    format === "json"
      ? `${JSON.stringify(switched, undefined, 2)}\n`
      : `model ${model} is in use now${place}: ${reason}\n`,
  );
}

function prunedText({ removed, needed }: PrunedModels): string {
  const stay = needed.map(({ id, why }) => `model ${id} stays: ${why}\n`);
  return `${removed.length} models were removed${removed.length > 0 ? `: ${removed.join(", ")}` : ""}\n${stay.join("")}`;
}

/** --reason in one line. */
function reasonOf({ reason }: Options, other: string): string {
  const text = typeof reason === "string" ? reason.replace(/\s+/g, " ").trim() : "";
  return text === "" ? other : text.slice(0, MAX_REASON);
}

function keepOf({ keep }: Options): number {
  const n = Number(keep);
  if (/^\d{1,4}$/.test(String(keep)) && n <= MAX_KEEP) return n;
  throw new Fault(
    "usage",
    `--keep takes a number of models, 0 to ${MAX_KEEP}`,
    "--keep",
    "nothing was removed",
    "type: logvane model prune --keep 4",
  );
}

const inUse = (dir: string, id: string): Fault =>
  new Fault(
    "usage",
    `model ${id} is in use already`,
    `state folder ${dir}`,
    UNCHANGED,
    "logvane model list lists the others",
  );

const noFormer = (dir: string, id: string): Fault =>
  new Fault(
    "noInput",
    "no model was in use before this one, or it is no longer kept",
    `state folder ${dir}, model ${id}`,
    UNCHANGED,
    "name one: logvane model promote ID (logvane model list lists the ids)",
  );

const meanwhile = (dir: string): Fault =>
  new Fault(
    "temporary",
    "another model came into use meanwhile",
    `state folder ${dir}`,
    "nothing was changed",
    "see which one it is (logvane model list), then run the command again",
  );
