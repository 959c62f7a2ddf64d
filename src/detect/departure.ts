import { type Bag, type Kind, sessionsOf } from "../feature/session.ts";

/**
 * How far a session departs from the nearest known one, each event weighed by how rarely it sets sessions apart. So one
 * event more of a kind that always varies is nothing, and one where nothing ever varied is much.
 */

/** Departures that a column is given before any is seen, in sessions. */
const PRIOR = 0.1;
/** What any change of a count costs, before its size; then a first occurrence (0 to 1) costs about one. */
const ANY_CHANGE = 0.3;
/** Weights and nearest kinds follow from each other; they settle after so many rounds. */
const ROUNDS = 3;
/** Of the changes of one session, the largest counts most: columns that go together are one cause. */
const NORM = 4;
/** Known kinds that a session is compared with; rarer ones are left out beyond. */
const MAX_KNOWN = 4096;
/** Kinds from which weights are learned; frequent ones first. */
const MAX_LEARNED = 1024;
/** In a log that may hold anomalies: a kind of at least this share of the sessions is normal by definition. */
const ESTABLISHED = 0.05;
/** At least this share of such a log is taken for normal: where hardly two sessions are alike, likeness reaches further. */
const LEAST_CORE = 0.8;
const FURTHER = 1.5;
const MAX_REACHES = 12;
/** Below this a session is like a known one: less than one change that about one session in 55 shows (e^-4). */
export const LIKE = 4;

/** Size of a change from one count to another, 0 when equal; on the log scale, as counts vary by factors. */
const size = (a: number, b: number): number =>
  a === b ? 0 : ANY_CHANGE + Math.abs(Math.log((1 + a) / (1 + b)));

export type Departures = {
  readonly known: readonly Bag[];
  /** Nats per unit of change, by column. */
  readonly weights: Float64Array;
  /** The same for a column that never was in training. */
  readonly unseen: number;
};

/** Calls `visit` with column, count here and count there of each column where two bags differ, until it says stop. */
function compare(a: Bag, b: Bag, visit: (column: number, x: number, y: number) => boolean): void {
  let i = 0;
  let j = 0;
  while (i < a.columns.length || j < b.columns.length) {
    const ca = i < a.columns.length ? a.columns[i]! : Number.POSITIVE_INFINITY;
    const cb = j < b.columns.length ? b.columns[j]! : Number.POSITIVE_INFINITY;
    const x = ca <= cb ? a.counts[i++]! : 0;
    const y = cb <= ca ? b.counts[j++]! : 0;
    if (x !== y && visit(Math.min(ca, cb), x, y)) return;
  }
}

type Weighing = Pick<Departures, "weights" | "unseen">;
const weightOf = ({ weights, unseen }: Weighing, column: number): number => weights[column] ?? unseen;

/** Sum of the weighted changes, in nats; at least `stop` when it is that large. */
function distance(a: Bag, b: Bag, by: Weighing, stop: number): number {
  let sum = 0;
  compare(a, b, (column, x, y) => {
    sum += weightOf(by, column) * size(x, y);
    return sum >= stop;
  });
  return sum;
}

/** The known bag of least distance, the first of equals; none when there is no other than `but`. */
function nearest(bag: Bag, known: readonly Bag[], by: Weighing, but?: Bag): Bag | undefined {
  let best = Number.POSITIVE_INFINITY;
  let found: Bag | undefined;
  for (const other of known) {
    if (other === but) continue;
    const d = distance(bag, other, by, best);
    if (d < best) [best, found] = [d, other];
    if (d === 0) break;
  }
  return found;
}

/**
 * Weights by column: -ln of the share of sessions that differ there from another kind. prior: in sessions, so that folds
 * of a training weigh like the whole.
 */
function weigh(kinds: readonly Kind[], known: readonly Bag[], by: Weighing, prior: number): Weighing {
  const departed = new Float64Array(by.weights.length);
  let total = 0;
  kinds.slice(0, MAX_LEARNED).forEach(({ bag, sessions }, rank) => {
    total += sessions;
    for (const column of departing(bag, known, rank, by)) departed[column]! += sessions;
  });
  const nats = (n: number): number => -Math.log((n + prior) / (total + 2 * prior));
  return { weights: departed.map(nats), unseen: nats(0) };
}

/**
 * Columns that alone set a kind apart from a more frequent one; where there is no such, those in which it differs from the
 * nearest other. All such columns, not only the cheapest: else one that varies much would hide that others vary too.
 * rank: of the kind, when `known` is as frequent kinds in the same order.
 */
