import { type LocalClock, placeOf, SLOT_MS, SLOTS_PER_DAY } from "../feature/clock.ts";
import { addEvents, emptySums, seasonOf, smooth } from "../feature/season.ts";

/**
 * Silence is a gap that is long in expected events, not in minutes: time is rescaled by the seasonal mean, so the same
 * line holds at noon and at night. Source: Brown et al., "The time-rescaling theorem" (2002).
 */

/** Streams watched beside the whole log: programs with at least this many lines a day. */
const MIN_DAILY = 48;
const MAX_STREAMS = 32;
/** Programs whose times training keeps. */
const MAX_PROGRAMS = 256;
/** Gaps kept of each stream for the tail. */
const GAPS = 60;
/** No silence is shorter: a machine may reboot or rotate its log. */
const MIN_GAP_MS = 4 * 60_000;

/** Share of the shortest time to a threshold after which a gap is looked at again; below 1, whatever rounding does. */
const EARLY = 0.99;

/** The key of all lines together. */
export const WHOLE_LOG = "";

export type StreamModel = {
  readonly key: string;
  readonly weekday: Float32Array;
  readonly weekend: Float32Array;
  /** Longest gap of training in expected events, the shortest of the GAPS longest ones, and their mean excess over it. */
  readonly longest: number;
  readonly base: number;
  readonly meanExcess: number;
  readonly perDay: number;
  readonly days: number;
};
export type AbsenceModel = { readonly streams: readonly StreamModel[] };

/** Times of the lines of each stream in training, by second. */
export class AbsenceCollector {
  readonly #times = new Map<string, number[]>();

  add(program: string, time: number): void {
    this.#add(WHOLE_LOG, time);
    this.#add(program, time);
  }

  #add(key: string, time: number): void {
    let times = this.#times.get(key);
    if (!times) {
      if (this.#times.size > MAX_PROGRAMS) return;
      times = [];
      this.#times.set(key, times);
    }
    if (times.at(-1) !== time) times.push(time);
  }

  fit(first: number, last: number, clock: LocalClock): AbsenceModel {
    const days = Math.max(1, (last - first) / (SLOT_MS * SLOTS_PER_DAY));
    const busy = [...this.#times].filter(
      ([key, times]) => key === WHOLE_LOG || times.length / days >= MIN_DAILY,
    );
    busy.sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1));
    return {
      streams: busy
        .slice(0, MAX_STREAMS)
        .map(([key, times]) => fitStream(key, times, first, last, days, clock)),
    };
  }
}

function fitStream(
  key: string,
  times: readonly number[],
  first: number,
  last: number,
  days: number,
  clock: LocalClock,
): StreamModel {
  const sums = emptySums();
  const firstSlot = Math.floor(first / SLOT_MS);
  const lastSlot = Math.floor(last / SLOT_MS);
  let weekends = 0;
  for (let slot = firstSlot; slot <= lastSlot; slot++) if (placeOf(slot, clock).weekend) weekends++;
  for (const time of times) {
    const { slotOfDay, weekend } = placeOf(Math.floor(time / SLOT_MS), clock);
    addEvents(sums, slotOfDay, weekend, 1);
  }
  smooth(sums);
  const season = seasonOf(sums, undefined, lastSlot - firstSlot + 1, weekends);
  const gaps: number[] = [];
  for (let i = 1; i < times.length; i++) gaps.push(expected(season, times[i - 1]!, times[i]!, clock));
  gaps.sort((a, b) => b - a);
  const top = gaps.slice(0, GAPS);
  const base = top.at(-1) ?? 0;
  const meanExcess = top.length < 2 ? 1 : top.reduce((a, g) => a + (g - base), 0) / top.length;
  return {
    key,
    ...season,
    longest: top[0] ?? 0,
    base,
    meanExcess: Math.max(0.5, meanExcess),
    perDay: times.length / days,
    days,
  };
}

type Shape = { readonly weekday: Float32Array; readonly weekend: Float32Array };

/** Events expected between two times. */
function expected(season: Shape, from: number, to: number, clock: LocalClock): number {
  let sum = 0;
  for (let slot = Math.floor(from / SLOT_MS); slot * SLOT_MS < to; slot++) {
    const { slotOfDay, weekend } = placeOf(slot, clock);
    const part = Math.min(to, (slot + 1) * SLOT_MS) - Math.max(from, slot * SLOT_MS);
    sum += ((weekend ? season.weekend : season.weekday)[slotOfDay]! * part) / SLOT_MS;
  }
  return sum;
}

