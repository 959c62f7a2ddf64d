import { forward, load, loss, mask } from "./network.ts";
import { checkRows, MAX_BATCH, type Rows, type Vae } from "./vae.ts";

/** Runs every row through the network, latents at their posterior mean, and calls `visit` for each batch. */
function sweep(
  vae: Vae,
  rows: Rows,
  index: Int32Array | undefined,
  hiddenFamily: number | undefined,
  visit: (start: number, B: number) => void,
): void {
  checkRows(vae.shape, rows);
  const n = index?.length ?? rows.n;
  vae.work.noise.fill(0, 0, Math.min(n, MAX_BATCH) * vae.shape.latent);
  if (hiddenFamily !== undefined) maskFamily(vae, hiddenFamily, Math.min(n, MAX_BATCH));
  for (let start = 0; start < n; start += MAX_BATCH) {
    const B = Math.min(MAX_BATCH, n - start);
    load(vae, rows, index, start, B);
    if (hiddenFamily !== undefined) mask(vae, B);
    forward(vae, B);
    visit(start, B);
  }
}

function maskFamily(vae: Vae, family: number, B: number): void {
  const W = vae.shape.counts + vae.shape.reals;
  if (vae.families === undefined) throw new RangeError("this network was trained without families");
  for (let b = 0; b < B; b++)
    for (let i = 0; i < W; i++) vae.work.mask[b * W + i] = vae.families[i] === family ? 0 : 1;
}

/**
 * Negative evidence lower bound of each row (or of each row that `index` names), in nats, so that it rises with
 * strangeness: the negative log-likelihood at the posterior mean plus the KL divergence. Depends on the row alone.
 * counted: (C + G) 1 for values whose likelihood counts, 0 for others; all when absent.
 */
export function elbo(vae: Vae, rows: Rows, index?: Int32Array, counted?: Uint8Array): Float64Array {
  const W = vae.shape.counts + vae.shape.reals;
  const out = new Float64Array(index?.length ?? rows.n);
  sweep(vae, rows, index, undefined, (start, B) => {
    loss(vae, B);
    for (let b = 0; b < B; b++) {
      let sum = vae.work.kl[b]!;
      for (let i = 0; i < W; i++)
        if (counted === undefined || counted[i] === 1) sum += vae.work.parts[b * W + i]!;
      out[start + b] = sum;
    }
  });
  return out;
}

/**
 * Negative log-likelihood of each value (n, C + G), counts then reals, in nats; reals in their standardised unit.
 * With `hiddenFamily` that family's columns are told from the others alone.
 */
export function rowParts(vae: Vae, rows: Rows, hiddenFamily?: number): Float32Array {
  const W = vae.shape.counts + vae.shape.reals;
  const out = new Float32Array(rows.n * W);
  sweep(vae, rows, undefined, hiddenFamily, (start, B) => {
    loss(vae, B);
    out.set(vae.work.parts.subarray(0, B * W), start * W);
  });
  return out;
}

/** What the network expects of a row: natural log of each count's mean (n, C), and each real's mean (n, G) in its own unit. */
export type Reconstruction = { readonly logMean: Float32Array; readonly realMean: Float32Array };

/**
 * Expectation of each row at its posterior mean. A `hiddenFamily` is kept from the encoder, so that its columns are
 * expected from the others and the conditions alone. RangeError when the network knows no families.
 */
export function reconstruct(vae: Vae, rows: Rows, hiddenFamily?: number): Reconstruction {
  const { counts: C, reals: G } = vae.shape;
  const logMean = new Float32Array(rows.n * C);
  const realMean = new Float32Array(rows.n * G);
  const { out, offset } = vae.work;
  sweep(vae, rows, undefined, hiddenFamily, (start, B) => {
    for (let b = 0; b < B; b++) {
      for (let c = 0; c < C; c++) logMean[(start + b) * C + c] = offset[b * C + c]! + out[b * (C + G) + c]!;
      for (let g = 0; g < G; g++)
        realMean[(start + b) * G + g] =
          vae.scales.realMean[g]! + vae.scales.real[g]! * out[b * (C + G) + C + g]!;
    }
  });
  return { logMean, realMean };
}
