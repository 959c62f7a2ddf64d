import { deserialize, serialize } from "node:v8";
import { loadKernels } from "../../src/cli/kernels.ts";
import type { Alert } from "../../src/detect/alert.ts";
import type { Candidate } from "../../src/detect/candidate.ts";
import { IncidentManager } from "../../src/detect/incident.ts";
import type { FeedbackRule, Rules } from "../../src/detect/rules.ts";
import { localClock } from "../../src/feature/clock.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader } from "../../src/mail/read.ts";
import { Detector } from "../../src/pipeline/detector.ts";
import { Learner } from "../../src/pipeline/learner.ts";
import type { PipelineOptions } from "../../src/pipeline/model.ts";

/**
 * A log that is learned once and watched as often as is asked, with many sets of feedback at a time: each has an incident manager of its own,
 * which hears every finding. What the detector itself asks of its incidents (which silences are offered again) goes without feedback; no
 * silence is called harmless here.
 */

const BUDGET = 2;
/** Any will do: it sets the keys of a table and changes no result. */
const KEY_SEED = 1;

export type Line = { readonly time: number; readonly text: string };

export class Watched {
  readonly #lines: readonly Line[];
  readonly #first: number;
  readonly #options: PipelineOptions;
  readonly #reader: EventReader;
  readonly #groups: Parameters<EventReader["adopt"]>[0];
  readonly #state: { readonly reader: Buffer; readonly detector: Buffer };
  readonly #model: Detector["model"];

  /** until: end of training, in ms. zone, year: of the lines. */
  constructor(
    lines: readonly Line[],
    until: number,
    zoneName: string,
    year: number,
    seed: number,
    salt: string,
  ) {
    const zone = new Zone(zoneName);
    this.#lines = lines;
    this.#options = {
      ...{ clock: localClock(zone), budget: BUDGET, without: new Set<never>(), salt, seed },
      kernels: loadKernels(),
    };
    this.#reader = new EventReader(new LogClock(zone, year), KEY_SEED);
    const learner = new Learner(this.#options);
    let i = 0;
    for (; i < lines.length && lines[i]!.time < until; i++) learner.add(this.#read(i));
    this.#first = i;
    const model = learner.fit(until);
    this.#model = model;
    this.#groups = model.groups;
    this.#reader.adopt(this.#groups);
    const detector = new Detector(model, learner, this.#options);
    this.#state = { reader: serialize(this.#reader.save()), detector: serialize(detector.save()) };
  }

  #read(i: number): ReturnType<EventReader["readText"]> {
    return this.#reader.readText("mail.log", i + 1, this.#lines[i]!.text);
  }

  /** The alerts, in the order of their opening; held ones too. onOffer: hears every finding. */
  alerts(onOffer?: (candidates: readonly Candidate[]) => void): Alert[] {
    const { reader, detector } = this.#state;
    this.#reader.load(deserialize(reader) as ReturnType<EventReader["save"]>);
    const watch = Detector.restore(this.#model, deserialize(detector) as never, {
      ...this.#options,
      onOffer,
    });
    const alerts: Alert[] = [];
    for (let i = this.#first; i < this.#lines.length; i++) alerts.push(...watch.add(this.#read(i)));
    watch.end();
    return alerts;
  }

  /** The alerts under each of some sets of feedback, which holds from the first line on. */
  under(sets: readonly (readonly FeedbackRule[])[]): Alert[][] {
    const all: Alert[][] = sets.map(() => []);
    const managers = sets.map((feedback) => {
      const manager = new IncidentManager({ perDay: BUDGET, clock: this.#options.clock });
      const rules: Rules = { feedback, plans: [] };
      manager.obey(rules);
      return manager;
    });
    this.alerts((candidates) => {
      for (const [i, manager] of managers.entries()) all[i]!.push(...manager.offer(candidates));
    });
    return all;
  }
}

/** `benign` on an alert. until: log time in ms. */
export const benign = (alert: Alert, id: number, until: number): FeedbackRule => ({
  ...{ id, verdict: "benign", scope: "this", until },
  kind: alert.kind,
  entities: alert.entities,
  templates: alert.templates.map((template) => template.id),
  parts: structuredClone(alert.parts),
  start: alert.start,
  end: alert.end,
});
