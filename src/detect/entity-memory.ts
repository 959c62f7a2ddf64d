import { ENTITY_FEATURES } from "../feature/entity-features.ts";
import { type EntityFeatureModel, HORIZONS, type KnownEntities, MAX_ENTITIES, MIN_COUNT } from "./entity.ts";
import { allowance, REMEMBERED_FAMILIES, RENEWS, type Reach } from "./memory.ts";
import { FLOOR_NATS } from "./window.ts";

/** The entity view's memory: how large an entity's counts have been that the training does not hold, or not as large. */

const H = HORIZONS.length;
/** Places in what is known of an entity: the most events of the widest horizon, when it was last seen, and when its counts were last so large. */
const MOST = 2 * H;
const SEEN = MOST + 1;
const PEAK = MOST + 2;

/**
 * A feature's entities with those of the model before. Of one that training did not see the counts are remembered, but it has no rate; one whose
 * counts say nothing, not even with their allowance, is new again at once. alone: those of training that were far larger on one day than on all
 * others. until: the slot in which the training before ended, which stands for the times that a model of an earlier release did not note.
 */
export function withRemembered(
  f: number,
  own: EntityFeatureModel,
  alone: ReadonlySet<string>,
  before: EntityFeatureModel,
  until: number,
  reach: Reach,
): EntityFeatureModel {
  const { family, least = MIN_COUNT } = ENTITY_FEATURES[f]!;
  if (!REMEMBERED_FAMILIES.has(family)) return own;
  const kept: Record<string, readonly number[]> = {};
  for (const name of alone) kept[name] = own.known[name]!;
  let room = MAX_ENTITIES - Object.keys(own.known).length;
  for (const [name, old] of latestFirst({ ...before.known, ...before.remembered }, until)) {
    const [seen, peak] = [old[SEEN] ?? until, old[PEAK] ?? until];
    if (!reach.holds(peak)) continue;
    const now = own.known[name];
    const larger = old.slice(1, SEEN);
    if (now === undefined) {
      const says = larger.some((x, i) => (i < H ? x > FLOOR_NATS : x * allowance(x) > least));
      if (says && room-- > 0) kept[name] = [0, ...larger, seen, peak];
    } else if (larger.some((x, i) => x > now[1 + i]!)) {
      const again = now[MOST]! >= RENEWS * old[MOST]!;
      const both = larger.map((x, i) => Math.max(x, now[1 + i]!));
      kept[name] = [now[0]!, ...both, now[SEEN]!, again ? now[SEEN]! : peak];
    }
  }
  const allowed = Object.entries(kept).map(([name, counts]) => [name, allowing(counts)] as const);
  return { ...own, known: { ...own.known, ...Object.fromEntries(allowed) }, remembered: kept };
}

const latestFirst = (known: KnownEntities, until: number): [string, readonly number[]][] =>
  Object.entries(known).sort(([a, x], [b, y]) => (y[SEEN] ?? until) - (x[SEEN] ?? until) || (a < b ? -1 : 1));

/** Ceilings and counts with the allowance of each horizon. */
const allowing = (counts: readonly number[]): number[] =>
  counts.map((x, i) => (i < 1 || i > MOST ? x : x * allowance(counts[i <= H ? i + H : i]!)));
