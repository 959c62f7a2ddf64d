import { type LocalClock, placeOf, SLOTS_PER_DAY, type SlotPlace } from "../feature/clock.ts";
import { type Column, type ColumnRegistry, TEMPLATE_KEY } from "../feature/columns.ts";
import type { Season } from "../feature/season.ts";
import type { SlotCounts } from "../feature/window.ts";
import { allowance, MIN_GAIN, type Reach } from "./memory.ts";
import { type Conditional, FLOOR_NATS, poolKey, tailNats, WIDTHS } from "./window.ts";
import { Highest, type Notable, notables, rolling, type WindowTable } from "./window-fit.ts";

/**
 * The window view's memory: the slots of the past in which some column was larger than ever after. They are kept as they were counted, and
 * judged anew by each training, since what a surge means depends on what is usual now. Only surges are remembered: a server that grows
 * would take its own youth for a lull.
 */

/** Slots remembered; those of the largest surges are kept. A newsletter takes a dozen. */
const MAX_SLOTS = 1500;
/** Columns of which counts are kept; a flood of shapes in a surge may have more, and counts in their programs. */
const MAX_COLUMNS = 4096;
/** Events a slot, fewer than which a column brings when it is rare: a dozen a day. */
const RARE = 0.04;

/** rare: it was rare ever since, so that it may count in the pool of its like. What was common and is gone, as after an upgrade, may not. */
export type RememberedColumn = Column & { readonly rare: boolean };

/** Slots in order of time: each its number, then places of columns and their counts in turn. */
export type RememberedSlots = {
  readonly columns: readonly RememberedColumn[];
  readonly slots: readonly (readonly number[])[];
};

/** Remembered slots as a model counts and expects them; R rows in order of time, C columns. */
export type PastRows = {
  readonly slots: readonly number[];
  readonly places: readonly SlotPlace[];
  /** (R, C). What no column counts any more is left out; of a column that was unknown then, nothing is expected. */
  readonly counts: Float32Array;
  readonly mu: Float32Array;
};

/** The key that a column has after shapes were joined. groups: of joined shapes. */
function joinedKey({ key, level }: Column, groups: ReadonlyMap<string, string>): string {
  const group = level === "template" ? groups.get(key.slice(TEMPLATE_KEY.length)) : undefined;
  return group === undefined ? key : TEMPLATE_KEY + group;
}

/** What is still remembered, of before the training begins. first: its first slot. */
export function remembered(
  { columns, slots }: RememberedSlots,
  groups: ReadonlyMap<string, string>,
  first: number,
  reach: Reach,
): RememberedSlots {
  return {
    columns: columns.map((column) => ({ ...column, key: joinedKey(column, groups) })),
    slots: slots.filter(([slot]) => slot! < first && reach.holds(slot!)),
  };
}

/** The rows of remembered slots for a model with these columns and seasons, in which `full` is (C, 288). */
export function pastRows(
  memory: RememberedSlots,
  { columns, full }: Pick<WindowTable, "columns"> & { readonly full: Season },
  clock: LocalClock,
): PastRows {
  const C = columns.length;
  const byKey = new Map(columns.map((c, j) => [c.key, j]));
  const into = memory.columns.map(
    ({ key, level, family, rare }) =>
      byKey.get(key) ?? (rare ? byKey.get(poolKey(level, family)) : undefined),
  );
  const known = new Uint8Array(C);
  for (const j of into) if (j !== undefined) known[j] = 1;
  const slots = memory.slots.map(([slot]) => slot!);
  const places = slots.map((slot) => placeOf(slot, clock));
  const counts = new Float32Array(slots.length * C);
  const mu = new Float32Array(slots.length * C);
  for (const [r, row] of memory.slots.entries()) {
    for (let k = 1; k < row.length; k += 2) {
      const j = into[row[k]!];
      if (j !== undefined) counts[r * C + j]! += row[k + 1]!;
    }
    const { weekend, slotOfDay } = places[r]!;
    const season = weekend ? full.weekend : full.weekday;
    for (let j = 0; j < C; j++) if (known[j] === 1) mu[r * C + j] = season[j * SLOTS_PER_DAY + slotOfDay]!;
  }
  return { slots, places, counts, mu };
}

