/** What is worked out once for each key, then looked up. Forgets all when it is full; only speed depends on it. */
export class Memo<V> {
  readonly #known = new Map<string, V>();
  readonly #limit: number;
  readonly #make: (key: string) => V;

  /** make: must depend on the key alone. */
  constructor(limit: number, make: (key: string) => V) {
    this.#limit = limit;
    this.#make = make;
  }

  of(key: string): V {
    const known = this.#known.get(key);
    if (known !== undefined || this.#known.has(key)) return known as V;
    if (this.#known.size >= this.#limit) this.#known.clear();
    const made = this.#make(key);
    this.#known.set(key, made);
    return made;
  }
}
