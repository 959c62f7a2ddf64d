// A year of weekly retraining on a composed server: npm run eval:year [-- MODE...] [--months N] [--results DIR] [--page]
// Modes: weekly, forgetful (without memory), never; all when none is named. Prints Markdown; with --page, writes it into docs/accuracy.md. With --results, runs that stand in that folder are not repeated.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Label } from "../src/compose/labels.ts";
import { loadMaterial } from "./episodes.ts";
import { withSection } from "./page.ts";
import { writeWeeks } from "./year/log.ts";
import { monthsOf } from "./year/months.ts";
import { endOf, firstMonths, MONTHS, START, WATCHED } from "./year/plan.ts";
import { type Mode, runYear } from "./year/run.ts";
import { upgraded } from "./year/upgrades.ts";
import { type YearRun, yearSection } from "./year/words.ts";

const MODES: readonly Mode[] = ["weekly", "forgetful", "never"];
const PAGE = "docs/accuracy.md";
const EX_USAGE = 64;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    months: { type: "string", default: String(MONTHS) },
    results: { type: "string" },
    page: { type: "boolean", default: false },
  },
});
const count = Number(values.months);
const wanted = positionals.length === 0 ? MODES : (positionals as Mode[]);
const stranger = wanted.find((mode) => !MODES.includes(mode));
if (stranger !== undefined) {
  process.stderr.write(`no mode ${stranger}: there are ${MODES.join(", ")}\n`);
  process.exit(EX_USAGE);
}
if (!(count >= 1 && count <= MONTHS)) {
  process.stderr.write(`--months takes 1 to ${MONTHS}\n`);
  process.exit(EX_USAGE);
}

async function measured(mode: Mode): Promise<YearRun> {
  const kept = values.results && join(values.results, `${mode}-${count}.json`);
  if (kept && existsSync(kept)) return JSON.parse(readFileSync(kept, "utf8")) as YearRun;
  const folder = mkdtempSync(join(tmpdir(), "logvane-year-"));
  const log = writeWeeks(firstMonths(count), loadMaterial("first").material, folder, upgraded);
  process.stderr.write(`${mode}: ${log.lines} lines in ${log.files.length} files\n`);
  const truth = JSON.parse(readFileSync(log.labels, "utf8")) as Label[];
  const span = { year: new Date(START).getUTCFullYear(), from: WATCHED, to: endOf(count) };
  const run = await runYear(log, span, mode, folder);
  rmSync(folder, { recursive: true });
  const starts = new Map(truth.map(({ id, start }) => [id, Date.parse(start)]));
  const result: YearRun = { ...run, mode, lines: log.lines, months: monthsOf(run.score, starts, count) };
  if (kept) writeFileSync(kept, `${JSON.stringify(result)}\n`);
  return result;
}

const runs: YearRun[] = [];
for (const mode of wanted) runs.push(await measured(mode));
const machine = `${cpus().length} cores ${cpus()[0]?.model.trim() ?? ""}, Node ${process.version}.`;
const text = yearSection(runs, machine);
if (values.page) writeFileSync(PAGE, withSection(readFileSync(PAGE, "utf8"), "eval:year", text));
else process.stdout.write(`${text}\n`);
