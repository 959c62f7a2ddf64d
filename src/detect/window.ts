import { SLOTS_PER_DAY, type SlotPlace } from "../feature/clock.ts";
import { type Column, type ColumnLevel, FAMILY_LABELS } from "../feature/columns.ts";
import { FAMILIES, type Family } from "../feature/family.ts";
import { logLowerTail, logUpperTail } from "../math/negative-binomial.ts";
import { type Calibration, naturalRate, pValue } from "./calibrate.ts";
import type { RememberedSlots } from "./recall.ts";

/** Widths of the rolling windows, in slots of five minutes. Each is a channel with a line of its own. */
export const WIDTHS = [1, 2, 6, 12] as const;
export const MAX_WIDTH = 12;
/** Widths whose lower tail is asked; in five minutes too little is expected to be missed. */
export const LOWER_WIDTHS: readonly number[] = [2, 6, 12];
/** The lower tail means nothing below this expected count. */
export const LOWER_MIN_EXPECTED = 4;
/** No column is asked to be rarer in training than e^-6: one calm column must not make the line of all. */
export const FLOOR_NATS = 6;
/** Below this a count is not noticed, in training or live: both must rank the same scores. Less than any ceiling, so no finding depends on it. */
export const NOTICE_NATS = 3;
/** How far a surge of the other families may raise what is expected here, or to the most that training held: the model never extrapolates beyond. */
const MAX_EXPLAINED = 8;

/** Columns seen on too few days count together, by level and family, so that what is new or rare still has an expectation. */
export const poolKey = (level: ColumnLevel, family: Family): string => `rare ${level} ${family}`;
export const isPool = (key: string): boolean => key.startsWith("rare ");
const POOL_LABELS: Readonly<Record<Exclude<ColumnLevel, "all" | "volume">, string>> = {
  program: "lines of programs that seldom write",
  event: "failures of rare kinds",
  severity: "rare warnings and errors",
  status: "rare results of deliveries",
  cause: "failures of rare causes",
  template: "rare lines",
};
const POOLED_LEVELS = Object.keys(POOL_LABELS) as (keyof typeof POOL_LABELS)[];

export const POOLS: readonly Column[] = POOLED_LEVELS.flatMap((level) =>
  FAMILIES.filter((f) => f !== "total").map((family) => ({
    key: poolKey(level, family),
    level,
    family,
    cause: undefined,
    label: `${POOL_LABELS[level]}, ${FAMILY_LABELS[family]}`,
  })),
);

/** What the window view learned. Arrays are row-major; C columns, W widths. */
export type WindowModel = {
  readonly columns: readonly Column[];
  /** (C, 288): expected events per slot on a weekday and on a weekend day. */
  readonly weekday: Float32Array;
  readonly weekend: Float32Array;
  /** (W, C): overdispersion of the rolling sums, variance = mu + alpha mu^2. */
  readonly alpha: Float32Array;
  /** (W, C): the largest -ln p of training, at least FLOOR_NATS, for either tail. */
  readonly upperCeiling: Float32Array;
  readonly lowerCeiling: Float32Array;
  /** (W, C): the largest sum of training. */
  readonly most: Float32Array;
  readonly upper: readonly Calibration[];
  readonly lower: readonly Calibration[];
  /** What the next training is to remember; undefined in models of before. No detector reads it. */
  readonly remembered?: RememberedSlots;
};

/**
 * Expected counts given the other families; `mu` and `sums` are (C), and are read again when a column is asked for: its family's
 * columns are worked out then. alpha: undefined where these columns are spread as without the others. See conditional.ts.
 */
export type Conditional = (
  sums: Float32Array,
  mu: Float32Array,
  width: number,
  place: SlotPlace,
) => { readonly mu: (column: number) => number; readonly alpha: Float32Array | undefined };

/** A column that stands out in one window. */
export type WindowFinding = {
  readonly column: number;
  readonly family: Family;
  readonly width: number;
  readonly tail: "upper" | "lower";
  readonly actual: number;
  readonly expected: number;
  readonly alpha: number;
  /** -ln p under the expectation of the hour, and given the other families; the smaller one counts. */
  readonly nats: number;
  /** Nats above what training knew of this column. */
  readonly excess: number;
  /** Expected number a day by nature. */
  readonly rate: number;
  readonly pValue: number;
};

export type WindowScore = {
  readonly width: number;
  readonly tail: "upper" | "lower";
  readonly score: number;
  readonly pValue: number;
};

export type SavedWindows = {
  readonly ring: Float32Array;
  readonly places: readonly (SlotPlace | undefined)[];
  readonly head: number;
  readonly filled: number;
};

