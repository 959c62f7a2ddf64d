import { mkdirSync } from "node:fs";
import type { Command } from "commander";
import { alertRecord } from "../detect/alert.ts";
import type { Rules } from "../detect/rules.ts";
import { Fault, FOUND } from "../fault.ts";
import type { Score, ViewName } from "../pipeline/model.ts";
import { alertDays, type DaysReport, daysText, type RetrainedDay } from "../report/days.ts";
import { localTime } from "../report/format.ts";
import { renderHtml } from "../report/html.ts";
import { renderAlertsText } from "../report/text.ts";
import { hasDatabase } from "../store/db.ts";
import { ledgerText } from "./drive.ts";
import { withStore } from "./model-found.ts";
import {
  addInputOptions,
  budgetOf,
  collect,
  isQuiet,
  type Options,
  outputFormat,
  seedOf,
  stateDir,
  useColor,
} from "./options.ts";
import { writeError, writeOut } from "./out.ts";
import { loadPrior } from "./prior.ts";
import { createProgress } from "./progress.ts";
import { type ReplayRequest, type ReplayResult, replay } from "./replay.ts";
import { reportData } from "./report-data.ts";
import { RowFile } from "./row-file.ts";
import { settingsOf } from "./settings.ts";
import { retrainedText, retrainingRecord } from "./weekly.ts";
import { durationMs, instant } from "./when.ts";

const VIEWS: readonly ViewName[] = ["window", "transaction", "entity", "novelty", "absence"];
const DEFAULT_BUDGET = 2;
/** Budgets whose cost is told. */
const BUDGETS = [1, 2, 5, 10];
/** A back-test keeps no alert, so `explain` would not find it. */
const NO_COMMAND = "";

/** Registers `logvane backtest`. */
export function backtestCommand(program: Command): Command {
  const command = program
    .command("backtest")
    .description(
      "learn from the lines before a time, replay the rest as if live, print what would have been sent",
    )
    .argument("<file...>", "log files, globs, directories, or - for standard input")
    .option("--train-until <iso>", "end of training, such as 2026-09-21T00:00:00Z")
    .option("--since <duration>", "replay so much before the last line, such as 30d or 12h")
    .option("--alert-budget <n>", "alerts a day at most: 2, or 2/day", `${DEFAULT_BUDGET}/day`)
    .option("--retrain <when>", "learn anew on the way, as the settings say: weekly or never", "never")
    .option("--retrainings <file>", "write what became of each week's training as NDJSON")
    .option("--without <view>", `leave a view out: ${VIEWS.join(", ")}; may be repeated`, collect, [])
    .option("--include-held", "print what the budget held back too, marked as held")
    .option(
      "--with-rules",
      "apply the feedback and the calendar of the state folder, which a back-test leaves out",
    )
    .option("--scores <file>", "write every scored row as NDJSON")
    .option("--prior", "learn as a server does that begins with the messages that come with the program")
    .option("--seed <n>", "seed of the training", "1")
    .option("--exit-code", "exit with 1 when there are alerts")
    .action(async (files: string[], options: Options) => backtest(files, options));
  return addInputOptions(command);
}

