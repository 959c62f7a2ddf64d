import { type LocalClock, SLOTS_PER_DAY, type SlotPlace } from "../feature/clock.ts";
import type { Column, ColumnRegistry } from "../feature/columns.ts";
import { type Flagged, Known, NOTHING_FLAGGED } from "../feature/flagged.ts";
import {
  addEvents,
  clearSums,
  emptySums,
  type Season,
  type SeasonSums,
  seasonOf,
  smooth,
} from "../feature/season.ts";
import { placesOf, type SlotCounts } from "../feature/window.ts";
import { type Calibration, calibrate } from "./calibrate.ts";
import type { Recall } from "./recall.ts";
import {
  type Conditional,
  conditionalNats,
  FLOOR_NATS,
  LOWER_WIDTHS,
  NOTICE_NATS,
  POOLS,
  poolKey,
  tailNats,
  WIDTHS,
  type WindowModel,
} from "./window.ts";

/** A column of its own needs this many distinct days of training: four lines in one second pass any rule on lines. */
const MIN_COLUMN_DAYS = 4;
/** Weight of the median column in each column's overdispersion, in expected events. */
const ALPHA_PRIOR = 20;
const MIN_ALPHA = 1e-4;
const MAX_ALPHA = 20;

/** Rows of a table: one for each slot of training. */
export type TableRows = {
  readonly places: readonly SlotPlace[];
  /** Training day of each slot, 0 the oldest. */
  readonly dayOf: Int32Array;
  readonly days: number;
  readonly time: Known;
};

/** Counts of the training time as a dense table, with what belongs to its rows. */
export type WindowTable = TableRows & {
  readonly columns: readonly Column[];
  /** (T, C). */
  readonly counts: Float32Array;
  /** (T, C): expected per slot by a model that did not see that day. */
  readonly mu: Float32Array;
  readonly full: { readonly weekday: Float32Array; readonly weekend: Float32Array };
};

/** Builds the table from the slots of training. all: in order; those left out count as unknown. */
export function windowTable(
  registry: ColumnRegistry,
  all: readonly SlotCounts[],
  rows: TableRows,
): WindowTable {
  const { first, flagged } = rows.time;
  const { days, dayOf } = rows;
  const T = dayOf.length;
  const slots = all.filter(({ slot }) => !flagged.has(slot));
  const columns = chooseColumns(registry, slots, first, dayOf, days);
  const index = columnIndex(registry, columns);
  const C = columns.length;
  const counts = new Float32Array(T * C);
  for (const { slot, ids, counts: n } of slots) {
    const t = slot - first;
    if (t < 0 || t >= T) continue;
    for (let i = 0; i < ids.length; i++) counts[t * C + index(ids[i]!)]! += n[i]!;
  }
  return tableOf(columns, counts, rows);
}

/** The table of any counts (T, C), one row for each slot; 0 where nothing is known. */
export function tableOf(columns: readonly Column[], counts: Float32Array, rows: TableRows): WindowTable {
  return { ...rows, columns, counts, ...expectations(counts, columns.length, rows) };
}

/** The rows of the slots from first to last: days are counted back from the last one. */
export function slotRows(
  first: number,
  last: number,
  clock: LocalClock,
  flagged: Flagged = NOTHING_FLAGGED,
): TableRows {
  const time = new Known(first, last, clock, flagged);
  const T = time.slots;
  const days = Math.max(1, Math.ceil(T / SLOTS_PER_DAY));
  return {
    time,
    days,
    places: placesOf(time.first, time.last, clock),
    dayOf: Int32Array.from({ length: T }, (_, t) => days - 1 - Math.floor((T - 1 - t) / SLOTS_PER_DAY)),
  };
}

/** For each row, whether all is known of the `width` slots that end with it; those before the first count as known. */
export function knownRows({ time }: Pick<TableRows, "time">, width: number): Uint8Array {
  const known = new Uint8Array(time.slots).fill(1);
  for (const slot of time.flagged.slots(time.first, time.last))
    known.fill(0, slot - time.first, slot - time.first + width);
  return known;
}

