import { regularCandidate } from "../detect/absence-candidates.ts";
import { CauseCounter } from "../detect/attribute.ts";
import type { Candidate } from "../detect/candidate.ts";
import {
  COLUMN_PART,
  entityCandidate,
  STRANGE_PART,
  transactionCandidate,
  windowCandidate,
} from "../detect/candidates.ts";
import { conditionalOf } from "../detect/conditional.ts";
import { EntityScorer, JUDGED } from "../detect/entity.ts";
import { LineRings } from "../detect/lines.ts";
import { RegularScorer } from "../detect/regular.ts";
import { queueIdOf } from "../detect/said.ts";
import { slowCandidate } from "../detect/slow-candidate.ts";
import { SlownessScorer } from "../detect/slowness.ts";
import { besideOrdinary } from "../detect/strange.ts";
import { TransactionScorer } from "../detect/transaction.ts";
import { type WindowFinding, type WindowScore, WindowScorer } from "../detect/window.ts";
import { DAY_MS, SLOT_MS, type SlotPlace } from "../feature/clock.ts";
import type { Observation } from "../feature/entity.ts";
import type { LineLoader, LineSaver } from "../feature/line-table.ts";
import { DeliveryTimer } from "../feature/slowness.ts";
import type { SeenLine, Transaction } from "../feature/transaction.ts";
import type { MailEvent } from "../mail/event.ts";
import { MIN_TRAINING_DAYS, type Model, type PipelineOptions, type Score } from "./model.ts";
import type { SavedSlotViews } from "./saved.ts";

/** Entities told of in one slot, the strangest first. */
const MAX_FINDINGS = 32;
/** So many lines of one message are no incident. */
const MAX_OF_ONE = 20;
/** Below the bar by so much an account is held guilty: its mail explains what other views see. */
const GUILTY = 1 / 20;
/** Confidence from which on it is; a few failed messages may be a mistyped address. */
const SURE = 0.8;
const isGuilty = ({ kind, kindConfidence, rate }: Candidate, bar: number): boolean =>
  kind === "account_compromised" && kindConfidence >= SURE && rate < bar * GUILTY;

/** A slot that is over. */
export type ClosedSlot = {
  readonly slot: number;
  /** When it is judged, in ms. */
  readonly at: number;
  /** Whether no line came since. */
  readonly silent: boolean;
  /** Natural rate a day below which something counts. */
  readonly bar: number;
  /** Natural rate a day above which a finding is counted alone, since nobody would read its words. */
  readonly worded: number;
  /** Whether a column counts what is gone with changed software. */
  readonly isGone: (column: Model["window"]["columns"][number]) => boolean;
};

/** In ms. */
const endOf = ({ slot }: ClosedSlot): number => (slot + 1) * SLOT_MS;

export type Judged = {
  readonly candidates: Candidate[];
  /** Findings too common for words. */
  readonly common: number;
  /** Accounts found guilty. */
  readonly guilty: readonly string[];
};

/** The views that count for five minutes and are judged then: windows, transactions and their slowness, entities, regular senders. */
export class SlotViews {
  readonly rings: LineRings = new LineRings();
  readonly causes: CauseCounter;
  readonly #model: Model;
  readonly #options: PipelineOptions;
  readonly #onScore: ((score: Score) => void) | undefined;
  /** Whether the history is long enough for windows and entities. */
  readonly #full: boolean;
  readonly #window: WindowScorer;
  readonly #entities: EntityScorer;
  readonly #transactions: TransactionScorer | undefined;
  readonly #rates: WindowScorer | undefined;
  readonly #timer = new DeliveryTimer();
  readonly #slowness: SlownessScorer | undefined;
  readonly #regulars: RegularScorer;
  /** Findings of the slot that is judged that are too common for words. */
  #common = 0;

