// Share of lines with a named event, for each corpus and family of programs: node dist/eval/coverage.js [FAMILY [ROWS]]
// With a family (postfix, dovecot, other) the most frequent templates without a name follow, and those that have only a severity for a name.
// Text of logs under restricted licences goes to the terminal alone.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseEnvelope } from "../src/log/envelope.ts";
import { LogClock } from "../src/log/year.ts";
import { Zone } from "../src/log/zone.ts";
import { parseMail } from "../src/mail/grammar.ts";
import { maskText } from "../src/template/mask.ts";

const FAMILIES = ["postfix", "dovecot", "other"] as const;
type Family = (typeof FAMILIES)[number];
/** Events that say no more than a severity. */
const GENERIC = new Set(["info", "warning", "error", "fatal", "panic"]);
/** Lines of one corpus that are looked at; a share needs no more. */
const MAX_LINES = 1_200_000;
/** Any leap year: times are not looked at. */
const ANY_YEAR = 2024;

type Count = { lines: number; unknown: number; generic: number };

const familyOf = (daemon: string): Family =>
  /^postfix(?:\/|$)/.test(daemon) ? "postfix" : /^dovecot(?:\/|$)/.test(daemon) ? "dovecot" : "other";

/** Log files below a folder; truth tables and the like are no logs. */
function logsOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.log(?:\.\d+)?(?:\.gz)?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Counts of one corpus; templates of what has no name of its own go to `seen`. */
function countCorpus(files: readonly string[], seen: Map<string, number>): Map<Family, Count> {
  const counts = new Map<Family, Count>(FAMILIES.map((f) => [f, { lines: 0, unknown: 0, generic: 0 }]));
  let left = MAX_LINES;
  for (const file of files) {
    const clock = new LogClock(new Zone("UTC"), ANY_YEAR);
    const raw = readFileSync(file);
    const text = (file.endsWith(".gz") ? gunzipSync(raw) : raw).toString("utf8");
    for (let at = 0; at < text.length && left > 0; left--) {
      const lf = text.indexOf("\n", at);
      const end = lf < 0 ? text.length : lf;
      const envelope = parseEnvelope(text.slice(at, end).replace(/\r$/, ""), clock);
      at = end + 1;
      if (envelope.time === null) continue;
      const read = parseMail(envelope);
      const family = familyOf(read.daemon);
      const count = counts.get(family)!;
      count.lines++;
      const unknown = read.event === "unknown";
      if (unknown) count.unknown++;
      else if (GENERIC.has(read.event)) count.generic++;
      else continue;
      const key = `${family}\t${read.event}\t${read.daemon}: ${maskText(read.shape)}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

const percent = (part: number, whole: number): string =>
  whole === 0 ? "-" : `${((100 * part) / whole).toFixed(2)} %`;

/** Prints a row for each corpus and family, and the templates of the family asked for. */
function evaluate(
  corpora: readonly (readonly [string, string])[],
  family: string | undefined,
  rows: number,
): void {
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(42) : cell.padStart(12))).join("");
  process.stdout.write(`${row(["corpus", "family", "lines", "named", "generic"])}\n`);
  const seen = new Map<string, number>();
  for (const [name, path] of corpora)
    for (const [kind, count] of countCorpus(logsOf(path), seen))
      if (count.lines > 0) {
        const named = percent(count.lines - count.unknown, count.lines);
        const generic = percent(count.generic, count.lines);
        process.stdout.write(`${row([name, kind, String(count.lines), named, generic])}\n`);
      }
  const wanted = [...seen].filter(([key]) => key.startsWith(`${family}\t`));
  for (const [key, n] of wanted.sort((a, b) => b[1] - a[1]).slice(0, rows))
    process.stdout.write(`${String(n).padStart(8)}  ${key.slice(key.indexOf("\t") + 1)}\n`);
}

const root = process.env.LOGVANE_DATA ?? "../shared/data";
if (existsSync(root)) {
  const maillogs = join(root, "maillogs");
  const sources = existsSync(maillogs)
    ? readdirSync(maillogs, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    : [];
  const corpora = [
    ...["lab/dev", "lab/quickstart", "public/mail-postfix"].map((name) => [name, join(root, name)] as const),
    ...sources.map((entry) => [`maillogs/${entry.name}`, join(maillogs, entry.name)] as const),
  ].filter(([, path]) => existsSync(path));
  evaluate(corpora, process.argv[2], Number(process.argv[3] ?? 40));
} else {
  process.stderr.write(`no data at ${root}: set LOGVANE_DATA\n`);
  process.exitCode = 66;
}
