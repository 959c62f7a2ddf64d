import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Cost, measure } from "./process.ts";
import { digits, type Section, type Spread, show, spread, table } from "./table.ts";

/** Five weeks of the lab where they are; they are no part of the clone. Else the sample's four weeks, in which start-up weighs more. */
const DEV = resolve(process.env["LOGVANE_DATA"] ?? "../shared/data", "lab/dev/mail.log.gz");
const LOG = existsSync(DEV) ? DEV : "samples/quickstart.log.gz";
const ROUNDS = Number(process.env["LOGVANE_BENCH_ROUNDS"] ?? 3);
/** Share of the lines that the first half of a back-test learns from. */
const PAST = 0.7;
const FLAGS = "--timezone UTC --quiet";
const OWN = '"$NODE" bin/logvane.js';
const COMMANDS = {
  parseAll: `${OWN} parse --stats --timezone UTC "$ALL"`,
  train: `rm -rf "$SCRATCH" && ${OWN} train ${FLAGS} --state "$SCRATCH" "$ALL"`,
  retrain: `rm -rf "$SCRATCH" && cp -r "$STATE" "$SCRATCH" && ${OWN} retrain --no-nice ${FLAGS} --state "$SCRATCH" "$ALL"`,
  parseRest: `${OWN} parse --stats --timezone UTC "$REST"`,
  events: `${OWN} parse --quiet --timezone UTC "$REST"`,
  detect: `${OWN} detect ${FLAGS} --format ndjson --state "$STATE" "$REST"`,
  backtest: `${OWN} backtest ${FLAGS} --format ndjson --train-until "$UNTIL" "$ALL"`,
} as const;
type Name = keyof typeof COMMANDS;
const NAMES: Readonly<Record<Name, string>> = {
  parseAll: "`parse --stats`, all lines",
  train: "`train`, all lines",
  retrain: "`retrain`, all lines, in place of a model of the first ones",
  parseRest: "`parse --stats`, the lines watched",
  events: "`parse`, which writes all that each of the lines watched says",
  detect: "`detect`, the lines watched",
  backtest: "`backtest`, all lines",
};

/** Goals: five weeks learned in at most so many CPU seconds and bytes; scoring adds at most so much to parsing. */
const TRAIN_SECONDS = 120;
const TRAIN_BYTES = 400e6;
const SCORING = 0.6;
/** A weekly retraining, beside parsing: it reads the lines so often. */
const RETRAIN_SECONDS = 60;
const RETRAIN_READS = 3;

