/** How a place in one file is found again in another: by whole lines near the file's head, looked up by a hash. */

/** Bytes at a line's head that its hash covers: time, host, tag and the message's first words. */
const HASHED = 64;
/** Lines that make an anchor, and the bytes they are cut at. */
const ANCHOR_LINES = 3;
const ANCHOR_CAP = 4096;
/** Lines looked at for a line that differs from the one before it. */
const SEARCHED_LINES = 4096;

const LF = 10;

/** Some whole lines of a file, and the byte at which they stand. */
export type Anchor = { readonly at: number; readonly bytes: Uint8Array };

/**
 * The anchor of a file with this head. It begins at the first line that differs from the one before: inside a run of
 * equal lines it would fit at many places, and the first line may have been cut at its head. undefined without a whole line,
 * or after a hole of NULs, whose size the head doesn't tell.
 */
export function anchorOf(head: Uint8Array): Anchor | undefined {
  if (head[0] === 0) return undefined;
  const starts = [0];
  let chosen = -1;
  for (let i = 0; i < SEARCHED_LINES; i++) {
    const end = head.indexOf(LF, starts.at(-1)!);
    if (end < 0) break;
    starts.push(end + 1);
    if (chosen < 0 && i > 0 && differs(head, starts[i - 1]!, starts[i]!, end + 1)) chosen = i;
    if (chosen >= 0 && i >= chosen + ANCHOR_LINES - 1) break;
  }
  if (starts.length === 1) return undefined;
  const first = Math.max(0, chosen);
  const at = starts[first]!;
  const end = starts[Math.min(first + ANCHOR_LINES, starts.length - 1)]!;
  return { at, bytes: head.slice(at, Math.min(end, at + ANCHOR_CAP)) };
}

const differs = (head: Uint8Array, a: number, b: number, end: number): boolean =>
  Buffer.compare(head.subarray(a, b), head.subarray(b, end)) !== 0;

/** FNV-1a of a line's head, 32 bits. */
function hashLine(bytes: Uint8Array, at: number): number {
  const end = Math.min(bytes.length, at + HASHED);
  let hash = 0x811c9dc5;
  for (let i = at; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === LF) break;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash;
}

/** Finds the anchors of other files at the line starts of one file, in one pass over its bytes. */
export class AnchorScan<T> {
  private readonly table = new Map<number, { readonly anchor: Anchor; readonly of: T }[]>();
  private readonly onHit: (of: T, start: number) => void;
  /** What was not looked at yet, and the offset of its first byte in the file. */
  private rest: Uint8Array = new Uint8Array(0);
  private offset: number;
  private inLine: boolean;

  /**
   * offset: where in the file the bytes begin. onHit: called with each place at which a file, going by its anchor, would
   * begin; negative before this file's first byte.
   */
  constructor(
    anchors: readonly { readonly anchor: Anchor; readonly of: T }[],
    offset: number,
    onHit: (of: T, start: number) => void,
  ) {
    for (const entry of anchors) {
      const key = hashLine(entry.anchor.bytes, 0);
      const same = this.table.get(key);
      if (same === undefined) this.table.set(key, [entry]);
      else same.push(entry);
    }
    this.offset = offset;
    this.inLine = offset > 0;
    this.onHit = onHit;
  }

  push(chunk: Uint8Array): void {
    this.scan(this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]), ANCHOR_CAP);
  }

  end(): void {
    this.scan(this.rest, 0);
  }

  /** Looks at the lines that begin before the last `margin` bytes: an anchor of theirs is there as a whole. */
  private scan(bytes: Uint8Array, margin: number): void {
    let at = 0;
    for (;;) {
      if (this.inLine) {
        const end = bytes.indexOf(LF, at);
        at = end < 0 ? bytes.length : end + 1;
        if (end < 0) break;
        this.inLine = false;
      }
      if (at >= bytes.length - margin) break;
      this.look(bytes, at);
      this.inLine = true;
    }
    this.rest = bytes.slice(at);
    this.offset += at;
  }

  private look(bytes: Uint8Array, at: number): void {
    const entries = this.table.get(hashLine(bytes, at));
    if (entries === undefined) return;
    for (const { anchor, of } of entries) {
      const there = bytes.subarray(at, at + anchor.bytes.length);
      if (Buffer.compare(there, anchor.bytes) === 0) this.onHit(of, this.offset + at - anchor.at);
    }
  }
}
