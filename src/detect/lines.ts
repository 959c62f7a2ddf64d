import { SLOT_MS, slotOf } from "../feature/clock.ts";
import type { ColumnSet } from "../feature/columns.ts";
import type { Observation } from "../feature/entity.ts";
import { ENTITY_FEATURES } from "../feature/entity-features.ts";
import { LEFT_OUT, type LineLoader, type LineSaver } from "../feature/line-table.ts";
import type { SeenLine } from "../feature/transaction.ts";
import { HORIZONS } from "./entity.ts";
import { MAX_WIDTH } from "./window.ts";

/** Lines kept of each column and entity; an alert cites no more. */
const KEEP = 5;
/** Rings of entities and shapes kept; the least recently written leave. */
const MAX_RINGS = 20_000;
/** Kinds of lines whose newest ones wait for somebody to ask for their columns. */
const MAX_CLOSED = 4096;

/** How often what is too old leaves, in slots: a table skips all that left before to find what is oldest. No result depends on it. */
const FORGET_SLOTS = 12;
/** Slots back to which lines of entities may be cited; a new shape's are asked for an hour back. */
const ENTITY_SLOTS = HORIZONS[2];

/** The key of the ring of turns; no other begins like it. */
const TURN = "turn";

/** The newest lines of one column, oldest first, each with its number among all lines seen. */
type Ring = { readonly lines: SeenLine[]; readonly numbers: number[] };

type SavedRing = { readonly lines: readonly number[]; readonly numbers: readonly number[] };

/** Lines by their numbers. */
export type SavedRings = {
  readonly rings: readonly (readonly [key: string, lines: readonly number[]])[];
  readonly columns: readonly (readonly [column: number, ring: SavedRing])[];
  readonly open: ReadonlyMap<ColumnSet, SavedRing>;
  readonly number: number;
};

/** The newest lines behind each column, entity and shape, for citing. */
export class LineRings {
  readonly #rings = new Map<string, SeenLine[]>();
  /** By column of the model. Lacks the lines of #closed. */
  readonly #columns: Ring[] = [];
  /** Newest lines of closed slots by the columns in which they count, which get them when one is asked for. */
  readonly #closed = new Map<ColumnSet, Ring>();
  /** The model's column of a registered one, as close() was told last. */
  #index: (id: number) => number = (id) => id;
  /** Newest lines of the open slot by the columns in which they count: lines of one kind share them all. */
  #open = new Map<ColumnSet, Ring>();
  #number = 0;

