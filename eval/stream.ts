// A stream of windows, each scored before it is learned: npm run --silent eval:stream -- --help.
import { Command, Option } from "commander";
import { type Feedback, StreamScorer, type Token } from "../src/detect/stream.ts";
import { Fault } from "../src/fault.ts";
import { linesOf, runCommand, usage, wholeNumber, writeRows } from "./command.ts";

type Flags = {
  readonly windows: string;
  readonly chunks: string;
  readonly feedback: Feedback;
  readonly labels?: string;
  readonly seed: string;
  readonly out: string;
};

const program = new Command("eval:stream")
  .description("scores windows in order, each before it is learned; labels are read as feedback alone")
  .requiredOption("--windows <file>", "event ids with blanks between them, one window a line")
  .option("--chunks <n>", "parts of the stream, after each of which --feedback chunk tells its labels", "10")
  .addOption(
    new Option("--feedback <when>", "when labels are told")
      .choices(["none", "window", "chunk"])
      .default("none"),
  )
  .option("--labels <file>", "0 or 1 a line; needed for feedback")
  .option("--seed <n>", "taken as by eval:sessions; nothing here is left to chance", "1")
  .requiredOption("--out <file>", "where the scores go: line, score, p-value, 0 or 1, with TABs between them")
  .action((flags: Flags) => {
    wholeNumber(flags.seed, "--seed");
    const chunks = wholeNumber(flags.chunks, "--chunks");
    if (chunks === 0) throw usage("--chunks takes a number from 1 on", "--chunks");
    if (flags.feedback !== "none" && flags.labels === undefined)
      throw usage(`--feedback ${flags.feedback} needs --labels`, "--labels");
    const windows = [...linesOf(flags.windows)];
    const labels =
      flags.feedback === "none" || flags.labels === undefined ? undefined : [...linesOf(flags.labels)];
    if (labels !== undefined && labels.length !== windows.length)
      throw new Fault(
        "badData",
        `${labels.length} labels for ${windows.length} windows`,
        flags.labels ?? "",
        "nothing was scored",
        "write one label a line, one for each window",
      );
    writeRows(flags.out, scored(windows, chunks, flags.feedback, labels));
  });

/** One row a window. The label of row i is looked at after row i has been written down, or after its chunk has. */
function scored(
  windows: readonly string[],
  chunks: number,
  feedback: Feedback,
  labels: readonly string[] | undefined,
): string[] {
  const scorer = new StreamScorer(feedback);
  const rows: string[] = [];
  let waiting: { token: Token; at: number }[] = [];
  const tell = (): void => {
    if (labels !== undefined) for (const { token, at } of waiting) scorer.label(token, isStrange(labels, at));
    waiting = [];
  };
  windows.forEach((window, i) => {
    const events = new Set(window.split(/[ \t]+/).filter((event) => event !== ""));
    const { score, token } = scorer.add(events);
    rows.push(`${i + 1}\t${score.score}\t${score.pValue}\t${score.strange ? 1 : 0}`);
    if (labels === undefined) return;
    waiting.push({ token, at: i });
    const chunkEnds =
      Math.floor(((i + 1) * chunks) / windows.length) > Math.floor((i * chunks) / windows.length);
    if (feedback === "window" || chunkEnds) tell();
  });
  return rows;
}

function isStrange(labels: readonly string[], at: number): boolean {
  const label = labels[at]!.trim();
  if (label === "0" || label === "1") return label === "1";
  throw new Fault(
    "badData",
    `label ${at + 1} is neither 0 nor 1`,
    "the file after --labels",
    "nothing was written",
    "write 0 (ordinary) or 1 (strange) on each line",
  );
}

await runCommand(program, process.argv.slice(2));
