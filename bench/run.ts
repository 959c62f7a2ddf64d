// Runs every subject's benchmark and writes docs/benchmarks.md. Arguments name the subjects to run; all when none.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import type { Section } from "./table.ts";
import { benchVae } from "./vae.bench.ts";

const SUBJECTS: Record<string, () => Section> = { vae: benchVae };

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

const wanted = process.argv.slice(2);
const sections = Object.entries(SUBJECTS)
  .filter(([name]) => wanted.length === 0 || wanted.includes(name))
  .map(([, bench]) => bench());
const machine = `${cpus().length} cores ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}, commit ${commit()}`;
const text = [
  "# Benchmarks",
  `Written by \`npm run bench\`. Each figure stands beside its peer's from the same run, rounds taken in turn: median
[least-greatest]. Machine: ${machine}.`,
  ...sections.map(({ title, text }) => `## ${title}\n\n${text}`),
].join("\n\n");
writeFileSync("docs/benchmarks.md", `${text}\n`);
