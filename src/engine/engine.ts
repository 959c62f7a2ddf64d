import { deserialize, serialize } from "node:v8";
import { gunzipSync, gzipSync } from "node:zlib";
import { type Alert, type AlertRecord, alertRecord, keptRecord } from "../detect/alert.ts";
import type { Rules } from "../detect/rules.ts";
import type { MailEvent } from "../mail/event.ts";
import { OwnMail } from "../mail/own-mail.ts";
import type { EventReader } from "../mail/read.ts";
import { Detector } from "../pipeline/detector.ts";
import type { Model, PipelineOptions } from "../pipeline/model.ts";
import { STATE_VERSION, StateError } from "../pipeline/saved.ts";
import { continues, type Position, type Run } from "../source/position.ts";
import type { Checkpoint, Effects, Input } from "../store/live.ts";
import { DayTally } from "./day-tally.ts";
import { NewTemplates } from "./new-templates.ts";

/**
 * The running detector and all that it counts, between two commits. Lines and ticks go in, and what has to be written comes
 * out by `drain`. Whoever holds it writes that in one transaction (store/live.ts): so what is on disk is the state of some
 * moment, and the inputs since the checkpoint lead from there to now.
 */

/** Raised when a saved state means something else than before. */
const VERSION = 1;
/** A state is a few MB; a damaged one may not unpack without end. */
const MAX_STATE = 512 << 20;

export type EngineOptions = {
  readonly model: Model;
  readonly modelId: string;
  readonly settings: PipelineOptions;
  /** IANA zone in which days are cut. */
  readonly zone: string;
  /** Whether a Message-ID, without brackets, is one of ours. */
  readonly isOurs: (messageId: string) => boolean;
};

/** What happened to an incident, to be told. */
export type Told = { readonly event: "opened" | "worse" | "closed"; readonly alert: AlertRecord };

export type Drained = Pick<Effects, "inputs" | "positions" | "alerts" | "days" | "templates"> & {
  readonly told: readonly Told[];
};

type Saved = {
  readonly version: number;
  readonly detector: ReturnType<Detector["save"]>;
  readonly reader: ReturnType<EventReader["save"]>;
  readonly own: readonly string[];
  readonly watching: boolean;
  readonly last: number;
};

/** An incident that may still change, as it was last written, and whether a change of its nature was told. */
type Open = { readonly alert: Alert; written: string; changed: boolean };

export class Engine {
  readonly #options: EngineOptions;
  readonly #detector: Detector;
  readonly #reader: EventReader;
  readonly #own: OwnMail;
  readonly #tally: DayTally;
  readonly #templates: NewTemplates;
  readonly #open = new Map<string, Open>();
  #inputs: Input[] = [];
  #positions = new Map<string, object>();
  #told: Told[] = [];
  #changed = new Map<string, AlertRecord>();
  /** Lines from before the model's end are no news; after the first later one none is early. */
  #watching = false;
  #last = Number.NEGATIVE_INFINITY;

  /** detector: of the model, at its beginning or restored. */
  constructor(options: EngineOptions, detector: Detector, reader: EventReader) {
    this.#options = options;
    this.#detector = detector;
    this.#reader = reader;
    this.#own = new OwnMail(options.isOurs);
    this.#tally = new DayTally(options.zone, detector.ledger);
    this.#templates = new NewTemplates(options.model.novelty.known);
    for (const alert of detector.manager.open) this.#follow(alert);
  }

  /**
   * The engine of a checkpoint; undefined when that is of another model or release. What was taken in since is to be taken
   * again, and then `forget` called.
   */
  static restore(checkpoint: Checkpoint, options: EngineOptions, reader: EventReader): Engine | undefined {
    if (checkpoint.model !== options.modelId) return undefined;
    const saved = unpacked(checkpoint);
    const detector = saved && restored(saved, options);
    if (saved === undefined || detector === undefined) return undefined;
    reader.load(saved.reader);
    const engine = new Engine(options, detector, reader);
    engine.#own.restore(saved.own);
    engine.#watching = saved.watching;
    engine.#last = saved.last;
    return engine;
  }

  /**
   * Goes on with the incidents of another model's engine, and not with those that were found on the way here: they were told.
   * What was counted on the way was counted by the other, too.
   */
  adopt(checkpoint: Checkpoint): void {
    const { manager } = this.#detector;
    const saved = unpacked(checkpoint);
    if (saved) manager.load(saved.detector.incidents);
    this.#open.clear();
    for (const alert of manager.open) this.#follow(alert);
    this.drain();
  }

  /** Log time of the last line or tick, in ms; -Infinity before the first. */
  get last(): number {
    return this.#last;
  }

  /** Incidents open now, those held back too. */
  get open(): readonly Alert[] {
    return this.#detector.manager.open;
  }

  /** Where sources are before their first line. */
  startAt(positions: ReadonlyMap<string, object>): void {
    for (const [source, at] of positions) this.#positions.set(source, at);
  }

