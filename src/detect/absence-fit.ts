import { DAY_MS, type LocalClock, placeOf, SLOT_MS, slotOf } from "../feature/clock.ts";
import { type Flagged, Known, NOTHING_FLAGGED } from "../feature/flagged.ts";
import { addEvents, emptySums, type Season, seasonOf, smooth } from "../feature/season.ts";
import {
  type AbsenceModel,
  DELIVERED,
  expectedEvents,
  type GapTail,
  MIN_COMPANION,
  MIN_DAILY,
  MIN_PROGRAM,
  type StreamModel,
  TAKEN,
  tailThreshold,
  WHOLE_LOG,
} from "./absence.ts";
import { peakOf, Reach } from "./memory.ts";

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
/** A stream of which more than this share of lines are warnings or worse has nothing to say when all is well: a file of warnings alone. */
const MOSTLY = 0.95;
/** What is counted beside programs: mail, whoever handles it. */
const FLOW: readonly string[] = [TAKEN, DELIVERED];

/** Times of a stream's lines in ms, rising, each once. In blocks, since a busy log has millions. */
class Times {
  readonly #blocks: Float64Array[] = [];
  length = 0;
  /** Lines, and those of them that are warnings or worse. */
  lines = 0;
  warnings = 0;

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

  /** warns: whether the line is a warning or worse. */
  add(program: string, time: number, warns = false): void {
    this.#add(WHOLE_LOG, time, warns);
    this.#add(program, time, warns);
  }

  /** A message was taken in, or delivered. */
  flow(key: typeof TAKEN | typeof DELIVERED, time: number): void {
    this.#add(key, time, false);
  }

  #add(key: string, time: number, warns: boolean): void {
    let times = this.#times.get(key);
    if (!times) {
      if (this.#times.size > MAX_PROGRAMS) return;
      times = new Times();
      this.#times.set(key, times);
    }
    times.add(time);
    times.lines++;
    if (warns) times.warnings++;
  }

  /**
   * first, last: times of training, in ms. flagged: time of which no line was added; a gap over it is no silence. before: what is
   * remembered: each stream's longest gap.
   */
  fit(
    first: number,
    last: number,
    clock: LocalClock,
    flagged: Flagged = NOTHING_FLAGGED,
    before?: AbsenceModel,
  ): AbsenceModel {
    const time = new Known(slotOf(first), slotOf(last), clock, flagged);
    const unknown = flagged.count(time.first, time.last) * SLOT_MS;
    const days = Math.max(1, (last - first - unknown) / DAY_MS);
    const busy = [...this.#times].filter(
      ([key, { length, lines, warnings }]) =>
        warnings <= MOSTLY * lines && (key === WHOLE_LOG || length / days >= MIN_DAILY),
    );
    busy.sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1));
    const programs = busy.filter(([key]) => !FLOW.includes(key));
    const companions = programs.filter(([key]) => key !== WHOLE_LOG).slice(0, MAX_COMPANIONS);
    const reach = new Reach(time.last, flagged);
    const old = new Map(before?.streams.map((stream) => [stream.key, stream]));
    const streamOf = (key: string, times: Times): StreamModel =>
      remembering(fitStream(key, times, time, days, clock), old.get(key), reach);
    const streams = programs.slice(0, MAX_STREAMS).map(([key, times]) => {
      const stream = streamOf(key, times);
      if (key === WHOLE_LOG) return stream;
      return { ...stream, companion: companionOf(stream, times, companions, flagged) };
    });
    const flow = new Map(busy.filter(([key]) => FLOW.includes(key)));
    const [taken, delivered] = [flow.get(TAKEN), flow.get(DELIVERED)];
    if (taken === undefined || delivered === undefined) return { streams };
    const perLine = delivered.length / taken.length;
    const gaps = gapsByOthers(delivered, taken, perLine, flagged).tail();
    const deliveries = streamOf(DELIVERED, delivered);
    return {
      streams: [
        ...streams,
        streamOf(TAKEN, taken),
        { ...deliveries, companion: { key: TAKEN, perLine, gaps } },
      ],
    };
  }
}

function fitStream(
  key: string,
  times: Times,
  time: Known,
  days: number,
  clock: LocalClock,
): StreamModel & { readonly longestAt: number } {
  const season = seasonOfTimes(times, time, clock);
  const gaps = new LongestGaps();
  let longestAt = time.first;
  for (let i = 1; i < times.length; i++) {
    const [from, to] = [times.at(i - 1), times.at(i)];
    if (time.flagged.touches(from, to)) continue;
    const gap = expectedEvents(season, from, to, clock);
    if (gap >= gaps.longest) longestAt = slotOf(to);
    gaps.add(gap);
  }
  const tail = gaps.tail();
  return { key, ...season, gaps: tail, longestAt, perDay: times.length / days, days, companion: undefined };
}

/** With the longest gap of all models before, where it is longer than training's own. */
function remembering(
  stream: StreamModel & { readonly longestAt: number },
  before: StreamModel | undefined,
  reach: Reach,
): StreamModel {
  if (before?.longestAt === undefined) return stream;
  const own = { value: stream.gaps.longest, slot: stream.longestAt };
  const last = { value: before.gaps.longest, slot: before.longestAt };
  const longest = peakOf(own, peakOf(last, before.remembered, reach), reach);
  return longest.value > own.value ? { ...stream, remembered: longest } : stream;
}

function seasonOfTimes(times: Times, time: Known, clock: LocalClock): Season {
  const sums = emptySums();
  for (let i = 0; i < times.length; i++) {
    const place = placeOf(slotOf(times.at(i)), clock);
    addEvents(sums, place.slotOfDay, place.weekend, time.weight(place));
  }
  smooth(sums);
  return seasonOf(sums, undefined, time.slots, time.weekends);
}

/** The longest gaps, and an exponential tail over the GAPS longest of them. */
class LongestGaps {
  /** Longest first. */
  readonly #top: number[] = [];

  /** 0 before the first. */
  get longest(): number {
    return this.#top[0] ?? 0;
  }

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
    return { longest: this.longest, base, meanExcess: Math.max(0.5, meanExcess), kept: GAPS };
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
  flagged: Flagged,
): StreamModel["companion"] {
  const least = (tail: GapTail): number => tailThreshold(tail, stream.days, COMPARED_AT, MIN_COMPANION);
  let best: StreamModel["companion"];
  let sharpest = SHARPER * tailThreshold(stream.gaps, stream.days, COMPARED_AT, MIN_PROGRAM);
  for (const [key, others] of programs) {
    // One that is rarer tells little.
    if (key === stream.key || others.length < times.length / 2) continue;
    const perLine = times.length / others.length;
    const gaps = gapsByOthers(times, others, perLine, flagged).tail();
    if (least(gaps) >= sharpest) continue;
    sharpest = least(gaps);
    best = { key, perLine, gaps };
  }
  return best;
}

/** The gaps between each of the times and the next, as so many of `others` as lie there. Both rising. weight: of one of them. */
function gapsByOthers(times: Times, others: Times, weight: number, flagged: Flagged): LongestGaps {
  const gaps = new LongestGaps();
  let from = 0;
  while (from < others.length && others.at(from) <= times.at(0)) from++;
  for (let i = 1; i < times.length; i++) {
    let to = from;
    while (to < others.length && others.at(to) <= times.at(i)) to++;
    if (!flagged.touches(times.at(i - 1), times.at(i))) gaps.add((to - from) * weight);
    from = to;
  }
  return gaps;
}
