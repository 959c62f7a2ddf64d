import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Corpus, ROOT, type Score, scored, yearOf, zoneOf } from "./corpus.ts";

/** Back-tests at a time; CPU time and memory hardly depend on it. */
const JOBS = 2;

/** One back-test of ours. */
export type Run = {
  readonly corpus: Corpus;
  readonly seed: number;
  /** Views left out. */
  readonly without: readonly string[];
  /** The window view expects by the hour alone, without its network. */
  readonly timeOnly?: boolean;
  /** Alerts a day; the default when absent. */
  readonly budget?: number;
  /** Another log than the corpus's, with the same line numbers. */
  readonly log?: string;
  /** File for every scored row. */
  readonly scores?: string;
};
export type Outcome = {
  readonly run: Run;
  readonly score: Score;
  readonly cpuSeconds: number;
  readonly peakMib: number;
};

/** Writes the child's own CPU time and largest resident size to descriptor 3 when it ends. */
const PROBE = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from "node:fs";
   process.on("exit", () => { const u = process.resourceUsage();
     writeSync(3, JSON.stringify({ cpu: (u.userCPUTime + u.systemCPUTime) / 1e6, rss: u.maxRSS / 1024 })); });`,
)}`;

function commandOf({ corpus, seed, without, timeOnly, budget, log, scores }: Run): string[] {
  const file = log ?? corpus.log;
  const where = ["--timezone", zoneOf(corpus), "--year", String(yearOf(corpus))];
  const common = ["--train-until", corpus.trainUntil, ...where, "--seed", String(seed)];
  if (budget !== undefined) common.push("--alert-budget", String(budget));
  for (const view of without) common.push("--without", view);
  if (timeOnly === true) return ["dist/eval/accuracy/time-only.js", file, ...common];
  return [
    ...["bin/logvane.js", "backtest", file, ...common, "--format", "ndjson", "--quiet"],
    ...(scores === undefined ? [] : ["--scores", scores]),
  ];
}

export const nameOf = ({ corpus, seed, without, timeOnly, budget, log }: Run): string =>
  `${corpus.name}, seed ${seed}` +
  `${budget === undefined ? "" : `, ${budget} a day`}` +
  `${without.length === 0 ? "" : `, without ${without.join(" and ")}`}` +
  `${timeOnly === true ? ", hour alone" : ""}${log === undefined ? "" : ", altered log"}`;

async function measure(run: Run, folder: string, number: number): Promise<Outcome> {
  const alerts = join(folder, `${number}.ndjson`);
  const out = openSync(alerts, "w");
  const command = commandOf(run);
  const child = spawn(process.execPath, ["--import", PROBE, ...command], {
    cwd: ROOT,
    stdio: ["ignore", out, "inherit", "pipe"],
  });
  let usage = "";
  child.stdio[3]!.on("data", (bytes: Buffer) => {
    usage += bytes.toString();
  });
  const code = await new Promise((done) => child.on("close", done));
  closeSync(out);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}`);
  const { cpu, rss } = JSON.parse(usage) as { cpu: number; rss: number };
  const score = scored(alerts, run.corpus);
  process.stderr.write(
    `${nameOf(run)}: ${score.evidenced} of ${score.labels}, ${score.false_alarms} false alarms, ${cpu.toFixed(0)} CPU-s\n`,
  );
  return { run, score, cpuSeconds: cpu, peakMib: rss };
}

/** Outcomes by run: parts that ask for the same run share it. */
const known = new Map<string, Promise<Outcome>>();

function measureOnce(run: Run, folder: string, number: number): Promise<Outcome> {
  const key = JSON.stringify(run);
  const outcome = known.get(key) ?? measure(run, folder, number);
  known.set(key, outcome);
  return outcome;
}

/** Runs them, JOBS at a time, and gives the outcomes in their order. */
export async function measureAll(runs: readonly Run[]): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), "logvane-eval-"));
  const outcomes = new Array<Outcome>(runs.length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < runs.length) {
      const i = next++;
      outcomes[i] = await measureOnce(runs[i]!, folder, i);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
  rmSync(folder, { recursive: true });
  return outcomes;
}
