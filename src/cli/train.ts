import type { Command } from "commander";
import { plannedRanges } from "../detect/planned.ts";
import { DAY_MS } from "../feature/clock.ts";
import { Flagged } from "../feature/flagged.ts";
import { openStore } from "../store/queries.ts";
import { type MailInput, openMail } from "./input.ts";
import { type Lesson, learn } from "./learn.ts";
import { addInputOptions, isQuiet, type Options, seedOf, stateDir } from "./options.ts";
import { writeError, writeOut } from "./out.ts";
import { priorFor } from "./prior.ts";
import { timesOf } from "./replay.ts";
import { settingsOf } from "./settings.ts";
import { filesOf } from "./sources.ts";

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
    .option("--prior", "begin with the messages of healthy servers that come with the program")
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
  const plans = store.rules.plans();
  const times = days === undefined && plans.length === 0 ? undefined : await timesOf(input);
  const since = times && days !== undefined ? times.last - days * DAY_MS : undefined;
  // what the calendar says of the log's time, which no training learns
  const flagged = times && plans.length > 0 && new Flagged(plannedRanges(plans, times.first, times.last));
  const prior = priorFor(options);
  const asked = { seed, quiet: isQuiet(options), since, prior };
  const lesson = await learn(input, { ...asked, ...(flagged && { flagged }) });
  const reason = `learned from the beginning${lesson.model.novelty.prior ? ", with the prior" : ""}`;
  const stored = lesson.stored({ reason });
  store.saveModel(stored, { warm: lesson.warm, use: { how: "train", reason, at: Date.now() } });
  store.close();
  const { from, to } = lesson;
  return { id: stored.id, from, to, text: `model ${stored.id}: ${learnedText(lesson, input)}` };
}

/** What was learned, and what was read for it, in two lines. */
export function learnedText({ model, from, to, lines }: Lesson, input: MailInput): string {
  const { unknown, badEnvelope } = input.reader;
  const days = ((to - from) / DAY_MS).toFixed(1);
  const { columns } = model.window;
  return (
    `${days} days, ${model.events} lines, ${columns.length} columns, ${model.novelty.known.length} message shapes\n` +
    `${lines} lines read (${unknown} not understood, ${badEnvelope} without a readable time, ${input.duplicates()} duplicates left out)\n`
  );
}
