import type { Alert } from "../detect/alert.ts";
import type { Drilled } from "../pipeline/drill.ts";
import { cut, terminalSafe } from "./escape.ts";
import { localTime } from "./format.ts";

/** What a drill found, in a table for a terminal and as a record. */

export type DrillReport = {
  readonly seed: number;
  /** Of the model in use; null for one that was learned from the log. */
  readonly model: string | null;
  /** Log times in ms: the end of what the model learned, and the days that were gone through. */
  readonly learnedTo: number;
  readonly from: number;
  readonly to: number;
  readonly drilled: readonly Drilled[];
  /** Alerts that the days bring by themselves. */
  readonly own: readonly Alert[];
};

/** Columns: kind, when, lines, after how long, named. */
const COLUMNS = [30, 18, 7, 8, 27] as const;
const BEFORE_TITLE = COLUMNS.reduce((sum, n) => sum + n, 0);
const TITLE = 32;
/** A model that knows less than this of the days is not said to know them. */
const SMALL_MS = 3_600_000;
const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;
const minuteOf = (ms: number, timeZone: string): string => localTime(ms, timeZone).slice(0, 16);

/** columns: of the terminal; 0 where there is none, and nothing is cut. */
export function drillText(report: DrillReport, timeZone: string, columns: number): string {
  const room = columns === 0 ? Number.POSITIVE_INFINITY : Math.max(TITLE, columns - BEFORE_TITLE);
  const { drilled, own, model, learnedTo, from, to } = report;
  const at = (ms: number): string => minuteOf(ms, timeZone);
  const title = (text: string): string => cut(terminalSafe(text), room);
  const by = model === null ? "a model learned from the log" : `model ${terminalSafe(model)}`;
  const known =
    learnedTo > from + SMALL_MS
      ? "; it has learned of these days too, so what they bring by themselves flatters it"
      : "";
  const row = (...cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(COLUMNS[i] ?? 0))
      .join("")
      .trimEnd();
  return `${[
    `${at(from)} to ${at(to)} (${timeZone}), watched by ${by}, learned until ${at(learnedTo)}${known}.`,
    "Each fault was put into a copy of these days in memory, by itself. Nothing was written or sent.",
    "Feedback and calendar were not applied.",
    "",
    row("put in", "at", "lines", "told", "its kind", "alert, or what was put in"),
    ...drilled.map((d) =>
      row(d.kind, at(d.start), String(d.lines), toldOf(d), kindOf(d), title(d.alert?.title ?? d.note)),
    ),
    "",
    totals(drilled),
    "",
    own.length === 0
      ? "Without anything put in, these days bring no alert."
      : `Without anything put in, these days bring ${count(own.length, "alert")}:`,
    ...own.map((a) => `  ${at(a.openedAt)}  ${a.severity.padEnd(8)}  ${title(a.title)}`),
  ].join("\n")}\n`;
}

function toldOf({ result, minutes }: Drilled): string {
  if (result === "no_trace") return "-";
  return minutes === null ? "MISSED" : `${minutes} min`;
}

const kindOf = ({ result, alert }: Drilled): string => {
  if (result === "no_trace") return "no line that tells";
  return alert === null ? "" : alert.named ? "right" : `said ${alert.kind}`;
};

function totals(drilled: readonly Drilled[]): string {
  const of = (result: Drilled["result"]): Drilled[] => drilled.filter((d) => d.result === result);
  const caught = of("caught");
  const put = drilled.length - of("no_trace").length;
  const named = caught.filter(({ alert }) => alert?.named).length;
  const after = caught.length === 0 ? "" : `, after ${median(caught)} minutes in the middle`;
  const none = put < drilled.length ? ` ${drilled.length - put} left no line on this server.` : "";
  return `${caught.length} of ${put} caught${after}; the kind named right for ${named} of ${caught.length}.${none}`;
}

function median(caught: readonly Drilled[]): number {
  const minutes = caught.map((d) => d.minutes!).sort((a, b) => a - b);
  const half = minutes.length >> 1;
  return minutes.length % 2 === 1 ? minutes[half]! : Math.round((minutes[half - 1]! + minutes[half]!) / 2);
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** The same for programs. */
export function drillRecord(report: DrillReport): object {
  const { seed, model, learnedTo, from, to, drilled, own } = report;
  return {
    ...{ seed, model, learned_to: iso(learnedTo), from: iso(from), to: iso(to) },
    put_in: drilled.map(({ start, end, alert, ...rest }) => ({
      ...rest,
      start: iso(start),
      end: iso(end),
      alert: alert && {
        opened_at: iso(alert.openedAt),
        title: alert.title,
        kind: alert.kind,
        severity: alert.severity,
        kind_right: alert.named,
      },
    })),
    own_alerts: own.map(({ id, openedAt, kind, severity, title }) => ({
      id,
      opened_at: iso(openedAt),
      kind,
      severity,
      title,
    })),
  };
}
