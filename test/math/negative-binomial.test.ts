import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { logGamma, logLowerTail, logMass, logUpperTail } from "../../src/math/negative-binomial.ts";

const near = (a: number, b: number, within = 1e-9): void =>
  assert.ok(Math.abs(a - b) <= within, `${a} is not near ${b}`);

suite("the negative binomial", () => {
  test("has ln Gamma of the factorials", () => {
    near(logGamma(1), 0);
    near(logGamma(5), Math.log(24));
    near(logGamma(0.5), 0.5 * Math.log(Math.PI));
  });
  test("with alpha 1 is the geometric law: mean 1 gives 1/2, 1/4, 1/8", () => {
    near(logMass(0, 1, 1), Math.log(1 / 2));
    near(logMass(1, 1, 1), Math.log(1 / 4));
    near(logUpperTail(3, 1, 1), Math.log(1 / 8));
    near(logLowerTail(2, 1, 1), Math.log(7 / 8));
  });
  test("with a vanishing alpha is the Poisson law", () =>
    near(logMass(2, 3, 1e-7), Math.log((9 / 2) * Math.exp(-3)), 1e-5));
  test("has tails that add up to one", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0.1, max: 50, noNaN: true }),
        fc.double({ min: 0.001, max: 5, noNaN: true }),
        (k, mu, alpha) => {
          near(Math.exp(logUpperTail(k, mu, alpha)) + Math.exp(logLowerTail(k - 1, mu, alpha)), 1, 1e-7);
        },
      ),
      { seed: 1 },
    );
  });
  test("never underflows: a count of 5,000 where 0.01 is expected has a finite logarithm", () => {
    assert.ok(Number.isFinite(logUpperTail(5000, 0.01, 0.5)));
  });
});
