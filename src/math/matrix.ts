import type { Floats } from "./floats.ts";

/** out (M, N) = a (M, K) · b (K, N), all row-major; sums run over k in order, in double. */
export function matmul(out: Floats, a: Floats, b: Floats, M: number, K: number, N: number): void {
  for (let m = 0; m < M; m++) {
    let n = 0;
    for (; n + 4 <= N; n += 4) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let k = 0, i = n; k < K; k++, i += N) {
        const left = a[m * K + k];
        s0 += left * b[i];
        s1 += left * b[i + 1];
        s2 += left * b[i + 2];
        s3 += left * b[i + 3];
      }
      const o = m * N + n;
      out[o] = s0;
      out[o + 1] = s1;
      out[o + 2] = s2;
      out[o + 3] = s3;
    }
    for (; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a[m * K + k] * b[k * N + n];
      out[m * N + n] = sum;
    }
  }
}

/** out (M, N) = aᵀ · b with a (K, M) and b (K, N): a weight's gradient from K rows. */
export function matmulAt(out: Floats, a: Floats, b: Floats, M: number, K: number, N: number): void {
  for (let m = 0; m < M; m++) {
    let n = 0;
    for (; n + 4 <= N; n += 4) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let k = 0, i = n, j = m; k < K; k++, i += N, j += M) {
        const left = a[j];
        s0 += left * b[i];
        s1 += left * b[i + 1];
        s2 += left * b[i + 2];
        s3 += left * b[i + 3];
      }
      const o = m * N + n;
      out[o] = s0;
      out[o + 1] = s1;
      out[o + 2] = s2;
      out[o + 3] = s3;
    }
    for (; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a[k * M + m] * b[k * N + n];
      out[m * N + n] = sum;
    }
  }
}

/** out (M, N) = a · bᵀ with a (M, K) and b (N, K): a gradient handed back through a weight. */
export function matmulBt(out: Floats, a: Floats, b: Floats, M: number, K: number, N: number): void {
  for (let m = 0; m < M; m++)
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let k = 0, i = m * K, j = n * K; k < K; k++) sum += a[i++] * b[j++];
      out[m * N + n] = sum;
    }
}

/** rows (M, N) += bias (N), on every row. */
export function addBias(rows: Floats, bias: Floats, M: number, N: number): void {
  for (let m = 0, i = 0; m < M; m++) for (let n = 0; n < N; n++, i++) rows[i] += bias[n];
}

/** out (N) = sum of rows (M, N) over M: a bias's gradient. */
export function columnSums(out: Floats, rows: Floats, M: number, N: number): void {
  for (let n = 0; n < N; n++) {
    let sum = 0;
    for (let m = 0, i = n; m < M; m++, i += N) sum += rows[i];
    out[n] = sum;
  }
}
