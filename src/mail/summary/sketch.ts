/** Smallest value told from zero, and the ratio of neighbouring bounds: a percentile is off by at most 1 %. */
const FIRST = 0.001;
const RATIO = 1.02;
/** Covers up to ten million seconds, 115 days; later ones count as that. */
const BUCKETS = Math.ceil(Math.log(1e10) / Math.log(RATIO)) + 1;
const STEP = Math.log(RATIO);

export const PERCENTILES = [50, 90, 95, 99] as const;

/**
 * Percentiles of positive numbers in fixed memory: counts in buckets whose bounds grow by 2 %, read at their middle.
 * Source: the idea of DDSketch (Masson et al. 2019) with fixed bounds.
 */
export class Sketch {
  private readonly counts = new Float64Array(BUCKETS + 1);
  n = 0;
  max = 0;

  add(value: number): void {
    this.n++;
    if (value > this.max) this.max = value;
    const bucket = value < FIRST ? 0 : 1 + Math.min(BUCKETS - 1, Math.floor(Math.log(value / FIRST) / STEP));
    this.counts[bucket]!++;
  }

  /** Adds a number as written; nothing for other texts and negative ones. */
  addText(text: string): void {
    const value = Number(text);
    if (value >= 0) this.add(value);
  }

  /** The value below which p percent lie (nearest rank). 0 without values. */
  percentile(p: number): number {
    const rank = Math.ceil((p / 100) * this.n);
    let seen = 0;
    for (let i = 0; i <= BUCKETS; i++) {
      seen += this.counts[i]!;
      if (seen >= rank && seen > 0) return i === 0 ? 0 : Math.min(this.max, FIRST * RATIO ** (i - 0.5));
    }
    return this.max;
  }
}
