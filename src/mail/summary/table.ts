import { detached } from "../../log/lines.ts";
import { Distinct } from "./ids.ts";

/** Two ways to count the same lines: ours, and pflogsumm's. */
export type View = 0 | 1;
export const OURS: View = 0;
export const THEIRS: View = 1;

/** Strings told apart by hash once a table's rows are full. */
const MAX_DISTINCT = 300_000;

/** What a table names when it could not hold everything. */
export type Bounded = { readonly table: string; readonly rows: number; readonly left_out: number };

/** Figures of one key, each for both views: `cell[COUNT + view]`. Delays in seconds. One array, since there may be many. */
export type Cell = number[];
export const COUNT = 0;
export const BYTES = 2;
export const DEFERS = 4;
export const SUM = 6;
export const MAX = 8;

/** A table by one key, in both views: exact for the first `limit` keys; of later ones only how many there are. */
export class Table {
  readonly rows: Map<string, Cell> = new Map();
  readonly name: string;
  private readonly limit: number;
  private readonly beyond: [Distinct, Distinct] | undefined;
  /** Additions that found no row. */
  leftOut = 0;

  private readonly width: number;
  private lastKey: string | undefined;
  private lastRow: Cell | undefined;

  /** distinct: whether keys beyond the limit are told apart, so that `size` stays exact. wide: delays are kept too. */
  constructor(name: string, limit: number, distinct = false, wide = false) {
    this.name = name;
    this.limit = limit;
    this.width = wide ? 10 : 4;
    if (distinct) this.beyond = [new Distinct(MAX_DISTINCT), new Distinct(MAX_DISTINCT)];
  }

  /** The row of a key, or undefined when the table is full. The key may be a part of a line: it is copied. */
  row(key: string): Cell | undefined {
    if (key === this.lastKey) return this.lastRow; // each line asks for both views
    let row = this.rows.get(key);
    if (row === undefined && this.rows.size < this.limit) {
      row = new Array<number>(this.width).fill(0);
      this.rows.set(detached(key), row);
    }
    this.lastKey = key;
    this.lastRow = row;
    return row;
  }

  /** Returns the row, undefined when the table is full. known: the row of the key, where the caller has it. */
  add(view: View, key: string, bytes = 0, known?: Cell): Cell | undefined {
    const row = known ?? this.row(key);
    if (row !== undefined) {
      row[COUNT + view]!++;
      row[BYTES + view]! += bytes;
    } else {
      this.leftOut++;
      this.beyond?.[view].add(key);
    }
    return row;
  }

  /** Distinct keys counted in a view. */
  size(view: View): number {
    let n = this.beyond?.[view].size ?? 0;
    for (const row of this.rows.values()) if (row[COUNT + view]! > 0) n++;
    return n;
  }

  clear(): void {
    this.rows.clear();
    this.lastKey = undefined;
    this.lastRow = undefined;
    this.leftOut = 0;
    if (this.beyond !== undefined) {
      this.beyond[0] = new Distinct(MAX_DISTINCT);
      this.beyond[1] = new Distinct(MAX_DISTINCT);
    }
  }

  bounded(out: Bounded[]): void {
    if (this.leftOut > 0) out.push({ table: this.name, rows: this.rows.size, left_out: this.leftOut });
  }
}

/** Counts of a view in a tree of groups. */
export type Leaf = [number, number];

/** Counts by two groups and a key, in both views. */
export class Tree {
  readonly groups: Map<string, Map<string, Map<string, Leaf>>> = new Map();
  readonly name: string;
  private readonly limit: number;
  private size = 0;
  leftOut = 0;

  constructor(name: string, limit: number) {
    this.name = name;
    this.limit = limit;
  }

  /** views: bit 0 ours, bit 1 pflogsumm's. */
  add(views: number, first: string, second: string, key: string): void {
    let group = this.groups.get(first);
    let inner = group?.get(second);
    let leaf = inner?.get(key);
    if (leaf === undefined) {
      if (this.size >= this.limit) {
        this.leftOut++;
        return;
      }
      if (group === undefined) {
        group = new Map();
        this.groups.set(detached(first), group);
      }
      if (inner === undefined) {
        inner = new Map();
        group.set(detached(second), inner);
      }
      leaf = [0, 0];
      inner.set(detached(key), leaf);
      this.size++;
    }
    if (views & 1) leaf[OURS]++;
    if (views & 2) leaf[THEIRS]++;
  }

  total(view: View): number {
    let n = 0;
    for (const group of this.groups.values())
      for (const inner of group.values()) for (const leaf of inner.values()) n += leaf[view];
    return n;
  }

  /** Every leaf of a view, most first. */
  list(view: View): { first: string; second: string; key: string; count: number }[] {
    const out: { first: string; second: string; key: string; count: number }[] = [];
    for (const [first, group] of this.groups)
      for (const [second, inner] of group)
        for (const [key, leaf] of inner)
          if (leaf[view] > 0) out.push({ first, second, key, count: leaf[view] });
    return out.sort(
      (a, b) =>
        b.count - a.count || order(a.first, b.first) || order(a.second, b.second) || order(a.key, b.key),
    );
  }

  clear(): void {
    this.groups.clear();
    this.size = 0;
    this.leftOut = 0;
  }

  bounded(out: Bounded[]): void {
    if (this.leftOut > 0) out.push({ table: this.name, rows: this.size, left_out: this.leftOut });
  }
}

export const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
