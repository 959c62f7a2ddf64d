import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { gapsOf } from "../../eval/alerts/gaps.ts";
import { Watched } from "../../eval/feedback/watch.ts";
import { compose } from "../../src/compose/compose.ts";
import { FAULTS } from "../../src/compose/kinds.ts";
import { KINDS } from "../../src/detect/alert.ts";
import { KIND_TITLES } from "../../src/detect/explain.ts";
import { MATERIAL, MONDAY, planOf, SECOND } from "../compose/support.ts";
import { sampleAlert } from "../report/support.ts";

/** Every alert of faults of all kinds must explain itself; those of the bundled log are asked in e2e/backtest. */

const HOUR = 3_600_000;
const PAST_DAYS = 4;
const CUT = Date.parse(MONDAY) + PAST_DAYS * 24 * HOUR;

for (const [site, material] of [
  ["first", MATERIAL],
  ["second", SECOND],
] as const)
  suite(`each fault that can be composed of the ${site} site`, () => {
    test("is told with a plain title, figures, who, lines with their places, and a command", () => {
      const kinds = Object.entries(FAULTS).filter(
        ([, { states, way }]) =>
          way !== "clock" && (states.length > 0 ? states.every((s) => material.has(s)) : site === "first"),
      );
      const faults = kinds.map(([kind], i) => ({
        ...{ kind, start: new Date(CUT + (2 + 5 * i) * HOUR).toISOString(), minutes: 90 },
      }));
      const plan = planOf(
        { days: PAST_DAYS + Math.ceil((5 * faults.length) / 24) + 1, faults },
        { mailsPerDay: 150, partner: { hour: 3, mails: 15 } },
      );
      const lines = [...compose(plan, material)].flat();
      const alerts = new Watched(lines, CUT, "UTC", 2026, 1, "salt").alerts();
      assert.ok(alerts.length >= kinds.length / 3, `${alerts.length} alerts of ${kinds.length} faults`);
      for (const alert of alerts) assert.deepEqual(gapsOf(alert), [], alert.title);
    });
  });

suite("an explanation", () => {
  const gaps = (change: Parameters<typeof sampleAlert>[0]): string[] => gapsOf(sampleAlert(change));
  test("has a gap where anything is missing, or words are of our workshop", () => {
    assert.deepEqual(gaps({}), []);
    for (const title of [
      "7 strange messages",
      "12 rare cause counts (auth)",
      "Name lookups fail: dns_failure",
    ])
      assert.equal(gaps({ title }).length, 1, title);
    assert.deepEqual(gaps({ title: 'Refused: "no such column"' }), [], "the log's own words");
    assert.deepEqual(gaps({ measures: [] }), ["actual and typical"]);
    assert.deepEqual(gaps({ entities: [], templates: [] }), ["who or what"]);
    assert.deepEqual(gaps({ lines: [], view: "window" }), ["lines"]);
    assert.deepEqual(gaps({ id: "$(reboot)" }), ["command"]);
  });
  test("has no name of a kind in its title", () => {
    for (const kind of KINDS) assert.deepEqual(gaps({ title: KIND_TITLES[kind] }), [], kind);
  });
});
