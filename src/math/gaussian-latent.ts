import type { Floats } from "./floats.ts";

/**
 * KL divergence of the encoder's diagonal Gaussian from the unit prior, per row, in nats.
 *
 *     out[b] = 1/2 * sum over z of ( mu^2 + exp(logVar) - 1 - logVar )
 *
 * head: (B, 2 Z) row-major, mu then logVar.  out: (B).  At least 0, up to rounding.
 * Source: Kingma & Welling, "Auto-Encoding Variational Bayes" (2014), appendix B.
 */
export function klToUnitGaussian(out: Floats, head: Floats, B: number, Z: number): void {
  for (let b = 0; b < B; b++) {
    let sum = 0;
    for (let z = 0, i = 2 * b * Z; z < Z; z++, i++) {
      const logVar = head[i + Z];
      sum += head[i] * head[i] + Math.expm1(logVar) - logVar; // expm1 keeps digits near logVar = 0
    }
    out[b] = 0.5 * sum;
  }
}

/** latent[b, z] = mu + noise exp(logVar / 2). head: (B, 2 Z). noise: (B, Z). latent: (B, W), its first Z columns. */
export function drawLatent(
  latent: Floats,
  head: Floats,
  noise: Floats,
  B: number,
  Z: number,
  W: number,
): void {
  for (let b = 0; b < B; b++)
    for (let z = 0; z < Z; z++) {
      const i = 2 * b * Z + z;
      const e = noise[b * Z + z];
      latent[b * W + z] = e === 0 ? head[i] : head[i] + e * Math.exp(0.5 * head[i + Z]);
    }
}

/**
 * Gradient by the encoder's head of the rest of the loss, handed back through `drawLatent`, plus that of
 * beta * scale[b] * KL. dHead: (B, 2 Z). dLatent: (B, W), its first Z columns.
 */
export function latentBack(
  dHead: Floats,
  dLatent: Floats,
  head: Floats,
  noise: Floats,
  scale: Floats,
  beta: number,
  B: number,
  Z: number,
  W: number,
): void {
  for (let b = 0; b < B; b++) {
    const pull = beta * scale[b];
    for (let z = 0; z < Z; z++) {
      const i = 2 * b * Z + z;
      const d = dLatent[b * W + z];
      const logVar = head[i + Z];
      dHead[i] = d + pull * head[i];
      dHead[i + Z] = 0.5 * (d * noise[b * Z + z] * Math.exp(0.5 * logVar) + pull * Math.expm1(logVar));
    }
  }
}
