import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { Recency } from "../../src/mail/recency.ts";
import { Detector } from "../../src/pipeline/detector.ts";
import { coldStart } from "../../src/pipeline/model.ts";
import { at, linesOf, planOf, textOf } from "../compose/support.ts";
import { FieldReader } from "./fields.ts";
import { learn, Watch } from "./support.ts";

/**
 * Nothing of a detector is forgotten: all fields of all objects that it holds, private ones too, are the same in the one that was saved
 * and in the one that was restored. A field that is added to any class must be saved, or be named here with the reason why not.
 */

/** By class and field: why it may differ. */
const MAY_DIFFER: Readonly<Record<string, string>> = {
  "PlanMemo #known": "what plans tell is found out again",
  "ColumnRegistry #sets": "column sets are made again; those of the open slot are saved with their counts",
  "RegularScorer #byKey": "names are looked up again",
  "WindowScorer #sums": "written before it is read",
  "WindowScorer #mu": "written before it is read",
  "EntityScorer #shares": "written before it is read",
  "EventReader head": "names, and the last time as written, are read again",
  "EventReader key": "keys have a seed of their own",
  "EventReader plans": "plans are made again",
  "EventReader single": "written before it is read",
  "Zone offsets": "offsets are looked up again",
  "Zone day": "a day's offset is looked up again",
  "Zone dayOffset": "a day's offset is looked up again",
};
/** Tables in which keys are looked up and nothing hangs on their order. */
const ORDERLESS: ReadonlySet<string> = new Set(["TransactionTracker #open"]);

const touched = (list: Recency<unknown>): unknown[] => [...list].map((item) => [item, list.at(item)]);
const sorted = (table: Map<string, unknown>): unknown[] => [...table].sort((x, y) => (x[0] < y[0] ? -1 : 1));

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Compares what two objects hold; notes the classes and fields that it came by. */
class Comparison {
  readonly met = new Set<string>();
  readonly classes = new Set<string>();
  readonly #fields = new FieldReader();
  readonly #seen = new Set<object>();

  close(): void {
    this.#fields.close();
  }

  same(a: unknown, b: unknown, path: string): void {
    if (!isObject(a) || !isObject(b)) {
      if (typeof a === "function" && typeof b === "function") return;
      assert.ok(Object.is(a, b), `${path}: ${String(a)} and ${String(b)}`);
      return;
    }
    if (a === b || this.#seen.has(a)) return;
    this.#seen.add(a);
    const name = a.constructor.name;
    assert.equal(b.constructor.name, name, path);
    if (a instanceof Recency) this.same(touched(a), touched(b as Recency<unknown>), path);
    else if (ArrayBuffer.isView(a)) assert.deepEqual(a, b, path);
    else if (a instanceof Map || a instanceof Set)
      this.same([...a], [...(b as Map<unknown, unknown>)], `${path} entries`);
    else if (name === "Object" || name === "Array") {
      assert.deepEqual(Object.keys(a), Object.keys(b), path);
      for (const [key, value] of Object.entries(a))
        this.same(value, (b as Record<string, unknown>)[key], `${path}.${key}`);
    } else this.#instances(a, b, name, path);
  }

  #instances(a: object, b: object, name: string, path: string): void {
    this.classes.add(name);
    const [own, other] = [this.#fields.of(a), this.#fields.of(b)];
    assert.deepEqual([...own.keys()], [...other.keys()], path);
    for (const [field, value] of own) {
      this.met.add(`${name} ${field}`);
      const [id, at] = [`${name} ${field}`, `${path}.${field}`];
      const theirs = other.get(field);
      if (id in MAY_DIFFER) continue;
      if (ORDERLESS.has(id))
        this.same(sorted(value as Map<string, unknown>), sorted(theirs as Map<string, unknown>), at);
      else this.same(value, theirs, at);
    }
  }
}

/** A busy site, so that an hour holds something of everything and no line that is held is too old to be cited. */
const log = (): Parameters<typeof learn>[0] => ({
  bytes: Buffer.from(
    `${textOf(
      linesOf(
        planOf(
          {
            days: 5,
            faults: [
              { kind: "sasl_bruteforce_fast", start: at(4, 10), minutes: 50 },
              { kind: "milter_down", start: at(4, 10), minutes: 50 },
            ],
          },
          { zone: "Europe/Oslo", header: "rfc3164", mailsPerDay: 700 },
        ),
      ),
    )}\n`,
  ),
  zone: "Europe/Oslo",
  year: 2026,
  until: Date.parse(at(4, 10)),
});

suite("a restored detector", () => {
  const comparison = new Comparison();
  after(() => comparison.close());

  test("holds in every field what the saved one held", () => {
    const learned = learn(log(), { timeOnly: true });
    const watch = Watch.from(learned, learned.start);
    // cold, or what the day before brought would grow too old meanwhile, and is not saved then
    const cold = coldStart(learned.options.salt, { used: [], tried: [] });
    watch.detector = new Detector(learned.model, cold, learned.options, watch.onScore);
    const until = learned.log.until + 48 * 60_000;
    for (let i = learned.first; learned.times[i - learned.first]! < until; i++) watch.line(i);
    assert.ok(watch.detector.manager.open.length > 0);
    const restored = Watch.from(learned, watch.pack());
    const all = (w: Watch): { detector: Detector; reader: Watch["reader"] } => ({
      detector: w.detector,
      reader: w.reader,
    });
    comparison.same(all(watch), all(restored), "watch");
    const stale = Object.keys(MAY_DIFFER).filter((field) => !comparison.met.has(field));
    assert.deepEqual(stale, [], "fields that may differ and are no more");
    for (const name of [
      "Detector",
      "IncidentManager",
      "Recent",
      "Load",
      "AgingSet",
      "LogClock",
      "SlownessScorer",
    ])
      assert.ok(comparison.classes.has(name), `${name} was not looked into`);
  });
});
