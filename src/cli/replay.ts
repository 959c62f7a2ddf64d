import type { Alert } from "../detect/alert.ts";
import type { Ledger } from "../detect/incident.ts";
import { Fault } from "../fault.ts";
import { DAY_MS, localClock } from "../feature/clock.ts";
import type { MailEvent } from "../mail/event.ts";
import { Detector } from "../pipeline/detector.ts";
import { Learner } from "../pipeline/learner.ts";
import type { Model, PipelineOptions, Score, ViewName } from "../pipeline/model.ts";
import { eachEvent } from "./events.ts";
import { type MailInput, openMail } from "./input.ts";
import { loadKernels } from "./kernels.ts";
import type { Options } from "./options.ts";
import { PROGRESS_LINES } from "./progress.ts";

/** A back-test: learn what lies before a time, replay the rest as if live. */

/** History that any view needs; novelty asks for two days, the window and entity views for three, the daily shape for seven. */
const MIN_HISTORY_MS = DAY_MS;

export type ReplayRequest = {
  readonly files: readonly string[];
  readonly options: Options;
  /** End of training in ms, or how far before the last line it lies. */
  readonly until: { readonly time: number } | { readonly sinceMs: number };
  readonly budget: number;
  readonly without: ReadonlySet<ViewName>;
  readonly seed: number;
  /** The name under which a file is cited; its own when absent. */
  readonly name?: (file: string) => string;
  readonly onScore?: (score: Score) => void;
  readonly onEvent?: (event: MailEvent, phase: "learn" | "watch") => void;
  readonly onProgress?: (lines: number, phase: "learn" | "watch") => void;
};

export type ReplayResult = {
  readonly alerts: readonly Alert[];
  readonly ledger: Ledger;
  readonly model: Model;
  readonly lines: {
    total: number;
    unknown: number;
    badEnvelope: number;
    duplicates: number;
    truncated: number;
    watched: number;
  };
  readonly perHour: readonly { time: number; lines: number }[];
  readonly first: number;
  readonly last: number;
  readonly timeZone: string;
};

const HOUR_MS = 3_600_000;
const MAX_HOURS = 24 * 400;

/** Throws a Fault when there is too little before the end of training, or nothing after it. */
export async function replay(request: ReplayRequest): Promise<ReplayResult> {
  const input = await openMail(request.files, request.options);
  const until =
    "time" in request.until ? request.until.time : (await lastTime(input)) - request.until.sinceMs;
  const settings: PipelineOptions = {
    clock: localClock(input.zone),
    budget: request.budget,
    without: request.without,
    salt: "",
    seed: request.seed,
    kernels: loadKernels(),
  };
  const learner = new Learner(settings);
  const alerts: Alert[] = [];
  const perHour = new Map<number, number>();
  let detector: Detector | undefined;
  let lines = 0;
  let watched = 0;
  let last = Number.NEGATIVE_INFINITY;
  const take = (event: MailEvent): void => {
    lines++;
    if (lines % PROGRESS_LINES === 0) request.onProgress?.(lines, detector ? "watch" : "learn");
    if (event.time === null) return;
    last = Math.max(last, event.time);
    const hour = Math.floor(event.time / HOUR_MS) * HOUR_MS;
    if (perHour.size < MAX_HOURS || perHour.has(hour)) perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
    request.onEvent?.(event, detector || event.time >= until ? "watch" : "learn");
    if (!detector) {
      if (event.time < until) {
        learner.add(event);
        return;
      }
      checkHistory(learner, until);
      detector = new Detector(learner.fit(until), learner, settings, request.onScore);
      input.reader.adopt(detector.model.groups);
    }
    watched++;
    alerts.push(...detector.add(event));
  };
  await eachEvent(input, take, request.name);
  request.onProgress?.(lines, "watch");
  if (!detector) throw nothingAfter(learner, until, lines);
  detector.end();
  alerts.sort((a, b) => a.openedAt - b.openedAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const { unknown, badEnvelope, truncated } = input.reader;
  return {
    alerts,
    ledger: detector.ledger,
    model: detector.model,
    lines: { total: lines, unknown, badEnvelope, duplicates: input.duplicates(), truncated, watched },
    perHour: [...perHour].map(([time, n]) => ({ time, lines: n })).sort((a, b) => a.time - b.time),
    first: learner.range.from,
    last,
    timeZone: input.timezone,
  };
}

/** Time of the newest line, for --since. Reads all files once more. */
async function lastTime(input: MailInput): Promise<number> {
  let last = Number.NEGATIVE_INFINITY;
  await eachEvent(input.again(), ({ time }) => {
    if (time !== null && time > last) last = time;
  });
  if (!Number.isFinite(last)) throw noTimes(input.files);
  return last;
}

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

export function checkHistory(learner: Learner, until: number): void {
  const { from } = learner.range;
  if (Number.isNaN(from)) {
    throw new Fault(
      "badData",
      "no line lies before the end of training",
      `--train-until ${iso(until)}`,
      "there is nothing to learn from, so nothing can be called unusual",
      "choose a later time, or add older (rotated) log files",
    );
  }
  const days = (until - from) / DAY_MS;
  if (until - from >= MIN_HISTORY_MS) return;
  throw new Fault(
    "badData",
    `too little history: ${days.toFixed(1)} days before the end of training`,
    `--train-until ${iso(until)}, first line ${iso(from)}`,
    "silences need 1 day, new messages 2, windows and accounts 3, the daily shape 7, firm lines 10 days",
    "add older (rotated) log files, or choose a later time",
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
