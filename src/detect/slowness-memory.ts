import { LARGER, type Peak, peakOf, type Reach } from "./memory.ts";

/**
 * The slowest time of a program's stage as it was measured, so that a later training judges it by what is usual then: the training that held
 * it had made its slowness usual, and found it less strange than it is.
 */

/** So many deliveries of a time are remembered; of more, every second, third ... one. */
const MOST = 64;

export type SlowPeak = Peak & {
  /** How far the slower ones were above what was expected, in ln(seconds), slowest first; each stands for as many, of all deliveries of the time. */
  readonly above?: readonly number[];
  readonly each?: number;
  readonly deliveries?: number;
  /** -ln p up to which the like is usual, where it comes with as much mail; absent of what training itself held. */
  readonly allowed?: number;
};

/** above: of all deliveries of the time, in ln(seconds). */
export function slowPeak(peak: Peak, above: readonly number[]): SlowPeak {
  const slower = above.filter((x) => x > 0).sort((a, b) => b - a);
  const each = Math.max(1, Math.ceil(slower.length / MOST));
  const kept = slower.filter((_, i) => i % each === each >> 1).map((x) => Math.round(100 * x) / 100);
  return { ...peak, above: kept, each, deliveries: above.length };
}

/** What makes a delivery slow now, and how strange so many of them are, as -ln p. */
export type Usual = {
  readonly isSlow: (above: number) => boolean;
  readonly nats: (slow: number, deliveries: number) => number;
};

/** As strange as the time is by what is usual now. Models of before kept how strange it was alone. */
function judgedAnew(peak: SlowPeak, { isSlow, nats }: Usual): SlowPeak {
  const { above, each, deliveries } = peak;
  if (above === undefined || each === undefined || deliveries === undefined) return peak;
  const value = nats(Math.min(deliveries, each * above.filter(isSlow).length), deliveries);
  return { ...peak, value, allowed: LARGER * value };
}

/** The larger of what this training held and what is remembered. */
export const slowPeakOf = (
  own: SlowPeak,
  before: SlowPeak | undefined,
  usual: Usual,
  reach: Reach,
): SlowPeak => peakOf(own, before && judgedAnew(before, usual), reach);

/**
 * -ln p up to which slow deliveries are usual. What is remembered came with its own mail, such as a newsletter: half as much says that it came
 * again, and less that something else is slow. ceiling: of training.
 */
export const ceilingOf = (ceiling: number, peak: SlowPeak | undefined, deliveries: number): number =>
  peak?.allowed !== undefined && LARGER * deliveries >= peak.deliveries!
    ? Math.max(ceiling, peak.allowed)
    : ceiling;
