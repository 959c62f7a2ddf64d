import { plannedRanges } from "../detect/planned.ts";
import { Fault } from "../fault.ts";
import { localClock } from "../feature/clock.ts";
import { Flagged } from "../feature/flagged.ts";
import { type BudgetCost, BudgetTable } from "../pipeline/budgets.ts";
import { Learner } from "../pipeline/learner.ts";
import type { PipelineOptions, ViewName } from "../pipeline/model.ts";
import type { Prior } from "../pipeline/prior.ts";
import { type Driven, type DriveOptions, drive } from "./drive.ts";
import { eachEvent } from "./events.ts";
import { type MailInput, openMail } from "./input.ts";
import { loadKernels } from "./kernels.ts";
import { checkHistory } from "./learn.ts";
import type { Options } from "./options.ts";
import { type Retraining, Weekly, type WeeklyRequest } from "./weekly.ts";

/** A back-test: learn what lies before a time, replay the rest as if live. */

export type ReplayRequest = DriveOptions & {
  readonly files: readonly string[];
  readonly options: Options;
  /** End of training in ms, or how far before the last line it lies. */
  readonly until: { readonly time: number } | { readonly sinceMs: number };
  readonly budget: number;
  readonly without: ReadonlySet<ViewName>;
  readonly seed: number;
  /** See PipelineOptions. No verb has a flag for it. */
  readonly timeOnly?: boolean;
  /** See PipelineOptions; none when absent. */
  readonly prior?: Prior | undefined;
  /** Budgets that are compared, of the same findings. */
  readonly compare?: readonly number[];
  /** Learns anew every week; never when absent. */
  readonly weekly?: WeeklyRequest | undefined;
};

export type ReplayResult = Driven & {
  /** Log time of the first line, in ms. */
  readonly first: number;
  readonly timeZone: string;
  /** What the compared budgets would have cost. */
  readonly costs: readonly BudgetCost[];
  /** What became of each week's training. */
  readonly retrainings: readonly Retraining[];
};

/** Throws a Fault when there is too little before the end of training, or nothing after it, or a pipe would have to be read again. */
export async function replay(request: ReplayRequest): Promise<ReplayResult> {
  const input = await openMail(request.files, request.options);
  if (request.weekly && input.once) throw readOnce();
  const plans = request.rules?.plans ?? [];
  const times = "time" in request.until && plans.length === 0 ? undefined : await timesOf(input);
  const until = "time" in request.until ? request.until.time : times!.last - request.until.sinceMs;
  const clock = localClock(input.zone);
  const budgets = new BudgetTable(request.compare ?? [], clock, request.rules);
  const settings: PipelineOptions = {
    clock,
    budget: request.budget,
    without: request.without,
    salt: "",
    seed: request.seed,
    kernels: loadKernels(),
    timeOnly: request.timeOnly === true,
    prior: request.prior,
    onOffer: request.compare && ((candidates) => budgets.offer(candidates)),
  };
  const planned = times && new Flagged(plannedRanges(plans, times.first, times.last));
  const learner = new Learner(settings, planned);
  const weekly = request.weekly && new Weekly(input, settings, request.weekly, plans, request.onScore);
  const past = { learner, until, check: checkHistory, successor: weekly };
  const driven = await drive(input, past, settings, request);
  if (!driven) throw nothingAfter(learner, until, input.reader.lines);
  return {
    ...driven,
    first: learner.range.from,
    timeZone: input.timezone,
    costs: budgets.costs,
    retrainings: weekly?.retrainings ?? [],
  };
}

/** Log times of the first and the newest line. Reads all files once more. Throws Fault badData when no line has one. */
export async function timesOf(input: MailInput): Promise<{ first: number; last: number }> {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  await eachEvent(input.again(), ({ time }) => {
    if (time === null) return;
    first = Math.min(first, time);
    last = Math.max(last, time);
  });
  if (!Number.isFinite(last)) throw noTimes(input.files);
  return { first, last };
}

const readOnce = (): Fault =>
  new Fault(
    "usage",
    "a pipe can be read once, and each week's training reads the last weeks again",
    "--retrain weekly",
    "nothing was done",
    "give files, or --retrain never",
  );

const iso = (ms: number): string => new Date(ms).toISOString();

function noTimes(files: readonly string[]): Fault {
  return new Fault(
    "badData",
    "no line has a time that Logvane can read",
    files.join(", "),
    "nothing was learned and nothing was watched",
    "see what is there with: logvane parse --stats --format json FILE; give the log of a mail server",
  );
}

function nothingAfter(learner: Learner, until: number, lines: number): Fault {
  const { to } = learner.range;
  if (learner.events === 0) {
    return new Fault(
      "badData",
      `none of ${lines} lines has a time that Logvane can read`,
      "the given files",
      "nothing was learned and nothing was watched",
      "see what is there with: logvane parse --stats --format json FILE; give the log of a mail server",
    );
  }
  return new Fault(
    "badData",
    "no line lies after the end of training",
    `--train-until ${iso(until)}, last line ${iso(to)}`,
    "there is nothing to watch",
    "choose an earlier time, or use --since 7d",
  );
}
