import { type AbsenceFinding, AbsenceScorer, flowOf } from "../detect/absence.ts";
import { absenceCandidate, clockCandidate } from "../detect/absence-candidates.ts";
import type { Alert } from "../detect/alert.ts";
import { ALL_NEW, type Candidate } from "../detect/candidate.ts";
import { noveltyCandidate } from "../detect/candidates.ts";
import { ChangeWatch } from "../detect/change-watch.ts";
import { ClockWatch } from "../detect/clock-watch.ts";
import { type Tidings, tidingsOf } from "../detect/drift.ts";
import { IncidentManager, type Ledger } from "../detect/incident.ts";
import { isReady, type Newness, NoveltyScorer, newnessOf } from "../detect/novelty.ts";
import { WaitingCandidates } from "../detect/waiting.ts";
import { columnIndex } from "../detect/window-fit.ts";
import { DAY_MS, placeOf, SLOT_MS, slotOf } from "../feature/clock.ts";
import type { ColumnRegistry } from "../feature/columns.ts";
import type { EntityReader, Observation } from "../feature/entity.ts";
import { type Family, familyOf } from "../feature/family.ts";
import { LineLoader, LineSaver } from "../feature/line-table.ts";
import { type SeenLine, seenLine, type TransactionTracker } from "../feature/transaction.ts";
import type { SlotCounter, SlotCounts } from "../feature/window.ts";
import { type HeadForm, headForm } from "../log/head-form.ts";
import { isTurn, type MailEvent } from "../mail/event.ts";
import { PlanMemo } from "../mail/plan-memo.ts";
import {
  coldStart,
  MAX_GAP_SLOTS,
  type Model,
  type PipelineOptions,
  type Score,
  SETTLE_MS,
  type Warmth,
} from "./model.ts";
import { checkState, modelMark, type SavedDetector, STATE_VERSION } from "./saved.ts";
import { SlotViews } from "./slot-views.ts";

const NO_ALERTS: readonly Alert[] = [];
/** So long the mail of an account that was found guilty explains what other views see. */
const EXPLAINED_MS = 2 * DAY_MS;

/** What all lines of a plan have in common for the detector. */
type PlanPart = {
  readonly family: Family;
  readonly turn: boolean;
  readonly newness: Newness;
  readonly tidings: Tidings;
  readonly flow: ReturnType<typeof flowOf>;
  /** Whether training knew the shape. */
  readonly known: boolean;
  /** Whether a client of ours tells of a connection, for a message that it names next. */
  readonly connects: boolean;
};

/** What Postfix's clients say of a connection before they name the message. */
const connectsFor = ({ event, daemon }: MailEvent): boolean =>
  event === "tls_established" && (daemon === "postfix/smtp" || daemon === "postfix/lmtp");

