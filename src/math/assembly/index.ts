// Kernels of src/math/matrix.ts, activation.ts and adam.ts, and by likelihood.ts those of gather.ts and likelihood.ts, in 128-bit SIMD over float32. Arguments are byte addresses
// in the imported memory, laid out by src/model/kernels.ts; sizes in numbers. Nothing here allocates.
// One k per turn of the micro-kernel: unrolling it by two makes V8 hoist all loads and spill registers.

export { countInputs, countLoss, countLossBack } from "./likelihood";

/** First byte that the module's own tables leave free. */
export function heapBase(): usize {
  return __heap_base;
}

/** Rows and columns of the register tile. */
const MR: i32 = 4;
const NR: i32 = 8;

/** Packs a, element (m, k) at a + 4 (m am + k ak), into panels [M/4][K][4]; rows beyond M become zero. */
function packA(to: usize, a: usize, am: i32, ak: i32, M: i32, K: i32): void {
  const next = <usize>ak << 2;
  const down = <usize>am << 2;
  for (let m0 = 0; m0 < M; m0 += MR) {
    let from = a + (<usize>(m0 * am) << 2);
    const rows = min(MR, M - m0);
    for (let k = 0; k < K; k++, to += 16, from += next) {
      if (rows < MR) {
        v128.store(to, f32x4.splat(0));
        for (let i = 0; i < rows; i++) store<f32>(to + (<usize>i << 2), load<f32>(from + <usize>i * down));
      } else if (am == 1) v128.store(to, v128.load(from));
      else {
        store<f32>(to, load<f32>(from));
        store<f32>(to, load<f32>(from + down), 4);
        store<f32>(to, load<f32>(from + 2 * down), 8);
        store<f32>(to, load<f32>(from + 3 * down), 12);
      }
    }
  }
}

/** Packs b, element (k, n) at b + 4 (k bk + n bn), into panels [N/8][K][8]; columns beyond N become zero. */
function packB(to: usize, b: usize, bk: i32, bn: i32, K: i32, N: i32): void {
  for (let n0 = 0; n0 < N; n0 += NR) {
    const whole = bn == 1 && n0 + NR <= N;
    for (let k = 0; k < K; k++) {
      if (whole) {
        const from = b + ((<usize>(k * bk + n0)) << 2);
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
      } else {
        for (let j = 0; j < NR; j++) {
          const n = n0 + j;
          store<f32>(to + (<usize>j << 2), n < N ? load<f32>(b + ((<usize>(k * bk + n * bn)) << 2)) : 0);
        }
      }
      to += 32;
    }
  }
}

/** One tile: 4 x 8 sums over K of packed panels, to out with rows of N; only `rows` x `cols` of it are written. */
// prettier-ignore
function tile(out: usize, a: usize, b: usize, K: i32, N: i32, rows: i32, cols: i32, spill: usize): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  for (let k = 0; k < K; k++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load_splat<f32>(a);
    c00 = f32x4.add(c00, f32x4.mul(a0, b0));
    c01 = f32x4.add(c01, f32x4.mul(a0, b1));
    const a1 = v128.load_splat<f32>(a, 4);
    c10 = f32x4.add(c10, f32x4.mul(a1, b0));
    c11 = f32x4.add(c11, f32x4.mul(a1, b1));
    const a2 = v128.load_splat<f32>(a, 8);
    c20 = f32x4.add(c20, f32x4.mul(a2, b0));
    c21 = f32x4.add(c21, f32x4.mul(a2, b1));
    const a3 = v128.load_splat<f32>(a, 12);
    c30 = f32x4.add(c30, f32x4.mul(a3, b0));
    c31 = f32x4.add(c31, f32x4.mul(a3, b1));
    a += 16;
    b += 32;
  }
  const whole = rows == MR && cols == NR;
  const to = whole ? out : spill;
  const stride = whole ? <usize>N << 2 : 32;
  v128.store(to, c00);
  v128.store(to, c01, 16);
  v128.store(to + stride, c10);
  v128.store(to + stride, c11, 16);
  v128.store(to + 2 * stride, c20);
  v128.store(to + 2 * stride, c21, 16);
  v128.store(to + 3 * stride, c30);
  v128.store(to + 3 * stride, c31, 16);
  if (whole) return;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++)
      store<f32>(out + ((<usize>(i * N + j)) << 2), load<f32>(spill + ((<usize>(i * NR + j)) << 2)));
}

/** One row of out: k in order, so its digits are those of the tiled form. b has rows of N side by side. */
function vector(out: usize, a: usize, ak: i32, b: usize, K: i32, N: i32): void {
  let n = 0;
  for (; n + NR <= N; n += NR) {
    let c0 = f32x4.splat(0);
    let c1 = f32x4.splat(0);
    let from = b + (<usize>n << 2);
    let left = a;
    for (let k = 0; k < K; k++) {
      const x = v128.load_splat<f32>(left);
      c0 = f32x4.add(c0, f32x4.mul(x, v128.load(from)));
      c1 = f32x4.add(c1, f32x4.mul(x, v128.load(from, 16)));
      from += <usize>N << 2;
      left += <usize>ak << 2;
    }
    v128.store(out + (<usize>n << 2), c0);
    v128.store(out + (<usize>n << 2), c1, 16);
  }
  for (; n < N; n++) {
    let sum: f32 = 0;
    for (let k = 0; k < K; k++)
      sum += load<f32>(a + ((<usize>(k * ak)) << 2)) * load<f32>(b + ((<usize>(k * N + n)) << 2));
    store<f32>(out + (<usize>n << 2), sum);
  }
}

