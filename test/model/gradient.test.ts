import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createRandom } from "../../src/math/random.ts";
import { PLAIN_DOUBLE } from "../../src/model/kernels.ts";
import { forward, load, loss, weightedLoss } from "../../src/model/network.ts";
import { batchStep } from "../../src/model/train.ts";
import { createVae, type Vae, type VaeShape, type Weights } from "../../src/model/vae.ts";
import { lowRankRows, SHAPE } from "./synthetic.ts";

const B = 12;
const BETA = 0.7;
const STEP = 1e-5;

/** A double network with one batch loaded: random noise, mask and row weights, big and small counts. */
function prepared(shape: VaeShape): Vae {
  const vae = createVae(shape, 21, PLAIN_DOUBLE);
  const random = createRandom(22);
  const rows = lowRankRows(B, 23);
  if (shape.bits) for (let i = 0; i < rows.reals.length; i++) rows.reals[i] = random.int(2);
  rows.counts[3] = 90; // beyond the summed counts
  load(vae, rows, undefined, 0, B);
  for (let i = 0; i < vae.work.noise.length; i++) vae.work.noise[i] = random.normal();
  for (let i = 0; i < vae.work.mask.length; i++) vae.work.mask[i] = random.uniform() < 0.3 ? 0 : 1;
  for (let b = 0; b < B; b++) vae.work.scale[b] = 0.2 + random.uniform();
  for (let i = 0; i < vae.flat.length; i++) vae.flat[i]! += 0.3 * random.normal();
  return vae;
}

/** Bits have no variance, so nothing to learn there. */
const SHAPES: readonly (readonly [string, VaeShape, readonly string[]])[] = [
  ["counts and reals", SHAPE, []],
  ["counts and bits", { ...SHAPE, bits: true }, ["logVar"]],
];

for (const [what, shape, unused] of SHAPES)
  suite(`the gradient of a whole batch of ${what}, in double`, () => {
    const vae = prepared(shape);
    batchStep(vae, B, BETA);
    const gradient = vae.gradientFlat.slice();
    const lossNow = (): number => {
      forward(vae, B);
      loss(vae, B);
      return weightedLoss(vae, B, BETA);
    };
    for (const name of (Object.keys(vae.weights) as (keyof Weights)[]).filter((n) => !unused.includes(n)))
      test(`by every one of ${name} is the central difference`, () => {
        const tensor = vae.weights[name];
        const from = (tensor.byteOffset - vae.flat.byteOffset) / 8;
        const size = Math.hypot(...gradient.subarray(from, from + tensor.length));
        assert.ok(size > 1e-3, "a gradient of zero would prove nothing");
        for (let i = 0; i < tensor.length; i++) {
          const was = tensor[i]!;
          tensor[i] = was + STEP;
          const up = lossNow();
          tensor[i] = was - STEP;
          const down = lossNow();
          tensor[i] = was;
          const difference = (up - down) / (2 * STEP);
          const error = Math.abs(difference - gradient[from + i]!) / size;
          assert.ok(error < 1e-6, `${name}[${i}]: ${gradient[from + i]}, difference ${difference}`);
        }
      });
  });
