import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type Episode, Material, readEpisodes } from "../compose/material.ts";
import type { KnownPairs } from "../feature/entity.ts";
import type { LineBatch } from "../log/lines.ts";
import { LogClock } from "../log/year.ts";
import type { MailEvent } from "../mail/event.ts";
import { EventReader } from "../mail/read.ts";
import { INJECTED, type Injection } from "../pipeline/injection.ts";
import type { Model, PipelineOptions } from "../pipeline/model.ts";
import { type Probe, Trial, type TrialResult } from "../pipeline/trial.ts";
import type { MailInput } from "./input.ts";
import { createProgress, PROGRESS_LINES } from "./progress.ts";

/** Models that go through a log's last days, with faults that are put in. */

/** Recorded episodes that come with the program. */
const EPISODES = { first: "episodes.jsonl.gz", second: "episodes-second.jsonl.gz" };
/** Any will do: it sets the keys of a table and changes no result. */
const KEY_SEED = 1;

export type Contender = { readonly model: Model; readonly pairs: KnownPairs };

export function loadEpisodes(site: keyof typeof EPISODES): Generator<Episode> {
  const file = new URL(`../../../samples/${EPISODES[site]}`, import.meta.url);
  return readEpisodes(gunzipSync(readFileSync(file)).toString("utf8"));
}

export const loadMaterial = (site: keyof typeof EPISODES = "first"): Material =>
  new Material(loadEpisodes(site));

/** A model on its way through the last days, with a reader of its own, since each model knows other groups of shapes. */
export class Walker {
  readonly probes: Probe[] = [];
  readonly from: number;
  readonly until: number;
  readonly #input: MailInput;
  readonly #contender: Contender;
  readonly #settings: PipelineOptions;
  readonly #judged: (time: number) => boolean;
  readonly #waiting: Injection[];
  #trial: Trial | undefined;
  #reader: EventReader | undefined;
  #open: Probe[] = [];
  #result: TrialResult | undefined;

  /** from, until: log times in ms between which it goes; judged: where its alerts and scores count. */
  constructor(
    input: MailInput,
    contender: Contender,
    settings: PipelineOptions,
    from: number,
    judged: (time: number) => boolean,
    injections: readonly Injection[],
    until: number = Number.POSITIVE_INFINITY,
  ) {
    this.until = until;
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
    for (const probe of this.#open) probe.add(event);
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
    if (this.#open.some(({ injection }) => time >= injection.until))
      this.#open = this.#open.filter(({ injection }) => time < injection.until);
    while (this.#waiting.length > 0 && time >= this.#waiting[0]!.start) {
      const composed = this.#newReader(time);
      let line = 0;
      const read = (text: string): MailEvent => composed.readText(INJECTED, ++line, text);
      const probe = this.#trial!.fork(this.#waiting.shift()!, read);
      this.probes.push(probe);
      if (!probe.traceless) this.#open.push(probe);
    }
  }

  /** The detector is let go: of a walk that is over nothing else is kept. */
  end(): TrialResult {
    if (this.#result) return this.#result;
    const trial = this.#trial ?? this.#begin(this.from);
    if (Number.isFinite(this.until)) trial.advance(this.until);
    this.#trial = undefined;
    this.#reader = undefined;
    this.#result = trial.end();
    return this.#result;
  }
}

/** Hands all lines to the walkers, each from its time on. what: it is called so while it goes on. */
export async function walk(
  input: MailInput,
  walkers: readonly Walker[],
  { what, quiet }: { readonly what: string; readonly quiet: boolean },
): Promise<void> {
  const progress = createProgress(what, 0, { quiet });
  let read = 0;
  let now = Number.NEGATIVE_INFINITY;
  for await (const { file, lines } of input.batches()) {
    for (let i = 0; i < lines.count; i++) {
      if (++read % PROGRESS_LINES === 0) progress.update(read);
      const { time } = input.reader.read(file, lines, i) as MailEvent;
      if (time !== null && time > now) now = time;
      for (const walker of walkers)
        if (now >= walker.until) walker.end();
        else if (now >= walker.from) walker.line(file, lines, i, now);
    }
  }
  progress.end();
}