/** Columns seen on enough days, then the pools for all others. */
function chooseColumns(
  registry: ColumnRegistry,
  slots: readonly SlotCounts[],
  first: number,
  dayOf: Int32Array,
  days: number,
): Column[] {
  const lastDay = new Int32Array(registry.columns.length).fill(-1);
  const seenDays = new Int32Array(registry.columns.length);
  for (const { slot, ids } of slots) {
    const day = dayOf[slot - first] ?? -1;
    for (const id of ids) {
      if (lastDay[id] === day) continue;
      lastDay[id] = day;
      seenDays[id]!++;
    }
  }
  const enough = columnDays(days);
  return [...registry.columns.filter((_, id) => seenDays[id]! >= enough), ...POOLS];
}

/** On so many days of training a column of its own is seen. */
export const columnDays = (days: number): number =>
  Math.min(MIN_COLUMN_DAYS, Math.max(2, Math.ceil(days / 3)));

/** Maps a column of the log to its place in a model: itself, or the pool of its level and family. */
export function columnIndex(registry: ColumnRegistry, columns: readonly Column[]): (id: number) => number {
  const byKey = new Map(columns.map((c, j) => [c.key, j]));
  const cache: number[] = [];
  return (id) => {
    const known = cache[id];
    if (known !== undefined) return known;
    const column = registry.columns[id]!;
    const j =
      byKey.get(column.key) ?? byKey.get(poolKey(column.level, column.family)) ?? byKey.get("all") ?? 0;
    cache[id] = j;
    return j;
  };
}

/** Seasonal expectation of each slot by the other days, and the one of all days. */
function expectations(
  counts: Float32Array,
  C: number,
  { places, dayOf, days, time }: TableRows,
): { mu: Float32Array; full: Season } {
  const T = places.length;
  const mu = new Float32Array(T * C);
  const full = { weekday: new Float32Array(C * SLOTS_PER_DAY), weekend: new Float32Array(C * SLOTS_PER_DAY) };
  const slotsIn = new Float64Array(days);
  const weekendIn = new Float64Array(days);
  const known = knownRows({ time }, 1);
  for (let t = 0; t < T; t++) {
    if (known[t] === 0) continue;
    slotsIn[dayOf[t]!]!++;
    if (places[t]!.weekend) weekendIn[dayOf[t]!]!++;
  }
  const { weekends } = time;
  const weights = Float64Array.from(places, (place) => time.weight(place));
  const perDay: SeasonSums[] = Array.from({ length: days }, emptySums);
  for (let j = 0; j < C; j++) {
    perDay.forEach(clearSums);
    for (let t = 0; t < T; t++) {
      const n = counts[t * C + j]!;
      if (n > 0) addEvents(perDay[dayOf[t]!]!, places[t]!.slotOfDay, places[t]!.weekend, n * weights[t]!);
    }
    const total = emptySums();
    for (const day of perDay) {
      if (day.events === 0) continue;
      smooth(day);
      for (let s = 0; s < SLOTS_PER_DAY; s++) total.perSlot[s]! += day.perSlot[s]!;
      total.events += day.events;
      total.weekendEvents += day.weekendEvents;
    }
    const all = seasonOf(total, undefined, T, weekends);
    full.weekday.set(all.weekday, j * SLOTS_PER_DAY);
    full.weekend.set(all.weekend, j * SLOTS_PER_DAY);
    let season = all;
    for (let t = 0; t < T; t++) {
      const d = dayOf[t]!;
      if (days > 1 && d !== dayOf[t - 1])
        season = seasonOf(total, perDay[d], T - slotsIn[d]!, weekends - weekendIn[d]!);
      mu[t * C + j] = (places[t]!.weekend ? season.weekend : season.weekday)[places[t]!.slotOfDay]!;
    }
  }
  return { mu, full };
}

/** A count of training that stood out. */
export type Notable = { readonly t: number; readonly j: number; readonly nats: number };

/**
 * Learns overdispersion, ceilings and calibration, day by day left out. conditional: given a slot, the model of
 * the other families that did not see its day; undefined without one. recall: what earlier trainings left, which raises ceilings alone: the
 * calibration stays that of these days, so that nothing becomes louder by it.
 */
