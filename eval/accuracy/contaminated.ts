import { type Section, table } from "../../bench/table.ts";
import { contamination, type Plan } from "../../src/compose/plan.ts";
import { readLines } from "../baselines/lines.ts";
import { baselineRows } from "../baselines/rows.ts";
import { type Preset, TRAIN_DAYS } from "../preset-plan.ts";
import { PRESETS } from "../presets.ts";
import { withComposed } from "./composed.ts";
import type { LabelRow, Score } from "./corpus.ts";
import { measureAll } from "./runs.ts";
import { type Total, totalOf } from "./totals.ts";

const SEED = 1;
const OURS = "**ours, seed 1**";
const SERVERS = ["alder", "cedar", "dross", "contaminated"];

const cleanPlan = (plan: Plan): Plan => ({
  ...plan,
  faults: (plan.faults ?? []).filter((f) => f.unlabelled !== true),
});
const dirtyPlan = (plan: Plan): Plan => ({
  ...plan,
  faults: [...contamination(plan.seed, plan.start, TRAIN_DAYS), ...(cleanPlan(plan).faults ?? [])],
});

/** By method, the score of each server. */
async function measured(presets: readonly Preset[]): Promise<Map<string, Score[]>> {
  const byMethod = new Map<string, Score[]>();
  await withComposed(presets, false, async (corpus) => {
    const [ours] = await measureAll([{ corpus, seed: SEED, without: [] }]);
    const rows = baselineRows(corpus, await readLines(corpus), false);
    for (const { name, score } of [{ name: OURS, score: ours!.score }, ...rows])
      byMethod.set(name, [...(byMethod.get(name) ?? []), score]);
  });
  return byMethod;
}

const evidenced = (scores: readonly Score[]): LabelRow[] =>
  scores.flatMap((s) => s.rows).filter((r) => r.evidenced);
const cell = (t: Total): string => `${t.evidenced} of ${t.labels} / ${t.falseAlarms + t.unevidenced}`;

function rowOf(name: string, clean: readonly Score[], dirty: readonly Score[]): string[] {
  const before = evidenced(clean);
  const after = evidenced(dirty);
  const minus = (a: readonly string[], b: readonly string[]): string[] => [
    ...new Set(a.filter((x) => !b.includes(x))),
  ];
  const ids = (rows: readonly LabelRow[]): string[] => rows.map((r) => r.id);
  const kinds = (rows: readonly LabelRow[]): string[] => rows.map((r) => r.kind);
  const kindsLost = minus(kinds(before), kinds(after));
  return [
    name,
    cell(totalOf(clean)),
    cell(totalOf(dirty)),
    String(minus(ids(before), ids(after)).length),
    String(minus(ids(after), ids(before)).length),
    `${kindsLost.length}${kindsLost.length === 0 ? "" : `: ${kindsLost.join(", ")}`}`,
  ];
}

/** The same servers learned from clean weeks, and from weeks with an incident that nobody labelled. */
export async function contaminated(): Promise<Section[]> {
  const presets = PRESETS.filter(({ name }) => SERVERS.includes(name));
  const plans = (of: (plan: Plan) => Plan): Preset[] => presets.map((p) => ({ ...p, plan: of(p.plan) }));
  const clean = await measured(plans(cleanPlan));
  const dirty = await measured(plans(dirtyPlan));
  const hidden = plans(dirtyPlan).map(
    ({ name, plan }) =>
      `${name}: ${plan
        .faults!.filter((f) => f.unlabelled)
        .map((f) => `${f.kind}, ${f.minutes} min`)
        .join("; ")}`,
  );
  const ours = rowOf(OURS, clean.get(OURS)!, dirty.get(OURS)!);
  const text = `The same composed servers (${SERVERS.join(", ")}) twice: training as it is, and with one incident in each week of it that no label tells (${hidden.join(". ")}). What
comes after training is the same. *Lost* were evidenced after clean training and are not after the other; a kind is lost when it was found on some server and is found on none.
Cells: incidents evidenced / alerts without need.

${table([["what runs", "clean training", "contaminated", "incidents lost", "gained", "kinds lost"], ...[...clean].map(([name, scores]) => (name === OURS ? ours : rowOf(name, scores, dirty.get(name)!)))])}`;
  return [{ title: "Contaminated training", text }];
}
