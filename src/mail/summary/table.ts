import { detached } from "../../log/lines.ts";
import { Distinct } from "./ids.ts";

/** Two ways to count the same lines: ours, and pflogsumm's. */
export type View = 0 | 1;
export const OURS: View = 0;
export const THEIRS: View = 1;

/** Strings told apart by hash once a table's rows are full. */
const MAX_DISTINCT = 180_000;

/** Reasons, texts and queue ids of one list. */
export const MAX_TEXTS = 12_000;

/** What a table names when it could not hold everything. */
export type Bounded = { readonly table: string; readonly rows: number; readonly left_out: number };

/** Columns of a table's rows, each for both views: `figure(row, COUNT + view)`. Bytes in octets, SUM and MAX in seconds. */
export const COUNT = 0;
export const BYTES = 2;
export const DEFERS = 4;
export const SUM = 6;
export const MAX = 8;
const NARROW = 4;
const WIDE = 10;
const FIRST_ROWS = 64;

/** A table by one key, in both views: exact for the first `limit` keys; of later ones only how many there are. */
export class Table {
  /** The number of each key's row, in order of first sight. */
  readonly rows: Map<string, number> = new Map();
  readonly name: string;
  private readonly limit: number;
  private readonly width: number;
  /** Row after row: one array for all, since there may be many rows. */
  private figures: Float64Array;
  private beyond = new Distinct(MAX_DISTINCT);
  /** Additions that found no row. */
  leftOut = 0;

  /** wide: deferrals and times are kept too. */
  constructor(name: string, limit: number, wide = false) {
    this.name = name;
    this.limit = limit;
    this.width = wide ? WIDE : NARROW;
    this.figures = new Float64Array(this.width * Math.min(limit, FIRST_ROWS));
  }

  /** The row of a key, made where there is room; -1 when the table is full. The key may be a part of a line: it is copied. */
  row(key: string): number {
    const known = this.rows.get(key);
    if (known !== undefined) return known;
    const row = this.rows.size;
    if (row >= this.limit) return -1;
    this.rows.set(detached(key), row);
    if (this.width * (row + 1) > this.figures.length) {
      const wider = new Float64Array(Math.min(2 * this.figures.length, this.width * this.limit));
      wider.set(this.figures);
      this.figures = wider;
    }
    return row;
  }

  /** Counts one more of a key in a view. row: the key's, as `row` gives it. */
  add(view: View, row: number, key: string, bytes = 0): void {
    if (row < 0) {
      this.leftOut++;
      this.beyond.add(view, key);
      return;
    }
    const at = row * this.width + view;
    this.figures[at + COUNT]!++;
    this.figures[at + BYTES]! += bytes;
  }

  /** A figure of a row (not -1); 0 where the table does not keep it. */
  figure(row: number, column: number): number {
    return column < this.width ? this.figures[row * this.width + column]! : 0;
  }

  /** Adds to a figure of a row of a wide table. */
  increase(row: number, column: number, by: number): void {
    this.figures[row * this.width + column]! += by;
  }

  /** Sets a figure of a row of a wide table. */
  set(row: number, column: number, value: number): void {
    this.figures[row * this.width + column] = value;
  }

  /** Keys of a view that were counted or deferred, with their rows, in order of first sight. */
  *counted(view: View): Generator<[string, number]> {
    for (const entry of this.rows)
      if (this.figure(entry[1], COUNT + view) > 0 || this.figure(entry[1], DEFERS + view) > 0) yield entry;
  }

  /** Distinct keys counted in a view. */
  size(view: View): number {
    let n = this.beyond.size(view);
    for (const row of this.rows.values()) if (this.figure(row, COUNT + view) > 0) n++;
    return n;
  }

  clear(): void {
    this.rows.clear();
    this.figures.fill(0);
    this.leftOut = 0;
    this.beyond = new Distinct(MAX_DISTINCT);
  }

  bounded(out: Bounded[]): void {
    if (this.leftOut > 0) out.push({ table: this.name, rows: this.rows.size, left_out: this.leftOut });
  }
}

/** Counts of a view in a tree of groups. */
export type Leaf = [number, number];

/** A leaf with the way to it, and its count in a view. */
export type Branch = {
  readonly first: string;
  readonly second: string;
  readonly key: string;
  readonly count: number;
};

/** Most first, equal ones by name. */
export const byCount = (a: Branch, b: Branch): number =>
  b.count - a.count || order(a.first, b.first) || order(a.second, b.second) || order(a.key, b.key);

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
    const leaf = this.leaf(first, second, key);
    if (leaf === undefined) return;
    if (views & 1) leaf[OURS]++;
    if (views & 2) leaf[THEIRS]++;
  }

  /** The counts of a key, made where there is room; undefined, and one more left out, when the tree is full. Valid until `clear`. */
  leaf(first: string, second: string, key: string): Leaf | undefined {
    let group = this.groups.get(first);
    let inner = group?.get(second);
    let leaf = inner?.get(key);
    if (leaf === undefined) {
      if (this.size >= this.limit) {
        this.leftOut++;
        return undefined;
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
    return leaf;
  }

  /** Every leaf of a view. */
  *leaves(view: View): Generator<Branch> {
    for (const [first, group] of this.groups)
      for (const [second, inner] of group)
        for (const [key, leaf] of inner) if (leaf[view] > 0) yield { first, second, key, count: leaf[view] };
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