export function fitWindow(
  table: WindowTable,
  conditional?: (slot: number) => Conditional | undefined,
  recall?: Recall,
): WindowModel {
  const { columns } = table;
  const C = columns.length;
  const W = WIDTHS.length;
  const alpha = new Float32Array(W * C);
  const upperCeiling = new Float32Array(W * C).fill(FLOOR_NATS);
  const lowerCeiling = new Float32Array(W * C).fill(FLOOR_NATS);
  const most = new Float32Array(W * C);
  const upper: Calibration[] = [];
  const lower: Calibration[] = [];
  const sums = Float32Array.from(table.counts);
  const mu = Float32Array.from(table.mu);
  const slotAt = (t: number): number => table.time.first + t;
  for (let w = 0; w < W; w++) {
    widen(sums, table.counts, C, WIDTHS[w - 1] ?? 1, WIDTHS[w]!);
    widen(mu, table.mu, C, WIDTHS[w - 1] ?? 1, WIDTHS[w]!);
    const known = knownRows(table, WIDTHS[w]!);
    const a = overdispersion(sums, mu, C, known);
    alpha.set(a, w * C);
    const top = highestSums(table, sums, known);
    most.set(top.first, w * C);
    for (const tail of ["upper", "lower"] as const) {
      const notable =
        tail === "lower" && !LOWER_WIDTHS.includes(WIDTHS[w]!)
          ? []
          : notables({ ...table, slotAt }, sums, mu, a, WIDTHS[w]!, tail, top, known, conditional);
      const { ceilings, calibration } = leaveOneDayOut(table, C, notable, known);
      if (tail === "upper")
        recall?.raise(w, sums, mu, a, notable, ceilings, most.subarray(w * C, w * C + C), conditional);
      (tail === "upper" ? upperCeiling : lowerCeiling).set(ceilings, w * C);
      (tail === "upper" ? upper : lower).push(calibration);
    }
  }
  return {
    columns,
    weekday: table.full.weekday,
    weekend: table.full.weekend,
    alpha,
    upperCeiling,
    lowerCeiling,
    most,
    upper,
    lower,
  };
}

/** The largest value of each column and of any other day than its: leaving a day out needs no more. (C) each; 0 where there is none. */
export class Highest {
  readonly first: Float32Array;
  readonly #firstDay: Int32Array;
  readonly #second: Float32Array;

  constructor(C: number) {
    this.first = new Float32Array(C);
    this.#firstDay = new Int32Array(C).fill(-1);
    this.#second = new Float32Array(C);
  }

