import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kernels, PLAIN, wasmKernels } from "../src/model/kernels.ts";
import { elbo } from "../src/model/score.ts";
import { trainVae } from "../src/model/train.ts";
import { createVae, type Rows, type VaeShape } from "../src/model/vae.ts";
import { lowRankRows } from "../test/model/synthetic.ts";
import { type Section, show, spread, table } from "./table.ts";

/** One network and how much it learns. */
type Case = { readonly shape: VaeShape; readonly n: number; readonly epochs: number };

/** The first is about a month of five-minute windows of a small server: what one weekly training reads. */
const CASES: readonly Case[] = [
  { shape: { counts: 60, reals: 20, conditions: 6, hidden: 64, latent: 8 }, n: 8192, epochs: 5 },
  { shape: { counts: 96, reals: 0, conditions: 0, hidden: 48, latent: 8 }, n: 8192, epochs: 3 },
  { shape: { counts: 128, reals: 0, conditions: 0, hidden: 64, latent: 16 }, n: 8192, epochs: 3 },
  { shape: { counts: 512, reals: 0, conditions: 0, hidden: 256, latent: 32 }, n: 4096, epochs: 2 },
];
const BATCH = 128;
const RATE = 3e-3;
const ROUNDS = 3;
const SINGLES = 2000;
/** Debian's Python, where python3-torch lives; glibc's thresholds are raised, which makes PyTorch about twice as fast. */
const PYTHON = "/usr/bin/python3";
const PEER_ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: "1073741824", MALLOC_TRIM_THRESHOLD_: "1073741824" };

/** CPU seconds of training and of scoring all rows, microseconds of one row, mean bound after training in nats. */
type Measured = { train: number; score: number; single: number; bound: number; version?: string };

function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function own({ shape, n, epochs }: Case, kernels: Kernels, rows: Rows): Measured {
  const vae = createVae(shape, 1, kernels);
  const options = { epochs, batch: BATCH, learningRate: RATE, seed: 1, klWarmupEpochs: 0, beta: 1 };
  const train = cpuSeconds(() => trainVae(vae, rows, { ...options, maskRate: 0.1 }));
  let scores = new Float64Array(0);
  const score = cpuSeconds(() => {
    scores = Float64Array.from(elbo(vae, rows));
  });
  const index = new Int32Array(1);
  const times = Array.from({ length: SINGLES }, (_, i) => {
    index[0] = i;
    const start = performance.now();
    elbo(vae, rows, index);
    return 1000 * (performance.now() - start);
  });
  return { train, score, single: spread(times).median, bound: scores.reduce((a, b) => a + b, 0) / n };
}

function torch({ shape, n, epochs }: Case, folder: string): Measured | undefined {
  const { counts: C, reals: G, conditions: S, hidden: H, latent: Z } = shape;
  const sizes = [n, C, G, S, H, Z, BATCH, epochs, RATE].map(String);
  const result = spawnSync(PYTHON, ["eval/torch/bench.py", folder, ...sizes], {
    encoding: "utf8",
    env: { ...process.env, ...PEER_ENVIRONMENT },
  });
  return result.status === 0 ? (JSON.parse(result.stdout) as Measured) : undefined;
}

function writeRows(folder: string, rows: Rows): void {
  for (const name of ["counts", "reals", "offset", "conditions"] as const)
    writeFileSync(join(folder, name), new Uint8Array(rows[name].buffer));
}

/** Rows without a missing number, which the peer's code does not know. */
function completeRows({ shape, n }: Case): Rows {
  const rows = lowRankRows(n, 1, shape);
  rows.realWeights.fill(1);
  rows.reals.forEach((x, i) => {
    if (Number.isNaN(x)) rows.reals[i] = 100;
  });
  return rows;
}

function describe({ n, epochs }: Case, name: string, all: readonly Measured[]): string[] {
  return [
    name,
    show(spread(all.map((m) => (n * epochs) / m.train))),
    show(spread(all.map((m) => n / m.score))),
    show(spread(all.map((m) => m.single))),
    show(spread(all.map((m) => m.bound))),
  ];
}

function compare(fast: readonly Measured[], peer: readonly Measured[]): string[] {
  const ratio = (of: (m: Measured) => number): string =>
    show(spread(fast.map((m, i) => of(peer[i]!) / of(m))));
  return [
    "**SIMD against PyTorch**",
    ratio((m) => m.train),
    ratio((m) => m.score),
    ratio((m) => m.single),
    "",
  ];
}

/** Each kernel build and PyTorch, in turn, on the same rows; no figures of PyTorch where it is not installed. */
function measure(one: Case, wasm: Kernels): Record<"wasm" | "plain" | "torch", Measured[]> {
  const rows = completeRows(one);
  const folder = mkdtempSync(join(tmpdir(), "logvane-bench-"));
  const measured = { wasm: [] as Measured[], plain: [] as Measured[], torch: [] as Measured[] };
  try {
    writeRows(folder, rows);
    for (let round = 0; round < ROUNDS; round++) {
      measured.wasm.push(own(one, wasm, rows));
      measured.plain.push(own(one, PLAIN, rows));
      const peer = torch(one, folder);
      if (peer) measured.torch.push(peer);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return measured;
}

/** Training and scoring speed of several networks. */
export function benchVae(): Section {
  const wasm = wasmKernels(readFileSync(new URL("../src/math/kernels.wasm", import.meta.url)));
  const parts = CASES.map((one) => report(one, measure(one, wasm)));
  const text = `Batches of ${BATCH}, all in float32. CPU time is user + system, without start-up. A ratio above 1 means ours is faster.`;
  return { title: "Variational autoencoder", text: [text, ...parts].join("\n\n") };
}

function report(one: Case, { wasm, plain, torch: peer }: ReturnType<typeof measure>): string {
  const { counts, reals, conditions, hidden, latent } = one.shape;
  const complete = peer.length === wasm.length;
  const lines = table([
    ["", "train, rows per CPU-s", "score, rows per CPU-s", "score one row, us", "bound after, nats"],
    describe(one, "own, SIMD", wasm),
    describe(one, "own, plain", plain),
    ...(complete
      ? [describe(one, `PyTorch ${peer[0]!.version}, 1 thread`, peer), compare(wasm, peer)]
      : [["PyTorch: not installed (Debian: python3-torch)", "", "", "", ""]]),
  ]);
  return `${counts} counts, ${reals} reals, ${conditions} conditions, hidden ${hidden}, latent ${latent}; ${one.n} rows, ${one.epochs} epochs:

${lines}`;
}
