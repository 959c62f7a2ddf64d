import type { RetrainConfig } from "../config/config.ts";
import { type Alert, keptRecord } from "../detect/alert.ts";
import { type Plan, plannedRanges } from "../detect/planned.ts";
import { unpackWarm } from "../engine/warm.ts";
import { DAY_MS } from "../feature/clock.ts";
import type { Zone } from "../log/zone.ts";
import type { Detector } from "../pipeline/detector.ts";
import type { Learner } from "../pipeline/learner.ts";
import type { Model, PipelineOptions } from "../pipeline/model.ts";
import { modelId, packModel } from "../store/model.ts";
import { type Challenged, type Champion, challenge, type Evidence, incidentOf } from "./challenge.ts";
import type { DriveOptions, Successor } from "./drive.ts";
import { stageAfter } from "./first-days.ts";
import type { FileMark, MailInput } from "./input.ts";
import type { Contender } from "./walker.ts";

/** A back-test's weekly training: as `retrain` makes it and `watch` goes over to it, at the hour of the settings. */

const MINUTE_MS = 60_000;
const DAYS_A_WEEK = 7;
/** Where the settings say that nothing is learned by itself. */
const SUNDAY_NIGHT = { weekday: 0, atMinute: 210 };
/** 1970-01-01 was a Thursday. */
const FIRST_WEEKDAY = 4;

type When = Omit<RetrainConfig, "prior">;

export type WeeklyRequest = {
  readonly when: When;
  /** See LearnRequest. No verb has a flag for it. */
  readonly forgetful?: boolean;
  /** For evaluations: weekly alone, however short the history. */
  readonly unstaged?: boolean;
  /** Hears of each training, what was told or held back so far, and the model in use from then on. */
  readonly onRetrained: (retraining: Retraining, alerts: readonly Alert[], inUse: Contender) => void;
};

/** What became of a week's training. */
export type Retraining = Evidence & {
  /** Log time after whose first line it was, in ms. */
  readonly at: number;
  readonly promoted: boolean;
  /** In use from then on. */
  readonly model: string;
};

export const retrainingRecord = ({ at, ...rest }: Retraining): object => ({
  at: new Date(at).toISOString(),
  ...rest,
});

/** In words. */
export const retrainedText = ({ promoted, model, reason }: Retraining): string =>
  `model ${model} ${promoted ? "came into use" : "stayed in use"}: ${reason}`;

/** Where a file of the walk begins. */
type Mark = FileMark & { readonly lines: number; readonly newest: number };

/** Follows a walk over an input. What is learned from is read again, from the file in which it begins. */
export class Weekly implements Successor {
  readonly retrainings: Retraining[] = [];
  readonly #input: MailInput;
  readonly #options: PipelineOptions;
  readonly #request: WeeklyRequest;
  readonly #plans: readonly Plan[];
  readonly #onScore: DriveOptions["onScore"];
  readonly #marks: Mark[] = [];
  #champion: Champion | undefined;
  #due = Number.POSITIVE_INFINITY;
  /** Log time of the first line that was learned, in ms. */
  #began = Number.NEGATIVE_INFINITY;

  /** plans: of the calendar; their time is not learned. */
  constructor(
    input: MailInput,
    options: PipelineOptions,
    request: WeeklyRequest,
    plans: readonly Plan[],
    onScore: DriveOptions["onScore"],
  ) {
    this.#input = input;
    this.#options = options;
    this.#request = request;
    this.#plans = plans;
    this.#onScore = onScore;
  }

  begin(model: Model, { pairs }: Learner): void {
    this.#champion = { id: modelId(packModel({ model, pairs })), model, pairs, header: {} };
    this.#began = model.from;
    this.#due = this.#dueAfter(model.to);
  }

  /** Once a week, and in the first weeks as soon as more can be learned. after: in ms. */
  #dueAfter(after: number): number {
    const { when, unstaged } = this.#request;
    const weekly = dueAfter(after, when, this.#input.zone);
    const stage = unstaged ? undefined : stageAfter(this.#began, after);
    return stage === undefined ? weekly : Math.min(weekly, nightAfter(stage, when, this.#input.zone));
  }

  file(file: string, lines: number, newest: number): void {
    this.#marks.push({ file, clock: this.#input.reader.save().clock, lines, newest });
  }

  next(
    detector: Detector,
    alerts: readonly Alert[],
    lines: number,
    newest: number,
  ): Promise<Detector> | undefined {
    return newest < this.#due ? undefined : this.#learn(detector, alerts, lines, newest);
  }

  async #learn(before: Detector, alerts: readonly Alert[], lines: number, newest: number): Promise<Detector> {
    const { when, forgetful, onRetrained } = this.#request;
    const old = this.#champion!;
    this.#due = this.#dueAfter(newest);
    const since = Math.max(old.model.from, newest - when.days * DAY_MS);
    const { lesson, verdict, evidence } = await challenge(this.#linesSince(since, lines), {
      ...{ old, since, last: newest, quiet: true },
      planned: plannedRanges(this.#plans, since, newest),
      incidents: alerts.filter(({ held }) => !held).map((alert) => incidentOf(keptRecord(alert))),
      seed: this.#options.seed,
      budget: this.#options.budget,
      ...{ without: this.#options.without, forgetful, prior: this.#options.prior },
    });
    const { promoted } = verdict;
    const { id, header } = lesson.stored();
    if (promoted) this.#champion = { id, header, model: lesson.model, pairs: lesson.pairs };
    const retraining = { at: newest, promoted, model: promoted ? id : old.id, ...evidence };
    this.retrainings.push(retraining);
    onRetrained(retraining, alerts, this.#champion!);
    return promoted ? this.#goOver(before, lesson) : before;
  }

  /** The lines so far, from the file in which those of the time begin. since: log time, in ms. */
  #linesSince(since: number, lines: number): MailInput {
    const marks = this.#marks;
    while (marks.length > 1 && marks[1]!.newest < since) marks.shift();
    const mark = marks[0]!;
    return this.#input.part(mark, lines - mark.lines);
  }

  /** As a watch does: the new model goes on where its training ended, with the incidents of the one before. */
  #goOver(before: Detector, { model, warm }: Challenged["lesson"]): Detector {
    const detector = unpackWarm(warm, model, this.#options, undefined, this.#onScore);
    if (!detector) throw new RangeError("a state that was just packed is not its model's");
    detector.manager.load(before.manager.save());
    return detector;
  }
}

/** The next time of the week that the settings name, in ms. after: in ms. */
function dueAfter(after: number, when: When, zone: Zone): number {
  const { weekday, atMinute } = when.weekday === undefined ? SUNDAY_NIGHT : when;
  const isDay = (day: number): boolean => (day + FIRST_WEEKDAY) % DAYS_A_WEEK === weekday;
  return nextTime(after, atMinute, zone, isDay);
}

/** The next time of the day that the settings name: a timer asks then. */
const nightAfter = (after: number, when: When, zone: Zone): number =>
  nextTime(after, (when.weekday === undefined ? SUNDAY_NIGHT : when).atMinute, zone, () => true);

function nextTime(after: number, atMinute: number, zone: Zone, isDay: (day: number) => boolean): number {
  const today = Math.floor((after + zone.offsetAt(after)) / DAY_MS);
  for (let day = today; ; day++) {
    if (!isDay(day)) continue;
    const local = day * DAY_MS + atMinute * MINUTE_MS;
    const due = local - zone.offsetAt(local - zone.offsetAt(local));
    if (due > after) return due;
  }
}
