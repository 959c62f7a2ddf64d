import { AbsenceCollector } from "../detect/absence-fit.ts";
import { fitConditionals } from "../detect/conditional.ts";
import { EntityCollector } from "../detect/entity-fit.ts";
import { type Newness, NoveltyCollector, newnessOf } from "../detect/novelty.ts";
import { fitRegulars } from "../detect/regular.ts";
import { SlownessCollector } from "../detect/slowness-fit.ts";
import { TransactionCollector } from "../detect/transaction.ts";
import { fitWindow, windowTable } from "../detect/window-fit.ts";
import { DAY_MS, SLOTS_PER_DAY, slotOf } from "../feature/clock.ts";
import { ColumnRegistry } from "../feature/columns.ts";
import { EntityReader, type Observation } from "../feature/entity.ts";
import { DeliveryTimer } from "../feature/slowness.ts";
import { TransactionTracker } from "../feature/transaction.ts";
import { joinColumns, placesOf, SlotCounter, type SlotCounts } from "../feature/window.ts";
import type { MailEvent } from "../mail/event.ts";
import { PlanMemo } from "../mail/plan-memo.ts";
import { GroupTable, learnGroups, type TemplateGroups } from "../template/groups.ts";
import type { Template } from "../template/mask.ts";
import { MAX_GAP_SLOTS, MIN_TRAINING_DAYS, type Model, type PipelineOptions, type Warmth } from "./model.ts";

/** Training reaches back at most so far: older habits are not today's, and the table stays small. */
const MAX_TRAINING_DAYS = 42;
/** Distinct shapes that training can join; later ones stay for themselves. */
const MAX_SHAPES = 20_000;
/** Observations of the last day that a detector may continue with. */
const MAX_TAIL = 100_000;

