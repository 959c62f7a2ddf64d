import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AlertRecord } from "../../src/detect/alert.ts";
import { type Corpus, type Score, scored } from "../accuracy/corpus.ts";
import { forestScores } from "./isolation-forest.ts";
import type { Lines } from "./lines.ts";
import { nearestScores } from "./nearest.ts";
import { pcaScores } from "./pca.ts";
import { plainVaeScores } from "./plain-vae.ts";
import { oracleLevels, thresholdOf } from "./threshold.ts";
import { NEW_TEMPLATE, newTemplateRecords, windowRecords } from "./told.ts";
import { type RowScores, type WindowTable, windowsOf } from "./windows.ts";
import { zScores } from "./z-score.ts";

/** What scores windows. Undefined where something that it needs is missing. */
export const WINDOW_BASELINES: Readonly<
  Record<string, (table: WindowTable) => (RowScores & { readonly fixed?: number }) | undefined>
> = {
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
};

/** Harmonic mean of the share of incidents evidenced and the share of alerts that evidence one. */
export function f1({ evidenced, labels, alerts, false_alarms, unevidenced }: Score): number {
  const recall = evidenced / Math.max(1, labels);
  const precision = (alerts - false_alarms - unevidenced) / Math.max(1, alerts);
  return recall + precision === 0 ? 0 : (2 * recall * precision) / (recall + precision);
}

/** All baselines that can run, on one log. withOracle: also look for the threshold that proves best afterwards. */
export function baselineRows(corpus: Corpus, lines: Lines, withOracle: boolean): BaselineRow[] {
  const folder = mkdtempSync(join(tmpdir(), "logvane-baselines-"));
  const file = join(folder, "alerts.ndjson");
  const judge = (records: readonly AlertRecord[]): Score => {
    writeFileSync(file, records.map((r) => `${JSON.stringify(r)}\n`).join(""));
    return scored(file, corpus);
  };
  const table = windowsOf(lines, Date.parse(corpus.trainUntil));
  const first = judge(newTemplateRecords(lines, corpus.log));
  const rows: BaselineRow[] = [{ name: NEW_TEMPLATE, score: first, f1: f1(first), oracle: undefined }];
  for (const [name, scoresOf] of Object.entries(WINDOW_BASELINES)) {
    const scores = scoresOf(table);
    if (!scores) continue;
    const at = (threshold: number, texts: boolean): Score =>
      judge(windowRecords(name, lines, table, scores, threshold, texts ? corpus.log : undefined));
    const threshold = thresholdOf(table, scores);
    const score = at(threshold, true);
    const levels = [
      threshold,
      ...(scores.fixed === undefined ? [] : [scores.fixed]),
      ...oracleLevels(table, scores),
    ];
    const oracle = withOracle
      ? levels.map((level) => at(level, false)).reduce((a, b) => (f1(b) > f1(a) ? b : a))
      : undefined;
    rows.push({ name, score, f1: f1(score), oracle });
    if (scores.fixed !== undefined) {
      const fixed = at(scores.fixed, true);
      rows.push({ name: `${name}, mean + 3 sd`, score: fixed, f1: f1(fixed), oracle });
    }
    process.stderr.write(
      `${corpus.name}, ${name}: ${score.evidenced} of ${score.labels}, ${score.false_alarms} false alarms\n`,
    );
  }
  rmSync(folder, { recursive: true });
  return rows;
}
