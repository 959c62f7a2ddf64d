import type { Vae } from "./vae.ts";

/** A network to begin with. columns: for each count of the new network the one that it is in the old; -1 for new ones. */
export type Parent = {
  readonly vae: Vae;
  readonly columns: Int32Array;
  /** True where the new network is to be this one, and nothing is trained. */
  readonly frozen?: boolean;
};

/** Finds the counts of a new network in an old one by their names. */
export function columnsIn(old: readonly string[], names: readonly string[]): Int32Array {
  const places = new Map(old.map((name, i) => [name, i]));
  return Int32Array.from(names, (name) => places.get(name) ?? -1);
}

/** Whether both have the same layers, numbers and conditions, so that weights mean the same. */
export function isAlike({ shape }: Vae, { vae }: Parent): boolean {
  const old = vae.shape;
  return (
    (["reals", "conditions", "hidden", "latent"] as const).every((width) => shape[width] === old[width]) &&
    shape.bits === old.bits &&
    vae.fitted
  );
}

/**
 * Takes over weights and scales of what both know, after the scales of new columns were learned. A new column begins neutral: the
 * encoder does not listen to it, and it is expected as its offset says. RangeError where the layers differ.
 */
export function inherit(vae: Vae, parent: Parent): void {
  if (!isAlike(vae, parent)) throw new RangeError("the networks' layers differ");
  const { counts: C, reals: G, conditions: S, hidden: H } = vae.shape;
  const { counts: oldC } = parent.vae.shape;
  const { weights: old, scales: oldScales } = parent.vae;
  const { weights, scales } = vae;
  /** Column (C + G + S) -> the old one's. */
  const from = (i: number): number => (i < C ? parent.columns[i]! : oldC + i - C);
  for (const name of ["encoderBias", "head", "headBias", "decoder", "decoderBias", "logVar"] as const)
    weights[name].set(old[name]);
  scales.realMean.set(oldScales.realMean);
  scales.real.set(oldScales.real);
  for (let i = 0; i < C + G + S; i++) {
    const row = weights.encoder.subarray(i * H, (i + 1) * H);
    if (from(i) < 0) row.fill(0);
    else row.set(old.encoder.subarray(from(i) * H, (from(i) + 1) * H));
  }
  const [W, oldW] = [C + G, oldC + G];
  for (let i = 0; i < W; i++) {
    for (let h = 0; h < H; h++) weights.output[h * W + i] = from(i) < 0 ? 0 : old.output[h * oldW + from(i)]!;
    weights.outputBias[i] = from(i) < 0 ? 0 : old.outputBias[from(i)]!;
  }
  for (let c = 0; c < C; c++) {
    if (from(c) < 0) continue;
    weights.logAlpha[c] = old.logAlpha[from(c)]!;
    scales.count[c] = oldScales.count[from(c)]!;
  }
}
