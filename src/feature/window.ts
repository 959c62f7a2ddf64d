import type { MailEvent } from "../mail/event.ts";
import { type LocalClock, placeOf, type SlotPlace } from "./clock.ts";
import type { ColumnRegistry } from "./columns.ts";

/** Counts of one five-minute slot, sparse: columns ids and how often each was seen. */
export type SlotCounts = { readonly slot: number; readonly ids: Uint32Array; readonly counts: Float32Array };

/** Counts events per column and slot. Slots close in order; empty slots are not stored. */
export class SlotCounter {
  readonly registry: ColumnRegistry;
  #slot = Number.NEGATIVE_INFINITY;
  #counts = new Map<number, number>();

  constructor(registry: ColumnRegistry) {
    this.registry = registry;
  }

  /** Adds an event to the slot that is open. The caller closes slots first: close(until). */
  add(event: MailEvent, slot: number): Uint32Array {
    this.#slot = slot;
    const ids = this.registry.of(event);
    for (const id of ids) this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    return ids;
  }

  /** The counts of the open slot; starts a new one. Undefined when nothing was counted. */
  close(): SlotCounts | undefined {
    if (this.#counts.size === 0) return undefined;
    const ids = Uint32Array.from(this.#counts.keys());
    const counts = Float32Array.from(this.#counts.values());
    const slot = this.#slot;
    this.#counts = new Map();
    return { slot, ids, counts };
  }
}

/** The counts with columns put together: `into` names for each column the one that takes its events. */
export function joinColumns({ slot, ids, counts }: SlotCounts, into: Uint32Array): SlotCounts {
  const sums = new Map<number, number>();
  for (const [i, id] of ids.entries()) sums.set(into[id]!, (sums.get(into[id]!) ?? 0) + counts[i]!);
  return { slot, ids: Uint32Array.from(sums.keys()), counts: Float32Array.from(sums.values()) };
}

/** Places of the slots from first to last, computed once. */
export function placesOf(first: number, last: number, clock: LocalClock): SlotPlace[] {
  const places: SlotPlace[] = [];
  for (let slot = first; slot <= last; slot++) places.push(placeOf(slot, clock));
  return places;
}
