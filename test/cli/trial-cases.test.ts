import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { openMail } from "../../src/cli/input.ts";
import { type Lesson, learn } from "../../src/cli/learn.ts";
import { tryModels } from "../../src/cli/trial.ts";
import type { Fault, Plan } from "../../src/compose/plan.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import { Flagged, NOTHING_FLAGGED } from "../../src/feature/flagged.ts";
import { casesOf } from "../../src/pipeline/cases.ts";
import type { Incident } from "../../src/pipeline/incidents.ts";
import type { Evidence } from "../../src/pipeline/verdict.ts";
import { writeUntil } from "../compose/support.ts";

/** A small server whose resolver is dead for an hour each day, but in the log of which the model in use was made. A person confirmed one hour. */

const START = Date.parse("2026-05-04T00:00:00Z");
const DAYS = 6;
const LEARNED = 4;
const HOUR_MS = DAY_MS / 24;
const at = (day: number, hour = 0): number => START + day * DAY_MS + hour * HOUR_MS;
const fault = (day: number): Fault => ({
  ...{ kind: "dns_resolver_down", start: new Date(at(day, 10)).toISOString(), minutes: 60 },
});
const server = { name: "small", host: "mx", zone: "UTC", header: "iso" as const, mailsPerDay: 100 };
const PLAN: Plan = { seed: 3, start: new Date(START).toISOString(), days: DAYS, server };

const root = mkdtempSync(join(tmpdir(), "logvane-cases-"));
after(() => rmSync(root, { recursive: true, force: true }));

function written(name: string, plan: Plan, until: number): string {
  const file = join(root, name);
  writeUntil(file, plan, until);
  return file;
}

const options = { timezone: "UTC", year: 2026 };
const asked = { seed: 1, quiet: true };
const known: Incident = {
  ...{
    id: "b4f00d",
    start: at(4, 10),
    end: at(4, 11),
    severity: "high",
    kind: "dns_failure",
    confirmed: true,
  },
};

/** What a trial finds of a model that was made of the whole log but for some time. */
async function tried(file: string, old: Lesson, flagged: Flagged): Promise<Evidence> {
  const champion = { id: "old", header: {}, model: old.model, pairs: old.pairs };
  const input = await openMail([file], options);
  const fresh = await learn(input, { ...asked, flagged, old: champion });
  const cases = casesOf([known], fresh.from, fresh.to);
  const { from: since, to } = fresh;
  const evidence = await tryModels(input, { ...asked, old, fresh, since, to, flagged, budget: 2, cases });
  return evidence!;
}

suite("a new model that is asked of an incident that a person confirmed", () => {
  test("tells of it where that time was left out, and loses it where it was learned as normal", async () => {
    const past = await openMail([written("past.log", PLAN, at(LEARNED))], options);
    const old = await learn(past, asked);
    const days = Array.from({ length: DAYS }, (_, day) => day).slice(1);
    const file = written("all.log", { ...PLAN, faults: days.map(fault) }, at(DAYS));
    const hours = new Flagged(days.map((day) => ({ start: at(day, 10), end: at(day, 11.5) })));
    const left = await tried(file, old, hours);
    assert.deepEqual(left.confirmed, { incidents: 1, old: 1, new: 1, lost: [] });
    const learned = await tried(file, old, NOTHING_FLAGGED);
    assert.deepEqual(learned.confirmed, { incidents: 1, old: 1, new: 0, lost: ["b4f00d"] });
  });
});