/** Learning and watching as whole processes, beside the reading of the same lines. */
export function benchDetect(): Section {
  const folder = mkdtempSync(join(tmpdir(), "logvane-bench-"));
  try {
    return section(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function section(folder: string): Section {
  const { lines, watched, variables } = prepare(folder);
  const measured = {} as Record<Name, Cost[]>;
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of Object.keys(COMMANDS) as Name[]) {
      const cost = measure(COMMANDS[name], variables);
      measured[name] = [...(measured[name] ?? []), cost];
      process.stderr.write(`round ${round + 1} of ${ROUNDS}: ${name} ${cost.cpu.toFixed(2)} s\n`);
    }
  }
  const text = `${lines} lines of ${LOG === DEV ? "the lab's five weeks" : "the sample"}, of which \`detect\` watches the last ${watched}. Each command runs as a whole process pinned to one
core, start-up included, rounds (${ROUNDS}) in turn; CPU is user + system of all its processes. Ratios are taken pair by pair within a round.
MB are 10^6 bytes. A back-test learns ${100 * PAST} % of the lines and watches the rest; the model that \`retrain\` replaces has learned as much.`;
  return {
    title: "Learning and watching",
    text: [text, goals(measured), costs(measured, lines, watched)].join("\n\n"),
  };
}

/** The whole log, what is watched of it, and a model of what lies before; as files in `folder`. */
function prepare(folder: string): {
  lines: number;
  watched: number;
  variables: Readonly<Record<string, string>>;
} {
  const [all, past, rest] = ["all.log", "past.log", "rest.log"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const raw = readFileSync(LOG);
  const bytes = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw;
  const ends: number[] = [];
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) ends.push(at + 1);
  const cut = Math.floor(PAST * ends.length);
  writeFileSync(all, bytes);
  writeFileSync(past, bytes.subarray(0, ends[cut - 1]));
  writeFileSync(rest, bytes.subarray(ends[cut - 1]));
  const state = join(folder, "state");
  const own = (...args: string[]): string =>
    execFileSync(process.execPath, ["bin/logvane.js", ...args], { encoding: "utf8", maxBuffer: 1 << 24 });
  own("train", "--timezone", "UTC", "--quiet", "--state", state, past);
  own("detect", "--timezone", "UTC", "--quiet", "--state", state, rest); // what it tells is left out of the retraining
  const first = own("parse", "--format", "ndjson", "--timezone", "UTC", head(rest, folder));
  const until = (JSON.parse(first.slice(0, first.indexOf("\n"))) as { time: string }).time;
  return {
    lines: ends.length,
    watched: ends.length - cut,
    variables: {
      NODE: process.execPath,
      ALL: all,
      REST: rest,
      STATE: state,
      SCRATCH: join(folder, "scratch"),
      UNTIL: until,
    },
  };
}

/** A file with the first line of another. */
function head(file: string, folder: string): string {
  const bytes = readFileSync(file);
  const first = join(folder, "first.log");
  writeFileSync(first, bytes.subarray(0, bytes.indexOf(10) + 1));
  return first;
}

function goals(measured: Readonly<Record<Name, readonly Cost[]>>): string {
  const verdict = (held: boolean): string => (held ? "held" : "**missed**");
  const ratios = (own: Name, peer: Name): number[] =>
    measured[own].map((cost, i) => cost.cpu / measured[peer][i]!.cpu);
  const seconds = spread(measured.train.map((c) => c.cpu));
  const peaks = measured.train.flatMap((c) => (c.peak === undefined ? [] : [c.peak]));
  const retrain = spread(measured.retrain.map((c, i) => c.cpu - RETRAIN_READS * measured.parseAll[i]!.cpu));
  const added = (peer: Name): Spread => spread(ratios("detect", peer).map((r) => r - 1));
  const rows = [
    [
      "`train`, CPU seconds",
      show(seconds),
      `at most ${TRAIN_SECONDS}: ${verdict(seconds.median <= TRAIN_SECONDS)}`,
    ],
    peaks.length === 0
      ? ["`train`, peak MB", "GNU time is not installed", ""]
      : [
          "`train`, peak MB",
          String(Math.round(Math.max(...peaks) / 1e6)),
          `at most ${TRAIN_BYTES / 1e6}: ${verdict(Math.max(...peaks) <= TRAIN_BYTES)}`,
        ],
    [
      `\`retrain\`, CPU seconds beside parsing (less ${RETRAIN_READS} times \`parse --stats\`)`,
      show(retrain),
      `at most ${RETRAIN_SECONDS}: ${verdict(retrain.median <= RETRAIN_SECONDS)}`,
    ],
    ["`train` to `parse --stats`", show(spread(ratios("train", "parseAll"))), ""],
    [
      "what `detect` adds to `parse --stats`, as a share of it",
      show(added("parseRest")),
      `at most ${SCORING}: ${verdict(added("parseRest").median <= SCORING)}`,
    ],
    ["the same to `parse`, which writes all that each line says", show(added("events")), ""],
    ["`backtest` to `parse --stats`", show(spread(ratios("backtest", "parseAll"))), ""],
  ];
  return table([["", "measured", "goal"], ...rows]);
}

function costs(measured: Readonly<Record<Name, readonly Cost[]>>, lines: number, watched: number): string {
  const row = (name: Name): string[] => {
    const cpu = spread(measured[name].map((c) => c.cpu));
    const peaks = measured[name].flatMap((c) => (c.peak === undefined ? [] : [c.peak]));
    const read = name === "parseRest" || name === "events" || name === "detect" ? watched : lines;
    return [
      NAMES[name],
      show(cpu),
      digits(read / cpu.median),
      peaks.length === 0 ? "-" : String(Math.round(Math.max(...peaks) / 1e6)),
    ];
  };
  const heading = ["whole process, one core", "CPU s", "lines per CPU-s", "peak MB"];
  return table([heading, ...(Object.keys(COMMANDS) as Name[]).map(row)]);
}
