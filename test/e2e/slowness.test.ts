import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { replay } from "../../src/cli/replay.ts";
import type { Alert } from "../../src/detect/alert.ts";
import type { ViewName } from "../../src/pipeline/model.ts";
import { at, linesOf, planOf, textOf } from "../compose/support.ts";

/** Four days to learn and one to watch, on which all outbound mail takes longer and longer. */
const FAULT_DAY = 4;
const START = at(FAULT_DAY, 8);
const plan = planOf(
  { days: 5, faults: [{ kind: "delay_growth", start: START, minutes: 480 }] },
  { mailsPerDay: 300, weekend: 1, noisePerDay: 100 },
);

const root = mkdtempSync(join(tmpdir(), "logvane-slow-"));
after(() => rmSync(root, { recursive: true, force: true }));
const lines = linesOf(plan);
const file = join(root, "mail.log");

async function alertsOf(without: readonly ViewName[], upTo = Number.POSITIVE_INFINITY): Promise<Alert[]> {
  writeFileSync(file, textOf(lines.filter(({ time }) => time <= upTo)));
  const { alerts } = await replay({
    files: [file],
    options: { timezone: "UTC", year: 2026 } as never,
    until: { time: Date.parse(at(FAULT_DAY, 0)) },
    ...{ budget: 2, without: new Set(without), seed: 1, timeOnly: true },
  });
  return [...alerts];
}

suite("mail that takes longer and longer", () => {
  test("is told as latency by the transaction view, and alone by it, the same when the log ends there", async () => {
    const latency = (alerts: readonly Alert[]) => alerts.filter((a) => a.kind === "latency");
    const [alert, ...more] = latency(await alertsOf([]));
    assert.ok(alert);
    assert.deepEqual(more, []);
    assert.equal(alert.view, "transaction");
    const minutes = (alert.openedAt - Date.parse(START)) / 60_000;
    assert.ok(minutes > 0 && minutes < 240, `${minutes} min`);
    assert.ok(alert.lines.length > 0 && alert.lines.length <= 5);
    assert.ok(alert.lines.every(({ text }) => text.includes("delays=")));
    const [again] = latency(await alertsOf([], alert.openedAt + 1));
    assert.deepEqual([again?.id, again?.title, again?.lines], [alert.id, alert.title, alert.lines]);
    assert.deepEqual(latency(await alertsOf(["transaction"])), []);
  });
});
