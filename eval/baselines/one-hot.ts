import { loadKernels } from "../../src/cli/kernels.ts";
import { createRandom } from "../../src/math/random.ts";
import { reconstruct } from "../../src/model/score.ts";
import { trainVae } from "../../src/model/train.ts";
import { createVae, type Rows } from "../../src/model/vae.ts";
import type { Lines } from "./lines.ts";

/** Lines that are learned from, drawn at random; more only repeat them. */
const SAMPLED = 20_000;
const HIDDEN = 32;
const LATENT = 8;
const SEED = 1;
const OPTIONS = {
  epochs: 20,
  batch: 64,
  learningRate: 2e-3,
  klWarmupEpochs: 0,
  beta: 1,
  maskRate: 0,
  seed: SEED,
} as const;
/** Share of training's lines below the line that is drawn. */
const QUANTILE = 0.999;

export type LineErrors = {
  /** Squared error of a line's reconstruction, by its template; the last is that of all templates that training did not have. */
  readonly errors: Float64Array;
  readonly fixed: number;
};

/**
 * The detector of blogs: each line by itself, its template as one bit of many, a Variational Autoencoder with a sigmoid at its
 * end, and a fixed line in the error of the reconstruction. The encoder knows no template that training did not have: such
 * a line is all zeros, as by scikit-learn's handle_unknown="ignore". What is all of a line is its template, so the errors
 * are one for each.
 */
export function oneHotErrors({ columns, trained, known }: Lines): LineErrors {
  const random = createRandom(SEED);
  const learned = Array.from({ length: Math.min(SAMPLED, trained) }, () => columns[random.int(trained)]!);
  const vae = createVae(
    { counts: 0, reals: known, conditions: 0, hidden: HIDDEN, latent: LATENT, bits: true },
    SEED,
    loadKernels(),
  );
  trainVae(vae, oneHot(learned, known), OPTIONS);
  const errors = new Float64Array(known + 1);
  for (let template = 0; template <= known; template++) {
    const { realMean: odds } = reconstruct(vae, oneHot([template], known));
    for (let j = 0; j < known; j++)
      errors[template]! += ((j === template ? 1 : 0) - 1 / (1 + Math.exp(-odds[j]!))) ** 2;
  }
  const ofLines = Float64Array.from({ length: trained }, (_, i) => errors[columns[i]!]!).sort();
  return { errors, fixed: ofLines[Math.floor(QUANTILE * trained)] ?? Number.POSITIVE_INFINITY };
}

/** A row for each template; one beyond the known ones is all zeros. */
function oneHot(templates: readonly number[], known: number): Rows {
  const reals = new Float32Array(templates.length * known);
  for (const [i, template] of templates.entries()) if (template < known) reals[i * known + template] = 1;
  const none = new Float32Array(0);
  return {
    n: templates.length,
    counts: none,
    reals,
    realWeights: new Float32Array(reals.length).fill(1),
    offset: none,
    conditions: none,
  };
}
