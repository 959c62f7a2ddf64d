import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { residentOf, slopeOf } from "../../eval/idle/memory.ts";

suite("the straight line through looks at memory", () => {
  test("has the slope of points that lie on it, without error", () => {
    const { slope, error } = slopeOf([1, 2, 3, 4].map((x) => [x, 5 * x + 7] as const));
    assert.ok(Math.abs(slope - 5) < 1e-12 && error < 1e-12);
  });
  test("has the standard error of what lies beside it", () => {
    // mean 1.8; the line is 1.6 + 0.1 x, and what lies beside it has squares that sum to 2.7
    const { slope, error } = slopeOf([1, 3, 1, 2, 2].map((y, x) => [x, y] as const));
    assert.ok(Math.abs(slope - 0.1) < 1e-12);
    assert.ok(Math.abs(error - Math.sqrt(2.7 / 3 / 10)) < 1e-12);
  });
});

suite("what is resident of a process", () => {
  test("is in part without a file, and grows with what is taken", () => {
    const before = residentOf(process.pid);
    assert.ok(before.anonymous > 0 && before.anonymous < before.all);
    const taken = Buffer.alloc(64 << 20, 1);
    assert.ok(residentOf(process.pid).anonymous >= before.anonymous + taken.length / 2);
  });
});
