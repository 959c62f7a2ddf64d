import type { SavedGaps } from "../detect/absence.ts";
import type { SavedCauses } from "../detect/attribute.ts";
import type { Candidate } from "../detect/candidate.ts";
import type { SavedChanges } from "../detect/change-watch.ts";
import type { SavedWriters } from "../detect/clock-watch.ts";
import type { SavedCounts } from "../detect/entity.ts";
import type { SavedIncidents } from "../detect/incident.ts";
import type { SavedRings } from "../detect/lines.ts";
import type { SavedNewcomers } from "../detect/novelty.ts";
import type { SavedRegulars } from "../detect/regular.ts";
import type { SavedSlowness } from "../detect/slowness.ts";
import type { SavedStrange } from "../detect/transaction.ts";
import type { SavedWindows } from "../detect/window.ts";
import type { SavedColumns } from "../feature/columns.ts";
import type { SavedEntities } from "../feature/entity.ts";
import type { SavedLines } from "../feature/line-table.ts";
import type { SavedTimer } from "../feature/slowness.ts";
import type { SavedTracker } from "../feature/transaction.ts";
import type { SavedSlot } from "../feature/window.ts";
import { fnv64 } from "../math/checksum.ts";
import { hash64 } from "../math/hash.ts";
import type { Model } from "./model.ts";

/** Raised when a saved state means something else than before; states of another version are refused. */
export const STATE_VERSION = 2;

/** A saved state that is none of this release, or of another model: the detector must begin without it. */
export class StateError extends Error {}

/** What the views that count for five minutes keep. */
export type SavedSlotViews = {
  readonly window: SavedWindows;
  readonly entities: SavedCounts;
  readonly transactions: SavedStrange | undefined;
  readonly rates: SavedWindows | undefined;
  readonly timer: SavedTimer;
  readonly slowness: SavedSlowness | undefined;
  readonly regulars: SavedRegulars;
  readonly causes: SavedCauses;
  readonly rings: SavedRings;
};

/**
 * The state of a running detector: objects, arrays, maps, sets, typed arrays and plain values, of which some are one object in two
 * places, so it is to be serialised in one piece. It shares its parts with the detector: serialise it before the next line.
 */
export type SavedDetector = SavedSlotViews & {
  readonly version: number;
  /** Of the model that it goes with. */
  readonly model: string;
  readonly now: number;
  readonly read: number;
  readonly slot: number;
  readonly lines: SavedLines;
  readonly columns: SavedColumns;
  readonly reader: SavedEntities;
  readonly tracker: SavedTracker;
  readonly counter: SavedSlot;
  readonly novelty: SavedNewcomers;
  readonly absence: SavedGaps;
  readonly clocks: SavedWriters;
  /** Absent in states of before they were watched. */
  readonly changes?: SavedChanges;
  readonly incidents: SavedIncidents;
  readonly explained: Map<string, number>;
  /** New all of them, so that no share of their evidence is older. */
  readonly waiting: readonly Omit<Candidate, "shareSince">[];
};

/** Marks by their models, which never change: a running detector is saved often. */
const marks = new WeakMap<Model, string>();

export function modelMark(model: Model): string {
  const mark = marks.get(model) ?? markOf(model);
  marks.set(model, mark);
  return mark;
}

/** Tells models apart: by what they learned from and what they watch, and by the ceilings, in which all that a seed changes shows. */
function markOf(model: Model): string {
  const { from, to, events, entity, window, transaction, slowness, absence, regular } = model;
  const arrays = [window.upperCeiling, window.lowerCeiling, window.alpha];
  for (const { scores } of transaction?.calibration ?? []) arrays.push(scores);
  const sums = arrays.map((floats) => {
    const { low, high } = fnv64(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
    return `${low} ${high}`;
  });
  const names = [
    ...window.columns.map((c) => c.key),
    ...(slowness?.programs ?? []).map((p) => p.program),
    ...absence.streams.map((s) => s.key),
    ...regular.regulars.map((r) => r.name),
  ];
  return hash64(`${from} ${to} ${events} ${entity.salt} ${sums} ${names}`);
}

/** Throws a StateError where a state is not this model's. */
export function checkState(saved: SavedDetector, model: Model): void {
  if (saved.version !== STATE_VERSION)
    throw new StateError(`the state is of version ${saved.version}, not ${STATE_VERSION}`);
  if (saved.model !== modelMark(model)) throw new StateError("the state is of another model");
}
