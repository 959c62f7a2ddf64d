import type { Floats } from "../math/floats.ts";
import { createRandom } from "../math/random.ts";
import { type Heap, type Kernels, PLAIN } from "./kernels.ts";

/** Rows worked on at once, and the largest batch of a training. */
export const MAX_BATCH = 256;
/** Overdispersion before any training: a spread of about a third of the mean. */
const FIRST_LOG_ALPHA = Math.log(0.1);
/** Share of the usual spread that output weights start from, so that a fresh network says nearly the expectation. */
const OUTPUT_SHARE = 0.1;

/** Columns and layer widths of a network; each at least 0, `hidden` and `latent` at least 1. */
export type VaeShape = {
  readonly counts: number;
  readonly reals: number;
  readonly conditions: number;
  readonly hidden: number;
  readonly latent: number;
  /** True when the reals are bits, 0 or 1, with a Bernoulli likelihood instead of the Gaussian one. */
  readonly bits?: true;
};

/** Rows to learn or score. All arrays row-major; n rows each. */
export type Rows = {
  readonly n: number;
  /** (n, C) counts, whole numbers from 0. */
  readonly counts: Float32Array;
  /** (n, G) numbers in any unit; unread where its weight is 0. */
  readonly reals: Float32Array;
  /** (n, G) from 0 (missing) to 1. */
  readonly realWeights: Float32Array;
  /** (n, C) natural log of the expected mean of each count. */
  readonly offset: Float32Array;
  /** (n, S) what the row is conditioned on, of order 1: time of day as sine and cosine, and the like. */
  readonly conditions: Float32Array;
  /** (n) weight of each row in training; 1 when absent. Scores do not depend on it. */
  readonly rowWeights?: Float32Array;
  /** (n, C) what the encoder gets of each count, where that was made before; see network.ts. */
  readonly inputs?: Float32Array;
};

/** Where each tensor lies in the flat array of weights, in this order. */
export type Weights = {
  readonly encoder: Floats; // (C + G + S, H)
  readonly encoderBias: Floats; // (H)
  readonly head: Floats; // (H, 2 Z): mu, then log variance
  readonly headBias: Floats; // (2 Z)
  readonly decoder: Floats; // (Z + S, H)
  readonly decoderBias: Floats; // (H)
  readonly output: Floats; // (H, C + G): log mean above the offset, then standardised mean
  readonly outputBias: Floats; // (C + G)
  readonly logAlpha: Floats; // (C) ln of alpha, variance mu + alpha mu^2
  readonly logVar: Floats; // (G) ln of the variance of standardised reals
};

/** What the network standardises by, learned from the first rows it trains on. */
export type Scales = { readonly count: Floats; readonly realMean: Floats; readonly real: Floats };

/** Room for one batch; every array is sized for MAX_BATCH rows. */
export type Work = {
  readonly counts: Floats;
  readonly reals: Floats;
  readonly realWeights: Floats;
  readonly offset: Floats;
  readonly input: Floats;
  readonly hidden: Floats;
  readonly head: Floats;
  readonly noise: Floats;
  readonly latent: Floats;
  readonly decoded: Floats;
  readonly out: Floats;
  readonly parts: Floats;
  readonly mean: Floats;
  readonly spreads: Floats;
  readonly kl: Floats;
  readonly mask: Floats;
  readonly scale: Floats;
  readonly dOut: Floats;
  readonly dHidden: Floats;
  readonly dLatent: Floats;
  readonly dHead: Floats;
};

/** A variational autoencoder of count and real columns, with its memory. */
export type Vae = {
  readonly shape: VaeShape;
  readonly kernels: string;
  readonly heap: Heap;
  readonly flat: Floats;
  readonly weights: Weights;
  readonly gradientFlat: Floats;
  readonly gradient: Weights;
  readonly adamMean: Floats;
  readonly adamSquare: Floats;
  readonly scales: Scales;
  readonly work: Work;
  /** Family of each column (C + G), for hiding whole families; undefined until a training names them. */
  families: Int32Array | undefined;
  /** True once scales and alphas have been learned; a later training keeps its scales. */
  fitted: boolean;
};

const TENSORS = [
  "encoder",
  "encoderBias",
  "head",
  "headBias",
  "decoder",
  "decoderBias",
  "output",
  "outputBias",
  "logAlpha",
  "logVar",
] as const satisfies readonly (keyof Weights)[];

/** Length of each tensor, in the order of TENSORS. */
function sizes(shape: VaeShape): number[] {
  const { counts: C, reals: G, conditions: S, hidden: H, latent: Z } = shape;
  const W = C + G;
  return [(W + S) * H, H, H * 2 * Z, 2 * Z, (Z + S) * H, H, H * W, W, C, G];
}

