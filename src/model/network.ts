import { applyMask, floorOffsets, gatherRows, realInputs } from "../math/gather.ts";
import { drawLatent, klToUnitGaussian, latentBack } from "../math/gaussian-latent.ts";
import { bitLoss, bitLossBack, realLoss, realLossBack } from "../math/likelihood.ts";
import { MAX_BATCH, type Rows, type Vae } from "./vae.ts";

/**
 * Brings B rows, `start` on (through `index` where given), into the network's room: targets, offsets, and the
 * standardised input with the conditions behind it. The mask is not applied yet.
 */
export function load(vae: Vae, rows: Rows, index: Int32Array | undefined, start: number, B: number): void {
  const { counts: C, reals: G, conditions: S, latent: Z } = vae.shape;
  const { work, scales } = vae;
  const W = C + G + S;
  gatherRows(work.counts, rows.counts, index, start, B, C, C, 0);
  gatherRows(work.offset, rows.offset, index, start, B, C, C, 0);
  floorOffsets(work.offset, B * C);
  gatherRows(work.reals, rows.reals, index, start, B, G, G, 0);
  gatherRows(work.realWeights, rows.realWeights, index, start, B, G, G, 0);
  gatherRows(work.input, rows.conditions, index, start, B, S, W, C + G);
  gatherRows(work.latent, rows.conditions, index, start, B, S, Z + S, Z);
  if (rows.inputs !== undefined) gatherRows(work.input, rows.inputs, index, start, B, C, W, 0);
  else vae.heap.countInputs(work.input, work.counts, work.offset, scales.count, B, C, W);
  realInputs(work.input, work.reals, work.realWeights, scales.realMean, scales.real, B, G, W, C);
}

/** The rows with their inputs made: training loads each row once an epoch, and scales don't change in between. */
export function prepared(vae: Vae, rows: Rows): Rows {
  const C = vae.shape.counts;
  const W = C + vae.shape.reals + vae.shape.conditions;
  const inputs = new Float32Array(rows.n * C);
  for (let start = 0; start < rows.n; start += MAX_BATCH) {
    const B = Math.min(MAX_BATCH, rows.n - start);
    load(vae, rows, undefined, start, B);
    for (let b = 0; b < B; b++) inputs.set(vae.work.input.subarray(b * W, b * W + C), (start + b) * C);
  }
  return { ...rows, inputs };
}

/** Multiplies the inputs of the B loaded rows by work.mask (B, C + G). */
export function mask(vae: Vae, B: number): void {
  const D = vae.shape.counts + vae.shape.reals;
  applyMask(vae.work.input, vae.work.mask, B, D, D + vae.shape.conditions);
}

/** From loaded inputs to work.out (B, C + G) and work.head; latents are mu + work.noise times their deviation. */
export function forward(vae: Vae, B: number): void {
  const { counts: C, reals: G, conditions: S, hidden: H, latent: Z } = vae.shape;
  const { work, weights, heap } = vae;
  heap.matmul(work.hidden, work.input, weights.encoder, B, C + G + S, H);
  heap.addBias(work.hidden, weights.encoderBias, B, H);
  heap.squash(work.hidden, B * H);
  heap.matmul(work.head, work.hidden, weights.head, B, H, 2 * Z);
  heap.addBias(work.head, weights.headBias, B, 2 * Z);
  drawLatent(work.latent, work.head, work.noise, B, Z, Z + S);
  heap.matmul(work.decoded, work.latent, weights.decoder, B, Z + S, H);
  heap.addBias(work.decoded, weights.decoderBias, B, H);
  heap.squash(work.decoded, B * H);
  heap.matmul(work.out, work.decoded, weights.output, B, H, C + G);
  heap.addBias(work.out, weights.outputBias, B, C + G);
}

/** After `forward`: work.parts (B, C + G), the negative log-likelihood of each value, and work.kl (B), in nats. */
export function loss(vae: Vae, B: number): void {
  const { counts: C, reals: G, latent: Z } = vae.shape;
  const { work: w, weights, heap } = vae;
  heap.countLoss(w.parts, w.mean, w.spreads, w.counts, w.offset, w.out, weights.logAlpha, B, C, C + G);
  if (vae.shape.bits === true) bitLoss(w.parts, w.reals, w.realWeights, w.out, B, C, G);
  else realLoss(w.parts, w.reals, w.realWeights, w.out, weights.logVar, B, C, G);
  klToUnitGaussian(w.kl, w.head, B, Z);
}

/** After `loss`: the gradient of sum over rows of scale[b] * (parts + beta * kl), into vae.gradient. */
export function backward(vae: Vae, B: number, beta: number): void {
  const { counts: C, reals: G, conditions: S, hidden: H, latent: Z } = vae.shape;
  const { work: w, weights, gradient: d, heap } = vae;
  const W = C + G;
  heap.countLossBack(w.dOut, d.logAlpha, w.counts, w.mean, w.spreads, weights.logAlpha, w.scale, B, C, W);
  if (vae.shape.bits === true) bitLossBack(w.dOut, w.reals, w.realWeights, w.out, w.scale, B, C, G);
  else realLossBack(w.dOut, d.logVar, w.reals, w.realWeights, w.out, weights.logVar, w.scale, B, C, G);
  heap.matmulAt(d.output, w.decoded, w.dOut, H, B, W);
  heap.columnSums(d.outputBias, w.dOut, B, W);
  heap.matmulBt(w.dHidden, w.dOut, weights.output, B, W, H);
  heap.squashBack(w.dHidden, w.decoded, B * H);
  heap.matmulAt(d.decoder, w.latent, w.dHidden, Z + S, B, H);
  heap.columnSums(d.decoderBias, w.dHidden, B, H);
  heap.matmulBt(w.dLatent, w.dHidden, weights.decoder, B, H, Z + S);
  latentBack(w.dHead, w.dLatent, w.head, w.noise, w.scale, beta, B, Z, Z + S);
  heap.matmulAt(d.head, w.hidden, w.dHead, H, B, 2 * Z);
  heap.columnSums(d.headBias, w.dHead, B, 2 * Z);
  heap.matmulBt(w.dHidden, w.dHead, weights.head, B, 2 * Z, H);
  heap.squashBack(w.dHidden, w.hidden, B * H);
  heap.matmulAt(d.encoder, w.input, w.dHidden, W + S, B, H);
  heap.columnSums(d.encoderBias, w.dHidden, B, H);
}

/** Sum over the B rows of scale[b] * (parts + beta * kl), in nats. */
export function weightedLoss(vae: Vae, B: number, beta: number): number {
  const W = vae.shape.counts + vae.shape.reals;
  const { parts, kl, scale } = vae.work;
  let total = 0;
  for (let b = 0; b < B; b++) {
    let row = beta * kl[b]!;
    for (let i = b * W; i < (b + 1) * W; i++) row += parts[i]!;
    total += scale[b]! * row;
  }
  return total;
}
