/**
 * Two 32-bit FNV-1a lanes over the UTF-16 units of `text`, as 16 hex digits. Not cryptographic: for names and ids.
 * Source: Fowler, Noll, Vo; draft-eastlake-fnv. The second lane starts from another basis, so the lanes differ.
 */
export function hash64(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x01000193) ^ (b >>> 15);
  }
  return (a >>> 0).toString(16).padStart(8, "0") + (b >>> 0).toString(16).padStart(8, "0");
}
