import { Newcomers, UNSETTLED } from "./newcomer.ts";

/**
 * A stream of windows, each scored before it is learned. Without feedback a window is as strange as its newest event. With
 * feedback, labels of windows are traced to events (noisy-or: a strange window has at least one strange event, an
 * ordinary one has none; Pearl 1988), and a small logistic regression, learned as labels come, weighs that against what
 * was said last, the exact bag's past, and novelty. A row depends on the labels of earlier rows alone.
 */

/** Sightings that the prior of an event counts for. */
const PRIOR_WEIGHT = 0.5;
/** Prior of "a new event is strange", as strange and all new events, before any label. */
const FIRST_PRIOR = { strange: 0.5, all: 1.5 };
/** Probabilities are held within this of 0 and 1. */
const LEAST = 5e-4;
/** Weight of the newest label in the running share of strange windows. */
const RECENT = 0.1;
/** Step of the regression, by AdaGrad (Duchi et al. 2011). */
const RATE = 0.1;
const FIRST_SQUARE = 1e-2;
/** Log-odds of a bag's own past are held within this. */
const BAG_LIMIT = 2;
/** Bags and events remembered. */
const MAX_TABLE = 100_000;
/** Weights before any label: bias, noisy-or, last label, recent share, fresh events, bag, strangeness. */
const FIRST_WEIGHTS = [-1.5, 1, 1, 0.5, 0.5, 0, 0];
/** Cells of the tables from which threshold and p-value are read. */
const CELLS = 200;
/** Threshold before labels tell a better one, and strange windows that it counts for. */
const FIRST_LINE = 0.5;
const LEAST_STRANGE = 10;

export type Feedback = "none" | "window" | "chunk";
export type StreamScore = {
  /** 0 to 1, rising with strangeness. */
  readonly score: number;
  /** Share of the windows before that scored as high, in (0, 1]. */
  readonly pValue: number;
  readonly strange: boolean;
};
type Evidence = { strange: number; ordinary: number };

const logOdds = (p: number): number => Math.log(p / (1 - p));
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const within = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));
const cellOf = (score: number): number => Math.min(CELLS - 1, Math.floor(score * CELLS));
const keyOf = (events: ReadonlySet<string>): string => [...events].sort().join(" ");

export class StreamScorer {
  readonly #feedback: Feedback;
  readonly #newcomers = new Newcomers();
  readonly #events = new Map<string, Evidence>();
  readonly #bags = new Map<string, Evidence>();
  readonly #prior = { ...FIRST_PRIOR };
  readonly #weights = Float64Array.from(FIRST_WEIGHTS);
  readonly #squares = new Float64Array(FIRST_WEIGHTS.length).fill(FIRST_SQUARE);
  /** Scores so far; and those of labelled windows. */
  readonly #seen = new Float64Array(CELLS);
  readonly #strange = new Float64Array(CELLS);
  readonly #ordinary = new Float64Array(CELLS);
  #windows = 0;
  #labels = 0;
  #last = 0;
  #recent = 0;

  constructor(feedback: Feedback) {
    this.#feedback = feedback;
  }

