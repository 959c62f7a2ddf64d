// What `benign` hides, and what it does not: npm run eval:feedback [-- --seeds N]. Prints Markdown. Labels are read by the counting alone.
import { Command } from "commander";
import { table } from "../bench/table.ts";
import { corpora, missingNote } from "./accuracy/corpus.ts";
import { commandLine, wholeNumber } from "./command.ts";
import type { Site } from "./episodes.ts";
import { composedLog, type Log, recordedLog } from "./feedback/logs.ts";
import { type Outcome, outcomesOf } from "./feedback/outcome.ts";
import { LARGER } from "./feedback/plans.ts";

const SITES: readonly Site[] = ["first", "second"];
const MAILS_PER_DAY = 600;
/** Goals: so much of the repeats is removed, and so much of what is told of other faults may go. */
const REMOVED = 0.95;
const LOST = 0.01;

const program = new Command("eval:feedback")
  .option("--seeds <n>", "composed logs of each site", "1")
  .option("--composed", "leave the recorded logs out", false);
const { flags } = commandLine<{ readonly seeds: string; readonly composed: boolean }>(program);

function* logs(): Generator<Log> {
  if (!flags.composed) for (const corpus of corpora()) yield recordedLog(corpus);
  const seeds = wholeNumber(flags.seeds, "--seeds");
  for (let seed = 1; seed <= seeds; seed++)
    for (const site of SITES) yield composedLog(site, seed, MAILS_PER_DAY);
}

const sum = (all: readonly Outcome[], of: (o: Outcome) => number | boolean): number =>
  all.reduce((n, o) => n + Number(of(o)), 0);
const part = (a: number, b: number): string => (b === 0 ? "-" : `${a} of ${b}`);

function row(name: string, all: readonly Outcome[]): string[] {
  const same = sum(all, (o) => o.same);
  const repeats = sum(all, (o) => o.repeats);
  const left = sum(all, (o) => o.repeatsLeft);
  return [
    name,
    part(same - sum(all, (o) => o.sameLeft), same),
    part(repeats - left, repeats),
    String(sum(all, (o) => o.graver)),
    part(
      sum(all, (o) => o.largeTold),
      sum(all, (o) => o.large),
    ),
    part(
      sum(all, (o) => o.expiredTold),
      sum(all, (o) => o.expired),
    ),
    part(
      sum(all, (o) => o.lost.length),
      sum(all, (o) => o.others),
    ),
  ];
}

function goals(all: readonly Outcome[]): string {
  const due = sum(all, (o) => o.same + o.repeats - o.graver);
  const left = sum(all, (o) => o.sameLeft + o.repeatsLeft - o.graver);
  const lost = sum(all, (o) => o.lost.length) / sum(all, (o) => o.others);
  const verdict = (held: boolean): string => (held ? "held" : "**missed**");
  const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
  return [
    `Alerts removed that were called harmless or repeat such: ${percent(1 - left / due)}, goal at least ${percent(REMOVED)}: ${verdict(1 - left / due >= REMOVED)}.`,
    `Other faults that are told no more: ${percent(lost)}, goal at most ${percent(LOST)}: ${verdict(lost <= LOST)}.`,
  ].join("\n");
}

const HEAD = [
  ...["called harmless", "the same log again: removed", "its second time: removed", "left, and graver"],
  ...[`${LARGER} times as large: told`, "second time, feedback over: told", "other faults: lost"],
];

const all: Outcome[] = [];
const byLog: string[][] = [];
for (const log of logs()) {
  const own = outcomesOf(log);
  all.push(...own);
  byLog.push(row(`*${log.name}*`, own));
  process.stderr.write(`${log.name}: ${own.length} faults called harmless\n`);
}
const kinds = [...new Set(all.map(({ kind }) => kind))].sort();
const rows = kinds.map((kind) =>
  row(
    kind,
    all.filter((o) => o.kind === kind),
  ),
);
const { user, system } = process.cpuUsage();
process.stdout.write(`${missingNote()}${table([HEAD, ...rows, ...byLog, row("**all**", all)])}

${goals(all)}
${((user + system) / 1e6).toFixed(0)} CPU-s.
`);
