import { logGamma } from "./negative-binomial.ts";

/** Below this correlation the binomial is meant; the gamma functions would lose their digits. */
const MIN_RHO = 1e-6;

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

/**
 * ln P(X >= k) of n trials of mean p in (0, 1) whose outcomes correlate by rho in [0, 1): variance n p (1 - p) (1 + (n - 1) rho).
 *
 *     a = p (1 - rho) / rho,  b = (1 - p) (1 - rho) / rho,  P(k) = C(n, k) B(k + a, n - k + b) / B(a, b)
 *
 * Source: Skellam, "A probability distribution derived from the binomial distribution" (1948).
 */
export function logBetaBinomialUpperTail(k: number, n: number, p: number, rho: number): number {
  if (k <= 0) return 0;
  if (k > n) return Number.NEGATIVE_INFINITY;
  const r = Math.max(MIN_RHO, rho);
  const a = (p * (1 - r)) / r;
  const b = ((1 - p) * (1 - r)) / r;
  const choose = logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
  const first = choose + logBeta(k + a, n - k + b) - logBeta(a, b);
  let term = 1;
  let sum = 1;
  for (let i = k; i < n; i++) {
    term *= ((n - i) / (i + 1)) * ((i + a) / (n - i - 1 + b));
    sum += term;
    if (term < sum * 1e-12) break;
  }
  return Math.min(0, first + Math.log(sum));
}
