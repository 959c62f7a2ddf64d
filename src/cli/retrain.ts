import { constants, setPriority } from "node:os";
import type { Command } from "commander";
import { isChange } from "../detect/change-candidates.ts";
import { REMEMBERED_DAYS } from "../detect/memory.ts";
import { plannedRanges } from "../detect/planned.ts";
import { Fault } from "../fault.ts";
import { DAY_MS, localClock } from "../feature/clock.ts";
import { Zone } from "../log/zone.ts";
import { type Incident, type LeftOut, MAX_FLAGGED_SHARE } from "../pipeline/incidents.ts";
import type { Verdict } from "../pipeline/promote.ts";
import type { Evidence as TrialEvidence } from "../pipeline/verdict.ts";
import { terminalSafe } from "../report/escape.ts";
import { judgedLines, trialLines, trialSentence } from "../report/evidence.ts";
import { noModel, placeOfModel } from "../store/champion.ts";
import { unpackModel } from "../store/model.ts";
import { openStore, type Store } from "../store/queries.ts";
import type { Feedback } from "../store/rules.ts";
import { challenge, incidentOf } from "./challenge.ts";
import { openMail } from "./input.ts";
import { loadKernels } from "./kernels.ts";
import type { Lesson } from "./learn.ts";
import {
  addInputOptions,
  isQuiet,
  type Options,
  outputFormat,
  seedOf,
  stateDir,
  timeZone,
} from "./options.ts";
import { writeError, writeOut } from "./out.ts";
import { loadPrior } from "./prior.ts";
import { timesOf } from "./replay.ts";
import { historyBegan, lastTried, RETRAINED, whyDue } from "./retrain-due.ts";
import { settingsOf } from "./settings.ts";
import { filesOf } from "./sources.ts";
import { learnedText } from "./train.ts";

/** Registers `logvane retrain`. */
export function retrainCommand(program: Command): Command {
  const command = program
    .command("retrain")
    .description("learn anew from the last weeks, and use the new model unless it is worse")
    .argument("[file...]", "log files, globs, or directories (default: those of the configuration)")
    .option("--days <n>", "days of history to learn from (default: retrain.days of the configuration)")
    .option(
      "--due",
      "only when it is time: weekly as configured, sooner in the first two weeks, or two days after software or log format changed",
    )
    .option("--dry-run", "learn and compare, but keep nothing")
    .option("--no-nice", "do not yield to other programs")
    .option("--seed <n>", "seed of the training", "1")
    .action(async (files: string[], options: Options) => retrain(files, options));
  return addInputOptions(command);
}

async function retrain(files: readonly string[], options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const days = daysOf(options);
  const seed = seedOf(options);
  const dry = options["dryRun"] === true;
  const named = filesOf(files, options);
  if (options["nice"] !== false) yieldToOthers();
  const store = openStore(stateDir(options));
  const champion = store.champion();
  if (!champion) throw noModel(stateDir(options), "there is nothing to compare a new model with");
  const { id, header } = champion;
  if (options["due"] === true && !isDue(store, champion.createdAt, options)) return store.close();
  const learned = unpackModel(champion.blob, loadKernels(), placeOfModel(stateDir(options), id));
  const input = await openMail(named, options);
  const times = await timesOf(input);
  const since = Math.max(times.first, times.last - days * DAY_MS);
  const planned = plannedRanges(store.rules.plans(), since, times.last);
  const { lesson, left, verdict, trial, evidence } = await challenge(input, {
    ...{ old: { id, header, ...learned }, since, last: times.last, planned, seed },
    incidents: incidentsOf(store, times.last - REMEMBERED_DAYS * DAY_MS, times.last),
    budget: settingsOf(options).alerts.perDay,
    prior: learned.model.novelty.prior && loadPrior(),
    quiet: isQuiet(options),
  });
  const fresh = lesson.stored({ retrained: evidence });
  const result = dry ? verdict : keep(store, lesson, fresh, id, verdict, trial);
  store.close();
  if (format === "json") {
    const { promoted, reason } = result;
    await writeOut(
      `${JSON.stringify({ promoted: promoted && !dry, model: promoted && !dry ? fresh.id : id, ...evidence, reason }, undefined, 2)}\n`,
    );
    return;
  }
  await writeOut(`learned ${learnedText(lesson, input)}${leftText(left, planned.length > 0)}`);
  await writeOut(`${[...judgedLines(result.judged), ...trialLines(trial)].join("\n")}\n`);
  await writeOut(outcome(fresh.id, id, result, dry));
  if (left.learned.length > 0 && !isQuiet(options)) writeError(tooMuch(left));
}

