// The back-test with a window view that expects by the hour alone: node time-only.js LOG --train-until ISO and the other flags of `logvane backtest`
// Prints what `logvane backtest --format ndjson` prints. The verb has no flag for it: it answers an evaluation's question.
import { parseArgs } from "node:util";
import { replay } from "../../src/cli/replay.ts";
import { alertRecord } from "../../src/detect/alert.ts";
import type { ViewName } from "../../src/pipeline/model.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "train-until": { type: "string" },
    timezone: { type: "string", default: "UTC" },
    year: { type: "string", default: "2026" },
    seed: { type: "string", default: "1" },
    "alert-budget": { type: "string", default: "2" },
    without: { type: "string", multiple: true, default: [] },
  },
});
const { alerts } = await replay({
  files: positionals,
  options: { timezone: values.timezone, year: Number(values.year) },
  until: { time: Date.parse(values["train-until"]!) },
  budget: Number(values["alert-budget"]),
  without: new Set(values.without as ViewName[]),
  seed: Number(values.seed),
  timeOnly: true,
});
for (const alert of alerts) if (!alert.held) process.stdout.write(`${JSON.stringify(alertRecord(alert))}\n`);
