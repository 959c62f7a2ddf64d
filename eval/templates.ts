// Grouping accuracy of the templates on loghub's 2k samples, one configuration for all: npm run eval:templates
// An argument names a system whose mistakes are shown. The exit code is 1 when a goal is missed.
// A line counts as right when the lines of its group are exactly the lines of its true event (Zhu et al. 2019).
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Catalogue } from "../src/template/catalogue.ts";

/**
 * Published figures: settings and regular expressions tuned for each system (the README of each parser in logpai/logparser).
 * Ours are of one configuration for all.
 */
const PUBLISHED: Readonly<Record<"Drain" | "Brain", Readonly<Record<string, number>>>> = {
  Drain: {
    Apache: 1,
    BGL: 0.963,
    HDFS: 0.998,
    HPC: 0.887,
    Linux: 0.69,
    Mac: 0.786,
    OpenSSH: 0.787,
    OpenStack: 0.733,
    Spark: 0.92,
    Windows: 0.997,
  },
  Brain: {
    Apache: 1,
    BGL: 0.986,
    HDFS: 0.998,
    HPC: 0.945,
    Linux: 0.996,
    Mac: 0.942,
    OpenSSH: 1,
    OpenStack: 1,
    Spark: 0.998,
    Windows: 0.997,
  },
};
/** What the mean over all systems, and the worst of them, must reach. */
const GOAL = { mean: 0.88, least: 0.6 };
/** Of the records of one sample. */
const MAX_OUTPUT = 64 << 20;

/** Rows of a CSV file; quotes as in RFC 4180. */
function csv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted && c === '"' && text[i + 1] === '"') cell += text[i++];
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === "," || c === "\n")) {
      row.push(cell.replace(/\r$/, ""));
      cell = "";
      if (c === "\n") {
        rows.push(row);
        row = [];
      }
    } else cell += c;
  }
  if (cell !== "" || row.length > 0) rows.push([...row, cell]);
  return rows;
}

/** Share of lines whose group has exactly the lines of their true event. */
function groupingAccuracy(groups: readonly string[], truth: readonly string[]): number {
  const size = (ids: readonly string[]): Map<string, number> => {
    const out = new Map<string, number>();
    for (const id of ids) out.set(id, (out.get(id) ?? 0) + 1);
    return out;
  };
  const pairs = groups.map((group, i) => `${group}\0${truth[i]!}`);
  const [ofGroup, ofTruth, ofPair] = [size(groups), size(truth), size(pairs)];
  let right = 0;
  for (let i = 0; i < groups.length; i++) {
    const n = ofPair.get(pairs[i]!)!;
    if (n === ofGroup.get(groups[i]!) && n === ofTruth.get(truth[i]!)) right++;
  }
  return right / groups.length;
}

/** Group ids of messages, by the catalogue itself. */
function groupsOf(messages: readonly string[]): string[] {
  const catalogue = new Catalogue(1);
  const shapes = messages.map((message) => catalogue.add(message));
  catalogue.settle();
  return shapes.map((shape) => catalogue.groupOf(shape).id);
}

/** The same by the command: one record for every line. */
function groupsByCommand(messages: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "logvane-eval-"));
  try {
    const file = join(folder, "messages.log");
    writeFileSync(file, messages.map((message) => `${message}\n`).join(""));
    const args = ["bin/logvane.js", "templates", file, "--raw", "--format", "ndjson"];
    const out = execFileSync(process.execPath, args, { encoding: "utf8", maxBuffer: MAX_OUTPUT });
    const records = out.trimEnd().split("\n");
    return records.map((record) => (JSON.parse(record) as { template_id: string }).template_id);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Messages and true event ids of one system's sample. */
function sampleOf(root: string, system: string): { messages: string[]; truth: string[] } {
  const rows = csv(readFileSync(join(root, system, `${system}_2k.log_structured.csv`), "utf8"));
  const column = (name: string): string[] => {
    const at = rows[0]!.indexOf(name);
    return rows.slice(1).map((row) => row[at]!);
  };
  return { messages: column("Content"), truth: column("EventId") };
}

/** Prints true events that fell apart and groups that hold several, to see why an accuracy is what it is. */
function printMistakes(
  messages: readonly string[],
  groups: readonly string[],
  truth: readonly string[],
): void {
  for (const [title, keys, values] of [
    ["split", truth, groups],
    ["merged", groups, truth],
  ] as const) {
    const seen = new Map<string, Map<string, string>>();
    for (const [i, key] of keys.entries()) {
      const examples = seen.get(key) ?? new Map<string, string>();
      seen.set(key, examples.set(values[i]!, messages[i]!));
    }
    for (const examples of seen.values())
      if (examples.size > 1)
        process.stdout.write(
          `${title}:\n${[...examples.values()].map((m) => `    ${JSON.stringify(m)}\n`).join("")}`,
        );
  }
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Prints the table; `verbose` names a system whose mistakes are shown too. True when all goals are met. */
function evaluate(root: string, verbose: string | undefined): boolean {
  process.stdout.write("system      ours   Drain  Brain  groups (true)\n");
  const rows: number[][] = [];
  let agree = true;
  for (const { name } of readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const { messages, truth } = sampleOf(root, name);
    const groups = groupsByCommand(messages);
    if (!isDeepStrictEqual(groups, groupsOf(messages))) {
      process.stdout.write(`${name}: the command groups otherwise than the catalogue\n`);
      agree = false;
    }
    const accuracy = groupingAccuracy(groups, truth);
    rows.push([accuracy, ...Object.values(PUBLISHED).map((figures) => figures[name] ?? Number.NaN)]);
    printRow(name, rows.at(-1)!, `${new Set(groups).size} (${new Set(truth).size})`);
    if (verbose === name) printMistakes(messages, groups, truth);
  }
  const columns = rows[0]!.map((_, i) => rows.map((row) => row[i]!));
  const [means, leasts] = [columns.map(mean), columns.map((column) => Math.min(...column))];
  printRow("mean", means, `at least ${GOAL.mean}`);
  printRow("least", leasts, `at least ${GOAL.least}`);
  return agree && means[0]! >= GOAL.mean && leasts[0]! >= GOAL.least;
}

function printRow(name: string, figures: readonly number[], rest: string): void {
  const cells = figures.map((figure) => figure.toFixed(3)).join("  ");
  process.stdout.write(`${name.padEnd(10)}  ${cells}  ${rest}\n`);
}

const root = join(process.env.LOGVANE_DATA ?? "../shared/data", "public", "loghub-2k");
if (existsSync(root)) {
  if (!evaluate(root, process.argv[2])) process.exitCode = 1;
} else {
  process.stderr.write(`no data at ${root}: set LOGVANE_DATA\n`);
  process.exitCode = 66;
}
