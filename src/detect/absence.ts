import { DAY_MS, type LocalClock, placeOf, SLOT_MS, SLOTS_PER_DAY, slotOf } from "../feature/clock.ts";
import type { MailEvent } from "../mail/event.ts";
import type { Peak } from "./memory.ts";

/**
 * Silence is a gap that is long in expected events, not in minutes. Two clocks tell how many were to be expected: the season of
 * the stream itself, so that the same line holds at noon and at night (time-rescaling: Brown et al. 2002), and the lines of a companion,
 * a program that writes whenever this one does. The season adapts: a stream that has become rarer is not silent all day.
 */

/** No silence is shorter: a machine may reboot or rotate its log. */
const MIN_GAP_MS = 4 * 60_000;
/** Share of the shortest time to a threshold after which a gap is looked at again; below 1, whatever rounding does. */
const EARLY = 0.99;
/** How soon a companion is asked again while the clock already finds the silence long. */
const LOOK_AGAIN_MS = 10_000;
/** Least expected lines of a silence of one program, told by the clock alone and by a companion. */
export const MIN_PROGRAM = 40;
export const MIN_COMPANION = 12;
/** Below so many lines a day, as they come lately, no minutes of silence tell anything. */
export const MIN_DAILY = 48;
/** Days over which the level of a stream is remembered, and the expected lines with which it is drawn towards the usual. */
const LEVEL_DAYS = 1;
const LEVEL_PRIOR = 20;
const MIN_LEVEL = 0.05;
/** What was silent must be so twice as long to be told again within a day. */
const AGAIN = 2;
/** The longest gap of half a year needs less room above it than that of a few weeks, which the next may well exceed. */
const BEYOND_REMEMBERED = 1.1;

/** The key of all lines together. */
export const WHOLE_LOG = "";
/** Messages that were taken in, and those that were delivered, whoever did it. No program is called so. */
export const TAKEN = " taken";
export const DELIVERED = " delivered";
/** Programs of which messages wait that are taken in while they are silent. */
const DELIVERERS = /^postfix\/(?:o?qmgr|smtp|lmtp|local|virtual|pipe)$/;
/** Messages taken in and not delivered that make a deliverer's silence one of all deliveries. */
const MIN_WAITING = 5;

/** Gaps in expected events: the longest of training, and an exponential tail over the `kept` longest. */
export type GapTail = {
  readonly longest: number;
  /** The shortest of those kept, and their mean excess over it. */
  readonly base: number;
  readonly meanExcess: number;
  readonly kept: number;
};

export type StreamModel = {
  readonly key: string;
  /** Expected lines a slot. */
  readonly weekday: Float32Array;
  readonly weekend: Float32Array;
  readonly gaps: GapTail;
  /** The slot in which a gap like the longest was last met; undefined in models of before. */
  readonly longestAt?: number;
  /** The longest gap that is remembered of before training, in expected lines; undefined where none is. */
  readonly remembered?: Peak | undefined;
  readonly perDay: number;
  readonly days: number;
  /** perLine: lines of this stream for each of the companion's; gaps: in expected lines of this stream. */
  readonly companion: { readonly key: string; readonly perLine: number; readonly gaps: GapTail } | undefined;
};
export type AbsenceModel = { readonly streams: readonly StreamModel[] };

/** Whether a line tells that a message was taken in or delivered. Its plan alone decides. */
export function flowOf({ event, daemon, fields }: MailEvent): typeof TAKEN | typeof DELIVERED | undefined {
  if (event === "message_id") return daemon === "postfix/cleanup" ? TAKEN : undefined;
  return event === "delivery" && fields["status"] === "sent" ? DELIVERED : undefined;
}

type Shape = { readonly weekday: Float32Array; readonly weekend: Float32Array };

/** Events expected between two times. */
export function expectedEvents(season: Shape, from: number, to: number, clock: LocalClock): number {
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
  /** When the gap began, and when it fell due. */
  readonly since: number;
  readonly at: number;
  readonly expectedEvents: number;
  readonly longest: number;
  /** The program whose lines went on meanwhile; undefined where the clock alone told. */
  readonly companion: string | undefined;
  /** Messages that were taken in since, where none of all was delivered; 0 where that is not what is silent. */
  readonly waiting: number;
  readonly rate: number;
};

