import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { type Kernels, PLAIN, PLAIN_DOUBLE, wasmKernels } from "../../src/model/kernels.ts";
import { load } from "../../src/model/network.ts";
import { batchStep } from "../../src/model/train.ts";
import { createVae, type Scales, type Vae, type VaeShape, type Weights } from "../../src/model/vae.ts";

/** Made by eval/torch/golden.py. */
type Golden = {
  shape: VaeShape;
  batch: number;
  weights: Record<keyof Weights, number[]>;
  scales: Record<keyof Scales, number[]>;
  cases: {
    beta: number;
    rows: Record<
      "counts" | "reals" | "realWeights" | "offset" | "conditions" | "noise" | "mask" | "scale",
      number[]
    >;
    loss: number;
    gradient: Record<keyof Weights, number[]>;
  }[];
};

const GOLDEN = JSON.parse(readFileSync("test/model/golden/torch.json", "utf8")) as Golden;
const TENSORS = Object.keys(GOLDEN.weights) as (keyof Weights)[];
const WASM = wasmKernels(readFileSync(new URL("../../src/math/kernels.wasm", import.meta.url)));
const BUILDS: [Kernels, number][] = [
  [PLAIN_DOUBLE, 1e-7],
  [PLAIN, 1e-5],
  [WASM, 1e-5],
];

function network(kernels: Kernels): Vae {
  const vae = createVae(GOLDEN.shape, 0, kernels);
  for (const name of TENSORS) vae.weights[name].set(GOLDEN.weights[name]);
  for (const name of Object.keys(GOLDEN.scales) as (keyof Scales)[])
    vae.scales[name].set(GOLDEN.scales[name]);
  return vae;
}

function run(vae: Vae, { rows, beta }: Golden["cases"][number]): number {
  const f = (values: number[]): Float32Array => Float32Array.from(values);
  const B = GOLDEN.batch;
  load(
    vae,
    {
      n: B,
      counts: f(rows.counts),
      reals: f(rows.reals),
      realWeights: f(rows.realWeights),
      offset: f(rows.offset),
      conditions: f(rows.conditions),
    },
    undefined,
    0,
    B,
  );
  vae.work.noise.set(rows.noise);
  vae.work.mask.set(rows.mask);
  vae.work.scale.set(rows.scale);
  return batchStep(vae, B, beta);
}

for (const [kernels, tolerance] of BUILDS)
  suite(`twenty batches beside PyTorch, on ${kernels.name}`, () => {
    const vae = network(kernels);
    GOLDEN.cases.forEach((golden, i) => {
      test(`batch ${i}: the loss and each tensor's gradient agree to ${tolerance}`, () => {
        const loss = run(vae, golden);
        assert.ok(
          Math.abs(loss - golden.loss) <= tolerance * Math.abs(golden.loss),
          `${loss}, not ${golden.loss}`,
        );
        for (const name of TENSORS) {
          const want = golden.gradient[name];
          const off = Math.hypot(...want.map((g, j) => g - vae.gradient[name][j]!));
          assert.ok(
            off <= tolerance * Math.hypot(...want),
            `${name} is off by ${off} of ${Math.hypot(...want)}`,
          );
        }
      });
    });
  });
