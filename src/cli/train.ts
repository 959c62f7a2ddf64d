import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { DAY_MS, localClock } from "../feature/clock.ts";
import { DailyFigures } from "../mail/summary.ts";
import { hash64 } from "../math/hash.ts";
import { Learner } from "../pipeline/learner.ts";
import { FORMAT_VERSION, packModel } from "../store/model.ts";
import { openStore } from "../store/queries.ts";
import { eachEvent } from "./events.ts";
import { openMail } from "./input.ts";
import { loadKernels } from "./kernels.ts";
import { addInputOptions, isQuiet, type Options, seedOf, stateDir } from "./options.ts";
import { writeError, writeOut } from "./out.ts";
import { createProgress, PROGRESS_LINES } from "./progress.ts";
import { release } from "./release.ts";
import { checkHistory, lastTime } from "./replay.ts";
import { settingsOf } from "./settings.ts";
import { filesOf } from "./sources.ts";

/** Days whose mail figures are kept beside the model, for the usual ranges of `summary`. */
const MAX_FIGURE_DAYS = 84;

/** Registers `logvane train`. */
export function trainCommand(program: Command): Command {
  const command = program
    .command("train")
    .description("learn what is normal from a log, and keep it as the model in use")
    .argument(
      "[file...]",
      "log files, globs, directories, or - for standard input (default: those of the configuration)",
    )
    .option("--seed <n>", "seed of the training", "1")
    .action(async (files: string[], options: Options) => {
      // The configured history is bounded; files that were named are read whole.
      const days = files.length === 0 ? settingsOf(options).retrain.days : undefined;
      const trained = await train(filesOf(files, options), options, days);
      await writeOut(trained.text);
      if (!isQuiet(options)) writeError("next: logvane detect FILE... watches the lines that come after\n");
    });
  return addInputOptions(command);
}

/** A training that is over. Times are log time, in milliseconds; text: what to tell of it. */
export type Trained = {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
};

/** Learns from files and keeps the model in the state folder. days: of the end of the log that are read; all when undefined. */
export async function train(
  files: readonly string[],
  options: Options,
  days: number | undefined,
): Promise<Trained> {
  const seed = seedOf(options);
  const store = openStore(stateDir(options)); // first, so that hours of reading don't end at a folder that can't be written
  const input = await openMail(files, options);
  const learner = new Learner({
    clock: localClock(input.zone),
    budget: 1,
    without: new Set(),
    salt: randomBytes(16).toString("hex"),
    seed,
    kernels: loadKernels(),
  });
  const figures = new DailyFigures(input.zone, MAX_FIGURE_DAYS);
  const progress = createProgress("learning", 0, { quiet: isQuiet(options) });
  let lines = 0;
  const since = days === undefined ? Number.NEGATIVE_INFINITY : (await lastTime(input)) - days * DAY_MS;
  await eachEvent(input, (event) => {
    if (event.time !== null && event.time < since) return;
    learner.add(event);
    figures.add(event);
    if (++lines % PROGRESS_LINES === 0) progress.update(lines);
  });
  progress.update(lines);
  progress.end();
  const { from, to } = learner.range;
  checkHistory(learner, to);
  const model = learner.fit(to);
  const blob = packModel({ model, pairs: learner.reader.pairs });
  const id = hash64(`${from} ${to} ${model.events} ${seed}`).slice(0, 12);
  const header = {
    from,
    to,
    events: model.events,
    seed,
    format: FORMAT_VERSION,
    release: release(),
    trainedAt: Date.now(), // for people; no result depends on it
    columns: model.window.columns.length,
    shapes: model.novelty.known.length,
    figures: figures.days,
  };
  store.saveModel({ id, createdAt: to, header, blob });
  store.close();
  const { unknown, badEnvelope } = input.reader;
  const text =
    `model ${id}: ${((to - from) / DAY_MS).toFixed(1)} days, ${model.events} lines, ${header.columns} columns, ${header.shapes} message shapes\n` +
    `${lines} lines read (${unknown} not understood, ${badEnvelope} without a readable time, ${input.duplicates()} duplicates left out)\n`;
  return { id, from, to, text };
}
