type Node<T> = {
  readonly item: T;
  at: number;
  older: Node<T> | undefined;
  newer: Node<T> | undefined;
};

/**
 * Items in the order in which they were last touched. Each step takes the same time however many there are: a plain
 * Map kept in order by delete and set has to skip all its holes to find its oldest entry.
 */
export class Recency<T> {
  readonly #nodes = new Map<T, Node<T>>();
  #oldest: Node<T> | undefined;
  #newest: Node<T> | undefined;

  get size(): number {
    return this.#nodes.size;
  }

  has(item: T): boolean {
    return this.#nodes.has(item);
  }

  /** When an item was last touched. */
  at(item: T): number | undefined {
    return this.#nodes.get(item)?.at;
  }

  /** Puts an item last, adding it where it is new. */
  touch(item: T, at: number): void {
    let node = this.#nodes.get(item);
    if (node === undefined) {
      node = { item, at, older: undefined, newer: undefined };
      this.#nodes.set(item, node);
    } else {
      node.at = at;
      if (node === this.#newest) return;
      this.#unlink(node);
    }
    node.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = node;
    this.#newest = node;
    this.#oldest ??= node;
  }

  /** Whether it was there. */
  delete(item: T): boolean {
    const node = this.#nodes.get(item);
    if (node === undefined) return false;
    this.#nodes.delete(item);
    this.#unlink(node);
    return true;
  }

  /** The item longest untouched. */
  oldest(): T | undefined {
    return this.#oldest?.item;
  }

  /** The item longest untouched, if that was at or before `limit`. */
  idle(limit: number): T | undefined {
    return this.#oldest !== undefined && this.#oldest.at <= limit ? this.#oldest.item : undefined;
  }

  /** All items, the one longest untouched first. An item given out may be deleted meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    let node = this.#oldest;
    while (node !== undefined) {
      const { newer } = node;
      yield node.item;
      node = newer;
    }
  }

  #unlink(node: Node<T>): void {
    if (node.older === undefined) this.#oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === undefined) this.#newest = node.older;
    else node.newer.older = node.older;
    node.older = undefined;
    node.newer = undefined;
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
