// Runs exported networks in onnxruntime and compares every output with ours: npm run setup:eval && npm run eval:onnx [-- LOG...]
// Trains on the bundled log (or on LOG...), exports by the command line, and scores the rows of that log both ways.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eachEvent } from "../../src/cli/events.ts";
import { openMail } from "../../src/cli/input.ts";
import { loadKernels } from "../../src/cli/kernels.ts";
import { windowRows } from "../../src/detect/conditional.ts";
import { transactionRows } from "../../src/detect/transaction-rows.ts";
import { columnIndex, slotRows, tableOf } from "../../src/detect/window-fit.ts";
import { localClock, slotOf } from "../../src/feature/clock.ts";
import { ColumnRegistry } from "../../src/feature/columns.ts";
import { type Transaction, TransactionTracker } from "../../src/feature/transaction.ts";
import { SlotCounter, type SlotCounts } from "../../src/feature/window.ts";
import { type Kernels, PLAIN } from "../../src/model/kernels.ts";
import { elbo, reconstruct, rowParts } from "../../src/model/score.ts";
import { dispersion, MAX_BATCH, type Rows, type Vae } from "../../src/model/vae.ts";
import type { Model } from "../../src/pipeline/model.ts";
import { networksOf } from "../../src/pipeline/networks.ts";
import { unpackModel } from "../../src/store/model.ts";
import { openStore } from "../../src/store/queries.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const HERE = join(ROOT, "eval/onnx/package.json");
const SAMPLE = join(ROOT, "samples/quickstart.log.gz");
const FLAGS = { timezone: "UTC" };
/** Largest difference allowed, relative to the value or to FLOOR where that is larger. */
const LIMIT = 1e-4;
/** In nats, or the unit of the output: below it a relative difference says nothing of a score. */
const FLOOR = 0.1;
/** Transactions compared; more are thinned evenly. */
const MAX_TRANSACTIONS = 20_000;
const EXIT_UNAVAILABLE = 69;

/** The part of onnxruntime in use; its own types are not there where it is not installed. */
type Values = Readonly<Record<string, { readonly data: Float32Array; readonly dims: readonly number[] }>>;
type Session = {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, unknown>>): Promise<Values>;
};
type Runtime = {
  readonly env: { readonly versions: Readonly<Record<string, string>> };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => unknown;
  readonly InferenceSession: { create(file: string, options: object): Promise<Session> };
};

function loadRuntime(): Runtime {
  try {
    return createRequire(HERE)("onnxruntime-node") as Runtime;
  } catch (error) {
    console.error(`onnxruntime-node does not load (${(error as Error).message.split("\n")[0]})`);
    console.error("install it: npm run setup:eval");
    process.exit(EXIT_UNAVAILABLE);
  }
}

function logvane(...args: string[]): void {
  const { status } = spawnSync(process.execPath, [join(ROOT, "bin/logvane.js"), ...args], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`logvane ${args[0]} ended with ${status}`);
}

/** What the log holds, as the model counts it. */
async function rowsOf(files: readonly string[], model: Model): Promise<Record<string, Rows>> {
  const input = await openMail(files, FLAGS);
  input.reader.adopt(model.groups);
  const registry = new ColumnRegistry();
  const counter = new SlotCounter(registry);
  const tracker = new TransactionTracker();
  const slots: SlotCounts[] = [];
  const transactions: Transaction[] = [];
  let now = Number.NEGATIVE_INFINITY;
  let slot = Number.NEGATIVE_INFINITY;
  await eachEvent(input, (event) => {
    if (event.time === null) return;
    now = Math.max(now, event.time);
    if (slotOf(now) !== slot) {
      const closed = counter.close();
      if (closed) slots.push(closed);
      slot = slotOf(now);
    }
    counter.add(event, slot);
    transactions.push(...tracker.add(event, now));
  });
  const first = slots[0]!.slot;
  const table = slotRows(first, slot - 1, localClock(input.zone));
  const { columns } = model.window;
  const index = columnIndex(registry, columns);
  const counts = new Float32Array(table.places.length * columns.length);
  for (const { slot: at, ids, counts: n } of slots)
    for (let i = 0; i < ids.length; i++) counts[(at - first) * columns.length + index(ids[i]!)]! += n[i]!;
  const stride = Math.max(1, Math.ceil(transactions.length / MAX_TRANSACTIONS));
  const rows: Record<string, Rows> = {
    window: windowRows(tableOf(columns, counts, table), () => true).rows,
  };
  if (model.transaction)
    rows["transaction"] = transactionRows(
      model.transaction,
      transactions.filter((_, i) => i % stride === 0),
    );
  return rows;
}

function batchOf(rows: Rows, start: number): Rows {
  const n = Math.min(MAX_BATCH, rows.n - start);
  const cut = (all: Float32Array): Float32Array => {
    const width = all.length / rows.n;
    return all.slice(start * width, (start + n) * width);
  };
  const { counts, reals, realWeights, offset, conditions } = rows;
  return {
    n,
    counts: cut(counts),
    reals: cut(reals),
    realWeights: cut(realWeights),
    offset: cut(offset),
    conditions: cut(conditions),
  };
}

