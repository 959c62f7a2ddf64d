import type { Floats } from "./floats.ts";
import { logOnePlus } from "./logs.ts";

/** Standardised inputs are held within this many standard deviations, so that no one value drives the encoder. */
const INPUT_LIMIT = 5;
/** Standardised targets are held within this, so that one broken number cannot swamp a whole training. */
const TARGET_LIMIT = 50;
/** Rows at least so wide are copied as a block, which costs as much as so many turns of a loop. */
const BLOCK = 48;
/** Least log of an expected mean, about one in three million. */
const LEAST_OFFSET = -15;

const clamp = (x: number, limit: number): number => (x > limit ? limit : x < -limit ? -limit : x);

/** out[b, at + w] = source[index[start + b], w]; out has rows of `stride`. Without index, rows start ... start + B - 1. */
export function gatherRows(
  out: Floats,
  source: Floats,
  index: Int32Array | undefined,
  start: number,
  B: number,
  width: number,
  stride: number,
  at: number,
): void {
  for (let b = 0; b < B; b++) {
    const from = (index === undefined ? start + b : index[start + b]) * width;
    if (width >= BLOCK) out.set(source.subarray(from, from + width), b * stride + at);
    else for (let w = 0; w < width; w++) out[b * stride + at + w] = source[from + w];
  }
}

/** Raises the logs of expected means to a floor, so that "never seen" does not become minus infinity. */
export function floorOffsets(offset: Floats, n: number): void {
  for (let i = 0; i < n; i++) if (!(offset[i] > LEAST_OFFSET)) offset[i] = LEAST_OFFSET;
}

/** How far a count lies from its expectation on the log scale: ln(1 + x) - ln(1 + e^offset). */
export const logExcess = (x: number, offset: number): number => logOnePlus(x) - Math.log1p(Math.exp(offset));

/** input[b, c] = logExcess / scale[c], within INPUT_LIMIT. counts, offset: (B, C). input: (B, W). */
export function countInputs(
  input: Floats,
  counts: Floats,
  offset: Floats,
  scale: Floats,
  B: number,
  C: number,
  W: number,
): void {
  for (let b = 0; b < B; b++)
    for (let c = 0; c < C; c++)
      input[b * W + c] = clamp(logExcess(counts[b * C + c], offset[b * C + c]) / scale[c], INPUT_LIMIT);
}

/** Standardises reals (B, G) in place and copies them to input (B, W) from column `at`; missing ones become 0. */
export function realInputs(
  input: Floats,
  reals: Floats,
  weights: Floats,
  mean: Floats,
  scale: Floats,
  B: number,
  G: number,
  W: number,
  at: number,
): void {
  for (let b = 0; b < B; b++)
    for (let g = 0; g < G; g++) {
      const i = b * G + g;
      reals[i] = weights[i] > 0 ? clamp((reals[i] - mean[g]) / scale[g], TARGET_LIMIT) : 0;
      input[b * W + at + g] = clamp(reals[i], INPUT_LIMIT);
    }
}

/** input[b, d] *= mask[b, d] for d < D. input: (B, W). mask: (B, D). */
export function applyMask(input: Floats, mask: Floats, B: number, D: number, W: number): void {
  for (let b = 0; b < B; b++) for (let d = 0; d < D; d++) input[b * W + d] *= mask[b * D + d];
}