  /** Scores a window, then takes in that it came. `token` is for `label`. */
  add(events: ReadonlySet<string>): { score: StreamScore; token: Token } {
    const { strangeness, fresh } = this.#newcomers.judge(events);
    this.#newcomers.learn(events);
    const token: Token = { events, strangeness, fresh, score: strangeness };
    const learned = this.#feedback !== "none" && (this.#labels > 0 || this.#feedback === "window");
    if (learned) token.score = sigmoid(this.#sum(this.#features(token)));
    const line = learned ? this.#line() : UNSETTLED;
    const pValue = this.#pValue(token.score);
    this.#seen[cellOf(token.score)]!++;
    this.#windows++;
    return { score: { score: token.score, pValue, strange: token.score > line }, token };
  }

  /** Takes the label of a window that was added before. */
  label({ events, strangeness, fresh, score }: Token, strange: boolean): void {
    (strange ? this.#strange : this.#ordinary)[cellOf(score)]!++;
    this.#labels++;
    this.#regress(this.#features({ events, strangeness, fresh, score }), strange);
    this.#blame(events, strange);
    const past = this.#remembered(this.#bags, keyOf(events));
    if (strange) past.strange++;
    else past.ordinary++;
    this.#last = strange ? 1 : -1;
    this.#recent += RECENT * ((strange ? 1 : 0) - this.#recent);
  }

  #features({ events, strangeness, fresh }: Token): number[] {
    let none = 1;
    for (const event of events) none *= 1 - Math.min(1 - LEAST, this.#chance(event));
    const past = this.#bags.get(keyOf(events));
    const bag = past === undefined ? 0 : logOdds((past.strange + 0.5) / (past.strange + past.ordinary + 1));
    const told = this.#feedback === "window" && this.#labels > 0;
    return [
      1,
      logOdds(within(1 - none, LEAST, 1 - LEAST)),
      told ? this.#last : 0,
      told ? 4 * this.#recent - 1 : 0,
      Math.min(2, fresh),
      within(bag, -BAG_LIMIT, BAG_LIMIT),
      2 * strangeness - 1,
    ];
  }

  #sum(features: readonly number[]): number {
    return features.reduce((sum, x, i) => sum + x * this.#weights[i]!, 0);
  }

  #regress(features: readonly number[], strange: boolean): void {
    const error = sigmoid(this.#sum(features)) - (strange ? 1 : 0);
    features.forEach((x, i) => {
      const gradient = error * x;
      this.#squares[i]! += gradient * gradient;
      this.#weights[i]! -= (RATE * gradient) / Math.sqrt(this.#squares[i]!);
    });
  }

  /** P(an event makes its windows strange), by what is known of it. */
  #chance(event: string): number {
    const prior = this.#prior.strange / this.#prior.all;
    const { strange, ordinary } = this.#events.get(event) ?? { strange: 0, ordinary: 0 };
    return (strange + prior * PRIOR_WEIGHT) / (strange + ordinary + PRIOR_WEIGHT);
  }

  /** Shares the blame for a strange window by the chances so far; an ordinary window clears its events. */
  #blame(events: ReadonlySet<string>, strange: boolean): void {
    const chances = [...events].map((event) => [event, this.#chance(event)] as const);
    const total = chances.reduce((sum, [, p]) => sum + p, 0);
    for (const [event, p] of chances) {
      const share = strange && total > 0 ? p / total : 0;
      if (!this.#events.has(event)) {
        this.#prior.strange += share;
        this.#prior.all++;
      }
      const known = this.#remembered(this.#events, event);
      known.strange += share;
      if (!strange) known.ordinary++;
    }
  }

  #remembered(table: Map<string, Evidence>, key: string): Evidence {
    const known = table.get(key);
    if (known !== undefined) return known;
    const made = { strange: 0, ordinary: 0 };
    if (table.size < MAX_TABLE) table.set(key, made);
    return made;
  }

  /** The threshold that would have been best for F1 so far; near FIRST_LINE while few strange windows were told. */
  #line(): number {
    let strange = LEAST_STRANGE;
    for (const n of this.#strange) strange += n;
    // As if LEAST_STRANGE more had been told, all of them above FIRST_LINE, and as many ordinary ones below it.
    let hit = 0;
    let false_ = 0;
    let best = -1;
    let line = FIRST_LINE;
    for (let cell = CELLS - 1; cell > 0; cell--) {
      hit += this.#strange[cell]!;
      false_ += this.#ordinary[cell]!;
      const at = cell / CELLS;
      const prior = at > FIRST_LINE ? (1 - at) / (1 - FIRST_LINE) : 1;
      const priorFalse = at < FIRST_LINE ? 1 - at / FIRST_LINE : 0;
      const hits = hit + LEAST_STRANGE * prior;
      const f = (2 * hits) / (hits + false_ + LEAST_STRANGE * priorFalse + strange);
      if (f >= best) [best, line] = [f, at];
    }
    return line;
  }

  #pValue(score: number): number {
    let above = 1;
    for (let cell = cellOf(score); cell < CELLS; cell++) above += this.#seen[cell]!;
    return above / (this.#windows + 1);
  }
}

/** What `label` needs of a window that was scored. */
export type Token = {
  readonly events: ReadonlySet<string>;
  readonly strangeness: number;
  readonly fresh: number;
  score: number;
};
