import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { grown, grownText, type UsualDay, usualDay, usualDays } from "../../src/detect/unwanted.ts";
import { SLOT_MS, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import type { Column, ColumnLevel } from "../../src/feature/columns.ts";
import type { Family } from "../../src/feature/family.ts";
import { Flagged, NOTHING_FLAGGED } from "../../src/feature/flagged.ts";
import type { SlotCounts } from "../../src/feature/window.ts";
import type { Cause } from "../../src/mail/event.ts";

const column = (level: ColumnLevel, family: Family, cause?: Cause): Column => ({
  ...{ key: `${level} ${family}`, level, family, cause, label: "" },
});
const COLUMNS = [
  column("cause", "inbound", "rbl"),
  column("cause", "auth", "auth"),
  column("status", "outbound"),
  // these count the same lines once more, or lines of no attack
  column("template", "inbound", "rbl"),
  column("cause", "outbound", "blocked"),
  { ...column("status", "outbound"), key: "status postfix/smtp sent 2.0.x" },
];
const registry = { columns: COLUMNS };
const DAYS = 20;
const LAST = DAYS * SLOTS_PER_DAY - 1;
/** One slot a day that holds all of it: 30 refusals, 40 guesses, 100 lines of mail, times so much on some days, by their place. */
const history = (times: (day: number) => number): SlotCounts[] =>
  Array.from({ length: DAYS }, (_, day) => ({
    slot: day * SLOTS_PER_DAY + 100,
    ids: Uint32Array.of(0, 1, 2, 3, 4, 5),
    counts: Float32Array.of(30, 40, 100, 30, 7, 90).map((n) => n * times(day)),
  }));
const time = { first: 0, last: LAST, flagged: NOTHING_FLAGGED };
const USUAL = { slot: LAST, refused: 30, guessed: 40, sent: 100 };

suite("the usual day of a training", () => {
  test("counts each event of an attack once, and mail beside it", () =>
    assert.deepEqual(
      usualDay(
        registry,
        history(() => 1),
        time,
      ),
      USUAL,
    ));
  test("is the middle one of the last fourteen: what lasts six of them doesn't show, what lasts eight does", () => {
    assert.deepEqual(
      usualDay(
        registry,
        history((day) => (day >= DAYS - 6 ? 9 : 1)),
        time,
      ),
      USUAL,
    );
    assert.equal(
      usualDay(
        registry,
        history((day) => (day >= DAYS - 8 ? 9 : 1)),
        time,
      )!.refused,
      270,
    );
    assert.deepEqual(
      usualDay(
        registry,
        history((day) => (day < DAYS - 14 ? 9 : 1)),
        time,
      ),
      USUAL,
    );
  });
  test("leaves out what is flagged, and needs seven days that are known", () => {
    const from = (day: number) => new Flagged([{ start: day * 288 * SLOT_MS, end: LAST * SLOT_MS }]);
    const loud = history((day) => (day >= DAYS - 7 ? 9 : 1));
    assert.deepEqual(usualDay(registry, loud, { ...time, flagged: from(DAYS - 7) }), USUAL);
    assert.equal(usualDay(registry, loud, { ...time, flagged: from(DAYS - 8) }), undefined);
  });
});

/** The usual day of the training in a week. */
const week = (n: number, refused: number, sent = 500): UsualDay => ({
  ...{ slot: n * 7 * SLOTS_PER_DAY, refused, guessed: 40, sent },
});
/** What models hand on, each promoted unless too much has grown; and the first week in which one is refused. */
function lived(levels: (n: number) => UsualDay, weeks: number): number | undefined {
  let days: readonly UsualDay[] = [];
  for (let n = 0; n < weeks; n++) {
    if (grown(days, levels(n))) return n;
    days = usualDays(days, levels(n));
  }
  return undefined;
}

suite("what attacks are made of", () => {
  test("has grown too much in the fifth week of ten per cent more each: 1.1^5 is 1.61", () =>
    assert.equal(
      lived((n) => week(n, 80 * 1.1 ** n), 12),
      5,
    ));
  test("may grow by half in a year, or with the mail, or from next to nothing", () => {
    assert.equal(
      lived((n) => week(n, 80 * 1.5 ** (n / 52)), 52),
      undefined,
    );
    assert.equal(
      lived((n) => week(n, 80 * 1.1 ** n, 500 * 1.1 ** n), 20),
      undefined,
    );
    assert.equal(
      lived((n) => week(n, n < 3 ? 1 : 19), 6),
      undefined,
    );
  });
  test("is compared with eight weeks ago, or with the oldest that is known", () => {
    const before = usualDays([week(0, 50), week(1, 80), week(2, 80)], week(9, 80));
    assert.deepEqual(
      before.map(({ slot }) => slot / 7 / SLOTS_PER_DAY),
      [1, 2, 9],
    );
    assert.deepEqual(grown([week(0, 80)], week(3, 200)), { what: "refused", was: 80, is: 200, days: 21 });
  });
  test("is learned when it was refused for eight weeks: a server is not left with an old model for good", () => {
    const isRefused = (n: number) => grown([week(0, 80), week(7, 80)], week(n, 200)) !== undefined;
    assert.deepEqual([8, 12, 15, 16].map(isRefused), [true, true, true, false]);
  });
  test("is usual from then on where a person puts such a model in use", () => {
    const accepted = usualDays([week(0, 80), week(1, 80)], week(2, 200));
    assert.deepEqual(accepted, [week(2, 200)]);
    assert.equal(grown(accepted, week(3, 210)), undefined);
  });
  test("is told with its figures, and how to take it as it is", () => {
    const text = grownText(grown([week(0, 80)], week(8, 200))!);
    assert.match(text, /incoming mail .* 2\.5 times as much as 56 days ago \(80 a day then, 200 now\)/);
    assert.match(text, /`logvane model promote`/);
  });
});
