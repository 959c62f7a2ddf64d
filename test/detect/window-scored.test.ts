import assert from "node:assert/strict";
import { test } from "node:test";
import { type Conditional, WindowScorer } from "../../src/detect/window.ts";
import { fitWindow, slotRows, tableOf } from "../../src/detect/window-fit.ts";
import { localClock, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import type { Column } from "../../src/feature/columns.ts";
import { placesOf } from "../../src/feature/window.ts";
import { Zone } from "../../src/log/zone.ts";
import { createRandom } from "../../src/math/random.ts";

const DAYS = 6;
const FAMILIES = ["auth", "outbound", "inbound"] as const;
const columns: readonly Column[] = Array.from({ length: 9 }, (_, j) => ({
  key: `column ${j}`,
  level: "event",
  family: FAMILIES[j % 3]!,
  cause: undefined,
  label: `column ${j}`,
}));
const C = columns.length;

/** 0 to 4 lines of each column in each slot. surges: in one slot of 16, a column has up to 60 more. */
function counts(days: number, seed: number, surges: boolean): Float32Array {
  const random = createRandom(seed);
  const out = Float32Array.from({ length: days * SLOTS_PER_DAY * C }, () => random.int(5));
  for (let t = 0; surges && t < out.length / C; t += 16) out[t * C + random.int(C)]! += random.int(60);
  return out;
}

/** The others explain a threefold count of every second column. */
const conditional: Conditional = (_sums, mu) => ({
  mu: (column) => (column % 2 === 0 ? 3 : 1) * mu[column]!,
  alpha: new Float32Array(C).fill(0.05),
});

test("a window finds the same whether or not somebody wants its scores", () => {
  const clock = localClock(new Zone("UTC"));
  const model = fitWindow(
    tableOf(columns, counts(DAYS, 1, false), slotRows(0, DAYS * SLOTS_PER_DAY - 1, clock)),
  );
  const scorer = new WindowScorer(model, conditional);
  const later = counts(1, 2, true);
  let found = 0;
  for (const [t, place] of placesOf(0, SLOTS_PER_DAY - 1, clock).entries()) {
    scorer.push(later.subarray(t * C, (t + 1) * C), place);
    const scored = scorer.score();
    const unscored = scorer.score(false);
    assert.deepEqual(unscored.findings, scored.findings);
    assert.deepEqual(unscored.scores, []);
    found += scored.findings.length;
  }
  assert.ok(found > 20, `${found} findings`);
});
