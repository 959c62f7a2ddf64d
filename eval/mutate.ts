// Reads many mutated lines and tells what the worst of them costs: npm run eval:mutate -- [--lines N] [--seed S]
// Mutates the sample's lines, and those of the real logs in LOGVANE_DATA (default ../shared/data) where it is there.
// Goes on where it was stopped: the blocks that are done stand in a file in the system's temporary folder.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { gunzipSync } from "node:zlib";
import { Command } from "commander";
import { createRandom } from "../src/math/random.ts";
import { floods, mutated } from "../test/hostile/mutations.ts";
import { Watch } from "../test/hostile/read-line.ts";
import { commandLine, wholeNumber } from "./command.ts";

/** Lines of one seed and one reader. */
const BLOCK = 100_000;
const RECORD_EVERY = 16;
/** Of a large log, so many lines are mutated. */
const CORPUS_LINES = 20_000;
/** Lines that are filled up with each kind of flood, before the blocks. */
const FLOODED = 60;
const WORST_MS = 20;
/** Characters of a line that are printed. */
const SHOWN = 160;
/** The corpus takes a third of it. */
const PEAK_MB = 400;

/** Sums over the blocks that are done. Milliseconds, MB of 10^6 bytes, seconds. */
type State = {
  blocks: number;
  lines: number;
  truncated: number;
  suspects: number;
  /** Lines read otherwise than alone, of one in RECORD_EVERY, and the last of them. */
  planned: number;
  plannedLine: string;
  throws: number;
  worst: number;
  worstLine: string;
  peak: number;
  cpu: number;
};
const FRESH: State = {
  blocks: 0,
  lines: 0,
  truncated: 0,
  suspects: 0,
  planned: 0,
  plannedLine: "",
  throws: 0,
  worst: 0,
  worstLine: "",
  peak: 0,
  cpu: 0,
};

function linesOf(path: string): Buffer[] {
  const raw = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(raw) : raw).toString("latin1");
  const lines = text.split("\n").filter((line) => line !== "" && line.length < 4000);
  const stride = Math.max(1, Math.ceil(lines.length / CORPUS_LINES));
  // The bytes of a copy: a view would keep the whole file.
  return lines.filter((_, i) => i % stride === 0).map((line) => Buffer.from(line, "latin1"));
}

function corpus(): Buffer[] {
  const data = join(process.env["LOGVANE_DATA"] ?? "../shared/data", "maillogs");
  const real = existsSync(data)
    ? readdirSync(data, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !/\.(tsv|md|json)$|truth/.test(entry.name))
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
    : [];
  if (real.length === 0) process.stderr.write(`no real logs at ${data}: the sample's lines alone\n`);
  return ["samples/quickstart.log.gz", ...real].flatMap(linesOf);
}

/** One block: each kind of flood first, then lines mutated by chance. */
function* block(state: State, lines: readonly Buffer[], seed: number): Generator<Buffer> {
  if (state.blocks === 0)
    for (let i = 0; i < lines.length; i += Math.ceil(lines.length / FLOODED)) yield* floods(lines[i]!);
  const random = createRandom(seed * 0x1_0000_0000 + state.blocks);
  for (let i = 0; i < BLOCK; i++) yield mutated(lines, random);
}

function runBlock(state: State, lines: readonly Buffer[], seed: number): void {
  const watch = new Watch(RECORD_EVERY);
  const before = process.cpuUsage();
  try {
    let line: Buffer = Buffer.alloc(0);
    try {
      for (line of block(state, lines, seed)) watch.read(line);
    } catch (error) {
      throw new Error(`at ${JSON.stringify(line.toString("latin1"))}`, { cause: error });
    }
    watch.settle();
  } catch (error) {
    state.throws++; // the reader may be in any state now: on to the next block
    process.stderr.write(`${inspect(error)}\n`);
  }
  const { user, system } = process.cpuUsage(before);
  state.blocks++;
  state.lines += watch.lines;
  state.truncated += watch.truncated;
  state.suspects += watch.suspects;
  state.planned += watch.planned;
  if (watch.planned > 0) state.plannedLine = watch.plannedLine.toString("latin1");
  state.cpu += (user + system) / 1e6;
  state.peak = Math.max(state.peak, (process.resourceUsage().maxRSS * 1024) / 1e6);
  if (watch.worst > state.worst) {
    state.worst = watch.worst;
    state.worstLine = watch.worstLine.toString("latin1");
  }
}

function print(state: State): void {
  const rows: [string, string][] = [
    ["lines", String(state.lines)],
    [
      "lines per CPU second, making and checking them included",
      Math.round(state.lines / state.cpu).toString(),
    ],
    ["throws and broken invariants", String(state.throws)],
    ["cut at the cap", String(state.truncated)],
    ["read again with care", String(state.suspects)],
    [
      `of ${Math.floor(state.lines / RECORD_EVERY)} looked at, taken for another line of their key`,
      String(state.planned),
    ],
    ["the last of them", JSON.stringify(state.plannedLine.slice(0, SHOWN))],
    [`worst cost of a line, ms (at most ${WORST_MS})`, state.worst.toFixed(2)],
    ["that line begins", JSON.stringify(state.worstLine.slice(0, SHOWN))],
    [`peak resident memory, MB (at most ${PEAK_MB})`, state.peak.toFixed(0)],
  ];
  process.stdout.write(rows.map(([name, value]) => `${name}: ${value}\n`).join(""));
}

const program = new Command("eval:mutate")
  .option("--lines <n>", "mutated lines", "10000000")
  .option("--seed <n>", "of the mutations", "1");
const { flags } = commandLine<{ readonly lines: string; readonly seed: string }>(program);
const [wanted, seed] = [wholeNumber(flags.lines, "--lines"), wholeNumber(flags.seed, "--seed")];
const file = join(tmpdir(), `logvane-mutate-${wanted}-${seed}.json`);
const state: State = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as State) : { ...FRESH };
const lines = corpus();
while (state.blocks * BLOCK < wanted) {
  runBlock(state, lines, seed);
  writeFileSync(`${file}.part`, JSON.stringify(state));
  renameSync(`${file}.part`, file);
  process.stderr.write(
    `${state.lines} of ${wanted} lines, worst ${state.worst.toFixed(2)} ms, peak ${state.peak.toFixed(0)} MB\n`,
  );
}
print(state);
rmSync(file, { force: true });
if (state.throws > 0 || state.worst > WORST_MS || state.peak > PEAK_MB) process.exitCode = 1;