/** Watches what comes after training. Hand it events in log order; it hands back the alerts that open. */
export class Detector {
  readonly model: Model;
  readonly manager: IncidentManager;
  readonly #options: PipelineOptions;
  readonly #registry: ColumnRegistry;
  readonly #reader: EntityReader;
  readonly #counter: SlotCounter;
  readonly #index: (id: number) => number;
  readonly #views: SlotViews;
  readonly #tracker: TransactionTracker;
  readonly #novelty: NoveltyScorer;
  readonly #absence: AbsenceScorer;
  /** Accounts found guilty, and until when their mail is left out of the other views. */
  #explained = new Map<string, number>();
  readonly #onScore: ((score: Score) => void) | undefined;
  readonly #asksNovelty: boolean;
  readonly #asksAbsence: boolean;
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
    this.#views = new SlotViews(model, options, onScore);
    this.#tracker = learner.tracker;
    this.#novelty = new NoveltyScorer(model.novelty);
    this.#changes = new ChangeWatch(model.window, model.catalogue);
    this.#plans = new PlanMemo((event) => {
      const family = familyOf(event);
      const known = this.#novelty.knows(event.templateId);
      const tidings = tidingsOf(event, family);
      const connects = connectsFor(event);
      return {
        ...{ family, turn: isTurn(event), newness: newnessOf(event), tidings },
        ...{ flow: flowOf(event), known, connects },
      };
    });
    this.manager = new IncidentManager({ perDay: options.budget, clock: options.clock });
    this.#absence = new AbsenceScorer(model.absence, options.clock, this.manager.bar / 4);
    this.#onScore = onScore;
    this.#asksNovelty = !options.without.has("novelty");
    this.#asksAbsence = !options.without.has("absence") && model.novelty.days >= 1;
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
      ...this.#views.save(lines, this.#slot),
      novelty: this.#novelty.save(),
      absence: this.#absence.save(),
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
    this.#views.load(saved, lines);
    this.#novelty.load(saved.novelty);
    this.#absence.load(saved.absence);
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
    for (const { observation, slot } of learner.tail.observations)
      this.#views.observe(observation, slot, undefined);
    this.#views.warmed(this.#slot);
  }

  /** Returns the counts of the model's columns. What belongs to changed software counts in no column of rare things. */
  #push(closed: SlotCounts | undefined, slot: number): Float32Array {
    const { columns } = this.model.window;
    const counts = new Float32Array(columns.length);
    const { drift } = this.#changes;
    for (let i = 0; closed && i < closed.ids.length; i++) {
      const id = closed.ids[i]!;
      const j = this.#index(id);
      const { key } = this.#registry.columns[id]!;
      if (columns[j]!.key === key || !drift.isAside(key)) counts[j]! += closed.counts[i]!;
    }
    this.#views.push(counts, placeOf(slot, this.#options.clock));
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
    if (part.turn) this.#views.rings.turn(line);
    this.#headOf(headForm(event.text), line);
    if (this.#asksNovelty) {
      const jump = this.#clockWatch.see(event.host, event.daemon, event.time, line);
      if (jump) this.#offer([clockCandidate(jump, now)]);
    }
    const explained = this.#observe(event, line, slot);
    if (!explained) {
      this.#views.time(event, line);
      const set = this.#counter.add(event, slot);
      if (part.connects && this.#explained.size > 0) this.#counter.own(event, set);
      this.#views.rings.counted(set, line);
      this.#views.causes.add(event, line.family);
      if (!part.known || part.tidings.begins) this.#newness(event, line, part, now);
    } else this.#counter.leaveOut(event);
    // after it is known whether the line may be of changed software: the first of its shape may close a transaction
    for (const t of this.#tracker.add(event, now, line, explained))
      if (!t.explained) this.#views.transaction(t, !this.#changes.drift.touches(t), now);
    return this.#given();
  }

  /** A line without a readable time: it is judged by that alone, at the time of the newest line. */
  #unread(event: MailEvent): readonly Alert[] {
    if (event.text === "") return NO_ALERTS;
    this.#headOf("no readable time", seenLine(event, this.#read, familyOf(event)));
    return this.#given();
  }

  #headOf(form: HeadForm, line: SeenLine): void {
    if (!this.#asksNovelty) return;
    const found = this.#changes.head(form, line);
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

  /** The open slot is over, and judged. Where no line came, only what comes too often is, if there is an absence view. at: in ms. */
  #endSlot(at: number): void {
    const slot = this.#slot;
    const quiet = this.#quiet;
    if (quiet <= MAX_GAP_SLOTS) {
      this.#views.rings.close(slot, this.#index);
      const counts = this.#push(this.#counter.close(), slot);
      const changes = this.#changes.close(slot, counts, placeOf(slot, this.#options.clock), at);
      this.#offer([...changes, ...this.#judge(slot, at, quiet > 0)]);
      this.manager.measure((key) => this.#views.surplus(key));
      this.#views.next();
      if (quiet === MAX_GAP_SLOTS) this.#views.restart();
    }
    this.#slot++;
  }

  #silence(until: number): void {
    if (!this.#asksAbsence) return;
    for (let found = this.#absence.silence(until); found; found = this.#absence.silence(until))
      this.#offerSilence(found);
  }

  /** A silence that is not told now is found again when that is over, or when it has become clearly longer. */
  #offerSilence(finding: AbsenceFinding): void {
    const silent = absenceCandidate(finding, this.#views.rings, this.#putOff());
    const candidate = this.#changes.silence(silent, finding, this.manager.open);
    const hider = this.manager.hiderOf(candidate);
    this.#offer([candidate]);
    if (hider) this.#absence.again(finding.key, Math.max(finding.at + 1, hider.again));
  }

  /** The newest lines of deliveries that were put off. */
  #putOff(): SeenLine[] {
    const lines: SeenLine[] = [];
    for (const [j, { level, key }] of this.model.window.columns.entries())
      if (level === "status" && key.endsWith(" deferred")) lines.push(...this.#views.rings.ofColumn(j, 0));
    return lines.sort((a, b) => b.time - a.time).slice(0, 3);
  }

  /** The log ends: incidents that have been quiet for long by its last line are closed. */
  end(): void {
    this.#views.end();
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
      this.#views.observe(observation, slot, line);
    }
    observed.length = 0;
    return explained;
  }

  #absences(now: number): void {
    if (!this.#asksAbsence) return;
    // slots that ended without a line were judged already, and nothing is dated before that
    const least = this.#quiet > 0 ? this.#slot * SLOT_MS + SETTLE_MS : 0;
    for (let due = this.#absence.due(now); due.length > 0; due = this.#absence.due(now))
      for (const finding of [...due].sort((a, b) => a.at - b.at))
        this.#offerSilence({ ...finding, at: Math.max(finding.at, least) });
  }

  #offer(candidates: readonly Candidate[]): void {
    this.#options.onOffer?.(candidates);
    this.#opened.push(...this.manager.offer(candidates));
  }

  /** Candidates at the end of a slot: of the views that count, and of what waited for them. */
  #judge(slot: number, at: number, silent: boolean): Candidate[] {
    const { drift } = this.#changes;
    const waited = this.#waiting.take().map((c) => ({ ...c, at }));
    const { bar } = this.manager;
    const { candidates, common, guilty } = this.#views.judge({
      ...{ slot, at, silent, bar, worded: this.#options.onOffer ? Number.POSITIVE_INFINITY : bar },
      isGone: (column) => drift.isGone(column),
    });
    this.manager.pass(common, at);
    for (const account of guilty) this.#explain(account, at);
    return [...waited, ...candidates];
  }

  #explain(account: string, now: number): void {
    for (const [known, until] of this.#explained) if (until <= now) this.#explained.delete(known);
    this.#explained.set(account, now + EXPLAINED_MS);
  }

  #newness(event: MailEvent, line: SeenLine, { newness, tidings, known }: PlanPart, now: number): void {
    if (!this.#asksNovelty || !isReady(this.model.novelty)) return;
    const released = tidings.begins ? this.#changes.drift.begins(tidings, line) : undefined;
    if (released) this.#offer([{ ...released, at: now }]);
    if (known) return;
    const { cause, family } = tidings;
    const reading = this.#changes.drift.see(tidings, line, () => this.#views.causes.isUsual(cause!, family));
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
      causes: this.#views.causes,
      rings: this.#views.rings,
      at: now,
    });
    if (reading === "waits") this.#changes.drift.hold(tidings, candidate);
    // An attack on passwords is told better by who and how many, so it waits for the end of the slot, where the rarest view speaks.
    else if (candidate.family === "auth") this.#waiting.add(candidate);
    else this.#offer([candidate]);
  }
}
