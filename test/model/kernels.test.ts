import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Floats } from "../../src/math/floats.ts";
import { createRandom } from "../../src/math/random.ts";
import { type Heap, PLAIN, wasmKernels } from "../../src/model/kernels.ts";
import { elbo } from "../../src/model/score.ts";
import { trainVae } from "../../src/model/train.ts";
import { createVae } from "../../src/model/vae.ts";
import { lowRankRows, SHAPE } from "./synthetic.ts";

const WASM = wasmKernels(readFileSync(new URL("../../src/math/kernels.wasm", import.meta.url)));
const LARGEST = 40;

/** The same seeded normals on both heaps. */
function both(n: number, seed: number, heaps: readonly [Heap, Heap]): [Floats, Floats] {
  const random = createRandom(seed);
  const values = Float32Array.from({ length: n }, () => random.normal());
  const views = heaps.map((heap) => heap.alloc(n)) as [Floats, Floats];
  for (const view of views) view.set(values);
  return views;
}

function agree(got: Floats, want: Floats, tolerance: number): void {
  for (let i = 0; i < want.length; i++)
    assert.ok(
      Math.abs(got[i]! - want[i]!) <= tolerance * (1 + Math.abs(want[i]!)),
      `[${i}] ${got[i]}, not ${want[i]}`,
    );
}

const open = (): [Heap, Heap] => [
  WASM.open(4 * LARGEST * LARGEST, 8, 3 * LARGEST * LARGEST),
  PLAIN.open(0, 0, 0),
];
const size = (): fc.Arbitrary<number> => fc.integer({ min: 1, max: LARGEST });

suite("the SIMD kernels beside their plain twins", () => {
  for (const form of ["matmul", "matmulAt", "matmulBt"] as const)
    test(`${form} agrees to float32's rounding for every size, edges of tiles included`, () =>
      fc.assert(
        fc.property(size(), size(), size(), fc.nat(1000), (M, K, N, seed) => {
          const heaps = open();
          const a = both(M * K, seed, heaps);
          const b = both(K * N, seed + 1, heaps);
          const out = both(M * N + 4, seed + 2, heaps);
          const after = out[0].slice(M * N);
          heaps.forEach((heap, i) => {
            heap[form](out[i]!, a[i]!, b[i]!, M, K, N);
          });
          agree(out[0].subarray(0, M * N), out[1].subarray(0, M * N), 2e-5);
          assert.deepEqual(out[0].slice(M * N), after, "nothing is written behind the result");
        }),
      ));
  test("squash and its gradient agree, odd lengths included", () =>
    fc.assert(
      fc.property(size(), fc.nat(1000), (n, seed) => {
        const heaps = open();
        const values = both(n, seed, heaps);
        const gradient = both(n, seed + 1, heaps);
        heaps.forEach((heap, i) => {
          heap.squash(values[i]!, n);
          heap.squashBack(gradient[i]!, values[i]!, n);
        });
        agree(values[0], values[1], 1e-6);
        agree(gradient[0], gradient[1], 1e-5);
      }),
    ));
  test("three steps of Adam agree", () =>
    fc.assert(
      fc.property(size(), fc.nat(1000), (n, seed) => {
        const heaps = open();
        const [w, g, m, v] = [0, 1, 2, 3].map((i) => both(n, seed + i, heaps));
        for (const view of [...m!, ...v!]) view.fill(0);
        heaps.forEach((heap, i) => {
          for (let step = 1; step <= 3; step++) heap.adam(w![i]!, g![i]!, m![i]!, v![i]!, n, 0.01, 0.5, step);
        });
        agree(w![0], w![1], 1e-5);
      }),
    ));
  test("a heap that is too small says so", () => {
    const heap = WASM.open(10, 1, 10);
    assert.throws(() => heap.alloc(100_000), RangeError);
    const x = heap.alloc(4);
    assert.throws(() => heap.matmul(x, x, x, 2, 2, 2), RangeError);
  });
});

suite("a network on the SIMD kernels", () => {
  const rows = lowRankRows(300, 31);
  const options = {
    epochs: 4,
    batch: 50,
    learningRate: 5e-3,
    seed: 1,
    klWarmupEpochs: 2,
    beta: 1,
    maskRate: 0.1,
  };
  const trained = (kernels = WASM): Float64Array => {
    const vae = createVae(SHAPE, 5, kernels);
    trainVae(vae, rows, options);
    return elbo(vae, rows);
  };
  test("learns the same scores, to a thousandth of a nat, as on the plain ones", () => {
    const [fast, plain] = [trained(), trained(PLAIN)];
    for (let i = 0; i < rows.n; i++) assert.ok(Math.abs(fast[i]! - plain[i]!) < 1e-3 * plain[i]!, `row ${i}`);
  });
  test("is the same bit for bit when trained again", () => assert.deepEqual(trained(), trained()));
  test("scores a row the same alone and among others", () => {
    const vae = createVae(SHAPE, 5, WASM);
    const all = elbo(vae, rows);
    for (const i of [0, 3, 255, 299]) assert.equal(elbo(vae, rows, Int32Array.of(i))[0], all[i]);
  });
});
