import { execFileSync } from "node:child_process";
import { existsSync, rmSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { cachedLog } from "./generate.ts";
import { type Cost, installed, measure } from "./process.ts";
import { digits, type Section, show, spread, table } from "./table.ts";

/** 1.2 M lines are about 200 MB. Fewer make a quick try, whose start-up then weighs more. */
const LINES = Number(process.env["LOGVANE_BENCH_LINES"] ?? 1_200_000);
const ROUNDS = Number(process.env["LOGVANE_BENCH_ROUNDS"] ?? 5);
const SEED = 1;
/** Logs whose reading shows how memory grows: 1 M and 10 M lines. */
const MEMORY_LINES = [LINES / 1.2, LINES / 0.12].map(Math.round);
/** Lines that Drain3 reads: some seconds of work. */
const DRAIN3_LINES = Math.min(LINES, 100_000);
/** Drain3's rate, masks on, in terms of pflogsumm's (21 k against 345 k lines per CPU second, November 2026). */
const DRAIN3_OF_PFLOGSUMM = 0.06;
/** A larger log is read from a pipe when the disk has not twice its size left. */
const BYTES_PER_LINE = 165;

const OWN = '"$NODE" bin/logvane.js';
const ZONE = "--timezone UTC";
/** In the order of a round: what is compared stands side by side, since this machine's speed may change within seconds. */
const COMMANDS = {
  parse: `${OWN} parse --stats --format json ${ZONE} "$LOG"`,
  pflogsumm: 'pflogsumm "$LOG"',
  parse3339: `${OWN} parse --stats --format json ${ZONE} "$LOG3339"`,
  lnav: "lnav -n -c ';SELECT count(*) FROM syslog_log' \"$LOG\"",
  parseGz: `${OWN} parse --stats --format json ${ZONE} "$GZ"`,
  pflogsummGz: 'zcat "$GZ" | pflogsumm',
  summary: `${OWN} summary --format json ${ZONE} "$LOG"`,
  pflogsummSmtpd: 'pflogsumm --smtpd-stats "$LOG"',
  templates: `${OWN} templates --format json "$LOG"`,
  drain3: `/usr/bin/python3 bench/peers/drain3.py "$LOG" ${DRAIN3_LINES}`,
  lines: 'wc -l "$LOG"',
  search: 'grep -c status=sent "$LOG" | cat', // with its output thrown away it would stop at the first match
} as const;
type Name = keyof typeof COMMANDS;

const NAMES: Readonly<Record<Name, string>> = {
  parse: "`parse --stats`",
  parseGz: "`parse --stats`, from gz",
  parse3339: "`parse --stats`, RFC 3339 heads",
  summary: "`summary --format json`",
  templates: "`templates --format json`",
  pflogsumm: "pflogsumm",
  pflogsummSmtpd: "pflogsumm --smtpd-stats",
  pflogsummGz: "zcat \\| pflogsumm",
  drain3: `Drain3 with masks, ${DRAIN3_LINES} lines`,
  lnav: "lnav, counts the rows of its index",
  lines: "wc -l",
  search: "grep -c status=sent",
};

/** Programs that a command needs, apart from our own. */
const NEEDS: Partial<Record<Name, string>> = {
  pflogsumm: "pflogsumm",
  pflogsummSmtpd: "pflogsumm",
  pflogsummGz: "pflogsumm",
  lnav: "lnav",
};

/** Costs of each command that could run, one a round. */
type Measured = Partial<Record<Name, Cost[]>>;

/** Two commands whose CPU times are compared, and the ratio that ours must not exceed. */
type Goal = { readonly own: Name; readonly peer: Name; readonly most: number | undefined };
const GOALS: readonly Goal[] = [
  { own: "parse", peer: "pflogsumm", most: 0.35 },
  { own: "parse", peer: "pflogsummSmtpd", most: undefined },
  { own: "summary", peer: "pflogsummSmtpd", most: 0.6 },
  { own: "parseGz", peer: "pflogsummGz", most: 0.4 },
  { own: "parse", peer: "lnav", most: undefined },
  { own: "parse3339", peer: "parse", most: undefined },
];
const TEMPLATES_GOAL = 0.05;
const MEMORY_GOAL = 150e6;
/** Memory counts as flat when ten times the lines take at most so much more. */
const FLAT = 1.15;

function canRun(name: Name): boolean {
  if (name === "drain3") return existsSync(`${process.env["DRAIN3_DIR"] ?? ""}/examples/drain3.ini`);
  const program = NEEDS[name];
  return program === undefined || installed(program);
}

/** All commands in turn, so that a disturbance of the machine meets neighbours of one round alike. */
function rounds(variables: Readonly<Record<string, string>>): Measured {
  const measured: Measured = {};
  const names = (Object.keys(COMMANDS) as Name[]).filter(canRun);
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      const cost = measure(COMMANDS[name], variables);
      measured[name] = [...(measured[name] ?? []), cost];
      process.stderr.write(`round ${round + 1} of ${ROUNDS}: ${name} ${cost.cpu.toFixed(2)} s\n`);
    }
  }
  return measured;
}

