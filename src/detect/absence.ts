import { type LocalClock, placeOf, SLOT_MS, SLOTS_PER_DAY } from "../feature/clock.ts";
import { addEvents, emptySums, seasonOf, smooth } from "../feature/season.ts";

/**
 * Silence is a gap that is long in expected events, not in minutes: time is rescaled by the seasonal mean, so the same
 * line holds at noon and at night. Source: Brown et al., "The time-rescaling theorem" (2002).
 */

/** Streams watched beside the whole log: programs with at least this many lines a day. */
const MIN_DAILY = 48;
const MAX_STREAMS = 32;
/** Gaps kept of each stream for the tail. */
const GAPS = 60;
/** No silence is shorter: a machine may reboot or rotate its log. */
const MIN_GAP_MS = 4 * 60_000;

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
    for (const key of [WHOLE_LOG, program]) {
      let times = this.#times.get(key);
      if (!times) {
        if (this.#times.size > 256) continue;
        times = [];
        this.#times.set(key, times);
      }
      if (times.at(-1) !== time) times.push(time);
    }
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

/** Watches the running gap of each stream. */
export class AbsenceScorer {
  readonly #model: AbsenceModel;
  readonly #clock: LocalClock;
  readonly #last = new Map<string, number>();
  readonly #raised = new Set<string>();

  constructor(model: AbsenceModel, clock: LocalClock) {
    this.#model = model;
    this.#clock = clock;
  }

  /** A line of a program came. Returns the stream whose silence it ends, if one was raised. */
  see(program: string, time: number): void {
    for (const key of [WHOLE_LOG, program]) {
      this.#last.set(key, time);
      this.#raised.delete(key);
    }
  }

  /**
   * Gaps that fell due after `from`, up to `until`, with the minute at which each did. rate: natural frequency a day at which a
   * gap counts. A silence of the whole log speaks for all streams.
   */
  due(until: number, rate: number): AbsenceFinding[] {
    const found: AbsenceFinding[] = [];
    for (const stream of this.#model.streams) {
      const last = this.#last.get(stream.key);
      if (last === undefined || this.#raised.has(stream.key) || until - last < MIN_GAP_MS) continue;
      const threshold = thresholdOf(
        stream,
        rate / (stream.key === WHOLE_LOG ? 1 : this.#model.streams.length),
      );
      if (expected(stream, last, until, this.#clock) < threshold) continue;
      const at = this.#dueAt(stream, last, until, threshold);
      this.#raised.add(stream.key);
      found.push({
        key: stream.key,
        since: last,
        at,
        expectedEvents: expected(stream, last, at, this.#clock),
        longest: stream.longest,
        rate,
      });
      if (stream.key === WHOLE_LOG) {
        for (const other of this.#model.streams) this.#raised.add(other.key);
        return found;
      }
    }
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
