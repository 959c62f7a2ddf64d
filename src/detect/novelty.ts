import { DAY_MS, SLOT_MS, SLOTS_PER_DAY, slotOf } from "../feature/clock.ts";
import { type Flagged, NOTHING_FLAGGED } from "../feature/flagged.ts";
import { isGrave, isRoutine, type MailEvent } from "../mail/event.ts";
import { logUpperTail } from "../math/negative-binomial.ts";

/** Shapes remembered; beyond, new ones are no longer told apart and count as one. */
const MAX_SHAPES = 65_536;
const HOUR_MS = 3_600_000;
/** Newcomers come at least this often a day, whatever a short history says. */
const MIN_DAILY = 0.1;
/** Poisson by the negative binomial with next to no overdispersion. */
const POISSON = 1e-6;

/**
 * Text of a shape and the slot in which it was last seen, by which the next training remembers it; undefined for groups and in models of
 * before. since: of what may be an incident that nobody was told of, the slot in which it was first seen; undefined for all that is known.
 */
export type KeptShape = readonly [id: string, text: string, seen?: number, since?: number];

/**
 * Ids of shapes that are no more than news yet: failures that came on one occasion alone since there is a model that could have told of
 * them. What is learned anew each week would else know a fault from the day on which it was missed. groups: of joined shapes.
 */
export function unsettled(
  shapes: ReadonlyMap<string, { readonly seen: number; readonly since: number | undefined }>,
  groups: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const spans = new Map<string, { since: number; seen: number }>();
  for (const [id, { seen, since = Number.NEGATIVE_INFINITY }] of shapes) {
    const group = groups.get(id) ?? id;
    const span = spans.get(group);
    spans.set(group, {
      since: Math.min(since, span?.since ?? since),
      seen: Math.max(seen, span?.seen ?? seen),
    });
  }
  const isOpen = (group: string): boolean => {
    const span = spans.get(group);
    return span !== undefined && span.seen - span.since < SLOTS_PER_DAY;
  };
  return new Set([...spans.keys(), ...shapes.keys()].filter((id) => isOpen(groups.get(id) ?? id)));
}

/** What the novelty view learned: the known shapes, and how often new ones come and repeat by nature. */
export type NoveltyModel = {
  readonly known: readonly string[];
  /** New shapes a day: of any kind, and those of lines with a severity of error or worse. */
  readonly perDay: number;
  readonly gravePerDay: number;
  /** Largest number of lines that each newcomer of the second half of training brought within an hour. */
  readonly repeats: readonly number[];
  /** Days of history; see isReady. */
  readonly days: number;
  /** What a prior knows beside, until the server's own log tells enough; undefined without one. */
  readonly prior?: KnownPrior | undefined;
};

/** since: when the history began with which it was first taken, in ms. shapes: as this server's groups name them. */
export type KnownPrior = {
  readonly version: number;
  readonly since: number;
  readonly shapes: readonly string[];
};

/** Days of history under which nothing is called new, without a prior and with one. */
const MIN_DAYS = 2;
const MIN_PRIOR_DAYS = 1;

/** Whether history is long enough to call something new. */
export const isReady = ({ days, prior }: NoveltyModel): boolean =>
  days >= (prior ? MIN_PRIOR_DAYS : MIN_DAYS);

/** What a line tells of the newness of its shape. */
export type Newness = {
  /** A severity of error or worse. */
  readonly grave: boolean;
  /** The grammar knows it as harmless: no news, however new its wording. */
  readonly routine: boolean;
};

export const newnessOf = (event: MailEvent): Newness => ({
  grave: isGrave(event),
  routine: isRoutine(event),
});

type Occasion = { readonly first: number; times: number[] };
/** again: its first lines a day or more after it came. */
type Newcomer = Newness & Occasion & { count: number; again?: Occasion | undefined };
const MAX_TIMES = 64;

/** Of two occasions, the earlier that is a day or more after a time. */
const laterOf = (first: number, ...some: readonly (Occasion | undefined)[]): Occasion | undefined =>
  some.reduce(
    (best, one) => (one && one.first - first >= DAY_MS && !(best && best.first <= one.first) ? one : best),
    undefined,
  );

/** Shapes of training, when they came first and how they repeated. */
export class NoveltyCollector {
  readonly #shapes = new Map<string, Newcomer>();

