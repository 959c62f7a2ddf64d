import type { Command } from "commander";
import { type AlertRecord, alertRecord, keptRecord } from "../detect/alert.ts";
import { unpackWarm } from "../engine/warm.ts";
import { FOUND } from "../fault.ts";
import { localClock, SLOT_MS } from "../feature/clock.ts";
import { Detector } from "../pipeline/detector.ts";
import { coldStart, MAX_GAP_SLOTS, type Score } from "../pipeline/model.ts";
import { alertFromRecord } from "../report/record.ts";
import { renderAlertsText } from "../report/text.ts";
import { noModel, placeOfModel } from "../store/champion.ts";
import { unpackModel } from "../store/model.ts";
import { openStore } from "../store/queries.ts";
import { LAST_LINE_MARKS } from "../store/rules.ts";
import { drive, ledgerText } from "./drive.ts";
import { openMail } from "./input.ts";
import { loadKernels } from "./kernels.ts";
import {
  addInputOptions,
  budgetOf,
  isQuiet,
  type Options,
  outputFormat,
  stateDir,
  timeZone,
} from "./options.ts";
import { viewOptions, writeError, writeOut } from "./out.ts";
import { createProgress } from "./progress.ts";
import { filesOf } from "./sources.ts";

/** Under this name the state keeps the log time of the last line that was read. */
const READ_MARK = LAST_LINE_MARKS[1];

/** Registers `logvane detect`. */
export function detectCommand(program: Command): Command {
  const command = program
    .command("detect")
    .description("watch the lines after the end of training with the model in use; print and keep the alerts")
    .argument(
      "[file...]",
      "log files, globs, directories, or - for standard input (default: what is new in those of the configuration)",
    )
    .option("--alert-budget <n>", "alerts a day at most: 2, or 2/day", "2/day")
    .option("--exit-code", "exit with 1 when there are alerts")
    .action(async (files: string[], options: Options) =>
      files.length > 0 ? detect(files, options) : detectNew(options),
    );
  return addInputOptions(command);
}

/** What came since the last run in the logs that are followed: a watch that ends when it has read all. */
async function detectNew(options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "ndjson", "json"]);
  budgetOf(options);
  filesOf([], options);
  const { serve } = await import("./watch.ts"); // with all that delivers alerts: a quarter of a second that files given don't need
  const { opened, lines } = await serve(options, { cold: false, once: true }, new AbortController().signal);
  await print(opened, format, options);
  if (!isQuiet(options)) writeError(`${opened.length} alerts; ${lines} lines were new\n`);
}

/** Alerts as a person or a program reads them. */
async function print(
  records: readonly AlertRecord[],
  format: "text" | "ndjson" | "json",
  options: Options,
): Promise<void> {
  if (format === "ndjson") for (const record of records) await writeOut(`${JSON.stringify(record)}\n`);
  else if (format === "json") await writeOut(`${JSON.stringify(records, undefined, 2)}\n`);
  else {
    const view = viewOptions({ ...options, timezone: timeZone(options) }, "logvane explain");
    await writeOut(renderAlertsText(records.map(alertFromRecord), view));
  }
  if (options["exitCode"] === true && records.length > 0) process.exitCode = FOUND;
}

async function detect(files: readonly string[], options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "ndjson", "json"]);
  const budget = budgetOf(options);
  const store = openStore(stateDir(options));
  const stored = store.champion();
  if (!stored) throw noModel(stateDir(options), "no line can be scored");
  const kernels = loadKernels();
  const { model, pairs } = unpackModel(stored.blob, kernels, placeOfModel(stateDir(options), stored.id));
  const input = await openMail(files, options);
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
  const rules = store.rules.inForce();
  const begin = (first: number, onScore?: (score: Score) => void): Detector => {
    // Across hours of which nothing is known no window and no count goes on.
    const goesOn = first - model.to < MAX_GAP_SLOTS * SLOT_MS;
    const warm = goesOn && bytes && unpackWarm(bytes, model, settings, undefined, onScore);
    const detector = warm || new Detector(model, coldStart(salt, pairs), settings, onScore);
    detector.manager.obey(rules);
    return detector;
  };
  const driven = await drive(input, { model, begin }, settings, {
    onProgress: (lines) => progress.update(lines),
  });
  progress.end();
  const { alerts, lines } = driven!; // with a model there is always a detector
  store.saveAlerts(alerts.map(keptRecord));
  if (Number.isFinite(driven!.last)) store.outbox.setMark(READ_MARK, new Date(driven!.last).toISOString());
  store.close();
  const shown = alerts.filter((a) => !a.held);
  await print(shown.map(alertRecord), format, { ...options, timezone: input.timezone });
  if (!isQuiet(options)) {
    writeError(ledgerText(driven!));
    if (lines.before > 0) writeError(`${lines.before} lines from before the model's end were left out\n`);
  }
}
