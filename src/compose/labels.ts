import { FAULTS } from "./kinds.ts";
import { instant, type Plan } from "./plan.ts";

/** What really happened, in the form that eval/score-alerts.mjs reads. Times ISO 8601 UTC; lines 1-based. */
export type Label = {
  readonly id: string;
  readonly kind: string;
  readonly start: string;
  readonly end: string;
  /** First and last line of the time from start to end; [n, n - 1] when no line falls into it. */
  readonly lines: readonly [number, number];
  readonly affected_count: number;
  /** Runs of lines that are a trace of the fault, first and last; some may come after the end. */
  readonly affected: readonly (readonly [number, number])[];
  readonly last_affected: string | null;
  readonly evidence: "recorded" | "composed";
  readonly note: string;
};

type Open = {
  readonly index: number;
  readonly from: number;
  /** Time of the last line before. */
  before: number;
  /** The first line of its second. */
  beforeLine: number;
  readonly to: number;
  first: number;
  last: number;
  count: number;
  readonly runs: [number, number][];
  lastTime: number;
};

const iso = (time: number): string =>
  new Date(Math.floor(time / 1000) * 1000).toISOString().replace(".000Z", "Z");

/** Keeps the labels of a composed log while its lines go by. Holds no line. */
export class Labels {
  private readonly plan: Plan;
  private readonly open: Open[] = [];
  private readonly byIndex = new Map<number, Open>();
  private line = 0;

  constructor(plan: Plan) {
    this.plan = plan;
    for (const [index, { start, minutes, unlabelled }] of (plan.faults ?? []).entries()) {
      if (unlabelled === true) continue;
      const from = instant(start);
      const to = from + minutes * 60_000;
      const label: Open = {
        ...{
          index,
          from,
          to,
          before: from,
          beforeLine: 0,
          first: 0,
          last: 0,
          count: 0,
          runs: [],
          lastTime: Number.NaN,
        },
      };
      this.open.push(label);
      this.byIndex.set(index, label);
    }
  }

  /** Notes the next line of the log. fault: the index of the fault whose trace it is, or -1. */
  add(time: number, fault: number): void {
    this.line++;
    for (const label of this.open) {
      if (time < label.from) {
        label.first = this.line + 1;
        if (iso(time) !== iso(label.before)) label.beforeLine = this.line;
        label.before = time;
      }
      if (time < label.to) label.last = this.line;
    }
    const label = this.byIndex.get(fault);
    if (label === undefined) return;
    const run = label.runs.at(-1);
    if (run !== undefined && run[1] === this.line - 1) run[1] = this.line;
    else label.runs.push([this.line, this.line]);
    label.count++;
    label.lastTime = time;
  }

  /** The labels, in the order of their starts. */
  done(): Label[] {
    const sorted = [...this.open].sort((a, b) => a.from - b.from || a.index - b.index);
    return sorted.map(
      ({ index, from, before, beforeLine, to, first, last, count, runs, lastTime }, n): Label => {
        const { kind } = this.plan.faults![index]!;
        // Where the clock goes back, no line says that time goes on: the log stands still at the last line before.
        const standsStill = FAULTS[kind]!.clockMs !== undefined;
        const begins = Math.max(1, standsStill ? beforeLine : first);
        return {
          id: `${this.plan.server.name}-${String(n + 1).padStart(2, "0")}`,
          kind,
          start: iso(standsStill ? before : from),
          end: iso(to),
          lines: [begins, Math.max(begins - 1, last)],
          affected_count: count,
          affected: runs,
          last_affected: count === 0 ? null : iso(lastTime),
          evidence: FAULTS[kind]!.evidence,
          note: FAULTS[kind]!.note,
        };
      },
    );
  }
}
