import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { AbsenceFinding } from "../../src/detect/absence.ts";
import { absenceCandidate } from "../../src/detect/absence-candidates.ts";
import { LineRings } from "../../src/detect/lines.ts";
import { HOUR, MINUTE, NOON } from "./support.ts";

const silence: AbsenceFinding = {
  ...{ key: "", since: NOON, at: NOON + 20 * MINUTE, expectedEvents: 30, longest: 12 },
  ...{ companion: undefined, waiting: 0, rate: 1e-3 },
};

/** The messages that an alert of a silence cites, of turns so long before it. */
function citedOf(...turns: readonly (readonly [ago: number, template: string])[]): string[] {
  const rings = new LineRings();
  for (const [ago, template] of turns)
    rings.turn({
      ...{ file: "mail.log", line: 1, text: template, time: NOON - ago },
      ...{ templateId: template, template, family: "system", cause: undefined },
    });
  return absenceCandidate(silence, rings, []).lines.map(({ text }) => text);
}

const STOP = "postfix/master: terminating on signal 15";
const START = "postfix/master: daemon started";

suite("the lines of a silence", () => {
  test("are what stopped or started just before", () =>
    assert.deepEqual(citedOf([4 * MINUTE, STOP], [3 * MINUTE, START]), [START, STOP]));
  test("are what stopped long before and did not start again", () =>
    assert.deepEqual(citedOf([2 * HOUR, START], [HOUR, STOP]), [STOP]));
  test("are not what started again, nor what was stopped days ago", () => {
    assert.deepEqual(citedOf([2 * HOUR, STOP], [HOUR, START]), []);
    assert.deepEqual(citedOf([50 * HOUR, STOP]), []);
  });
});