/** How many weights a network of this shape has. */
export const weightCount = (shape: VaeShape): number => sizes(shape).reduce((sum, n) => sum + n, 0);

function slice(flat: Floats, shape: VaeShape): Weights {
  let at = 0;
  const views = sizes(shape).map((n) => {
    at += n;
    return flat.subarray(at - n, at);
  });
  return Object.fromEntries(TENSORS.map((name, i) => [name, views[i]])) as Weights;
}

function workWidths(shape: VaeShape): Record<keyof Work, number> {
  const { counts: C, reals: G, conditions: S, hidden: H, latent: Z } = shape;
  const W = C + G;
  return {
    counts: C,
    reals: G,
    realWeights: G,
    offset: C,
    input: W + S,
    hidden: H,
    head: 2 * Z,
    noise: Z,
    latent: Z + S,
    decoded: H,
    out: W,
    parts: W,
    mean: C,
    spreads: C,
    kl: 1,
    mask: W,
    scale: 1,
    dOut: W,
    dHidden: H,
    dLatent: Z + S,
    dHead: 2 * Z,
  };
}

function checkShape(shape: VaeShape): void {
  const all = [shape.counts, shape.reals, shape.conditions, shape.hidden, shape.latent];
  if (!all.every((n) => Number.isInteger(n) && n >= 0) || shape.hidden < 1 || shape.latent < 1)
    throw new RangeError(`shape of a network: ${all.join(", ")}`);
}

/** A network with random weights from `seed`. RangeError for a shape that is not whole numbers. */
export function createVae(shape: VaeShape, seed: number, kernels: Kernels = PLAIN): Vae {
  checkShape(shape);
  const P = weightCount(shape);
  const widths = workWidths(shape);
  const row = Object.values(widths).reduce((sum, n) => sum + n, 0);
  const widest = Math.max(...Object.values(widths), MAX_BATCH);
  const heap = kernels.open(
    4 * P + MAX_BATCH * row + shape.counts + 2 * shape.reals,
    Object.keys(widths).length + 7,
    2 * (widest + 8) * (widest + 8),
  );
  const flat = heap.alloc(P);
  const gradientFlat = heap.alloc(P);
  const work = Object.fromEntries(
    Object.entries(widths).map(([name, width]) => [name, heap.alloc(MAX_BATCH * width)]),
  ) as Work;
  const vae: Vae = {
    shape,
    kernels: kernels.name,
    heap,
    flat,
    weights: slice(flat, shape),
    gradientFlat,
    gradient: slice(gradientFlat, shape),
    adamMean: heap.alloc(P),
    adamSquare: heap.alloc(P),
    scales: {
      count: heap.alloc(shape.counts).fill(1),
      realMean: heap.alloc(shape.reals),
      real: heap.alloc(shape.reals).fill(1),
    },
    work,
    families: undefined,
    fitted: false,
  };
  initialise(vae.weights, shape, seed);
  return vae;
}

/** Normal weights of variance 1 / inputs; biases zero. Source: LeCun et al., "Efficient BackProp" (1998), 4.6. */
function initialise(weights: Weights, shape: VaeShape, seed: number): void {
  const random = createRandom(seed);
  const { counts, reals, conditions, hidden, latent } = shape;
  const fill = (tensor: Floats, inputs: number, share: number): void => {
    const spread = share / Math.sqrt(Math.max(1, inputs));
    for (let i = 0; i < tensor.length; i++) tensor[i] = spread * random.normal();
  };
  fill(weights.encoder, counts + reals + conditions, 1);
  fill(weights.head, hidden, 1);
  fill(weights.decoder, latent + conditions, 1);
  fill(weights.output, hidden, OUTPUT_SHARE);
  weights.logAlpha.fill(FIRST_LOG_ALPHA);
}

/** Overdispersion alpha of each count column (C): variance mu + alpha mu^2. */
export function dispersion(vae: Vae): Float32Array {
  return Float32Array.from(vae.weights.logAlpha, (a) => Math.exp(a));
}

/** RangeError unless every array of `rows` has the length that the shape asks for. */
export function checkRows(shape: VaeShape, rows: Rows): void {
  const { n } = rows;
  const want = (name: string, array: Float32Array, width: number): void => {
    if (array.length !== n * width)
      throw new RangeError(`${name}: ${array.length} numbers for ${n} rows of ${width}`);
  };
  want("counts", rows.counts, shape.counts);
  want("reals", rows.reals, shape.reals);
  want("realWeights", rows.realWeights, shape.reals);
  want("offset", rows.offset, shape.counts);
  want("conditions", rows.conditions, shape.conditions);
  if (rows.rowWeights !== undefined) want("rowWeights", rows.rowWeights, 1);
  if (rows.inputs !== undefined) want("inputs", rows.inputs, shape.counts);
}
