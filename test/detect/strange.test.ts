import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Reach } from "../../src/detect/memory.ts";
import {
  besideOrdinary,
  type CountedSlot,
  countStrange,
  fitRates,
  type Strangeness,
} from "../../src/detect/strange.ts";
import { type WindowModel, WindowScorer } from "../../src/detect/window.ts";
import { slotRows } from "../../src/detect/window-fit.ts";
import { placeOf, SLOTS_PER_DAY } from "../../src/feature/clock.ts";
import { MESSAGE, TRANSACTION_TYPES } from "../../src/feature/transaction.ts";
import { utc } from "./support.ts";

const DAYS = 14;
const FIRST = 20_000 * SLOTS_PER_DAY;
const LAST = FIRST + DAYS * SLOTS_PER_DAY - 1;
const NOON = SLOTS_PER_DAY / 2;

const SESSION = TRANSACTION_TYPES.indexOf("session");
const strange = (change: Partial<Strangeness>): Strangeness => ({
  ...{ type: MESSAGE, pValue: 0.001, unknown: false, carrier: undefined },
  ...change,
});

/** One such message at noon of some days of training. */
const atNoon = (days: readonly number[], strangeness: Strangeness): CountedSlot[] =>
  days.map((day) => ({ slot: FIRST + day * SLOTS_PER_DAY + NOON, strangeness, each: 1 }));
const everyDay = Array.from({ length: DAYS }, (_, day) => day);

const learned = (counted: readonly CountedSlot[]) =>
  fitRates(counted, slotRows(FIRST, LAST, utc), undefined, utc, new Reach(LAST), new Map());
const keysOf = (counted: readonly CountedSlot[]): string[] => learned(counted).columns.map(({ key }) => key);

/** The natural rate of the rarest finding of the slot in which some messages come. */
function rarest(model: WindowModel, now: readonly Strangeness[]): number {
  const scorer = new WindowScorer(model, besideOrdinary(model.columns));
  const index = new Map(model.columns.map(({ key }, j) => [key, j]));
  const counts = new Float32Array(model.columns.length);
  for (const strangeness of now) countStrange(counts, 0, index, strangeness);
  scorer.push(counts, placeOf(LAST + NOON, utc));
  return Math.min(Number.POSITIVE_INFINITY, ...scorer.score().findings.map(({ rate }) => rate));
}

suite("strange transactions", () => {
  const slow = strange({ carrier: "delay in queue" });

  test("are counted by type, and by what made them strange on four days of training", () => {
    const types = TRANSACTION_TYPES.flatMap((type) => [`strange ${type} 0.01`, `unknown ${type}`]);
    const always = [...types, "ordinary message"];
    assert.deepEqual(keysOf(atNoon([0, 1, 2], slow)), always);
    assert.deepEqual(keysOf(atNoon([0, 1, 2, 2, 2], slow)), always);
    assert.deepEqual(keysOf(atNoon([0, 1, 2, 3], slow)), [...always, "strange message by delay in queue"]);
  });

  test("are not counted by how long a session lasts, which is up to its client; a message's duration is not", () => {
    const long = { carrier: "duration" } as const;
    const own = (type: number): boolean =>
      keysOf(atNoon([0, 1, 2, 3], strange({ ...long, type }))).includes(
        `strange ${TRANSACTION_TYPES[type]} by duration`,
      );
    assert.equal(own(SESSION), false);
    assert.equal(own(MESSAGE), true);
  });

  test("are not counted where they are usual ones", () => {
    const usual = strange({ pValue: 0.011, carrier: "delay in queue" });
    const counts = new Float32Array(1);
    for (const key of ["strange message 0.01", "unknown message", "strange message by delay in queue"])
      countStrange(counts, 0, new Map([[key, 0]]), usual);
    assert.equal(counts[0], 0);
  });

  test("stand out by what is rare among them, where many are strange by something else", () => {
    const many = everyDay.flatMap((day) => Array.from({ length: 12 }, () => atNoon([day], slow)).flat());
    const model = learned([...many, ...atNoon([1, 4, 7, 10], strange({ carrier: "recipients" }))]);
    const four = (carrier: string): Strangeness[] => Array.from({ length: 4 }, () => strange({ carrier }));
    assert.ok(rarest(model, four("recipients")) < 1e-3);
    assert.equal(rarest(model, four("delay in queue")), Number.POSITIVE_INFINITY);
  });
});

