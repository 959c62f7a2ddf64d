import { squash, squashBack } from "../math/activation.ts";
import { adam } from "../math/adam.ts";
import { fnv64 } from "../math/checksum.ts";
import type { Floats } from "../math/floats.ts";
import { countInputs } from "../math/gather.ts";
import { countLoss, countLossBack } from "../math/likelihood.ts";
import { addBias, columnSums, matmul, matmulAt, matmulBt } from "../math/matrix.ts";

/**
 * Where a network keeps its numbers, and the operations that take most of its time. Arguments are views handed out
 * by `alloc` of the same heap; shapes as told where math/ has the plain form of each.
 */
export type Heap = {
  /** n zeros. RangeError when the heap was opened too small: a bug. */
  alloc(n: number): Floats;
  matmul(out: Floats, a: Floats, b: Floats, M: number, K: number, N: number): void;
  matmulAt(out: Floats, a: Floats, b: Floats, M: number, K: number, N: number): void;
  matmulBt(out: Floats, a: Floats, b: Floats, M: number, K: number, N: number): void;
  addBias: typeof addBias;
  columnSums: typeof columnSums;
  squash(values: Floats, n: number): void;
  squashBack(gradient: Floats, y: Floats, n: number): void;
  countInputs: typeof countInputs;
  countLoss: typeof countLoss;
  countLossBack: typeof countLossBack;
  adam(
    weights: Floats,
    gradient: Floats,
    mean: Floats,
    square: Floats,
    n: number,
    rate: number,
    scale: number,
    step: number,
  ): void;
};

/** A build of the numeric kernels. Low bits of a score depend on it, so an artifact names the one it was made with. */
export type Kernels = {
  readonly name: string;
  /** A heap for `floats` numbers in at most `views` arrays, whose products (M, K) · (K, N) have (M + N) K within `panel`. */
  open(floats: number, views: number, panel: number): Heap;
};

const plainHeap = (alloc: (n: number) => Floats): Heap => ({
  alloc,
  matmul,
  matmulAt,
  matmulBt,
  addBias,
  columnSums,
  squash,
  squashBack,
  countInputs,
  countLoss,
  countLossBack,
  adam,
});

/** Plain TypeScript over float32: runs everywhere, and is what faster builds are compared with. */
export const PLAIN: Kernels = { name: "plain-f32", open: () => plainHeap((n) => new Float32Array(n)) };
/** Plain TypeScript over float64, for gradient checks. */
export const PLAIN_DOUBLE: Kernels = { name: "plain-f64", open: () => plainHeap((n) => new Float64Array(n)) };

/** Bytes of a page of WebAssembly memory, and the alignment of every array in it. */
const PAGE = 65_536;
const ALIGN = 16;
/** Bytes that the kernels' own tables may take at the head of the memory; they take about 4 KiB. */
const OWN_TABLES = 16_384;
/** Numbers at the head of a heap for tiles that stick out of their matrix. */
const SPILL = 32;
/** Numbers for each column that the kernels of the likelihood keep while they work on a batch. */
const LOSS_TABLE = 67;
/** Decays of Adam, of which the kernel takes the corrections; as in math/adam.ts. */
const DECAY_MEAN = 0.9;
const DECAY_SQUARE = 0.999;

/** What src/math/assembly exports; addresses in bytes. */
type Assembly = {
  gemm(
    out: number,
    a: number,
    am: number,
    ak: number,
    b: number,
    bk: number,
    bn: number,
    M: number,
    K: number,
    N: number,
    scratch: number,
  ): void;
  heapBase(): number;
  addBias(rows: number, bias: number, M: number, N: number): void;
  columnSums(out: number, rows: number, M: number, N: number): void;
  squash(values: number, n: number): void;
  squashBack(gradient: number, y: number, n: number): void;
  countInputs(
    input: number,
    counts: number,
    offset: number,
    scale: number,
    B: number,
    C: number,
    W: number,
  ): void;
  countLoss(
    parts: number,
    mean: number,
    spreads: number,
    counts: number,
    offset: number,
    out: number,
    logAlpha: number,
    B: number,
    C: number,
    W: number,
    scratch: number,
  ): void;
  countLossBack(
    dOut: number,
    dLogAlpha: number,
    counts: number,
    mean: number,
    spreads: number,
    logAlpha: number,
    scale: number,
    B: number,
    C: number,
    W: number,
    scratch: number,
  ): void;
  adam(
    w: number,
    g: number,
    m: number,
    v: number,
    n: number,
    rate: number,
    scale: number,
    c1: number,
    c2: number,
  ): void;
};

