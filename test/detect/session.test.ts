import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { loadKernels } from "../../src/cli/kernels.ts";
import { coreOf, departure, LIKE, learnNormal, seriesOf } from "../../src/detect/departure.ts";
import { type SessionModel, scoresOf, sessionPValue, trainSessions } from "../../src/detect/session.ts";
import { type Bag, bagOf, kindsOf } from "../../src/feature/session.ts";
import { createRandom, type Random } from "../../src/math/random.ts";

/** Columns 0-3 come always, as often as they must; 4 and 5 vary; 6-8 are events of faults. */
const WIDTH = 9;
const SEED = 5;
const bag = (counts: Readonly<Record<number, number>>): Bag =>
  bagOf(new Map(Object.entries(counts).map(([column, n]) => [Number(column), n])));
const usual = (random: Random): Record<number, number> => {
  const counts: Record<number, number> = { 0: 1, 1: 3, 2: 3, 3: 1 };
  if (random.uniform() < 0.4) counts[4] = 1 + random.int(6);
  if (random.uniform() < 0.3) counts[5] = 1 + random.int(3);
  return counts;
};
const normal = (n: number, seed: number): Bag[] => {
  const random = createRandom(seed);
  return Array.from({ length: n }, () => bag(usual(random)));
};
/** A transfer that broke off, an error beside an ordinary session, and a repair. */
const FAULTS = [
  { 0: 1, 1: 1 },
  { 0: 1, 1: 3, 2: 3, 3: 1, 6: 1 },
  { 0: 1, 1: 4, 2: 5, 3: 1, 7: 1, 8: 2 },
];
const options = { seed: SEED, kernels: loadKernels(), width: WIDTH };
const strange = (model: SessionModel, bags: readonly Bag[]): number =>
  scoresOf(model, bags).filter((score) => score > model.threshold).length;

suite("a model of normal sessions", () => {
  const training = normal(600, 1);
  const model = trainSessions(training, { ...options, mixed: false });
  const later = normal(1000, 2);
  test("calls every kind of fault strange", () => assert.equal(strange(model, FAULTS.map(bag)), 3));
  test("calls few normal sessions strange", () =>
    assert.ok(strange(model, later) <= 8, `${strange(model, later)}`));
  test("scores what it has learned with 0", () =>
    assert.ok(scoresOf(model, training).every((score) => score === 0)));
  test("calls an event strange that it never saw", () =>
    assert.equal(strange(model, [bag({ 0: 1, 1: 3, 2: 3, 3: 1, 77: 1 })]), 1));
  test("gives a stranger session a smaller p-value", () => {
    const [low, high] = [sessionPValue(model, 0), sessionPValue(model, 9)];
    assert.ok(high < low && high > 0 && low <= 1, `${high}, ${low}`);
  });
  test("scores a session the same whatever stands beside it", () => {
    const alone = scoresOf(model, [bag(FAULTS[1]!)])[0]!;
    assert.equal(scoresOf(model, [...later, bag(FAULTS[1]!)]).at(-1), alone);
  });
  test("is the same again for the same seed", () => {
    const again = trainSessions(training, { ...options, mixed: false });
    assert.equal(again.threshold, model.threshold);
    assert.deepEqual(scoresOf(again, later), scoresOf(model, later));
  });
  test("can't be learned from nothing", () =>
    assert.throws(() => trainSessions([], { ...options, mixed: false }), RangeError));
  test("can be learned from one session", () => {
    const one = trainSessions([bag({ 0: 1 })], { ...options, mixed: false });
    assert.ok(scoresOf(one, [bag({ 0: 1, 3: 4 })])[0]! > 0);
  });
});

suite("a model of normal sessions among which new kinds keep coming", () => {
  // Of 600, 20 have an event that one other session has: left out alone none is unlike the rest.
  const training = normal(600, 1).map((common, i) =>
    i % 30 > 1 ? common : bag({ ...usual(createRandom(i)), [WIDTH + Math.floor(i / 30)]: 1 }),
  );
  const model = trainSessions(training, { ...options, mixed: false, width: WIDTH + 20 });
  const [broken, error] = FAULTS.map(bag);
  test("takes no single change for a fault", () => {
    assert.ok(model.threshold > 2 * LIKE, `${model.threshold}`);
    assert.equal(strange(model, [error!]), 0);
  });
  test("still calls a broken transfer strange", () => assert.equal(strange(model, [broken!]), 1));
});

suite("a model of unlabelled sessions", () => {
  // 8 of each kind of fault among 600: the same fault again and again must not become normal.
  const planted = FAULTS.flatMap((fault) => new Array<Bag>(8).fill(bag(fault)));
  const training = [...normal(600, 3), ...planted];
  const model = trainSessions(training, { ...options, mixed: true });
  test("finds the planted faults, though it learned among them", () =>
    assert.equal(strange(model, FAULTS.map(bag)), 3));
  test("calls few normal sessions strange", () => assert.ok(strange(model, normal(1000, 4)) <= 10));
  test("sets the faults aside and hardly more", () =>
    assert.ok(model.setAside >= 24 && model.setAside <= 34, `${model.setAside}`));
  test("ranks a fault of a series above a lone oddity as far from normal", () => {
    const [series, oddity] = scoresOf(model, [bag(FAULTS[1]!), bag({ 0: 1, 1: 3, 2: 3, 3: 1, 77: 1 })]);
    assert.ok(oddity! > model.threshold, `${oddity}`);
    assert.ok(series! > 1.5 * oddity! && series! < 2 * oddity! + 1, `${series}, ${oddity}`);
  });
  test("takes them for normal when it is told so", () => {
    const told = trainSessions(training, { ...options, mixed: false });
    assert.ok(scoresOf(told, FAULTS.map(bag)).every((score) => score === 0));
  });
  test("keeps most of a log where no two sessions are alike", () => {
    const random = createRandom(6);
    const unlike = Array.from({ length: 200 }, () =>
      bag(Object.fromEntries(Array.from({ length: WIDTH }, (_, j) => [j, 1 + random.int(40)]))),
    );
    const core = coreOf(kindsOf(unlike), WIDTH);
    assert.ok(core.length >= 160, `${core.length} of 200`);
  });
});

suite("departure from the nearest known session", () => {
  const model = learnNormal(kindsOf(normal(600, 1)), WIDTH);
  test("is nothing for a known one", () =>
    assert.equal(departure(model, bag({ 0: 1, 1: 3, 2: 3, 3: 1 })), 0));
  test("is small where counts vary, large where they never did", () => {
    const varied = departure(model, bag({ 0: 1, 1: 3, 2: 3, 3: 1, 4: 9 }));
    const constant = departure(model, bag({ 0: 1, 1: 3, 2: 3, 3: 4 }));
    assert.ok(varied < 4 && constant > 8, `${varied}, ${constant}`);
  });
});

suite("how surely a session is one of a series", () => {
  const model = learnNormal(kindsOf(normal(600, 1)), WIDTH);
  const fault = bag(FAULTS[1]!);
  const eight = kindsOf(new Array<Bag>(8).fill(fault));
  test("is nothing without others", () => assert.equal(seriesOf(model, fault, []), 0));
  test("is a half beside one like it", () => assert.equal(seriesOf(model, fault, kindsOf([fault])), 1 / 2));
  test("is eight ninths beside eight", () => assert.equal(seriesOf(model, fault, eight), 8 / 9));
  test("is hardly anything beside eight unlike it", () =>
    assert.ok(seriesOf(model, bag(FAULTS[0]!), eight) < 0.01));
});