  add(j: number, day: number, x: number): void {
    const other = this.#firstDay[j] !== day;
    if (x > this.first[j]!) {
      if (other) this.#second[j] = this.first[j]!;
      this.first[j] = x;
      this.#firstDay[j] = day;
    } else if (other && x > this.#second[j]!) this.#second[j] = x;
  }

  without(j: number, day: number): number {
    return (this.#firstDay[j] === day ? this.#second : this.first)[j]!;
  }
}

function highestSums(table: WindowTable, sums: Float32Array, known: Uint8Array): Highest {
  const C = table.columns.length;
  const highest = new Highest(C);
  for (let t = 0; t < known.length; t++)
    for (let j = 0; j < C && known[t] === 1; j++) highest.add(j, table.dayOf[t]!, sums[t * C + j]!);
  return highest;
}

/** Sums over the newest `width` rows of each row of a (T, C) table. The first rows sum what there is. */
export function rolling(values: Float32Array, C: number, width: number): Float32Array {
  const out = Float32Array.from(values);
  widen(out, values, C, 1, width);
  return out;
}

/** Makes the rolling sums of `values` over `from` rows those over `to` rows, in place. */
function widen(sums: Float32Array, values: Float32Array, C: number, from: number, to: number): void {
  for (let i = from * C; i < sums.length; i++) {
    const past = Math.max(0, i - (to - 1) * C);
    let sum = sums[i]!;
    for (let at = i - from * C; at >= past; at -= C) sum = Math.fround(sum + values[at]!);
    sums[i] = sum;
  }
}

/** Overdispersion of each column by moments, drawn towards the median column. Source: Hilbe, Negative Binomial Regression (2011). */
function overdispersion(sums: Float32Array, mu: Float32Array, C: number, known: Uint8Array): Float32Array {
  const T = known.length;
  const raw = new Float64Array(C);
  const weight = new Float64Array(C);
  for (let j = 0; j < C; j++) {
    let spread = 0;
    let square = 0;
    for (let t = 0; t < T; t++) {
      if (known[t] === 0) continue;
      const m = mu[t * C + j]!;
      spread += (sums[t * C + j]! - m) ** 2 - m;
      square += m * m;
      weight[j]! += m;
    }
    raw[j] = square > 0 ? Math.min(MAX_ALPHA, Math.max(0, spread / square)) : 0;
  }
  const busy = Array.from(raw)
    .filter((_, j) => weight[j]! > ALPHA_PRIOR)
    .sort((x, y) => x - y);
  const median = busy.length === 0 ? 0.5 : busy[busy.length >> 1]!;
  return Float32Array.from(raw, (v, j) =>
    Math.max(MIN_ALPHA, (v * weight[j]! + ALPHA_PRIOR * median) / (weight[j]! + ALPHA_PRIOR)),
  );
}

/** All counts whose tail is worth noting, of rows of which each is the end of a known window or left out. */
export function notables(
  table: Pick<WindowTable, "columns" | "places" | "dayOf"> & { readonly slotAt: (t: number) => number },
  sums: Float32Array,
  mu: Float32Array,
  alpha: Float32Array,
  width: number,
  tail: "upper" | "lower",
  top: Highest,
  known: Uint8Array,
  conditional: ((slot: number) => Conditional | undefined) | undefined,
): Notable[] {
  const { columns } = table;
  const C = columns.length;
  const found: Notable[] = [];
  for (let t = width - 1; t < known.length; t++) {
    if (known[t] === 0) continue;
    let given: ReturnType<Conditional> | undefined;
    for (let j = 0; j < C; j++) {
      if (columns[j]!.level === "volume") continue;
      const x = sums[t * C + j]!;
      const m = mu[t * C + j]!;
      // Within one standard deviation nothing reaches the notice; this saves nearly all of the work.
      if (
        tail === "upper"
          ? x <= m + Math.sqrt(m + alpha[j]! * m * m)
          : x >= m - Math.sqrt(m + alpha[j]! * m * m)
      )
        continue;
      let nats = tailNats(tail, x, m, alpha[j]!);
      if (nats < NOTICE_NATS) continue;
      const model = nats > FLOOR_NATS ? conditional?.(table.slotAt(t)) : undefined;
      if (model) {
        given ??= model(
          sums.subarray(t * C, t * C + C),
          mu.subarray(t * C, t * C + C),
          width,
          table.places[t]!,
        );
        const most = top.without(j, table.dayOf[t]!);
        const spread = given.alpha?.[j] ?? alpha[j]!;
        nats = Math.min(nats, conditionalNats(tail, x, m, given.mu(j), spread, most));
      }
      found.push({ t, j, nats });
    }
  }
  return found;
}

/** Ceilings of all days together, and the calibration of each day's excess over the ceilings of the other days. known: by row. */
export function leaveOneDayOut(
  table: TableRows,
  C: number,
  notable: readonly Notable[],
  known: Uint8Array,
): { ceilings: Float32Array; calibration: Calibration } {
  const T = known.length;
  const highest = new Highest(C);
  for (const { t, j, nats } of notable) highest.add(j, table.dayOf[t]!, nats);
  const rows = new Float32Array(T).fill(-FLOOR_NATS);
  for (const { t, j, nats } of notable)
    rows[t] = Math.max(rows[t]!, nats - Math.max(FLOOR_NATS, highest.without(j, table.dayOf[t]!)));
  const maxima = new Array<number>(table.days).fill(-FLOOR_NATS);
  const slots = new Int32Array(table.days);
  for (let t = 0; t < T; t++) {
    if (known[t] === 0) continue;
    maxima[table.dayOf[t]!] = Math.max(maxima[table.dayOf[t]!]!, rows[t]!);
    slots[table.dayOf[t]!]!++;
  }
  const whole = maxima.filter((_, d) => slots[d]! >= SLOTS_PER_DAY / 2);
  return {
    ceilings: highest.first.map((v) => Math.max(FLOOR_NATS, v)),
    calibration: calibrate(
      whole,
      rows.filter((_, t) => known[t] === 1),
    ),
  };
}
