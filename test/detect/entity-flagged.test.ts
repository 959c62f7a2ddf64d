import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { pseudonym } from "../../src/detect/entity.ts";
import { EntityCollector } from "../../src/detect/entity-fit.ts";
import { localClock, SLOT_MS, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity-features.ts";
import { Flagged, NOTHING_FLAGGED } from "../../src/feature/flagged.ts";
import { Zone } from "../../src/log/zone.ts";

/** Three networks that connect all day, 24 times an hour, for twelve days; of two days nothing is known. */

const DAYS = 12;
const FEATURE = ENTITY_FEATURES.findIndex((f) => f.name === "connects_network");
const KEYS = ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"];
const PER_DAY = 2 * SLOTS_PER_DAY;
const clock = localClock(new Zone("UTC"));
const UNKNOWN = [3, 7].map((day) => ({
  start: day * SLOTS_PER_DAY * SLOT_MS,
  end: (day + 1) * SLOTS_PER_DAY * SLOT_MS - 1,
}));

function fitted(missing: Flagged, told: Flagged) {
  const collector = new EntityCollector();
  for (let slot = 0; slot < DAYS * SLOTS_PER_DAY; slot++)
    for (const key of KEYS) if (!missing.has(slot)) collector.add({ feature: FEATURE, key, count: 2 }, slot);
  const feature = collector.fit(0, DAYS * SLOTS_PER_DAY - 1, clock, told, "salt").features[FEATURE]!;
  const [total] = feature.known[pseudonym("salt", FEATURE, KEYS[0]!)]!;
  return { ...feature, rate: total! / feature.days };
}

suite("what entities did in flagged time", () => {
  const unknown = new Flagged(UNKNOWN);
  const whole = fitted(NOTHING_FLAGGED, NOTHING_FLAGGED);
  const flagged = fitted(unknown, unknown);
  const nothing = fitted(unknown, NOTHING_FLAGGED);

  test("leaves their rates as they are, which days of nothing do not", () => {
    assert.equal(whole.rate, PER_DAY);
    assert.equal(flagged.rate, PER_DAY);
    assert.ok(nothing.rate < 0.95 * PER_DAY);
  });

  test("leaves the shape of the day, which sums to a day", () => {
    for (const { weekday, weekend } of [whole, flagged]) {
      const mean = (5 * weekday.reduce((a, b) => a + b, 0) + 2 * weekend.reduce((a, b) => a + b, 0)) / 7;
      assert.ok(Math.abs(mean - 1) < 0.02, `${mean} of a day`);
    }
  });

  test("makes windows that hold some of it no odder than others", () => {
    const [ofDay, before, after] = [whole, flagged, nothing].map(({ alpha }) => alpha[2]!);
    // The first day is cut, which weighs more where fewer days are known.
    assert.ok(before! <= 1.5 * ofDay!, `${before}, ${ofDay} of all`);
    assert.ok(after! > 1.5 * before!, `${after} of nothing`);
  });

  test("is none of the days of which the strangest is remembered", () => {
    assert.equal(whole.calibration[0]!.days, DAYS);
    assert.equal(flagged.calibration[0]!.days, DAYS - 2);
  });
});
