// Grouping accuracy of the templates on loghub's 2k samples, one configuration for all: node dist/eval/templates.js
// A line counts as right when the lines of its group are exactly the lines of its true event (Zhu et al. 2019).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Catalogue } from "../src/template/catalogue.ts";

/** logparser with settings tuned per data set, run on the same samples; figures from the hot-path study of November 2026. */
const DRAIN: Readonly<Record<string, number>> = {
  Apache: 1,
  BGL: 0.963,
  HDFS: 0.998,
  HPC: 0.887,
  Linux: 0.69,
  Mac: 0.787,
  OpenSSH: 0.788,
  OpenStack: 0.733,
  Spark: 0.92,
  Windows: 0.997,
};
const BRAIN: Readonly<Record<string, number>> = {
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
};

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

/** Group ids of messages, as `templates --raw` gives them. */
function groupsOf(messages: readonly string[]): string[] {
  const catalogue = new Catalogue(1);
  const shapes = messages.map((message) => catalogue.add(message));
  catalogue.settle();
  return shapes.map((shape) => catalogue.groupOf(shape).id);
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

/** Prints the table; `verbose` names a system whose mistakes are shown too. */
function evaluate(root: string, verbose: string | undefined): void {
  process.stdout.write("system      ours   Drain  Brain  groups (true)\n");
  const accuracies: number[] = [];
  for (const { name } of readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const { messages, truth } = sampleOf(root, name);
    const groups = groupsOf(messages);
    const accuracy = groupingAccuracy(groups, truth);
    accuracies.push(accuracy);
    const figures = [accuracy, DRAIN[name] ?? Number.NaN, BRAIN[name] ?? Number.NaN];
    const row = figures.map((figure) => figure.toFixed(3)).join("  ");
    process.stdout.write(`${name.padEnd(10)}  ${row}  ${new Set(groups).size} (${new Set(truth).size})\n`);
    if (verbose === name) printMistakes(messages, groups, truth);
  }
  const mean = accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length;
  process.stdout.write(`mean ${mean.toFixed(3)}, least ${Math.min(...accuracies).toFixed(3)}\n`);
}

const root = join(process.env.LOGVANE_DATA ?? "../shared/data", "public", "loghub-2k");
if (existsSync(root)) evaluate(root, process.argv[2]);
else {
  process.stderr.write(`no data at ${root}: set LOGVANE_DATA\n`);
  process.exitCode = 66;
}
