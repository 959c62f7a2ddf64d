import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ReplayRequest, type ReplayResult, replay } from "../../src/cli/replay.ts";
import type { Contender } from "../../src/cli/walker.ts";
import type { Retraining } from "../../src/cli/weekly.ts";
import { alertRecord } from "../../src/detect/alert.ts";
import { type Score, scored } from "../accuracy/corpus.ts";
import type { WeeklyLog } from "./log.ts";
import { ZONE } from "./plan.ts";

/** A back-test of a composed log of weekly files, learned anew as the settings say when nothing is set, and its score. */

/** Sunday at half past three, the last five weeks. */
const WHEN = { weekday: 0, atMinute: 210, days: 35 };
export const SEED = 1;
export const BUDGET = 2;

/** forgetful: learned anew each week, and nothing is taken over of what the model before remembers. */
export type Mode = "weekly" | "forgetful" | "never";

export type Run = {
  readonly score: Score;
  readonly retrainings: readonly Retraining[];
  readonly cpuSeconds: number;
};

/** onWeek: hears each week how it went so far, up to a log time, in ms, and which model is in use from then on. */
export async function runYear(
  log: WeeklyLog,
  span: { readonly year: number; readonly from: number; readonly to: number },
  mode: Mode,
  folder: string,
  onWeek: (soFar: Run, time: number, inUse: Contender) => void = () => {},
): Promise<Run> {
  const began = process.cpuUsage();
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e6;
  };
  const soFar: Retraining[] = [];
  const request: ReplayRequest = {
    files: log.files,
    options: { timezone: ZONE, year: span.year },
    until: { time: span.from },
    budget: BUDGET,
    without: new Set(),
    seed: SEED,
    ...(mode !== "never" && {
      weekly: {
        ...{ when: WHEN, forgetful: mode === "forgetful" },
        onRetrained: (retraining, alerts, inUse) => {
          soFar.push(retraining);
          const { at, promoted, reason } = retraining;
          const told = `${new Date(at).toISOString().slice(0, 10)} ${promoted ? "promoted" : "refused"}: ${reason}`;
          process.stderr.write(`${told} (${Math.round(cpuSeconds())} CPU-s so far)\n`);
          const score = scoreOf(alerts, log, { from: span.from, to: at }, folder);
          onWeek({ score, retrainings: soFar, cpuSeconds: cpuSeconds() }, at, inUse);
        },
      },
    }),
  };
  const { alerts, retrainings } = await replay(request);
  return { score: scoreOf(alerts, log, span, folder), retrainings, cpuSeconds: cpuSeconds() };
}

/** Lines are counted through all files, as the labels do. */
function scoreOf(
  alerts: ReplayResult["alerts"],
  { before, labels }: WeeklyLog,
  { from, to }: { readonly from: number; readonly to: number },
  folder: string,
): Score {
  const records = alerts
    .filter(({ held }) => !held)
    .map((alert) => ({
      ...alertRecord(alert),
      lines: alert.lines.map((cited) => ({ ...cited, line: before.get(cited.file)! + cited.line })),
    }));
  const file = join(folder, "alerts.ndjson");
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  const iso = (ms: number): string => new Date(ms).toISOString();
  const score = scored(file, { name: "", log: "", labels, trainUntil: iso(from), end: iso(to) });
  rmSync(file);
  return score;
}
