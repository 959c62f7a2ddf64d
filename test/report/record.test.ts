import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { alertRecord } from "../../src/detect/alert.ts";
import { Fault } from "../../src/fault.ts";
import { alertFromRecord } from "../../src/report/record.ts";
import { hostileAlert, sampleAlert } from "./support.ts";

type Saved = Record<string, unknown>;
const saved = (alert = sampleAlert()): Saved => JSON.parse(JSON.stringify(alertRecord(alert))) as Saved;

suite("a saved alert", () => {
  test("comes back as it was", () => {
    const alert = sampleAlert({
      closedAt: null,
      templates: [{ id: "t1", text: "SASL <*> failed" }],
      updates: [{ at: Date.UTC(2026, 8, 21, 3), severity: "critical", title: "worse" }],
    });
    assert.deepEqual(alertFromRecord(saved(alert)), alert);
  });
  test("comes back even when its figures are no numbers", () => {
    const [measure] = alertFromRecord(saved(hostileAlert())).measures;
    assert.ok(Number.isNaN(measure!.actual) && Number.isNaN(measure!.typicalHigh));
  });
  for (const field of Object.keys(saved()).filter((key) => key !== "held"))
    test(`without a sound "${field}" is bad data`, () =>
      assert.throws(
        () => alertFromRecord({ ...saved(), [field]: { no: "such" } }),
        (e) => e instanceof Fault && e.exit === "badData" && e.message.includes("no sound"),
      ));
});