/** The part of the WebAssembly interface in use; the language's own types do not name it. */
type WasmGlobal = {
  Module: new (bytes: Uint8Array) => object;
  Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/**
 * The SIMD build, from the bytes of kernels.wasm. Each heap is an instance with its own memory of a fixed size, so no
 * view is ever detached. Throws what the engine throws for bytes it cannot compile; the caller then takes PLAIN.
 */
export function wasmKernels(bytes: Uint8Array): Kernels {
  const wasm = (globalThis as unknown as { WebAssembly: WasmGlobal }).WebAssembly;
  const module = new wasm.Module(bytes);
  return {
    name: `wasm-simd-f32 ${(fnv64(bytes).high >>> 0).toString(16).padStart(8, "0")}`,
    open(floats, views, panel) {
      const size = OWN_TABLES + 4 * (SPILL + panel + floats) + ALIGN * (views + 2);
      const pages = Math.ceil(size / PAGE);
      const memory = new wasm.Memory({ initial: pages, maximum: pages });
      const instance = new wasm.Instance(module, { env: { memory, abort: () => {} } });
      return wasmHeap(instance.exports as Assembly, memory.buffer, panel);
    },
  };
}

function wasmHeap(run: Assembly, buffer: ArrayBuffer, panel: number): Heap {
  if (run.heapBase() > OWN_TABLES) throw new RangeError(`the kernels' tables end at ${run.heapBase()}`);
  const scratch = Math.ceil(run.heapBase() / ALIGN) * ALIGN;
  let top = scratch + 4 * (SPILL + panel);
  const fits = (M: number, K: number, N: number): void => {
    if ((M + N + 10) * K > panel) throw new RangeError(`(${M}, ${K}) by (${K}, ${N}) in a panel of ${panel}`);
  };
  return {
    alloc(n) {
      top = Math.ceil(top / ALIGN) * ALIGN;
      if (top + 4 * n > buffer.byteLength)
        throw new RangeError(`${n} numbers at byte ${top} of ${buffer.byteLength}`);
      const view = new Float32Array(buffer, top, n);
      top += 4 * n;
      return view;
    },
    matmul(out, a, b, M, K, N) {
      fits(M, K, N);
      run.gemm(out.byteOffset, a.byteOffset, K, 1, b.byteOffset, N, 1, M, K, N, scratch);
    },
    matmulAt(out, a, b, M, K, N) {
      fits(M, K, N);
      run.gemm(out.byteOffset, a.byteOffset, 1, M, b.byteOffset, N, 1, M, K, N, scratch);
    },
    matmulBt(out, a, b, M, K, N) {
      fits(M, K, N);
      run.gemm(out.byteOffset, a.byteOffset, K, 1, b.byteOffset, 1, K, M, K, N, scratch);
    },
    addBias: (rows, bias, M, N) => run.addBias(rows.byteOffset, bias.byteOffset, M, N),
    columnSums: (out, rows, M, N) => run.columnSums(out.byteOffset, rows.byteOffset, M, N),
    countInputs: (input, counts, offset, scale, B, C, W) =>
      run.countInputs(input.byteOffset, counts.byteOffset, offset.byteOffset, scale.byteOffset, B, C, W),
    countLoss(parts, mean, spreads, counts, offset, out, logAlpha, B, C, W) {
      fits(LOSS_TABLE, C, 0); // what is known of the overdispersions is kept where products pack their operands
      run.countLoss(
        parts.byteOffset,
        mean.byteOffset,
        spreads.byteOffset,
        counts.byteOffset,
        offset.byteOffset,
        out.byteOffset,
        logAlpha.byteOffset,
        B,
        C,
        W,
        scratch,
      );
    },
    countLossBack(dOut, dLogAlpha, counts, mean, spreads, logAlpha, scale, B, C, W) {
      fits(LOSS_TABLE, C, 0);
      run.countLossBack(
        dOut.byteOffset,
        dLogAlpha.byteOffset,
        counts.byteOffset,
        mean.byteOffset,
        spreads.byteOffset,
        logAlpha.byteOffset,
        scale.byteOffset,
        B,
        C,
        W,
        scratch,
      );
    },
    squash: (values, n) => run.squash(values.byteOffset, n),
    squashBack: (gradient, y, n) => run.squashBack(gradient.byteOffset, y.byteOffset, n),
    adam: (w, g, m, v, n, rate, scale, step) =>
      run.adam(
        w.byteOffset,
        g.byteOffset,
        m.byteOffset,
        v.byteOffset,
        n,
        rate,
        scale,
        1 / (1 - DECAY_MEAN ** step),
        1 / (1 - DECAY_SQUARE ** step),
      ),
  };
}
