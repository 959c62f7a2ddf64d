import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Levels } from "../../src/feature/levels.ts";
import { type Bag, bagOf, kindsOf } from "../../src/feature/session.ts";

const bag = (...pairs: [number, number][]): Bag => bagOf(new Map(pairs));

suite("counts as ladders of bits", () => {
  // Column 0 up to 3: "at least 1, 2, 3". Column 1 up to 9: 1 ... 8; the next step, 10, was never reached.
  const levels = new Levels(kindsOf([bag([0, 3]), bag([0, 1]), bag([1, 9])]));
  test("has the steps that were reached", () => assert.equal(levels.size, 3 + 8));
  test("asks for a step only when the one below was reached", () => {
    const { bits, weights } = levels.rows([bag([0, 1])]);
    assert.deepEqual([...bits.subarray(0, 3)], [1, 0, 0]);
    assert.deepEqual([...weights.subarray(0, 3)], [1, 1, 0]);
  });
  test("asks for the first step of an event that did not come, and for nothing more", () => {
    const { bits, weights } = levels.rows([bag()]);
    assert.equal(
      bits.reduce((a, b) => a + b, 0),
      0,
    );
    assert.deepEqual([...weights].filter((w) => w === 1).length, 2);
  });
  test("passes over events that it does not know", () => {
    assert.deepEqual(levels.rows([bag([7, 2])]), levels.rows([bag()]));
  });
  test("stays bounded for any number of events", () => {
    const many = new Levels(kindsOf(Array.from({ length: 900 }, (_, i) => bag([i, 1 + (i % 50)]))));
    assert.ok(many.size <= 256, `${many.size} bits`);
  });
});

suite("kinds of sessions", () => {
  test("counts equal bags, the most frequent first", () => {
    const kinds = kindsOf([bag([0, 1]), bag([1, 1], [0, 2]), bag([0, 2], [1, 1])]);
    assert.deepEqual(
      kinds.map((k) => [k.bag.key, k.sessions]),
      [
        ["0x2 1x1", 2],
        ["0x1", 1],
      ],
    );
  });
});
