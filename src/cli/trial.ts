import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Material, readEpisodes } from "../compose/material.ts";
import { foldOf } from "../detect/folds.ts";
import { DAY_MS, localClock, slotOf } from "../feature/clock.ts";
import type { KnownPairs } from "../feature/entity.ts";
import type { Flagged } from "../feature/flagged.ts";
import type { LineBatch } from "../log/lines.ts";
import { LogClock } from "../log/year.ts";
import type { MailEvent } from "../mail/event.ts";
import { EventReader } from "../mail/read.ts";
import { INJECTED, type Injection, planInjections, type Sketch, Sketcher } from "../pipeline/injection.ts";
import { Learner } from "../pipeline/learner.ts";
import type { Model, PipelineOptions } from "../pipeline/model.ts";
import {
  cleanTime,
  heldOutDays,
  type Probe,
  standInParent,
  Trial,
  type TrialResult,
  WARM_UP_MS,
  wholeDays,
} from "../pipeline/trial.ts";
import { type Evidence, trialEvidence } from "../pipeline/verdict.ts";
import { eachEvent } from "./events.ts";
import type { MailInput } from "./input.ts";
import { loadKernels } from "./kernels.ts";
import { createProgress, PROGRESS_LINES } from "./progress.ts";

/** The new model and the one in use on the log's last days: what each would have told, and what of faults that are put in. */

/** Recorded episodes that come with the program. */
const EPISODES = new URL("../../../samples/episodes.jsonl.gz", import.meta.url);
/** Whole days at the end of the log that the models go through; each costs some seconds. */
const TRIAL_DAYS = 3;
/** Any will do: it sets the keys of a table and changes no result. */
const KEY_SEED = 1;

export type Contender = { readonly model: Model; readonly pairs: KnownPairs };

export type TrialRequest = {
  readonly old: Contender;
  readonly fresh: Contender;
  /** What the new one has learned from: log times in ms, and what was left out. */
  readonly since: number;
  readonly to: number;
  readonly flagged: Flagged;
  readonly seed: number;
  readonly budget: number;
  readonly quiet: boolean;
};

/** Undefined where no whole day is new to the model in use. Reads the input twice. */
export async function tryModels(input: MailInput, request: TrialRequest): Promise<Evidence | undefined> {
  const { old, fresh, to, flagged, seed } = request;
  const days = wholeDays(old.model.to, to).slice(-TRIAL_DAYS);
  const judged = heldOutDays(days);
  if (judged.length === 0) return undefined;
  const { standIn, sketch } = await learnStandIn(input.again(), request, judged);
  const injections = sketch ? planInjections(days, cleanTime(days, flagged), sketch, loadMaterial, seed) : [];
  const is = cleanTime(judged, flagged);
  const from = judged[0]! - WARM_UP_MS;
  const settings = { ...settingsFor(input, request), budget: request.budget };
  const warm = (injections[0]?.start ?? to) - WARM_UP_MS;
  const before = new Walker(input, old, settings, Math.min(from, warm), is, injections);
  const instead = new Walker(input, standIn, settings, from, is, []);
  const after = new Walker(input, fresh, settings, warm, is, injections);
  await walk(input.again(), [before, instead, after], request.quiet);
  return trialEvidence({
    days: judged.length,
    old: before.end(),
    new: instead.end(),
    probes: { old: before.probes, new: after.probes },
  });
}

const settingsFor = (input: MailInput, { seed, fresh }: TrialRequest): PipelineOptions => ({
  clock: localClock(input.zone),
  budget: 1,
  without: new Set(),
  salt: fresh.model.entity.salt,
  seed,
  kernels: loadKernels(),
});

