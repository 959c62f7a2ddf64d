import { type AbsenceFinding, AbsenceScorer, flowOf } from "../detect/absence.ts";
import { absenceCandidate, clockCandidate, regularCandidate } from "../detect/absence-candidates.ts";
import type { Alert } from "../detect/alert.ts";
import { CauseCounter } from "../detect/attribute.ts";
import { ALL_NEW, type Candidate } from "../detect/candidate.ts";
import {
  COLUMN_PART,
  entityCandidate,
  noveltyCandidate,
  STRANGE_PART,
  transactionCandidate,
  windowCandidate,
} from "../detect/candidates.ts";
import { ChangeWatch } from "../detect/change-watch.ts";
import { ClockWatch } from "../detect/clock-watch.ts";
import { conditionalOf } from "../detect/conditional.ts";
import { type Tidings, tidingsOf } from "../detect/drift.ts";
import { EntityScorer } from "../detect/entity.ts";
import { IncidentManager, type Ledger } from "../detect/incident.ts";
import { LineRings } from "../detect/lines.ts";
import { isReady, type Newness, NoveltyScorer, newnessOf } from "../detect/novelty.ts";
import { RegularScorer } from "../detect/regular.ts";
import { slowCandidate } from "../detect/slow-candidate.ts";
import { SlownessScorer } from "../detect/slowness.ts";
import { TransactionScorer } from "../detect/transaction.ts";
import { WaitingCandidates } from "../detect/waiting.ts";
import { WindowScorer } from "../detect/window.ts";
import { columnIndex } from "../detect/window-fit.ts";
import { DAY_MS, placeOf, SLOT_MS, slotOf } from "../feature/clock.ts";
import type { ColumnRegistry } from "../feature/columns.ts";
import type { EntityReader, Observation } from "../feature/entity.ts";
import { type Family, familyOf } from "../feature/family.ts";
import { LineLoader, LineSaver } from "../feature/line-table.ts";
import { DeliveryTimer } from "../feature/slowness.ts";
import { type SeenLine, seenLine, type TransactionTracker } from "../feature/transaction.ts";
import type { SlotCounter, SlotCounts } from "../feature/window.ts";
import { type HeadForm, headForm } from "../log/head-form.ts";
import { isTurn, type MailEvent } from "../mail/event.ts";
import { PlanMemo } from "../mail/plan-memo.ts";
import {
  coldStart,
  MAX_GAP_SLOTS,
  MIN_TRAINING_DAYS,
  type Model,
  type PipelineOptions,
  type Score,
  SETTLE_MS,
  type Warmth,
} from "./model.ts";
import { checkState, modelMark, type SavedDetector, STATE_VERSION } from "./saved.ts";

const NO_ALERTS: readonly Alert[] = [];
/** Below the bar by so much an account is held guilty: its mail explains what other views see. */
const GUILTY = 1 / 20;
const EXPLAINED_MS = 2 * DAY_MS;
/** Confidence from which on it is; a few failed messages may be a mistyped address. */
const SURE = 0.8;
const isGuilty = ({ kind, kindConfidence, rate }: Candidate, bar: number): boolean =>
  kind === "account_compromised" && kindConfidence >= SURE && rate < bar * GUILTY;
/** Entities told of in one slot, the strangest first. */
const MAX_FINDINGS = 32;

