// The back-test with a window view that expects by the hour alone: node time-only.js LOG TRAIN-UNTIL SEED
// Prints what `logvane backtest --format ndjson` prints. The verb has no flag for it: it answers an evaluation's question.
import { replay } from "../../src/cli/replay.ts";
import { alertRecord } from "../../src/detect/alert.ts";

const [log, until, seed] = process.argv.slice(2);
const { alerts } = await replay({
  files: [log!],
  options: { timezone: "UTC", year: 2026 },
  until: { time: Date.parse(until!) },
  budget: 2,
  without: new Set(),
  seed: Number(seed),
  timeOnly: true,
});
for (const alert of alerts) if (!alert.held) process.stdout.write(`${JSON.stringify(alertRecord(alert))}\n`);
