// What the back-test finds on composed servers: npm run eval:composed [-- NAME...] [--only-known]. Prints Markdown.
// Nothing of the detector was or may be tuned on them. Labels are read by the scoring alone.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Material } from "../src/compose/material.ts";
import { ROOT, type Score, scored } from "./accuracy/corpus.ts";
import { writeLog } from "./compose.ts";
import { loadMaterial, type Site } from "./episodes.ts";
import { type Preset, TRAIN_DAYS } from "./preset-plan.ts";
import { PRESETS } from "./presets.ts";

const SEED = "1";
const BUDGET = "2/day";
const DAY = 86_400_000;

type Outcome = {
  readonly preset: Preset;
  readonly lines: number;
  readonly leftOut: number;
  readonly score: Score;
};

/** Composes, watches and scores one server. */
function measure(preset: Preset, material: Material, folder: string, onlyKnown: boolean): Outcome {
  const { plan } = preset;
  const end = Date.parse(plan.start) + plan.days * DAY;
  const until = Date.parse(plan.start) + TRAIN_DAYS * DAY;
  const log = join(folder, `${preset.name}.log`);
  const { labels, lines, leftOut } = writeLog(plan, material, log, onlyKnown ? until : undefined);
  const labelFile = join(folder, "labels.json");
  const alertFile = join(folder, "alerts.ndjson");
  writeFileSync(labelFile, JSON.stringify(labels));
  const out = openSync(alertFile, "w");
  const flags = ["--train-until", new Date(until).toISOString(), "--timezone", plan.server.zone];
  const year = String(new Date(plan.start).getUTCFullYear());
  const backtest = spawnSync(
    process.execPath,
    [
      "bin/logvane.js",
      "backtest",
      log,
      ...flags,
      "--year",
      year,
      "--seed",
      SEED,
      "--alert-budget",
      BUDGET,
      "--format",
      "ndjson",
      "--quiet",
    ],
    { cwd: ROOT, stdio: ["ignore", out, "inherit"] },
  );
  closeSync(out);
  if (backtest.status !== 0) throw new Error(`backtest of ${preset.name} ended with ${backtest.status}`);
  const corpus = { labels: labelFile, trainUntil: new Date(until).toISOString() };
  const score = scored(alertFile, corpus, new Date(end).toISOString());
  rmSync(log);
  return { preset, lines, leftOut, score };
}

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;

function median(values: number[]): number | string {
  if (values.length === 0) return "-";
  return values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}

function serverRow({ preset, lines, leftOut, score }: Outcome): string {
  const judged = score.rows.filter((r) => r.named_right !== null);
  return row([
    preset.name,
    preset.what,
    lines,
    leftOut,
    `${score.evidenced} of ${score.labels}`,
    score.alerts,
    `${score.false_alarms} (${(score.false_alarms / score.days).toFixed(2)})`,
    score.unevidenced,
    score.median_minutes ?? "-",
    `${judged.filter((r) => r.named_right === true).length} of ${judged.length}`,
  ]);
}

/** A row for each kind of fault, over all servers. */
function kindRows(outcomes: readonly Outcome[]): string[] {
  const byKind = new Map<string, { all: number; hit: number; minutes: number[]; servers: string[] }>();
  for (const { preset, score } of outcomes)
    for (const { kind, evidenced, hit, minutes } of score.rows) {
      const found = byKind.get(kind) ?? { all: 0, hit: 0, minutes: [], servers: [] };
      byKind.set(kind, found);
      found.all++;
      if (evidenced) found.hit++;
      else found.servers.push(hit ? `${preset.name} (without evidence)` : preset.name);
      if (minutes !== null) found.minutes.push(minutes);
    }
  const sorted = [...byKind].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return sorted.map(([kind, { all, hit, minutes, servers }]) =>
    row([kind, `${hit} of ${all}`, median(minutes), servers.join(", ") || "-"]),
  );
}

function report(outcomes: readonly Outcome[], source: string): string {
  const sum = (of: (o: Outcome) => number): number => outcomes.reduce((total, o) => total + of(o), 0);
  const minutes = outcomes.flatMap(({ score }) => score.rows.map((r) => r.minutes).filter((m) => m !== null));
  return [
    `Composed from ${source}; ${TRAIN_DAYS} days learned, ${BUDGET}, seed ${SEED}; ${cpus().length} cores ${cpus()[0]?.model.trim() ?? ""}, Node ${process.version}.`,
    "",
    "| server | what | lines | left out | evidenced | alerts | false alarms (a day) | without evidence | median minutes | kinds right |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...outcomes.map(serverRow),
    "",
    `All servers: ${sum((o) => o.score.evidenced)} of ${sum((o) => o.score.labels)} evidenced, ${sum((o) => o.score.false_alarms)} false alarms in ${sum((o) => o.score.days)} days, median ${median(minutes)} minutes.`,
    "",
    "| kind | evidenced | median minutes | missed on |",
    "|---|---|---|---|",
    ...kindRows(outcomes),
    "",
    "False alarms:",
    "",
    ...outcomes.flatMap(({ preset, score }) =>
      score.false.map(
        (a) =>
          `- ${preset.name} ${a.opened_at} ${a.kind}: \`${a.title.replace(/[`|\p{Cc}]/gu, " ").slice(0, 140)}\``,
      ),
    ),
    "",
  ].join("\n");
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "only-known": { type: "boolean", default: false } },
});
const chosen = PRESETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const sites = new Map<Site, ReturnType<typeof loadMaterial>>();
const folder = mkdtempSync(join(tmpdir(), "logvane-composed-"));
const outcomes: Outcome[] = [];
for (const preset of chosen) {
  const site = preset.site ?? "first";
  const loaded = sites.get(site) ?? loadMaterial(site);
  sites.set(site, loaded);
  const outcome = measure(preset, loaded.material, folder, values["only-known"]);
  outcomes.push(outcome);
  const { evidenced, labels, false_alarms } = outcome.score;
  process.stderr.write(`${preset.name}: ${evidenced} of ${labels}, ${false_alarms} false alarms\n`);
}
rmSync(folder, { recursive: true });
process.stdout.write(report(outcomes, [...sites.values()].map(({ source }) => source).join(" and ")));