  take({ source, file, lines, from, to }: Run): void {
    for (let i = 0; i < lines.count; i++) this.#line(this.#reader.read(file, lines, i));
    const before = this.#inputs.at(-1);
    if (
      before &&
      "source" in before &&
      before.source === source &&
      continues(before.to as Position, from, to)
    )
      this.#inputs[this.#inputs.length - 1] = { source, from: before.from, to };
    else this.#inputs.push({ source, from, to });
    this.#positions.set(source, to);
  }

  /** Log time passes without a line, in ms. An earlier time than that of the last line changes nothing. */
  tick(time: number): void {
    if (!this.#watching || time <= this.#last) return;
    this.#last = time;
    for (const alert of this.#detector.advance(time)) this.#opened(alert);
    this.#inputs.push({ tick: time });
  }

  /** What the operator has said, from the next line or tick on. The same again changes nothing. */
  obey(rules: Rules): void {
    const { manager } = this.#detector;
    if (JSON.stringify(rules) === JSON.stringify(manager.rules)) return;
    manager.obey(rules);
    this.#inputs.push({ rules });
  }

  /** What the operator has said. */
  get rules(): Rules {
    return this.#detector.manager.rules;
  }

  /** Lines that were gone before they could be read. */
  lost(lines: number): void {
    if (lines > 0) this.#tally.lost(lines, this.#last);
  }

  #line(event: MailEvent): void {
    const { time } = event;
    this.#tally.line(event);
    if (time === null) {
      if (this.#watching) for (const alert of this.#detector.add(event)) this.#opened(alert);
      return;
    }
    if (!this.#watching && time < this.#options.model.to) return;
    this.#watching = true;
    if (time > this.#last) this.#last = time;
    this.#templates.see(event, time);
    if (this.#own.owns(event)) return;
    for (const alert of this.#detector.add(event)) this.#opened(alert);
  }

  #opened(alert: Alert): void {
    this.#follow(alert);
    if (!alert.held) this.#told.push({ event: "opened", alert: alertRecord(alert) });
  }

  #follow(alert: Alert): void {
    this.#open.set(alert.id, { alert, written: "", changed: alert.updates.length > 0 });
  }

  /** What changed in open incidents since the last look. */
  #look(): void {
    for (const [id, open] of this.#open) {
      const kept = keptRecord(open.alert);
      const written = JSON.stringify(kept);
      if (written === open.written) continue;
      open.written = written;
      this.#changed.set(id, kept);
      const record = alertRecord(open.alert);
      if (!open.changed && open.alert.updates.length > 0) {
        open.changed = true;
        if (!open.alert.held) this.#told.push({ event: "worse", alert: record });
      }
      if (open.alert.closedAt === null) continue;
      if (!open.alert.held) this.#told.push({ event: "closed", alert: record });
      this.#open.delete(id);
    }
  }

  /** What is to be written, once: the next one begins after it. */
  drain(): Drained {
    this.#look();
    const drained = {
      inputs: this.#inputs,
      positions: this.#positions,
      alerts: [...this.#changed.values()],
      told: this.#told,
      days: this.#tally.drain(this.#last),
      templates: this.#templates.drain(),
    };
    this.#inputs = [];
    this.#positions = new Map();
    this.#told = [];
    this.#changed = new Map();
    return drained;
  }

  /** The state of this moment; call after `drain`, and write both at once. */
  checkpoint(): Checkpoint {
    const saved: Saved = {
      version: VERSION,
      detector: this.#detector.save(),
      reader: this.#reader.save(),
      own: this.#own.save(),
      watching: this.#watching,
      last: this.#last,
    };
    return {
      model: this.#options.modelId,
      logTime: Number.isFinite(this.#last) ? this.#last : this.#options.model.to,
      blob: gzipSync(serialize(saved), { level: 1 }),
    };
  }
}

/** A checkpoint with the detector that `change` makes of its own; undefined for one of another release. */
export function changeCheckpoint(
  checkpoint: Checkpoint,
  change: (detector: Saved["detector"], reader: Saved["reader"]) => Saved["detector"],
): Checkpoint | undefined {
  const saved = unpacked(checkpoint);
  if (saved === undefined) return undefined;
  const changed: Saved = { ...saved, detector: change(saved.detector, saved.reader) };
  return { ...checkpoint, blob: gzipSync(serialize(changed), { level: 1 }) };
}

/** Undefined for the state of another release. */
function unpacked({ blob }: Checkpoint): Saved | undefined {
  const saved = deserialize(gunzipSync(blob, { maxOutputLength: MAX_STATE })) as Saved;
  return saved.version === VERSION && saved.detector.version === STATE_VERSION ? saved : undefined;
}

function restored({ detector }: Saved, { model, settings }: EngineOptions): Detector | undefined {
  try {
    return Detector.restore(model, detector, settings);
  } catch (error) {
    if (error instanceof StateError) return undefined;
    throw error;
  }
}
