import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { drawLatent, klToUnitGaussian } from "../../src/math/gaussian-latent.ts";
import { bitLoss, countLoss, digamma, realLoss } from "../../src/math/likelihood.ts";
import { logFactorial, logOnePlus } from "../../src/math/logs.ts";
import { logGamma } from "../../src/math/negative-binomial.ts";

const near = (got: number, want: number, tolerance = 1e-12): void =>
  assert.ok(Math.abs(got - want) <= tolerance * Math.max(1, Math.abs(want)), `${got}, not ${want}`);

/** Loss of one count x of mean mu and overdispersion alpha. */
const count = (x: number, mu: number, alpha: number): number => {
  const parts = new Float64Array(1);
  const of = (v: number): Float64Array => Float64Array.of(v);
  countLoss(parts, of(0), of(0), of(x), of(Math.log(mu)), of(0), of(Math.log(alpha)), 1, 1, 1);
  return parts[0]!;
};
const real = (x: number, weight: number, mean: number, logVar: number): number => {
  const parts = new Float64Array(1);
  const of = (v: number): Float64Array => Float64Array.of(v);
  realLoss(parts, of(x), of(weight), of(mean), of(logVar), 1, 0, 1);
  return parts[0]!;
};
const bit = (x: number, weight: number, logOdds: number): number => {
  const parts = new Float64Array(1);
  const of = (v: number): Float64Array => Float64Array.of(v);
  bitLoss(parts, of(x), of(weight), of(logOdds), 1, 0, 1);
  return parts[0]!;
};
const kl = (mu: number[], logVar: number[]): number => {
  const out = new Float64Array(1);
  klToUnitGaussian(out, Float64Array.of(...mu, ...logVar), 1, mu.length);
  return out[0]!;
};

suite("negative log-likelihood of a count", () => {
  // alpha 1 is the geometric distribution: P(x) = (1 / (1 + mu)) (mu / (1 + mu))^x
  test("of alpha 1 is the geometric's", () => {
    near(count(0, 1, 1), Math.log(2));
    near(count(3, 1, 1), 4 * Math.log(2));
    near(count(2, 3, 1), -Math.log((1 / 4) * (3 / 4) ** 2));
  });
  // alpha 1/2: P(x) = (x + 1) (2 / (2 + mu))^2 (mu / (2 + mu))^x
  test("of alpha 1/2 is that of two geometrics' sum", () => near(count(3, 2, 0.5), -Math.log(4 * 0.5 ** 5)));
  test("nears Poisson's as alpha goes to zero", () =>
    near(count(2, 3, 1e-7), 3 - 2 * Math.log(3) + Math.log(2), 1e-6));
  test("is the same from the summed and from the gamma form", () => {
    let geometric = 17 * Math.log(2) + Math.log(2);
    near(count(17, 1, 1), geometric, 1e-11);
    geometric = 16 * Math.log(2) + Math.log(2);
    near(count(16, 1, 1), geometric, 1e-11);
  });
  test("sums to probability 1 over all counts", () => {
    let sum = 0;
    for (let x = 0; x < 400; x++) sum += Math.exp(-count(x, 4, 0.7));
    near(sum, 1, 1e-10);
  });
});

suite("negative log-likelihood of a bit", () => {
  test("at even odds is ln 2 for both values", () => {
    near(bit(0, 1, 0), Math.log(2));
    near(bit(1, 1, 0), Math.log(2));
  });
  test("at odds of 3 is ln 4 for a zero and ln 4/3 for a one", () => {
    near(bit(0, 1, Math.log(3)), Math.log(4));
    near(bit(1, 1, Math.log(3)), Math.log(4 / 3));
  });
  test("stays finite for any odds", () => {
    near(bit(0, 1, 1e4), 1e4);
    near(bit(1, 1, -1e4), 1e4);
    assert.equal(bit(1, 1, 1e4), 0);
  });
  test("counts by its weight, and nothing when not asked", () => {
    near(bit(1, 0.5, 0), Math.log(2) / 2);
    assert.equal(bit(Number.NaN, 0, 3), 0);
  });
});

suite("negative log-likelihood of a real", () => {
  test("at its mean with unit variance is half of ln 2 pi", () => near(real(3, 1, 3, 0), 0.9189385332046727));
  test("two deviations off is two nats more", () => near(real(5, 1, 3, 0), 0.9189385332046727 + 2));
  test("counts by its weight, and nothing when missing", () => {
    near(real(3, 0.5, 3, Math.log(4)), 0.5 * (0.9189385332046727 + Math.log(2)));
    assert.equal(real(Number.NaN, 0, 3, 0), 0);
  });
});

suite("KL to the unit Gaussian", () => {
  test("is zero for the prior itself", () => assert.equal(kl([0, 0], [0, 0]), 0));
  test("of a unit shift is half a nat", () => assert.equal(kl([1], [0]), 0.5));
  test("of variance 4 is (3 - ln 4) / 2", () => near(kl([0], [Math.log(4)]), (3 - Math.log(4)) / 2));
});

suite("a drawn latent", () => {
  test("is mu plus noise times the deviation", () => {
    const latent = new Float64Array(3).fill(9);
    drawLatent(latent, Float64Array.of(1, 2, 0, Math.log(9)), Float64Array.of(1, -1), 1, 2, 3);
    near(latent[0]!, 2);
    near(latent[1]!, -1);
    assert.equal(latent[2], 9, "conditions stay");
  });
});

suite("digamma", () => {
  test("of 1 is minus Euler's constant", () => near(digamma(1), -0.5772156649015329));
  test("rises by 1 / x from x to x + 1", () => near(digamma(7.3) - digamma(6.3), 1 / 6.3));
});

suite("logarithms of counts", () => {
  test("are the same from the table and beyond it, fractions included", () => {
    for (const x of [0, 1, 2.5, 1023, 1023.5, 1024, 1e6]) {
      assert.equal(logOnePlus(x), Math.log1p(x));
      assert.equal(logFactorial(x), logGamma(x + 1));
    }
    near(logFactorial(5), Math.log(120));
  });
});
