import { flowOf } from "../detect/absence.ts";
import { AbsenceCollector } from "../detect/absence-fit.ts";
import { fitConditionals } from "../detect/conditional.ts";
import { EntityCollector } from "../detect/entity-fit.ts";
import { type Ancestry, judgesOf } from "../detect/folds.ts";
import { expectedTable, type HeldOutDay, heldOutTransactions, heldOutWindow } from "../detect/held-out.ts";
import { isRemembered, Reach } from "../detect/memory.ts";
import {
  type KeptShape,
  type KnownPrior,
  NoveltyCollector,
  newnessOf,
  unsettled,
} from "../detect/novelty.ts";
import { NO_SLOTS, pastRows, Recall, remembered, rememberSlots } from "../detect/recall.ts";
import { fitRegulars } from "../detect/regular.ts";
import { SlownessCollector } from "../detect/slowness-fit.ts";
import type { TransactionModel } from "../detect/transaction.ts";
import { TransactionCollector } from "../detect/transaction-fit.ts";
import { usualDay, usualDays } from "../detect/unwanted.ts";
import {
  columnIndex,
  fitWindow,
  slotRows,
  type TableRows,
  type WindowTable,
  windowTable,
} from "../detect/window-fit.ts";
import { DAY_MS, SLOTS_PER_DAY, slotOf } from "../feature/clock.ts";
import { ColumnRegistry } from "../feature/columns.ts";
import { EntityReader, type KnownPairs, type Observation } from "../feature/entity.ts";
import { type Flagged, NOTHING_FLAGGED } from "../feature/flagged.ts";
import { DeliveryTimer } from "../feature/slowness.ts";
import { TransactionTracker } from "../feature/transaction.ts";
import { joinColumns, SlotCounter, type SlotCounts } from "../feature/window.ts";
import type { MailEvent } from "../mail/event.ts";
import { PlanMemo } from "../mail/plan-memo.ts";
import { GroupTable, learnGroups, type TemplateGroups, templateOf } from "../template/groups.ts";
import type { Template } from "../template/mask.ts";
import {
  type Learned,
  MAX_GAP_SLOTS,
  MIN_TRAINING_DAYS,
  type Model,
  type PipelineOptions,
  type Warmth,
} from "./model.ts";

/** Training reaches back at most so far: older habits are not today's, and the table stays small. */
const MAX_TRAINING_DAYS = 42;
/** Distinct shapes that training can join; later ones stay for themselves. */
const MAX_SHAPES = 20_000;
/** Days after which a prior is no longer asked, since the server's own log tells more. */
export const PRIOR_DAYS = 28;
/** Observations of the last day that a detector may continue with. */
const MAX_TAIL = 100_000;

/** Two models on the same days, by view. */
export type HeldOut = { window: readonly HeldOutDay[]; transaction: readonly HeldOutDay[] };

const ancestryOf = ({ window, windowVae, windowFolds }: Model): Ancestry | undefined =>
  windowVae && { columns: window.columns.map((c) => c.key), vae: windowVae, folds: windowFolds };

/** Reads the past. Hand it events in log order, then fit(). */
export class Learner implements Warmth {
  readonly registry: ColumnRegistry = new ColumnRegistry();
  readonly counter: SlotCounter = new SlotCounter(this.registry);
  readonly reader: EntityReader;
  readonly tracker: TransactionTracker = new TransactionTracker();
  /** Events of the last day, from which the detector starts warm. */
  readonly tail: Warmth["tail"] = { slots: [], observations: [] };
  /** After a fit with an old model: how both do on the days since that one's end. Empty where a network or the days are missing. */
  readonly heldOut: HeldOut = { window: [], transaction: [] };
  events = 0;
  #slots: SlotCounts[] = [];
  #entities = new EntityCollector();
  #transactions = new TransactionCollector();
  readonly #timer = new DeliveryTimer();
  #slowness = new SlownessCollector();
  #novelty = new NoveltyCollector();
  readonly #plans = new PlanMemo((event) => ({ newness: newnessOf(event), flow: flowOf(event) }));
  #absence = new AbsenceCollector();
  /** Shapes by the id of their template. seen, since: as KeptShape has them. */
  readonly #shapes = new Map<
    string,
    { writer: string; shape: string; seen: number; since: number | undefined }
  >();
  readonly #remembered: Learned | undefined;
  /** Pair of account and network -> the slot in which it last logged in. */
  readonly #usedAt: Map<string, number>;
  /** Whether the reader, which a detector goes on with, is still learning. */
  #isLearning = true;
  readonly #options: PipelineOptions;
  readonly #flagged: Flagged;
  /** What the line at hand says of entities. */
  readonly #observed: Observation[] = [];
  #first = Number.NaN;
  #now = Number.NEGATIVE_INFINITY;
  #slot = Number.NEGATIVE_INFINITY;
  /** Whether the open slot is left out. */
  #isFlagged = false;

