import type { Floats } from "./floats.ts";
import { logFactorial } from "./logs.ts";
import { logGamma } from "./negative-binomial.ts";

/** Log-means are held within this, far outside any real count and inside what exp can take; the gradient goes on as if not. */
const LOG_MEAN_LIMIT = 25;
/** Up to this count the ratio of gamma functions is summed term by term: exact, and faster than two logGammas. */
const SUMMED_COUNTS = 16;
const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** Derivative of logGamma, x > 0, to about 1e-12. Source: Abramowitz & Stegun 6.3.5 and 6.3.18. */
export function digamma(x: number): number {
  let sum = 0;
  let y = x;
  for (; y < 10; y++) sum -= 1 / y;
  const u = 1 / (y * y);
  const series = u * (1 / 12 - u * (1 / 120 - u * (1 / 252 - u * (1 / 240 - u * (1 / 132)))));
  return sum + Math.log(y) - 0.5 / y - series;
}

/** ln Gamma(x + r) - ln Gamma(r) + x ln alpha, with r = 1/alpha; x at least 0. */
function logRising(x: number, alpha: number): number {
  if (x <= SUMMED_COUNTS && x === Math.floor(x)) {
    let product = 1; // below 1e77 even at alpha = e^4 and 16 terms
    for (let i = 1; i < x; i++) product *= 1 + i * alpha;
    return Math.log(product);
  }
  const r = 1 / alpha;
  return logGamma(x + r) - logGamma(r) + x * Math.log(alpha);
}

/** Derivative of `logRising` by ln alpha. */
function logRisingSlope(x: number, alpha: number): number {
  if (x <= SUMMED_COUNTS && x === Math.floor(x)) {
    let sum = 0;
    for (let i = 1; i < x; i++) sum += (i * alpha) / (1 + i * alpha);
    return sum;
  }
  const r = 1 / alpha;
  return x - r * (digamma(x + r) - digamma(r));
}

const clamp = (x: number, limit: number): number => (x > limit ? limit : x < -limit ? -limit : x);

/**
 * Negative log-likelihood of counts under negative binomials of variance mu + alpha mu^2, in nats, at least 0:
 *
 *     parts[b, c] = -( lnG(x + r) - lnG(r) - lnG(x + 1) + x ln(alpha mu) - (x + r) ln(1 + alpha mu) ),  r = 1/alpha
 *     ln mu       = offset[b, c] + out[b, c], held within LOG_MEAN_LIMIT
 *
 * counts, offset: (B, C). logAlpha: (C). out, parts: (B, W), of which the first C columns are used.
 * mean and spreads, (B, C), receive mu and ln(1 + alpha mu) for the gradient.
 * Source: Hilbe, Negative Binomial Regression (2011), NB2.
 */
export function countLoss(
  parts: Floats,
  mean: Floats,
  spreads: Floats,
  counts: Floats,
  offset: Floats,
  out: Floats,
  logAlpha: Floats,
  B: number,
  C: number,
  W: number,
): void {
  for (let c = 0; c < C; c++) {
    const alpha = Math.exp(logAlpha[c]);
    for (let b = 0; b < B; b++) {
      const x = counts[b * C + c];
      const logMean = clamp(offset[b * C + c] + out[b * W + c], LOG_MEAN_LIMIT);
      const mu = Math.exp(logMean);
      const spread = Math.log1p(alpha * mu);
      mean[b * C + c] = mu;
      spreads[b * C + c] = spread;
      let loss = spread / alpha;
      if (x > 0) loss += x * (spread - logMean) - logRising(x, alpha) + logFactorial(x);
      parts[b * W + c] = loss;
    }
  }
}

/**
 * Gradient of `countLoss`, each row times scale[b]: by `out` into dOut (B, W), by ln alpha into dLogAlpha (C).
 * mean, spreads: (B, C) as `countLoss` left them.
 */