export type AbsenceFinding = {
  readonly key: string;
  /** When the gap began, and the tick at which it fell due. */
  readonly since: number;
  readonly at: number;
  readonly expectedEvents: number;
  readonly longest: number;
  readonly rate: number;
};

/** A gap that runs: since when, whether it was told, and when it must be looked at again. */
type Gap = {
  readonly stream: StreamModel;
  readonly threshold: number;
  /** The largest number of lines that one ms of the season brings. */
  readonly fastest: number;
  /** NaN before the first line. */
  last: number;
  raised: boolean;
  /** Before this time it can't fall due. */
  lookAt: number;
};

/** Watches the running gap of each stream. */
export class AbsenceScorer {
  readonly #clock: LocalClock;
  readonly #rate: number;
  readonly #gaps: readonly Gap[];
  readonly #whole: Gap | undefined;
  readonly #byProgram: ReadonlyMap<string, Gap>;
  /** Before this time no gap can fall due. */
  #lookAt = Number.POSITIVE_INFINITY;

  /** rate: natural frequency a day at which a gap counts. */
  constructor(model: AbsenceModel, clock: LocalClock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
    this.#gaps = model.streams.map((stream) => ({
      stream,
      threshold: thresholdOf(stream, rate / (stream.key === WHOLE_LOG ? 1 : model.streams.length)),
      fastest: Math.max(...stream.weekday, ...stream.weekend) / SLOT_MS,
      last: Number.NaN,
      raised: false,
      lookAt: Number.POSITIVE_INFINITY,
    }));
    this.#byProgram = new Map(this.#gaps.map((gap) => [gap.stream.key, gap]));
    this.#whole = this.#byProgram.get(WHOLE_LOG);
  }

  /** A line of a program came: what was silent is so no longer. */
  see(program: string, time: number): void {
    if (this.#whole) this.#end(this.#whole, time);
    const gap = this.#byProgram.get(program);
    if (gap) this.#end(gap, time);
  }

  #end(gap: Gap, time: number): void {
    gap.last = time;
    gap.raised = false;
    gap.lookAt = time + MIN_GAP_MS;
    if (gap.lookAt < this.#lookAt) this.#lookAt = gap.lookAt;
  }

  /**
   * Gaps that fell due up to `until`, with the minute at which each did. A silence of the whole log speaks for all streams.
   */
  due(until: number): AbsenceFinding[] {
    const found: AbsenceFinding[] = [];
    if (until < this.#lookAt) return found;
    for (const gap of this.#gaps) {
      if (gap.raised || !(until >= gap.lookAt)) continue;
      const { stream, last, threshold } = gap;
      const sofar = expected(stream, last, until, this.#clock);
      if (sofar < threshold) {
        gap.lookAt = until + (EARLY * (threshold - sofar)) / gap.fastest;
        continue;
      }
      const at = this.#dueAt(stream, last, until, threshold);
      gap.raised = true;
      found.push({
        key: stream.key,
        since: last,
        at,
        expectedEvents: expected(stream, last, at, this.#clock),
        longest: stream.longest,
        rate: this.#rate,
      });
      if (gap === this.#whole) {
        for (const other of this.#gaps) other.raised = true;
        break;
      }
    }
    this.#lookAt = Math.min(...this.#gaps.map((g) => (g.raised ? Number.POSITIVE_INFINITY : g.lookAt)));
    return found;
  }

  /** The first whole minute of the gap at which the threshold was passed. */
  #dueAt(stream: StreamModel, last: number, until: number, threshold: number): number {
    for (let at = Math.ceil((last + MIN_GAP_MS) / 60_000) * 60_000; at < until; at += 60_000) {
      if (expected(stream, last, at, this.#clock) >= threshold) return at;
    }
    return until;
  }
}

/**
 * Exponential tail over the longest gaps, GAPS of them in `days` days, widened since gaps of real logs have heavier tails.
 * Never below a multiple of what training brought. One program may idle while others work, so it gets more.
 */
function thresholdOf(stream: StreamModel, rate: number): number {
  const tail = stream.base + stream.meanExcess * Math.log(GAPS / (Math.max(1, stream.days) * rate));
  return stream.key === WHOLE_LOG
    ? Math.max(1.3 * tail, 1.5 * stream.longest)
    : Math.max(2 * tail, 2.5 * stream.longest, 40);
}