suite("a remembered time with many strange messages", () => {
  const [EARLIER, BEFORE] = [FIRST - DAYS * SLOTS_PER_DAY, FIRST - 1];
  const slow = strange({ carrier: "delay in queue" });
  const newsletter = {
    slot: EARLIER + 3 * SLOTS_PER_DAY + NOON,
    strangeness: strange({ carrier: "recipients" }),
  };
  const few = atNoon([1, 4, 7, 10], slow);
  /** Learned after a model that knew, or did not know, such a time. */
  const after = (each: number): WindowModel => {
    const times = Array.from({ length: each }, () => ({ ...newsletter, each: 1 }));
    const before = fitRates(
      times,
      slotRows(EARLIER, BEFORE, utc),
      undefined,
      utc,
      new Reach(BEFORE),
      new Map(),
    );
    return fitRates(few, slotRows(FIRST, LAST, utc), before, utc, new Reach(LAST), new Map());
  };
  const come = (n: number): Strangeness[] => Array.from({ length: n }, () => slow);

  test("lets as many come again, whatever today's network finds strange in them", () => {
    assert.ok(rarest(after(0), come(15)) < 1e-3);
    assert.equal(rarest(after(15), come(15)), Number.POSITIVE_INFINITY);
  });

  test("does not let many times as many come", () => {
    assert.ok(rarest(after(15), come(100)) < 1e-3);
  });
});

suite("among many ordinary ones", () => {
  const times = (n: number, one: Strangeness): Strangeness[] => Array.from({ length: n }, () => one);
  /** Of which each day ten ordinary ones came in every five minutes, and on some days a strange one at noon. */
  const model = (type: number): WindowModel => {
    const ordinary = { strangeness: strange({ type, pValue: 0.5 }), each: 1 };
    const all = Array.from({ length: DAYS * SLOTS_PER_DAY }, (_, k) => ({ slot: FIRST + k, ...ordinary }));
    return learned([
      ...all.flatMap((one) => new Array<CountedSlot>(10).fill(one)),
      ...atNoon([1, 4, 7, 10], strange({ type })),
    ]);
  };
  const [messages, sessions] = [model(MESSAGE), model(SESSION)];
  /** Natural rate of some strange ones beside ordinary ones. */
  const rate = (bad: number, good: number, type = MESSAGE): number =>
    rarest(type === MESSAGE ? messages : sessions, [
      ...times(bad, strange({ type })),
      ...times(good, strange({ type, pValue: 0.5 })),
    ]);

  test("strange messages are less rare, as in a newsletter", () => {
    assert.ok(rate(4, 10) < 1e-3);
    assert.ok(rate(4, 400) > 0.05);
  });

  test("they are as rare as ever beside somewhat more than usual", () => {
    assert.equal(rate(4, 18), rate(4, 10));
    assert.ok(rate(4, 80) > rate(4, 10));
  });

  test("they are told where most are strange, whatever comes with them", () => {
    assert.ok(rate(80, 10_000) < 1e-3);
  });

  test("strange sessions are as rare as ever, since attacks are made of sessions", () => {
    assert.ok(rate(4, 400, SESSION) < 1e-3);
    assert.equal(rate(4, 400, SESSION), rate(4, 10, SESSION));
  });

  test("the ordinary ones are never told", () => {
    assert.equal(rate(0, 10_000), Number.POSITIVE_INFINITY);
  });
});

suite("transactions with lines that the network has no column for", () => {
  test("are counted however strange it finds them", () => {
    const model = learned(atNoon([3], strange({ unknown: true, pValue: 0.5 })));
    const some = (n: number, unknown: boolean): Strangeness[] =>
      Array.from({ length: n }, () => strange({ unknown, pValue: 0.5 }));
    assert.ok(rarest(model, some(5, true)) < 1e-3);
    assert.equal(rarest(model, some(5, false)), Number.POSITIVE_INFINITY);
  });
});
