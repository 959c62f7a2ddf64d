import { squash, squashBack } from "../math/activation.ts";
import { adam } from "../math/adam.ts";
import type { Floats } from "../math/floats.ts";
import { matmul, matmulAt, matmulBt } from "../math/matrix.ts";

/**
 * Where a network keeps its numbers, and the operations that take most of its time. Arguments are views handed out
 * by `alloc` of the same heap; shapes as told in math/matrix.ts, math/activation.ts and math/adam.ts.
 */
export type Heap = {
  /** n zeros. RangeError when the heap was opened too small: a bug. */
  alloc(n: number): Floats;
  matmul(out: Floats, a: Floats, b: Floats, M: number, K: number, N: number): void;
  matmulAt(out: Floats, a: Floats, b: Floats, M: number, K: number, N: number): void;
  matmulBt(out: Floats, a: Floats, b: Floats, M: number, K: number, N: number): void;
  squash(values: Floats, n: number): void;
  squashBack(gradient: Floats, y: Floats, n: number): void;
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
  squash,
  squashBack,
  adam,
});

/** Plain TypeScript over float32: runs everywhere, and is what faster builds are compared with. */
export const PLAIN: Kernels = { name: "plain-f32", open: () => plainHeap((n) => new Float32Array(n)) };
/** Plain TypeScript over float64, for gradient checks. */
export const PLAIN_DOUBLE: Kernels = { name: "plain-f64", open: () => plainHeap((n) => new Float64Array(n)) };
