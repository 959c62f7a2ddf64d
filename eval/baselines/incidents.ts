import { type Alert, type AlertRecord, alertRecord } from "../../src/detect/alert.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import { hash64 } from "../../src/math/hash.ts";

/** Alerts that a day may open, as for our detector. */
const PER_DAY = 2;
/** What exceeds so soon after for the same column is the same incident. */
const MERGED_MS = 30 * 60_000;

/** Something over the threshold, told at `time` (ms). */
export type Excess = { readonly time: number; readonly column: number; readonly score: number };

/** From what exceeds to what is told. Decided when it happens, by what came before. excesses: in order of time. */
export function incidents<E extends Excess>(excesses: Iterable<E>): E[] {
  const last = new Map<number, number>();
  const opened: E[] = [];
  let day = Number.NaN;
  let today = 0;
  for (const excess of excesses) {
    const { time, column } = excess;
    const before = last.get(column);
    last.set(column, time);
    if (before !== undefined && time - before <= MERGED_MS) continue;
    if (Math.floor(time / DAY_MS) !== day) {
      day = Math.floor(time / DAY_MS);
      today = 0;
    }
    if (today++ < PER_DAY) opened.push(excess);
  }
  return opened;
}

export type Told = {
  readonly excess: Excess;
  /** When what is told of began, in ms. */
  readonly start: number;
  readonly pValue: number;
  readonly baseline: string;
  readonly kind: "new_message" | "volume_change";
  readonly template: string;
  readonly lines: Alert["lines"];
};

/** An alert in the form of the contract. */
export function recordOf({ excess, start, pValue, baseline, kind, template, lines }: Told): AlertRecord {
  const { time, column, score } = excess;
  return alertRecord({
    id: hash64(`${baseline} ${time} ${column}`).slice(0, 12),
    openedAt: time,
    closedAt: null,
    start,
    end: time,
    severity: "low",
    class: "budget",
    held: false,
    pValue,
    view: kind === "new_message" ? "novelty" : "window",
    kind,
    kindConfidence: 0.5,
    title: `${baseline}: ${template}`,
    summary: `Score ${score.toPrecision(4)}, most of it by "${template}".`,
    entities: [],
    templates: [],
    measures: [],
    lines,
    updates: [],
    total: { lines: lines.length, events: 1 },
    parts: [],
  });
}
