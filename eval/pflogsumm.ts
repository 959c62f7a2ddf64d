import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { LogClock } from "../src/log/year.ts";
import { Zone } from "../src/log/zone.ts";
import { EventReader } from "../src/mail/read.ts";
import { MailSummary } from "../src/mail/summary.ts";
import { compatText } from "../src/report/summary-compat.ts";

/**
 * Runs the real pflogsumm and ours on every log of LOGVANE_DATA (default ../shared/data) that holds Postfix lines, and prints how many
 * rows of the two reports differ: grand totals apart, all sections together. Dates stand without their year, which pflogsumm guesses.
 * Usage: node build/eval/pflogsumm.js [FILE...]
 */

const DATA = process.env["LOGVANE_DATA"] ?? "../shared/data";
/** Year of the first line of a file; any, since reports are compared without years. Not a leap year, as pflogsumm's is not. */
const YEAR = 2026;

/** Every log below a folder, by name. */
function logsOf(dir: string): string[] {
  return readdirSync(dir)
    .sort()
    .flatMap((name) => {
      const path = join(dir, name);
      if (statSync(path).isDirectory()) return logsOf(path);
      return /\.log(?:\.\d+)?(?:\.gz)?$/.test(name) ? [path] : [];
    });
}

/** The text, a year-first head with milliseconds turned into the RFC 3164 head that pflogsumm reads. */
function textOf(path: string): string {
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("latin1");
  return text.replace(/^\d{4} ([A-Z][a-z]{2} [ \d]\d [\d:]{8})\.\d+ /gm, "$1 ");
}

function ours(log: string): string {
  const reader = new EventReader(new LogClock(new Zone("UTC"), YEAR), 1);
  const summary = new MailSummary("all", "UTC", true);
  let line = 0;
  for (const text of log.split("\n")) summary.add(reader.readText("f", ++line, text));
  return compatText(summary);
}

const theirs = (log: string): string =>
  execFileSync("pflogsumm", ["--smtpd-stats"], {
    input: Buffer.from(log, "latin1"),
    encoding: "latin1",
    stdio: ["pipe", "pipe", "ignore"],
    maxBuffer: 1 << 29,
  });

/** Rows that stand in one report alone. */
function differing(a: readonly string[], b: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const row of a) left.set(row, (left.get(row) ?? 0) + 1);
  for (const row of b) left.set(row, (left.get(row) ?? 0) - 1);
  return [...left].filter(([, n]) => n !== 0).map(([row, n]) => `${n > 0 ? "ours  " : "theirs"} ${row}`);
}

const GRAND = /^(Per-Day|Per-Hour) Traffic/m;
function halves(report: string): [string[], string[]] {
  const at = report.search(GRAND);
  const plain = report.replace(/^( {4}[A-Z][a-z]{2} [ \d]\d) \d{4}/gm, "$1");
  return [report.slice(0, at).split("\n"), plain.slice(plain.search(GRAND)).split("\n")];
}

function main(): void {
  const named = process.argv.slice(2);
  if (named.length === 0 && !existsSync(DATA)) {
    console.error(`no data at ${DATA}; name its folder in LOGVANE_DATA`);
    process.exitCode = 66;
    return;
  }
  console.log("   lines  totals differ  rows differ  rows    log");
  for (const path of named.length > 0 ? named : logsOf(DATA)) {
    const log = textOf(path);
    if (!/ postfix\//.test(log)) continue;
    const [a, b] = [halves(ours(log)), halves(theirs(log))];
    const totals = differing(a[0], b[0]);
    const rows = differing(a[1], b[1]);
    const figures = [
      String(log.split("\n").length - 1).padStart(8),
      String(totals.length).padStart(13),
      String(rows.length).padStart(11),
      String(b[0].length + b[1].length).padStart(6),
    ];
    console.log(`${figures.join("  ")}  ${path}`);
    for (const row of [...totals, ...rows].slice(0, 12)) console.log(`            ${row}`);
  }
}

main();
