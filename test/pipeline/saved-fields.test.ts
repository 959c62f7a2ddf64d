import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { HeadWatch } from "../../src/detect/head-watch.ts";
import type { ColumnRegistry, ColumnSet } from "../../src/feature/columns.ts";
import { ENTITY_FEATURES } from "../../src/feature/entity-features.ts";
import type { SeenLine } from "../../src/feature/transaction.ts";
import { RecencyMap } from "../../src/mail/recency.ts";
import { Detector } from "../../src/pipeline/detector.ts";
import { coldStart, type Model } from "../../src/pipeline/model.ts";
import { at, linesOf, planOf, textOf } from "../compose/support.ts";
import { planned } from "../detect/support.ts";
import { FieldReader } from "./fields.ts";
import { learn, readerOf, Watch } from "./support.ts";

/**
 * Nothing of a detector is forgotten: all fields of all objects that it holds, private ones too, are the same in the one that was saved
 * and in the one that was restored. A field that is added to any class must be saved, or be named here with the reason why not.
 */

/** By class and field: why it may differ. */
const MAY_DIFFER: Readonly<Record<string, string>> = {
  "EntityReader #names": "pseudonyms are made again",
  "PlanMemo #plans": "what plans tell is found out again",
  "PlanMemo #known": "what plans tell is found out again",
  "ColumnRegistry #sets": "column sets are made again; those of the open slot are saved with their counts",
  "RegularScorer #byKey": "names are looked up again",
  "NoveltyScorer #recent": "those that are over leave when the next one comes",
  "SlotCounter #sums": "all 0 between two slots",
  "SlotViews #common": "written before it is read",
  "WindowScorer #sums": "written before it is read",
  "WindowScorer #mu": "written before it is read",
  "EntityScorer #shares": "written before it is read",
  "Memo #known": "what is known of keys is worked out again",
  "EventReader head": "names, and the last time as written, are read again",
  "EventReader key": "keys have a seed of their own",
  "EventReader plans": "plans are made again",
  "EventReader single": "written before it is read",
  "Zone offsets": "offsets are looked up again",
  "Zone day": "a day's offset is looked up again",
  "Zone dayOffset": "a day's offset is looked up again",
};
/** Fields by their classes that hold what the object was made with, what plans tell, or what one line leaves behind for its own sake. */
const CONSTANT: Readonly<Record<string, string>> = {
  AbsenceScorer: "#byProgram #clock #rate #whole",
  AgingSet: "#keepMs #limit",
  AlertBudget: "#options",
  // what is doubtful is forgotten before learning ends
  BoundedSet: "#doubtful #limit",
  CauseCounter: "#expected",
  ColumnRegistry: "#byPlan",
  DeliveryTimer: "#plans",
  DriftWatch: "#known #knownSuites #model #programs",
  Detector: "#asksAbsence #asksNovelty #index #observed #onScore #opened #options #plans model",
  EntityReader: "#clients #lineIds #onUsed #roles #salt",
  EntityScorer: "#clock #known model",
  EventReader: "groups",
  GroupTable: "forms",
  LineClients: "#ways",
  LineIds: "#ways",
  // a state is saved with the lines of closed slots given to their columns
  LineRings: "#closed #index",
  Load: "#perDay",
  LogClock: "zone",
  Memo: "#limit #make",
  NoveltyScorer: "#known #model",
  PlanMemo: "#make",
  RegularScorer: "#clock #model #salt",
  SlotCounter: "registry",
  SlotViews: "#full #model #onScore #options",
  SlownessScorer: "#programs #shifts model",
  TransactionScorer: "#index #onScore #ordinary model",
  TransactionTracker: "#lineIds #plans",
  WindowScorer: "#conditional #index #weekday #weekend model",
  Zone: "format name",
};
const constants = Object.entries(CONSTANT).flatMap(([name, all]) =>
  all.split(" ").map((of) => `${name} ${of}`),
);

const touched = (table: RecencyMap<unknown, unknown>): unknown[] =>
  [...table].map(({ key, value, at }) => [key, value, at]);

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Compares what two objects hold; notes the fields that it came by, by class and field, and those that differ. */
class Comparison {
  readonly met = new Set<string>();
  readonly differing = new Map<string, string>();
  /** The field that is looked at, and those around it. */
  readonly #at: string[] = [];
  readonly #fields = new FieldReader();
  readonly #seen = new Set<object>();

  close(): void {
    this.#fields.close();
  }