/** For each row, whether the `width` slots that end with it are all remembered. */
export function wholeRows(slots: readonly number[], width: number): Uint8Array {
  return Uint8Array.from(slots, (slot, r) => (slots[r - width + 1] === slot - width + 1 ? 1 : 0));
}

/**
 * Overdispersion at most, in telling what is worth remembering: a surge within the training makes its column so uneven that it seems small,
 * and when it is out of the training it no longer does.
 */
const CALM = 1;
const tail = (x: number, mu: number, alpha: number): number => tailNats("upper", x, mu, alpha);

/** What stood out in one window: its last slot, its column, how many were counted and expected. */
type Surge = {
  readonly slot: number;
  readonly j: number;
  readonly nats: number;
  readonly x: number;
  readonly mu: number;
};

/** Raises a training's ceilings to what is remembered, and finds out what the next training is to remember. */
export class Recall {
  readonly #table: WindowTable;
  readonly #past: PastRows | undefined;
  /** By column, whether it is remembered. */
  readonly #columns: readonly boolean[];
  readonly #records: { readonly slot: number; readonly width: number; readonly gain: number }[] = [];

  /** past: undefined where nothing is to be raised. isKept: whether a column is to be remembered. */
  constructor(table: WindowTable, past: PastRows | undefined, isKept: (column: Column) => boolean) {
    this.#table = table;
    this.#past = past;
    this.#columns = table.columns.map(isKept);
  }

  /**
   * Of one width, by its place. sums, mu: (T, C). alpha, ceilings, most: (C), of the upper tail; the last two are raised. notable: what stood
   * out in training. conditional: as fitWindow has it.
   */
  raise(
    w: number,
    sums: Float32Array,
    mu: Float32Array,
    alpha: Float32Array,
    notable: readonly Notable[],
    ceilings: Float32Array,
    most: Float32Array,
    conditional: ((slot: number) => Conditional | undefined) | undefined,
  ): void {
    const { columns, time } = this.#table;
    const C = columns.length;
    const isKept = ({ j, nats }: { readonly j: number; readonly nats: number }): boolean =>
      nats > FLOOR_NATS && this.#columns[j]!;
    const own = notable.filter(isKept).map(({ t, j, nats }) => ({
      ...{ slot: time.first + t, j, nats, x: sums[t * C + j]!, mu: mu[t * C + j]! },
    }));
    const past = this.#past ? this.#surges(this.#past, w, alpha, most, conditional).filter(isKept) : [];
    const all = [...past, ...own];
    const surges = this.#note(all, alpha, WIDTHS[w]!);
    if (!this.#past) return;
    for (const { slot, j, nats, x, mu: m } of all) {
      // By the hour alone: how much of a surge other families explain differs from one network to the next, and never makes it stranger.
      const allowed = surges.has(slot) ? tail(x * allowance(x), m, alpha[j]!) : nats;
      ceilings[j] = Math.max(ceilings[j]!, allowed);
      most[j] = Math.max(most[j]!, x);
    }
  }

  /** What stands out of the past. most: (C), of training. */
  #surges(
    { slots, places, counts, mu }: PastRows,
    w: number,
    alpha: Float32Array,
    most: Float32Array,
    conditional: ((slot: number) => Conditional | undefined) | undefined,
  ): Surge[] {
    const { columns } = this.#table;
    const C = columns.length;
    const width = WIDTHS[w]!;
    const [sums, expected] = [rolling(counts, C, width), rolling(mu, C, width)];
    const known = wholeRows(slots, width);
    const dayOf = Int32Array.from(slots, (slot) => Math.floor(slot / SLOTS_PER_DAY));
    const top = new Highest(C);
    for (let j = 0; j < C; j++) top.add(j, -1, most[j]!);
    for (let r = 0; r < slots.length; r++)
      for (let j = 0; j < C && known[r] === 1; j++) top.add(j, dayOf[r]!, sums[r * C + j]!);
    const rows = { columns, places, dayOf, slotAt: (r: number) => slots[r]! };
    const found = notables(rows, sums, expected, alpha, width, "upper", top, known, conditional);
    return found.map(({ t, j, nats }) => ({
      ...{ slot: slots[t]!, j, nats, x: sums[t * C + j]!, mu: expected[t * C + j]! },
    }));
  }

