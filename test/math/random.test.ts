import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createRandom } from "../../src/math/random.ts";

const draw = (seed: number, n: number, normal = false): number[] => {
  const random = createRandom(seed);
  return Array.from({ length: n }, () => (normal ? random.normal() : random.uniform()));
};
const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

suite("a seeded stream of chance", () => {
  test("repeats itself for the same seed", () => assert.deepEqual(draw(7, 50), draw(7, 50)));
  test("differs for seeds that differ in the low or only in the high word", () => {
    assert.notDeepEqual(draw(1, 5), draw(2, 5));
    assert.notDeepEqual(draw(1, 5), draw(1 + 2 ** 32, 5));
  });
  test("is uniform to within five standard errors", () => {
    const values = draw(3, 20_000);
    assert.ok(Math.abs(mean(values) - 0.5) < 5 * Math.sqrt(1 / 12 / 20_000));
    assert.ok(values.every((v) => v >= 0 && v < 1));
  });
  test("has normals of mean 0 and variance 1 to within five standard errors", () => {
    const values = draw(4, 20_000, true);
    assert.ok(Math.abs(mean(values)) < 5 / Math.sqrt(20_000));
    assert.ok(Math.abs(mean(values.map((v) => v * v)) - 1) < 5 * Math.sqrt(2 / 20_000));
  });
  test("keeps and drops as its uniform numbers would, and goes on behind them", () => {
    const [own, plain] = [createRandom(6), createRandom(6)];
    const kept = new Float32Array(1002).fill(7);
    own.keep(kept, 1, 1000, 0.3);
    const expected = Array.from({ length: 1000 }, () => (plain.uniform() < 0.3 ? 0 : 1));
    assert.deepEqual([...kept], [7, ...expected, 7]);
    assert.equal(own.uniform(), plain.uniform());
  });
  test("shuffles into every order of three about equally often", () => {
    const random = createRandom(5);
    const seen = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const values = Int32Array.of(0, 1, 2);
      random.shuffle(values);
      seen.set(values.join(), (seen.get(values.join()) ?? 0) + 1);
    }
    assert.equal(seen.size, 6);
    for (const count of seen.values()) assert.ok(Math.abs(count - 1000) < 5 * Math.sqrt(833));
  });
});
