import type { MailEvent } from "../mail/event.ts";
import { type LocalClock, placeOf, SLOT_MS, type SlotPlace } from "./clock.ts";
import type { ColumnRegistry, ColumnSet } from "./columns.ts";

/** Counts of one five-minute slot, sparse: columns ids and how often each was seen. */
export type SlotCounts = { readonly slot: number; readonly ids: Uint32Array; readonly counts: Float32Array };

/** turns, unowned: absent in states of before. */
export type SavedSlot = {
  readonly slot: number;
  readonly sets: ColumnSet[];
  readonly turns?: Map<string, number>;
  readonly unowned?: Map<string, ColumnSet>;
};

/** A suite's stop, its start, all their banners and all sessions that end with it are one event where they begin within this time. */
const TURN_MS = 120_000;
/** Turns remembered. */
const MAX_TURNS = 64;
/** Processes of which a line waits to be told whose it is. */
const MAX_UNOWNED = 1024;

const processOf = ({ host, daemon, pid }: MailEvent): string => `${host} ${daemon}[${pid}]`;

/** Counts events per column and slot. Slots close in order; empty slots are not stored. */
export class SlotCounter {
  readonly registry: ColumnRegistry;
  #slot = Number.NEGATIVE_INFINITY;
  /** The column sets that lines of the open slot had, each once. */
  #seen: ColumnSet[] = [];
  /** Sums by column, all 0 but in close(). */
  #sums = new Float64Array(0);
  /** By process, its newest line of the open slot that tells of no message yet; see leaveOut(). */
  #unowned = new Map<string, ColumnSet>();
  /** When suites last began to start, stop or reload, in ms, the oldest first. */
  #turns = new Map<string, number>();

  constructor(registry: ColumnRegistry) {
    this.registry = registry;
  }

  /** Adds an event to the slot that is open. The caller closes slots first. */
  add(event: MailEvent, slot: number): ColumnSet {
    this.#slot = slot;
    const set = this.registry.of(event);
    if (set.turn !== undefined && this.#goesOn(set.turn, event.time ?? slot * SLOT_MS)) return set;
    if (set.lines++ === 0) this.#seen.push(set);
    return set;
  }

  /** An added event is of a message that the same process names next. */
  own(event: MailEvent, set: ColumnSet): void {
    if (this.#unowned.size < MAX_UNOWNED) this.#unowned.set(processOf(event), set);
  }

  /** An event that is not to be counted; so isn't what its process said of the same message before. */
  leaveOut(event: MailEvent): void {
    const set = this.#unowned.get(processOf(event));
    if (set === undefined) return;
    set.lines--;
    this.#unowned.delete(processOf(event));
  }

  /** Whether it was counted already. */
  #goesOn(turn: string, time: number): boolean {
    const since = time - (this.#turns.get(turn) ?? Number.NEGATIVE_INFINITY);
    if (since >= 0 && since < TURN_MS) return true;
    this.#turns.delete(turn);
    this.#turns.set(turn, time);
    if (this.#turns.size > MAX_TURNS) this.#turns.delete(this.#turns.keys().next().value!);
    return false;
  }

  /** The counts of the open slot; starts a new one. Undefined when nothing was counted. */
  close(): SlotCounts | undefined {
    const C = this.registry.columns.length;
    if (this.#sums.length < C) this.#sums = new Float64Array(2 * C);
    const sums = this.#sums;
    const found: number[] = [];
    for (const set of this.#seen) {
      const { ids } = set;
      if (set.lines === 0) continue; // left out
      for (let i = 0; i < ids.length; i++) {
        if (sums[ids[i]!] === 0) found.push(ids[i]!);
        sums[ids[i]!]! += set.lines;
      }
      set.lines = 0;
    }
    this.#seen = [];
    if (this.#unowned.size > 0) this.#unowned.clear();
    if (found.length === 0) return undefined;
    const ids = Uint32Array.from(found);
    const counts = new Float32Array(ids.length);
    for (let i = 0; i < ids.length; i++) {
      counts[i] = sums[ids[i]!]!;
      sums[ids[i]!] = 0;
    }
    return { slot: this.#slot, ids, counts };
  }

  /** Puts columns together in the open slot too: see joinColumns. */
  join(into: Uint32Array): void {
    this.#seen = this.#seen.map(({ ids, lines, turn }) => ({ ids: ids.map((id) => into[id]!), lines, turn }));
  }

  /** The open slot. A kind of lines that goes on after a load counts in a set of its own: what both hold is added up. */
  save(): SavedSlot {
    return { slot: this.#slot, sets: this.#seen, turns: this.#turns, unowned: this.#unowned };
  }

  load({ slot, sets, turns = new Map(), unowned = new Map() }: SavedSlot): void {
    this.#slot = slot;
    this.#seen = sets;
    this.#turns = turns;
    this.#unowned = unowned;
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
