/** Names longer than this many bytes are not kept: see Interned. */
const MAX_LENGTH = 128;
/** Slots looked at before the table counts as full for a name. */
const PROBES = 8;

/** Short byte strings that recur on every line (hosts, programs), each with one string and one number. */
export type Interned = {
  readonly text: string;
  /** 1, 2, 3 ... in order of first sight. */
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly hash: number;
};

/**
 * Finds the string of a few bytes without making it anew each time. Bounded: a name that is too long or finds no room
 * (a hostile log may hold any number) gets undefined, and the caller decodes it himself.
 */
export class Interner {
  private readonly slots: (Interned | undefined)[];
  private readonly mask: number;
  private count = 0;
  private last: Interned | undefined;

  /** size: slots of the table, a power of two. Half of them are used at most. */
  constructor(size: number) {
    this.mask = size - 1;
    this.slots = new Array<Interned | undefined>(size).fill(undefined);
  }

  /** The entry of bytes[start, end), ASCII. */
  of(bytes: Buffer, start: number, end: number): Interned | undefined {
    const last = this.last;
    if (last !== undefined && same(last.bytes, bytes, start, end)) return last;
    if (end - start > MAX_LENGTH) return undefined;
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    return this.find(hash ^ (hash >>> 15), bytes, start, end);
  }

  private find(hash: number, bytes: Buffer, start: number, end: number): Interned | undefined {
    for (let i = 0; i < PROBES; i++) {
      const slot = (hash + i) & this.mask;
      const entry = this.slots[slot];
      if (entry === undefined) {
        if (2 * this.count > this.mask) return undefined;
        const made = {
          text: bytes.toString("latin1", start, end),
          id: ++this.count,
          bytes: Uint8Array.from(bytes.subarray(start, end)),
          hash,
        };
        this.slots[slot] = made;
        this.last = made;
        return made;
      }
      if (entry.hash === hash && same(entry.bytes, bytes, start, end)) {
        this.last = entry;
        return entry;
      }
    }
    return undefined;
  }
}

function same(known: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
