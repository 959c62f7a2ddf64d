import { LEFT_OUT, type LineLoader, type LineSaver } from "../feature/line-table.ts";
import { Memo } from "../feature/memo.ts";
import {
  CITED_SLOTS,
  loadDeliveries,
  type SavedDeliveries,
  STAGES,
  saveDeliveries,
  type TimedDelivery,
} from "../feature/slowness.ts";
import type { Transaction } from "../feature/transaction.ts";
import { logBetaBinomialUpperTail } from "../math/beta-binomial.ts";
import { hash64 } from "../math/hash.ts";
import { type Calibration, naturalRate, pValue } from "./calibrate.ts";
import { expectReception, type ReceivedMessage, type ReceptionModel, receivedOf } from "./reception.ts";
import { ceilingOf, type SlowPeak } from "./slowness-memory.ts";
import { FLOOR_NATS, NOTICE_NATS } from "./window.ts";

/**
 * Of the deliveries that ended within a time, how many were slow for their kind? Their number is given, so that a surge of mail
 * raises nothing by itself. Slow is what takes longer than nine, or 99 of 100 did in training, by program, stage and destination.
 */

/** Slots of five minutes: half an hour to six hours, the long ones for few deliveries and slow drifts. */
export const SLOW_WIDTHS = [6, 12, 24, 72] as const;
const MAX_WIDTH = CITED_SLOTS;
/** Share of training's deliveries that are slow, per level. */
export const LEVELS = [0.1, 0.01] as const;
/** Fewer slow deliveries are chance, however rare. */
export const LEAST_SLOW = 4;
/** Seconds that Postfix tells apart; they make the logarithm of none finite. */
const RESOLUTION = 0.01;
/** The newest deliveries of each program that may be cited. */
const MAX_RECENT = 1024;
/** Destinations whose pseudonyms are not made again each time; only speed depends on it. */
const MAX_NAMES = 4096;
/** Messages whose reception is judged in one go; only memory depends on it. */
const MAX_WAITING = 256;

export type StageModel = {
  /** Mean of ln(seconds). */
  readonly centre: number;
  /** Per level: how far above what is expected a delivery is slow, in ln(seconds), and the share that was. */
  readonly limits: readonly number[];
  readonly shares: readonly number[];
  /** Seconds that a twentieth, half and 19 of 20 of the deliveries stayed below. */
  readonly usual: readonly [number, number, number];
};
export type ProgramModel = { readonly program: string; readonly stages: readonly StageModel[] };

export type SlownessModel = {
  /** One of so many deliveries is looked at: 1 but on busy servers. */
  readonly stride: number;
  readonly salt: string;
  readonly programs: readonly ProgramModel[];
  /**
   * Pseudonym of program and destination -> how much longer than the program's each stage takes there, in ln(seconds), and the slot in which
   * it was last delivered to, which models of before lack.
   */
  readonly destinations: Readonly<Record<string, readonly number[]>>;
  /** What reception should take; undefined where training had too few messages. */
  readonly reception: ReceptionModel | undefined;
  /** (W, C): correlation of the deliveries of a window. C: programs, their stages, their levels. */
  readonly rho: Float32Array;
  /** (W, C): the largest -ln p of training, at least FLOOR_NATS; more where it may come again, whatever comes with it. */
  readonly ceiling: Float32Array;
  /** (W, C): the largest as it was, in this training or those before, and the slot in which it was last met; undefined in models of before. */
  readonly peaks?: readonly SlowPeak[];
  /** Per width. */
  readonly calibration: readonly Calibration[];
};

export const PER_PROGRAM: number = STAGES.length * LEVELS.length;
export const columnOf = (program: number, stage: number, level: number): number =>
  (program * STAGES.length + stage) * LEVELS.length + level;
export const logSeconds = (seconds: number): number => Math.log(seconds + RESOLUTION);
const deliveryTo = (program: string, destination: string): string => `${program} ${destination}`;
const pseudonym = (salt: string, to: string): string => hash64(`${salt} ${to}`);
export const destinationKey = (salt: string, program: string, destination: string): string =>
  pseudonym(salt, deliveryTo(program, destination));

