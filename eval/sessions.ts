// Strange sessions, learned from a training part: npm run --silent eval:sessions -- --help. Never reads labels.
import { Command, Option } from "commander";
import { loadKernels } from "../src/cli/kernels.ts";
import { type SessionModel, scoresOf, sessionPValue, trainSessions } from "../src/detect/session.ts";
import { Fault } from "../src/fault.ts";
import { type Bag, Columns } from "../src/feature/session.ts";
import { runCommand, usage, verdict, wholeNumber, writeRows } from "./command.ts";
import {
  bagsOf,
  readLog,
  readSessions,
  type Session,
  templateEvents,
  trainingPart,
} from "./session-input.ts";

type Flags = {
  readonly train?: string;
  readonly test?: string;
  readonly log?: string;
  readonly sessionKey?: string;
  readonly trainFraction?: string;
  readonly split: "random" | "time";
  readonly mixed?: true;
  readonly seed: string;
  readonly out: string;
};

const program = new Command("eval:sessions")
  .description("learns what sessions consist of, then scores those of the test part; never reads labels")
  .option("--train <file>", "prepared sessions to learn from: id, TAB, event ids with blanks between them")
  .option("--test <file>", "prepared sessions to score")
  .option("--log <file>", "a raw log, instead of prepared sessions")
  .option("--session-key <regex>", "what names the sessions of a line")
  .option("--train-fraction <share>", "share of the log's sessions to learn from, between 0 and 1")
  .addOption(
    new Option("--split <how>", "which sessions to learn from").choices(["random", "time"]).default("random"),
  )
  .option("--mixed", "the training part may hold anomalies")
  .option("--seed <n>", "seed of all chance", "1")
  .requiredOption("--out <file>", "where the scores go: id, score, p-value, 0 or 1, with TABs between them")
  .action(async (flags: Flags) => {
    const seed = wholeNumber(flags.seed, "--seed");
    if (flags.log !== undefined) await scoreLog(flags, flags.log, seed);
    else scoreFiles(flags, seed);
  });

function scoreFiles(flags: Flags, seed: number): void {
  const { train, test, out } = flags;
  if (train === undefined || test === undefined)
    throw usage("there is nothing to learn from: name --train and --test, or --log", "command line");
  if (flags.sessionKey !== undefined || flags.trainFraction !== undefined)
    throw usage("--session-key and --train-fraction go with --log alone", "command line");
  const columns = new Columns();
  const learned = bagsOf(readSessions(train), columns);
  const model = learn(learned, columns, flags, seed, train);
  const tested = readSessions(test);
  writeRows(out, rowsOf(model, tested, bagsOf(tested, columns)));
}

async function scoreLog(flags: Flags, path: string, seed: number): Promise<void> {
  if (flags.train !== undefined || flags.test !== undefined)
    throw usage("--train and --test don't go with --log", "command line");
  const key = keyOf(flags.sessionKey);
  const share = Number(flags.trainFraction ?? Number.NaN);
  if (!(share > 0 && share < 1))
    throw usage("--train-fraction takes a share between 0 and 1, such as 0.3", "--train-fraction");
  const log = await readLog(path, key);
  const n = log.sessions.length;
  const training = trainingPart(n, Math.round(share * n), flags.split, seed);
  const sessions = templateEvents(log, training);
  const columns = new Columns();
  const part = (inside: boolean): Session<string>[] => sessions.filter((_, i) => training.has(i) === inside);
  const model = learn(bagsOf(part(true), columns), columns, flags, seed, path);
  const tested = part(false);
  const rows = rowsOf(model, tested, bagsOf(tested, columns));
  let next = 0;
  writeRows(
    flags.out,
    sessions.map(({ id }, i) => (training.has(i) ? `${id}\ttrain` : rows[next++]!)),
  );
}

function keyOf(text: string | undefined): RegExp {
  if (text === undefined) throw usage("--log needs --session-key", "--session-key");
  try {
    return new RegExp(text, "g");
  } catch (error) {
    throw usage(`it is no regular expression: ${(error as Error).message}`, "--session-key");
  }
}

function learn(
  bags: readonly Bag[],
  columns: Columns,
  flags: Flags,
  seed: number,
  source: string,
): SessionModel {
  if (bags.length === 0)
    throw new Fault(
      "badData",
      "there is no session to learn from",
      source,
      "nothing was scored",
      flags.log === undefined
        ? "name a file that holds sessions after --train"
        : "check what --session-key finds on the lines, or raise --train-fraction",
    );
  const begin = process.cpuUsage();
  const model = trainSessions(bags, {
    mixed: flags.mixed === true,
    seed,
    kernels: loadKernels(),
    width: columns.size,
  });
  const { user, system } = process.cpuUsage(begin);
  process.stderr.write(
    `learned from ${bags.length} sessions, ${model.setAside} set aside, threshold ${model.threshold.toFixed(2)} nats, ` +
      `${((user + system) / 1e6).toFixed(1)} CPU-s\n`,
  );
  return model;
}

function rowsOf(model: SessionModel, sessions: readonly Session<string>[], bags: readonly Bag[]): string[] {
  const scores = scoresOf(model, bags);
  return sessions.map(
    ({ id }, i) => `${id}\t${verdict(scores[i]!, sessionPValue(model, scores[i]!), model.threshold)}`,
  );
}

await runCommand(program, process.argv.slice(2));
