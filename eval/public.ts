// Sessions and streams of public data beside simple baselines: npm run eval:public. Writes its section of docs/accuracy.md.
// The data is no part of the clone: LOGVANE_DATA names the folder that holds public/. Labels are read by the scoring alone.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Columns } from "../src/feature/session.ts";
import { createRandom } from "../src/math/random.ts";
import {
  countVectors,
  isHeldOut,
  newEvents,
  plainVae,
  runBaseline,
  type Scored,
  thresholdOf,
} from "./baselines.ts";
import { linesOf } from "./command.ts";
import { type Quality, qualityOf } from "./metrics.ts";
import { withSection } from "./page.ts";
import { type Row, sessionSection } from "./public-page.ts";
import { streamRows } from "./public-stream.ts";
import {
  bagsOf,
  readLog,
  readSessions,
  type Session,
  templateEvents,
  trainingPart,
} from "./session-input.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DATA = join(resolve(ROOT, process.env["LOGVANE_DATA"] ?? "../shared/data"), "public");
const PAGE = join(ROOT, "docs/accuracy.md");
const SEEDS = [1, 2, 3];
const SHARE = 0.3;
const BLOCK = "blk_-?\\d+";
/** Normal OpenStack sessions to learn from. */
const NORMAL = 500;
/** Quantiles of the baselines' thresholds, preset; of a part that may hold anomalies the lower one. */
const QUANTILE = { normal: 0.99, mixed: 0.97 };
/** Debian's scikit-learn belongs to the second. */
const PYTHONS = ["python3", "/usr/bin/python3"];
const MAX_OUTPUT = 256 << 20;

type Truth = ReadonlyMap<string, boolean>;
type Parts = { readonly train: readonly Session<string>[]; readonly test: readonly Session<string>[] };
type Protocol = {
  readonly name: string;
  readonly mixed: boolean;
  readonly truth: Truth;
  readonly seeds: readonly number[];
  readonly parts: (seed: number) => Parts;
  /** Flags of eval:sessions when it reads the raw log itself. */
  readonly raw?: readonly string[];
};

function truthOf(file: string): Truth {
  const rows = [...linesOf(file)].slice(1).map((line) => line.split(","));
  return new Map(rows.map(([id, label]) => [id!, label === "Anomaly"]));
}

const divided = (all: readonly Session<string>[], training: ReadonlySet<number>): Parts => ({
  train: all.filter((_, i) => training.has(i)),
  test: all.filter((_, i) => !training.has(i)),
});

async function hdfs(): Promise<Protocol[]> {
  const path = join(DATA, "hdfs-a/HDFS.log.gz");
  const truth = truthOf(join(DATA, "hdfs-a/labels.csv"));
  const log = await readLog(path, new RegExp(BLOCK, "g"));
  const n = log.sessions.length;
  const chosen = (seed: number, split: "random" | "time"): Set<number> =>
    trainingPart(n, Math.round(SHARE * n), split, seed);
  const mixed =
    (split: "random" | "time") =>
    (seed: number): Parts => {
      const training = chosen(seed, split);
      return divided(templateEvents(log, training), training);
    };
  const normal = (seed: number): Parts => {
    const training = chosen(seed, "random");
    for (const i of [...training]) if (truth.get(log.sessions[i]!.id)) training.delete(i);
    const { train, test } = divided(templateEvents(log, training), chosen(seed, "random"));
    return { train: train.filter(({ id }) => !truth.get(id)), test };
  };
  const raw = [
    "--log",
    path,
    "--session-key",
    BLOCK,
    "--train-fraction",
    String(SHARE),
    "--mixed",
    "--split",
  ];
  return [
    { name: "HDFS, normal 30 % at random", mixed: false, truth, seeds: SEEDS, parts: normal },
    {
      name: "HDFS, unlabelled 30 % at random",
      mixed: true,
      truth,
      seeds: SEEDS,
      parts: mixed("random"),
      raw: [...raw, "random"],
    },
    {
      name: "HDFS, unlabelled first 30 %",
      mixed: true,
      truth,
      seeds: [1],
      parts: mixed("time"),
      raw: [...raw, "time"],
    },
  ];
}

function openstack(): Protocol[] {
  const folder = join(DATA, "openstack-kalaki");
  const truth = truthOf(join(folder, "labels.csv"));
  const all = readSessions(join(folder, "sessions.txt.gz"));
  const normal = (seed: number): Parts => {
    const order = Int32Array.from({ length: all.length }, (_, i) => i).filter((i) => !truth.get(all[i]!.id));
    createRandom(seed).shuffle(order);
    return divided(all, new Set(order.subarray(0, NORMAL)));
  };
  const mixed = (seed: number): Parts =>
    divided(all, trainingPart(all.length, Math.round(SHARE * all.length), "random", seed));
  return [
    { name: `OpenStack, ${NORMAL} normal`, mixed: false, truth, seeds: SEEDS, parts: normal },
    { name: "OpenStack, unlabelled 30 % at random", mixed: true, truth, seeds: SEEDS, parts: mixed },
  ];
}

