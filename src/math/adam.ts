import type { Floats } from "./floats.ts";

const DECAY_MEAN = 0.9;
const DECAY_SQUARE = 0.999;
const FLOOR = 1e-8;

/**
 * One step of Adam over n numbers. `step` counts from 1; `scale` multiplies the gradient first.
 * weights, gradient, mean, square: (n); all but gradient are changed.
 * Source: Kingma & Ba, "Adam" (2015), algorithm 1 with its default decays.
 */
export function adam(
  weights: Floats,
  gradient: Floats,
  mean: Floats,
  square: Floats,
  n: number,
  rate: number,
  scale: number,
  step: number,
): void {
  const c1 = 1 / (1 - DECAY_MEAN ** step);
  const c2 = 1 / (1 - DECAY_SQUARE ** step);
  for (let i = 0; i < n; i++) {
    const g = gradient[i] * scale;
    const m = DECAY_MEAN * mean[i] + (1 - DECAY_MEAN) * g;
    const v = DECAY_SQUARE * square[i] + (1 - DECAY_SQUARE) * g * g;
    mean[i] = m;
    square[i] = v;
    weights[i] -= (rate * (m * c1)) / (Math.sqrt(v * c2) + FLOOR);
  }
}
