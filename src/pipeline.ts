import { AbsenceCollector, type AbsenceModel, AbsenceScorer } from "./detect/absence.ts";
import type { Alert } from "./detect/alert.ts";
import { CauseCounter } from "./detect/attribute.ts";
import type { Candidate } from "./detect/candidate.ts";
import {
  absenceCandidate,
  entityCandidate,
  noveltyCandidate,
  transactionCandidate,
  windowCandidate,
} from "./detect/candidates.ts";
import { conditionalOf, fitConditionals } from "./detect/conditional.ts";
import { EntityCollector, type EntityModel, EntityScorer } from "./detect/entity.ts";
import { IncidentManager, type Ledger } from "./detect/incident.ts";
import { LineRings } from "./detect/lines.ts";
import { NoveltyCollector, type NoveltyModel, NoveltyScorer } from "./detect/novelty.ts";
import { TransactionCollector, type TransactionModel, TransactionScorer } from "./detect/transaction.ts";
import { type WindowModel, WindowScorer } from "./detect/window.ts";
import { columnIndex, fitWindow, windowTable } from "./detect/window-fit.ts";
import { DAY_MS, type LocalClock, placeOf, SLOT_MS, slotOf } from "./feature/clock.ts";
import { ColumnRegistry } from "./feature/columns.ts";
import { EntityReader, type KnownPairs, type Observation } from "./feature/entity.ts";
import { TransactionTracker } from "./feature/transaction.ts";
import { joinColumns, placesOf, SlotCounter, type SlotCounts } from "./feature/window.ts";
import type { MailEvent } from "./mail/event.ts";
import type { Kernels } from "./model/kernels.ts";
import type { Vae } from "./model/vae.ts";
import { GroupTable, learnGroups, type TemplateGroups } from "./template/groups.ts";
import type { Template } from "./template/mask.ts";

/** Line to alert, pure: events in, alerts out. The same events, settings and seed give the same alerts, live as in a back-test. */

/** Training reaches back at most so far: older habits are not today's, and the table stays small. */
const MAX_TRAINING_DAYS = 42;
/** Below this the window and entity views have nothing to compare with. */
export const MIN_TRAINING_DAYS = 3;
const MAX_GAP_SLOTS = 12;
/** Distinct shapes that training can join; later ones stay for themselves. */
const MAX_SHAPES = 20_000;

export type ViewName = "window" | "transaction" | "entity" | "novelty" | "absence";

export type PipelineOptions = {
  readonly clock: LocalClock;
  readonly budget: number;
  readonly without: ReadonlySet<ViewName>;
  readonly salt: string;
  readonly seed: number;
  readonly kernels: Kernels;
};

/** Everything that training learned; plain data. */
export type Model = {
  readonly window: WindowModel;
  /** The window view's network; undefined where history is too short to train one. */
  readonly windowVae: Vae | undefined;
  /** Undefined where there were too few transactions, or the view is left out. */
  readonly transaction: TransactionModel | undefined;
  readonly entity: EntityModel;
  /** Shapes that differ in one word, joined; the reader of the lines to judge must adopt them. */
  readonly groups: TemplateGroups;
  readonly novelty: NoveltyModel;
  readonly absence: AbsenceModel;
  readonly from: number;
  readonly to: number;
  readonly events: number;
};

export type Score = {
  readonly time: number;
  readonly view: ViewName;
  readonly key: string;
  readonly score: number;
  readonly pValue: number;
};

const isGrave = (event: MailEvent): boolean =>
  event.severity === "error" || event.severity === "fatal" || event.severity === "panic";