function costTable(measured: Measured, megabytes: number): string {
  const row = (name: Name): string[] => {
    const costs = measured[name];
    if (costs === undefined) return [NAMES[name], "not installed", "", "", "", ""];
    const lines = name === "drain3" ? DRAIN3_LINES : LINES;
    const size = name === "drain3" ? (megabytes * DRAIN3_LINES) / LINES : megabytes;
    const cpu = spread(costs.map((c) => c.cpu));
    const peak =
      costs[0]!.peak === undefined ? "-" : String(Math.round(spread(costs.map((c) => c.peak!)).median / 1e6));
    return [
      NAMES[name],
      show(cpu),
      show(spread(costs.map((c) => c.wall))),
      `${Math.round(lines / cpu.median / 1000)}k`,
      digits(size / cpu.median),
      peak,
    ];
  };
  const head = ["whole process, one core", "CPU s", "wall s", "lines per CPU-s", "MB per CPU-s", "peak MB"];
  return table([head, ...(Object.keys(COMMANDS) as Name[]).map(row)]);
}

const verdict = (ratio: number, most: number | undefined): string =>
  most === undefined ? "" : `at most ${most}: ${ratio <= most ? "held" : "**missed**"}`;

/** Ratios of CPU times, pair by pair within a round. */
function ratios(own: readonly Cost[], peer: readonly Cost[], scale = 1): number[] {
  return own.map((cost, i) => (scale * cost.cpu) / peer[i]!.cpu);
}

function goalTable(measured: Measured): string {
  const rows = GOALS.map(({ own, peer, most }): string[] => {
    const costs = measured[peer];
    if (costs === undefined) return [NAMES[own], NAMES[peer], "not installed", ""];
    const ratio = spread(ratios(measured[own]!, costs));
    return [NAMES[own], NAMES[peer], show(ratio), verdict(ratio.median, most)];
  });
  return table([["ours", "peer", "ratio of CPU times", "goal"], ...rows, templatesRow(measured)]);
}

/** Against Drain3 itself where there is a checkout, else against what its ratio to pflogsumm says. */
function templatesRow({ templates, drain3, pflogsumm }: Measured): string[] {
  if (drain3 !== undefined) {
    const ratio = spread(ratios(templates!, drain3, DRAIN3_LINES / LINES));
    return [NAMES.templates, NAMES.drain3, show(ratio), verdict(ratio.median, TEMPLATES_GOAL)];
  }
  const name = `Drain3, derived: ${DRAIN3_OF_PFLOGSUMM} of pflogsumm's rate (DRAIN3_DIR names no checkout)`;
  if (pflogsumm === undefined) return [NAMES.templates, name, "not installed", ""];
  const ratio = spread(ratios(templates!, pflogsumm, DRAIN3_OF_PFLOGSUMM));
  return [NAMES.templates, name, show(ratio), verdict(ratio.median, TEMPLATES_GOAL)];
}

/** Where a log of so many lines comes from: a file when there is room for it, else the generator. */
function source(lines: number): { readonly feed: string; readonly log: string } {
  const { bavail, bsize } = statfsSync(tmpdir());
  if (bavail * bsize > 2 * lines * BYTES_PER_LINE)
    return { feed: "", log: cachedLog({ lines, seed: SEED, head: "3164" }) };
  return { feed: `"$NODE" dist/bench/generate.js --lines ${lines} --seed ${SEED} | `, log: "-" };
}

/** Peak memory of the verbs at two sizes of log. */
function memoryTable(): string {
  const verbs = ["parse", "summary", "templates"] as const;
  const peaks = MEMORY_LINES.map((lines) => {
    const { feed, log } = source(lines);
    const measured = verbs.map((name) => {
      const { peak, cpu } = measure(feed + COMMANDS[name], { NODE: process.execPath, LOG: log }, true);
      process.stderr.write(
        `${lines} lines: ${name} ${((peak ?? 0) / 1e6).toFixed(0)} MB, ${cpu.toFixed(1)} s\n`,
      );
      return peak;
    });
    if (log !== "-" && lines > LINES) rmSync(log);
    return measured;
  });
  const rows = verbs.map((name, i): string[] => {
    const [small, large] = peaks.map((p) => p[i]);
    if (small === undefined || large === undefined)
      return [NAMES[name], "GNU time is not installed", "", "", ""];
    const goal = large > MEMORY_GOAL || large > FLAT * small ? "**missed**" : "held";
    return [
      NAMES[name],
      (small / 1e6).toFixed(0),
      (large / 1e6).toFixed(0),
      (large / small).toFixed(2),
      `at most ${MEMORY_GOAL / 1e6} MB and flat: ${goal}`,
    ];
  });
  const head = MEMORY_LINES.map((lines) => `peak MB, ${lines} lines`);
  return table([["", ...head, "ratio", "goal"], ...rows]);
}

function compressed(log: string): string {
  const gz = `${log}.gz`;
  if (!existsSync(gz)) {
    execFileSync("bash", ["-c", 'gzip -6 < "$1" > "$1.gz.part" && mv "$1.gz.part" "$1.gz"', "bash", log]);
  }
  return gz;
}

/** Reading, summing up and finding templates, as whole processes, beside what people run now. */
export function benchParse(): Section {
  const log = cachedLog({ lines: LINES, seed: SEED, head: "3164" });
  const log3339 = cachedLog({ lines: LINES, seed: SEED, head: "3339" });
  const variables = { NODE: process.execPath, LOG: log, GZ: compressed(log), LOG3339: log3339 };
  const megabytes = statSync(log).size / 1e6;
  const measured = rounds(variables);
  const text = `${LINES} lines, ${megabytes.toFixed(0)} MB, made from the sample by \`bench/generate.ts\` (seed ${SEED}). Each command runs as a
whole process pinned to one core, start-up included, ${ROUNDS} rounds in turn; CPU is user + system of all its processes.
Ratios are taken pair by pair within a round. MB are 10^6 bytes.`;
  return {
    title: "Reading a mail log",
    text: [text, goalTable(measured), costTable(measured, megabytes), memoryTable()].join("\n\n"),
  };
}
