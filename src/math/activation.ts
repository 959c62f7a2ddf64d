import type { Floats } from "./floats.ts";

/**
 * values[i] = x / sqrt(1 + x^2): smooth, odd, within (-1, 1), slope 1 at zero. Unlike tanh it needs only correctly
 * rounded operations, so a vector unit gives the same digits as a scalar one, and a hidden layer stays bounded
 * whatever a row holds.
 * Source: Carlile et al., "Improving Deep Learning by Inverse Square Root Linear Units" (2017), ISRU with alpha 1.
 */
export function squash(values: Floats, n: number): void {
  for (let i = 0; i < n; i++) {
    const x = values[i];
    values[i] = x / Math.sqrt(1 + x * x);
  }
}

/** gradient[i] *= (1 - y^2)^(3/2), the slope of `squash` where its result was y. */
export function squashBack(gradient: Floats, y: Floats, n: number): void {
  for (let i = 0; i < n; i++) {
    const rest = Math.max(0, 1 - y[i] * y[i]);
    gradient[i] *= rest * Math.sqrt(rest);
  }
}
