/** Slots of a table at first, and at most per generation. */
const FIRST_SLOTS = 1 << 12;
const LAST_SLOTS = 1 << 19;
/** Part of the slots in use at which a table grows. */
const LOAD = 0.7;
/** The latest queue ids that are kept in any case. */
export const MAX_IDS: number = Math.ceil(LOAD * LAST_SLOTS);
/** Sizes are kept in 32 bits: a message of 4 GiB or more counts as one byte less than that. */
const LARGEST = 0xffff_ffff;

/** What is known of a queue id, bit by bit. Bits 0 to 3 are of our view, 4 to 7 of pflogsumm's. */
export const RECEIVED = 1;
export const SIZED = 2;
export const DEFERRED = 4;
export const NO_SIZE = 8;
export const VIEW_SHIFT = 4;

/** One generation: open addressing; a slot is found by one hash and told from others by a second of 32 bits. */
class Generation {
  readonly tags: Uint32Array;
  /** Per view the size, or before it is known the number of the client's name. */
  readonly values: readonly [Uint32Array, Uint32Array];
  readonly flags: Uint8Array;
  readonly mask: number;
  used = 0;

  constructor(slots: number) {
    this.tags = new Uint32Array(slots);
    this.values = [new Uint32Array(slots), new Uint32Array(slots)];
    this.flags = new Uint8Array(slots);
    this.mask = slots - 1;
  }

  find(hash: number, tag: number): number {
    let slot = hash & this.mask;
    for (;;) {
      const found = this.tags[slot]!;
      if (found === tag) return slot;
      if (found === 0) return -1;
      slot = (slot + 1) & this.mask;
    }
  }

  insert(hash: number, tag: number): number {
    let slot = hash & this.mask;
    while (this.tags[slot] !== 0) slot = (slot + 1) & this.mask;
    this.tags[slot] = tag;
    this.used++;
    return slot;
  }
}

/**
 * What is remembered of queue ids, by hash, in typed arrays: 13 bytes a slot, 13 MiB at most. pflogsumm keeps every id for ever, so
 * that one which comes again finds the size of its first message; this table keeps at least the latest MAX_IDS.
 * Two ids are taken for one with a chance of about 2^-31 per look-up.
 */
export class MessageIds {
  private now = new Generation(FIRST_SLOTS);
  private before: Generation | undefined;
  private hashes = new Uint32Array(FIRST_SLOTS);
  /** The generation and slot of the last `at`. */
  private held: Generation = this.now;
  private slot = 0;
  /** Ids that were left behind with an old generation. */
  forgotten = 0;

  /** Goes to the id text.slice(start, end), made where missing. */
  at(text: string, start: number, end: number): void {
    let h = 0x811c9dc5;
    let t = 0x1234567;
    for (let i = start; i < end; i++) {
      const c = text.charCodeAt(i);
      h = Math.imul(h ^ c, 0x01000193);
      t = Math.imul(t ^ c, 0x5bd1e995);
      t ^= t >>> 15;
    }
    h ^= h >>> 16;
    h = Math.imul(h, 0x85ebca6b) >>> 0;
    h = (h ^ (h >>> 13)) >>> 0;
    t = t >>> 0 || 1;
    const found = this.now.find(h, t);
    if (found >= 0) {
      this.held = this.now;
      this.slot = found;
      return;
    }
    const old = this.before?.find(h, t) ?? -1;
    if (this.now.used >= LOAD * (this.now.mask + 1)) this.grow();
    const slot = this.now.insert(h, t);
    this.hashes[slot] = h;
    if (old >= 0) {
      this.now.flags[slot] = this.before!.flags[old]!;
      for (const view of [0, 1] as const) this.now.values[view][slot] = this.before!.values[view][old]!;
    }
    this.held = this.now;
    this.slot = slot;
  }

  has(view: 0 | 1, flag: number): boolean {
    return (this.held.flags[this.slot]! & (flag << (view * VIEW_SHIFT))) !== 0;
  }

  set(view: 0 | 1, flag: number): void {
    this.held.flags[this.slot]! |= flag << (view * VIEW_SHIFT);
  }

  clear(view: 0 | 1, flags: number): void {
    this.held.flags[this.slot]! &= ~(flags << (view * VIEW_SHIFT));
  }

  value(view: 0 | 1): number {
    return this.held.values[view][this.slot]!;
  }

  setValue(view: 0 | 1, value: number): void {
    this.held.values[view][this.slot] = Math.min(value, LARGEST);
  }

  private grow(): void {
    const old = this.now;
    const slots = old.mask + 1;
    if (slots >= LAST_SLOTS) {
      this.forgotten += this.before?.used ?? 0;
      this.before = old;
      this.now = new Generation(LAST_SLOTS);
      this.hashes = new Uint32Array(0);
      return;
    }
    const hashes = this.hashes;
    this.now = new Generation(slots * 2);
    this.hashes = new Uint32Array(slots * 2 < LAST_SLOTS ? slots * 2 : 0);
    for (let i = 0; i < slots; i++) {
      if (old.tags[i] === 0) continue;
      const slot = this.now.insert(hashes[i]!, old.tags[i]!);
      this.hashes[slot] = hashes[i]!;
      this.now.flags[slot] = old.flags[i]!;
      for (const view of [0, 1] as const) this.now.values[view][slot] = old.values[view][i]!;
    }
  }
}

/** The lowest two bits of a slot say which views saw its string. */
const VIEWS = 4;

/**
 * Distinct strings of two views counted by a hash of 51 bits, with the views that saw each in the two lowest bits of its slot:
 * 8 bytes a slot, 2 MiB at most. It has no slots before the first string comes.
 */
export class Distinct {
  private slots = new Float64Array(0);
  private readonly limit: number;
  private readonly sizes: [number, number] = [0, 0];
  private used = 0;
  /** Strings that came when the set was full; some of them may be the same. */
  over = 0;

  /** limit: strings told apart at most. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Distinct strings of a view. */
  size(view: 0 | 1): number {
    return this.sizes[view];
  }

  add(view: 0 | 1, text: string): void {
    let h = 0x811c9dc5;
    let t = 0x1234567;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      h = Math.imul(h ^ c, 0x01000193);
      t = Math.imul(t ^ c, 0x5bd1e995);
      t ^= t >>> 15;
    }
    const key = ((h >>> 0) * 0x80000 + (t >>> 13) || 1) * VIEWS;
    if (this.slots.length === 0) this.slots = new Float64Array(1 << 10);
    const slot = this.find(this.slots, key);
    const held = this.slots[slot]!;
    const fresh = held === 0;
    if (fresh && this.used >= this.limit) {
      this.over++;
      return;
    }
    const seen = fresh ? 0 : held - key;
    if ((seen & (1 << view)) !== 0) return;
    this.slots[slot] = key + seen + (1 << view);
    this.sizes[view]++;
    if (fresh && ++this.used > LOAD * this.slots.length) this.grow();
  }

  /** The slot of a key, or the free one where it would stand. */
  private find(slots: Float64Array, key: number): number {
    const mask = slots.length - 1;
    let slot = ((key / VIEWS) ^ (key / 0x200000)) & mask;
    while (slots[slot] !== 0 && Math.floor(slots[slot]! / VIEWS) * VIEWS !== key) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const wider = new Float64Array(this.slots.length * 2);
    for (const held of this.slots)
      if (held !== 0) wider[this.find(wider, Math.floor(held / VIEWS) * VIEWS)] = held;
    this.slots = wider;
  }
}
