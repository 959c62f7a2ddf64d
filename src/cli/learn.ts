import { randomBytes } from "node:crypto";
import type { KnownPrior } from "../detect/novelty.ts";
import { packWarm } from "../engine/warm.ts";
import { Fault } from "../fault.ts";
import { DAY_MS, localClock } from "../feature/clock.ts";
import type { KnownPairs } from "../feature/entity.ts";
import type { Flagged } from "../feature/flagged.ts";
import { DailyFigures, type DayFigures } from "../mail/summary.ts";
import { Detector } from "../pipeline/detector.ts";
import { type HeldOut, Learner, PRIOR_DAYS } from "../pipeline/learner.ts";
import type { Learned, Model, PipelineOptions, ViewName } from "../pipeline/model.ts";
import type { Prior } from "../pipeline/prior.ts";
import { FORMAT_VERSION, modelId, packModel } from "../store/model.ts";
import type { StoredModel } from "../store/registry.ts";
import { eachEvent } from "./events.ts";
import type { MailInput } from "./input.ts";
import { loadKernels } from "./kernels.ts";
import { createProgress, PROGRESS_LINES } from "./progress.ts";
import { release } from "./release.ts";

/** Learning from a log, anew (`train`) or on what is known (`retrain`): both make the same things of it. */

/** History that any view needs; novelty asks for two days, the window and entity views for three, the daily shape for seven. */
const MIN_HISTORY_MS = DAY_MS;

/** Days whose mail figures are kept beside the model, for the usual ranges of `summary`. */
const MAX_FIGURE_DAYS = 84;

export type LearnRequest = {
  readonly seed: number;
  readonly quiet: boolean;
  /** Lines older than this log time, in ms, are read but not learned. */
  readonly since?: number | undefined;
  readonly flagged?: Flagged;
  /** Views that are left out; none when absent. */
  readonly without?: ReadonlySet<ViewName> | undefined;
  /** See PipelineOptions; none when absent. */
  readonly prior?: Prior | undefined;
  /** For evaluations: nothing is taken over of what the model in use remembers. */
  readonly forgetful?: boolean | undefined;
  /** The model in use, which the new one begins with. */
  readonly old?: Learned & { readonly id: string; readonly header: object };
};

export type Lesson = {
  readonly model: Model;
  readonly pairs: KnownPairs;
  /** First and last log time learned from, in ms. */
  readonly from: number;
  readonly to: number;
  /** Lines read. */
  readonly lines: number;
  /** Of both models, with an old one; see Learner. */
  readonly heldOut: HeldOut;
  /** To be saved. more: what else is to stand in the header. */
  readonly stored: (more?: object) => StoredModel;
  /** Where a watch with the model begins; see engine/warm.ts. */
  readonly warm: Uint8Array;
};

/** Reads the whole input. Throws a Fault when there is too little to learn from. */
export async function learn(input: MailInput, request: LearnRequest): Promise<Lesson> {
  const { seed, old, since = Number.NEGATIVE_INFINITY } = request;
  const settings: PipelineOptions = {
    clock: localClock(input.zone),
    budget: 1,
    without: request.without ?? new Set(),
    salt: old?.model.entity.salt ?? randomBytes(16).toString("hex"),
    seed,
    kernels: loadKernels(),
    prior: request.prior,
  };
  const learner = new Learner(settings, request.flagged, request.forgetful ? undefined : old);
  const figures = new DailyFigures(input.zone, MAX_FIGURE_DAYS);
  const progress = createProgress("learning", 0, { quiet: request.quiet });
  let lines = 0;
  await eachEvent(input, (event) => {
    if (event.time !== null && event.time >= since) learner.add(event);
    figures.add(event);
    if (++lines % PROGRESS_LINES === 0) progress.update(lines);
  });
  progress.update(lines);
  progress.end();
  const { from, to } = learner.range;
  checkHistory(learner, to);
  const model = learner.fit(to + 1, old?.model); // the end is exclusive
  const { pairs } = learner;
  const blob = packModel({ model, pairs });
  const id = modelId(blob, old?.id);
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
    parent: old?.id ?? null,
    ...(model.novelty.prior && { prior: priorRecord(model.novelty.prior) }),
    metrics: metricsOf(model, learner.heldOut),
    figures: withFigures(old?.header, figures.days),
  };
  return {
    ...{ model, pairs, from, to, lines },
    heldOut: learner.heldOut,
    stored: (more = {}) => ({ id, createdAt: to, header: { ...header, ...more }, blob }),
    warm: packWarm(new Detector(model, learner, settings), input.reader),
  };
}

/** As the header of a model tells of it. until: log time in ms from which on no training takes it. */
const priorRecord = ({ version, since, shapes }: KnownPrior): object => ({
  version,
  shapes: shapes.length,
  until: since + PRIOR_DAYS * DAY_MS,
});

/** Throws a Fault when there is too little before the end of training, in ms. */
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

const iso = (ms: number): string => new Date(ms).toISOString();

/** Passes over the rows that all networks took together, and how well they tell days that they did not see, in nats a row. */
function metricsOf(model: Model, heldOut: HeldOut): object {
  const { windowFolds, transaction, slowness } = model;
  const epochs = [windowFolds, transaction?.folds, slowness?.reception?.folds];
  const bound = (days: HeldOut["window"]): number | null => {
    const rows = days.reduce((sum, day) => sum + day.rows, 0);
    return rows === 0 ? null : days.reduce((sum, day) => sum + day.rows * day.new, 0) / rows;
  };
  return {
    epochs: epochs.reduce((sum, f) => sum + (f?.epochs ?? 0), 0),
    held_out: { window: bound(heldOut.window), transaction: bound(heldOut.transaction) },
  };
}

/** Figures of days that are no longer in the log are those of the model before. */
function withFigures(header: object | undefined, days: readonly DayFigures[]): readonly DayFigures[] {
  const { figures } = (header ?? {}) as { figures?: unknown };
  const before = (Array.isArray(figures) ? figures : []) as readonly DayFigures[];
  const first = days[0]?.day;
  const older = before.filter(({ day }) => first === undefined || day < first);
  return [...older, ...days].slice(-MAX_FIGURE_DAYS);
}
