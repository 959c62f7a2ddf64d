import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { EntityScorer } from "../../src/detect/entity.ts";
import { EntityCollector } from "../../src/detect/entity-fit.ts";
import { localClock, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity.ts";
import { NOTHING_FLAGGED } from "../../src/feature/flagged.ts";
import { Zone } from "../../src/log/zone.ts";
import { createRandom } from "../../src/math/random.ts";

const FEATURE = ENTITY_FEATURES.findIndex((f) => f.name === "connects_network");
const clock = localClock(new Zone("UTC"));
const scorer = (): EntityScorer =>
  new EntityScorer(new EntityCollector().fit(0, SLOTS_PER_DAY, clock, NOTHING_FLAGGED, "salt"), clock);

suite("what entities did lately", () => {
  test("is held for a day, however many come once", () => {
    const entities = scorer();
    const held = (): number => entities.save(-1).recent[FEATURE]!.size;
    for (let slot = 0; slot < 3 * SLOTS_PER_DAY; slot++) {
      entities.add({ feature: FEATURE, key: "10.0.0.0/24", count: 1 }, slot);
      entities.add({ feature: FEATURE, key: `10.1.${slot}.0/24`, count: 1 }, slot);
      entities.score(slot, false);
    }
    assert.equal(held(), SLOTS_PER_DAY);
    const last = 3 * SLOTS_PER_DAY - 1;
    assert.equal(entities.countSince(FEATURE, "10.0.0.0/24", -1), SLOTS_PER_DAY);
    assert.equal(entities.countSince(FEATURE, `10.1.${last}.0/24`, -1), 1);
    assert.equal(entities.countSince(FEATURE, "10.1.5.0/24", -1), 0);
  });
});

suite("p-values of networks that never do much", () => {
  const DAYS = 14;
  const NETWORKS = 80;
  const random = createRandom(7);
  /** The busiest comes about twice a day. */
  const visit = (add: (key: string) => void): void => {
    for (let i = 1; i <= NETWORKS; i++)
      if (random.uniform() < (2 * i) / NETWORKS / SLOTS_PER_DAY) add(`10.0.${i}.0/24`);
  };

  test("are as often at most .01 as that says, though nobody comes near a verdict", () => {
    const collector = new EntityCollector();
    const last = DAYS * SLOTS_PER_DAY - 1;
    for (let slot = 0; slot <= last; slot++)
      visit((key) => collector.add({ feature: FEATURE, key, count: 1 }, slot));
    const entities = new EntityScorer(collector.fit(0, last, clock, NOTHING_FLAGGED, "salt"), clock);
    let rows = 0;
    let rare = 0;
    for (let slot = last + 1; slot <= 3 * last; slot++) {
      visit((key) => entities.add({ feature: FEATURE, key, count: 1 }, slot));
      const scored = entities.score(slot, true);
      assert.equal(scored.findings.length, 0);
      rows += scored.rows.length;
      rare += scored.rows.filter(({ pValue }) => pValue <= 0.01).length;
    }
    assert.ok(rows > 5000, `${rows} rows`);
    assert.ok(rare >= 0.005 * rows && rare <= 0.02 * rows, `${rare} of ${rows}`);
  });
});
