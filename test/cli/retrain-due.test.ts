import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { changeToLearn, lastTried, whyDue } from "../../src/cli/retrain-due.ts";
import { DAY_MS, localClock } from "../../src/feature/clock.ts";
import { Zone } from "../../src/log/zone.ts";
import type { Store } from "../../src/store/queries.ts";

const SUNDAY = Date.UTC(2026, 3, 12, 3, 30);
const WEEKLY = { weekday: 0, atMinute: 3 * 60 + 30, days: 35 };
const NEVER = { ...WEEKLY, weekday: undefined };
const HOUR_MS = 3_600_000;
const clock = localClock(new Zone("UTC"));

type Told = { readonly at: number; readonly key: string; readonly held?: boolean };
/** As much of a state as is asked. */
const storeOf = (told: readonly Told[], mark?: string): Store =>
  ({
    alertsBetween: (from: number, to: number) =>
      told
        .filter(({ at }) => at >= from && at <= to)
        .map(({ at, key, held = false }, i) => ({
          ...{ id: String(i), opened_at: new Date(at).toISOString(), held },
          ...{ title: `title ${i}`, parts: [{ key }] },
        })),
    outbox: { mark: () => mark },
  }) as unknown as Store;
/** Long ago. */
const BEGAN = SUNDAY - 60 * DAY_MS;
const due = (
  told: readonly Told[],
  tried: number,
  now: number,
  config: Parameters<typeof whyDue>[1] = WEEKLY,
  began = BEGAN,
): string | undefined => whyDue(storeOf(told), config, clock, { tried, began }, now);

suite("a retraining is due", () => {
  test("once a week, at its hour, and later when that was missed", () => {
    assert.equal(due([], SUNDAY - 7 * DAY_MS, SUNDAY - HOUR_MS), undefined);
    assert.equal(due([], SUNDAY - 7 * DAY_MS, SUNDAY + HOUR_MS), "weekly");
    assert.equal(due([], SUNDAY - 7 * DAY_MS, SUNDAY + 2 * DAY_MS), "weekly");
    assert.equal(due([], SUNDAY + HOUR_MS, SUNDAY + DAY_MS), undefined);
  });

  test("in the first two weeks when history has grown to 2, 3, 5, 7, 10 and 14 days", () => {
    const began = SUNDAY + HOUR_MS;
    const young = (
      tried: number,
      now: number,
      config: typeof WEEKLY | typeof NEVER = WEEKLY,
    ): string | undefined => due([], began + tried * DAY_MS, began + now * DAY_MS, config, began);
    assert.equal(young(1, 1.9), undefined);
    assert.equal(young(1, 2), "2 days of history");
    assert.equal(young(1, 4), "4 days of history");
    assert.equal(young(2, 2.9), undefined);
    assert.equal(young(3, 4.9), undefined);
    assert.equal(young(5, 6.5), undefined);
    assert.equal(young(10, 13.9), undefined);
    assert.equal(young(10, 14), "14 days of history");
    assert.equal(young(14, 18), undefined);
    assert.equal(young(1, 4, NEVER), undefined);
  });

  test("two days after a change was told, once", () => {
    const change = SUNDAY + DAY_MS;
    for (const key of ["drift dovecot", "head"]) {
      const told = [{ at: change, key }];
      assert.equal(due(told, SUNDAY + HOUR_MS, change + 2 * DAY_MS - HOUR_MS), undefined);
      assert.equal(due(told, SUNDAY + HOUR_MS, change + 2 * DAY_MS), "since title 0");
      assert.equal(due(told, change + 2 * DAY_MS, change + 3 * DAY_MS), undefined);
    }
  });

  test("by no other alert, and by none that was held back", () => {
    const at = SUNDAY + DAY_MS;
    assert.equal(due([{ at, key: "shape 1" }], SUNDAY + HOUR_MS, at + 3 * DAY_MS), undefined);
    assert.equal(due([{ at, key: "head", held: true }], SUNDAY + HOUR_MS, at + 3 * DAY_MS), undefined);
  });

  test("where it never is by itself, by a change alone", () => {
    assert.equal(due([], 0, SUNDAY + HOUR_MS, NEVER), undefined);
  });

  test("from the last try on, or the model's end where there was none", () => {
    const mark = JSON.stringify({ at: new Date(SUNDAY).toISOString() });
    assert.equal(lastTried(storeOf([], mark), SUNDAY - DAY_MS), SUNDAY);
    assert.equal(lastTried(storeOf([]), SUNDAY - DAY_MS), SUNDAY - DAY_MS);
    assert.equal(changeToLearn(storeOf([{ at: SUNDAY, key: "head" }]), SUNDAY - DAY_MS, SUNDAY)?.at, SUNDAY);
  });
});
