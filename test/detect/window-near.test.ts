import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isNear, NOTICE_NATS, tailNats } from "../../src/detect/window.ts";

test("a count that is passed over as near has a tail that nobody would notice, in any season and spread", () => {
  let near = 0;
  fc.assert(
    fc.property(
      fc.constantFrom("upper" as const, "lower" as const),
      fc.double({ min: Math.log(1e-3), max: Math.log(5000), noNaN: true }),
      fc.double({ min: Math.log(1e-4), max: Math.log(20), noNaN: true }),
      fc.double({ min: 0, max: 0.7, noNaN: true }),
      (tail, logMu, logAlpha, deviations) => {
        const [mu, alpha] = [Math.exp(logMu), Math.exp(logAlpha)];
        const away = deviations * Math.sqrt(mu + alpha * mu * mu);
        const x = Math.max(0, tail === "upper" ? Math.floor(mu + away) : Math.ceil(mu - away));
        if (!isNear(tail, x, mu, alpha)) return;
        near++;
        assert.ok(tailNats(tail, x, mu, alpha) < NOTICE_NATS, `${x} at ${mu}, ${alpha}`);
      },
    ),
    { seed: 1, numRuns: 2000 },
  );
  assert.ok(near > 800, `${near} of 2000`);
});