/** A gap that runs: since when, whether it was told, and when it must be looked at again. */
type Gap = {
  readonly stream: StreamModel;
  /** Expected lines at which it falls due by the clock alone, and together with a companion. */
  readonly alone: number;
  readonly together: number;
  /** Expected lines by the companion's at which it falls due together with the clock. */
  readonly byCompanion: number;
  companion: Gap | undefined;
  /** The largest number of lines that one ms of the season brings. */
  readonly fastest: number;
  /** NaN before the first line. */
  last: number;
  raised: boolean;
  /** Before this time it can't fall due. */
  lookAt: number;
  /** Lines so far, by second, and the companion's at the last one. */
  lines: number;
  companionLines: number;
  /** Lines and expected lines lately, fading, and how the first compares with the second: at most 1. */
  recent: number;
  usual: number;
  level: number;
  /** Lines when the level was last taken. */
  levelLines: number;
  /** When it was last told, and how much longer it must last since then. */
  toldAt: number;
  patience: number;
  /** Not told before this time, in ms: somebody asked for that. */
  notBefore: number;
};

/** What changes of a gap. */
const RUNNING = [
  "last",
  "raised",
  "lookAt",
  "lines",
  "companionLines",
  "recent",
  "usual",
  "level",
  "levelLines",
  "toldAt",
  "patience",
  "notBefore",
] as const;
type Running = Pick<Gap, (typeof RUNNING)[number]>;

/** Gaps in the order of the model's streams. */
export type SavedGaps = {
  readonly gaps: readonly Running[];
  readonly lookAt: number;
  readonly slot: number;
};

const NONE: readonly AbsenceFinding[] = [];

/** Watches the running gap of each stream. */
export class AbsenceScorer {
  readonly #clock: LocalClock;
  readonly #rate: number;
  readonly #gaps: readonly Gap[];
  readonly #whole: Gap | undefined;
  readonly #byProgram: ReadonlyMap<string, Gap>;
  /** Before this time no gap can fall due. */
  #lookAt = Number.POSITIVE_INFINITY;
  #slot = Number.NaN;

  /** rate: natural frequency a day at which a gap counts. */
  constructor(model: AbsenceModel, clock: LocalClock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
    const gaps = new Map<string, Gap>();
    const programs = model.streams.filter(({ key }) => key !== TAKEN && key !== DELIVERED).length;
    for (const stream of model.streams)
      gaps.set(stream.key, gapOf(stream, rate / (stream.key === WHOLE_LOG ? 1 : programs)));
    for (const gap of gaps.values())
      gap.companion = gap.stream.companion && gaps.get(gap.stream.companion.key);
    this.#gaps = [...gaps.values()];
    this.#byProgram = gaps;
    this.#whole = this.#byProgram.get(WHOLE_LOG);
  }

