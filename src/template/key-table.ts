/** Slots looked at for a key; when all are taken the first is overwritten. Bounds the work, whatever the keys are. */
const PROBES = 8;

/**
 * What is known of message keys. Fixed in size: under a flood of new keys old entries are overwritten and found out
 * anew when they come again, so the values must depend on the key alone.
 */
export class KeyTable<T> {
  private readonly lows: Int32Array;
  private readonly highs: Int32Array;
  private readonly values: (T | undefined)[];
  private readonly mask: number;

  /** size: entries at most, a power of two. */
  constructor(size: number) {
    this.lows = new Int32Array(size);
    this.highs = new Int32Array(size);
    this.values = new Array<T | undefined>(size).fill(undefined);
    this.mask = size - 1;
  }

  /** The value of a key of two 32-bit integers, or undefined. */
  get(low: number, high: number): T | undefined {
    for (let i = 0; i < PROBES; i++) {
      const slot = (low + i) & this.mask;
      const value = this.values[slot];
      if (value === undefined) return undefined;
      if (this.lows[slot] === low && this.highs[slot] === high) return value;
    }
    return undefined;
  }

  /** Keeps a value that get() did not find. Returns the one that it had to overwrite. */
  set(low: number, high: number, value: T): T | undefined {
    let slot = low & this.mask;
    for (let i = 0; i < PROBES; i++) {
      const free = (low + i) & this.mask;
      if (this.values[free] !== undefined) continue;
      slot = free;
      break;
    }
    const before = this.values[slot];
    this.lows[slot] = low;
    this.highs[slot] = high;
    this.values[slot] = value;
    return before;
  }
}
