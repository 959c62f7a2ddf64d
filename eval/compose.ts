// Composes a log and its labels: npm run eval:compose -- --preset NAME | --plan FILE [--site second] --out LOG [--labels FILE] [--only-known-until ISO]
// With --only-known-until, lines of a template that no line before that time had are left out: what is found then was not found by novelty.
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { compose } from "../src/compose/compose.ts";
import { type Label, Labels } from "../src/compose/labels.ts";
import type { Material } from "../src/compose/material.ts";
import { instant, type Plan } from "../src/compose/plan.ts";
import { parseEnvelope } from "../src/log/envelope.ts";
import { LogClock } from "../src/log/year.ts";
import { Zone } from "../src/log/zone.ts";
import { parseMail } from "../src/mail/grammar.ts";
import { maskText } from "../src/template/mask.ts";
import { runCommand, usage } from "./command.ts";
import { loadMaterial, type Site } from "./episodes.ts";
import { PRESETS } from "./presets.ts";

export type Composed = {
  readonly labels: readonly Label[];
  readonly lines: number;
  readonly leftOut: number;
};

/** Writes the log of a plan to `path`. knownUntil: ms, or undefined to keep every line. */
export function writeLog(plan: Plan, material: Material, path: string, knownUntil?: number): Composed {
  const labels = new Labels(plan);
  const isKnown = knownUntil === undefined ? undefined : knownShapes(plan, knownUntil);
  const file = openSync(path, "w");
  let lines = 0;
  let leftOut = 0;
  for (const batch of compose(plan, material)) {
    let text = "";
    for (const line of batch) {
      if (isKnown?.(line.text, line.time) === false) {
        leftOut++;
        continue;
      }
      labels.add(line.time, line.fault);
      text += `${line.text}\n`;
      lines++;
    }
    if (text !== "") writeSync(file, text);
  }
  closeSync(file);
  return { labels: labels.done(), lines, leftOut };
}

/** Tells of a line whether its template came before `until`; notes the templates that come until then. */
function knownShapes(plan: Plan, until: number): (text: string, time: number) => boolean {
  const clock = new LogClock(new Zone(plan.server.zone), new Date(plan.start).getUTCFullYear());
  const known = new Set<string>();
  return (text, time) => {
    const read = parseMail(parseEnvelope(text, clock));
    const shape = `${read.daemon} ${maskText(read.shape)}`;
    if (time < until) known.add(shape);
    return known.has(shape);
  };
}

type Flags = {
  readonly preset?: string;
  readonly plan?: string;
  readonly out: string;
  readonly labels?: string;
  readonly site: Site;
  readonly onlyKnownUntil?: string;
};

const program = new Command("eval:compose")
  .addOption(
    new Option("--preset <name>", "a server of the evaluation")
      .choices(PRESETS.map(({ name }) => name))
      .conflicts("plan"),
  )
  .option("--plan <file>", "or a server, its days and faults, as JSON")
  .requiredOption("--out <log>", "where the log goes")
  .option("--labels <file>", "where the labels go, else beside the log")
  .addOption(
    new Option("--site <name>", "what a plan is composed of").choices(["first", "second"]).default("first"),
  )
  .option("--only-known-until <time>", "leave lines out whose template no line before that time had (ISO)")
  .action(written);

function written({ onlyKnownUntil: until, ...flags }: Flags): void {
  const preset = PRESETS.find(({ name }) => name === flags.preset);
  if (preset === undefined && flags.plan === undefined)
    throw usage("neither --preset nor --plan", "--preset");
  const plan = preset?.plan ?? (JSON.parse(readFileSync(flags.plan!, "utf8")) as Plan);
  const { material, source } = loadMaterial(preset?.site ?? flags.site);
  const began = process.cpuUsage();
  const { labels, lines, leftOut } = writeLog(
    plan,
    material,
    flags.out,
    until === undefined ? until : instant(until),
  );
  const { user, system } = process.cpuUsage(began);
  writeFileSync(flags.labels ?? `${flags.out}.labels.json`, `${JSON.stringify(labels)}\n`);
  process.stderr.write(
    `${lines} lines, ${labels.length} labels, ${leftOut} lines left out; from ${source}; ${((user + system) / 1e6).toFixed(1)} CPU-s\n`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runCommand(program, process.argv.slice(2));