  /** Notes the windows in which a column was larger than ever after: the rest would silence nothing, now or when later ones are forgotten. */
  #note(all: readonly Surge[], alpha: Float32Array, width: number): ReadonlySet<number> {
    const later = new Float32Array(this.#table.columns.length).fill(FLOOR_NATS);
    const surges = new Set<number>();
    for (const { slot, j, x, mu } of [...all].sort((a, b) => b.slot - a.slot || a.j - b.j)) {
      const nats = tail(x, mu, Math.min(alpha[j]!, CALM));
      const gain = nats - later[j]!;
      if (gain < MIN_GAIN) continue;
      later[j] = nats;
      this.#records.push({ slot, width, gain });
      surges.add(slot);
    }
    return surges;
  }

  /** The slots to remember; the largest surges first where there is no room for all. */
  kept(): ReadonlySet<number> {
    const records = this.#records.sort((a, b) => b.gain - a.gain || b.slot - a.slot || a.width - b.width);
    const kept = new Set<number>();
    for (const { slot, width } of records)
      for (let s = slot - width + 1; s <= slot && kept.size < MAX_SLOTS; s++) kept.add(s);
    return kept;
  }
}

/**
 * What the next training is to remember. own: slots of training as the log's columns counted them. past: as
 * `remembered` left it.
 */
export function rememberSlots(
  kept: ReadonlySet<number>,
  own: readonly SlotCounts[],
  { first, last }: { readonly first: number; readonly last: number },
  registry: Pick<ColumnRegistry, "columns">,
  { columns, full }: Pick<WindowTable, "columns" | "full">,
  past: RememberedSlots,
): RememberedSlots {
  const common = new Set(columns.filter((_, j) => usual(full, j) >= RARE).map(({ key }) => key));
  const places = new Map<string, number>();
  const all: RememberedColumn[] = [];
  const placeAmong = (column: Column, wasRare: boolean): number | undefined => {
    const rare = wasRare && !common.has(column.key);
    const name = `${rare} ${column.key}`;
    const known = places.get(name);
    if (known !== undefined || all.length >= MAX_COLUMNS) return known;
    all.push({ ...column, rare });
    places.set(name, all.length - 1);
    return all.length - 1;
  };
  const slots: number[][] = [];
  for (const [slot, ...cells] of past.slots.filter(([one]) => kept.has(one!))) {
    const row = [slot!];
    for (let k = 0; k < cells.length; k += 2) {
      const column = past.columns[cells[k]!]!;
      const place = placeAmong(column, column.rare);
      if (place !== undefined) row.push(place, cells[k + 1]!);
    }
    slots.push(row);
  }
  const counted = new Map(own.filter(({ slot }) => kept.has(slot)).map((counts) => [counts.slot, counts]));
  for (const slot of [...kept].filter((s) => s >= first && s <= last).sort((a, b) => a - b)) {
    const { ids = [], counts = [] } = counted.get(slot) ?? {}; // a slot without lines is remembered as such
    const row = [slot];
    for (const [k, id] of ids.entries()) {
      const place = placeAmong(registry.columns[id]!, true);
      if (place !== undefined) row.push(place, counts[k]!);
    }
    slots.push(row);
  }
  return { columns: all, slots };
}

/** Events a slot that are expected of a column on a day of the week or of the weekend, whichever brings more. */
function usual({ weekday, weekend }: Season, j: number): number {
  const mean = (season: Float32Array): number =>
    season.subarray(j * SLOTS_PER_DAY, (j + 1) * SLOTS_PER_DAY).reduce((a, b) => a + b, 0) / SLOTS_PER_DAY;
  return Math.max(mean(weekday), mean(weekend));
}

export const NO_SLOTS: RememberedSlots = { columns: [], slots: [] };
