import type { Command } from "commander";
import type { Material } from "../compose/material.ts";
import { Fault } from "../fault.ts";
import { DAY_MS, localClock } from "../feature/clock.ts";
import { DRILLS, type DrillKind, drilledOf, leastDays, planDrill } from "../pipeline/drill.ts";
import { Learner } from "../pipeline/learner.ts";
import type { PipelineOptions } from "../pipeline/model.ts";
import { type Sketch, Sketcher } from "../pipeline/sketch.ts";
import { WARM_UP_MS } from "../pipeline/trial.ts";
import { type DrillReport, drillRecord, drillText } from "../report/drill.ts";
import { loadChampion } from "../store/champion.ts";
import { hasDatabase } from "../store/db.ts";
import { eachEvent } from "./events.ts";
import { type MailInput, openMail } from "./input.ts";
import { loadKernels } from "./kernels.ts";
import { checkHistory } from "./learn.ts";
import { withStore } from "./model-found.ts";
import {
  addInputOptions,
  collect,
  isQuiet,
  type Options,
  outputFormat,
  seedOf,
  stateDir,
} from "./options.ts";
import { writeOut } from "./out.ts";
import { createProgress, PROGRESS_LINES } from "./progress.ts";
import { settingsOf } from "./settings.ts";
import { filesOf } from "./sources.ts";
import { type Contender, loadMaterial, Walker, walk } from "./walker.ts";

const USUAL = Object.keys(DRILLS).filter((kind) => DRILLS[kind]!.usual);
const NOTHING = "nothing was put in, and nothing was written";

/** Registers `logvane drill`. */
export function drillCommand(program: Command): Command {
  const command = program
    .command("drill")
    .description("put faults into a copy of the log's last days, in memory, and tell which would be caught")
    .argument("[file...]", "log files, globs, or directories (default: those of the configuration)")
    .option(
      "--kind <kind>",
      "a fault to put in; may be repeated (default: thirteen; docs/drill.md lists all)",
      collect,
      [],
    )
    .option("--days <n>", "days at the end of the log to put them into", "3")
    .option("--seed <n>", "seed of the faults, and of a training", "1")
    .action(async (files: string[], options: Options) => drill(files, options));
  return addInputOptions(command);
}

async function drill(files: readonly string[], options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json"]);
  const kinds = kindsOf(options);
  const days = daysOf(options, kinds);
  const seed = seedOf(options);
  const named = filesOf(files, options);
  const input = await openMail(named, options);
  if (input.once) throw readOnce();
  const quiet = isQuiet(options);
  const seen = await survey(input.again(), quiet);
  const sketch = sketchOf(seen, input);
  const to = seen.last;
  const from = Math.max(seen.first, to - days * DAY_MS);
  const settings: PipelineOptions = {
    clock: localClock(input.zone),
    budget: settingsOf(options).alerts.perDay,
    without: new Set(),
    salt: "",
    seed,
    kernels: loadKernels(),
  };
  const champion = championOf(stateDir(options));
  const watch = champion ?? (await learn(input.again(), settings, from, quiet));
  const materials = new Map<DrillKind["site"], Material>();
  const load = (site: DrillKind["site"]): Material => {
    if (!materials.has(site)) materials.set(site, loadMaterial(site));
    return materials.get(site)!;
  };
  const injections = planDrill(kinds, { from, to }, sketch, load, seed);
  const judged = (time: number): boolean => time >= from;
  const walker = new Walker(input, watch, settings, from - WARM_UP_MS, judged, injections);
  await walk(input.again(), [walker], { what: "drilling", quiet });
  const own = walker.end().told;
  const report: DrillReport = {
    ...{ seed, model: champion?.id ?? null, learnedTo: watch.model.to, from, to, own },
    drilled: walker.probes.map(drilledOf),
  };
  if (format === "json") await writeOut(`${JSON.stringify(drillRecord(report), undefined, 2)}\n`);
  else await writeOut(drillText(report, input.timezone, process.stdout.columns ?? 0));
}

