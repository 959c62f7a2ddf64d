import type { Command } from "commander";
import { DAY_MS } from "../feature/clock.ts";
import { openStore } from "../store/queries.ts";
import { type MailInput, openMail } from "./input.ts";
import { type Lesson, learn } from "./learn.ts";
import { addInputOptions, isQuiet, type Options, seedOf, stateDir } from "./options.ts";
import { writeError, writeOut } from "./out.ts";

/** Registers `logvane train`. */
export function trainCommand(program: Command): Command {
  const command = program
    .command("train")
    .description("learn what is normal from a log, and keep it as the model in use")
    .argument("<file...>", "log files, globs, directories, or - for standard input")
    .option("--seed <n>", "seed of the training", "1")
    .action(async (files: string[], options: Options) => train(files, options));
  return addInputOptions(command);
}

async function train(files: readonly string[], options: Options): Promise<void> {
  const seed = seedOf(options);
  const store = openStore(stateDir(options)); // first, so that hours of reading don't end at a folder that can't be written
  const input = await openMail(files, options);
  const lesson = await learn(input, { seed, quiet: isQuiet(options) });
  const stored = lesson.stored();
  store.saveModel(stored, { warm: lesson.warm });
  store.close();
  await writeOut(`model ${stored.id}: ${learnedText(lesson, input)}`);
  if (!isQuiet(options)) writeError("next: logvane detect FILE... watches the lines that come after\n");
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