/** For a timer that asks every day. createdAt: of the model in use, in ms. */
function isDue(store: Store, createdAt: number, options: Options): boolean {
  const clock = localClock(new Zone(timeZone(options)));
  const times = { tried: lastTried(store, createdAt), began: historyBegan(store) };
  const why = whyDue(store, settingsOf(options).retrain, clock, times, Date.now());
  if (!isQuiet(options))
    writeError(why === undefined ? "not due; nothing was done\n" : `due: ${terminalSafe(why)}\n`);
  return why !== undefined;
}

/** The mail comes first. A service manager that forbids it has set our priority itself. */
function yieldToOthers(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch (error) {
    if ((error as { info?: { code?: unknown } }).info?.code !== "EPERM") throw error;
  }
}

/** --days, checked, or what the configuration says. Throws a usage Fault. */
function daysOf(options: Options): number {
  const asked = options["days"];
  if (asked === undefined) return settingsOf(options).retrain.days;
  const days = Number(asked);
  if (/^\d{1,3}$/.test(String(asked)) && days >= 1) return days;
  throw new Fault("usage", "--days takes a number of days", "--days", "nothing was done", "type: --days 35");
}

/**
 * What was told of the time: alerts that were sent, with what they began with up to a day before. What the operator called harmless is to
 * be learned; what he confirmed is an incident, though the alert was held back or is kept no longer.
 */
function incidentsOf(store: Store, from: number, to: number): Incident[] {
  const said = store.rules.feedback().filter(({ revokedAt }) => revokedAt === undefined);
  /** The last word on each alert; what is to be left alone for a while is not judged. */
  const judged = new Map<string, Feedback>();
  for (const one of said.filter(({ verdict }) => verdict !== "snooze"))
    if (!judged.has(one.about.id)) judged.set(one.about.id, one);
  const alerts = store.alertsBetween(from - DAY_MS, to + DAY_MS);
  const told = alerts
    .filter((alert) => alert["held"] !== true && !judged.has(alert.id) && !isChange(alert))
    .map(incidentOf)
    .filter(({ start, end }) => start <= end);
  const byId = new Map(alerts.map((alert) => [alert.id, incidentOf(alert)]));
  const confirmed = [...judged.values()]
    .filter(({ verdict }) => verdict === "incident")
    .map(({ about: { id, start, end, severity } }) => ({
      ...byId.get(id),
      ...{ id, start, severity, confirmed: true },
      end: Math.max(end, byId.get(id)?.end ?? end),
    }));
  return [...told, ...confirmed];
}

/** The switch, or the reason why there was none, in one transaction. */
function keep(
  store: Store,
  { warm }: Lesson,
  fresh: ReturnType<Lesson["stored"]>,
  old: string,
  verdict: Verdict,
  trial: TrialEvidence | undefined,
): Verdict {
  const sentence = trial ? `. ${trialSentence(trial)}` : "";
  const mark = (result: Verdict): { name: string; value: string } => ({
    name: RETRAINED,
    value: JSON.stringify({
      at: new Date().toISOString(),
      text: outcome(fresh.id, old, result, false).trim() + sentence,
      model: result.promoted ? fresh.id : old,
      promoted: result.promoted,
      reason: result.reason,
    }),
  });
  const { reason } = verdict;
  const use = { how: "retrain", reason, at: Date.now() } as const;
  if (verdict.promoted && store.saveModel(fresh, { replaces: old, warm, mark: mark(verdict), use }))
    return verdict;
  const refused = verdict.promoted
    ? { ...verdict, promoted: false, reason: "another model came into use meanwhile" }
    : verdict;
  // It is kept out of use, so that its evidence can be read, and a person may decide otherwise.
  store.saveModel(fresh, { warm, mark: mark(refused), use: false });
  return refused;
}

function leftText({ hours, incidents, repeated }: LeftOut, planned: boolean): string {
  const of = [
    ...(incidents.length > 0 ? [`of ${incidents.length} incidents`] : []),
    ...(planned ? ["of what was planned"] : []),
  ];
  const again =
    repeated.length > 0
      ? `${repeated.length} incidents are learned from now on, since the like was told before, and nobody confirmed it\n`
      : "";
  if (of.length > 0) return `${again}${hours.toFixed(1)} hours ${of.join(" and ")} were left out\n`;
  return again || "no incident was told of in this time, so nothing of it was left out\n";
}

function outcome(fresh: string, old: string, { promoted, reason }: Verdict, dry: boolean): string {
  if (dry)
    return `model ${old} stays in use, since this was a trial; the new one would ${promoted ? "" : "not "}come into use: ${reason}\n`;
  return promoted
    ? `model ${fresh} is in use now in place of ${old}: ${reason}\n`
    : `model ${old} stays in use: ${reason}\n`;
}

const tooMuch = ({ learned }: LeftOut): string =>
  `note: ${learned.length} incidents, the least severe, were learned from, since more than ${100 * MAX_FLAGGED_SHARE} % of the history would have been left out: look at why there are so many\n`;
