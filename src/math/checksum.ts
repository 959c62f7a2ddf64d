const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME_LOW = 0x1b3;
/** The prime is 2^40 + 0x1b3; shifting the low word by 40 lands it in the high word, 8 bits up. */
const PRIME_SHIFT = 8;

/**
 * 64-bit FNV-1a of `bytes`, as its low and high 32-bit words. Finds accidents (a cut or flipped byte), not intent.
 * Source: Fowler, Noll, Vo; draft-eastlake-fnv.
 */
export function fnv64(bytes: Uint8Array): { low: number; high: number } {
  let low = Number(OFFSET_BASIS & 0xffffffffn);
  let high = Number(OFFSET_BASIS >> 32n);
  for (let i = 0; i < bytes.length; i++) {
    low = (low ^ bytes[i]) >>> 0;
    const product = low * PRIME_LOW; // below 2^41, exact in a double
    const carry = Math.floor(product / 0x1_0000_0000);
    high = (Math.imul(high, PRIME_LOW) + carry + (low << PRIME_SHIFT)) >>> 0;
    low = product >>> 0;
  }
  return { low, high };
}
