import { loadKernels } from "../src/cli/kernels.ts";
import type { Alert } from "../src/detect/alert.ts";
import { DAY_MS, localClock } from "../src/feature/clock.ts";
import { type Flagged, NOTHING_FLAGGED } from "../src/feature/flagged.ts";
import { LogClock } from "../src/log/year.ts";
import { Zone } from "../src/log/zone.ts";
import type { MailEvent } from "../src/mail/event.ts";
import { EventReader } from "../src/mail/read.ts";
import { Detector } from "../src/pipeline/detector.ts";
import { Learner } from "../src/pipeline/learner.ts";
import type { Learned, PipelineOptions } from "../src/pipeline/model.ts";

/** A log in the order of time, learned and watched in parts as by weekly retrainings. */
export type Line = { readonly time: number; readonly text: string };

const ZONE = new Zone("UTC");
const OPTIONS: PipelineOptions = {
  clock: localClock(ZONE),
  budget: 2,
  without: new Set(["transaction"]),
  salt: "salt",
  seed: 1,
  kernels: loadKernels(),
  timeOnly: true,
};
/** Days of history of a training. */
const DAYS = 35;

export const eventOf = (text: string): MailEvent =>
  new EventReader(new LogClock(ZONE, 2026), 7).readText("mail.log", 1, text);

export class Weeks {
  readonly #lines: readonly Line[];
  readonly #options: PipelineOptions;

  constructor(lines: readonly Line[], options: Partial<PipelineOptions> = {}) {
    this.#lines = lines;
    this.#options = { ...OPTIONS, ...options };
  }

  /** Learns the five weeks before a time, in ms. remembered: the model before. */
  learn(until: number, remembered?: Learned, flagged: Flagged = NOTHING_FLAGGED): Learned {
    const learner = new Learner(this.#options, flagged, remembered);
    const reader = new EventReader(new LogClock(ZONE, 2026), 7);
    for (const [i, text] of this.#between(until - DAYS * DAY_MS, until))
      learner.add(reader.readText("mail.log", i + 1, text));
    const model = learner.fit(until, remembered?.model);
    return { model, pairs: learner.pairs };
  }

  /** What is told between two times, in ms, by a model that ended there. */
  watch({ model, pairs }: Learned, from: number, to: number): Alert[] {
    const learner = new Learner(this.#options, NOTHING_FLAGGED, { model, pairs });
    const reader = new EventReader(new LogClock(ZONE, 2026), 7);
    for (const [i, text] of this.#between(from - 1.5 * DAY_MS, from))
      learner.add(reader.readText("mail.log", i + 1, text));
    reader.adopt(model.groups);
    const detector = new Detector(model, learner, this.#options);
    const told = new Map<string, Alert>();
    for (const [i, text] of this.#between(from, to))
      for (const alert of detector.add(reader.readText("mail.log", i + 1, text))) told.set(alert.id, alert);
    detector.end();
    return [...told.values()];
  }

  *#between(from: number, to: number): Generator<[number, string]> {
    for (const [i, { time, text }] of this.#lines.entries()) if (time >= from && time < to) yield [i, text];
  }
}
