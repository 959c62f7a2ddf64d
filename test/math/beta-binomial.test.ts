import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { logBetaBinomialUpperTail } from "../../src/math/beta-binomial.ts";

const tail = (k: number, n: number, p: number, rho: number): number =>
  Math.exp(logBetaBinomialUpperTail(k, n, p, rho));
const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-5, `${a}, not ${b}`);

suite("the upper tail of a beta-binomial", () => {
  test("is the binomial's where nothing correlates", () => {
    near(tail(2, 2, 0.5, 0), 0.25);
    near(tail(1, 3, 0.1, 0), 1 - 0.9 ** 3);
  });
  test("of one trial is its mean, however correlated", () => near(tail(1, 1, 0.3, 0.6), 0.3));
  test("of two out of two grows by the correlation", () => near(tail(2, 2, 0.2, 0.5), 0.04 + 0.5 * 0.16));
  test("has the mean n p and the variance of its formula", () => {
    const [n, p, rho] = [40, 0.1, 0.05];
    let mean = 0;
    let square = 0;
    for (let k = 1; k <= n; k++) {
      mean += tail(k, n, p, rho);
      square += (2 * k - 1) * tail(k, n, p, rho);
    }
    near(mean, n * p);
    near(square - mean ** 2, n * p * (1 - p) * (1 + (n - 1) * rho));
  });
  test("is certain from nothing on, and impossible beyond all", () => {
    assert.equal(tail(0, 5, 0.1, 0.1), 1);
    assert.equal(tail(6, 5, 0.1, 0.1), 0);
  });
});
