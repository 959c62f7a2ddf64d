/** Letters of a block of a colliding word: short ones don't collide. */
const BLOCK = 8;

/** One FNV-1a step a byte, 32 bits; source: Fowler, Noll, Vo, "FNV hash" (RFC 9923). */
function fnv1a(state: number, text: string): number {
  let hash = state;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

/** The n-th word of BLOCK letters, all of which change from one to the next (a linear congruential generator). */
function word(n: number): string {
  let out = "";
  for (let i = 0, state = n; i < BLOCK; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out += String.fromCharCode(97 + ((state >>> 16) % 26));
  }
  return out;
}

/**
 * 2^blocks words of plain letters with one 32-bit FNV-1a hash. A block is a pair of texts that lead from one state to the
 * same next state, found by trying words until two collide (about 2^16 of them); every choice of one of each pair
 * collides. Source: Joux, "Multicollisions in iterated hash functions" (2004).
 */
export function collidingWords(blocks: number): string[] {
  let state = 0x811c9dc5 | 0;
  let words = [""];
  for (let block = 0; block < blocks; block++) {
    const seen = new Map<number, string>();
    for (let n = 0; ; n++) {
      const text = word(n);
      const next = fnv1a(state, text);
      const twin = seen.get(next);
      seen.set(next, text);
      if (twin === undefined) continue;
      words = words.flatMap((begun) => [begun + twin, begun + text]);
      state = next;
      break;
    }
  }
  return words;
}
