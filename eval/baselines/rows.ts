import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AlertRecord } from "../../src/detect/alert.ts";
import { type Corpus, type Score, scored } from "../accuracy/corpus.ts";
import { countScores } from "./count-rule.ts";
import { forestScores } from "./isolation-forest.ts";
import type { Lines } from "./lines.ts";
import { nearestScores } from "./nearest.ts";
import { oneHotErrors } from "./one-hot.ts";
import { pcaScores } from "./pca.ts";
import { plainVaeScores } from "./plain-vae.ts";
import { oracleLevels, thresholdOf } from "./threshold.ts";
import { lineRecords, NEW_TEMPLATE, newTemplateRecords, windowRecords } from "./told.ts";
import { type RowScores, type WindowTable, windowsOf } from "./windows.ts";
import { zScores } from "./z-score.ts";

/** What scores windows. Undefined where something that it needs is missing. */
export const WINDOW_BASELINES: Readonly<
  Record<string, (table: WindowTable) => (RowScores & { readonly fixed?: number }) | undefined>
> = {
  "count above training's largest": countScores,
  "z-score by hour of day": zScores,
  "PCA, residual energy": pcaScores,
  "Isolation Forest": forestScores,
  "nearest training window": nearestScores,
  "plain VAE, squared error": plainVaeScores,
};

export type BaselineRow = {
  readonly name: string;
  readonly score: Score;
  /** Of the alerts that evidence an incident and the incidents that are evidenced. */
  readonly f1: number;
  /** The same with the threshold that proved best afterwards. Undefined where there is none to choose. */
  readonly oracle: Score | undefined;
  /** With each threshold that was tried. */
  readonly curve: readonly Score[];
};

/** Harmonic mean of the share of incidents evidenced and the share of alerts that evidence one. */
export function f1({
  evidenced,
  labels,
  alerts,
  false_alarms,
  unevidenced,
}: Pick<Score, "evidenced" | "labels" | "alerts" | "false_alarms" | "unevidenced">): number {
  const recall = evidenced / Math.max(1, labels);
  const precision = (alerts - false_alarms - unevidenced) / Math.max(1, alerts);
  return recall + precision === 0 ? 0 : (2 * recall * precision) / (recall + precision);
}

/** Thresholds that an oracle tries among the errors of single templates. */
const LINE_LEVELS = 30;
export const ONE_HOT = "one-hot line, plain VAE, fixed line";

/** All baselines that can run, on one log. withOracle: also look for the threshold that proves best afterwards. only: those of windows that are asked for. */
export function baselineRows(
  corpus: Corpus,
  lines: Lines,
  withOracle: boolean,
  only?: readonly string[],
): BaselineRow[] {
  const folder = mkdtempSync(join(tmpdir(), "logvane-baselines-"));
  const file = join(folder, "alerts.ndjson");
  const judge = (records: readonly AlertRecord[]): Score => {
    writeFileSync(file, records.map((r) => `${JSON.stringify(r)}\n`).join(""));
    return scored(file, corpus);
  };
  const rows: BaselineRow[] = [];
  const put = (name: string, score: Score, curve?: readonly Score[]): void => {
    const best = curve?.reduce((a, b) => (f1(b) > f1(a) ? b : a));
    rows.push({ name, score, f1: f1(score), oracle: best, curve: curve ?? [score] });
    process.stderr.write(
      `${corpus.name}, ${name}: ${score.evidenced} of ${score.labels}, ${score.false_alarms} false alarms\n`,
    );
  };

  if (only === undefined) {
    put(NEW_TEMPLATE, judge(newTemplateRecords(lines, undefined)));
    const { errors, fixed } = oneHotErrors(lines);
    const byLine = (level: number): Score =>
      judge(
        lineRecords(
          ONE_HOT,
          "new_message",
          lines,
          (c) => errors[Math.min(c, lines.known)]!,
          level,
          undefined,
        ),
      );
    const steps = [...new Set(errors)].sort((a, b) => b - a).slice(1, 1 + LINE_LEVELS);
    put(ONE_HOT, byLine(fixed), withOracle ? [fixed, ...steps].map(byLine) : undefined);
  }

  const table = windowsOf(lines, Date.parse(corpus.trainUntil));
  for (const [name, scoresOf] of Object.entries(WINDOW_BASELINES)) {
    if (only?.includes(name) === false) continue;
    const scores = scoresOf(table);
    if (!scores) continue;
    const at = (level: number): Score => judge(windowRecords(name, lines, table, scores, level, undefined));
    const threshold = thresholdOf(table, scores);
    const own = scores.fixed === undefined ? [] : [scores.fixed];
    const curve = withOracle ? [threshold, ...own, ...oracleLevels(table, scores)].map(at) : undefined;
    put(name, at(threshold), curve);
    if (scores.fixed !== undefined) put(`${name}, mean + 3 sd`, at(scores.fixed), curve);
  }
  rmSync(folder, { recursive: true });
  return rows;
}
