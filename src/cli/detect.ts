import type { Command } from "commander";
import { alertRecord } from "../detect/alert.ts";
import { unpackWarm } from "../engine/warm.ts";
import { FOUND } from "../fault.ts";
import { localClock, SLOT_MS } from "../feature/clock.ts";
import { Detector } from "../pipeline/detector.ts";
import { coldStart, MAX_GAP_SLOTS, type Score } from "../pipeline/model.ts";
import { renderAlertsText } from "../report/text.ts";
import { noModel, placeOfModel } from "../store/champion.ts";
import { unpackModel } from "../store/model.ts";
import { openStore } from "../store/queries.ts";
import { budgetOf } from "./backtest.ts";
import { drive, ledgerText } from "./drive.ts";
import { openMail } from "./input.ts";
import { loadKernels } from "./kernels.ts";
import { addInputOptions, isQuiet, type Options, outputFormat, stateDir } from "./options.ts";
import { viewOptions, writeError, writeOut } from "./out.ts";
import { createProgress } from "./progress.ts";
import { filesOf } from "./sources.ts";

/** Registers `logvane detect`. */
export function detectCommand(program: Command): Command {
  const command = program
    .command("detect")
    .description("watch the lines after the end of training with the model in use; print and keep the alerts")
    .argument(
      "[file...]",
      "log files, globs, directories, or - for standard input (default: those of the configuration)",
    )
    .option("--alert-budget <n>", "alerts a day at most: 2, or 2/day", "2/day")
    .option("--exit-code", "exit with 1 when there are alerts")
    .action(async (files: string[], options: Options) => detect(files, options));
  return addInputOptions(command);
}

async function detect(files: readonly string[], options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "ndjson", "json"]);
  const budget = budgetOf(String(options["alertBudget"]));
  const named = filesOf(files, options);
  const store = openStore(stateDir(options));
  const stored = store.champion();
  if (!stored) throw noModel(stateDir(options), "no line can be scored");
  const kernels = loadKernels();
  const { model, pairs } = unpackModel(stored.blob, kernels, placeOfModel(stateDir(options), stored.id));
  const input = await openMail(named, options);
  const { salt } = model.entity;
  const settings = {
    clock: localClock(input.zone),
    budget,
    without: new Set<never>(),
    salt,
    seed: 1,
    kernels,
  };
  const progress = createProgress("watching", 0, { quiet: isQuiet(options) });
  const bytes = store.warmState(stored.id);
  const begin = (first: number, onScore?: (score: Score) => void): Detector => {
    // Across hours of which nothing is known no window and no count goes on.
    const goesOn = first - model.to < MAX_GAP_SLOTS * SLOT_MS;
    const warm = goesOn && bytes && unpackWarm(bytes, model, settings, undefined, onScore);
    return warm || new Detector(model, coldStart(salt, pairs), settings, onScore);
  };
  const driven = await drive(input, { model, begin }, settings, {
    onProgress: (lines) => progress.update(lines),
  });
  progress.end();
  const { alerts, lines } = driven!; // with a model there is always a detector
  store.saveAlerts(alerts.map(alertRecord));
  store.close();
  const shown = alerts.filter((a) => !a.held);
  if (format === "ndjson")
    for (const alert of shown) await writeOut(`${JSON.stringify(alertRecord(alert))}\n`);
  else if (format === "json") await writeOut(`${JSON.stringify(shown.map(alertRecord), undefined, 2)}\n`);
  else
    await writeOut(
      renderAlertsText(shown, viewOptions({ ...options, timezone: input.timezone }, "logvane explain")),
    );
  if (!isQuiet(options)) {
    writeError(ledgerText(driven!));
    if (lines.before > 0) writeError(`${lines.before} lines from before the model's end were left out\n`);
  }
  if (options["exitCode"] === true && shown.length > 0) process.exitCode = FOUND;
}