export function countLossBack(
  dOut: Floats,
  dLogAlpha: Floats,
  counts: Floats,
  mean: Floats,
  spreads: Floats,
  logAlpha: Floats,
  scale: Floats,
  B: number,
  C: number,
  W: number,
): void {
  for (let c = 0; c < C; c++) {
    const alpha = Math.exp(logAlpha[c]);
    let sum = 0;
    for (let b = 0; b < B; b++) {
      const x = counts[b * C + c];
      const mu = mean[b * C + c];
      const share = (alpha * mu) / (1 + alpha * mu);
      dOut[b * W + c] = (scale[b] * (mu - x)) / (1 + alpha * mu);
      let slope = (x + 1 / alpha) * share - spreads[b * C + c] / alpha;
      if (x > 1) slope -= logRisingSlope(x, alpha);
      sum += scale[b] * slope;
    }
    dLogAlpha[c] = sum;
  }
}

/**
 * Negative log-likelihood of reals under Gaussians, in nats, each value times its weight (0 = missing, value unread):
 *
 *     parts[b, C + g] = weight * 1/2 ( ln 2 pi + logVar[g] + (x - out[b, C + g])^2 / exp(logVar[g]) )
 *
 * reals, weights: (B, G). logVar: (G). out, parts: (B, C + G), of which the last G columns are used.
 */
export function realLoss(
  parts: Floats,
  reals: Floats,
  weights: Floats,
  out: Floats,
  logVar: Floats,
  B: number,
  C: number,
  G: number,
): void {
  const W = C + G;
  for (let g = 0; g < G; g++) {
    const precision = Math.exp(-logVar[g]);
    for (let b = 0; b < B; b++) {
      const rest = reals[b * G + g] - out[b * W + C + g];
      const loss = HALF_LOG_TWO_PI + 0.5 * (logVar[g] + rest * rest * precision);
      parts[b * W + C + g] = weights[b * G + g] > 0 ? weights[b * G + g] * loss : 0;
    }
  }
}

/** Gradient of `realLoss`, each row times scale[b]: by `out` into dOut (B, C + G), by logVar into dLogVar (G). */
export function realLossBack(
  dOut: Floats,
  dLogVar: Floats,
  reals: Floats,
  weights: Floats,
  out: Floats,
  logVar: Floats,
  scale: Floats,
  B: number,
  C: number,
  G: number,
): void {
  const W = C + G;
  for (let g = 0; g < G; g++) {
    const precision = Math.exp(-logVar[g]);
    let sum = 0;
    for (let b = 0; b < B; b++) {
      const weight = weights[b * G + g] > 0 ? scale[b] * weights[b * G + g] : 0;
      const rest = weight === 0 ? 0 : reals[b * G + g] - out[b * W + C + g];
      dOut[b * W + C + g] = -weight * rest * precision;
      sum += 0.5 * weight * (1 - rest * rest * precision);
    }
    dLogVar[g] = sum;
  }
}

/**
 * Negative log-likelihood of bits under Bernoulli distributions given by log-odds, in nats, times the value's weight:
 *
 *     parts[b, C + g] = weight * ( ln(1 + exp(out[b, C + g])) - x * out[b, C + g] )
 *
 * bits, weights: (B, G), bits 0 or 1, unread where the weight is 0. out, parts: (B, C + G), of which the last G columns are used.
 */
export function bitLoss(
  parts: Floats,
  bits: Floats,
  weights: Floats,
  out: Floats,
  B: number,
  C: number,
  G: number,
): void {
  const W = C + G;
  for (let b = 0; b < B; b++) {
    for (let g = 0; g < G; g++) {
      const at = b * W + C + g;
      const weight = weights[b * G + g];
      parts[at] = weight > 0 ? weight * (softplus(out[at]) - bits[b * G + g] * out[at]) : 0;
    }
  }
}

/** Gradient of `bitLoss` by `out`, each row times scale[b], into dOut (B, C + G). */
export function bitLossBack(
  dOut: Floats,
  bits: Floats,
  weights: Floats,
  out: Floats,
  scale: Floats,
  B: number,
  C: number,
  G: number,
): void {
  const W = C + G;
  for (let b = 0; b < B; b++) {
    for (let g = 0; g < G; g++) {
      const at = b * W + C + g;
      const weight = weights[b * G + g];
      dOut[at] = weight > 0 ? scale[b] * weight * (1 / (1 + Math.exp(-out[at])) - bits[b * G + g]) : 0;
    }
  }
}

/** ln(1 + e^x) without overflow. */
const softplus = (x: number): number => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));