async function backtest(files: readonly string[], options: Options): Promise<void> {
  const format = outputFormat(options, ["ndjson", "json", "text", "html"]);
  const scores = rowFile(options, "scores");
  const retrainings = rowFile(options, "retrainings");
  const request = requestOf(files, options);
  if (typeof options["state"] === "string") makeScratch(options["state"]);
  const rules = options["withRules"] === true ? rulesOf(stateDir(options)) : undefined;
  const progress = createProgress("reading", 0, { quiet: isQuiet(options) });
  const result = await replay({
    ...request,
    rules,
    prior: options["prior"] === true ? loadPrior() : undefined,
    ...(format === "text" || format === "html" ? { compare: [...BUDGETS, request.budget] } : {}),
    onProgress: (lines) => progress.update(lines),
    onScore: scores && ((score) => scores.add(scoreRecord(score))),
    weekly:
      options["retrain"] === "weekly"
        ? { when: settingsOf(options).retrain, onRetrained: (one) => retrainings?.add(retrainingRecord(one)) }
        : undefined,
  });
  progress.end();
  scores?.end();
  retrainings?.end();
  const shown = result.alerts.filter((a) => !a.held || options["includeHeld"] === true);
  if (format === "ndjson")
    for (const alert of shown) await writeOut(`${JSON.stringify(alertRecord(alert))}\n`);
  else if (format === "json") await writeOut(`${JSON.stringify(shown.map(alertRecord), undefined, 2)}\n`);
  else if (format === "html") {
    const data = reportData(result, shown, [], NO_COMMAND);
    await writeOut(renderHtml({ ...data, days: daysOf(result, request.budget) }));
  } else {
    const look = {
      color: useColor(options, process.stdout),
      width: process.stdout.columns ?? 100,
      timeZone: result.timeZone,
    };
    await writeOut(renderAlertsText(shown, { ...look, command: NO_COMMAND }));
    await writeOut(`\n${daysText(daysOf(result, request.budget), look.width)}`);
  }
  if (!isQuiet(options)) {
    if (format === "ndjson" || format === "json")
      for (const { at, text } of retrainedDays(result))
        writeError(`${localTime(at, result.timeZone)} ${text}\n`);
    writeError(ledgerText(result) + rulesText(rules));
  }
  if (options["exitCode"] === true && shown.some((a) => !a.held)) process.exitCode = FOUND;
}

/** What the operator has said and planned. Throws a usage Fault where there is no state. */
function rulesOf(dir: string): Rules {
  if (!hasDatabase(dir)) {
    throw usage(
      "there is no state whose feedback and calendar could be applied",
      `--with-rules, ${dir}`,
      "--with-rules with --state DIR, or leave it out",
    );
  }
  return withStore(dir, (store) => store.rules.inForce());
}

const rulesText = (rules: Rules | undefined): string =>
  rules === undefined
    ? "feedback and calendar were not applied; --with-rules applies those of the state\n"
    : `applied: feedback ${rules.feedback.length}, entries of the calendar ${rules.plans.length}\n`;

function daysOf(result: ReplayResult, perDay: number): DaysReport {
  const { alerts, costs, timeZone, model, last } = result;
  return {
    days: alertDays(alerts, { from: model.to, to: last, timeZone }),
    ...{ costs, perDay, timeZone, retrained: retrainedDays(result) },
  };
}

const retrainedDays = ({ retrainings }: ReplayResult): RetrainedDay[] =>
  retrainings.map((one) => ({ at: one.at, text: retrainedText(one) }));

const rowFile = (options: Options, flag: "scores" | "retrainings"): RowFile | undefined =>
  typeof options[flag] === "string" ? new RowFile(options[flag], flag) : undefined;

const scoreRecord = ({ time, view, key, score, pValue }: Score): object => ({
  time: new Date(time).toISOString(),
  view,
  key,
  score,
  p_value: pValue,
});

/** The flags, checked. Throws a usage Fault. */
function requestOf(files: readonly string[], options: Options): ReplayRequest {
  const { trainUntil, since } = options;
  if ((trainUntil === undefined) === (since === undefined)) {
    throw usage(
      "give either --train-until or --since",
      "--train-until, --since",
      "--train-until 2026-09-21T00:00:00Z, or --since 7d",
    );
  }
  const without = options["without"] as string[];
  for (const view of without) {
    if (!VIEWS.includes(view as ViewName))
      throw usage(`there is no view "${view.slice(0, 60)}"`, "--without", `use one of: ${VIEWS.join(", ")}`);
  }
  if (options["retrain"] !== "weekly" && options["retrain"] !== "never") {
    throw usage("--retrain takes weekly or never", "--retrain", "--retrain never");
  }
  return {
    files,
    options,
    until:
      trainUntil === undefined
        ? { sinceMs: durationMs(String(since), "--since", "30d") }
        : { time: instant(String(trainUntil), "--train-until") },
    budget: budgetOf(options),
    without: new Set(without as ViewName[]),
    seed: seedOf(options),
  };
}

const usage = (what: string, where: string, remedy: string): Fault =>
  new Fault("usage", what, where, "nothing was done", `type: ${remedy}`);

/** --state is only scratch space here: a missing folder is made, models in it are neither read nor written. */
function makeScratch(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Fault(
      "io",
      `cannot make the folder ${dir}: ${(error as Error).message}`,
      "--state",
      "nothing was done",
      "name a folder that you may write to",
    );
  }
}
