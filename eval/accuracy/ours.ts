import { type Section, spread, table } from "../../bench/table.ts";
import { asCode } from "../page.ts";
import { type Brief, corpora, missingNote } from "./corpus.ts";
import { measureAll, nameOf, type Outcome } from "./runs.ts";

const SEEDS = [1, 2, 3];

const HEAD = [
  ...["run", "evidenced", "alerts", "false alarms", "without evidence", "median minutes"],
  ...["kinds right", "most alerts on one incident", "CPU-s", "peak MiB"],
];

/** The figures of a row, in the order of HEAD; null where there is none. */
function figures({ score, cpuSeconds, peakMib }: Outcome): (number | null)[] {
  const { evidenced, alerts, false_alarms, unevidenced, median_minutes, most_alerts_on_one_label } = score;
  const right = score.rows.filter((r) => r.named_right === true).length;
  const own = Math.round(cpuSeconds);
  return [
    evidenced,
    alerts,
    false_alarms,
    unevidenced,
    median_minutes,
    right,
    most_alerts_on_one_label,
    own,
    Math.round(peakMib),
  ];
}

/** Cells of one row; `text` gives the cell of the i-th figure. */
function cells(name: string, labels: number, text: (i: number) => string): string[] {
  return [name, ...HEAD.slice(1).map((_, i) => (i === 0 ? `${text(i)} of ${labels}` : text(i)))];
}

function rowOf(outcome: Outcome): string[] {
  const own = figures(outcome);
  const judged = outcome.score.rows.filter((r) => r.named_right !== null).length;
  return cells(
    nameOf(outcome.run),
    outcome.score.labels,
    (i) => `${own[i] ?? "-"}${i === 5 ? ` of ${judged}` : ""}`,
  );
}

/** "14 [13-14]" for each figure of a corpus's seeds. */
function spreadRow(outcomes: readonly Outcome[]): string[] {
  const all = outcomes.map(figures);
  return cells(
    `**${outcomes[0]!.run.corpus.name}, ${outcomes.length} seeds: median [least-greatest]**`,
    outcomes[0]!.score.labels,
    (i) => {
      const values = all.map((f) => f[i]).filter((v) => v !== null && v !== undefined);
      if (values.length === 0) return "-";
      const { median, low, high } = spread(values);
      return `${median} [${low}-${high}]`;
    },
  );
}

const listed = (a: Brief): string => `  - ${a.opened_at} ${a.severity} ${a.kind}: ${asCode(a.title)}`;

/** What one run missed, named wrong, and raised without need. */
function details({ run, score }: Outcome): string {
  const missed = score.rows.filter((r) => !r.evidenced);
  const wrong = score.rows.filter((r) => r.named_right === false);
  const lines = [
    `- Missed: ${missed.map((r) => `${r.id} ${r.kind}${r.hit ? " (hit, but without evidence)" : ""}`).join("; ") || "none"}.`,
    `- Named wrong: ${wrong.map((r) => `${r.id} ${r.kind}, called ${r.named}`).join("; ") || "none"}.`,
    `- False alarms:${score.false.length === 0 ? " none." : ""}`,
    ...score.false.map(listed),
    `- Alerts within an incident that cite none of its lines:${score.without_evidence.length === 0 ? " none." : ""}`,
    ...score.without_evidence.map(listed),
  ];
  return `### ${nameOf(run)}\n\n${lines.join("\n")}`;
}

/** Our detector on every corpus with three seeds. */
export async function ours(): Promise<Section[]> {
  const runs = corpora().flatMap((corpus) => SEEDS.map((seed) => ({ corpus, seed, without: [] })));
  const outcomes = await measureAll(runs);
  const groups = corpora()
    .reverse()
    .map((corpus) => outcomes.filter((o) => o.run.corpus === corpus));
  const rows = groups.flatMap((group) => [...group.map(rowOf), spreadRow(group)]);
  return [
    { title: "Ours", text: `${missingNote()}${table([HEAD, ...rows])}` },
    { title: "Run by run", text: groups.flat().map(details).join("\n\n") },
  ];
}
