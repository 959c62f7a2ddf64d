import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FLOOR_NATS, isNear, isUsual, NOTICE_NATS, tailNats } from "../../src/detect/window.ts";

/** How many of 2,000 counts, up to so many deviations away, are passed over; fails when the tail of one reaches a limit in nats. */
function passed(by: typeof isNear, most: number, limit: number): number {
  let passedOver = 0;
  fc.assert(
    fc.property(
      fc.constantFrom("upper" as const, "lower" as const),
      fc.double({ min: Math.log(1e-3), max: Math.log(5000), noNaN: true }),
      fc.double({ min: Math.log(1e-4), max: Math.log(20), noNaN: true }),
      fc.double({ min: 0, max: most, noNaN: true }),
      (tail, logMu, logAlpha, deviations) => {
        const [mu, alpha] = [Math.exp(logMu), Math.exp(logAlpha)];
        const away = deviations * Math.sqrt(mu + alpha * mu * mu);
        const x = Math.max(0, tail === "upper" ? Math.floor(mu + away) : Math.ceil(mu - away));
        if (!by(tail, x, mu, alpha)) return;
        passedOver++;
        assert.ok(tailNats(tail, x, mu, alpha) < limit, `${x} at ${mu}, ${alpha}`);
      },
    ),
    { seed: 1, numRuns: 2000 },
  );
  return passedOver;
}

test("a count that is passed over as near has a tail that nobody would notice, in any season and spread", () => {
  const near = passed(isNear, 0.7, NOTICE_NATS);
  assert.ok(near > 800, `${near} of 2000`);
});

test("a count that is passed over as usual is below every ceiling, in any season and spread", () => {
  const usual = passed(isUsual, 1.8, FLOOR_NATS);
  assert.ok(usual > 800, `${usual} of 2000`);
});
