import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { createRandom } from "../../src/math/random.ts";
import { Detector } from "../../src/pipeline/detector.ts";
import { StateError } from "../../src/pipeline/saved.ts";
import { at, linesOf, planOf, SECOND, textOf } from "../compose/support.ts";
import { type Learned, type Log, learn, QUICKSTART, type Result, unpack, Watch } from "./support.ts";

/** Watching goes on where it was stopped, whatever the line: one walk without a stop, and walks with many. */

/** Lines between two cuts of the dense walk. */
const STEP = 500;
/** Cuts of the other one. */
const CUTS = 40;

/** A zone with local hours, times without a year or an offset, another site's daemons, two faults. */
const SECOND_SITE = (): Log => ({
  bytes: Buffer.from(
    `${textOf(
      linesOf(
        planOf(
          {
            days: 6,
            faults: [
              { kind: "connection_flood", start: at(4, 9), minutes: 50 },
              { kind: "milter_down", start: at(5, 8), minutes: 120 },
            ],
          },
          { zone: "Europe/Oslo", header: "rfc3164", mailsPerDay: 500 },
        ),
        SECOND,
      ),
    )}\n`,
  ),
  zone: "Europe/Oslo",
  year: 2026,
  until: Date.parse(at(4, 0)),
});

function walk(learned: Learned, isCut: (i: number) => boolean, onCut: (watch: Watch) => void): Result {
  const watch = Watch.from(learned, learned.start);
  for (let i = learned.first; i < learned.lines.count; i++) {
    watch.line(i);
    if (!isCut(i)) continue;
    onCut(watch);
    watch.unpack(watch.pack());
  }
  return watch.result();
}

function assertSame(result: Result, unbroken: Result): void {
  assert.deepEqual(result.alerts, unbroken.alerts);
  assert.deepEqual(result.ledger, unbroken.ledger);
  assert.deepEqual(result.stats, unbroken.stats);
  const differs = unbroken.rows.findIndex((row, i) => row !== result.rows[i]);
  assert.equal(result.rows[differs], unbroken.rows[differs], `row ${differs}`);
  assert.equal(result.rows.length, unbroken.rows.length);
}

for (const [name, make] of [
  ["the demo's log", () => learn(QUICKSTART)],
  ["a composed log of the second site", () => learn(SECOND_SITE(), { timeOnly: true })],
] as const)
  suite(`a detector that is saved and restored on ${name}`, () => {
    let learned: Learned;
    let unbroken: Result;
    before(() => {
      learned = make();
      for (let i = learned.first; i < learned.lines.count; i++) learned.unbroken.line(i);
      unbroken = learned.unbroken.result();
      assert.ok(unbroken.alerts.length >= 2 && unbroken.rows.length > 5000);
    });

    test("at random lines tells and scores the same", () => {
      const random = createRandom(3);
      const cuts = new Set<number>();
      while (cuts.size < CUTS) cuts.add(learned.first + random.int(learned.lines.count - learned.first));
      const met = { slot: 0, incident: 0, transactions: 0 };
      const result = walk(
        learned,
        (i) => cuts.has(i),
        ({ detector }) => {
          const { counter, incidents, tracker } = detector.save();
          if (counter.sets.length > 1) met.slot++;
          if (incidents.open.length > 0) met.incident++;
          if (tracker.open.length > 0) met.transactions++;
        },
      );
      assert.ok(met.slot > 0 && met.incident > 0 && met.transactions > 0, JSON.stringify(met));
      assertSame(result, unbroken);
    });

    test(`every ${STEP} lines tells and scores the same`, () => {
      assertSame(
        walk(
          learned,
          (i) => i % STEP === 0,
          () => {},
        ),
        unbroken,
      );
    });

    test("is not changed by that, and the restored one is saved as the same", () => {
      const watch = Watch.from(learned, learned.start);
      const half = (learned.first + learned.lines.count) >> 1;
      for (let i = learned.first; i < half; i++) watch.line(i);
      const first = watch.pack();
      assert.deepEqual(unpack(watch.pack()), unpack(first));
      assert.deepEqual(unpack(Watch.from(learned, first).pack()), unpack(first));
    });

    test("is refused by another version and by another model", () => {
      const { detector } = unpack(learned.start);
      const { model, options } = learned;
      for (const [saved, of] of [
        [{ ...detector, version: detector.version + 1 }, model],
        [detector, { ...model, events: model.events + 1 }],
        [detector, { ...model, entity: { ...model.entity, salt: "other" } }],
      ] as const)
        assert.throws(() => Detector.restore(of, saved, options), StateError);
    });
  });