/** What all lines of a plan have in common for the detector. */
type PlanPart = {
  readonly family: Family;
  readonly turn: boolean;
  readonly newness: Newness;
  readonly tidings: Tidings;
  readonly flow: ReturnType<typeof flowOf>;
  /** Whether training knew the shape. */
  readonly known: boolean;
};

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
  readonly #timer = new DeliveryTimer();
  readonly #slowness: SlownessScorer | undefined;
  readonly #novelty: NoveltyScorer;
  readonly #absence: AbsenceScorer;
  readonly #regulars: RegularScorer;
  readonly #causes: CauseCounter;
  readonly #rings: LineRings;
  /** Accounts found guilty, and until when their mail is left out of the other views. */
  #explained = new Map<string, number>();
  readonly #onScore: ((score: Score) => void) | undefined;
  readonly #plans: PlanMemo<PlanPart>;
  readonly #clockWatch = new ClockWatch();
  readonly #changes: ChangeWatch;
  /** What the line at hand says of entities. */
  readonly #observed: Observation[] = [];
  /** Alerts that the line at hand opened. */
  #opened: Alert[] = [];
  /** Of novelty. */
  readonly #waiting = new WaitingCandidates();
  #now: number;
  /** Log time of the newest line, in ms. */
  #read: number;
  #slot: number;

  constructor(model: Model, learner: Warmth, options: PipelineOptions, onScore?: (score: Score) => void) {
    this.model = model;
    this.#options = options;
    this.#registry = learner.registry;
    this.#reader = learner.reader;
    this.#counter = learner.counter;
    this.#index = columnIndex(this.#registry, model.window.columns);
    this.#window = new WindowScorer(
      model.window,
      model.windowVae ? conditionalOf(model.windowVae) : undefined,
    );
    this.#entities = new EntityScorer(model.entity, options.clock);
    this.#tracker = learner.tracker;
    this.#transactions = model.transaction
      ? new TransactionScorer(model.transaction, ({ time, transaction: t, score, pValue }) =>
          this.#onScore?.({ time, view: "transaction", key: `${t.type} ${t.key}`, score, pValue }),
        )
      : undefined;
    this.#rates = model.transaction ? new WindowScorer(model.transaction.rates, undefined) : undefined;
    this.#slowness =
      model.slowness && !options.without.has("transaction") ? new SlownessScorer(model.slowness) : undefined;
    this.#novelty = new NoveltyScorer(model.novelty);
    this.#changes = new ChangeWatch(model.window, model.catalogue);
    this.#plans = new PlanMemo((event) => {
      const family = familyOf(event);
      const known = this.#novelty.knows(event.templateId);
      const tidings = tidingsOf(event, family);
      return { family, turn: isTurn(event), newness: newnessOf(event), tidings, flow: flowOf(event), known };
    });
    this.#causes = new CauseCounter(model.window);
    this.#rings = new LineRings();
    this.manager = new IncidentManager({ perDay: options.budget, clock: options.clock });
    this.#absence = new AbsenceScorer(model.absence, options.clock, this.manager.bar / 4);
    this.#regulars = new RegularScorer(model.regular, options.clock, options.salt);
    this.#onScore = onScore;
    this.#now = model.to;
    this.#read = model.to;
    this.#slot = slotOf(model.to);
    this.#warm(learner);
  }

  /** A detector that goes on where another was saved. Throws a StateError where the state is not this model's. */
  static restore(
    model: Model,
    saved: SavedDetector,
    options: PipelineOptions,
    onScore?: (score: Score) => void,
  ): Detector {
    checkState(saved, model);
    const cold = coldStart(options.salt, { used: [], tried: [] });
    const detector = new Detector(model, cold, options, onScore);
    detector.#load(saved);
    return detector;
  }

  /** To be asked between two lines. */
  save(): SavedDetector {
    const lines = new LineSaver(this.#slot);
    const parts = {
      version: STATE_VERSION,
      model: modelMark(this.model),
      now: this.#now,
      read: this.#read,
      slot: this.#slot,
      columns: this.#registry.save(),
      reader: this.#reader.save(),
      tracker: this.#tracker.save(lines),
      counter: this.#counter.save(),
      window: this.#window.save(),
      entities: this.#entities.save(this.#slot),
      transactions: this.#transactions?.save(lines),
      rates: this.#rates?.save(),
      timer: this.#timer.save(lines),
      slowness: this.#slowness?.save(lines),
      novelty: this.#novelty.save(),
      absence: this.#absence.save(),
      regulars: this.#regulars.save(),
      causes: this.#causes.save(),
      rings: this.#rings.save(lines),
      clocks: this.#clockWatch.save(lines),
      changes: this.#changes.save(lines),
      incidents: this.manager.save(),
      explained: this.#explained,
      waiting: this.#waiting.save().map(({ shareSince: _, ...candidate }) => candidate),
    };
    return { ...parts, lines: lines.done() };
  }

  #load(saved: SavedDetector): void {
    const lines = new LineLoader(saved.lines);
    this.#now = saved.now;
    this.#read = saved.read;
    this.#slot = saved.slot;
    this.#registry.load(saved.columns);
    this.#reader.load(saved.reader);
    this.#tracker.load(saved.tracker, lines);
    this.#counter.load(saved.counter);
    this.#window.load(saved.window);
    this.#entities.load(saved.entities);
    if (saved.transactions) this.#transactions?.load(saved.transactions, lines);
    if (saved.rates) this.#rates?.load(saved.rates);
    this.#timer.load(saved.timer, lines);
    if (saved.slowness) this.#slowness?.load(saved.slowness, lines);
    this.#novelty.load(saved.novelty);
    this.#absence.load(saved.absence);
    this.#regulars.load(saved.regulars);
    this.#causes.load(saved.causes);
    this.#rings.load(saved.rings, lines);
    this.#clockWatch.load(saved.clocks, lines);
    if (saved.changes) this.#changes.load(saved.changes, lines);
    this.manager.load(saved.incidents);
    this.#explained = saved.explained;
    this.#waiting.load(saved.waiting.map((candidate) => ({ ...candidate, shareSince: ALL_NEW })));
  }

  get ledger(): Ledger {
    return this.manager.ledger;
  }

  /** The windows and entity counts continue where training ended. */
  #warm(learner: Warmth): void {
    if (learner.tail.slots.length === 0) return; // begins cold: windows fill with what comes
    const bySlot = new Map(learner.tail.slots.map((s) => [s.slot, s]));
    for (let slot = this.#slot - MAX_GAP_SLOTS; slot < this.#slot; slot++) this.#push(bySlot.get(slot), slot);
    for (const { observation, slot } of learner.tail.observations) {
      this.#entities.add(observation, slot);
      this.#regulars.add(observation, slot);
    }
    this.#entities.score(this.#slot - 1, false);
  }

  /** Returns the counts of the model's columns. What belongs to changed software counts in no column of rare things. */
  #push(closed: SlotCounts | undefined, slot: number): Float32Array {
    const { columns } = this.model.window;
    const counts = new Float32Array(columns.length);
    for (const [i, id] of closed?.ids.entries() ?? []) {
      const j = this.#index(id);
      const { key } = this.#registry.columns[id]!;
      if (columns[j]!.key === key || !this.#changes.drift.isAside(key)) counts[j]! += closed!.counts[i]!;
    }
    const place = placeOf(slot, this.#options.clock);
    this.#window.push(counts, place);
    if (this.#transactions) this.#rates!.push(this.#transactions.close(), place);
    this.#causes.close(place);
    return counts;
  }

  /** One event. Returns the alerts that it opened, held ones marked; usually none. */
  add(event: MailEvent): readonly Alert[] {
    if (event.time === null) return this.#unread(event);
    const now = Math.max(this.#now, event.time);
    const slot = slotOf(now);
    this.#tick(now);
    this.#absences(now);
    if (slot > this.#slot) this.#endSlot(now);
    this.#now = now;
    this.#read = now;
    this.#absence.see(event.daemon, now);
    const part = this.#plans.of(event);
    const { family } = part;
    if (part.flow) this.#absence.flow(part.flow, now);
    const line = seenLine(event, now, family);
    if (part.turn) this.#rings.turn(line);
    this.#headOf(headForm(event.text), line);
    if (!this.#options.without.has("novelty")) {
      const jump = this.#clockWatch.see(event.host, event.daemon, event.time, line);
      if (jump) this.#offer([clockCandidate(jump, now)]);
    }
    const explained = this.#observe(event, line, slot);
    const closed = this.#tracker.add(event, now, line);
    if (!explained) {
      for (const t of closed) {
        if (!this.#changes.drift.touches(t.shapes.keys())) this.#transactions?.add(t, now);
        this.#slowness?.addMessage(t, this.#timer.closed(t));
      }
      const timed = this.#slowness && this.#timer.read(event, line);
      if (timed) this.#slowness!.add(timed);
      this.#rings.counted(this.#counter.add(event, slot), line);
      this.#causes.add(event, line.family);
      if (!part.known || part.tidings.begins) this.#newness(event, line, part, now);
    }
    return this.#given();
  }

  /** A line without a readable time: it is judged by that alone, at the time of the newest line. */
  #unread(event: MailEvent): readonly Alert[] {
    if (event.text === "") return NO_ALERTS;
    this.#headOf("no readable time", seenLine(event, this.#read, familyOf(event)));
    return this.#given();
  }

  #headOf(form: HeadForm, line: SeenLine): void {
    const found = this.#options.without.has("novelty") ? [] : this.#changes.head(form, line);
    if (found.length > 0) this.#offer(found);
  }

  /**
   * Time passes without a line, up to `time` in ms; no later line may be older. Returns the alerts that open: those that the next line
   * would open before it is looked at, with the same id, opening and words, as far as they can't depend on when that line comes.
   */
  advance(time: number): readonly Alert[] {
    if (!(time > this.#now)) return NO_ALERTS;
    this.#tick(time);
    this.#now = time;
    return this.#given();
  }

  #given(): readonly Alert[] {
    if (this.#opened.length === 0) return NO_ALERTS;
    const opened = this.#opened;
    this.#opened = [];
    return opened;
  }

  /** All ticks up to `now` in their order: the ends of slots after which no line came, and the minute at which the silence of the whole log falls due. */
  #tick(now: number): void {
    for (const open = slotOf(now - SETTLE_MS); this.#slot < open; ) {
      if (this.#quiet > MAX_GAP_SLOTS) {
        this.#slot = open;
        break;
      }
      const at = (this.#slot + 1) * SLOT_MS + SETTLE_MS;
      this.#silence(at);
      this.#endSlot(at);
    }
    this.#silence(now);
    this.manager.tick(now);
  }

  /** Slots that have passed since the newest line's, the open one included. */
  get #quiet(): number {
    return this.#slot - slotOf(this.#read);
  }

  /** The open slot is over, and judged. Where no line came, only what comes too often is: a silence is the absence view's. at: in ms. */
  #endSlot(at: number): void {
    const slot = this.#slot;
    const quiet = this.#quiet;
    if (quiet <= MAX_GAP_SLOTS) {
      this.#rings.close(slot, this.#index);
      const counts = this.#push(this.#counter.close(), slot);
      const changes = this.#changes.close(slot, counts, placeOf(slot, this.#options.clock), at);
      this.#offer([...changes, ...this.#judge(slot, at, quiet > 0)]);
      this.manager.measure((key) => this.#surplus(key));
      this.#slowness?.next();
      if (quiet === MAX_GAP_SLOTS) this.#restart();
    }
    this.#slot++;
  }

  /** Of a part's column in the newest hour. */
  #surplus(key: string): number | undefined {
    if (key.startsWith(COLUMN_PART)) return this.#window.surplus(key.slice(COLUMN_PART.length));
    if (key.startsWith(STRANGE_PART)) return this.#rates?.surplus(key.slice(STRANGE_PART.length));
    return undefined;
  }

  #silence(until: number): void {
    if (!this.#asksAbsence) return;
    for (let found = this.#absence.silence(until); found; found = this.#absence.silence(until))
      this.#offerSilence(found);
  }

  /** A silence that is not told now is found again when that is over, or when it has become clearly longer. */
  #offerSilence(finding: AbsenceFinding): void {
    const silent = absenceCandidate(finding, this.#rings, this.#putOff());
    const candidate = this.#changes.silence(silent, finding, this.manager.open);
    const hider = this.manager.hiderOf(candidate);
    this.#offer([candidate]);
    if (hider) this.#absence.again(finding.key, Math.max(finding.at + 1, hider.again));
  }

  /** The newest lines of deliveries that were put off. */
  #putOff(): SeenLine[] {
    const lines: SeenLine[] = [];
    for (const [j, { level, key }] of this.model.window.columns.entries())
      if (level === "status" && key.endsWith(" deferred")) lines.push(...this.#rings.ofColumn(j, 0));
    return lines.sort((a, b) => b.time - a.time).slice(0, 3);
  }

  get #asksAbsence(): boolean {
    return !this.#options.without.has("absence") && this.model.novelty.days >= 1;
  }

  /** The log ends: incidents that have been quiet for long by its last line are closed. */
  end(): void {
    this.#transactions?.score();
    this.manager.tick(this.#now);
  }

  /** What the line says of entities. Returns whether it is of an account found guilty, and so explained. */
  #observe(event: MailEvent, line: SeenLine, slot: number): boolean {
    const observed = this.#observed;
    this.#reader.read(event, observed);
    const account = this.#explained.size === 0 ? undefined : this.#reader.accountOf(event);
    const explained = account !== undefined && (this.#explained.get(account) ?? 0) > line.time;
    for (const observation of observed) {
      if (explained && observation.key !== account) continue;
      this.#entities.add(observation, slot);
      this.#regulars.add(observation, slot);
      this.#rings.entity(observation, line);
    }
    observed.length = 0;
    return explained;
  }

  #absences(now: number): void {
    if (!this.#asksAbsence) return;
    // slots that ended without a line were judged already, and nothing is dated before that
    const least = this.#quiet > 0 ? this.#slot * SLOT_MS + SETTLE_MS : 0;
    for (let due = this.#absence.due(now); due.length > 0; due = this.#absence.due(now))
      for (const finding of due.sort((a, b) => a.at - b.at))
        this.#offerSilence({ ...finding, at: Math.max(finding.at, least) });
  }

  #offer(candidates: readonly Candidate[]): void {
    this.#options.onOffer?.(candidates);
    this.#opened.push(...this.manager.offer(candidates));
  }

  /** No window reaches across a silence. */
  #restart(): void {
    this.#window.restart();
    this.#rates?.restart();
    this.#slowness?.restart();
  }

  /** Candidates of the window and entity views at the end of a slot. */
  #judge(slot: number, now: number, silent: boolean): Candidate[] {
    const end = (slot + 1) * SLOT_MS;
    const candidates: Candidate[] = this.#waiting.take().map((c) => ({ ...c, at: now }));
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
        if (
          finding.tail === "lower" &&
          (silent || this.#changes.drift.isGone(this.model.window.columns[finding.column]!))
        )
          continue;
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
    for (const finding of this.#slowness?.score() ?? [])
      candidates.push(slowCandidate(finding, { scorer: this.#slowness!, at: now, slotEnd: end }));
    if (!without.has("entity") && full) {
      const { findings, rows } = this.#entities.score(slot, this.#onScore !== undefined);
      for (const r of rows)
        this.#onScore?.({
          time: end,
          view: "entity",
          key: `${r.feature} ${r.horizon}`,
          score: r.excess,
          pValue: r.pValue,
        });
      for (const finding of findings.slice(0, MAX_FINDINGS)) {
        const candidate = entityCandidate(finding, {
          scorer: this.#entities,
          causes: this.#causes,
          rings: this.#rings,
          at: now,
          slotEnd: end,
        });
        candidates.push(candidate);
        if (isGuilty(candidate, this.manager.bar)) this.#explain(finding.key, now);
      }
    }
    if (!without.has("absence") && full && !silent)
      for (const finding of this.#regulars.score(slot)) {
        candidates.push(regularCandidate(finding, now));
        if (finding.rate <= this.manager.bar) this.#regulars.told(finding);
      }
    return candidates;
  }

  #explain(account: string, now: number): void {
    for (const [known, until] of this.#explained) if (until <= now) this.#explained.delete(known);
    this.#explained.set(account, now + EXPLAINED_MS);
  }

  #newness(event: MailEvent, line: SeenLine, { newness, tidings, known }: PlanPart, now: number): void {
    if (this.#options.without.has("novelty") || !isReady(this.model.novelty)) return;
    const released = tidings.begins ? this.#changes.drift.begins(tidings, line) : undefined;
    if (released) this.#offer([{ ...released, at: now }]);
    if (known) return;
    const { cause, family } = tidings;
    const reading = this.#changes.drift.see(tidings, line, () => this.#causes.isUsual(cause!, family));
    if (reading === "explained") return;
    const finding = this.#novelty.see(event.templateId, now, newness);
    if (!finding) return;
    this.#onScore?.({
      time: now,
      view: "novelty",
      key: event.templateId,
      score: -Math.log(finding.rate),
      pValue: finding.pValue,
    });
    const candidate = noveltyCandidate(finding, event, line, {
      causes: this.#causes,
      rings: this.#rings,
      at: now,
    });
    if (reading === "waits") this.#changes.drift.hold(tidings, candidate);
    // An attack on passwords is told better by who and how many, so it waits for the end of the slot, where the rarest view speaks.
    else if (candidate.family === "auth") this.#waiting.add(candidate);
    else this.#offer([candidate]);
  }
}