  /** A line of a program came: what was silent is so no longer. */
  see(program: string, time: number): void {
    if (Number.isNaN(this.#slot)) this.#slot = slotOf(time);
    if (this.#whole) this.#end(this.#whole, time);
    const gap = this.#byProgram.get(program);
    if (gap) this.#end(gap, time);
  }

  /** A message was taken in, or delivered. */
  flow(key: typeof TAKEN | typeof DELIVERED, time: number): void {
    const gap = this.#byProgram.get(key);
    if (gap) this.#end(gap, time);
  }

  #end(gap: Gap, time: number): void {
    if (time !== gap.last) gap.lines++;
    gap.last = time;
    gap.raised = gap.stream.key === TAKEN; // too little mail is not for this view to say
    gap.notBefore = Number.NEGATIVE_INFINITY;
    gap.lookAt = time + MIN_GAP_MS;
    if (gap.companion) gap.companionLines = gap.companion.lines;
    if (gap.lookAt < this.#lookAt) this.#lookAt = gap.lookAt;
  }

  /**
   * Gaps that fell due up to `until`, with the time at which each did. A silence of the whole log speaks for all streams.
   */
  due(until: number): readonly AbsenceFinding[] {
    const slot = slotOf(until);
    if (slot > this.#slot) this.#levels(slot);
    if (until < this.#lookAt) return NONE;
    const found: AbsenceFinding[] = [];
    for (const gap of this.#gaps) {
      if (gap.raised || !(until >= gap.lookAt)) continue;
      const { stream, last } = gap;
      this.#forgive(gap);
      if (gap.level * stream.perDay < MIN_DAILY) {
        gap.lookAt = until + LOOK_AGAIN_MS;
        continue;
      }
      const scale = gap.patience / gap.level;
      const sofar = expectedEvents(stream, last, until, this.#clock);
      const asked = gap.companion !== undefined && sofar >= gap.together * scale;
      const told = asked && goesOn(gap);
      if (sofar < gap.alone * scale && !told) {
        const next = (gap.companion === undefined || asked ? gap.alone : gap.together) * scale;
        const wait = Math.max(1, (EARLY * (next - sofar)) / gap.fastest);
        gap.lookAt = until + (asked ? Math.min(LOOK_AGAIN_MS, wait) : wait);
        continue;
      }
      const at = told ? until : (this.#dueAt(gap, until, gap.alone * scale) ?? until);
      found.push(this.#raise(gap, at, told));
      if (gap === this.#whole) break;
    }
    this.#lookAt = Math.min(...this.#gaps.map((g) => (g.raised ? Number.POSITIVE_INFINITY : g.lookAt)));
    return found;
  }

  /**
   * The silence of the whole log, if it fell due at a whole minute up to `until` and no line came: the very finding that due() makes of
   * it when the next line comes, whenever that is. So it waits for the end of the last line's slot, with which the level changes.
   * A program's silence is told by the next line: whether it is only part of the whole log's is not known before.
   */
  silence(until: number): AbsenceFinding | undefined {
    const gap = this.#whole;
    if (gap === undefined || gap.raised || !(until >= gap.lookAt) || slotOf(until) <= slotOf(gap.last))
      return undefined;
    if (slotOf(until) > this.#slot) this.#levels(slotOf(until));
    this.#forgive(gap);
    const { stream, last } = gap;
    if (gap.level * stream.perDay < MIN_DAILY) return undefined;
    const threshold = gap.alone * (gap.patience / gap.level);
    if (expectedEvents(stream, last, until, this.#clock) < threshold) return undefined;
    const at = this.#dueAt(gap, until + 1, threshold);
    return at === undefined ? undefined : this.#raise(gap, at, false);
  }

  /** A day after a silence was told, the next one needs to be no longer than usual. */
  #forgive(gap: Gap): void {
    if (gap.patience > 1 && gap.last - gap.toldAt > DAY_MS) gap.patience = 1;
  }

  #raise(gap: Gap, at: number, told: boolean): AbsenceFinding {
    const { stream, last } = gap;
    gap.raised = true;
    gap.toldAt = at;
    gap.patience *= AGAIN;
    if (gap === this.#whole) for (const other of this.#gaps) other.raised = true;
    return {
      key: stream.key,
      since: last,
      at,
      expectedEvents: gap.level * expectedEvents(stream, last, at, this.#clock),
      longest: longestOf(stream),
      companion: told ? gap.companion?.stream.key : undefined,
      waiting: this.#waiting(gap),
      rate: this.#rate,
    };
  }

  #waiting({ stream, last }: Gap): number {
    if (stream.key !== DELIVERED && !DELIVERERS.test(stream.key)) return 0;
    const delivered = this.#byProgram.get(DELIVERED);
    if (delivered?.companion === undefined || delivered.last > last) return 0;
    const waiting = delivered.companion.lines - delivered.companionLines;
    return waiting < MIN_WAITING ? 0 : waiting;
  }

  /** A silence that was found was not told, since somebody asked for that: it is found again from `time` on, if it lasts until then. */
  again(key: string, time: number): void {
    const gap = this.#byProgram.get(key);
    if (!gap?.raised) return;
    gap.raised = false;
    gap.patience /= AGAIN;
    gap.notBefore = time;
    gap.lookAt = time;
    if (time < this.#lookAt) this.#lookAt = time;
  }

  save(): SavedGaps {
    const running = (gap: Gap): Running => Object.fromEntries(RUNNING.map((of) => [of, gap[of]])) as Running;
    return { gaps: this.#gaps.map(running), lookAt: this.#lookAt, slot: this.#slot };
  }

  load({ gaps, lookAt, slot }: SavedGaps): void {
    for (const [i, gap] of this.#gaps.entries()) Object.assign(gap, gaps[i]);
    this.#lookAt = lookAt;
    this.#slot = slot;
  }

  /** The first whole minute of the gap, before `until`, at which the threshold was passed. */
  #dueAt({ stream, last, notBefore }: Gap, until: number, threshold: number): number | undefined {
    const earliest = Math.max(last + MIN_GAP_MS, notBefore);
    for (let at = Math.ceil(earliest / 60_000) * 60_000; at < until; at += 60_000) {
      if (expectedEvents(stream, last, at, this.#clock) >= threshold) return at;
    }
    return undefined;
  }

  /**
   * Takes the level of each stream up to the slot that begins. A gap that runs is not counted against its stream. Of a silence of the
   * whole log the first day is taken, so that it makes no difference how often it is looked at.
   */
  #levels(slot: number): void {
    const last = this.#whole === undefined ? slot : slotOf(this.#whole.last);
    const end = Math.min(slot, last + SLOTS_PER_DAY);
    for (let s = this.#slot; s < end; s++) {
      const { slotOfDay, weekend } = placeOf(s, this.#clock);
      for (const gap of this.#gaps) {
        gap.recent = gap.recent * FADE + (gap.lines - gap.levelLines);
        gap.levelLines = gap.lines;
        gap.usual = gap.usual * FADE + (weekend ? gap.stream.weekend : gap.stream.weekday)[slotOfDay]!;
        if (gap.last < s * SLOT_MS) continue;
        const level = (gap.recent + LEVEL_PRIOR) / (gap.usual + LEVEL_PRIOR);
        gap.level = Math.min(1, Math.max(MIN_LEVEL, level));
      }
    }
    this.#slot = slot;
  }
}

const FADE = Math.exp(-1 / (LEVEL_DAYS * SLOTS_PER_DAY));

/** Whether the companion wrote so much that the silence is long by its lines. */
const goesOn = (gap: Gap): boolean =>
  (gap.companion!.lines - gap.companionLines) * gap.stream.companion!.perLine >=
  gap.byCompanion * gap.patience;

function gapOf(stream: StreamModel, rate: number): Gap {
  const { companion, days } = stream;
  return {
    stream,
    // where no mail comes none is delivered
    alone: stream.key === DELIVERED ? Number.POSITIVE_INFINITY : thresholdOf(stream, rate),
    together: Math.max(longestOf(stream), MIN_COMPANION),
    byCompanion: companion ? tailThreshold(companion.gaps, days, rate, MIN_COMPANION) : 0,
    companion: undefined,
    fastest: Math.max(...stream.weekday, ...stream.weekend) / SLOT_MS,
    last: Number.NaN,
    raised: false,
    lookAt: Number.POSITIVE_INFINITY,
    lines: 0,
    companionLines: 0,
    recent: 0,
    usual: 0,
    level: 1,
    levelLines: 0,
    toldAt: Number.NEGATIVE_INFINITY,
    patience: 1,
    notBefore: Number.NEGATIVE_INFINITY,
  };
}

/** Expected lines that training's gaps reach `rate` times a day, by their exponential tail. */
const tailAt = ({ base, meanExcess, kept }: GapTail, days: number, rate: number): number =>
  base + meanExcess * Math.log(kept / (Math.max(1, days) * rate));

/** Widened, since gaps of real logs have heavier tails, and never below a multiple of what training brought. */
const wholeThreshold = (gaps: GapTail, days: number, rate: number): number =>
  Math.max(1.3 * tailAt(gaps, days, rate), 1.5 * gaps.longest);

function thresholdOf({ key, gaps, days, remembered }: StreamModel, rate: number): number {
  const own =
    key === WHOLE_LOG ? wholeThreshold(gaps, days, rate) : tailThreshold(gaps, days, rate, MIN_PROGRAM);
  return Math.max(own, BEYOND_REMEMBERED * (remembered?.value ?? 0));
}

const longestOf = ({ gaps, remembered }: StreamModel): number =>
  Math.max(gaps.longest, remembered?.value ?? 0);

/** One program may idle while others work, so it gets more. */
export const tailThreshold = (gaps: GapTail, days: number, rate: number, least: number): number =>
  Math.max(2 * tailAt(gaps, days, rate), 2.5 * gaps.longest, least);
