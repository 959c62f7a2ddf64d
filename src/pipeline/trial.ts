import type { Alert } from "../detect/alert.ts";
import { type Folds, foldOf } from "../detect/folds.ts";
import { DAY_MS, slotOf } from "../feature/clock.ts";
import type { KnownPairs } from "../feature/entity.ts";
import type { Flagged } from "../feature/flagged.ts";
import type { MailEvent } from "../mail/event.ts";
import { Detector } from "./detector.ts";
import { INJECTED, type Injection } from "./injection.ts";
import { coldStart, type Model, type PipelineOptions, type Score } from "./model.ts";

/**
 * What a model would have told of some days, counted on those that it did not learn from. A new model has learned from all days, so a
 * stand-in is judged in its place: what the same training makes without the days that judge it, with those of its networks that did not
 * see them.
 */

/** The longest that a detector looks back, for regular senders: so much of the log before a day makes it warm for that day. */
export const WARM_UP_MS: number = DAY_MS + 2 * 3_600_000;
/** A p-value that one row in a hundred should reach. */
const RARE = 0.01;
/** Views of which each row is scored, so that a share of them means something. */
export type ScoredView = "window" | "transaction" | "entity";
const SCORED_VIEWS: readonly ScoredView[] = ["window", "transaction", "entity"];

export type TrialResult = {
  /** Alerts that would have been told on the days that count, or were held back by the budget. */
  readonly told: readonly Alert[];
  readonly held: readonly Alert[];
  /** Rows of each view, and how many of them had a p-value of 0.01 or less. */
  readonly rows: Readonly<Record<ScoredView, { rows: number; rare: number }>>;
};

/** Where the alerts and the scores of a trial count. */
export type Judged = (time: number) => boolean;

/** A model that watches a part of the past. Hand it events in log order. */
export class Trial {
  readonly #detector: Detector;
  readonly #options: PipelineOptions;
  readonly #judged: Judged;
  readonly #alerts: Alert[] = [];
  readonly #rows = Object.fromEntries(SCORED_VIEWS.map((v) => [v, { rows: 0, rare: 0 }])) as {
    [view in ScoredView]: { rows: number; rare: number };
  };

  /** from: log time of the first event, in ms; nothing is known of before. */
  constructor(model: Model, pairs: KnownPairs, options: PipelineOptions, from: number, judged: Judged) {
    this.#judged = judged;
    this.#options = options;
    const start = coldStart(model.entity.salt, pairs);
    const begun = { ...model, from: model.from + from - model.to, to: from }; // of so long a training as ever
    this.#detector = new Detector(begun, start, options, (score) => this.#score(score));
  }

  #score({ view, time, pValue, rule }: Score): void {
    const rows = this.#rows[view as ScoredView] as { rows: number; rare: number } | undefined;
    if (rows === undefined || rule !== undefined || !this.#judged(time)) return;
    rows.rows++;
    if (pValue <= RARE) rows.rare++;
  }

  add(event: MailEvent): void {
    for (const alert of this.#detector.add(event)) this.#alerts.push(alert);
  }

  /** Time passes without a line, so that a silence is told though nothing comes after it. time: in ms. */
  advance(time: number): void {
    for (const alert of this.#detector.advance(time)) this.#alerts.push(alert);
  }

  /** The detector as it is now, for a fault that is put in. It has told nothing today, and has no incident open. */
  fork(injection: Injection, read: (text: string) => MailEvent): Probe {
    const saved = structuredClone(this.#detector.save());
    const { day, ledger } = saved.incidents;
    const incidents = { ledger, day, open: [], lastOf: new Map<string, number>(), openedToday: 0 };
    const { model } = this.#detector;
    return new Probe(Detector.restore(model, { ...saved, incidents }, this.#options), injection, read);
  }

  end(): TrialResult {
    this.#detector.end();
    const alerts = this.#alerts.filter(
      ({ openedAt, start }) => this.#judged(openedAt) && this.#judged(start),
    );
    return {
      told: alerts.filter(({ held }) => !held),
      held: alerts.filter(({ held }) => held),
      rows: this.#rows,
    };
  }
}

/** A fault that was put in, as one model meets it. */
export class Probe {
  readonly injection: Injection;
  readonly #detector: Detector;
  readonly #read: (text: string) => MailEvent;
  readonly #lines: readonly { readonly time: number; readonly text: string }[];
  #at = 0;
  /** The first alert that shows it. */
  alert: Alert | undefined;

  /** read: a composed line as an event, cited as of the file INJECTED. */
  constructor(detector: Detector, injection: Injection, read: (text: string) => MailEvent) {
    this.#detector = detector;
    this.injection = injection;
    this.#read = read;
    this.#lines = injection.lines();
  }

  /** Log time of that alert, in ms. */
  get found(): number | undefined {
    return this.alert?.openedAt;
  }

  /** Lines that were put in. */
  get lines(): number {
    return this.#lines.length;
  }

  /** Whether it has any trace: at night some faults meet nobody. */
  get traceless(): boolean {
    return this.injection.mutes === undefined && this.#lines.length === 0;
  }

  /** A line of the log. What was put in before it comes first. */
  add(event: MailEvent): void {
    const time = event.time ?? Number.NEGATIVE_INFINITY;
    while (this.#at < this.#lines.length && this.#lines[this.#at]!.time <= time)
      this.#take(this.#read(this.#lines[this.#at++]!.text));
    const { mutes, start, end } = this.injection;
    const muted = mutes !== undefined && time >= start && time < end && event.daemon.startsWith(mutes);
    if (!muted) this.#take(event);
  }

  #take(event: MailEvent): void {
    for (const alert of this.#detector.add(event)) if (this.#shows(alert)) this.alert ??= alert;
  }

  #shows({ view, lines }: Alert): boolean {
    if (lines.some(({ file }) => file === INJECTED)) return true;
    return this.injection.mutes !== undefined && view === "absence";
  }
}

/** The parent of a stand-in for a new model that is judged on days of this fold. */
export function standInParent(model: Model, fold: number): Model {
  const of = <T extends { readonly folds: Folds } | undefined>(part: T): T =>
    part && { ...part, folds: { ...part.folds, standIn: fold } };
  const { windowFolds, transaction, slowness } = model;
  return {
    ...model,
    windowFolds: windowFolds && { ...windowFolds, standIn: fold },
    transaction: of(transaction),
    slowness: slowness && { ...slowness, reception: of(slowness.reception) },
  };
}

/** Days of UTC, by their beginning in ms, that are whole between two log times. */
export function wholeDays(from: number, to: number): number[] {
  const days: number[] = [];
  for (let day = Math.ceil(from / DAY_MS) * DAY_MS; day + DAY_MS <= to; day += DAY_MS) days.push(day);
  return days;
}

/** Every other one of the days: those of one fold, of which the last whole day is. */
export function heldOutDays(days: readonly number[]): number[] {
  const last = days.at(-1);
  return last === undefined ? [] : days.filter((day) => foldOf(slotOf(day)) === foldOf(slotOf(last)));
}

/** Time within these days that no incident which was told holds. days: their beginnings in ms, of UTC. */
export function cleanTime(days: readonly number[], flagged: Flagged): Judged {
  const set = new Set(days);
  return (time) => set.has(Math.floor(time / DAY_MS) * DAY_MS) && !flagged.has(slotOf(time));
}