  /**
   * flagged: time that is read, since what goes on in it must be known afterwards, but not learned from. remembered: the model that this one
   * replaces, of which what is rare but normal is taken over; without it, all is learned from the history alone.
   */
  constructor(options: PipelineOptions, flagged: Flagged = NOTHING_FLAGGED, remembered?: Learned) {
    this.#options = options;
    this.#flagged = flagged;
    this.#remembered = remembered;
    const { used, usedAt } = remembered?.pairs ?? { used: [] };
    this.#usedAt = new Map(used.map((pair, i) => [pair, usedAt?.[i] ?? slotOf(remembered!.model.to)]));
    // Whoever logged in has tried; who only tried may be a guesser, and is known for as long as the history is.
    this.reader = new EntityReader(options.salt, { used, tried: used }, (pair) => {
      if (this.#isLearning) this.#usedAt.set(pair, this.#slot);
    });
  }

  /** The pairs of account and network that are known, and since when. */
  get pairs(): KnownPairs {
    const { used, tried } = this.reader.pairs;
    return { used, tried, usedAt: used.map((pair) => this.#usedAt.get(pair) ?? this.#slot) };
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
    const flagged = this.#isFlagged;
    this.counter.add(event, slot);
    this.#observe(event, slot);
    for (const t of this.tracker.add(event, this.#now)) {
      const deliveries = this.#timer.closed(t);
      if (flagged || this.#flagged.touches(t.start, t.end)) continue;
      this.#transactions.add(t);
      this.#slowness.addMessage(t, deliveries, slot);
    }
    const timed = this.#timer.read(event);
    if (flagged) return;
    if (timed) this.#slowness.add(timed, slot);
    const { newness, flow } = this.#plans.of(event);
    this.#novelty.add(event.templateId, this.#now, newness);
    this.#shape(event, newness.routine);
    this.#absence.add(event.daemon, this.#now, event.severity !== "info");
    if (flow) this.#absence.flow(flow, this.#now);
  }

  #observe(event: MailEvent, slot: number): void {
    this.reader.read(event, this.#observed, this.#isFlagged);
    if (this.#observed.length === 0) return;
    for (const observation of this.#observed) {
      if (!this.#isFlagged) this.#entities.add(observation, slot);
      this.tail.observations.push({ observation, slot });
    }
    this.#observed.length = 0;
  }

  #shape({ templateId, template, daemon }: MailEvent, routine: boolean): void {
    const known = this.#shapes.get(templateId);
    const since = this.#remembered && !routine ? this.#slot : undefined; // a first training has nothing else to go by
    if (known) known.seen = this.#slot;
    else this.#addShape(templateId, template, daemon, this.#slot, since);
  }

  #addShape(id: string, text: string, writer: string, seen: number, since: number | undefined): void {
    if (this.#shapes.size < MAX_SHAPES)
      this.#shapes.set(id, { writer, shape: text.slice(writer.length + 2), seen, since });
  }

  /** Adds the shapes that the model before knew, the latest first. Returns those that are known and no news. */
  #recallShapes(reach: Reach): ReadonlySet<string> {
    const { catalogue = [], to = 0 } = this.#remembered?.model ?? {};
    const isDated = catalogue.some(([, , seen]) => seen !== undefined); // else of an earlier release
    const shapes = catalogue
      .filter(([, , seen]) => seen !== undefined || !isDated)
      .map(([id, text, seen = slotOf(to), since]) => ({ id, text, seen, since }))
      .filter(({ seen }) => reach.holds(seen))
      .sort((a, b) => b.seen - a.seen || (a.id < b.id ? -1 : 1));
    for (const { id, text, seen, since } of shapes) {
      const own = this.#shapes.get(id);
      if (own === undefined) this.#addShape(id, text, text.slice(0, text.indexOf(": ")), seen, since);
      else if (own.since !== undefined) own.since = since && Math.min(own.since, since);
    }
    return new Set(shapes.filter(({ since }) => since === undefined).map(({ id }) => id));
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
      this.counter.join(into);
    }
    return { groups, ids: new Map([...templates].map(([id, template]) => [id, template.id])) };
  }

  /** What a prior knows; undefined once the server's own log tells enough, or where the model before went without. until: in ms. */
  #prior(until: number, groups: TemplateGroups): KnownPrior | undefined {
    const { prior } = this.#options;
    const { since } = this.#remembered
      ? (this.#remembered.model.novelty.prior ?? {})
      : { since: this.#first };
    if (prior === undefined || since === undefined || until - since >= PRIOR_DAYS * DAY_MS) return undefined;
    const table = new GroupTable(groups);
    const ids = Object.entries(prior.shapes).flatMap(([writer, shapes]) =>
      shapes.flatMap((shape) => [templateOf(writer, shape).id, table.templateOf(writer, shape).id]),
    );
    return { version: prior.version, since, shapes: [...new Set(ids)] };
  }

  /** Texts of shapes, joined ones and those of the groups. open: those that are news yet. */
  #catalogue(groups: TemplateGroups, open: ReadonlySet<string>): readonly KeptShape[] {
    const own = new Map(
      [...this.#shapes].map(([id, { writer, shape, seen, since }]): [string, KeptShape] => [
        id,
        open.has(id) && since !== undefined
          ? [id, `${writer}: ${shape}`, seen, since]
          : [id, `${writer}: ${shape}`, seen],
      ]),
    );
    const joined = new Map(
      groups
        .map(([writer, , group]) => templateOf(writer, group))
        .filter(({ id }) => !own.has(id))
        .map(({ id, text }): [string, KeptShape] => [id, [id, text]]),
    );
    return [...own.values(), ...joined.values()];
  }

  #closeSlot(next: number): void {
    const closed = this.counter.close();
    if (closed) this.#slots.push(closed);
    this.#slot = next;
    this.#isFlagged = this.#flagged.has(next);
    const { observations } = this.tail;
    if (observations.length > MAX_TAIL || next % SLOTS_PER_DAY === 0) {
      const from = observations.findIndex((o) => o.slot > next - SLOTS_PER_DAY);
      observations.splice(0, from < 0 ? observations.length : from);
    }
  }

  /** The table of these slots as a model counts and expects them. */
  #asCounted({ window }: Model, rows: TableRows): WindowTable {
    const index = columnIndex(this.registry, window.columns);
    const C = window.columns.length;
    const counts = new Float32Array(rows.time.slots * C);
    for (const { slot, ids, counts: n } of this.#slots) {
      const t = slot - rows.time.first;
      if (t < 0 || t >= rows.time.slots) continue;
      for (let i = 0; i < ids.length; i++) counts[t * C + index(ids[i]!)]! += n[i]!;
    }
    return expectedTable(window, counts, rows);
  }

  #fitTransactions(
    rows: TableRows,
    groups: ReadonlyMap<string, string>,
    old: TransactionModel | undefined,
    news: TableRows | undefined,
  ): TransactionModel | undefined {
    const { transaction: before, window } = this.#remembered?.model ?? {};
    const surges = new Set(window?.remembered?.slots.map(([slot]) => slot!));
    const learned = this.#transactions.fit(rows, groups, this.#options, old, before, surges);
    if (learned && old && news)
      this.heldOut.transaction = heldOutTransactions(
        learned,
        old,
        judgesOf(old, this.#options.kernels),
        news.time.first,
      );
    return learned?.model;
  }

  /**
   * What was learned. until: end of training, exclusive, in ms. old: the model in use, whose networks the new ones begin with. Ends the
   * learning: each part's observations are let go when its model is made, the largest tables come last, and only what a detector continues
   * is kept.
   */
  fit(until: number, old?: Model): Model {
    if (slotOf(until) !== this.#slot) this.#closeSlot(slotOf(until));
    const end = slotOf(until) - 1;
    const first = Math.max(slotOf(this.#first), end - MAX_TRAINING_DAYS * SLOTS_PER_DAY + 1);
    const last = Math.max(first, end);
    const { clock, salt, seed, kernels } = this.#options;
    const flagged = this.#flagged;
    const reach = new Reach(last, flagged);
    this.#isLearning = false;
    this.reader.forgetDoubtful();
    this.reader.forgetUsed((pair) => !reach.holds(this.#usedAt.get(pair) ?? last));
    const before = this.#recallShapes(reach);
    const { groups, ids } = this.#join();
    const remembering = this.#remembered?.model;
    const rows = slotRows(first, last, clock, flagged);
    /** What the old model has not seen; undefined where there is nothing. */
    const news =
      old && slotOf(old.to) < last
        ? slotRows(Math.max(first, slotOf(old.to) + 1), last, clock, flagged)
        : undefined;
    const enough = (until - this.#first) / DAY_MS >= MIN_TRAINING_DAYS;
    const asked = enough && !this.#options.without.has("transaction");
    const transaction = asked ? this.#fitTransactions(rows, ids, old?.transaction, news) : undefined;
    this.#transactions = new TransactionCollector();
    const slowness = asked
      ? this.#slowness.fit(rows, ids, this.#options, old?.slowness, remembering?.slowness)
      : undefined;
    this.#slowness = new SlownessCollector();
    const known = remembering && { model: remembering.entity, until: slotOf(remembering.to) };
    const entity = this.#entities.fit(first, last, clock, flagged, salt, known);
    const histories = (feature: number) => this.#entities.histories(feature);
    const regular = fitRegulars(histories, first, last, clock, salt, flagged);
    this.#entities = new EntityCollector();
    const absence = this.#absence.fit(this.#first, until, clock, flagged, remembering?.absence);
    this.#absence = new AbsenceCollector();
    const prior = this.#prior(until, groups);
    const novelty = this.#novelty.fit(this.#first, until, ids, flagged, {
      before: remembering && before,
      prior,
    });
    const open = unsettled(this.#shapes, ids);
    const shapes = new Set([...novelty.known, ...this.#shapes.keys(), ...ids.values()]);
    const knownShapes = [...shapes].filter((id) => !open.has(id));
    this.#novelty = new NoveltyCollector();
    const table = windowTable(this.registry, this.#slots, rows);
    this.tail.slots.push(...this.#slots.filter((s) => s.slot > end - MAX_GAP_SLOTS));
    const byOld = old && news ? this.#asCounted(old, news) : undefined;
    const past = remembered(remembering?.window.remembered ?? NO_SLOTS, ids, first, reach);
    const pastTable = remembering && pastRows(past, table, clock);
    const ancestry = old && ancestryOf(old);
    const trained =
      enough && this.#options.timeOnly !== true
        ? fitConditionals(table, seed, kernels, ancestry, pastTable)
        : undefined;
    if (trained && byOld && ancestry)
      this.heldOut.window = heldOutWindow(table, trained.unseen, byOld, judgesOf(ancestry, kernels));
    const recall = new Recall(table, pastTable, isRemembered);
    const window = fitWindow(table, trained?.perSlot, recall);
    const slots = rememberSlots(recall.kept(), this.#slots, rows.time, this.registry, table, past);
    const usual = usualDays(remembering?.usual ?? [], usualDay(this.registry, this.#slots, rows.time));
    this.#slots = [];
    return {
      window: { ...window, remembered: slots },
      windowVae: trained?.live,
      windowFolds: trained?.folds,
      transaction,
      slowness,
      entity,
      groups,
      novelty: { ...novelty, known: knownShapes },
      catalogue: this.#catalogue(groups, open),
      absence,
      regular,
      usual,
      from: this.#first,
      to: until,
      events: this.events,
    };
  }
}
