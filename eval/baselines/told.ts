import type { Alert, AlertRecord } from "../../src/detect/alert.ts";
import { type Excess, incidents, recordOf, type Told } from "./incidents.ts";
import { type Lines, textsOf } from "./lines.ts";
import { newestLines, type RowScores, WINDOW_MS, type WindowTable } from "./windows.ts";

export const NEW_TEMPLATE = "new template";
/** How the column of templates that training did not have is called. */
const UNSEEN = "messages of shapes never seen";

/** Alerts of lines whose template training did not have, as soon as they are read. log: where the texts of cited lines are. */
export const newTemplateRecords = (lines: Lines, log: string | undefined): AlertRecord[] =>
  lineRecords(NEW_TEMPLATE, "new_message", lines, (column) => (column >= lines.known ? 1 : 0), 0, log);

/** Alerts of watched lines whose template scores over a threshold, as soon as they are read. log: as in windowRecords. */
export function lineRecords(
  baseline: string,
  kind: Told["kind"],
  lines: Lines,
  scoreOf: (column: number) => number,
  threshold: number,
  log: string | undefined,
): AlertRecord[] {
  const { times, numbers, columns, templates, trained } = lines;
  const excesses: (Excess & { number: number })[] = [];
  for (let i = trained; i < columns.length; i++) {
    const column = columns[i]!;
    const score = scoreOf(column);
    if (score > threshold) excesses.push({ time: times[i]!, column, score, number: numbers[i]! });
  }
  return recordsOf(
    incidents(excesses).map((excess) => ({
      excess,
      start: excess.time,
      pValue: 1 / (trained + 1),
      baseline,
      kind,
      template: templates[excess.column]!,
      numbers: [excess.number],
    })),
    log,
  );
}

/**
 * Alerts of the watched windows over a threshold, each told at the window's end. log: where the texts of cited lines are; without
 * it they stay empty, which no scoring reads.
 */
export function windowRecords(
  baseline: string,
  lines: Lines,
  table: WindowTable,
  scores: RowScores,
  threshold: number,
  log: string | undefined,
): AlertRecord[] {
  const excesses: Excess[] = [];
  for (let t = table.train; t < table.T; t++) {
    const score = scores.values[t]!;
    if (score > threshold)
      excesses.push({ time: (table.first + t + 1) * WINDOW_MS, column: scores.columns[t]!, score });
  }
  const training = scores.values.slice(0, table.train).sort();
  return recordsOf(
    incidents(excesses).map((excess) => ({
      excess,
      start: excess.time - WINDOW_MS,
      pValue: (training.filter((v) => v >= excess.score).length + 1) / (training.length + 1),
      baseline,
      kind: "volume_change",
      template: excess.column < lines.known ? lines.templates[excess.column]! : UNSEEN,
      numbers: newestLines(lines, excess.time / WINDOW_MS - 1, excess.column),
    })),
    log,
  );
}

type Found = Omit<Told, "lines"> & { readonly numbers: readonly number[] };

function recordsOf(found: readonly Found[], log: string | undefined): AlertRecord[] {
  const texts = log === undefined ? undefined : textsOf(log, new Set(found.flatMap((f) => f.numbers)));
  return found.map(({ numbers, ...told }) => {
    const lines: Alert["lines"] = numbers.map((line) => ({
      file: log ?? "",
      line,
      text: texts?.get(line) ?? "",
    }));
    return recordOf({ ...told, lines });
  });
}
