// What a new server is told in its first two weeks, learned anew once a week, or as its history grows, or that with a prior of the other recorded
// site: npm run eval:cold [-- NAME...] [--seeds 1] [--modes weekly,staged,prior]. Prints Markdown; each run's misses and false alarms on standard error.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { table } from "../bench/table.ts";
import { replay } from "../src/cli/replay.ts";
import { alertRecord } from "../src/detect/alert.ts";
import { DAY_MS } from "../src/feature/clock.ts";
import type { Prior } from "../src/pipeline/prior.ts";
import { type Score, scored } from "./accuracy/corpus.ts";
import { type ColdServer, coldPlan, DAYS, PHASES, SERVERS } from "./cold/plans.ts";
import { commandLine, namesOf, wholeNumber } from "./command.ts";
import { writeLog } from "./compose.ts";
import { loadMaterial, type Site } from "./episodes.ts";
import { priorOf } from "./prior/shapes.ts";

const BUDGET = 2;
const WHEN = { weekday: 0, atMinute: 210, days: 35 };
/** Days of log that the first model has: little more than a training asks for. */
const FIRST_DAYS = 1.1;
const MODES = ["weekly", "staged", "prior"];

const program = new Command("eval:cold")
  .addArgument(
    namesOf(
      "server",
      SERVERS.map(({ server }) => server.name),
    ),
  )
  .option("--seeds <n>", "composed logs of each server", "1")
  .option("--modes <list>", "how it is learned, with commas between", MODES.join(","));
const { flags, names } = commandLine<{ readonly seeds: string; readonly modes: string }>(program);

type Logged = {
  readonly cold: ColdServer;
  readonly seed: number;
  readonly folder: string;
  readonly log: string;
};

/** Of the site that the server was not composed of, or it would know all that comes. */
const priors: Readonly<Record<Site, Prior>> = { first: priorOf(["second"]), second: priorOf(["first"]) };

async function scoreOf({ cold, seed, folder, log }: Logged, mode: string): Promise<Score> {
  const { server, start, site } = cold;
  const from = Date.parse(start) + FIRST_DAYS * DAY_MS;
  const began = process.cpuUsage();
  const { alerts, retrainings } = await replay({
    files: [log],
    options: { timezone: server.zone, year: new Date(start).getUTCFullYear() },
    until: { time: from },
    ...{ budget: BUDGET, without: new Set(), seed: 1 },
    prior: mode === "prior" ? priors[site] : undefined,
    weekly: { when: WHEN, unstaged: mode === "weekly", onRetrained: () => {} },
  });
  const { user, system } = process.cpuUsage(began);
  const file = join(folder, "alerts.ndjson");
  const told = alerts.filter(({ held }) => !held);
  writeFileSync(file, told.map((alert) => `${JSON.stringify(alertRecord(alert))}\n`).join(""));
  const iso = (ms: number): string => new Date(ms).toISOString();
  const span = { trainUntil: iso(from), end: iso(Date.parse(start) + DAYS * DAY_MS) };
  const score = scored(file, { name: "", log: "", labels: join(folder, "labels.json"), ...span });
  const promoted = retrainings.filter((one) => one.promoted).length;
  const seconds = Math.round((user + system) / 1e6);
  process.stderr.write(
    `${server.name}, seed ${seed}, ${mode}: ${promoted} of ${retrainings.length} new models came into use, ${seconds} CPU-s\n`,
  );
  for (const f of score.false) process.stderr.write(`   false alarm ${f.opened_at} ${f.kind}: ${f.title}\n`);
  const missed = score.rows.filter(({ evidenced }) => !evidenced).map(({ kind }) => kind);
  process.stderr.write(`   missed: ${missed.join(", ")}\n`);
  return score;
}

type Tally = { found: number; faults: number; falses: number };
const tallies = new Map(
  MODES.map((mode) => [mode, PHASES.map((): Tally => ({ found: 0, faults: 0, falses: 0 }))]),
);

function count(
  score: Score,
  { cold }: Logged,
  starts: ReadonlyMap<string, number>,
  of: readonly Tally[],
): void {
  const phaseOf = (time: number): Tally | undefined => {
    const day = (time - Date.parse(cold.start)) / DAY_MS;
    return of[PHASES.findIndex(([from, to]) => day >= from && day < to)];
  };
  for (const { id, evidenced } of score.rows) {
    const tally = phaseOf(starts.get(id)!)!;
    tally.faults++;
    if (evidenced) tally.found++;
  }
  for (const { opened_at: at } of score.false) {
    const tally = phaseOf(Date.parse(at));
    if (tally) tally.falses++;
  }
}

const seeds = wholeNumber(flags.seeds, "--seeds");
const modes = MODES.filter((mode) => flags.modes.split(",").includes(mode));
for (const cold of SERVERS.filter(({ server: { name } }) => names.length === 0 || names.includes(name)))
  for (let seed = 1; seed <= seeds; seed++) {
    const folder = mkdtempSync(join(tmpdir(), "logvane-cold-"));
    const logged = { cold, seed, folder, log: join(folder, `${cold.server.name}.log`) };
    const { labels } = writeLog(coldPlan(cold, seed), loadMaterial(cold.site).material, logged.log);
    writeFileSync(join(folder, "labels.json"), JSON.stringify(labels));
    const starts = new Map(labels.map(({ id, start }) => [id, Date.parse(start)]));
    for (const mode of modes) count(await scoreOf(logged, mode), logged, starts, tallies.get(mode)!);
    rmSync(folder, { recursive: true });
  }
const cell = ({ found, faults, falses }: Tally): string => `${found} of ${faults}; ${falses}`;
const sum = (all: readonly Tally[]): Tally =>
  all.reduce((a, b) => ({
    found: a.found + b.found,
    faults: a.faults + b.faults,
    falses: a.falses + b.falses,
  }));
process.stdout.write(
  `${table([
    ["found faults; false alarms", ...PHASES.map(([from, to]) => `days ${from} to ${to}`), "all"],
    ...modes.map((mode) => [mode, ...[...tallies.get(mode)!, sum(tallies.get(mode)!)].map(cell)]),
  ])}\n`,
);
