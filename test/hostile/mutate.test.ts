import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createRandom } from "../../src/math/random.ts";
import { SAMPLE } from "../e2e/support.ts";
import { floods, mutated } from "./mutations.ts";
import { Watch } from "./read-line.ts";

/** `npm run eval:mutate` reads ten millions; here it is enough of them to meet every mutation some hundred times. */
const LINES = 20_000;
/** Every so many lines of the sample are mutated: all its shapes are among them. */
const STRIDE = 17;
/** Lines that are filled up with each kind of flood. */
const FLOODED = 5;
const WORST_MS = 20;
/** Share of mutated lines that may be taken for what they were: a damaged queue id has the key of a whole one. */
const MISTAKEN = 0.005;

const corpus = gunzipSync(readFileSync(SAMPLE))
  .toString("latin1")
  .split("\n")
  .filter((line, i) => line !== "" && i % STRIDE === 0)
  .map((line) => Buffer.from(line, "latin1"));

suite("mutated lines", () => {
  test("are read without a throw, keep their text, add up, and none is dear", () => {
    const random = createRandom(3);
    const watch = new Watch(1);
    for (let i = 0; i < LINES; i++) {
      const line = mutated(corpus, random);
      try {
        watch.read(line);
      } catch (error) {
        assert.fail(`${error} at ${JSON.stringify(line.toString("latin1"))}`);
      }
    }
    watch.settle();
    assert.ok(watch.truncated > 0);
    assert.ok(
      watch.planned <= MISTAKEN * LINES,
      `${watch.planned}: ${JSON.stringify(watch.plannedLine.toString("latin1"))}`,
    );
    assert.ok(
      watch.worst <= WORST_MS,
      `${watch.worst} ms: ${JSON.stringify(watch.worstLine.toString("latin1"))}`,
    );
  });

  test("are never dear, whatever fills them up to the cap", () => {
    const watch = new Watch(64);
    for (let i = 0; i < corpus.length; i += Math.ceil(corpus.length / FLOODED))
      for (const line of floods(corpus[i]!)) watch.read(line);
    watch.settle();
    assert.ok(
      watch.worst <= WORST_MS,
      `${watch.worst} ms: ${JSON.stringify(watch.worstLine.toString("latin1"))}`,
    );
  });

  test("leave real lines as they are read alone", () => {
    const random = createRandom(5);
    const watch = new Watch(1);
    for (let i = 0; i < corpus.length; i++) watch.read(mutated(corpus, random));
    const before = watch.planned;
    for (const line of corpus) {
      watch.read(line);
      assert.equal(watch.planned, before, line.toString("latin1"));
    }
  });

  test("are the same for the same seed", () => {
    const make = (): string[] => {
      const random = createRandom(4);
      return Array.from({ length: 500 }, () => mutated(corpus, random).toString("latin1"));
    };
    assert.deepEqual(make(), make());
  });
});
