/**
 * Sessions as bags of events: what a block, a virtual machine or a window of lines consists of. Most logs repeat a few
 * hundred bags many thousand times, so all work is done on distinct ones, each with its number of sessions.
 */

/** A bag: columns in rising order, and how often each event came, at least once. */
export type Bag = {
  readonly key: string;
  readonly columns: Int32Array;
  readonly counts: Int32Array;
};

/** A distinct bag and how many sessions have it. */
export type Kind = { readonly bag: Bag; readonly sessions: number };

/** Numbers events in the order in which they first come. */
export class Columns {
  readonly #index = new Map<string, number>();

  /** Column of an event; a new one for an event not met before. */
  of(event: string): number {
    const known = this.#index.get(event);
    if (known !== undefined) return known;
    this.#index.set(event, this.#index.size);
    return this.#index.size - 1;
  }

  get size(): number {
    return this.#index.size;
  }
}

/** The bag of a session's events with their counts. */
export function bagOf(events: ReadonlyMap<number, number>): Bag {
  const pairs = [...events].sort((a, b) => a[0] - b[0]);
  return {
    key: pairs.map(([column, count]) => `${column}x${count}`).join(" "),
    columns: Int32Array.from(pairs, (p) => p[0]),
    counts: Int32Array.from(pairs, (p) => p[1]),
  };
}

/** The distinct bags with their numbers of sessions, most frequent first, then by key. */
export function kindsOf(bags: readonly Bag[]): Kind[] {
  const seen = new Map<string, { bag: Bag; sessions: number }>();
  for (const bag of bags) {
    const known = seen.get(bag.key);
    if (known === undefined) seen.set(bag.key, { bag, sessions: 1 });
    else known.sessions++;
  }
  return [...seen.values()].sort((a, b) => b.sessions - a.sessions || (a.bag.key < b.bag.key ? -1 : 1));
}

export const sessionsOf = (kinds: readonly Kind[]): number => kinds.reduce((sum, k) => sum + k.sessions, 0);
