/** Terms of a tail after which the rest is below rounding for every mean and overdispersion in use. */
const MAX_TERMS = 20_000;
const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** ln Gamma(x) for x > 0, to about 1e-14 relative. Source: Lanczos (1964), g = 7, n = 9. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  let sum = 0.99999999999980993;
  for (let i = 0; i < LANCZOS.length; i++) sum += LANCZOS[i] / (z + i + 1);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/**
 * ln P(X = k) of a negative binomial with mean mu > 0 and variance mu + alpha mu^2, alpha > 0; k = 0, 1, 2, ...
 *
 *     r = 1/alpha,  P(k) = Gamma(k + r) / (k! Gamma(r)) * (r / (r + mu))^r * (mu / (r + mu))^k
 *
 * Source: Hilbe, Negative Binomial Regression (2011), NB2.
 */
export function logMass(k: number, mu: number, alpha: number): number {
  const r = 1 / alpha;
  return (
    logGamma(k + r) - logGamma(r) - logGamma(k + 1) - r * Math.log1p(mu / r) + k * Math.log(mu / (r + mu))
  );
}

/** ln P(X >= k). Exact up to rounding for k above the mean; at or below it the terms are summed all the same. */
export function logUpperTail(k: number, mu: number, alpha: number): number {
  if (k <= 0) return 0;
  if (mu <= 0) return Number.NEGATIVE_INFINITY;
  const r = 1 / alpha;
  const p = mu / (r + mu);
  let term = 1;
  let sum = 1;
  for (let i = Math.ceil(k), n = 0; n < MAX_TERMS; i++, n++) {
    term *= ((i + r) / (i + 1)) * p;
    sum += term;
    if (term < sum * 1e-12) break;
  }
  return Math.min(0, logMass(Math.ceil(k), mu, alpha) + Math.log(sum));
}

/** ln P(X <= k). */
export function logLowerTail(k: number, mu: number, alpha: number): number {
  if (k < 0) return Number.NEGATIVE_INFINITY;
  if (mu <= 0) return 0;
  const r = 1 / alpha;
  const p = mu / (r + mu);
  const top = Math.floor(k);
  let term = 1;
  let sum = 1;
  for (let i = top; i > 0 && top - i < MAX_TERMS; i--) {
    term *= i / ((i - 1 + r) * p);
    sum += term;
    if (term < sum * 1e-12) break;
  }
  return Math.min(0, logMass(top, mu, alpha) + Math.log(sum));
}
