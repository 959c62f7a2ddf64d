import { readFileSync } from "node:fs";
import { deserialize, serialize } from "node:v8";
import { gunzipSync } from "node:zlib";
import { loadKernels } from "../../src/cli/kernels.ts";
import { type Alert, alertRecord } from "../../src/detect/alert.ts";
import { localClock } from "../../src/feature/clock.ts";
import { type LineBatch, LineCutter } from "../../src/log/lines.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader, type SavedReader } from "../../src/mail/read.ts";
import { Detector } from "../../src/pipeline/detector.ts";
import { Learner } from "../../src/pipeline/learner.ts";
import type { Model, PipelineOptions } from "../../src/pipeline/model.ts";
import type { SavedDetector } from "../../src/pipeline/saved.ts";

/** A log, learned from up to a time; then lines that are watched. */
export type Log = {
  readonly bytes: Buffer;
  readonly zone: string;
  readonly year: number;
  /** End of training, in ms. */
  readonly until: number;
};

/** The demo's log, learned for three weeks. */
export const QUICKSTART: Log = {
  bytes: gunzipSync(readFileSync("samples/quickstart.log.gz")),
  zone: "UTC",
  year: 2026,
  until: Date.UTC(2026, 8, 28),
};

export type Learned = {
  readonly log: Log;
  readonly lines: LineBatch;
  /** The first line that is watched. */
  readonly first: number;
  /** Of the lines from there on, in ms; NaN where a line has none. */
  readonly times: readonly number[];
  readonly model: Model;
  readonly options: PipelineOptions;
  /** The state after training, packed. */
  readonly start: Buffer;
  /** The watch that begins where training ended, without any state saved; to be used once. */
  readonly unbroken: Watch;
};

type State = { readonly detector: SavedDetector; readonly reader: SavedReader };
export const unpack = (packed: Buffer): State => deserialize(packed) as State;

/** Keys' seeds, another one for each reader: they change nothing. */
let seed = 7;
export const readerOf = ({ zone }: Log, year: number | undefined): EventReader =>
  new EventReader(new LogClock(new Zone(zone), year), seed++);

export const optionsIn = (zone: Zone, more: Partial<PipelineOptions> = {}): PipelineOptions => ({
  clock: localClock(zone),
  budget: 2,
  without: new Set(),
  salt: "salt",
  seed: 1,
  kernels: loadKernels(),
  ...more,
});

export function learn(log: Log, more: Partial<PipelineOptions> = {}): Learned {
  const options = optionsIn(new Zone(log.zone), more);
  const learner = new Learner(options);
  const reader = readerOf(log, log.year);
  const [lines] = new LineCutter().push(log.bytes) as [LineBatch];
  let first = 0;
  for (; first < lines.count; first++) {
    // the clock must not see the first watched line twice
    const before = reader.save().clock;
    const event = reader.read("mail.log", lines, first);
    if (event.time === null || event.time < log.until) learner.add(event);
    else {
      const after = reader.save();
      reader.load({ ...after, lines: after.lines - 1, clock: before });
      break;
    }
  }
  const model = learner.fit(log.until);
  reader.adopt(model.groups);
  const unbroken = new Watch(model, options, log, lines, reader);
  unbroken.detector = new Detector(model, learner, options, unbroken.onScore);
  const start = unbroken.pack();
  const times: number[] = [];
  const look = Watch.from({ log, lines, model, options }, start);
  for (let i = first; i < lines.count; i++)
    times.push(look.reader.read("mail.log", lines, i).time ?? Number.NaN);
  return { log, lines, first, times, model, options, start, unbroken };
}

/** A detector with its reader, which can be replaced by what was saved of them. */
export class Watch {
  detector!: Detector;
  reader: EventReader;
  /** Scored rows, as JSON. */
  readonly rows: string[] = [];
  readonly #alerts = new Map<string, Alert>();
  readonly #model: Model;
  readonly #options: PipelineOptions;
  readonly #log: Log;
  readonly #lines: LineBatch;

  constructor(model: Model, options: PipelineOptions, log: Log, lines: LineBatch, reader: EventReader) {
    this.#model = model;
    this.#options = options;
    this.#log = log;
    this.#lines = lines;
    this.reader = reader;
  }

  readonly onScore = (score: unknown): void => {
    this.rows.push(JSON.stringify(score));
  };

  static from(
    { model, options, log, lines }: Pick<Learned, "model" | "options" | "log" | "lines">,
    packed: Buffer,
  ): Watch {
    const watch = new Watch(model, options, log, lines, readerOf(log, undefined));
    watch.unpack(packed);
    return watch;
  }

  /** before: is handed the line's time before the detector sees the line. */
  line(i: number, before?: (time: number) => void): void {
    const event = this.reader.read("mail.log", this.#lines, i);
    if (before && event.time !== null) before(event.time);
    this.take(this.detector.add(event));
  }

  take(alerts: readonly Alert[]): void {
    for (const alert of alerts) this.#alerts.set(alert.id, alert);
  }

  pack(): Buffer {
    const state: State = { detector: this.detector.save(), reader: this.reader.save() };
    return serialize(state);
  }

  /** Goes on with a new detector and a new reader. The alerts that are open then are new objects. */
  unpack(packed: Buffer): void {
    const { detector, reader } = unpack(packed);
    this.reader = readerOf(this.#log, undefined);
    this.reader.adopt(this.#model.groups);
    this.reader.load(reader);
    this.detector = Detector.restore(this.#model, detector, this.#options, this.onScore);
    this.take(this.detector.manager.open);
  }

  /** What came of it, the log being at its end. */
  result(): Result {
    this.detector.end();
    const alerts = [...this.#alerts.values()].map(alertRecord);
    return {
      alerts: alerts.sort((a, b) => (a.opened_at + a.id < b.opened_at + b.id ? -1 : 1)),
      rows: this.rows,
      ledger: this.detector.ledger,
      stats: this.reader.stats(),
    };
  }
}

export type Result = {
  readonly alerts: readonly ReturnType<typeof alertRecord>[];
  readonly rows: readonly string[];
  readonly ledger: Detector["ledger"];
  readonly stats: ReturnType<EventReader["stats"]>;
};