/** The model in use; undefined where there is none. The state folder is not made. */
function championOf(dir: string): (Contender & { readonly id: string }) | undefined {
  if (!hasDatabase(dir)) return undefined;
  return withStore(dir, (store) =>
    store.championId() === undefined
      ? undefined
      : loadChampion(store, dir, loadKernels(), "nothing was put in"),
  );
}

async function learn(
  input: MailInput,
  settings: PipelineOptions,
  until: number,
  quiet: boolean,
): Promise<Contender> {
  const learner = new Learner(settings);
  await each(input, "learning", quiet, (event) => {
    if (event.time !== null && event.time < until) learner.add(event);
  });
  checkHistory(learner, until);
  const model = learner.fit(until);
  return { model, pairs: learner.pairs };
}

async function each(
  input: Pick<MailInput, "reader" | "batches">,
  what: string,
  quiet: boolean,
  visit: Parameters<typeof eachEvent>[1],
): Promise<void> {
  const progress = createProgress(what, 0, { quiet });
  let lines = 0;
  await eachEvent(input, (event) => {
    if (++lines % PROGRESS_LINES === 0) progress.update(lines);
    visit(event);
  });
  progress.end();
}

type Seen = {
  readonly sketcher: Sketcher;
  readonly first: number;
  readonly last: number;
};

/** What the log looks like. Reads all of it once. Throws Fault badData when no line has a time. */
async function survey(input: MailInput, quiet: boolean): Promise<Seen> {
  const sketcher = new Sketcher();
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  await each(input, "looking", quiet, (event) => {
    if (event.time === null) return;
    first = Math.min(first, event.time);
    last = Math.max(last, event.time);
    sketcher.see(event);
  });
  if (last === Number.NEGATIVE_INFINITY)
    throw new Fault(
      "badData",
      "no line has a time that Logvane can read",
      input.files.join(", "),
      NOTHING,
      "see what is there with: logvane parse --stats --format json FILE; give the log of a mail server",
    );
  return { sketcher, first, last };
}

/** Throws Fault badData for a server whose lines can't be imitated. */
function sketchOf({ sketcher, first, last }: Seen, input: MailInput): Sketch {
  if (sketcher.header === undefined)
    throw new Fault(
      "badData",
      "faults can't be written in the form of this log's lines",
      input.files.join(", "),
      NOTHING,
      "give a log as syslog (RFC 3164, RFC 3339, RFC 5424) or journalctl -o json writes it",
    );
  const sketch = sketcher.sketch(input.zone.name, (last - first) / DAY_MS);
  if (sketch === undefined)
    throw new Fault(
      "badData",
      "no faults are recorded that fit this server: its log has fewer than ten deliveries by Postfix a day",
      input.files.join(", "),
      NOTHING,
      "give the log of a Postfix server; for others see what would have been told with: logvane backtest FILE... --since 7d",
    );
  return sketch;
}

function kindsOf(options: Options): readonly string[] {
  const asked = [...new Set(options["kind"] as string[])];
  const wrong = asked.find((kind) => !Object.hasOwn(DRILLS, kind));
  if (wrong !== undefined)
    throw new Fault(
      "usage",
      `there is no fault "${wrong.slice(0, 60)}"`,
      "--kind",
      NOTHING,
      `use one of: ${Object.keys(DRILLS).join(", ")}`,
    );
  return asked.length > 0 ? asked : USUAL;
}

/** --days, checked. Throws a usage Fault. */
function daysOf(options: Options, kinds: readonly string[]): number {
  const text = String(options["days"]);
  const days = Number(text);
  if (/^\d{1,3}$/.test(text) && days >= Math.max(1, leastDays(kinds))) return days;
  throw new Fault("usage", "--days takes a number of days, 1 or more", "--days", NOTHING, "type: --days 3");
}

const readOnce = (): Fault =>
  new Fault(
    "usage",
    "a drill reads the log three times, and a pipe can be read only once",
    "command line: - or a named pipe",
    NOTHING,
    "write the lines to a file, and name that",
  );