  same(a: unknown, b: unknown, path: string): void {
    if (!isObject(a) || !isObject(b)) {
      if (typeof a === "function" && typeof b === "function") return;
      this.#expect(Object.is(a, b), `${path}: ${String(a)} and ${String(b)}`);
      return;
    }
    if (a === b || this.#seen.has(a)) return;
    this.#seen.add(a);
    const name = a.constructor.name;
    if (b.constructor.name !== name) this.#expect(false, `${path}: ${name}`);
    else if (a instanceof RecencyMap) this.same(touched(a), touched(b as typeof a), path);
    else if (ArrayBuffer.isView(a)) this.#expect(isDeepStrictEqual(a, b), path);
    else if (a instanceof Map || a instanceof Set)
      this.same([...a], [...(b as Map<unknown, unknown>)], `${path} entries`);
    else if (name === "Object" || name === "Array") {
      this.#expect(isDeepStrictEqual(Object.keys(a), Object.keys(b)), `${path}: keys`);
      for (const [key, value] of Object.entries(a))
        this.same(value, (b as Record<string, unknown>)[key], `${path}.${key}`);
    } else this.#instances(a, b, name, path);
  }

  #expect(ok: boolean, what: string): void {
    if (!ok) for (const field of this.#at) if (!this.differing.has(field)) this.differing.set(field, what);
  }

  #instances(a: object, b: object, name: string, path: string): void {
    const [own, other] = [this.#fields.of(a), this.#fields.of(b)];
    assert.deepEqual([...own.keys()], [...other.keys()], path);
    for (const [field, value] of own) {
      this.met.add(`${name} ${field}`);
      const [id, at] = [`${name} ${field}`, `${path}.${field}`];
      const theirs = other.get(field);
      if (id in MAY_DIFFER) continue;
      this.#at.push(id);
      this.same(value, theirs, at);
      this.#at.pop();
    }
  }
}

/** With something that comes every day, for which the log is too short. */
function withRegular(model: Model): Model {
  const days = { mean: 40, alpha: 0.05 };
  const feature = ENTITY_FEATURES.findIndex((f) => f.regular === "only");
  const regulars = [{ feature, name: "partner", week: days, weekend: days, ceiling: 6 }];
  return { ...model, regular: { ...model.regular, regulars } };
}

/** What a gap's model fixes. */
const FIXED: ReadonlySet<string> = new Set(["alone", "together", "byCompanion", "fastest"]);

/** Sets by hand what comes about in none of the log's hours. */
function makeRare({ detector, reader }: Watch): void {
  const fields = new FieldReader();
  const inside = <T>(object: unknown, ...path: string[]): T =>
    path.reduce((at, name) => fields.of(at as object).get(name), object) as T;
  inside<Map<string, number>>(detector, "#explained").set("ann@alder.example", 1e15);
  inside<ColumnRegistry>(detector, "#registry").overflowed = 3;
  inside<Set<string>>(detector, "#reader", "#blocks", "#old").add("ann 192.0.2.0/24 1");
  inside<Set<string>>(detector, "#reader", "#failed", "#young").add("mx7 4jEFBs bob@remote.example");
  inside<Map<string, object>>(detector, "#reader", "#messages").set("mx7 4jEFBs", { nullSender: true });
  inside<Record<string, unknown>[]>(detector, "#absence", "#gaps").forEach((gap, i) => {
    for (const [field, value] of Object.entries(gap))
      if (typeof value === "number" && !FIXED.has(field)) gap[field] = i + Object.keys(gap).indexOf(field);
    gap["raised"] = i % 2 === 0;
  });
  const [set] = inside<ColumnSet[]>(detector, "#counter", "#seen");
  inside<Map<string, ColumnSet>>(detector, "#counter", "#unowned").set("mx7 postfix/smtp[7]", set!);
  inside<Float32Array>(detector, "#views", "#transactions", "#counts")[1] = 2;
  const [[key, first]] = [
    ...inside<Map<string, object>>(detector, "#views", "#timer", "#seen", "#deliveries"),
  ] as [[string, object]];
  inside<Map<string, object>>(detector, "#views", "#timer", "#before", "#deliveries").set(key, first);
  inside<{ size: number }>(detector, "#views", "#timer", "#before").size = 1;
  inside<Set<string>>(detector, "#changes", "drift", "#aside").add("template 1");
  const heads = inside<HeadWatch>(detector, "#changes", "#heads");
  const line = inside<SeenLine>(detector, "#changes", "#heads", "#last");
  for (let n = 0; n < 500; n++) heads.see("RFC 3164", line);
  heads.see("JSON", line);
  inside<Map<string, number>>(heads, "#counts").set("JSON", 1);
  heads.isBlind = true;
  detector.manager.obey({ feedback: [], plans: [planned()] });
  type Watched = { key: string; told: boolean; recent: { add: (slot: number, count: number) => void } };
  const [watched] = inside<Map<string, Watched>>(detector, "#views", "#regulars", "#watched").values();
  watched!.recent.add(1, 2);
  Object.assign(watched!, { key: "partner.example", told: true });
  Object.assign(reader, { badEnvelope: 2, truncated: 1, otherTemplates: { count: 4 } });
  Object.assign((reader as unknown as { clock: object }).clock, { jump: 1e12 });
  fields.close();
}

function compared(a: object, b: object): Comparison {
  const comparison = new Comparison();
  comparison.same(a, b, "");
  comparison.close();
  return comparison;
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
  test("holds in every field what the saved one held", () => {
    const found = learn(log(), { timeOnly: true });
    const learned = { ...found, model: withRegular(found.model) };
    // cold, or what the day before brought would grow too old meanwhile, and is not saved then
    const begin = (year: number | undefined): Watch => {
      const { model, options, log: of, lines } = learned;
      const begun = new Watch(model, options, of, lines, readerOf(of, year));
      begun.reader.adopt(model.groups);
      const cold = coldStart(options.salt, { used: [], tried: [] });
      begun.detector = new Detector(model, cold, options, begun.onScore);
      return begun;
    };
    const watch = begin(learned.log.year);
    const until = learned.log.until + 48 * 60_000;
    for (let i = learned.first; learned.times[i - learned.first]! < until; i++) watch.line(i);
    assert.ok(watch.detector.manager.open.length > 0);
    makeRare(watch);
    const restored = Watch.from(learned, watch.pack());
    const all = ({ detector, reader }: Watch): object => ({ detector, reader });
    const whole = compared(all(watch), all(restored));
    assert.deepEqual([...whole.differing], [], "saved and restored");
    const unknown = Object.keys(MAY_DIFFER).filter((field) => !whole.met.has(field));
    assert.deepEqual(unknown, [], "fields that may differ and are no more");
    // what a new one holds too proves nothing
    const fresh = begin(undefined);
    const { differing } = compared(all(watch), all(fresh));
    const same = [...whole.met].filter((field) => !differing.has(field) && !(field in MAY_DIFFER));
    assert.deepEqual(same.toSorted(), constants.toSorted(), "fields that are as in a new detector");
  });
});
