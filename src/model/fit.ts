import { logExcess } from "../math/gather.ts";
import type { Rows, Vae } from "./vae.ts";

/** Least standard deviation of an input, so that a column that never moved does not turn one count into a landslide. */
const LEAST_SCALE = 0.05;
/** Range of first alphas: below it a column is Poisson for all we know, above it the mean tells nothing. */
const ALPHA_RANGE = [0.002, 10] as const;

/** Learns what inputs are standardised by, and each count's overdispersion about its offset by the method of moments. */
export function fitScales(vae: Vae, rows: Rows, index: Int32Array): void {
  for (let c = 0; c < vae.shape.counts; c++) fitCount(vae, rows, index, c);
  // Bits stay as they are: they are their own unit.
  for (let g = 0; g < vae.shape.reals && vae.shape.bits !== true; g++) fitReal(vae, rows, index, g);
  vae.fitted = true;
}

function fitCount(vae: Vae, rows: Rows, index: Int32Array, c: number): void {
  const C = vae.shape.counts;
  let excess = 0;
  let surplus = 0;
  let square = 0;
  for (const row of index) {
    const x = rows.counts[row * C + c]!;
    const offset = rows.offset[row * C + c]!;
    const mu = Math.exp(offset);
    excess += logExcess(x, offset) ** 2;
    surplus += (x - mu) ** 2 - mu;
    square += mu * mu;
  }
  vae.scales.count[c] = Math.max(LEAST_SCALE, Math.sqrt(excess / index.length));
  const [low, high] = ALPHA_RANGE;
  vae.weights.logAlpha[c] = Math.log(Math.min(high, Math.max(low, square > 0 ? surplus / square : low)));
}

function fitReal(vae: Vae, rows: Rows, index: Int32Array, g: number): void {
  const G = vae.shape.reals;
  let sum = 0;
  let square = 0;
  let weight = 0;
  for (const row of index) {
    const w = rows.realWeights[row * G + g]!;
    if (!(w > 0)) continue;
    sum += w * rows.reals[row * G + g]!;
    weight += w;
  }
  const mean = weight > 0 ? sum / weight : 0;
  for (const row of index) {
    const w = rows.realWeights[row * G + g]!;
    if (w > 0) square += w * (rows.reals[row * G + g]! - mean) ** 2;
  }
  vae.scales.realMean[g] = mean;
  const deviation = weight > 0 ? Math.sqrt(square / weight) : 0;
  vae.scales.real[g] = deviation > 0 ? deviation : 1;
}
