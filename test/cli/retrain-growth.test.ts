import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { challenge } from "../../src/cli/challenge.ts";
import { openMail } from "../../src/cli/input.ts";
import { learn } from "../../src/cli/learn.ts";
import type { Fault, Plan } from "../../src/compose/plan.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import type { ViewName } from "../../src/pipeline/model.ts";
import { writeUntil } from "../compose/support.ts";

/** A small server to which, from the second week on, somebody sends spam without end: more than it had before. */

const START = Date.parse("2026-05-04T00:00:00Z");
const LEARNED = 7;
const DAYS = 15;
const server = {
  name: "small",
  host: "mx",
  zone: "UTC",
  header: "rfc3164" as const,
  mailsPerDay: 40,
  noisePerDay: 60,
};
const PLAN: Plan = { seed: 3, start: new Date(START).toISOString(), days: DAYS, server };
const SPAM: Fault = {
  kind: "spam_wave",
  start: new Date(START + LEARNED * DAY_MS).toISOString(),
  ...{ minutes: (DAYS - LEARNED) * 1440, intensity: 0.02 },
};

const root = mkdtempSync(join(tmpdir(), "logvane-growth-"));
after(() => rmSync(root, { recursive: true, force: true }));

function written(name: string, plan: Plan, until: number): string {
  const file = join(root, name);
  writeUntil(file, plan, until);
  return file;
}

const options = { timezone: "UTC", year: 2026 };
const asked = { seed: 1, quiet: true, without: new Set<ViewName>(["transaction"]) };
const end = START + DAYS * DAY_MS;

suite("a new model that has learned an attacker's background", () => {
  test("is refused for what he brought, and counting begins anew with it", async () => {
    const past = await openMail([written("past.log", PLAN, START + LEARNED * DAY_MS)], options);
    const old = { id: "old", header: {}, ...(await learn(past, asked)) };
    const input = await openMail([written("all.log", { ...PLAN, faults: [SPAM] }, end)], options);
    const request = { ...asked, old, since: START, last: end, incidents: [], planned: [], budget: 2 };
    const { verdict, lesson } = await challenge(input, request);
    assert.equal(verdict.promoted, false);
    assert.match(verdict.reason, /what is refused of incoming mail would be learned at \d\.\d times as much/);
    assert.equal(lesson.model.usual!.length, 1);
    const [then] = old.model.usual!;
    const [now] = lesson.model.usual!;
    assert.ok(
      Math.abs(now!.guessed - then!.guessed) < 0.3 * then!.guessed,
      `${then!.guessed} ${now!.guessed}`,
    );
  });
});