/** How far a stage, by its number, took longer than expected, in ln(seconds); -Infinity where it is too short to count. shift: of the destination. */
export const aboveExpected = (stage: number, centre: number, shift: number, seconds: number): number =>
  seconds < STAGES[stage]!.least ? Number.NEGATIVE_INFINITY : logSeconds(seconds) - centre - shift;

/** How many levels that is slow by: 0 ... LEVELS.length. */
export function levelsAbove(limits: readonly number[], above: number): number {
  let levels = 0;
  while (levels < limits.length && above > limits[levels]!) levels++;
  return levels;
}

/** width: in slots. */
type SlowColumn = {
  readonly program: number;
  readonly stage: number;
  readonly level: number;
  readonly width: number;
};
/** A program whose deliveries are slow in one stage. */
export type SlowFinding = SlowColumn & {
  readonly slow: number;
  readonly deliveries: number;
  /** Share of slow ones in training. */
  readonly share: number;
  readonly rho: number;
  readonly excess: number;
  /** Expected number a day by nature. */
  readonly rate: number;
  readonly pValue: number;
};

/** All deliveries of a width, which end with the open slot: how far the most unusual column is above its ceiling. */
export type SlowRow = { readonly width: number; readonly score: number; readonly pValue: number };

/** A delivery as it is kept for citing. */
export type RecentDelivery = TimedDelivery & {
  /** Per stage, as levelsAbove() says; -1 where it did not count. */
  readonly slow: readonly number[];
};

export type SavedSlowness = {
  readonly messages: readonly ReceivedMessage[];
  readonly waiting: SavedDeliveries;
  readonly deliveries: Float64Array;
  readonly slow: Float64Array;
  /** By program; `by` is slow, (n, STAGES). */
  readonly recent: readonly { readonly deliveries: SavedDeliveries; readonly by: Int8Array }[];
  readonly head: number;
  readonly seen: readonly [number, number];
};

export class SlownessScorer {
  readonly model: SlownessModel;
  readonly #programs: ReadonlyMap<string, number>;
  /** By program and destination, how much longer each stage takes there; undefined where training did not know it. */
  readonly #shifts: Memo<readonly number[] | undefined>;
  /** Messages that were closed in the open slot; a network costs less for many rows than for one. */
  #waiting: { readonly message: ReceivedMessage; readonly delivery: TimedDelivery }[] = [];
  /** The last MAX_WIDTH slots: deliveries by program and stage (MAX_WIDTH, P S), and slow ones (MAX_WIDTH, C). */
  readonly #deliveries: Float64Array;
  readonly #slow: Float64Array;
  #recent: RecentDelivery[][];
  #head = 0;
  #seen: [number, number] = [0, 0];

  constructor(model: SlownessModel) {
    const P = model.programs.length;
    this.model = model;
    this.#shifts = new Memo(MAX_NAMES, (to) => model.destinations[pseudonym(model.salt, to)]);
    this.#programs = new Map(model.programs.map(({ program }, i) => [program, i]));
    this.#deliveries = new Float64Array(MAX_WIDTH * P * STAGES.length);
    this.#slow = new Float64Array(MAX_WIDTH * P * PER_PROGRAM);
    this.#recent = model.programs.map(() => []);
  }

  /** Counts what a delivery's line alone tells of: all stages but reception. */
  add(delivery: TimedDelivery): void {
    if (this.#seen[0]++ % this.model.stride !== 0 || !this.#programs.has(delivery.program)) return;
    const shifts = this.#shifts.of(deliveryTo(delivery.program, delivery.destination));
    this.#count(
      delivery,
      STAGES.map(({ local }, s) => (local ? undefined : (shifts?.[s] ?? 0))),
    );
  }

