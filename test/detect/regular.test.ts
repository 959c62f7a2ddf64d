import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type History, pseudonym } from "../../src/detect/entity.ts";
import { fitRegulars, type RegularFinding, RegularScorer } from "../../src/detect/regular.ts";
import { localClock, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity-features.ts";
import { Flagged } from "../../src/feature/flagged.ts";
import { Zone } from "../../src/log/zone.ts";

const FROM = ENTITY_FEATURES.findIndex((f) => f.name === "messages_from");
const clock = localClock(new Zone("UTC"));
/** Slot of a Monday's midnight. */
const START = Math.floor(Date.UTC(2026, 8, 7) / 300_000);
const DAYS = 14;
const SALT = "salt";

const hourOf = (day: number, hour: number): number => (START + day * SLOTS_PER_DAY + 12 * hour) * 300_000;

type Habit = {
  readonly key: string;
  readonly slots: readonly number[];
  readonly each: number;
  readonly weekend: boolean;
};
/** A partner's mail at three in the night, a colleague who writes all day, and a shop that rests at the weekend. */
const PARTNER: Habit = { key: "partner.example", slots: [36, 37], each: 20, weekend: true };
const PERSON: Habit = {
  key: "person.example",
  slots: [84, 90, 96, 120, 144, 170, 190, 210],
  each: 40,
  weekend: true,
};
const SHOP: Habit = { key: "shop.example", slots: [100, 101], each: 15, weekend: false };

/** What a habit does on a day; counts wander a little, so that no two days are alike. */
function* events({ slots, each, weekend }: Habit, day: number): Generator<{ slot: number; count: number }> {
  if (!weekend && day % 7 >= 5) return;
  for (const slot of slots)
    yield { slot: START + day * SLOTS_PER_DAY + slot, count: each + ((day * 5) % 7) - 3 };
}

const histories = new Map<string, History>();
for (const habit of [PARTNER, PERSON, SHOP]) {
  const history: History = { slots: [], counts: [] };
  for (let day = 0; day < DAYS; day++)
    for (const { slot, count } of events(habit, day)) {
      history.slots.push(slot);
      history.counts.push(count);
    }
  histories.set(habit.key, history);
}
const model = fitRegulars(
  (f) => (f === FROM ? histories : new Map()),
  START,
  START + DAYS * SLOTS_PER_DAY - 1,
  clock,
  SALT,
);

/** Watches `days` days after training; `comes` says who writes on which of them. Returns what is rarer than the bar, with its hour. */
function watch(
  days: number,
  comes: (key: string, day: number) => boolean,
): { finding: RegularFinding; hour: number }[] {
  const scorer = new RegularScorer(model, clock, SALT);
  const told: { finding: RegularFinding; hour: number }[] = [];
  for (let day = 0; day < days; day++) {
    const today = [PARTNER, PERSON, SHOP]
      .filter(({ key }) => comes(key, day))
      .flatMap((habit) => [...events(habit, DAYS + day)].map((e) => ({ ...e, key: habit.key })));
    for (let s = 0; s < SLOTS_PER_DAY; s++) {
      const slot = START + (DAYS + day) * SLOTS_PER_DAY + s;
      for (const { key, count } of today.filter((e) => e.slot === slot))
        scorer.add({ feature: FROM, key, count }, slot);
      for (const finding of scorer.score(slot)) {
        if (finding.rate > 0.02) continue;
        told.push({ finding, hour: day * 24 + s / 12 });
        scorer.told(finding);
      }
    }
  }
  return told;
}

suite("a regular", () => {
  test("is one still where its hour of two days is unknown, and none where it stayed away on them", () => {
    const missed = [3, 8].map((day) => ({ start: hourOf(day, 2), end: hourOf(day, 4) }));
    const { slots, counts } = histories.get(PARTNER.key)!;
    const flagged = new Flagged(missed);
    const kept = [...slots.keys()].filter((i) => !flagged.has(slots[i]!));
    const history = { slots: kept.map((i) => slots[i]!), counts: kept.map((i) => counts[i]!) };
    assert.equal(kept.length, slots.length - 4);
    const fit = (time: Flagged): ReturnType<typeof fitRegulars> =>
      fitRegulars(
        (f) => (f === FROM ? new Map([[PARTNER.key, history]]) : new Map()),
        ...([START, START + DAYS * SLOTS_PER_DAY - 1, clock, SALT, time] as const),
      );
    const [known, unknown, other] = [
      model.regulars.find((r) => r.name === pseudonym(SALT, FROM, PARTNER.key)),
      fit(flagged).regulars[0],
      fit(new Flagged([{ start: hourOf(3, 12), end: hourOf(3, 20) }])).regulars[0],
    ];
    assert.ok(Math.abs(unknown!.week.mean - known!.week.mean) < 2, `${unknown!.week.mean} a day`);
    assert.equal(other?.week.mean ?? 0, 0); // days of which another hour is unknown are days on which it did not come
  });

  test("is what comes in a short band of nearly every day, not who writes all day", () => {
    assert.equal(model.regulars.length, 2);
  });

  test("that comes is never missed, and a rest at the weekend is none", () => {
    assert.deepEqual(
      watch(10, () => true),
      [],
    );
  });

  test("that stays away is missed some two hours after its hour, once", () => {
    const told = watch(6, (key, day) => key !== PARTNER.key || day < 3);
    assert.equal(told.length, 1);
    const { finding, hour } = told[0]!;
    assert.equal(finding.key, PARTNER.key);
    assert.ok(finding.actual <= 20, "at most half of it");
    assert.ok(hour > 3 * 24 + 3 && hour <= 3 * 24 + 6, `after ${hour} h`);
  });

  test("is missed again after it came back", () => {
    const told = watch(9, (key, day) => key !== PARTNER.key || (day !== 3 && day !== 6));
    assert.equal(told.length, 2);
  });

  test("is not missed while all are away: that is a holiday", () => {
    const away = (key: string, day: number): boolean => day < 3 || key === PARTNER.key;
    assert.deepEqual(watch(5, away), []);
    const shopAlone = watch(5, (key, day) => day < 3 || key !== SHOP.key);
    assert.equal(shopAlone.length, 1);
  });
});
