import { f1 } from "../baselines/rows.ts";
import type { Score } from "./corpus.ts";

/** What one method did on several logs. */
export type Total = {
  readonly evidenced: number;
  readonly labels: number;
  readonly alerts: number;
  readonly falseAlarms: number;
  readonly unevidenced: number;
  readonly days: number;
  /** From the start of an incident to its first evidencing alert; undefined when there is none. */
  readonly medianMinutes: number | undefined;
  readonly f1: number;
};

export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

export function totalOf(scores: readonly Score[]): Total {
  const sum = (of: (s: Score) => number): number => scores.reduce((total, s) => total + of(s), 0);
  const all = {
    evidenced: sum((s) => s.evidenced),
    labels: sum((s) => s.labels),
    alerts: sum((s) => s.alerts),
    false_alarms: sum((s) => s.false_alarms),
    unevidenced: sum((s) => s.unevidenced),
  };
  const minutes = scores.flatMap((s) => s.rows.flatMap((r) => (r.minutes === null ? [] : [r.minutes])));
  return {
    evidenced: all.evidenced,
    labels: all.labels,
    alerts: all.alerts,
    falseAlarms: all.false_alarms,
    unevidenced: all.unevidenced,
    days: sum((s) => s.days),
    medianMinutes: median(minutes),
    f1: f1(all),
  };
}

/** Alerts that help nobody. */
export const needless = (s: Pick<Score, "false_alarms" | "unevidenced">): number =>
  s.false_alarms + s.unevidenced;
