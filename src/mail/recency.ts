/** What is kept under a key, and when it was last touched. */
export type Entry<K, V> = {
  readonly key: K;
  readonly value: V;
  at: number;
  older: Entry<K, V> | undefined;
  newer: Entry<K, V> | undefined;
};

/**
 * Values by key, in the order in which they were last touched. Each step takes the same time however many there are: a plain
 * Map kept in order by delete and set has to skip all its holes to find its oldest entry.
 */
export class RecencyMap<K, V> {
  readonly #entries = new Map<K, Entry<K, V>>();
  #oldest: Entry<K, V> | undefined;
  #newest: Entry<K, V> | undefined;

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): Entry<K, V> | undefined {
    return this.#entries.get(key);
  }

  /** Puts a new key last. */
  add(key: K, value: V, at: number): Entry<K, V> {
    const entry = { key, value, at, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
    return entry;
  }

  /** Puts an entry of this map last. */
  touch(entry: Entry<K, V>, at: number): void {
    entry.at = at;
    if (entry === this.#newest) return;
    this.#unlink(entry);
    this.#append(entry);
  }

  delete(entry: Entry<K, V>): void {
    this.#entries.delete(entry.key);
    this.#unlink(entry);
  }

  /** The one longest untouched. */
  oldest(): Entry<K, V> | undefined {
    return this.#oldest;
  }

  /** The one longest untouched, if that was at or before `limit`. */
  idle(limit: number): Entry<K, V> | undefined {
    return this.#oldest !== undefined && this.#oldest.at <= limit ? this.#oldest : undefined;
  }

  /** The one longest untouched first. An entry given out may be deleted meanwhile. */
  *[Symbol.iterator](): Generator<Entry<K, V>> {
    let entry = this.#oldest;
    while (entry !== undefined) {
      const { newer } = entry;
      yield entry;
      entry = newer;
    }
  }

  #append(entry: Entry<K, V>): void {
    entry.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
  }

  #unlink(entry: Entry<K, V>): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = undefined;
    entry.newer = undefined;
  }
}

/** Items in the order in which they were last touched; see RecencyMap. */
export class Recency<T> {
  readonly #items = new RecencyMap<T, undefined>();

  get size(): number {
    return this.#items.size;
  }

  has(item: T): boolean {
    return this.#items.get(item) !== undefined;
  }

  /** Puts an item last, adding it where it is new. */
  touch(item: T, at: number): void {
    const entry = this.#items.get(item);
    if (entry === undefined) this.#items.add(item, undefined, at);
    else this.#items.touch(entry, at);
  }

  /** Whether it was there. */
  delete(item: T): boolean {
    const entry = this.#items.get(item);
    if (entry === undefined) return false;
    this.#items.delete(entry);
    return true;
  }

  /** The item longest untouched. */
  oldest(): T | undefined {
    return this.#items.oldest()?.key;
  }

  /** The item longest untouched, if that was at or before `limit`. */
  idle(limit: number): T | undefined {
    return this.#items.idle(limit)?.key;
  }

  /** All items, the one longest untouched first. An item given out may be deleted meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    for (const { key } of this.#items) yield key;
  }
}

/** Keeps a map at or below a size: when it is larger, its older half goes at once. */
export function trim(map: Map<string, unknown>, size: number): void {
  if (map.size <= size) return;
  let left = map.size - (size >> 1);
  for (const key of map.keys()) {
    if (left-- <= 0) return;
    map.delete(key);
  }
}