function feedsOf(
  ort: Runtime,
  session: Session,
  vae: Vae,
  rows: Rows,
  hidden: number | undefined,
): Record<string, unknown> {
  const W = vae.shape.counts + vae.shape.reals;
  const all: Record<string, Float32Array> = {
    counts: rows.counts,
    offset: rows.offset,
    reals: rows.reals,
    real_weights: rows.realWeights,
    conditions: rows.conditions,
    mask: Float32Array.from({ length: rows.n * W }, (_, i) =>
      hidden !== undefined && vae.families![i % W] === hidden ? 0 : 1,
    ),
  };
  return Object.fromEntries(
    session.inputNames.map((name) => {
      const data = all[name]!;
      return [name, new ort.Tensor("float32", data, [rows.n, data.length / rows.n])];
    }),
  );
}

/** Our own outputs for at most MAX_BATCH rows, under the names of the file's. */
function ours(vae: Vae, rows: Rows, hidden: number | undefined): Record<string, ArrayLike<number>> {
  const { counts: C, reals: G, latent: Z } = vae.shape;
  const pick = (all: ArrayLike<number>, width: number, from: number, to: number): number[] =>
    Array.from(all).filter((_, i) => i % width >= from && i % width < to);
  const { logMean, realMean } = reconstruct(vae, rows, hidden);
  const head = vae.work.head.slice(0, rows.n * 2 * Z);
  const parts = rowParts(vae, rows, hidden);
  const kl = Array.from(vae.work.kl.subarray(0, rows.n));
  const score = Array.from({ length: rows.n }, (_, b) =>
    parts.subarray(b * (C + G), (b + 1) * (C + G)).reduce((sum, part) => sum + part, kl[b]!),
  );
  return {
    log_mean: logMean,
    dispersion: dispersion(vae),
    real_mean: realMean,
    real_deviation: vae.weights.logVar.map((v, g) => vae.scales.real[g]! * Math.exp(v / 2)),
    latent_mean: pick(head, 2 * Z, 0, Z),
    latent_log_var: pick(head, 2 * Z, Z, 2 * Z),
    count_nll: pick(parts, C + G, 0, C),
    real_nll: pick(parts, C + G, C, C + G),
    kl,
    score: hidden === undefined ? elbo(vae, rows) : score,
  };
}

type Difference = { values: number; absolute: number; relative: number };

/** Adds one batch's differences. A value that is no number on either side counts as infinitely far. */
function compare(sum: Difference, theirs: Float32Array, own: ArrayLike<number>): void {
  if (theirs.length !== own.length) throw new Error(`${theirs.length} values for ${own.length}`);
  for (let i = 0; i < own.length; i++) {
    const off = Math.abs(theirs[i]! - own[i]!);
    const absolute = Number.isFinite(off) ? off : Number.POSITIVE_INFINITY;
    sum.values++;
    sum.absolute = Math.max(sum.absolute, absolute);
    sum.relative = Math.max(sum.relative, absolute / Math.max(FLOOR, Math.abs(own[i]!)));
  }
}

const ort = loadRuntime();
const asked = process.argv.slice(2);
const files = asked.length > 0 ? asked : [SAMPLE];
const dir = mkdtempSync(join(tmpdir(), "logvane-onnx-"));
let failed = false;
try {
  const state = join(dir, "state");
  logvane("train", ...files, "--timezone", FLAGS.timezone, "--state", state, "--quiet");
  logvane("model", "export", "--onnx", dir, "--state", state);
  const store = openStore(state);
  const { blob } = store.champion()!;
  store.close();
  console.log(`onnxruntime ${JSON.stringify(ort.env.versions)}, Node ${process.version}`);
  console.log(`limit ${LIMIT}, relative to the value or to ${FLOOR} where that is larger\n`);
  console.log("| network | our kernels | output | values | largest difference | relative |");
  console.log("|---|---|---|---|---|---|");
  const builds = [loadKernels(), PLAIN];
  const rows = await rowsOf(files, unpackModel(blob, PLAIN, state).model);
  for (const kernels of builds) failed = (await compareAll(kernels, blob, rows)) || failed;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
if (failed) console.error("some outputs differ by more than the limit");
process.exitCode = failed ? 1 : 0;

/** Compares every network under one build of our kernels, with every family hidden in turn and with none; prints a row for each output. Returns whether one differs. */
async function compareAll(kernels: Kernels, blob: Uint8Array, rows: Record<string, Rows>): Promise<boolean> {
  let differs = false;
  for (const { name, vae } of networksOf(unpackModel(blob, kernels, dir).model)) {
    const file = join(dir, `${name}.onnx`);
    if (!existsSync(file)) throw new Error(`no ${file}`);
    const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1 });
    const families = vae.families ? [...new Set(vae.families)].sort((a, b) => a - b) : [];
    const found = new Map(session.outputNames.map((n) => [n, { values: 0, absolute: 0, relative: 0 }]));
    for (const hidden of [undefined, ...families])
      for (let start = 0; start < rows[name]!.n; start += MAX_BATCH) {
        const batch = batchOf(rows[name]!, start);
        const theirs = await session.run(feedsOf(ort, session, vae, batch, hidden));
        const own = ours(vae, batch, hidden);
        for (const [output, sum] of found) compare(sum, theirs[output]!.data, own[output]!);
      }
    for (const [output, { values, absolute, relative }] of found) {
      const [a, r] = [absolute.toExponential(1), relative.toExponential(1)];
      console.log(`| ${name} | ${kernels.name} | ${output} | ${values} | ${a} | ${r} |`);
      if (!(relative <= LIMIT) || values === 0) differs = true;
    }
  }
  return differs;
}
