import { logGamma } from "../math/negative-binomial.ts";
import { DOUBLE, FLOAT, type OnnxGraph } from "./onnx-graph.ts";
import type { Vae } from "./vae.ts";

/**
 * What model/network.ts and math/likelihood.ts compute, as nodes of an ONNX graph. The layers are float32 as ours are; standardising
 * and likelihoods are float64, since float32 has no digits left for a difference of two log gammas.
 */

/** Of math/gather.ts and math/likelihood.ts; test/model/onnx.test.ts holds both sides together. */
const INPUT_LIMIT = 5;
const TARGET_LIMIT = 50;
const LEAST_OFFSET = -15;
const LOG_MEAN_LIMIT = 25;
const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);
/** Steps up before Stirling's series: its error is then below 1e-9. */
const STIRLING_SHIFT = 8;
/** Coefficients of 1/y, 1/y^3, 1/y^5. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260] as const;

/** Adds the nodes of one network, in the order in which model/network.ts computes. */
export class OnnxNetwork {
  readonly #graph: OnnxGraph;
  readonly #vae: Vae;

  constructor(graph: OnnxGraph, vae: Vae) {
    this.#graph = graph;
    this.#vae = vae;
  }

  /** Names of the values behind the output ports. */
  outputs(): Record<string, string> {
    const { counts: C, reals: G } = this.#vae.shape;
    const offset = C > 0 ? this.#offset() : "";
    const reals = G > 0 ? this.#standardised() : "";
    const { mean, logVar, decoded } = this.#layers(this.#seen(offset, reals));
    const values: Record<string, string> = { latent_mean: mean, latent_log_var: logVar };
    const parts: string[] = [];
    if (C > 0) {
      const logMean = this.#op("Add", offset, this.#head("output", decoded, 0, C));
      const nll = this.#countLoss(logMean);
      parts.push(nll);
      values["log_mean"] = logMean;
      values["count_nll"] = this.#float(nll);
      values["dispersion"] = this.#graph.floats("alpha", this.#alphas(), [C]);
    }
    if (G > 0) {
      const out = this.#head("output", decoded, C, G);
      const nll = this.#realLoss(reals, out);
      parts.push(nll);
      values["real_mean"] = this.#realMean(out);
      values["real_nll"] = this.#float(nll);
      values["real_deviation"] = this.#graph.floats("real_deviations", this.#deviations(), [G]);
    }
    const kl = this.#kl(mean, logVar);
    const score = parts
      .map((part) => this.#rowSum(part))
      .reduce((sum, part) => this.#op("Add", sum, part), kl);
    return { ...values, kl: this.#float(kl), score: this.#float(score) };
  }

  #op(type: string, ...inputs: string[]): string {
    return this.#graph.op(type, inputs);
  }

  #number(value: number): string {
    return this.#graph.double(value);
  }

  #cast(value: string, to: number): string {
    return this.#graph.op("Cast", [value], undefined, { to });
  }

