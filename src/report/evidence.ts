import type { Judged } from "../pipeline/promote.ts";
import type { Evidence } from "../pipeline/verdict.ts";

/** How the new model and the one in use did, in lines for people. */

/** Nats a row of each network on the days that neither model has learned from: less is better. */
export const judgedLines = (judged: readonly Judged[]): string[] =>
  judged.map(
    (j) =>
      `${j.view.padEnd(11)} ${j.new.toFixed(2)} nats a row, the model in use ${j.old.toFixed(2)} (margin ${j.margin.toFixed(2)}; ${j.rows} rows of ${j.days} days)`,
  );

/** What a trial found; no line where there was none. */
export function trialLines(trial: Evidence | undefined | null): string[] {
  if (!trial) return [];
  const { told, held, rare, injected, confirmed, remembered } = trial;
  return [
    `told        ${told.new} incidents on ${countDays(trial.days)} without known ones, the model in use ${told.old} (held back: ${held.new}, ${held.old})`,
    ...rare
      .filter(({ rows }) => rows.old > 0 && rows.new > 0)
      .map(
        (r) =>
          `p <= 0.01   ${percent(r.new)} of ${r.rows.new} rows of the ${r.view} view, the model in use ${percent(r.old)}`,
      ),
    ...(injected
      ? [
          `put in      ${injected.faults} faults: ${injected.new} found, by the model in use ${injected.old}; after ${minutes(injected.minutes.new)} and ${minutes(injected.minutes.old)} (median of those that both found)`,
        ]
      : []),
    ...(confirmed
      ? [
          `confirmed   ${confirmed.incidents} incidents that you confirmed: ${confirmed.new} would be told, by the model in use ${confirmed.old}`,
        ]
      : []),
    ...(remembered
      ? [
          `remembered  ${remembered.times} rare times of before: ${remembered.new} would be told, by the model in use ${remembered.old}`,
        ]
      : []),
  ];
}

/** What stands in a model's header of how it was judged; it may come from a file or another release. */
export function evidenceLines(retrained: object | null): string[] {
  const { judged, trial } = (retrained ?? {}) as { judged?: readonly Judged[]; trial?: Evidence | null };
  try {
    return [...judgedLines(judged ?? []), ...trialLines(trial)];
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return ["of a form that this release does not know"];
  }
}

/** The same in a sentence, for the daily report. */
export function trialSentence({ days, told, injected, confirmed }: Evidence): string {
  const known = confirmed
    ? ` Of ${confirmed.incidents} incidents that you confirmed it told ${confirmed.new}, the other ${confirmed.old}.`
    : "";
  const quiet = `On ${countDays(days)} that neither had learned it would have told ${told.new} incidents, the other model ${told.old}.`;
  if (!injected) return quiet + known;
  return `${quiet} Of ${injected.faults} faults that were put in it found ${injected.new}, the other ${injected.old}.${known}`;
}

const countDays = (n: number): string => `${n} ${n === 1 ? "day" : "days"}`;
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const minutes = (n: number | null): string => (n === null ? "-" : `${Math.round(n)} minutes`);