  constructor(model: Model, options: PipelineOptions, onScore: ((score: Score) => void) | undefined) {
    this.#model = model;
    this.#options = options;
    this.#onScore = onScore;
    this.#full = (model.to - model.from) / DAY_MS >= MIN_TRAINING_DAYS;
    this.#window = new WindowScorer(
      model.window,
      model.windowVae ? conditionalOf(model.windowVae) : undefined,
    );
    this.#entities = new EntityScorer(model.entity, options.clock);
    this.#transactions = model.transaction
      ? new TransactionScorer(model.transaction, ({ time, transaction: t, score, pValue }) =>
          onScore?.({ time, view: "transaction", key: `${t.type} ${t.key}`, score, pValue }),
        )
      : undefined;
    this.#rates = model.transaction
      ? new WindowScorer(model.transaction.rates, besideOrdinary(model.transaction.rates.columns))
      : undefined;
    this.#slowness =
      model.slowness && !options.without.has("transaction") ? new SlownessScorer(model.slowness) : undefined;
    this.#regulars = new RegularScorer(model.regular, options.clock, options.salt);
    this.causes = new CauseCounter(model.window);
  }

  save(lines: LineSaver, slot: number): SavedSlotViews {
    return {
      window: this.#window.save(),
      entities: this.#entities.save(slot),
      transactions: this.#transactions?.save(lines),
      rates: this.#rates?.save(),
      timer: this.#timer.save(lines),
      slowness: this.#slowness?.save(lines),
      regulars: this.#regulars.save(),
      causes: this.causes.save(),
      rings: this.rings.save(lines),
    };
  }

  load(saved: SavedSlotViews, lines: LineLoader): void {
    this.#window.load(saved.window);
    this.#entities.load(saved.entities);
    if (saved.transactions) this.#transactions?.load(saved.transactions, lines);
    if (saved.rates) this.#rates?.load(saved.rates);
    this.#timer.load(saved.timer, lines);
    if (saved.slowness) this.#slowness?.load(saved.slowness, lines);
    this.#regulars.load(saved.regulars);
    this.causes.load(saved.causes);
    this.rings.load(saved.rings, lines);
  }

  /** What a line says of an entity. line: undefined for one of before, which is cited no more. */
  observe(observation: Observation, slot: number, line: SeenLine | undefined): void {
    this.#entities.add(observation, slot);
    this.#regulars.add(observation, slot);
    if (line && JUDGED[observation.feature]) this.rings.entity(observation, line);
  }

  /** A transaction that a line closed. strange: whether it may count as strange. now: in ms. */
  transaction(closed: Transaction, strange: boolean, now: number): void {
    if (strange) this.#transactions?.add(closed, now);
    this.#slowness?.addMessage(closed, this.#timer.closed(closed));
  }

  /** What a line says of how long a delivery took. */
  time(event: MailEvent, line: SeenLine): void {
    const timed = this.#slowness && this.#timer.read(event, line);
    if (timed) this.#slowness!.add(timed);
  }

  /** A slot is over, with its counts of the model's columns. */
  push(counts: Float32Array, place: SlotPlace): void {
    this.#window.push(counts, place);
    if (this.#transactions) this.#rates!.push(this.#transactions.close(), place);
    this.causes.close(place);
  }

  /** The entities know all that came before the slot. */
  warmed(slot: number): void {
    this.#entities.score(slot - 1, false);
  }

  /** After the slot was judged. */
  next(): void {
    this.#slowness?.next();
  }

  /** No window reaches across a silence. */
  restart(): void {
    this.#window.restart();
    this.#rates?.restart();
    this.#slowness?.restart();
  }

  /** The log ends. */
  end(): void {
    this.#transactions?.score();
  }

  /** How far a part's column is from what is typical in the newest hour. */
  surplus(key: string): number | undefined {
    if (key.startsWith(COLUMN_PART)) return this.#window.surplus(key.slice(COLUMN_PART.length));
    if (key.startsWith(STRANGE_PART)) return this.#rates?.surplus(key.slice(STRANGE_PART.length));
    return undefined;
  }

  judge(closed: ClosedSlot): Judged {
    const { without } = this.#options;
    this.#common = 0;
    const counted = [
      ...(!without.has("window") && this.#full ? this.#ofWindows(closed) : []),
      ...this.#ofTransactions(closed),
      ...this.#ofSlowness(closed),
    ];
    const entities = !without.has("entity") && this.#full ? this.#ofEntities(closed) : [];
    const regulars = !without.has("absence") && this.#full && !closed.silent ? this.#ofRegulars(closed) : [];
    const guilty = entities.filter(({ candidate }) => isGuilty(candidate, closed.bar));
    return {
      candidates: [...counted, ...entities.map(({ candidate }) => candidate), ...regulars],
      common: this.#common,
      guilty: guilty.map(({ key }) => key),
    };
  }

  /** Whether a finding is to be put into words. To be asked once of each. */
  #isWorded({ rate }: { readonly rate: number }, { worded }: ClosedSlot): boolean {
    if (rate <= worded) return true;
    this.#common++;
    return false;
  }

  #evidence(closed: ClosedSlot) {
    return { causes: this.causes, rings: this.rings, at: closed.at, slotEnd: endOf(closed) };
  }

  #ofWindows(closed: ClosedSlot): Candidate[] {
    const { window: model } = this.#model;
    const { scores, findings } = this.#window.score(this.#onScore !== undefined);
    const time = endOf(closed);
    // the absence view tells a silence of the whole log, where there is one
    const told = closed.silent && !this.#options.without.has("absence");
    for (const { width, tail, score, pValue } of scores)
      this.#onScore?.({ time, view: "window", key: `${width * 5}min ${tail}`, score, pValue });
    return findings
      .filter((finding) =>
        // Fresh evidence only: a surge must still be going on, else it is the shadow of an old burst in a long window.
        finding.tail === "upper"
          ? this.#window.recent(finding.column, 2) > 0 && !this.#isOneMessage(finding, time)
          : !told && !closed.isGone(model.columns[finding.column]!),
      )
      .filter((finding) => this.#isWorded(finding, closed))
      .map((finding) => windowCandidate(finding, { ...this.#evidence(closed), model, scorer: this.#window }));
  }

  /** Whether a few lines are what became of one message, at each try anew, by the newest of them. end: of the window, in ms. */
  #isOneMessage({ column, width, actual }: WindowFinding, end: number): boolean {
    if (actual > MAX_OF_ONE) return false;
    const ids = new Set(this.rings.ofColumn(column, end - width * SLOT_MS).map(queueIdOf));
    return ids.size === 1 && !ids.has("");
  }

  #ofTransactions(closed: ClosedSlot): Candidate[] {
    const [strange, scorer] = [this.#transactions, this.#rates];
    if (!strange || !scorer) return [];
    const { scores, findings } = scorer.score(this.#onScore !== undefined);
    for (const row of scores) if (row.tail === "upper") this.#scored("strange", closed, row);
    return findings
      .filter(({ tail, column }) => tail === "upper" && scorer.recent(column, 2) > 0)
      .filter((finding) => this.#isWorded(finding, closed))
      .map((finding) =>
        transactionCandidate(finding, {
          ...this.#evidence(closed),
          ...{ model: strange.model, scorer, strange },
        }),
      );
  }

  #ofSlowness(closed: ClosedSlot): Candidate[] {
    const scorer = this.#slowness;
    if (!scorer) return [];
    const { at } = closed;
    const candidates = scorer
      .score()
      .filter((finding) => this.#isWorded(finding, closed))
      .map((finding) => slowCandidate(finding, { scorer, at, slotEnd: endOf(closed) }));
    if (this.#onScore) for (const row of scorer.rows()) this.#scored("slow", closed, row);
    return candidates;
  }

  /** Hands out a row of a rule that counts transactions. */
  #scored(
    rule: "strange" | "slow",
    closed: ClosedSlot,
    row: Pick<WindowScore, "width" | "score" | "pValue">,
  ): void {
    const { width, score, pValue } = row;
    const time = endOf(closed);
    this.#onScore?.({ time, view: "transaction", key: `${rule} ${width * 5}min`, score, pValue, rule });
  }

  #ofEntities(closed: ClosedSlot): { readonly key: string; readonly candidate: Candidate }[] {
    const { findings, rows } = this.#entities.score(closed.slot, this.#onScore !== undefined);
    const time = endOf(closed);
    for (const { feature, horizon, excess, pValue } of rows)
      this.#onScore?.({ time, view: "entity", key: `${feature} ${horizon}`, score: excess, pValue });
    return findings
      .slice(0, MAX_FINDINGS)
      .filter((finding) => this.#isWorded(finding, closed))
      .map((finding) => ({
        key: finding.key,
        candidate: entityCandidate(finding, { ...this.#evidence(closed), scorer: this.#entities }),
      }));
  }

  #ofRegulars({ slot, at, bar }: ClosedSlot): Candidate[] {
    return this.#regulars.score(slot).map((finding) => {
      const candidate = regularCandidate(finding, at);
      if (finding.rate <= bar) this.#regulars.told(finding);
      return candidate;
    });
  }
}