  /** Counts the reception of a closed message, of which the deliveries told. */
  addMessage(t: Transaction, deliveries: readonly TimedDelivery[]): void {
    for (const delivery of deliveries) {
      if (this.#seen[1]++ % this.model.stride !== 0 || !this.#programs.has(delivery.program)) continue;
      this.#waiting.push({ message: receivedOf(t, Number.NaN), delivery });
    }
    if (this.#waiting.length >= MAX_WAITING) this.#settle();
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const { reception, programs } = this.model;
    const told =
      reception &&
      expectReception(
        reception,
        waiting.map(({ message }) => message),
      );
    for (const [i, { delivery }] of waiting.entries()) {
      const { stages } = programs[this.#programs.get(delivery.program)!]!;
      this.#count(
        delivery,
        STAGES.map(({ local }, s) => (!local ? undefined : told ? told[i]! - stages[s]!.centre : 0)),
      );
    }
  }

  /** shifts: per stage; undefined for those that do not count now. */
  #count(delivery: TimedDelivery, shifts: readonly (number | undefined)[]): void {
    const { programs } = this.model;
    const program = this.#programs.get(delivery.program)!;
    const P = programs.length;
    const slow = programs[program]!.stages.map((stage, s) =>
      shifts[s] === undefined
        ? -1
        : levelsAbove(stage.limits, aboveExpected(s, stage.centre, shifts[s], delivery.seconds[s]!)),
    );
    for (const [s, levels] of slow.entries()) {
      if (levels < 0) continue;
      this.#deliveries[(this.#head * P + program) * STAGES.length + s]!++;
      for (let l = 0; l < levels; l++) this.#slow[this.#head * P * PER_PROGRAM + columnOf(program, s, l)]!++;
    }
    const recent = this.#recent[program]!;
    recent.push({ ...delivery, slow });
    if (recent.length >= 2 * MAX_RECENT) this.#recent[program] = newest(recent);
  }

  /** The program's column that stands out most at the end of the open slot, for each program that has one. */
  score(): SlowFinding[] {
    this.#settle();
    const best: SlowFinding[] = [];
    const { programs, calibration } = this.model;
    for (const program of programs.keys()) {
      for (const [w, width] of SLOW_WIDTHS.entries()) {
        for (let at = 0; at < PER_PROGRAM; at++) {
          const [stage, level] = [Math.floor(at / LEVELS.length), at % LEVELS.length];
          const column = { program, stage, level, width };
          // fresh evidence only, else it is the shadow of what is over
          if (this.slowIn(column, 2) === 0) continue;
          const standing = this.#standing(column, w);
          if (!standing || standing.excess <= 0) continue;
          const { excess } = standing;
          const rate = naturalRate(calibration[w]!, excess, SLOW_WIDTHS.length);
          if (rate >= (best[program]?.rate ?? Number.POSITIVE_INFINITY)) continue;
          best[program] = { ...column, ...standing, rate, pValue: pValue(calibration[w]!, excess) };
        }
      }
    }
    return Object.values(best);
  }

  /** Each width with all columns of all programs at the end of the open slot, after score(). */
  rows(): SlowRow[] {
    return SLOW_WIDTHS.map((width, w) => {
      let score = -FLOOR_NATS;
      for (const program of this.model.programs.keys())
        for (let at = 0; at < PER_PROGRAM; at++) {
          const [stage, level] = [Math.floor(at / LEVELS.length), at % LEVELS.length];
          const standing = this.#standing({ program, stage, level, width }, w);
          if (standing && standing.nats >= NOTICE_NATS) score = Math.max(score, standing.excess);
        }
      return { width, score, pValue: pValue(this.model.calibration[w]!, score) };
    });
  }

  /** The newest deliveries of a column; undefined where too few were slow. w: place of its width. */
  #standing(column: SlowColumn, w: number) {
    const { programs, rho: all, ceiling, peaks } = this.model;
    const { program, stage, level, width } = column;
    const slow = this.slowIn(column, width);
    if (slow < LEAST_SLOW) return undefined;
    const S = programs.length * STAGES.length;
    const deliveries = this.#sum(this.#deliveries, S, program * STAGES.length + stage, width);
    const share = programs[program]!.stages[stage]!.shares[level]!;
    const at = w * programs.length * PER_PROGRAM + columnOf(program, stage, level);
    const rho = all[at]!;
    const nats = slowNats(slow, deliveries, share, rho);
    const excess = nats - ceilingOf(ceiling[at]!, peaks?.[at], deliveries);
    return { slow, deliveries, share, rho, nats, excess };
  }

