import type { CalibrationSummary, Description, Expectation, Named } from "../pipeline/describe.ts";
import { terminalSafe } from "./escape.ts";
import type { ModelRecord } from "./model.ts";

/** What `model diff` tells of two models, from the first to the second. */
export type ModelDiff = {
  readonly from: string;
  readonly to: string;
  readonly columns: Changes;
  readonly templates: Changes;
  /** Columns of both whose expected events moved most, by the ratio. Events a day. */
  readonly expectations: readonly Moved[];
  /** Parts of both whose score of one row in a hundred moved most. */
  readonly calibration: readonly {
    readonly name: string;
    readonly from: CalibrationSummary;
    readonly to: CalibrationSummary;
  }[];
  readonly metrics: { readonly from: ModelRecord["metrics"]; readonly to: ModelRecord["metrics"] };
};

type Changes = { readonly added: readonly Named[]; readonly gone: readonly Named[]; readonly shared: number };
type Day = { readonly weekday: number; readonly weekend: number };
type Moved = Named & { readonly from: Day; readonly to: Day; readonly ratio: number };

/** Events a day that are added to both before they are compared: of rare ones a ratio tells nothing. */
const RARE = 5;
/** What is listed of each kind; the JSON form lists all that was added or gone. */
const LISTED = 10;
const CALIBRATIONS = 8;

type Side = { readonly record: ModelRecord; readonly known: Description };

export function modelDiff(from: Side, to: Side): ModelDiff {
  return {
    from: from.record.id,
    to: to.record.id,
    columns: changes(from.known.columns.map(named), to.known.columns.map(named)),
    templates: changes(from.known.templates, to.known.templates),
    expectations: moved(from.known.columns, to.known.columns),
    calibration: calibrations(from.known.calibration, to.known.calibration),
    metrics: { from: from.record.metrics, to: to.record.metrics },
  };
}

const named = ({ id, label }: Named): Named => ({ id, label });

function changes(from: readonly Named[], to: readonly Named[]): Changes {
  const [before, after] = [new Set(from.map(({ id }) => id)), new Set(to.map(({ id }) => id))];
  const added = to.filter(({ id }) => !before.has(id));
  return { added, gone: from.filter(({ id }) => !after.has(id)), shared: to.length - added.length };
}

function moved(from: readonly Expectation[], to: readonly Expectation[]): Moved[] {
  const before = new Map(from.map((column) => [column.id, column]));
  const all = to.flatMap((column): Moved[] => {
    const was = before.get(column.id);
    if (was === undefined) return [];
    const ratio = (day: keyof Day): number => (column[day] + RARE) / (was[day] + RARE);
    const most =
      Math.abs(Math.log(ratio("weekend"))) > Math.abs(Math.log(ratio("weekday"))) ? "weekend" : "weekday";
    return [{ ...named(column), from: dayOf(was), to: dayOf(column), ratio: ratio(most) }];
  });
  return all
    .sort((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)) || (a.id < b.id ? -1 : 1))
    .slice(0, LISTED);
}

const dayOf = ({ weekday, weekend }: Day): Day => ({ weekday, weekend });

function calibrations(
  from: readonly CalibrationSummary[],
  to: readonly CalibrationSummary[],
): ModelDiff["calibration"] {
  const before = new Map(from.map((part) => [part.name, part]));
  const far = ({ from: a, to: b }: { from: CalibrationSummary; to: CalibrationSummary }): number =>
    Math.abs(a.one_in_100 - b.one_in_100);
  return to
    .flatMap((part) =>
      before.has(part.name) ? [{ name: part.name, from: before.get(part.name)!, to: part }] : [],
    )
    .sort((a, b) => far(b) - far(a) || (a.name < b.name ? -1 : 1))
    .slice(0, CALIBRATIONS);
}

/** For people; what is listed of each kind is cut, and counted. */
export function modelDiffText(diff: ModelDiff): string {
  const { expectations, calibration, metrics } = diff;
  const lines = [
    `${diff.from} -> ${diff.to}`,
    ...changesText("columns", diff.columns),
    ...changesText("message shapes", diff.templates),
    "expected events a day that moved most (weekday, weekend)",
    ...expectations.map(
      (m) =>
        `  ${round(m.from.weekday)}, ${round(m.from.weekend)} -> ${round(m.to.weekday)}, ${round(m.to.weekend)}  ${m.label || m.id}`,
    ),
    "score of one row in a hundred that moved most (nats), and the scale of daily maxima",
    ...calibration.map(
      ({ name, from, to }) =>
        `  ${from.one_in_100.toFixed(2)} -> ${to.one_in_100.toFixed(2)}, ${from.scale.toFixed(2)} -> ${to.scale.toFixed(2)}  ${name}`,
    ),
    "metrics",
    `  passes over the rows: ${known(metrics.from?.epochs)} -> ${known(metrics.to?.epochs)}`,
    ...(["window", "transaction"] as const).map(
      (view) =>
        `  ${view}, nats a row on days not seen: ${nats(metrics.from?.held_out[view])} -> ${nats(metrics.to?.held_out[view])}`,
    ),
  ];
  return lines.map((line) => `${terminalSafe(line)}\n`).join("");
}

function changesText(what: string, { added, gone, shared }: Changes): string[] {
  const list = (sign: string, all: readonly Named[]): string[] => [
    ...all.slice(0, LISTED).map(({ id, label }) => `  ${sign} ${label || id}`),
    ...(all.length > LISTED ? [`  ${sign} ${all.length - LISTED} more`] : []),
  ];
  return [
    `${what}: ${shared} in both, ${added.length} added, ${gone.length} gone`,
    ...list("+", added),
    ...list("-", gone),
  ];
}

const round = (n: number): string => (n < 10 ? n.toFixed(1) : String(Math.round(n)));
const known = (n: number | undefined): string => (n === undefined ? "not recorded" : String(n));
const nats = (n: number | null | undefined): string => (n == null ? "none" : n.toFixed(2));