/** Scores the rolling sums of one slot after the other. */
export class WindowScorer {
  readonly model: WindowModel;
  readonly #conditional: Conditional | undefined;
  /** The last MAX_WIDTH slots, (MAX_WIDTH, C), newest at #head. */
  readonly #ring: Float32Array;
  #places: (SlotPlace | undefined)[];
  /** The model's seasons with the columns of one slot of the day side by side, (288, C). */
  readonly #weekday: Float32Array;
  readonly #weekend: Float32Array;
  /** Rolling sums of counts and of what is expected, (C). */
  readonly #sums: Float32Array;
  readonly #mu: Float32Array;
  /** Column by key. */
  readonly #index: ReadonlyMap<string, number>;
  #head = 0;
  #filled = 0;

  constructor(model: WindowModel, conditional: Conditional | undefined) {
    this.model = model;
    this.#conditional = conditional;
    const C = model.columns.length;
    this.#ring = new Float32Array(MAX_WIDTH * C);
    this.#places = new Array<SlotPlace | undefined>(MAX_WIDTH).fill(undefined);
    this.#weekday = bySlot(model.weekday, C);
    this.#weekend = bySlot(model.weekend, C);
    this.#sums = new Float32Array(C);
    this.#mu = new Float32Array(C);
    this.#index = new Map(model.columns.map(({ key }, j) => [key, j]));
  }

  /** Appends a closed slot. counts: (C). */
  push(counts: Float32Array, place: SlotPlace): void {
    this.#head = (this.#head + 1) % MAX_WIDTH;
    this.#ring.set(counts, this.#head * counts.length);
    this.#places[this.#head] = place;
    this.#filled = Math.min(MAX_WIDTH, this.#filled + 1);
  }

  /** Forgets the slots so far, as after a silence: no window reaches across it. */
  restart(): void {
    this.#filled = 0;
  }