  #float(value: string): string {
    return this.#cast(value, FLOAT);
  }

  #double(value: string): string {
    return this.#cast(value, DOUBLE);
  }

  #clip(value: string, limit: number): string {
    return this.#op("Clip", value, this.#number(-limit), this.#number(limit));
  }

  #rowSum(value: string): string {
    return this.#graph.op("ReduceSum", [value, this.#lastAxis()], undefined, { keepdims: 0 });
  }

  #axis: string | undefined;
  #lastAxis(): string {
    this.#axis ??= this.#graph.ints("last_axis", [1]);
    return this.#axis;
  }

  /** floorOffsets: also for minus infinity and NaN. float32. */
  #offset(): string {
    const least = this.#graph.floats("least_offset", [LEAST_OFFSET], []);
    return this.#op("Where", this.#op("Greater", "offset", least), "offset", least);
  }

  /** realInputs: reals in standard deviations, 0 where missing. float32, since ours are kept so. */
  #standardised(): string {
    const { scales, shape } = this.#vae;
    const mean = this.#graph.doubles("real_mean_of_training", scales.realMean, [shape.reals]);
    const scale = this.#graph.doubles("real_scale", scales.real, [shape.reals]);
    const rest = this.#op("Div", this.#op("Sub", this.#double("reals"), mean), scale);
    return this.#float(this.#op("Where", this.#known(), this.#clip(rest, TARGET_LIMIT), this.#number(0)));
  }

  #isKnown: string | undefined;
  /** Where real_weights is above 0. */
  #known(): string {
    this.#isKnown ??= this.#op("Greater", "real_weights", this.#graph.floats("zero", [0], []));
    return this.#isKnown;
  }

  /** countInputs and applyMask: what the encoder sees, (batch, C + G + S). */
  #seen(offset: string, reals: string): string {
    const { scales, shape } = this.#vae;
    const values: string[] = [];
    if (shape.counts > 0) {
      const one = this.#number(1);
      const counted = this.#op("Log", this.#op("Add", this.#double("counts"), one));
      const expected = this.#op("Log", this.#op("Add", this.#op("Exp", this.#double(offset)), one));
      const scale = this.#graph.doubles("count_scale", scales.count, [shape.counts]);
      const excess = this.#op("Div", this.#op("Sub", counted, expected), scale);
      values.push(this.#float(this.#clip(excess, INPUT_LIMIT)));
    }
    if (shape.reals > 0) values.push(this.#float(this.#clip(this.#double(reals), INPUT_LIMIT)));
    return this.#withConditions(this.#op("Mul", this.#concat(values), "mask"));
  }

  #concat(values: readonly string[]): string {
    return values.length === 1 ? values[0]! : this.#graph.op("Concat", values, undefined, { axis: 1 });
  }

  #withConditions(value: string): string {
    return this.#vae.shape.conditions > 0 ? this.#concat([value, "conditions"]) : value;
  }

  #layers(input: string): { mean: string; logVar: string; decoded: string } {
    const { latent: Z } = this.#vae.shape;
    const hidden = this.#squash(this.#dense("encoder", input));
    const mean = this.#head("head", hidden, 0, Z);
    const logVar = this.#head("head", hidden, Z, Z);
    return { mean, logVar, decoded: this.#squash(this.#dense("decoder", this.#withConditions(mean))) };
  }

  #dense(layer: "encoder" | "decoder", input: string): string {
    const { weights, shape } = this.#vae;
    const H = shape.hidden;
    const matrix = weights[layer];
    return this.#op(
      "Gemm",
      input,
      this.#graph.floats(`${layer}_weights`, matrix, [matrix.length / H, H]),
      this.#graph.floats(`${layer}_bias`, weights[`${layer}Bias`], [H]),
    );
  }

  /** Columns from ... from + n - 1 of a layer that has several kinds of outputs. */
  #head(layer: "head" | "output", input: string, from: number, n: number): string {
    const { weights, shape } = this.#vae;
    const bias = weights[`${layer}Bias`];
    const W = bias.length;
    const part = Float32Array.from(
      { length: shape.hidden * n },
      (_, i) => weights[layer][Math.floor(i / n) * W + from + (i % n)]!,
    );
    return this.#op(
      "Gemm",
      input,
      this.#graph.floats(`${layer}_weights_${from}`, part, [shape.hidden, n]),
      this.#graph.floats(`${layer}_bias_${from}`, bias.subarray(from, from + n), [n]),
    );
  }

  #one: string | undefined;
  /** math/activation.ts: x / sqrt(1 + x^2). */
  #squash(x: string): string {
    this.#one ??= this.#graph.floats("one", [1], []);
    return this.#op("Div", x, this.#op("Sqrt", this.#op("Add", this.#op("Mul", x, x), this.#one)));
  }

  #alphas(): Float64Array {
    return Float64Array.from(this.#vae.weights.logAlpha, (a) => Math.exp(a));
  }

  #deviations(): Float64Array {
    const { scales, weights } = this.#vae;
    return Float64Array.from(weights.logVar, (v, g) => scales.real[g]! * Math.exp(0.5 * v));
  }

  /**
   * countLoss. With r = 1/alpha and spread = ln(1 + alpha mu):
   *
   *     r spread + x (spread - ln mu) - ( lnG(x + r) - lnG(r) + x ln alpha ) + lnG(x + 1)
   */
  #countLoss(logMean: string): string {
    const { counts: C } = this.#vae.shape;
    const alphas = this.#alphas();
    const constant = (name: string, of: (alpha: number) => number): string =>
      this.#graph.doubles(name, alphas.map(of), [C]);
    const r = constant("inverse_alpha", (a) => 1 / a);
    const x = this.#double("counts");
    const log = this.#clip(this.#double(logMean), LOG_MEAN_LIMIT);
    const alphaMu = this.#op(
      "Mul",
      constant("alpha_double", (a) => a),
      this.#op("Exp", log),
    );
    const spread = this.#op("Log", this.#op("Add", alphaMu, this.#number(1)));
    const logAlpha = constant("log_alpha", Math.log);
    const slope = this.#op("Sub", this.#op("Sub", spread, log), logAlpha);
    const rising = this.#op(
      "Sub",
      this.#logGamma(this.#op("Add", x, r)),
      constant("log_gamma_inverse_alpha", (a) => logGamma(1 / a)),
    );
    const factorial = this.#logGamma(this.#op("Add", x, this.#number(1)));
    const linear = this.#op("Add", this.#op("Mul", r, spread), this.#op("Mul", x, slope));
    return this.#op("Add", linear, this.#op("Sub", factorial, rising));
  }

  /**
   * ln Gamma(x), x > 0, to about 1e-9, by Stirling's series at y = x + 8:
   *
   *     lnG(x) = lnG(y) - ln( x (x + 1) ... (x + 7) )
   *
   * Source: Abramowitz & Stegun 6.1.15 and 6.1.41.
   */
  #logGamma(x: string): string {
    let product = x;
    for (let k = 1; k < STIRLING_SHIFT; k++)
      product = this.#op("Mul", product, this.#op("Add", x, this.#number(k)));
    const y = this.#op("Add", x, this.#number(STIRLING_SHIFT));
    const u = this.#op("Div", this.#number(1), y);
    const square = this.#op("Mul", u, u);
    let series = this.#number(STIRLING.at(-1)!);
    for (const c of STIRLING.slice(0, -1).reverse())
      series = this.#op("Add", this.#op("Mul", series, square), this.#number(c));
    const power = this.#op("Mul", this.#op("Sub", y, this.#number(0.5)), this.#op("Log", y));
    const stirling = this.#op("Add", this.#op("Sub", power, y), this.#op("Mul", series, u));
    return this.#op(
      "Add",
      this.#op("Sub", stirling, this.#op("Log", product)),
      this.#number(HALF_LOG_TWO_PI),
    );
  }

  /** realLoss, of standardised reals about standardised means. */
  #realLoss(reals: string, out: string): string {
    const { weights, shape } = this.#vae;
    const constant = (name: string, of: (logVar: number) => number): string =>
      this.#graph.doubles(name, Float64Array.from(weights.logVar, of), [shape.reals]);
    const rest = this.#op("Sub", this.#double(reals), this.#double(out));
    const squares = this.#op(
      "Mul",
      this.#op("Mul", rest, rest),
      constant("half_precision", (v) => 0.5 * Math.exp(-v)),
    );
    const loss = this.#op(
      "Add",
      squares,
      constant("log_normaliser", (v) => HALF_LOG_TWO_PI + 0.5 * v),
    );
    const weighted = this.#op("Mul", loss, this.#double("real_weights"));
    return this.#op("Where", this.#known(), weighted, this.#number(0));
  }

  #realMean(out: string): string {
    const { scales, shape } = this.#vae;
    const scale = this.#graph.floats("real_scale_float", scales.real, [shape.reals]);
    const mean = this.#graph.floats("real_mean_float", scales.realMean, [shape.reals]);
    return this.#op("Add", this.#op("Mul", out, scale), mean);
  }

  /** klToUnitGaussian, (batch), in double. */
  #kl(mean: string, logVar: string): string {
    const mu = this.#double(mean);
    const v = this.#double(logVar);
    const surplus = this.#op("Sub", this.#op("Sub", this.#op("Exp", v), this.#number(1)), v);
    const sum = this.#rowSum(this.#op("Add", this.#op("Mul", mu, mu), surplus));
    return this.#op("Mul", sum, this.#number(0.5));
  }
}
