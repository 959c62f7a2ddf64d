import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { createRandom } from "../../src/math/random.ts";
import { type Learned, learn, QUICKSTART, type Result, Watch } from "./support.ts";

/** Time may pass between lines, and somebody may say so as often as he likes: what is told, and how it is dated, stays the same. */

const MINUTE = 60_000;
const day = (d: number, hour: number, minute = 0): number => Date.UTC(2026, 8, 28 + d, hour, minute);
/** Stretches that are cut out of the log: silences of 20 minutes to two days, by day and by night, one soon after another. */
const HOLES: readonly (readonly [from: number, to: number])[] = [
  [day(0, 13, 2), day(0, 13, 22)],
  [day(1, 10, 1), day(1, 11, 30)],
  [day(1, 15), day(1, 15, 50)],
  [day(2, 23, 30), day(3, 2)],
  [day(4, 8), day(6, 9)],
];
const isHole = (time: number): boolean => HOLES.some(([from, to]) => time >= from && time < to);

type Told = { readonly result: Result; readonly early: number };

/** Times between two lines at which advance() is called, rising. */
type Calls = (from: number, to: number) => number[];

const atRandom = (most: number, seed: number): Calls => {
  const random = createRandom(seed);
  return (from, to) =>
    Array.from(
      { length: random.int(most + 1) },
      () => from + Math.floor(random.uniform() * (to - from)),
    ).sort((a, b) => a - b);
};
const everyMinute: Calls = (from, to) => {
  const times: number[] = [];
  for (let at = Math.ceil(from / MINUTE) * MINUTE; at <= to; at += MINUTE) times.push(at);
  return times;
};

/** cut: the watch is saved and restored after so many calls. */
function walk(learned: Learned, calls?: Calls, cut = Number.POSITIVE_INFINITY): Told {
  const watch = Watch.from(learned, learned.start);
  let last = learned.log.until;
  let early = 0;
  let called = 0;
  const pass = (time: number): void => {
    for (const at of calls!(last, Math.max(last, time))) {
      const alerts = watch.detector.advance(at);
      early += alerts.length;
      watch.take(alerts);
      if (++called % cut === 0) watch.unpack(watch.pack());
    }
    last = Math.max(last, time);
  };
  for (let i = learned.first; i < learned.lines.count; i++) {
    if (isHole(learned.times[i - learned.first]!)) continue;
    watch.line(i, calls && pass);
  }
  return { result: watch.result(), early };
}

suite("time that passes without lines", () => {
  let learned: Learned;
  before(() => {
    learned = learn(QUICKSTART, { timeOnly: true }); // the network knows nothing of ticks
  });

  let quiet: Told;
  before(() => {
    quiet = walk(learned);
    const silences = quiet.result.alerts.filter((a) => a["kind"] === "log_silence");
    assert.ok(silences.length >= 3, `${silences.length} silences`);
  });

  for (const [name, calls, cut] of [
    ["now and then", atRandom(1, 2)],
    ["often", atRandom(12, 3)],
    ["every minute, with cuts between", everyMinute, 101],
  ] as const)
    test(`changes no alert and no score, said ${name}`, () => {
      const { result, early } = walk(learned, calls, cut);
      assert.deepEqual(result, quiet.result);
      assert.ok(early > 0, "some are told before the line that would have told them");
    });

  test("is told by the window view where no other looks for silence", () => {
    const options = { ...learned.options, without: new Set(["absence"] as const) };
    const { result } = walk({ ...learned, options });
    const told = result.alerts.filter((a) => isHole(Date.parse(String(a["opened_at"]))));
    assert.deepEqual([...new Set(told.map((a) => a["kind"]))], ["volume_change"]);
  });
});
