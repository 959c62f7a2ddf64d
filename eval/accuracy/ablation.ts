import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Section, table } from "../../bench/table.ts";
import { readLines, writeWithoutNew } from "../baselines/lines.ts";
import { type BaselineRow, baselineRows } from "../baselines/rows.ts";
import { type Corpus, corpora, missingNote } from "./corpus.ts";
import { measureAll, type Run } from "./runs.ts";

const SEED = 1;
const CUTS: readonly { readonly name: string; readonly cut: Partial<Run> }[] = [
  { name: "whole detector", cut: {} },
  ...["window", "transaction", "entity", "novelty", "absence"].map((view) => ({
    name: `without ${view}`,
    cut: { without: [view] },
  })),
  { name: "without novelty and absence", cut: { without: ["novelty", "absence"] } },
  { name: "window view by the hour alone, without its network", cut: { timeOnly: true } },
];

const HEAD = [
  "log",
  "what runs",
  "evidenced",
  "alerts",
  "false alarms",
  "without evidence",
  "median minutes",
  "missed",
];

function rowOf(corpus: Corpus, name: string, score: BaselineRow["score"]): string[] {
  const missed = score.rows.filter((r) => !r.evidenced).map((r) => r.id.replace(/^.*-/, ""));
  return [
    corpus.name,
    name,
    `${score.evidenced} of ${score.labels}`,
    ...[score.alerts, score.false_alarms, score.unevidenced, score.median_minutes ?? "-"].map(String),
    missed.join(", ") || "-",
  ];
}

/** Incidents of which a line is left, or that never had one. */
function stillVisible(corpus: Corpus, removed: ReadonlySet<number>): string {
  const labels = JSON.parse(readFileSync(corpus.labels, "utf8")) as {
    start: string;
    affected: [number, number][];
  }[];
  const after = labels.filter((l) => Date.parse(l.start) >= Date.parse(corpus.trainUntil));
  const left = after.filter(
    ({ affected }) =>
      affected.length === 0 ||
      affected.some(([a, b]) =>
        Array.from({ length: b - a + 1 }, (_, i) => a + i).some((n) => !removed.has(n)),
      ),
  );
  return `${corpus.name}: ${removed.size} lines, after which ${left.length} of ${after.length} incidents still have a line of their own or never had one`;
}

/** What the table says, in words that follow from its figures. found: incidents evidenced, by log, of the whole and then of each cut. */
function reading(found: readonly (readonly number[])[]): string {
  const idle = CUTS.filter((_, i) => i > 0 && found.every((log) => log[i]! >= log[0]!)).map((c) => c.name);
  return `Without loss of an incident on any log: ${idle.join("; ") || "nothing"}. What these parts are for, these logs do not show.`;
}

/** How many more ours finds on the altered log than the baseline that finds most, which is chosen with the labels in hand. */
function gainOf(corpus: Corpus, ours: number, rivals: readonly BaselineRow[]): string {
  const most = Math.max(...rivals.map(({ score }) => score.evidenced));
  const names = rivals.filter(({ score }) => score.evidenced === most).map(({ name }) => name);
  return `${corpus.name}: ${ours} by ours, ${most} by the baseline that finds most (${names.join("; ")})`;
}

/** Our detector with parts left out, and on logs that hold nothing new. */
export async function ablation(): Promise<Section[]> {
  const folder = mkdtempSync(join(tmpdir(), "logvane-altered-"));
  const altered: { corpus: Corpus; log: string; said: string; rivals: readonly BaselineRow[] }[] = [];
  for (const corpus of corpora()) {
    const log = join(folder, `${corpus.name}.log`);
    const removed = writeWithoutNew(corpus.log, await readLines(corpus), log);
    const rivals = baselineRows({ ...corpus, log }, await readLines({ ...corpus, log }), false);
    altered.push({ corpus, log, said: stillVisible(corpus, removed), rivals });
  }
  const runs: Run[] = corpora().flatMap((corpus) => [
    ...CUTS.map(({ cut }) => ({ corpus, seed: SEED, without: [], ...cut })),
    { corpus, seed: SEED, without: [], log: altered.find((a) => a.corpus === corpus)!.log },
  ]);
  const outcomes = await measureAll(runs);
  rmSync(folder, { recursive: true });
  const rows: string[][] = [];
  const found: number[][] = [];
  const gains: string[] = [];
  for (const { corpus, rivals } of [...altered].reverse()) {
    const own = outcomes.filter((o) => o.run.corpus === corpus);
    found.push(own.slice(0, CUTS.length).map((o) => o.score.evidenced));
    for (const [i, { name }] of CUTS.entries()) rows.push(rowOf(corpus, name, own[i]!.score));
    rows.push(rowOf(corpus, "whole detector, nothing new in the log", own[CUTS.length]!.score));
    for (const { name, score } of rivals) rows.push(rowOf(corpus, `nothing new in the log: ${name}`, score));
    gains.push(gainOf(corpus, own[CUTS.length]!.score.evidenced, rivals));
  }
  const text = `${missingNote()}Seed ${SEED}, one part left out at a time. *Hour alone* keeps the window view's counts and lines, but what it expects comes
from the time of day alone, without the network that knows the other families of columns. *Nothing new in the log* blanks
every line whose template training did not have (${[...altered]
    .reverse()
    .map((a) => a.said)
    .join("; ")}); the baselines on the same log by the rule of their section.

${table([HEAD, ...rows])}

${reading(found)} With nothing new in the log, ${gains.join("; ")}.`;
  return [{ title: "Ablation", text }];
}