  /** A line that counts in the columns of a set. ofColumn() knows it when the slot is closed. */
  counted(set: ColumnSet, line: SeenLine): void {
    let ring = this.#open.get(set);
    if (ring === undefined) {
      ring = { lines: [], numbers: [] };
      this.#open.set(set, ring);
    }
    append(ring, line, this.#number++);
  }

  /** A slot ends: its lines may be asked for, and what is too old to be cited leaves. index: the model's column of a registered one. */
  close(slot: number, index: (id: number) => number): void {
    this.#index = index;
    for (const [set, ring] of this.#open) {
      const known = this.#closed.get(set);
      if (known === undefined || ring.lines.length >= KEEP) this.#closed.set(set, ring);
      else for (const [i, line] of ring.lines.entries()) append(known, line, ring.numbers[i]!);
    }
    if (this.#open.size > 0) this.#open = new Map();
    if (this.#closed.size > MAX_CLOSED) this.#settle();
    if (slot % FORGET_SLOTS === 0) this.#forget((slot + 1 - ENTITY_SLOTS) * SLOT_MS);
  }

  /** Gives the lines of closed slots to their columns. */
  #settle(): void {
    for (const [set, ring] of this.#closed) {
      for (const id of set.ids) {
        const column = this.#index(id);
        this.#columns[column] ??= { lines: [], numbers: [] };
        merge(this.#columns[column], ring);
      }
    }
    this.#closed.clear();
  }

  /** Rings are in the order of their newest lines' slots. Turns stay, since any silence may ask. */
  #forget(before: number): void {
    for (const [key, ring] of this.#rings) {
      if (key === TURN) continue;
      if (ring.at(-1)!.time >= before) return;
      this.#rings.delete(key);
    }
  }

  entity(observation: Observation, line: SeenLine): void {
    this.#add(`e${ENTITY_FEATURES[observation.feature]!.name} ${observation.key}`, line);
  }

  /** A line that tells of a start, a stop or a reload. */
  turn(line: SeenLine): void {
    this.#add(TURN, line);
  }

  shape(line: SeenLine): void {
    this.#add(`s${line.templateId}`, line);
  }

  /** Without what is too old to be cited: by a column's widest window, or by an entity's. Turns are kept, since any silence may ask. */
  save(lines: LineSaver): SavedRings {
    const rings = [...this.#rings].map(([key, ring]): SavedRings["rings"][number] => [
      key,
      numbersOf(ring, lines, key === TURN ? undefined : ENTITY_SLOTS),
    ]);
    this.#settle();
    const columns = [...this.#columns.entries()].filter(([, ring]) => ring !== undefined);
    return {
      rings: rings.filter(([, ring]) => ring.length > 0),
      columns: columns.map(([column, ring]) => [column, savedRing(ring, lines)]),
      open: new Map([...this.#open].map(([set, ring]) => [set, savedRing(ring, lines)])),
      number: this.#number,
    };
  }

  load({ rings, columns, open, number }: SavedRings, lines: LineLoader): void {
    const ringOf = (saved: SavedRing): Ring => ({
      lines: saved.lines.map((at) => lines.of(at)),
      numbers: [...saved.numbers],
    });
    for (const [key, ring] of rings)
      this.#rings.set(
        key,
        ring.map((at) => lines.of(at)),
      );
    for (const [column, ring] of columns) this.#columns[column] = ringOf(ring);
    for (const [set, ring] of open) this.#open.set(set, ringOf(ring));
    this.#number = number;
  }

  ofColumn(modelColumn: number, since: number): SeenLine[] {
    this.#settle();
    return (this.#columns[modelColumn]?.lines ?? []).filter((l) => l.time >= since).reverse();
  }
  ofEntity(feature: number, key: string, since: number): SeenLine[] {
    return this.#of(`e${ENTITY_FEATURES[feature]!.name} ${key}`, since);
  }
  turns(since: number): SeenLine[] {
    return this.#of(TURN, since);
  }
  ofShape(templateId: string, since: number): SeenLine[] {
    return this.#of(`s${templateId}`, since);
  }

  #of(key: string, since: number): SeenLine[] {
    return (this.#rings.get(key) ?? []).filter((l) => l.time >= since).reverse();
  }

  #add(key: string, line: SeenLine): void {
    let ring = this.#rings.get(key);
    if (ring === undefined || slotOf(ring.at(-1)!.time) !== slotOf(line.time)) {
      if (ring) this.#rings.delete(key);
      else ring = [];
      this.#rings.set(key, ring);
      if (this.#rings.size > MAX_RINGS) this.#rings.delete(this.#rings.keys().next().value!);
    }
    if (ring.length >= KEEP) ring.shift();
    ring.push(line);
  }
}

function numbersOf(ring: readonly SeenLine[], lines: LineSaver, slots: number | undefined): number[] {
  return ring.map((line) => lines.of(line, slots)).filter((at) => at !== LEFT_OUT);
}

/** Lines are in order of time, so what is left out are the oldest ones. */
function savedRing(ring: Ring, lines: LineSaver): SavedRing {
  const kept = numbersOf(ring.lines, lines, MAX_WIDTH);
  return { lines: kept, numbers: ring.numbers.slice(ring.numbers.length - kept.length) };
}

function append({ lines, numbers }: Ring, line: SeenLine, number: number): void {
  if (lines.length >= KEEP) {
    lines.shift();
    numbers.shift();
  }
  lines.push(line);
  numbers.push(number);
}

/** Puts the lines of `from` in their places among those of `into`, each once, and keeps the newest. */
function merge(into: Ring, from: Ring): void {
  for (let k = from.numbers.length - 1; k >= 0; k--) {
    const number = from.numbers[k]!;
    let at = into.numbers.length;
    while (at > 0 && into.numbers[at - 1]! > number) at--;
    if (into.numbers[at - 1] === number) continue;
    if (at === 0 && into.numbers.length >= KEEP) return; // what is left is older still
    into.numbers.splice(at, 0, number);
    into.lines.splice(at, 0, from.lines[k]!);
    if (into.numbers.length <= KEEP) continue;
    into.numbers.shift();
    into.lines.shift();
  }
}