/** Reads the past. Hand it events in log order, then fit(). */
export class Learner {
  readonly registry: ColumnRegistry = new ColumnRegistry();
  readonly reader: EntityReader;
  readonly tracker: TransactionTracker = new TransactionTracker();
  /** Events of the last day, from which the detector starts warm. */
  readonly tail: {
    readonly slots: SlotCounts[];
    readonly observations: { observation: Observation; slot: number }[];
  } = {
    slots: [],
    observations: [],
  };
  events = 0;
  readonly #counter = new SlotCounter(this.registry);
  readonly #slots: SlotCounts[] = [];
  readonly #entities = new EntityCollector();
  readonly #transactions = new TransactionCollector();
  readonly #novelty = new NoveltyCollector();
  readonly #absence = new AbsenceCollector();
  /** Shapes by the id of their template. */
  readonly #shapes = new Map<string, { writer: string; shape: string }>();
  readonly #options: PipelineOptions;
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
    const observations: Observation[] = [];
    this.reader.read(event, observations);
    for (const observation of observations) {
      this.#entities.add(observation, slot);
      this.tail.observations.push({ observation, slot });
    }
    for (const t of this.tracker.add(event, this.#now)) this.#transactions.add(t);
    this.#novelty.add(event.templateId, this.#now, isGrave(event));
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
    if (observations.length > 100_000 || next % 288 === 0) {
      const from = observations.findIndex((o) => o.slot > next - 288);
      observations.splice(0, from < 0 ? observations.length : from);
    }
  }

  /** until: end of training, exclusive, in ms. conditional: see fitWindow. */
  fit(until: number): Model {
    this.#closeSlot(slotOf(until));
    const { groups, ids } = this.#join();
    const last = slotOf(until) - 1;
    const first = Math.max(slotOf(this.#first), last - MAX_TRAINING_DAYS * 288 + 1);
    const { clock, salt } = this.#options;
    const places = placesOf(first, Math.max(first, last), clock);
    const table = windowTable(this.registry, this.#slots, first, places);
    this.tail.slots.push(...this.#slots.filter((s) => s.slot > last - MAX_GAP_SLOTS));
    const trained =
      (until - this.#first) / DAY_MS >= MIN_TRAINING_DAYS
        ? fitConditionals(table, this.#options.seed, this.#options.kernels)
        : undefined;
    return {
      window: fitWindow(table, trained?.perDay),
      windowVae: trained?.live,
      transaction:
        trained && !this.#options.without.has("transaction")
          ? this.#transactions.fit(first, places, ids, this.#options.seed, this.#options.kernels)
          : undefined,
      entity: this.#entities.fit(first, Math.max(first, last), clock, salt),
      groups,
      novelty: this.#novelty.fit(this.#first, until, ids),
      absence: this.#absence.fit(this.#first, until, clock),
      from: this.#first,
      to: until,
      events: this.events,
    };
  }
}

/** What a detector continues: the tables that join lines, and the last day. */
export type Warmth = Pick<Learner, "registry" | "reader" | "tracker" | "tail">;

/** A detector's start from a model alone, as after a restart. */
export function coldStart(salt: string, pairs: KnownPairs): Warmth {
  return {
    registry: new ColumnRegistry(),
    reader: new EntityReader(salt, pairs),
    tracker: new TransactionTracker(),
    tail: { slots: [], observations: [] },
  };
}

/** Watches what comes after training. Hand it events in log order; it hands back the alerts that open. */
export class Detector {
  readonly model: Model;
  readonly manager: IncidentManager;
  readonly #options: PipelineOptions;
  readonly #registry: ColumnRegistry;
  readonly #reader: EntityReader;
  readonly #counter: SlotCounter;
  readonly #index: (id: number) => number;
  readonly #window: WindowScorer;
  readonly #entities: EntityScorer;
  readonly #tracker: TransactionTracker;
  readonly #transactions: TransactionScorer | undefined;
  readonly #rates: WindowScorer | undefined;
  readonly #novelty: NoveltyScorer;
  readonly #absence: AbsenceScorer;
  readonly #causes: CauseCounter;
  readonly #rings: LineRings;
  /** Accounts found guilty, and until when their mail is left out of the other views. */
  readonly #explained = new Map<string, number>();
  readonly #onScore: ((score: Score) => void) | undefined;
  /** Novelty candidates that wait for the end of their slot. */
  #waiting: Candidate[] = [];
  #now: number;
  #slot: number;

  constructor(model: Model, learner: Warmth, options: PipelineOptions, onScore?: (score: Score) => void) {
    this.model = model;
    this.#options = options;
    this.#registry = learner.registry;
    this.#reader = learner.reader;
    this.#counter = new SlotCounter(this.#registry);
    this.#index = columnIndex(this.#registry, model.window.columns);
    this.#window = new WindowScorer(
      model.window,
      model.windowVae ? conditionalOf(model.windowVae) : undefined,
    );
    this.#entities = new EntityScorer(model.entity, options.clock);
    this.#tracker = learner.tracker;
    this.#transactions = model.transaction ? new TransactionScorer(model.transaction) : undefined;
    this.#rates = model.transaction ? new WindowScorer(model.transaction.rates, undefined) : undefined;
    this.#novelty = new NoveltyScorer(model.novelty);
    this.#absence = new AbsenceScorer(model.absence, options.clock);
    this.#causes = new CauseCounter(model.window);
    this.#rings = new LineRings();
    this.manager = new IncidentManager({ perDay: options.budget, clock: options.clock });
    this.#onScore = onScore;
    this.#now = model.to;
    this.#slot = slotOf(model.to);
    this.#warm(learner);
  }

  get ledger(): Ledger {
    return this.manager.ledger;
  }

  /** The windows and entity counts continue where training ended. */
  #warm(learner: Warmth): void {
    if (learner.tail.slots.length === 0) return; // begins cold: windows fill with what comes
    const bySlot = new Map(learner.tail.slots.map((s) => [s.slot, s]));
    for (let slot = this.#slot - MAX_GAP_SLOTS; slot < this.#slot; slot++) this.#push(bySlot.get(slot), slot);
    for (const { observation, slot } of learner.tail.observations) this.#entities.add(observation, slot);
    this.#entities.score(this.#slot - 1);
  }

  #push(closed: SlotCounts | undefined, slot: number): void {
    const counts = new Float32Array(this.model.window.columns.length);
    if (closed)
      for (let i = 0; i < closed.ids.length; i++) counts[this.#index(closed.ids[i]!)]! += closed.counts[i]!;
    const place = placeOf(slot, this.#options.clock);
    this.#window.push(counts, place);
    if (this.#transactions) this.#rates!.push(this.#transactions.close(), place);
    this.#causes.close(place);
  }

  /** One event. Returns the alerts that it opened, held ones marked; usually none. */
  add(event: MailEvent): Alert[] {
    if (event.time === null) return [];
    const opened: Alert[] = [];
    const now = Math.max(this.#now, event.time);
    const slot = slotOf(now);
    this.#absences(now, opened);
    if (slot > this.#slot) this.#closeSlots(slot, now, opened);
    this.#now = now;
    this.#absence.see(event.daemon, now);
    const observations: Observation[] = [];
    this.#reader.read(event, observations);
    const account = this.#reader.accountOf(event);
    const explained = account !== undefined && (this.#explained.get(account) ?? 0) > now;
    for (const observation of observations) {
      if (explained && observation.key !== account) continue;
      this.#entities.add(observation, slot);
      this.#rings.entity(observation, event, now);
    }
    this.#transact(event, now, explained);
    if (explained) return opened;
    const ids = this.#counter.add(event, slot);
    for (const id of ids) this.#rings.column(this.#index(id), event, now);
    this.#causes.add(event);
    this.#newness(event, now, opened);
    return opened;
  }

  /** The log ends: incidents that have been quiet for long by its last line are closed. */
  end(): void {
    this.manager.tick(this.#now);
  }

  /** Transactions that this event closed; those of an account already found guilty are explained. */
  #transact(event: MailEvent, now: number, explained: boolean): void {
    for (const t of this.#tracker.add(event, now)) {
      if (explained || !this.#transactions) continue;
      const scored = this.#transactions.add(t, now);
      if (!scored) continue;
      const { score, pValue } = scored;
      this.#onScore?.({ time: now, view: "transaction", key: `${t.type} ${t.key}`, score, pValue });
    }
  }

  #absences(now: number, opened: Alert[]): void {
    if (this.#options.without.has("absence") || this.model.novelty.days < 1) return;
    const due = this.#absence.due(now, this.manager.bar / 4);
    const candidates = due.map((f) => absenceCandidate(f));
    for (const c of candidates.sort((a, b) => a.at - b.at)) opened.push(...this.manager.offer([c]));
  }

  #closeSlots(next: number, now: number, opened: Alert[]): void {
    const silent = next - this.#slot > MAX_GAP_SLOTS;
    for (let slot = this.#slot; slot < next; slot++) {
      const closed = slot === this.#slot ? this.#counter.close() : undefined;
      if (silent && next - slot > 2 * MAX_GAP_SLOTS && slot !== this.#slot) continue;
      this.#push(closed, slot);
      if (slot === next - 1 || slot === this.#slot)
        opened.push(...this.manager.offer(this.#judge(slot, now, silent)));
    }
    this.manager.tick(now);
    if (silent) {
      this.#window.restart();
      this.#rates?.restart();
    }
    this.#slot = next;
  }

  /** Candidates of the window and entity views at the end of a slot. */
  #judge(slot: number, now: number, silent: boolean): Candidate[] {
    const end = (slot + 1) * SLOT_MS;
    const candidates: Candidate[] = this.#waiting.map((c) => ({ ...c, at: now }));
    this.#waiting = [];
    const { without } = this.#options;
    const full = (this.model.to - this.model.from) / DAY_MS >= MIN_TRAINING_DAYS;
    if (!without.has("window") && full) {
      const { scores, findings } = this.#window.score();
      for (const s of scores)
        this.#onScore?.({
          time: end,
          view: "window",
          key: `${s.width * 5}min ${s.tail}`,
          score: s.score,
          pValue: s.pValue,
        });
      for (const finding of findings) {
        // Fresh evidence only: a surge must still be going on, else it is the shadow of an old burst in a long window.
        if (finding.tail === "upper" && this.#window.recent(finding.column, 2) === 0) continue;
        if (finding.tail === "lower" && silent) continue;
        candidates.push(
          windowCandidate(finding, {
            model: this.model.window,
            scorer: this.#window,
            causes: this.#causes,
            rings: this.#rings,
            at: now,
            slotEnd: end,
          }),
        );
      }
    }
    if (this.#transactions && this.#rates) {
      for (const finding of this.#rates.score().findings) {
        if (finding.tail === "lower" || this.#rates.recent(finding.column, 2) === 0) continue;
        candidates.push(
          transactionCandidate(finding, {
            model: this.#transactions.model,
            scorer: this.#rates,
            strange: this.#transactions,
            causes: this.#causes,
            rings: this.#rings,
            at: now,
            slotEnd: end,
          }),
        );
      }
    }
    if (!without.has("entity") && full) {
      const { findings, rows } = this.#entities.score(slot);
      for (const r of rows)
        this.#onScore?.({
          time: end,
          view: "entity",
          key: `${r.feature} ${r.horizon}`,
          score: r.excess,
          pValue: r.pValue,
        });
      for (const finding of findings.slice(0, 32)) {
        const candidate = entityCandidate(finding, {
          scorer: this.#entities,
          causes: this.#causes,
          rings: this.#rings,
          at: now,
          slotEnd: end,
        });
        candidates.push(candidate);
        if (candidate.kind === "account_compromised" && candidate.rate < this.manager.bar / 20)
          this.#explained.set(finding.key, now + 2 * DAY_MS);
      }
    }
    return candidates;
  }

  #newness(event: MailEvent, now: number, opened: Alert[]): void {
    if (this.#options.without.has("novelty") || this.model.novelty.days < 2) return;
    const finding = this.#novelty.see(event.templateId, now, isGrave(event));
    if (!finding) return;
    this.#onScore?.({
      time: now,
      view: "novelty",
      key: event.templateId,
      score: -Math.log(finding.rate),
      pValue: finding.pValue,
    });
    const candidate = noveltyCandidate(finding, event, { causes: this.#causes, rings: this.#rings, at: now });
    // An attack on passwords is told better by who and how many, so it waits for the end of the slot, where the rarest view speaks.
    if (candidate.family === "auth") this.#waiting.push(candidate);
    else opened.push(...this.manager.offer([candidate]));
  }
}
