import { type LocalClock, placeOf, SLOT_MS, SLOTS_PER_DAY, slotOf } from "../feature/clock.ts";
import { addEvents, emptySums, type Season, seasonOf, smooth } from "../feature/season.ts";
import {
  type AbsenceModel,
  expectedEvents,
  type GapTail,
  MIN_COMPANION,
  MIN_DAILY,
  MIN_PROGRAM,
  type StreamModel,
  tailThreshold,
  WHOLE_LOG,
} from "./absence.ts";

/** Streams watched beside the whole log: programs with at least MIN_DAILY lines a day. */
const MAX_STREAMS = 32;
/** Programs whose times training keeps. */
const MAX_PROGRAMS = 256;
/** Times that are kept in one block. */
const BLOCK = 4096;
/** Gaps kept of each stream for the tail. */
const GAPS = 60;
/** Busiest programs that may be a companion. */
const MAX_COMPANIONS = 16;
/** A companion must tell a silence in so much less of the stream's own expected lines than the clock does. */
const SHARPER = 0.7;
/** Natural rate a day at which companions are compared; the order hardly depends on it. */
const COMPARED_AT = 1e-3;

/** Times of a stream's lines in ms, rising, each once. In blocks, since a busy log has millions. */
class Times {
  readonly #blocks: Float64Array[] = [];
  length = 0;

  add(time: number): void {
    if (this.length > 0 && this.at(this.length - 1) === time) return;
    const within = this.length % BLOCK;
    if (within === 0) this.#blocks.push(new Float64Array(BLOCK));
    this.#blocks.at(-1)![within] = time;
    this.length++;
  }

  at(i: number): number {
    return this.#blocks[Math.floor(i / BLOCK)]![i % BLOCK]!;
  }
}

/** Times of the lines of each stream in training, by second. */
export class AbsenceCollector {
  readonly #times = new Map<string, Times>();

  add(program: string, time: number): void {
    this.#add(WHOLE_LOG, time);
    this.#add(program, time);
  }

  #add(key: string, time: number): void {
    let times = this.#times.get(key);
    if (!times) {
      if (this.#times.size > MAX_PROGRAMS) return;
      times = new Times();
      this.#times.set(key, times);
    }
    times.add(time);
  }

  fit(first: number, last: number, clock: LocalClock): AbsenceModel {
    const days = Math.max(1, (last - first) / (SLOT_MS * SLOTS_PER_DAY));
    const busy = [...this.#times].filter(
      ([key, times]) => key === WHOLE_LOG || times.length / days >= MIN_DAILY,
    );
    busy.sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1));
    const programs = busy.filter(([key]) => key !== WHOLE_LOG).slice(0, MAX_COMPANIONS);
    return {
      streams: busy.slice(0, MAX_STREAMS).map(([key, times]) => {
        const stream = fitStream(key, times, first, last, days, clock);
        return key === WHOLE_LOG ? stream : { ...stream, companion: companionOf(stream, times, programs) };
      }),
    };
  }
}

function fitStream(
  key: string,
  times: Times,
  first: number,
  last: number,
  days: number,
  clock: LocalClock,
): StreamModel {
  const season = seasonOfTimes(times, first, last, clock);
  const gaps = new LongestGaps();
  for (let i = 1; i < times.length; i++)
    gaps.add(expectedEvents(season, times.at(i - 1), times.at(i), clock));
  return { key, ...season, gaps: gaps.tail(), perDay: times.length / days, days, companion: undefined };
}

function seasonOfTimes(times: Times, first: number, last: number, clock: LocalClock): Season {
  const sums = emptySums();
  const firstSlot = Math.floor(first / SLOT_MS);
  const lastSlot = Math.floor(last / SLOT_MS);
  let weekends = 0;
  for (let slot = firstSlot; slot <= lastSlot; slot++) if (placeOf(slot, clock).weekend) weekends++;
  for (let i = 0; i < times.length; i++) {
    const { slotOfDay, weekend } = placeOf(slotOf(times.at(i)), clock);
    addEvents(sums, slotOfDay, weekend, 1);
  }
  smooth(sums);
  return seasonOf(sums, undefined, lastSlot - firstSlot + 1, weekends);
}

/** The longest gaps, and an exponential tail over the GAPS longest of them. */
class LongestGaps {
  /** Longest first. */
  readonly #top: number[] = [];

  add(gap: number): void {
    const top = this.#top;
    if (top.length === GAPS) {
      if (gap <= top[GAPS - 1]!) return;
      top.pop();
    }
    let at = top.length;
    while (at > 0 && top[at - 1]! < gap) at--;
    top.splice(at, 0, gap);
  }

  tail(): GapTail {
    const top = this.#top;
    const base = top.at(-1) ?? 0;
    const meanExcess = top.length < 2 ? 1 : top.reduce((a, g) => a + (g - base), 0) / top.length;
    return { longest: top[0] ?? 0, base, meanExcess: Math.max(0.5, meanExcess), kept: GAPS };
  }
}

/**
 * The program by whose lines this one's silence is told soonest: a milter writes for every message that cleanup takes, whatever the
 * hour. Undefined where none tells it clearly sooner than the clock.
 */
function companionOf(
  stream: StreamModel,
  times: Times,
  programs: readonly (readonly [key: string, times: Times])[],
): StreamModel["companion"] {
  const least = (tail: GapTail): number => tailThreshold(tail, stream.days, COMPARED_AT, MIN_COMPANION);
  let best: StreamModel["companion"];
  let sharpest = SHARPER * tailThreshold(stream.gaps, stream.days, COMPARED_AT, MIN_PROGRAM);
  for (const [key, others] of programs) {
    // One that is rarer tells little.
    if (key === stream.key || others.length < times.length / 2) continue;
    const perLine = times.length / others.length;
    const gaps = gapsByOthers(times, others, perLine).tail();
    if (least(gaps) >= sharpest) continue;
    sharpest = least(gaps);
    best = { key, perLine, gaps };
  }
  return best;
}

/** The gaps between each of the times and the next, as so many of `others` as lie there. Both rising. weight: of one of them. */
function gapsByOthers(times: Times, others: Times, weight: number): LongestGaps {
  const gaps = new LongestGaps();
  let from = 0;
  while (from < others.length && others.at(from) <= times.at(0)) from++;
  for (let i = 1; i < times.length; i++) {
    let to = from;
    while (to < others.length && others.at(to) <= times.at(i)) to++;
    gaps.add((to - from) * weight);
    from = to;
  }
  return gaps;
}
