// What the back-test finds on labelled logs, beside what the usual methods find: npm run eval. Writes docs/accuracy.md.
// Arguments name the parts to run; all but the long ones when none. Sections of other parts stay as they are. Labels are read by the scoring alone.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { Section } from "../bench/table.ts";
import { ablation } from "./accuracy/ablation.ts";
import { baselines } from "./accuracy/baselines.ts";
import { calibration } from "./accuracy/calibration.ts";
import { contaminated } from "./accuracy/contaminated.ts";
import { ROOT } from "./accuracy/corpus.ts";
import { ours } from "./accuracy/ours.ts";
import { real } from "./accuracy/real.ts";
import { composed, drawn, servers, transactions } from "./accuracy/servers.ts";
import { surges } from "./accuracy/surges.ts";
import { HEAD, LIMITS } from "./accuracy/words.ts";
import { sectionOf } from "./page.ts";

const PARTS: Readonly<Record<string, () => Promise<Section[]>>> = {
  ours,
  baselines,
  ablation,
  calibration,
  real,
};
/** Parts that take long, and run only when they are named. */
const LONG: Readonly<Record<string, () => Promise<Section[]>>> = {
  servers,
  composed,
  drawn,
  transactions,
  surges,
  contaminated,
};
const ALL = { ...PARTS, ...LONG };
/** Sections in the order of the page. */
const ORDER = [
  "Ours",
  "Baselines",
  "Ablation",
  "Calibration",
  "Real logs of other servers",
  "Composed servers",
  "Servers drawn anew",
  "Baselines on composed servers",
  "Slow and quiet things",
  "Transactions against count rules",
  "Benign surges",
  "Contaminated training",
  LIMITS.title,
  "Run by run",
];
const OUT = join(ROOT, "docs/accuracy.md");
const EX_USAGE = 64;

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: ROOT, encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

const pageText = (): string => (existsSync(OUT) ? readFileSync(OUT, "utf8") : "");
/** What other commands write there, each its own. */
const otherSections = (): string[] =>
  ["eval:year", "eval:year poison", "eval:maintenance", "eval:drift", "eval:public"]
    .map((name) => sectionOf(pageText(), name))
    .filter((section) => section !== "");

/** Sections of the page as it is, by title, each with its title. */
function present(): Map<string, string> {
  const own = otherSections().reduce((page, section) => page.replace(section, ""), pageText());
  const parts = own.split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part.trim()]));
}

const wanted = process.argv.slice(2);
const stranger = wanted.find((name) => ALL[name] === undefined);
if (stranger !== undefined) {
  process.stderr.write(`no part ${stranger}: there are ${Object.keys(ALL).join(", ")}\n`);
  process.exit(EX_USAGE);
}
const machine = `Machine: ${cpus().length} cores ${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.version}, commit ${commit()}.`;
for (const name of wanted.length > 0 ? wanted : Object.keys(PARTS)) {
  const made = await ALL[name]!();
  const sections = present().set(LIMITS.title, `${LIMITS.title}\n\n${LIMITS.text}`);
  for (const { title, text } of made) sections.set(title, `${title}\n\n${machine}\n\n${text}`);
  const known = ORDER.filter((title) => sections.has(title));
  const text = [HEAD, ...known.map((title) => `## ${sections.get(title)}`), ...otherSections()];
  writeFileSync(OUT, `${text.join("\n\n").trimEnd()}\n`);
  process.stderr.write(`written: docs/accuracy.md, ${known.join(", ")}\n`);
}