function departing(bag: Bag, known: readonly Bag[], rank: number, by: Weighing): Set<number> {
  const alone = new Set<number>();
  for (let i = 0; i < known.length && i < rank; i++) {
    const other = known[i]!;
    if (Math.abs(other.columns.length - bag.columns.length) > 1) continue;
    let only = -1;
    let differing = 0;
    compare(bag, other, (column) => {
      only = column;
      return ++differing > 1;
    });
    if (differing === 1) alone.add(only);
  }
  if (alone.size > 0) return alone;
  const nearestOther = nearest(bag, known, by, bag);
  if (nearestOther !== undefined)
    compare(bag, nearestOther, (column) => {
      alone.add(column);
      return false;
    });
  return alone;
}

const noWeights = (width: number): Weighing => ({ weights: new Float64Array(width).fill(1), unseen: 1 });
const bagsOf = (kinds: readonly Kind[]): Bag[] => kinds.slice(0, MAX_KNOWN).map((k) => k.bag);

/** From sessions that are all normal. width: number of columns. share: of the whole training that these are, 0 to 1. */
export function learnNormal(kinds: readonly Kind[], width: number, share = 1): Departures {
  const known = bagsOf(kinds);
  let by = noWeights(width);
  for (let round = 0; round < ROUNDS; round++) by = weigh(kinds, known, by, PRIOR * share);
  return { known, ...by };
}

/**
 * The kinds that can be taken for normal in an unlabelled log: those of a share that no fault has (ESTABLISHED), what is
 * LIKE them, and what is like these in turn. The rest is set aside: it may be the anomalies. Other than trimming a fixed
 * share this takes what fits no normal kind, be it much or little, and leaves rare normal variants in.
 */
export function coreOf(kinds: readonly Kind[], width: number): Kind[] {
  const pool = kinds.slice(0, MAX_KNOWN);
  const all = sessionsOf(pool);
  const established = pool.slice(0, Math.max(1, pool.filter((k) => k.sessions >= ESTABLISHED * all).length));
  let first = noWeights(width);
  for (let round = 0; round < 2; round++) first = weigh(pool, bagsOf(established), first, PRIOR);
  let core = established;
  for (let i = 0, reach = LIKE; i < MAX_REACHES; i++, reach *= FURTHER) {
    core = chained(established, pool, first, reach);
    if (sessionsOf(core) >= LEAST_CORE * all) break;
  }
  return core;
}

/** The core within reach, as weighed by itself in the end. */
function chained(start: readonly Kind[], pool: readonly Kind[], first: Weighing, reach: number): Kind[] {
  let core = [...start];
  let by = first;
  for (let round = 0; round < ROUNDS; round++) {
    const before = core.length;
    core = grow(core, pool, by, reach);
    if (round > 0 && core.length === before) break;
    by = weigh(core, bagsOf(core), by, PRIOR);
  }
  return core;
}

/** Adds to the core all kinds that a chain of likenesses joins to it. */
function grow(core: readonly Kind[], pool: readonly Kind[], by: Weighing, reach: number): Kind[] {
  const inside = new Set(core);
  const queue = [...core];
  let outside = pool.filter((k) => !inside.has(k));
  for (let next = queue.pop(); next !== undefined && outside.length > 0; next = queue.pop()) {
    const { bag } = next;
    outside = outside.filter((kind) => {
      if (distance(kind.bag, bag, by, reach) >= reach) return true;
      inside.add(kind);
      queue.push(kind);
      return false;
    });
  }
  return pool.filter((k) => inside.has(k));
}

/** Nats by which a bag departs from the nearest known one: 0 for a known one; the 4-norm over its columns. */
export function departure(model: Departures, bag: Bag): number {
  const other = nearest(bag, model.known, model);
  if (other === undefined) return 0;
  let sum = 0;
  compare(bag, other, (column, x, y) => {
    sum += (weightOf(model, column) * size(x, y)) ** NORM;
    return false;
  });
  return sum ** (1 / NORM);
}

/**
 * How surely a bag is one of a series, 0 to 1: of the sessions that are like it, each counted by e^-distance, and one more
 * that stands for a bag alone of its kind, the share of the former.
 */
export function seriesOf(model: Departures, bag: Bag, kinds: readonly Kind[]): number {
  let alike = 0;
  for (const { bag: other, sessions } of kinds)
    alike += sessions * Math.exp(-distance(bag, other, model, Number.POSITIVE_INFINITY));
  return alike / (1 + alike);
}

/** What events that never were in training cost, in nats. Columns from `model.weights.length` on are such. */
export function unseenCost(model: Departures, bag: Bag, seen: (column: number) => boolean): number {
  let sum = 0;
  bag.columns.forEach((column, i) => {
    if (!seen(column)) sum += model.unseen * size(bag.counts[i]!, 0);
  });
  return sum;
}
