// The back-test with a window view that expects by the hour alone: node time-only.js LOG --train-until ISO and the other flags of `logvane backtest`
// Prints what `logvane backtest --format ndjson` prints. The verb has no flag for it: it answers an evaluation's question.
import { Command } from "commander";
import { replay } from "../../src/cli/replay.ts";
import { alertRecord } from "../../src/detect/alert.ts";
import type { ViewName } from "../../src/pipeline/model.ts";
import { commandLine } from "../command.ts";

type Flags = {
  readonly trainUntil: string;
  readonly timezone: string;
  readonly year: string;
  readonly seed: string;
  readonly alertBudget: string;
  readonly without: readonly ViewName[];
};

const program = new Command("time-only")
  .argument("<log...>")
  .requiredOption("--train-until <time>")
  .option("--timezone <zone>", "", "UTC")
  .option("--year <n>", "", "2026")
  .option("--seed <n>", "", "1")
  .option("--alert-budget <n>", "", "2")
  .option("--without <view>", "", (view: string, before: readonly string[]) => [...before, view], []);
const { flags, names } = commandLine<Flags>(program);
const { alerts } = await replay({
  files: names,
  options: { timezone: flags.timezone, year: Number(flags.year) },
  until: { time: Date.parse(flags.trainUntil) },
  budget: Number(flags.alertBudget),
  without: new Set(flags.without),
  seed: Number(flags.seed),
  timeOnly: true,
});
for (const alert of alerts) if (!alert.held) process.stdout.write(`${JSON.stringify(alertRecord(alert))}\n`);