/** Reads the past. Hand it events in log order, then fit(). */
export class Learner implements Warmth {
  readonly registry: ColumnRegistry = new ColumnRegistry();
  readonly reader: EntityReader;
  readonly tracker: TransactionTracker = new TransactionTracker();
  /** Events of the last day, from which the detector starts warm. */
  readonly tail: Warmth["tail"] = { slots: [], observations: [] };
  events = 0;
  readonly #counter = new SlotCounter(this.registry);
  #slots: SlotCounts[] = [];
  #entities = new EntityCollector();
  #transactions = new TransactionCollector();
  readonly #timer = new DeliveryTimer();
  #slowness = new SlownessCollector();
  #novelty = new NoveltyCollector();
  readonly #newnesses = new PlanMemo<Newness>(newnessOf);
  #absence = new AbsenceCollector();
  /** Shapes by the id of their template. */
  readonly #shapes = new Map<string, { writer: string; shape: string }>();
  readonly #options: PipelineOptions;
  /** What the line at hand says of entities. */
  readonly #observed: Observation[] = [];
  #first = Number.NaN;
  #now = Number.NEGATIVE_INFINITY;
  #slot = Number.NEGATIVE_INFINITY;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.reader = new EntityReader(options.salt);
  }

  /** First and last log time seen, in ms; NaN and -Infinity before any. */
  get range(): { from: number; to: number } {
    return { from: this.#first, to: this.#now };
  }

  add(event: MailEvent): void {
    if (event.time === null) return;
    this.events++;
    if (Number.isNaN(this.#first)) this.#first = event.time;
    this.#now = Math.max(this.#now, event.time);
    const slot = slotOf(this.#now);
    if (slot !== this.#slot) this.#closeSlot(slot);
    this.#counter.add(event, slot);
    this.reader.read(event, this.#observed);
    if (this.#observed.length > 0) {
      for (const observation of this.#observed) {
        this.#entities.add(observation, slot);
        this.tail.observations.push({ observation, slot });
      }
      this.#observed.length = 0;
    }
    for (const t of this.tracker.add(event, this.#now)) {
      this.#transactions.add(t);
      this.#slowness.addMessage(t, this.#timer.closed(t), slot);
    }
    this.#novelty.add(event.templateId, this.#now, this.#newnesses.of(event));
    const timed = this.#timer.read(event);
    if (timed) this.#slowness.add(timed, slot);
    this.#shape(event);
    this.#absence.add(event.daemon, this.#now);
  }

  #shape(event: MailEvent): void {
    if (this.#shapes.has(event.templateId) || this.#shapes.size >= MAX_SHAPES) return;
    const writer = event.daemon;
    this.#shapes.set(event.templateId, { writer, shape: event.template.slice(writer.length + 2) });
  }

  /** Joins shapes; what was counted for each of them so far counts for its group. */
  #join(): { groups: TemplateGroups; ids: ReadonlyMap<string, string> } {
    const groups = learnGroups(this.#shapes.values());
    const table = new GroupTable(groups);
    const templates = new Map<string, Template>();
    for (const [id, { writer, shape }] of this.#shapes) {
      const template = table.templateOf(writer, shape);
      if (template.id !== id) templates.set(id, template);
    }
    if (templates.size > 0) {
      const into = this.registry.join(templates);
      for (const [i, slot] of this.#slots.entries()) this.#slots[i] = joinColumns(slot, into);
    }
    return { groups, ids: new Map([...templates].map(([id, template]) => [id, template.id])) };
  }

  #closeSlot(next: number): void {
    const closed = this.#counter.close();
    if (closed) this.#slots.push(closed);
    this.#slot = next;
    const { observations } = this.tail;
    if (observations.length > MAX_TAIL || next % SLOTS_PER_DAY === 0) {
      const from = observations.findIndex((o) => o.slot > next - SLOTS_PER_DAY);
      observations.splice(0, from < 0 ? observations.length : from);
    }
  }

  /**
   * What was learned. until: end of training, exclusive, in ms. Ends the learning: each part's observations are let go when its model is
   * made, the largest tables come last, and only what a detector continues is kept.
   */
  fit(until: number): Model {
    this.#closeSlot(slotOf(until));
    const { groups, ids } = this.#join();
    const last = slotOf(until) - 1;
    const first = Math.max(slotOf(this.#first), last - MAX_TRAINING_DAYS * SLOTS_PER_DAY + 1);
    const { clock, salt, seed, kernels } = this.#options;
    const places = placesOf(first, Math.max(first, last), clock);
    const enough = (until - this.#first) / DAY_MS >= MIN_TRAINING_DAYS;
    const asked = enough && !this.#options.without.has("transaction");
    const transaction = asked ? this.#transactions.fit(first, places, ids, seed, kernels) : undefined;
    this.#transactions = new TransactionCollector();
    const slowness = asked ? this.#slowness.fit(first, places, ids, this.#options) : undefined;
    this.#slowness = new SlownessCollector();
    const entity = this.#entities.fit(first, Math.max(first, last), clock, salt);
    const histories = (feature: number) => this.#entities.histories(feature);
    const regular = fitRegulars(histories, first, Math.max(first, last), clock, salt);
    this.#entities = new EntityCollector();
    const absence = this.#absence.fit(this.#first, until, clock);
    this.#absence = new AbsenceCollector();
    const novelty = this.#novelty.fit(this.#first, until, ids);
    this.#novelty = new NoveltyCollector();
    const table = windowTable(this.registry, this.#slots, first, places);
    this.tail.slots.push(...this.#slots.filter((s) => s.slot > last - MAX_GAP_SLOTS));
    this.#slots = [];
    const trained =
      enough && this.#options.timeOnly !== true ? fitConditionals(table, seed, kernels) : undefined;
    return {
      window: fitWindow(table, trained?.perDay),
      windowVae: trained?.live,
      transaction,
      slowness,
      entity,
      groups,
      novelty,
      absence,
      regular,
      from: this.#first,
      to: until,
      events: this.events,
    };
  }
}