  /** Count of a column in the newest `slots` slots. */
  recent(column: number, slots: number): number {
    let sum = 0;
    const C = this.model.columns.length;
    for (let k = 0; k < Math.min(slots, this.#filled); k++) {
      sum += this.#ring[((this.#head - k + MAX_WIDTH) % MAX_WIDTH) * C + column]!;
    }
    return sum;
  }

  /** How far the newest hour's count of a column is above what its hour usually brings; undefined for no column of the model. */
  surplus(key: string): number | undefined {
    const j = this.#index.get(key);
    if (j === undefined) return undefined;
    let sum = 0;
    for (let back = 0; back < this.#filled; back++) {
      const slot = (this.#head - back + MAX_WIDTH) % MAX_WIDTH;
      const { slotOfDay, weekend } = this.#places[slot]!;
      const C = this.model.columns.length;
      const season = weekend ? this.#weekend : this.#weekday;
      sum += this.#ring[slot * C + j]! - season[slotOfDay * C + j]!;
    }
    return sum;
  }

  save(): SavedWindows {
    return { ring: this.#ring, places: this.#places, head: this.#head, filled: this.#filled };
  }

  load({ ring, places, head, filled }: SavedWindows): void {
    this.#ring.set(ring);
    this.#places = [...places];
    this.#head = head;
    this.#filled = filled;
  }

  /**
   * All channels of the newest slot: their scores, and for each family the column that stands out most. scored: whether somebody wants the
   * scores; without, the other families are not asked about columns that find nothing, and no score is given.
   */
  score(scored = true): { scores: WindowScore[]; findings: WindowFinding[] } {
    const scores: WindowScore[] = [];
    const findings: WindowFinding[] = [];
    const place = this.#places[this.#head];
    this.#sums.fill(0);
    this.#mu.fill(0);
    let slots = 0;
    for (let w = 0; w < WIDTHS.length && WIDTHS[w]! <= this.#filled; w++) {
      while (slots < WIDTHS[w]!) this.#roll(slots++);
      const given = lazily(() => this.#conditional?.(this.#sums, this.#mu, WIDTHS[w]!, place!));
      for (const tail of ["upper", "lower"] as const) {
        if (tail === "lower" && !LOWER_WIDTHS.includes(WIDTHS[w]!)) continue;
        this.#channel(w, tail, given, scored ? scores : undefined, findings);
      }
    }
    return { scores, findings };
  }

  /** Adds the slot that lies `back` before the newest to the rolling sums. */
  #roll(back: number): void {
    const C = this.model.columns.length;
    const slot = (this.#head - back + MAX_WIDTH) % MAX_WIDTH;
    const { slotOfDay, weekend } = this.#places[slot]!;
    const season = weekend ? this.#weekend : this.#weekday;
    const [sums, mu, ring] = [this.#sums, this.#mu, this.#ring];
    for (let j = 0; j < C; j++) {
      sums[j]! += ring[slot * C + j]!;
      mu[j]! += season[slotOfDay * C + j]!;
    }
  }

  #channel(
    w: number,
    tail: "upper" | "lower",
    given: () => ReturnType<Conditional> | undefined,
    scores: WindowScore[] | undefined,
    findings: WindowFinding[],
  ): void {
    const { columns, alpha } = this.model;
    const C = columns.length;
    const ceiling = tail === "upper" ? this.model.upperCeiling : this.model.lowerCeiling;
    const calibration = (tail === "upper" ? this.model.upper : this.model.lower)[w]!;
    const channels = WIDTHS.length + LOWER_WIDTHS.length;
    const best = new Map<Family, WindowFinding>();
    const [sums, mu] = [this.#sums, this.#mu];
    let top = -FLOOR_NATS;
    const passedOver = scores === undefined ? isUsual : isNear;
    for (let j = 0; j < C; j++) {
      const a = alpha[w * C + j]!;
      if (passedOver(tail, sums[j]!, mu[j]!, a) || columns[j]!.level === "volume") continue;
      let nats = tailNats(tail, sums[j]!, mu[j]!, a);
      const ceil = ceiling[w * C + j]!;
      if (scores === undefined && nats <= ceil) continue; // the other families could only explain it
      const others = nats > FLOOR_NATS ? given() : undefined;
      if (others) {
        const most = this.model.most[w * C + j]!;
        const spread = others.alpha?.[j] ?? a;
        nats = Math.min(nats, conditionalNats(tail, sums[j]!, mu[j]!, others.mu(j), spread, most));
      }
      const excess = nats - ceil;
      if (nats >= NOTICE_NATS) top = Math.max(top, excess);
      const family = columns[j]!.family;
      const old = best.get(family);
      if (excess > 0 && (old === undefined || beats(columns, excess, j, old))) {
        best.set(family, {
          column: j,
          family,
          width: WIDTHS[w]!,
          tail,
          actual: sums[j]!,
          expected: mu[j]!,
          alpha: a,
          nats,
          excess,
          rate: naturalRate(calibration, excess, channels),
          pValue: pValue(calibration, excess),
        });
      }
    }
    scores?.push({ width: WIDTHS[w]!, tail, score: top, pValue: pValue(calibration, top) });
    findings.push(...best.values());
  }
}

/** (C, 288) as (288, C). */
function bySlot(season: Float32Array, C: number): Float32Array {
  const out = new Float32Array(season.length);
  for (let j = 0; j < C; j++)
    for (let s = 0; s < SLOTS_PER_DAY; s++) out[s * C + j] = season[j * SLOTS_PER_DAY + s]!;
  return out;
}

/** What `make` returns, made when it is first asked for. */
function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * Whether a count lies within half a standard deviation of what is expected, or on the other side of it. Its tail is then far below
 * NOTICE_NATS whatever the overdispersion, so nothing depends on its digits; nearly all counts of a slot are such.
 */
export function isNear(tail: "upper" | "lower", x: number, mu: number, alpha: number): boolean {
  const away = tail === "upper" ? x - mu : mu - x;
  return away <= 0 || 4 * away * away <= mu + alpha * mu * mu;
}

/**
 * Whether a count lies within one and a half standard deviations above what is expected, or within three quarters of one below it. Its
 * tail is then below FLOOR_NATS, and so below every ceiling: it can be no finding.
 */
export function isUsual(tail: "upper" | "lower", x: number, mu: number, alpha: number): boolean {
  const away = tail === "upper" ? x - mu : mu - x;
  return away <= 0 || away * away <= (tail === "upper" ? 1.5 ** 2 : 0.75 ** 2) * (mu + alpha * mu * mu);
}

/** Depth of a column: of two equally strange ones the more specific tells the operator more. */
const DEPTH: Readonly<Record<ColumnLevel, number>> = {
  all: 0,
  volume: 0,
  program: 1,
  severity: 2,
  event: 3,
  status: 3,
  cause: 4,
  template: 5,
};

function beats(columns: readonly Column[], excess: number, column: number, old: WindowFinding): boolean {
  if (Math.abs(excess - old.excess) > 0.5) return excess > old.excess;
  return DEPTH[columns[column]!.level] > DEPTH[columns[old.column]!.level];
}

/** -ln of the tail probability of a count, in nats; 0 where the count lies on the other side of what is expected. */
export function tailNats(tail: "upper" | "lower", x: number, mu: number, alpha: number): number {
  if (tail === "upper") return x <= mu || x === 0 ? 0 : -logUpperTail(x, mu, alpha);
  return x >= mu || mu <= LOWER_MIN_EXPECTED ? 0 : -logLowerTail(x, mu, alpha);
}

/** The same under the expectation given the other families, which may explain a surge or a lull only so far. most: the largest sum of training. */
export function conditionalNats(
  tail: "upper" | "lower",
  x: number,
  mu: number,
  given: number,
  alpha: number,
  most: number,
): number {
  const bounded = Math.min(Math.max(mu * MAX_EXPLAINED, most), Math.max(mu / MAX_EXPLAINED, given));
  return tailNats(tail, x, bounded, alpha);
}
