import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { EntityScorer } from "../../src/detect/entity.ts";
import { EntityCollector } from "../../src/detect/entity-fit.ts";
import { localClock, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity-features.ts";
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

suite("failures of a mailing, which brings each provider more mail than its days do", () => {
  const [FAILING, REACHED] = ["failing_messages", "reached_messages"].map((name) =>
    ENTITY_FEATURES.findIndex((f) => f.name === name),
  ) as [number, number];
  const DAYS = 28;
  const PROVIDERS = 20;
  const last = DAYS * SLOTS_PER_DAY - 1;
  const random = createRandom(3);
  const collector = new EntityCollector();
  // Each provider takes about five messages a day and fails one in fifty.
  for (let slot = 0; slot <= last; slot++)
    for (let i = 1; i <= PROVIDERS; i++) {
      if (random.uniform() >= 5 / SLOTS_PER_DAY) continue;
      const feature = random.uniform() < 0.02 ? FAILING : REACHED;
      collector.add({ feature, key: `p${i}.example`, count: 1 }, slot);
    }
  const model = collector.fit(0, last, clock, NOTHING_FLAGGED, "salt");
  /** Excess over the ceiling, in nats, of so many failures beside so many that arrive at one provider within the hour; 0 where none is found. */
  const excess = (failing: number, reached: number): number => {
    const entities = new EntityScorer(model, clock);
    const slot = last + SLOTS_PER_DAY / 2;
    const add = (feature: number, count: number): void => {
      if (count > 0) entities.add({ feature, key: "p7.example", count }, slot);
    };
    add(REACHED, reached);
    add(FAILING, failing);
    return Math.max(0, ...entities.score(slot, false).findings.map((f) => f.excess));
  };

  test("are about the usual share of it, and then no finding", () => {
    const { failing } = model.features[FAILING]!;
    assert.ok(failing! > 0.01 && failing! < 0.03, `${failing}`);
    assert.ok(excess(4, 0) > 5, "four failures, and nothing that arrives");
    assert.equal(excess(4, 30), 0);
  });

  test("stay a finding where far more than the usual share fails", () => {
    assert.ok(excess(15, 20) > 10);
  });

  test("are never excused where half fails, or more", () => assert.equal(excess(20, 19), excess(20, 0)));

  test("are remembered where the like of them, as much larger as it may be, would be a finding", () => {
    const later = new EntityCollector();
    for (let slot = last + 1; slot <= 2 * last; slot++)
      if (slot % 100 === 0) later.add({ feature: FAILING, key: "p1.example", count: 1 }, slot);
    const before = new EntityCollector();
    before.add({ feature: FAILING, key: "once.example", count: 1 }, last);
    before.add({ feature: FAILING, key: "twice.example", count: 2 }, last);
    const first = { model: before.fit(0, last, clock, NOTHING_FLAGGED, "salt"), until: last };
    const second = later.fit(last + 1, 2 * last, clock, NOTHING_FLAGGED, "salt", first);
    const told = (key: string, count: number): boolean => {
      const entities = new EntityScorer(second, clock);
      entities.add({ feature: FAILING, key, count }, 2 * last + 1);
      return entities.score(2 * last + 1, false).findings.length > 0;
    };
    assert.deepEqual(
      [told("once.example", 5), told("twice.example", 5), told("twice.example", 8)],
      [true, false, true],
    );
  });

  test("are not told of for what arrives", () => assert.equal(excess(0, 500), 0));
});
