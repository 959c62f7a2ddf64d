/** Sets of bounded size, saved with the state of what watches. */

/** A set that forgets its oldest members. */
export class BoundedSet {
  #members = new Set<string>();
  /** Members that came in doubtful time alone. */
  readonly #doubtful = new Set<string>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Oldest first. */
  get members(): string[] {
    return [...this.#members];
  }

  has(member: string): boolean {
    return this.#members.has(member);
  }

  save(): Set<string> {
    return this.#members;
  }

  load(members: Set<string>): void {
    this.#members = members;
  }

  delete(member: string): void {
    this.#members.delete(member);
  }

  forgetDoubtful(): void {
    for (const member of this.#doubtful) this.#members.delete(member);
    this.#doubtful.clear();
  }

  /** True when the member is new, also to time without doubt. */
  add(member: string, doubtful = false): boolean {
    if (this.#members.has(member)) return !doubtful && this.#doubtful.delete(member);
    this.#members.add(member);
    if (doubtful) this.#doubtful.add(member);
    if (this.#members.size > this.#limit) {
      const oldest = this.#members.values().next().value!;
      this.#members.delete(oldest);
      this.#doubtful.delete(oldest);
    }
    return true;
  }
}

export type SavedAging = { readonly young: Set<string>; readonly old: Set<string>; readonly since: number };

/** A set in two generations: a member is known for at least `keepMs`, or until there are as many younger ones as half of the limit. */
export class AgingSet {
  readonly #keepMs: number;
  readonly #limit: number;
  #young = new Set<string>();
  #old = new Set<string>();
  /** When the young generation began, in ms. */
  #since = Number.NEGATIVE_INFINITY;

  constructor(keepMs: number, limit: number) {
    this.#keepMs = keepMs;
    this.#limit = limit;
  }

  save(): SavedAging {
    return { young: this.#young, old: this.#old, since: this.#since };
  }

  load({ young, old, since }: SavedAging): void {
    this.#young = young;
    this.#old = old;
    this.#since = since;
  }

  /** True when the member is new. time: log time, in ms. */
  add(member: string, time: number): boolean {
    if (this.#young.has(member) || this.#old.has(member)) return false;
    if (time - this.#since > this.#keepMs || this.#young.size >= this.#limit / 2) {
      this.#old = this.#young;
      this.#young = new Set();
      this.#since = time;
    }
    this.#young.add(member);
    return true;
  }
}
