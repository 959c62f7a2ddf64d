import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { NoveltyCollector, type NoveltyFinding, NoveltyScorer, unsettled } from "../../src/detect/novelty.ts";
import { HOUR, MINUTE, NOON } from "./support.ts";

const scorer = (): NoveltyScorer =>
  new NoveltyScorer({ known: ["known"], perDay: 1, gravePerDay: 0.2, repeats: [1, 1, 2], days: 20 });
const plain = { grave: false, routine: false };

/** What is said of the newcomers of the last hour, by looking at all of them. */
function others(seen: readonly { shape: string; time: number }[]): Pick<NoveltyFinding, "others" | "newest"> {
  const { shape, time } = seen.at(-1)!;
  const first = new Map<string, number>();
  for (const one of seen) if (!first.has(one.shape)) first.set(one.shape, one.time);
  const recent = [...first]
    .filter(([other, at]) => other !== shape && at > time - HOUR)
    .map(([other]) => other);
  return { others: recent.length, newest: recent.reverse().slice(0, 4) };
}

suite("newcomers of the last hour", () => {
  test("are counted and named as if all had been looked at, also after a stop", () => {
    const lines = fc.array(fc.record({ shape: fc.constantFrom(..."abcdefgh"), gap: fc.nat(40 * MINUTE) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(lines, fc.nat(60), (stream, stop) => {
        let novelty = scorer();
        const seen: { shape: string; time: number }[] = [];
        let time = NOON;
        for (const [i, { shape, gap }] of stream.entries()) {
          if (i === stop) {
            const saved = novelty.save();
            novelty = scorer();
            novelty.load(saved);
          }
          time += gap;
          seen.push({ shape, time });
          const found = novelty.see(shape, time, plain);
          if (found) assert.deepEqual({ others: found.others, newest: found.newest }, others(seen));
        }
      }),
      { numRuns: 200, seed: 3 },
    );
  });
  test("cost no line more when there are 60,000 of them", () => {
    const novelty = scorer();
    const cost = (from: number, to: number): number => {
      const began = process.cpuUsage();
      for (let i = from; i < to; i++) novelty.see(`shape ${i}`, NOON + i * 50, plain);
      const { user, system } = process.cpuUsage(began);
      return user + system;
    };
    cost(0, 5_000); // compiled
    const first = cost(5_000, 10_000);
    cost(10_000, 55_000);
    const last = cost(55_000, 60_000);
    assert.ok(last < 5 * first + 50_000, `5,000 lines in ${first} µs at first, in ${last} µs at last`);
  });
});

suite("what a training knows", () => {
  const DAYS = 288;
  const GROUPS = new Map([
    ["red", "colour"],
    ["blue", "colour"],
  ]);
  const open = (shapes: Record<string, [seen: number, since?: number]>): string[] =>
    [
      ...unsettled(
        new Map(Object.entries(shapes).map(([id, [seen, since]]) => [id, { seen, since }])),
        GROUPS,
      ),
    ].sort();

  test("leaves out what came on one occasion, joined shapes as one", () => {
    assert.deepEqual(open({ old: [900], once: [900, 899], again: [900, 900 - DAYS] }), ["once"]);
    assert.deepEqual(open({ red: [900, 899], blue: [901, 900] }), ["blue", "colour", "red"]);
    assert.deepEqual(open({ red: [900, 899], blue: [1200, 1200] }), []);
    assert.deepEqual(open({ red: [900], blue: [901, 901] }), []);
  });

  test("newcomers of a training that follows another: a second day counts, what was known before does not", () => {
    const fit = (before?: ReadonlySet<string>): number[] => {
      const collector = new NoveltyCollector();
      const add = (shape: string, day: number, times: number): void => {
        for (let i = 0; i < times; i++) collector.add(shape, NOON + day * 24 * HOUR + i * MINUTE, plain);
      };
      add("new", 11, 3);
      add("new", 13, 2);
      add("known", 12, 5);
      const end = NOON + 20 * 24 * HOUR;
      return [...collector.fit(NOON, end, new Map(), undefined, { before }).repeats];
    };
    assert.deepEqual(fit(), [3, 5]);
    assert.deepEqual(fit(new Set(["known"])), [2, 3]);
  });
});
