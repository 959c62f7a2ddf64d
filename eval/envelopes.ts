// Lines with and without a readable time, per file of the development corpora: node dist/eval/envelopes.js [--left]
// --left also prints up to five lines of each file that have none. Beside files with fail2ban's truth: how many times agree with it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseEnvelope, readLineStamp } from "../src/log/envelope.ts";
import { newStamp } from "../src/log/stamp.ts";
import { LogClock, YearCounter } from "../src/log/year.ts";
import { Zone } from "../src/log/zone.ts";

/** fail2ban's tests run at this local time in this zone; a line without a year is of the last year that doesn't lie ahead (tests/utils.py, setUpMyTime). */
const FAIL2BAN_NOW = Date.parse("2005-08-14T10:00:00Z");
const FAIL2BAN_ZONE = new Zone("Europe/Zurich");
const UTC = new Zone("UTC");
const SHOWN = 5;

type Truth = { readonly line: number; readonly time?: string };

/** Plain and gzipped logs below a folder, by path; truth and other companions left out. */
function* logsBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* logsBelow(path);
    else if (/\.log(?:\.gz|\.\d+)?$|^journal\.jsonl$/.test(entry.name)) yield path;
  }
}

function linesOf(path: string): string[] {
  const bytes = readFileSync(path);
  const lines = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => line.replace(/\r$/, ""));
}

/** The year of the first line, so that none lies in the future of `now`. */
function yearOf(lines: readonly string[], now: number, zone: Zone): number | undefined {
  const counter = new YearCounter();
  const stamp = newStamp();
  for (const line of lines) if (readLineStamp(line, stamp)) counter.add(stamp);
  return counter.infer(now, zone);
}

/** How many of fail2ban's times ours agree with to the second, each line by itself as fail2ban reads it; and those that don't. */
function compare(
  lines: readonly string[],
  truth: readonly Truth[],
): { right: number; of: number; wrong: string[] } {
  let right = 0;
  let of = 0;
  const wrong: string[] = [];
  for (const { line, time } of truth) {
    const text = lines[line - 1];
    if (time === undefined || text === undefined) continue;
    of++;
    const clock = new LogClock(FAIL2BAN_ZONE, yearOf([text], FAIL2BAN_NOW, FAIL2BAN_ZONE));
    const ours = parseEnvelope(text, clock).time;
    const local =
      ours === null ? "none" : new Date(ours + FAIL2BAN_ZONE.offsetAt(ours)).toISOString().slice(0, 19);
    if (local === time.slice(0, 19)) right++;
    else wrong.push(`${time} ours ${local}: ${text}`);
  }
  return { right, of, wrong };
}

const truthOf = (path: string): Truth[] | undefined => {
  const file = path.replace(/\.log$/, ".truth.jsonl");
  if (!path.includes("fail2ban") || !existsSync(file)) return undefined;
  return linesOf(file).map((line) => JSON.parse(line) as Truth);
};

function evaluate(root: string, left: boolean): void {
  process.stdout.write("   lines     timed  without  file\n");
  const sum = { lines: 0, timed: 0, right: 0, of: 0 };
  const row = (lines: number, timed: number, file: string): void => {
    process.stdout.write(
      `${String(lines).padStart(8)}  ${String(timed).padStart(8)}  ${String(lines - timed).padStart(7)}  ${file}\n`,
    );
  };
  const show = (texts: readonly string[]): void => {
    if (left)
      for (const text of texts.slice(0, SHOWN))
        process.stdout.write(`${" ".repeat(29)}${JSON.stringify(text).slice(0, 160)}\n`);
  };
  for (const folder of ["lab", "maillogs", "public"]) {
    for (const path of logsBelow(join(root, folder))) {
      const lines = linesOf(path);
      const clock = new LogClock(UTC, yearOf(lines, Date.now(), UTC));
      const without = lines.filter((line) => parseEnvelope(line, clock).time === null);
      const truth = truthOf(path);
      const found = truth === undefined ? undefined : compare(lines, truth);
      const note =
        found === undefined || found.of === 0 ? "" : `  (fail2ban agrees on ${found.right} of ${found.of})`;
      row(lines.length, lines.length - without.length, relative(root, path) + note);
      show(without);
      show(found?.wrong ?? []);
      sum.lines += lines.length;
      sum.timed += lines.length - without.length;
      sum.right += found?.right ?? 0;
      sum.of += found?.of ?? 0;
    }
  }
  row(sum.lines, sum.timed, `all  (fail2ban agrees on ${sum.right} of ${sum.of})`);
}

const root = process.env.LOGVANE_DATA ?? "../shared/data";
if (existsSync(root)) evaluate(root, process.argv.includes("--left"));
else {
  process.stderr.write(`no data at ${root}: set LOGVANE_DATA\n`);
  process.exitCode = 66;
}
