import { createRandom } from "../../src/math/random.ts";
import { crossFitted, logged, type RowScores, type WindowTable } from "./windows.ts";

/** Share of the variance that the normal subspace holds, and its largest dimension. Source: Xu et al. (2009) and its common settings. */
const EXPLAINED = 0.95;
const MAX_COMPONENTS = 48;
/** Rounds of orthogonal iteration; only what lies near the edge of the subspace depends on their number. */
const ROUNDS = 15;

/**
 * PCA on ln(1 + count): the energy of what the normal subspace leaves over (the Q statistic's SPE). Its line comes from the
 * training quantile that all baselines use, since residuals of counts are far from the normal law of Q's formula.
 */
export function pcaScores(table: WindowTable): RowScores {
  const { C } = table;
  const x = logged(table);
  return crossFitted(table, (rows, seed) => {
    const mean = meanOf(x, rows, C);
    const components = principal(x, rows, mean, C, seed);
    const residual = new Float64Array(C);
    return (t) => {
      for (let j = 0; j < C; j++) residual[j] = x[t * C + j]! - mean[j]!;
      for (const v of components) {
        const along = dot(residual, v);
        for (let j = 0; j < C; j++) residual[j]! -= along * v[j]!;
      }
      let value = 0;
      let column = 0;
      for (let j = 0; j < C; j++) {
        value += residual[j]! ** 2;
        if (residual[j]! ** 2 > residual[column]! ** 2) column = j;
      }
      return { value, column };
    };
  });
}

function meanOf(x: Float32Array, rows: readonly number[], C: number): Float64Array {
  const mean = new Float64Array(C);
  for (const t of rows) for (let j = 0; j < C; j++) mean[j]! += x[t * C + j]! / rows.length;
  return mean;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}

/** The leading eigenvectors of the covariance of `rows`, as many as explain EXPLAINED. Source: Golub & Van Loan, orthogonal iteration. */
function principal(
  x: Float32Array,
  rows: readonly number[],
  mean: Float64Array,
  C: number,
  seed: number,
): Float64Array[] {
  const covariance = covarianceOf(x, rows, mean, C);
  let trace = 0;
  for (let j = 0; j < C; j++) trace += covariance[j * C + j]!;
  const random = createRandom(seed);
  const K = Math.min(MAX_COMPONENTS, C);
  let basis: Float64Array[] = Array.from({ length: K }, () =>
    Float64Array.from({ length: C }, () => random.normal()),
  );
  let spread: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    orthonormalise(basis);
    const image = basis.map((v) => times(covariance, v, C));
    spread = basis.map((v, k) => dot(v, image[k]!));
    if (round < ROUNDS - 1) basis = image;
  }
  let explained = 0;
  const enough = spread.findIndex((s) => {
    explained += s;
    return explained >= EXPLAINED * trace;
  });
  return basis.slice(0, enough < 0 ? K : enough + 1);
}

function covarianceOf(x: Float32Array, rows: readonly number[], mean: Float64Array, C: number): Float64Array {
  const out = new Float64Array(C * C);
  const centred = new Float64Array(C);
  for (const t of rows) {
    for (let j = 0; j < C; j++) centred[j] = x[t * C + j]! - mean[j]!;
    for (let i = 0; i < C; i++) {
      const a = centred[i]! / rows.length;
      for (let j = 0; j < C; j++) out[i * C + j]! += a * centred[j]!;
    }
  }
  return out;
}

function times(matrix: Float64Array, v: Float64Array, C: number): Float64Array {
  const out = new Float64Array(C);
  for (let i = 0; i < C; i++) {
    let sum = 0;
    for (let j = 0; j < C; j++) sum += matrix[i * C + j]! * v[j]!;
    out[i] = sum;
  }
  return out;
}

/** Modified Gram-Schmidt, in place. */
function orthonormalise(basis: Float64Array[]): void {
  for (const [k, v] of basis.entries()) {
    for (const u of basis.slice(0, k)) {
      const along = dot(v, u);
      for (let j = 0; j < v.length; j++) v[j]! -= along * u[j]!;
    }
    const norm = Math.max(Math.sqrt(dot(v, v)), 1e-300);
    for (let j = 0; j < v.length; j++) v[j]! /= norm;
  }
}