/** What the same training makes without the days that judge it; and what the server looks like on the last days. */
async function learnStandIn(
  input: MailInput,
  request: TrialRequest,
  judged: readonly number[],
): Promise<{ standIn: Contender; sketch: Sketch | undefined }> {
  const { since, to, flagged, fresh, old } = request;
  const ranges = judged.map((day) => ({ start: day, end: day + DAY_MS - 1 }));
  const learner = new Learner(settingsFor(input, request), flagged.plus(ranges));
  const sketcher = new Sketcher();
  const progress = createProgress("comparing", 0, { quiet: request.quiet });
  let lines = 0;
  await eachEvent(input, (event) => {
    if (++lines % PROGRESS_LINES === 0) progress.update(lines);
    if (event.time === null || event.time < since) return;
    learner.add(event);
    if (event.time >= old.model.to) sketcher.see(event);
  });
  progress.end();
  const model = learner.fit(to + 1, standInParent(fresh.model, foldOf(slotOf(judged[0]!))));
  const sketch = sketcher.sketch(input.zone.name, (to - old.model.to) / DAY_MS);
  return { standIn: { model, pairs: learner.reader.pairs }, sketch };
}

const loadMaterial = (): Material =>
  new Material(readEpisodes(gunzipSync(readFileSync(EPISODES)).toString("utf8")));

/** A model on its way through the last days, with a reader of its own, since each model knows other groups of shapes. */
class Walker {
  readonly probes: Probe[] = [];
  readonly from: number;
  readonly #input: MailInput;
  readonly #contender: Contender;
  readonly #settings: PipelineOptions;
  readonly #judged: (time: number) => boolean;
  readonly #waiting: Injection[];
  #trial: Trial | undefined;
  #reader: EventReader | undefined;
  #composed: EventReader | undefined;
  #probe: Probe | undefined;

  constructor(
    input: MailInput,
    contender: Contender,
    settings: PipelineOptions,
    from: number,
    judged: (time: number) => boolean,
    injections: readonly Injection[],
  ) {
    this.#input = input;
    this.#contender = contender;
    this.#settings = { ...settings, salt: contender.model.entity.salt };
    this.from = from;
    this.#judged = judged;
    this.#waiting = [...injections].sort((a, b) => a.start - b.start);
  }

  /** The first line that this one sees, and all after it. time: of the line as the log's own reader read it. */
  line(file: string, lines: LineBatch, i: number, time: number): void {
    this.#reader ??= this.#newReader(time);
    const event = this.#reader.read(file, lines, i);
    this.#trial ??= this.#begin(time);
    if (event.time === null) return;
    this.#faults(event.time);
    this.#trial.add(event);
    this.#probe?.add(event);
  }

  #begin(time: number): Trial {
    const { model, pairs } = this.#contender;
    return new Trial(model, pairs, this.#settings, time, this.#judged);
  }

  #newReader(time: number): EventReader {
    const { zone } = this.#input;
    const year = new Date(time + zone.offsetAt(time)).getUTCFullYear();
    const reader = new EventReader(new LogClock(zone, year), KEY_SEED);
    reader.adopt(this.#contender.model.groups);
    return reader;
  }

  #faults(time: number): void {
    if (this.#probe && time >= this.#probe.injection.until) this.#probe = undefined;
    const next = this.#waiting[0];
    if (next === undefined || time < next.start) return;
    this.#waiting.shift();
    this.#composed ??= this.#newReader(time);
    const composed = this.#composed;
    let line = 0;
    this.#probe = this.#trial!.fork(next, (text) => composed.readText(INJECTED, ++line, text));
    this.probes.push(this.#probe);
  }

  end(): TrialResult {
    this.#trial ??= this.#begin(this.from);
    return this.#trial.end();
  }
}

async function walk(input: MailInput, walkers: readonly Walker[], quiet: boolean): Promise<void> {
  const progress = createProgress("comparing", 0, { quiet });
  let read = 0;
  let now = Number.NEGATIVE_INFINITY;
  for await (const { file, lines } of input.batches()) {
    for (let i = 0; i < lines.count; i++) {
      if (++read % PROGRESS_LINES === 0) progress.update(read);
      const { time } = input.reader.read(file, lines, i) as MailEvent;
      if (time !== null && time > now) now = time;
      for (const walker of walkers) if (now >= walker.from) walker.line(file, lines, i, now);
    }
  }
  progress.end();
}
