import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Floats } from "../../src/math/floats.ts";
import { createRandom } from "../../src/math/random.ts";
import { type Heap, type Kernels, PLAIN, wasmKernels } from "../../src/model/kernels.ts";
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

function agree(got: Floats, want: Floats, tolerance: number, size: (i: number) => number = () => 0): void {
  for (let i = 0; i < want.length; i++)
    assert.ok(
      Math.abs(got[i]! - want[i]!) <= tolerance * (size(i) + 1 + Math.abs(want[i]!)),
      `[${i}] ${got[i]}, not ${want[i]}`,
    );
}

type Count = { readonly x: number; readonly offset: number; readonly out: number; readonly logAlpha: number };
/** A count, and what the network makes of it. */
const count = (): fc.Arbitrary<Count> =>
  fc.record({
    x: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 1_000_000 })),
    offset: fc.double({ min: -15, max: 10, noNaN: true }),
    out: fc.double({ min: -3, max: 3, noNaN: true }),
    logAlpha: fc.double({ min: -10, max: 3, noNaN: true }),
  });

/** Few rows, and so many that the same counts come again. */
const manyCounts = (): fc.Arbitrary<Count[][]> =>
  fc.array(fc.array(count(), { minLength: 7, maxLength: 7 }), { minLength: 1, maxLength: 30, size: "max" });

/** Runs the kernels of counts over (B, C) counts; results and inputs alike have rows of W. */
function countKernels(kernels: Kernels, rows: readonly Count[], B: number, C: number, W: number) {
  const heap = kernels.open(B * (4 * C + 4 * W + 1) + 3 * C, 12, 100 * C);
  const place = (n: number, value: (i: number) => number): Floats => {
    const view = heap.alloc(n);
    view.set(Float32Array.from({ length: n }, (_, i) => value(i)));
    return view;
  };
  const counts = place(B * C, (i) => rows[i]!.x);
  const offset = place(B * C, (i) => rows[i]!.offset);
  const out = place(B * W, (i) => (i % W < C ? rows[Math.floor(i / W) * C + (i % W)]!.out : 0));
  const logAlpha = place(C, (i) => rows[i]!.logAlpha);
  const [input, parts, dOut] = [heap.alloc(B * W), heap.alloc(B * W), heap.alloc(B * W)];
  const dLogAlpha = heap.alloc(C);
  const columnScale = place(C, (i) => 0.05 + i);
  heap.countInputs(input, counts, offset, columnScale, B, C, W);
  const [mean, spreads] = [heap.alloc(B * C), heap.alloc(B * C)];
  heap.countLoss(parts, mean, spreads, counts, offset, out, logAlpha, B, C, W);
  const scale = place(B, () => 1);
  heap.countLossBack(dOut, dLogAlpha, counts, mean, spreads, logAlpha, scale, B, C, W);
  return { input, parts, dOut, dLogAlpha };
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
  test("biases added and gathered agree, odd widths included", () =>
    fc.assert(
      fc.property(size(), size(), fc.nat(1000), (M, N, seed) => {
        const heaps = open();
        const rows = both(M * N, seed, heaps);
        const bias = both(N, seed + 1, heaps);
        heaps.forEach((heap, i) => {
          heap.addBias(rows[i]!, bias[i]!, M, N);
          heap.columnSums(bias[i]!, rows[i]!, M, N);
        });
        agree(rows[0], rows[1], 1e-6);
        agree(bias[0], bias[1], 2e-5);
      }),
    ));
  test("inputs, losses and gradients of counts agree from 0 to a million, whatever the overdispersion", () =>
    fc.assert(
      fc.property(manyCounts(), (table) => {
        const [B, C, W] = [table.length, 7, 9];
        const rows = table.flat();
        const got = countKernels(WASM, rows, B, C, W);
        const want = countKernels(PLAIN, rows, B, C, W);
        // What a result is the difference of: the count times a logarithm below 30, and the mean.
        const terms = rows.map(({ x, offset, out }) => 30 * x + Math.exp(offset + out));
        const size = (i: number): number => terms[Math.floor(i / W) * C + (i % W)] ?? 0;
        const columnSize = (c: number): number =>
          terms.reduce((sum, term, i) => sum + (i % C === c ? term : 0), 0);
        // An input is the difference of two logarithms, each below 14 and rounded, in units of its column.
        agree(got.input, want.input, 4e-7, (i) => 14 / (0.05 + (i % W)));
        agree(got.parts, want.parts, 1e-6, size);
        agree(got.dOut, want.dOut, 1e-6, size);
        agree(got.dLogAlpha, want.dLogAlpha, 1e-6, columnSize);
      }),
    ));
  test("counts that lie in no whole vector are left alone beyond the last column", () => {
    const got = countKernels(WASM, [{ x: 3, offset: 1, out: 0, logAlpha: 0 }], 1, 1, 9);
    for (const result of [got.input, got.parts, got.dOut])
      assert.ok(result[0] !== 0 && result.subarray(1).every((v) => v === 0));
  });
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