/** Our rows, by the command itself. */
function ours(protocol: Protocol, { train, test }: Parts, seed: number, folder: string): Quality {
  const file = (name: string): string => join(folder, name);
  const text = (sessions: readonly Session<string>[]): string =>
    sessions
      .map(
        ({ id, events }) =>
          `${id}\t${[...events].flatMap(([e, n]) => new Array<string>(n).fill(e)).join(" ")}\n`,
      )
      .join("");
  let flags = protocol.raw;
  if (flags === undefined) {
    writeFileSync(file("train"), text(train));
    writeFileSync(file("test"), text(test));
    flags = ["--train", file("train"), "--test", file("test"), ...(protocol.mixed ? ["--mixed"] : [])];
  }
  const args = ["dist/eval/sessions.js", ...flags, "--seed", String(seed), "--out", file("out")];
  const run = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  const rows = [...linesOf(file("out"))].map((line) => line.split("\t")).filter((row) => row.length === 4);
  return qualityOf(
    rows.map((row) => Number(row[1])),
    rows.map((row) => row[3] === "1"),
    rows.map((row) => protocol.truth.get(row[0]!) === true),
  );
}

/** PCA and IsolationForest by scikit-learn; none where Python or scikit-learn is missing. */
function sklearn(train: number[][], test: number[][], seed: number, quantile: number): Map<string, Scored> {
  const input = JSON.stringify({
    train: train.filter((_, i) => !isHeldOut(i)),
    held: train.filter((_, i) => isHeldOut(i)),
    test,
    seed,
  });
  const args = ["eval/sklearn/baselines.py"];
  const options = { cwd: ROOT, input, encoding: "utf8", maxBuffer: MAX_OUTPUT } as const;
  const run = PYTHONS.map((python) => spawnSync(python, args, options)).find(({ status }) => status === 0);
  if (run === undefined) return new Map();
  const out = JSON.parse(run.stdout) as Record<"pca" | "forest", { held: number[]; test: number[] }>;
  const scored = ({ held, test: scores }: { held: number[]; test: number[] }): Scored => {
    const line = thresholdOf(held, quantile);
    return { scores, flags: scores.map((s) => s > line) };
  };
  return new Map([
    ["PCA (scikit-learn)", scored(out.pca)],
    ["IsolationForest (scikit-learn)", scored(out.forest)],
  ]);
}

function runProtocol(protocol: Protocol, folder: string): Row[] {
  const found = new Map<string, Quality[]>();
  for (const seed of protocol.seeds) {
    const parts = protocol.parts(seed);
    const columns = new Columns();
    const train = bagsOf(parts.train, columns);
    const test = bagsOf(parts.test, columns);
    const width = columns.size;
    const truth = parts.test.map(({ id }) => protocol.truth.get(id) === true);
    const quantile = protocol.mixed ? QUANTILE.mixed : QUANTILE.normal;
    const keep = (name: string, quality: Quality): void =>
      void found.set(name, [...(found.get(name) ?? []), quality]);
    keep("**Logvane**", ours(protocol, parts, seed, folder));
    const baselines = new Map<string, Scored>(
      [
        ["new events", newEvents],
        ["count vectors (ECVC)", countVectors],
        ["VAE, negative binomial", plainVae],
      ].map(([name, fit]) => [
        name as string,
        runBaseline(fit as typeof newEvents, train, test, width, seed, quantile),
      ]),
    );
    const rows = (bags: typeof train): number[][] =>
      bags.map((bag) => {
        const row = new Array<number>(width).fill(0);
        bag.columns.forEach((column, i) => {
          row[column] = bag.counts[i]!;
        });
        return row;
      });
    for (const [name, scored] of sklearn(rows(train), rows(test), seed, quantile))
      baselines.set(name, scored);
    for (const [name, { scores, flags }] of baselines) keep(name, qualityOf(scores, flags, truth));
    process.stderr.write(
      `${protocol.name}, seed ${seed}: F1 ${found.get("**Logvane**")!.at(-1)!.f1.toFixed(3)}\n`,
    );
  }
  return [...found].map(([detector, qualities]) => ({ protocol: protocol.name, detector, qualities }));
}

async function main(): Promise<void> {
  if (!existsSync(join(DATA, "hdfs-a"))) {
    process.stderr.write(
      `not run: ${DATA} holds no hdfs-a; set LOGVANE_DATA to the folder that holds public/\n`,
    );
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "logvane-public-"));
  try {
    const rows = [...(await hdfs()), ...openstack()].flatMap((protocol) => runProtocol(protocol, folder));
    const section = sessionSection(
      rows,
      streamRows(DATA, ROOT, folder),
      rows.some((r) => r.detector.startsWith("PCA")),
    );
    process.stdout.write(`${section}\n`);
    writeFileSync(PAGE, withSection(readFileSync(PAGE, "utf8"), "eval:public", section));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await main();