/**
 * out (M, N) = a · b, with element (m, k) of a at stride (am, ak) and (k, n) of b at (bk, bn): so one function serves
 * a · b, aᵀ · b and a · bᵀ. `scratch` has room for 32 floats of spill and both packed operands.
 */
export function gemm(
  out: usize, a: usize, am: i32, ak: i32, b: usize, bk: i32, bn: i32,
  M: i32, K: i32, N: i32, scratch: usize,
): void {
  if (M < MR && bn == 1 && bk == N) {
    for (let m = 0; m < M; m++)
      vector(out + ((<usize>(m * N)) << 2), a + ((<usize>(m * am)) << 2), ak, b, K, N);
    return;
  }
  const pa = scratch + 128;
  const pb = pa + ((<usize>(((M + 3) & ~3) * K)) << 2);
  packA(pa, a, am, ak, M, K);
  packB(pb, b, bk, bn, K, N);
  for (let n = 0; n < N; n += NR)
    for (let m = 0; m < M; m += MR)
      tile(
        out + ((<usize>(m * N + n)) << 2), pa + ((<usize>(m * K)) << 2), pb + ((<usize>(n * K)) << 2),
        K, N, min(MR, M - m), min(NR, N - n), scratch,
      );
}

export function squash(values: usize, n: i32): void {
  const one = f32x4.splat(1);
  let i = 0;
  for (; i + 4 <= n; i += 4, values += 16) {
    const x = v128.load(values);
    v128.store(values, f32x4.div(x, f32x4.sqrt(f32x4.add(one, f32x4.mul(x, x)))));
  }
  for (; i < n; i++, values += 4) {
    const x = load<f32>(values);
    store<f32>(values, x / sqrt<f32>(1 + x * x));
  }
}

export function squashBack(gradient: usize, y: usize, n: i32): void {
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4, gradient += 16, y += 16) {
    const value = v128.load(y);
    const rest = f32x4.max(zero, f32x4.sub(one, f32x4.mul(value, value)));
    v128.store(gradient, f32x4.mul(v128.load(gradient), f32x4.mul(rest, f32x4.sqrt(rest))));
  }
  for (; i < n; i++, gradient += 4, y += 4) {
    const value = load<f32>(y);
    const rest = max<f32>(0, 1 - value * value);
    store<f32>(gradient, load<f32>(gradient) * (rest * sqrt<f32>(rest)));
  }
}

/** Adam over n numbers; c1 and c2 undo the start at zero, as in adam.ts. */
export function adam(
  weights: usize, gradient: usize, mean: usize, square: usize,
  n: i32, rate: f32, scale: f32, c1: f32, c2: f32,
): void {
  const b1: f32 = 0.9;
  const b2: f32 = 0.999;
  const a1: f32 = 0.1;
  const a2: f32 = 0.001;
  const floor: f32 = 1e-8;
  let i = 0;
  for (; i + 4 <= n; i += 4, weights += 16, gradient += 16, mean += 16, square += 16) {
    const g = f32x4.mul(v128.load(gradient), f32x4.splat(scale));
    const m = f32x4.add(f32x4.mul(f32x4.splat(b1), v128.load(mean)), f32x4.mul(f32x4.splat(a1), g));
    const v = f32x4.add(
      f32x4.mul(f32x4.splat(b2), v128.load(square)), f32x4.mul(f32x4.splat(a2), f32x4.mul(g, g)));
    v128.store(mean, m);
    v128.store(square, v);
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(v, f32x4.splat(c2))), f32x4.splat(floor));
    const move = f32x4.div(f32x4.mul(f32x4.splat(rate), f32x4.mul(m, f32x4.splat(c1))), root);
    v128.store(weights, f32x4.sub(v128.load(weights), move));
  }
  for (; i < n; i++, weights += 4, gradient += 4, mean += 4, square += 4) {
    const g = load<f32>(gradient) * scale;
    const m = b1 * load<f32>(mean) + a1 * g;
    const v = b2 * load<f32>(square) + a2 * (g * g);
    store<f32>(mean, m);
    store<f32>(square, v);
    store<f32>(weights, load<f32>(weights) - (rate * (m * c1)) / (sqrt<f32>(v * c2) + floor));
  }
}

/** rows (M, N) += bias (N), on every row. */
export function addBias(rows: usize, bias: usize, M: i32, N: i32): void {
  const whole = <usize>(N & ~3) << 2;
  const end = <usize>N << 2;
  for (let m = 0; m < M; m++, rows += end) {
    let at: usize = 0;
    for (; at < whole; at += 16) v128.store(rows + at, f32x4.add(v128.load(rows + at), v128.load(bias + at)));
    for (; at < end; at += 4) store<f32>(rows + at, load<f32>(rows + at) + load<f32>(bias + at));
  }
}

/** out (N) = sum of rows (M, N) over M. */
export function columnSums(out: usize, rows: usize, M: i32, N: i32): void {
  const whole = <usize>(N & ~3) << 2;
  const end = <usize>N << 2;
  memory.fill(out, 0, end);
  for (let m = 0; m < M; m++, rows += end) {
    let at: usize = 0;
    for (; at < whole; at += 16) v128.store(out + at, f32x4.add(v128.load(out + at), v128.load(rows + at)));
    for (; at < end; at += 4) store<f32>(out + at, load<f32>(out + at) + load<f32>(rows + at));
  }
}
