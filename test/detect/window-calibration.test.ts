import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { LOWER_WIDTHS, WIDTHS, WindowScorer } from "../../src/detect/window.ts";
import { fitWindow, slotRows, tableOf } from "../../src/detect/window-fit.ts";
import { localClock, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import type { Column } from "../../src/feature/columns.ts";
import { placesOf } from "../../src/feature/window.ts";
import { Zone } from "../../src/log/zone.ts";
import { createRandom } from "../../src/math/random.ts";

/** Synthetic clean time: independent Poisson counts with a daily wave. Training, and far more days to judge than a real log has. */
const LEARNED = 28;
const JUDGED = 112;
const COLUMNS = 12;
/** Largest distance allowed between the p-values and the uniform law. Dependent windows of 28 days tell no more. */
const KOLMOGOROV = 0.05;

const columns: readonly Column[] = Array.from({ length: COLUMNS }, (_, j) => ({
  key: `column ${j}`,
  level: "event",
  family: "outbound",
  cause: undefined,
  label: `column ${j}`,
}));

/** From 0.1 to about 6 lines in five minutes, twice as many at noon as at night. */
function counts(days: number, seed: number): Float32Array {
  const random = createRandom(seed);
  const out = new Float32Array(days * SLOTS_PER_DAY * COLUMNS);
  for (let i = 0; i < out.length; i++) {
    const phase = (2 * Math.PI * (Math.floor(i / COLUMNS) % SLOTS_PER_DAY)) / SLOTS_PER_DAY;
    const mean = 0.1 * 1.45 ** (i % COLUMNS) * (1.5 - 0.5 * Math.cos(phase));
    // Knuth: how many exponential waits fit into one unit of time.
    for (let left = Math.exp(-mean), p = random.uniform(); p > left; p *= random.uniform()) out[i]!++;
  }
  return out;
}

suite("p-values of the window view on clean synthetic time", () => {
  const clock = localClock(new Zone("UTC"));
  const byChannel = new Map<string, number[]>();

  before(() => {
    const rows = slotRows(0, LEARNED * SLOTS_PER_DAY - 1, clock);
    const model = fitWindow(tableOf(columns, counts(LEARNED, 1), rows));
    const scorer = new WindowScorer(model, undefined);
    const later = counts(JUDGED, 2);
    const from = LEARNED * SLOTS_PER_DAY;
    const watched = placesOf(from, from + JUDGED * SLOTS_PER_DAY - 1, clock);
    for (const [t, place] of watched.entries()) {
      scorer.push(later.subarray(t * COLUMNS, (t + 1) * COLUMNS), place);
      for (const { width, tail, pValue } of scorer.score().scores) {
        const key = `${width} ${tail}`;
        const own = byChannel.get(key);
        if (own) own.push(pValue);
        else byChannel.set(key, [pValue]);
      }
    }
  });

  const channels = WIDTHS.flatMap((width) => [
    `${width} upper`,
    ...(LOWER_WIDTHS.includes(width) ? [`${width} lower`] : []),
  ]);
  for (const channel of channels) {
    test(`are uniform up to where nothing is noticed: ${channel}`, () => {
      const rising = [...byChannel.get(channel)!].sort((a, b) => a - b);
      // Rows in which nothing was noticed share the p-value 1, so the law is asked below it.
      const noticed = rising.filter((p) => p < 1);
      let distance = 0;
      for (const [i, p] of noticed.entries()) {
        if (noticed[i + 1] !== p) distance = Math.max(distance, Math.abs((i + 1) / rising.length - p));
      }
      assert.ok(noticed.length > 0.02 * rising.length, `only ${noticed.length} rows were noticed`);
      assert.ok(distance <= KOLMOGOROV, `distance ${distance.toFixed(3)}`);
      const rare = rising.filter((p) => p <= 0.01).length / rising.length;
      assert.ok(rare >= 0.005 && rare <= 0.02, `P(p <= .01) is ${rare.toFixed(4)}`);
    });
  }
});