  add(shape: string, time: number, { grave, routine }: Newness): void {
    const seen = this.#shapes.get(shape);
    if (!seen) {
      if (this.#shapes.size < MAX_SHAPES)
        this.#shapes.set(shape, { first: time, grave, routine, count: 1, times: [time] });
      return;
    }
    seen.count++;
    if (!seen.again && time - seen.first >= DAY_MS) {
      seen.again = { first: time, times: [time] };
      return;
    }
    const { first, times } = seen.again ?? seen;
    if (time - first < HOUR_MS && times.length < MAX_TIMES) times.push(time);
  }

  /**
   * Rates from the second half of training; Good (1953): shapes seen once tell how many are still to come. groups: of joined shapes.
   * flagged: time of which no shape was added. before: shapes that were known before, which are no newcomers; then others are news on a
   * second day, too; undefined in a first training. prior: what was no news either; nothing when undefined.
   */
  fit(
    first: number,
    last: number,
    groups: ReadonlyMap<string, string>,
    flagged: Flagged = NOTHING_FLAGGED,
    {
      before,
      prior,
    }: { readonly before?: ReadonlySet<string> | undefined; readonly prior?: KnownPrior | undefined } = {},
  ): NoveltyModel {
    const known = (from: number, to: number): number =>
      Math.max(0, to - from - flagged.count(slotOf(from), slotOf(to)) * SLOT_MS) / DAY_MS;
    const half = first + (last - first) / 2;
    const days = known(first, last);
    const shapes = joined(this.#shapes, groups);
    const old = new Set([...(before ?? [])].map((shape) => groups.get(shape) ?? shape));
    for (const shape of prior?.shapes ?? []) old.add(shape);
    const news = [...shapes].filter(([shape, s]) => !s.routine && !old.has(shape)).map(([, s]) => s);
    const late = news.flatMap(({ first, times, again, grave }) =>
      [{ first, times }, ...(before && again ? [again] : [])]
        .filter((occasion) => occasion.first >= half)
        .map((occasion) => ({ ...occasion, grave })),
    );
    const once = news.filter((s) => s.count === 1);
    const rate = (pick: (s: Pick<Newness, "grave">) => boolean): number =>
      Math.max(
        late.filter(pick).length / Math.max(0.5, known(half, last)),
        once.filter(pick).length / Math.max(1, days),
      ) + MIN_DAILY;
    return {
      known: [...new Set([...shapes.keys(), ...this.#shapes.keys()])],
      perDay: rate(() => true),
      gravePerDay: rate((s) => s.grave),
      repeats: late.map((s) => s.times.length).sort((a, b) => a - b),
      days,
      ...(prior && { prior }),
    };
  }
}

/** The shapes with those of one group as one: it came with the first of them. */
function joined(
  shapes: ReadonlyMap<string, Newcomer>,
  groups: ReadonlyMap<string, string>,
): ReadonlyMap<string, Newcomer> {
  if (groups.size === 0) return shapes;
  const out = new Map<string, Newcomer>();
  for (const [shape, one] of shapes) {
    const group = groups.get(shape) ?? shape;
    const known = out.get(group);
    if (known === undefined) out.set(group, { ...one });
    else {
      known.count += one.count; // shapes stand in order of their first lines
      known.again = laterOf(known.first, known.again, one, one.again);
    }
  }
  return out;
}

export type NoveltyFinding = {
  readonly shape: string;
  readonly repeats: number;
  /** How many other shapes came for the first time within the last hour, and the newest of them, the newest first. */
  readonly others: number;
  readonly newest: readonly string[];
  readonly rate: number;
  readonly pValue: number;
};

/** Newcomers that a finding names beside its own. */
const MAX_NAMED = 4;

type Fresh = { times: number[]; firstSeen: number };
export type SavedNewcomers = Map<string, Fresh>;

/** Judges each line whose shape training did not know, at once. */
export class NoveltyScorer {
  readonly #model: NoveltyModel;
  readonly #known: Set<string>;
  #new = new Map<string, Fresh>();
  /** Those of the last hour, in the order of their coming: a storm of new shapes costs no line more than a calm hour. */
  #recent: string[] = [];

  constructor(model: NoveltyModel) {
    this.#model = model;
    this.#known = new Set([...model.known, ...(model.prior?.shapes ?? [])]);
  }

  save(): SavedNewcomers {
    return this.#new;
  }

  load(saved: SavedNewcomers): void {
    this.#new = saved;
    this.#recent = [...saved.keys()];
  }

  /** Whether training, or a prior, knew a shape. */
  knows(shape: string): boolean {
    return this.#known.has(shape);
  }

  /**
   * Undefined for a known shape. rate: how often by nature a newcomer repeats so often within the hour, or so many
   * newcomers meet in one hour, whichever is rarer; the factor 2 pays for asking twice.
   */
  see(shape: string, time: number, { grave, routine }: Newness): NoveltyFinding | undefined {
    if (routine || this.#known.has(shape)) return undefined;
    let entry = this.#new.get(shape);
    if (!entry) {
      entry = { times: [], firstSeen: time };
      this.#new.set(shape, entry);
      this.#recent.push(shape);
      if (this.#new.size > MAX_SHAPES) this.#new.delete(this.#new.keys().next().value!);
    }
    if (time - entry.firstSeen > DAY_MS) {
      entry.times = [];
      return undefined; // a day old: the window view knows its rate by now
    }
    while (entry.times.length > 0 && (entry.times[0]! <= time - HOUR_MS || entry.times.length >= 256))
      entry.times.shift();
    entry.times.push(time);
    this.#forget(time - HOUR_MS);
    const siblings = this.#recent.length + (entry.firstSeen > time - HOUR_MS ? 0 : 1);
    const repeats = entry.times.length;
    const perDay = grave ? this.#model.gravePerDay : this.#model.perDay;
    const byRepeats = perDay * repeatShare(this.#model.repeats, repeats);
    const bySiblings =
      siblings < 2
        ? Number.POSITIVE_INFINITY
        : 24 * Math.exp(logUpperTail(siblings, this.#model.perDay / 12, POISSON));
    const rate = 2 * Math.min(byRepeats, bySiblings);
    return {
      ...{ shape, repeats, others: siblings - 1, newest: this.#newestBut(shape) },
      ...{ rate, pValue: Math.min(1, 1 - Math.exp(-rate)) },
    };
  }

  /** Newcomers of before are recent no longer, nor those that were evicted. */
  #forget(before: number): void {
    const isOver = (shape: string): boolean => !((this.#new.get(shape)?.firstSeen ?? before) > before);
    while (this.#recent.length > 0 && isOver(this.#recent[0]!)) this.#recent.shift();
  }

  #newestBut(shape: string): string[] {
    const last = this.#recent.slice(-MAX_NAMED - 1);
    return last
      .reverse()
      .filter((other) => other !== shape)
      .slice(0, MAX_NAMED);
  }
}

/** Share of newcomers that repeat at least r times within an hour; one imagined newcomer, for which it is 1/r, keeps it from zero. */
function repeatShare(sorted: readonly number[], r: number): number {
  const above = sorted.filter((n) => n >= r).length;
  return (above + 1 / r) / (sorted.length + 1);
}
