// Learns from lines in memory and watches others, in one process: many weeks that share a past.
import { deserialize, serialize } from "node:v8";
import { loadKernels } from "../../src/cli/kernels.ts";
import type { Alert } from "../../src/detect/alert.ts";
import { localClock } from "../../src/feature/clock.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader, type SavedReader } from "../../src/mail/read.ts";
import { Detector } from "../../src/pipeline/detector.ts";
import { Learner } from "../../src/pipeline/learner.ts";
import type { Model, PipelineOptions } from "../../src/pipeline/model.ts";
import type { SavedDetector } from "../../src/pipeline/saved.ts";
import type { Line } from "./changes.ts";

const FILE = "mail.log";
/** Of keys; it changes no result. */
const KEY_SEED = 1;

export type Trained = {
  readonly model: Model;
  readonly options: PipelineOptions;
  readonly zone: Zone;
  /** Detector and reader, packed. */
  readonly state: Buffer;
  /** Lines learned. */
  readonly count: number;
};

/** until: in ms. */
export function train(lines: Iterable<Line>, until: number, zone: Zone = new Zone("UTC")): Trained {
  const options: PipelineOptions = {
    ...{ clock: localClock(zone), budget: 2, without: new Set(), salt: "", seed: 1 },
    kernels: loadKernels(),
  };
  const learner = new Learner(options);
  const reader = new EventReader(new LogClock(zone, new Date(until).getUTCFullYear()), KEY_SEED);
  let count = 0;
  for (const line of lines) {
    if (line.time >= until) break;
    learner.add(reader.readText(FILE, ++count, line.text));
  }
  const model = learner.fit(until);
  reader.adopt(model.groups);
  const detector = new Detector(model, learner, options);
  return {
    model,
    options,
    zone,
    count,
    state: serialize({ detector: detector.save(), reader: reader.save() }),
  };
}

/** All alerts, held ones too. lines: those that were learned come first. */
export function watch({ model, options, zone, state, count }: Trained, lines: readonly Line[]): Alert[] {
  const saved = deserialize(state) as { detector: SavedDetector; reader: SavedReader };
  const reader = new EventReader(new LogClock(zone, undefined), KEY_SEED);
  reader.adopt(model.groups);
  reader.load(saved.reader);
  const detector = Detector.restore(model, saved.detector, options);
  const alerts: Alert[] = [];
  for (const [i, { time, text }] of lines.entries()) {
    if (i < count) continue;
    const event = reader.readText(FILE, i + 1, text);
    alerts.push(...detector.add(event));
    // as a watch does, for which time passes by the clock
    if (event.time === null) alerts.push(...detector.advance(time));
  }
  detector.end();
  return alerts;
}
