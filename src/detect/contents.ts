import type { Contents } from "../feature/transaction.ts";

/** Contents that are kept once for all transactions that have them: most mail goes one of a few ways. */
const MAX_ALIKE = 4096;

const PLACES = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

/** Shape -> its place among a model's columns; made once for each model, since rows are made in every slot. */
export function placesByShape(columns: readonly string[]): ReadonlyMap<string, number> {
  const known = PLACES.get(columns) ?? new Map(columns.map((shape, j) => [shape, j]));
  PLACES.set(columns, known);
  return known;
}

/** Keeps equal contents once. */
export class SharedContents {
  readonly #alike = new Map<string, Contents>();

  of(contents: Contents): Contents {
    const key = contents.join(" ");
    const known = this.#alike.get(key);
    if (known === undefined && this.#alike.size < MAX_ALIKE) this.#alike.set(key, contents);
    return known ?? contents;
  }
}

/** Puts joined shapes in the place of their members; contents that are one object stay one. groups: of joined shapes. */
export function joiner(groups: ReadonlyMap<string, string>): (contents: Contents) => Contents {
  if (groups.size === 0) return (contents) => contents;
  const joined = new Map<Contents, Contents>();
  return (contents) => {
    const known = joined.get(contents) ?? contents.map((x) => groups.get(x as string) ?? x);
    joined.set(contents, known);
    return known;
  };
}