  /** Closes the open slot and begins the next. */
  next(): void {
    this.#settle();
    const P = this.model.programs.length * STAGES.length;
    this.#head = (this.#head + 1) % MAX_WIDTH;
    this.#deliveries.fill(0, this.#head * P, (this.#head + 1) * P);
    const C = this.model.programs.length * PER_PROGRAM;
    this.#slow.fill(0, this.#head * C, (this.#head + 1) * C);
  }

  /** Forgets the slots so far, as after a silence. */
  restart(): void {
    this.#deliveries.fill(0);
    this.#slow.fill(0);
  }

  /** Deliveries of the finding's program since a time, the newest kept ones. */
  recent(program: number, since: number): RecentDelivery[] {
    return newest(this.#recent[program]!).filter((d) => d.line.time >= since);
  }

  save(lines: LineSaver): SavedSlowness {
    return {
      messages: this.#waiting.map(({ message }) => message),
      waiting: saveDeliveries(
        this.#waiting.map(({ delivery }) => delivery),
        lines,
      ),
      deliveries: this.#deliveries,
      slow: this.#slow,
      recent: this.#recent
        .map((of) => newest(of).filter(({ line }) => lines.of(line, CITED_SLOTS) !== LEFT_OUT))
        .map((of) => ({ deliveries: saveDeliveries(of, lines), by: slowOf(of) })),
      head: this.#head,
      seen: this.#seen,
    };
  }

  load({ messages, waiting, deliveries, slow, recent, head, seen }: SavedSlowness, lines: LineLoader): void {
    this.#waiting = loadDeliveries(waiting, lines).map((delivery, i) => ({
      message: messages[i]!,
      delivery,
    }));
    this.#deliveries.set(deliveries);
    this.#slow.set(slow);
    this.#recent = recent.map((of) =>
      loadDeliveries(of.deliveries, lines).map((delivery, i) => ({
        ...delivery,
        slow: STAGES.map((_, s) => of.by[i * STAGES.length + s]!),
      })),
    );
    this.#head = head;
    this.#seen = [...seen];
  }

  /** Slow deliveries of a finding's column in the newest slots. */
  slowIn({ program, stage, level, width }: SlowColumn, slots: number): number {
    const C = this.model.programs.length * PER_PROGRAM;
    return this.#sum(this.#slow, C, columnOf(program, stage, level), Math.min(width, slots));
  }

  #sum(ring: Float64Array, row: number, column: number, slots: number): number {
    let sum = 0;
    for (let k = 0; k < slots; k++) sum += ring[((this.#head - k + MAX_WIDTH) % MAX_WIDTH) * row + column]!;
    return sum;
  }
}

/** Those that may be cited: the others leave many at a time, since an array gives its first one away at a price. */
const newest = (recent: readonly RecentDelivery[]): RecentDelivery[] => recent.slice(-MAX_RECENT);

/** By how many levels each was slow, (n, STAGES). */
function slowOf(deliveries: readonly RecentDelivery[]): Int8Array {
  const by = new Int8Array(deliveries.length * STAGES.length);
  for (let i = 0; i < deliveries.length; i++)
    for (let s = 0; s < STAGES.length; s++) by[i * STAGES.length + s] = deliveries[i]!.slow[s]!;
  return by;
}

/** -ln P of at least so many slow ones; 0 where no more than usual are. */
export const slowNats = (slow: number, deliveries: number, share: number, rho: number): number =>
  slow <= deliveries * share ? 0 : -logBetaBinomialUpperTail(slow, deliveries, share, rho);
