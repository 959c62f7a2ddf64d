// Runs every subject's benchmark and writes docs/benchmarks.md. Arguments name the subjects to run; all when none.
// Sections of other subjects stay as they are.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { benchDetect } from "./detect.bench.ts";
import { benchParse } from "./parse.bench.ts";
import type { Section } from "./table.ts";
import { benchVae } from "./vae.bench.ts";

const SUBJECTS: Readonly<Record<string, () => Section>> = {
  parse: benchParse,
  detect: benchDetect,
  vae: benchVae,
};
const OUT = "docs/benchmarks.md";
const EX_USAGE = 64;
const HEAD = `# Benchmarks

Written by \`npm run bench\`. Each figure stands beside its peer's from the same run, rounds taken in turn: median
[least-greatest].`;

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

/** Sections of the document as it is, by title, each from its title on. */
function present(): Map<string, string> {
  const text = existsSync(OUT) ? readFileSync(OUT, "utf8") : "";
  const parts = text.split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part.trim()]));
}

const wanted = process.argv.slice(2);
const stranger = wanted.find((name) => SUBJECTS[name] === undefined);
if (stranger !== undefined) {
  process.stderr.write(`no subject ${stranger}: there are ${Object.keys(SUBJECTS).join(", ")}\n`);
  process.exit(EX_USAGE);
}
const machine = `Machine: ${cpus().length} cores ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}, commit ${commit()}.`;
for (const [name, bench] of Object.entries(SUBJECTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { title, text } = bench();
  const sections = present().set(title, `${title}\n\n${machine}\n\n${text}`);
  writeFileSync(OUT, `${[HEAD, ...[...sections.values()].map((section) => `## ${section}`)].join("\n\n")}\n`);
}
