import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Reach } from "../../src/detect/memory.ts";
import { type PastRows, Recall } from "../../src/detect/recall.ts";
import { fitRates, STRANGE, strangeKeys } from "../../src/detect/strange.ts";
import { rememberSamples, type Sample } from "../../src/detect/transaction-memory.ts";
import { type Conditional, MAX_WIDTH, type WindowModel, WindowScorer } from "../../src/detect/window.ts";
import { fitWindow, slotRows, tableOf } from "../../src/detect/window-fit.ts";
import { localClock, placeOf, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import type { Column } from "../../src/feature/columns.ts";
import { TRANSACTION_TYPES } from "../../src/feature/transaction.ts";
import { Zone } from "../../src/log/zone.ts";

const clock = localClock(new Zone("UTC"));
const DAYS = 28;
const LINES = 8;

suite("eight lines of a rotation that are remembered of months ago", () => {
  const columns: readonly Column[] = [
    {
      key: "rare template system",
      level: "template",
      family: "system",
      cause: undefined,
      label: "rare lines",
    },
  ];
  const first = 200 * SLOTS_PER_DAY;
  const rows = slotRows(first, first + DAYS * SLOTS_PER_DAY - 1, clock);
  /** One line every third day. */
  const counts = new Float32Array(DAYS * SLOTS_PER_DAY);
  for (let day = 0; day < DAYS; day += 3) counts[day * SLOTS_PER_DAY + 100 + 7 * day] = 1;
  const table = tableOf(columns, counts, rows);
  /** The hour from the rotation on, at midnight of day 100. */
  const slots = Array.from({ length: 2 * MAX_WIDTH }, (_, i) => 100 * SLOTS_PER_DAY - MAX_WIDTH + i);
  const past: PastRows = {
    slots,
    places: slots.map((slot) => placeOf(slot, clock)),
    counts: Float32Array.from(slots, (slot) => (slot === 100 * SLOTS_PER_DAY ? LINES : 0)),
    mu: Float32Array.from(slots, (slot) => table.full.weekday[slot % SLOTS_PER_DAY]!),
  };
  /** A network that expects so many lines given the rest of the server. */
  const expecting =
    (mu: number): Conditional =>
    () => ({ mu: () => mu, alpha: Float32Array.of(0.1) });
  /** By how many nats a rotation with so many lines exceeds what is known. explained: lines that the networks of training and of now expect. */
  const excess = (lines: number, [then, now]: readonly [number, number]): number => {
    const recall = new Recall(table, past, () => true);
    const scorer = new WindowScorer(
      fitWindow(table, () => expecting(then), recall),
      expecting(now),
    );
    let most = 0;
    for (let i = 0; i < 2 * MAX_WIDTH; i++) {
      scorer.push(
        Float32Array.of(i === MAX_WIDTH ? lines : 0),
        placeOf(slots[i]! + 150 * SLOTS_PER_DAY, clock),
      );
      for (const finding of scorer.score().findings) most = Math.max(most, finding.excess);
    }
    return most;
  };

  test("are no surge when they come again, however much of them another network explained", () => {
    assert.equal(excess(LINES, [0.001, 0.001]), 0);
    assert.equal(excess(LINES, [0.8, 0.001]), 0);
    assert.equal(excess(2 * LINES, [0.8, 0.001]), 0);
  });

  test("are one with three times as many lines", () => {
    assert.ok(excess(3 * LINES, [0.8, 0.001]) > 5);
    assert.ok(excess(3 * LINES, [0.001, 0.001]) > 5);
  });
});

suite("messages of a newsletter, each of shapes that all mail has", () => {
  const sample = (slot: number, type = 0): Sample => ({
    ...{ type, slot, shapes: ["queued", 1, "sent", 1] },
    reals: [],
  });
  /** A message a slot for a day, and forty more in slot 130. */
  const all = Array.from({ length: SLOTS_PER_DAY }, (_, slot) => slot).flatMap((slot) =>
    Array.from({ length: slot === 130 ? 41 : 1 }, () => sample(slot)),
  );
  const kept = (surges: readonly number[], of = all): number[] =>
    rememberSamples(of, new Set(surges)).map(({ slot }) => slot);

  test("are learned again, some of each slot in which the window view remembers a surge", () => {
    assert.deepEqual(kept([]), []);
    assert.deepEqual(kept([130, 131]), [...new Array<number>(10).fill(130), 131]);
  });

  test("stand for all messages of their slot", () => {
    const [first, ...others] = rememberSamples(all, new Set([130, 131])).map(({ each }) => each!);
    assert.equal(first, 4.1);
    assert.equal(others.at(-1), 1);
    // and for as many when they are handed on, where their own are no longer in the history
    const past = rememberSamples(all, new Set([130])).map((one) => ({ ...one, reals: [] }));
    assert.deepEqual(
      rememberSamples(past, new Set([130])).map(({ each }) => each),
      new Array<number>(10).fill(4.1),
    );
  });

  test("are no sessions or connections, of which attacks are made", () => {
    const session = TRANSACTION_TYPES.indexOf("session");
    assert.deepEqual(kept([130], [...all.filter(({ slot }) => slot !== 130), sample(130, session)]), []);
  });

  test("have a bound, the newest slots first", () => {
    const many = Array.from({ length: 3 * SLOTS_PER_DAY }, (_, slot) => sample(slot));
    const slots = kept([...many.keys()], many);
    assert.equal(slots.length, 500);
    assert.equal(slots[0], many.length - 500);
  });
});

suite("a time of which nothing was strange to the network that had just learned it", () => {
  const first = 200 * SLOTS_PER_DAY;
  const rows = slotRows(first, first + DAYS * SLOTS_PER_DAY - 1, clock);
  const noon = 100 * SLOTS_PER_DAY + 144;
  /** What is usual once today's network found so many of its messages strange. */
  const usual = (
    n: number,
  ): { readonly told: (now: number) => boolean; readonly slots: readonly number[] } => {
    const type = TRANSACTION_TYPES.indexOf("message");
    const strangeness = { type, pValue: STRANGE, unknown: false, carrier: undefined };
    const anew = new Map(n > 0 ? [[noon, [{ strangeness, each: n }]]] : []);
    const fit = (before?: WindowModel): WindowModel =>
      fitRates([], rows, before, clock, new Reach(rows.time.last), anew);
    const again = fit(fit());
    const place = again.columns.findIndex(({ key }) => key === strangeKeys(strangeness)[0]);
    const told = (now: number): boolean => {
      const scorer = new WindowScorer(again, undefined);
      const counts = new Float32Array(again.columns.length);
      counts[place] = now;
      scorer.push(counts, placeOf(noon, clock));
      return scorer.score().findings.length > 0;
    };
    return { told, slots: again.remembered!.slots.map(([slot]) => slot!) };
  };

  test("is usual by what today's finds strange of it", () => {
    assert.ok(usual(0).told(7));
    assert.ok(!usual(7).told(7));
    assert.ok(usual(7).told(30));
    assert.deepEqual([usual(0).slots, usual(7).slots], [[], [noon]]);
  });
});
