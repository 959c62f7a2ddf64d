// A year of weekly retraining on a composed server: npm run eval:year [-- MODE...] [--months N] [--results DIR] [--page]
// Modes: weekly, forgetful (without memory), never; all three when none is named. poison: attackers who want to be learned, and what is found of attacks afterwards. Prints Markdown; with --page, writes it into docs/accuracy.md. With --results, runs and logs that stand in that folder are not made again.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { loadKernels } from "../src/cli/kernels.ts";
import type { Label } from "../src/compose/labels.ts";
import type { Plan } from "../src/compose/plan.ts";
import { DAY_MS } from "../src/feature/clock.ts";
import { packModel, unpackModel } from "../src/store/model.ts";
import { commandLine, namesOf } from "./command.ts";
import { loadMaterial } from "./episodes.ts";
import { withSection } from "./page.ts";
import { readWeeks, type WeeklyLog, writeWeeks } from "./year/log.ts";
import { monthsBefore, monthsOf } from "./year/months.ts";
import { endOf, firstMonths, MONTHS, START, WATCHED } from "./year/plan.ts";
import { type Attacker, effectOf, POISON_END, poisonPlan } from "./year/poison.ts";
import { attacksOn, type Probed, probe } from "./year/poison-probes.ts";
import { type AttackerRun, type Poisoned, type PoisonRuns, poisonSection } from "./year/poison-words.ts";
import { type Mode, type Run, runYear } from "./year/run.ts";
import { upgraded } from "./year/upgrades.ts";
import { type YearRun, yearSection } from "./year/words.ts";

const MODES: readonly Mode[] = ["weekly", "forgetful", "never"];
const PAGE = "docs/accuracy.md";
const SPAN = { year: new Date(START).getUTCFullYear(), from: WATCHED };

const program = new Command("eval:year")
  .addArgument(namesOf("mode", [...MODES, "poison"]))
  .addOption(
    new Option("--months <n>", "the first ones of the year")
      .choices(Array.from({ length: MONTHS }, (_, m) => String(m + 1)))
      .default(String(MONTHS)),
  )
  .option("--results <folder>", "where runs and logs are kept; those that stand there are not made again")
  .option("--page", "write it into docs/accuracy.md", false);
const { flags, names } = commandLine<{
  readonly months: string;
  readonly results?: string;
  readonly page: boolean;
}>(program);
const count = Number(flags.months);
const wanted: readonly string[] = names.length === 0 ? MODES : names;

/** change: what becomes of a line; see writeWeeks. */
function composed(
  name: string,
  plan: Plan,
  change: (text: string, time: number) => string,
): { folder: string; log: WeeklyLog } {
  const folder = flags.results ? join(flags.results, name) : mkdtempSync(join(tmpdir(), `logvane-${name}-`));
  mkdirSync(folder, { recursive: true });
  const log = readWeeks(folder) ?? writeWeeks(plan, loadMaterial("first").material, folder, change);
  return { folder, log };
}

/** What is known of whole months is what a back-test of a log that ends there would have told: each is kept. */
async function measured(mode: Mode): Promise<YearRun> {
  const kept = (months: number): string | undefined =>
    flags.results && join(flags.results, `${mode}-${months}.json`);
  const known = kept(count);
  if (known && existsSync(known)) return JSON.parse(readFileSync(known, "utf8")) as YearRun;
  const { folder, log } = composed(`year-${count}`, firstMonths(count), upgraded);
  process.stderr.write(`${mode}: ${log.lines} lines in ${log.files.length} files\n`);
  const truth = JSON.parse(readFileSync(log.labels, "utf8")) as Label[];
  const starts = new Map(truth.map(({ id, start }) => [id, Date.parse(start)]));
  const resultOf = (run: Run, months: number): YearRun => ({
    ...{ mode, lines: linesBefore(log, endOf(months)), cpuSeconds: run.cpuSeconds, score: run.score },
    retrainings: run.retrainings.filter(({ at }) => at < endOf(months)),
    months: monthsOf(run.score, starts, months),
  });
  const keep = (result: YearRun): void => {
    const file = kept(result.months.length);
    if (file && !existsSync(file)) writeFileSync(file, `${JSON.stringify(result)}\n`);
  };
  const run = await runYear(log, { ...SPAN, to: endOf(count) }, mode, folder, (soFar, time) => {
    const months = monthsBefore(time);
    if (months > 0) keep(resultOf(soFar, months));
  });
  const result = resultOf(run, count);
  keep(result);
  if (!flags.results) rmSync(folder, { recursive: true });
  return result;
}

const linesBefore = ({ before, lines }: WeeklyLog, time: number): number =>
  [...before.values()][Math.round((time - START) / (7 * DAY_MS))] ?? lines;

/** What `make` returns, once for all runs with the same folder of results. */
async function once<T>(name: string, make: () => Promise<T>): Promise<T> {
  const file = flags.results && join(flags.results, `${name}.json`);
  if (file && existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as T;
  const made = await make();
  if (file) writeFileSync(file, `${JSON.stringify(made)}\n`);
  return made;
}

/** A log with an attacker, what was told in it, and the model that is in use when he stops. */
async function poisoned(attacker: Attacker): Promise<Poisoned & { readonly model: string }> {
  return once(`poison-${attacker}`, async () => {
    const { folder, log } = composed(`poison-${attacker}`, poisonPlan(attacker), (text) => text);
    process.stderr.write(`${attacker}: ${log.lines} lines in ${log.files.length} files\n`);
    let model = "";
    const run = await runYear(
      log,
      { ...SPAN, to: POISON_END },
      "weekly",
      folder,
      (_, __, { model: m, pairs }) => {
        model = Buffer.from(packModel({ model: m, pairs })).toString("base64");
      },
    );
    const effect = effectOf(attacker, run.score, log);
    if (!flags.results) rmSync(folder, { recursive: true });
    return { ...run, ...effect, model };
  });
}

async function poisonRuns(): Promise<PoisonRuns> {
  const twin = await poisoned("nobody");
  const { folder, log } = composed("poison-nobody", poisonPlan("nobody"), (text) => text);
  const { material } = loadMaterial("first");
  const files = log.files.slice(-2); // the eighth week's and the days after it
  const attackers: AttackerRun[] = [];
  for (const attacker of ["ramp", "flood"] as const) {
    const run = await poisoned(attacker);
    const attacks = await attacksOn(files, attacker, material);
    const found = (by: string, model: string): Promise<Probed[]> =>
      once(`poison-${attacker}-found-by-${by}`, () => {
        const bytes = Buffer.from(model, "base64");
        return probe(files, unpackModel(bytes, loadKernels(), by), attacks);
      });
    attackers.push({ run, own: await found(attacker, run.model), twins: await found("nobody", twin.model) });
  }
  if (!flags.results) rmSync(folder, { recursive: true });
  return { twin, attackers };
}

const machine = `${cpus().length} cores ${cpus()[0]?.model.trim() ?? ""}, Node ${process.version}.`;
const sections: Record<string, string> = {};
const years: YearRun[] = [];
for (const mode of MODES) if (wanted.includes(mode)) years.push(await measured(mode));
if (years.length > 0) sections["eval:year"] = yearSection(years, machine);
if (wanted.includes("poison")) sections["eval:year poison"] = poisonSection(await poisonRuns(), machine);
for (const [name, text] of Object.entries(sections))
  if (flags.page) writeFileSync(PAGE, withSection(readFileSync(PAGE, "utf8"), name, text));
  else process.stdout.write(`${text}\n\n`);
