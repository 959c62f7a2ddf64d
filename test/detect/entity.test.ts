import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { EntityScorer } from "../../src/detect/entity.ts";
import { EntityCollector } from "../../src/detect/entity-fit.ts";
import { localClock, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity.ts";
import { NOTHING_FLAGGED } from "../../src/feature/flagged.ts";
import { Zone } from "../../src/log/zone.ts";

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
