import type { Stamp } from "../log/stamp.ts";
import { AnchorScan } from "./anchor.ts";
import { Chains, type Overlaps } from "./chain.ts";
import { type Extent, isSameText, JUDGED, latestStamp, mayLieBetween } from "./evidence.ts";
import { headOf, type Piece, tailOf, WINDOW } from "./piece.ts";

/** Lines at the head of the tail window whose times tell where it begins. */
const EDGE_LINES = 16;
/** Places tried for one pair of files: more fit only in files of a few lines over and over. */
const MAX_PLACES = 16;

/**
 * Finds files that hold bytes of one another: copies, a file and what it has grown to, rotated files of which one
 * ends as the next begins, extracts. Found by matching byte ranges of the decompressed text, verified to the last byte, and
 * judged by isSameText; never by single equal lines.
 *
 * A file's beginning is looked for where its first time lies within another file's times. For files one after the other that
 * costs a look at each tail (for compressed ones, inflating it once). Where times do overlap, each such file is read once more,
 * whatever number of others is looked for in it, and each match twice. pieces: in the order of their first times.
 */
export async function findOverlaps<T extends Piece>(pieces: readonly T[]): Promise<Overlaps<T>> {
  const chains = new Chains<T>(pieces);
  for (const piece of pieces) {
    if (piece.kind !== "file") continue;
    try {
      await search(piece, pieces, chains);
    } catch {
      // what can't be read to its end overlaps with nothing; reading it meets the same error, with the place
    }
  }
  return chains.settle();
}

async function search<T extends Piece>(within: T, pieces: readonly T[], chains: Chains<T>): Promise<void> {
  const others = pieces.filter(
    (p) => p !== within && p.kind === "file" && p.anchor !== undefined && isLike(within, p),
  );
  if (others.length === 0) return;
  const { tail, ending } = await tailOf(within);
  chains.endings.set(within, ending);
  const tailFrom = ending.size - tail.length;
  const edge = within.first && latestStamp(tail, EDGE_LINES, within.first);
  const latest = within.first && latestStamp(tail, Number.POSITIVE_INFINITY, within.first);
  const suspects = others.filter((p) => timesMayMeet(within, p, latest));
  if (suspects.length === 0) return;
  const windows = tailFrom > 0 ? [{ at: 0, bytes: await headOf(within) }] : [];
  windows.push({ at: tailFrom, bytes: tail });
  const places = new Places(suspects);
  for (const { at, bytes } of windows) {
    const scan = places.scan(suspects, at);
    scan.push(bytes);
    scan.end();
  }
  const left = await verified(within, suspects, places, chains);
  const inside = left.filter((p) => timesMayMeet(within, p, edge));
  if (inside.length === 0 || tailFrom <= WINDOW) return;
  const all = new Places(inside);
  const scan = all.scan(inside, 0);
  for await (const chunk of within.bytes()) scan.push(chunk);
  scan.end();
  await verified(within, inside, all, chains);
}

/** Whether lines of both have times, or of neither. */
const isLike = (a: Piece, b: Piece): boolean => (a.first === undefined) === (b.first === undefined);

function timesMayMeet(within: Piece, other: Piece, latest: Stamp | undefined): boolean {
  if (within.first === undefined || other.first === undefined || latest === undefined) return true;
  return mayLieBetween(within.first, other.first, latest);
}

/** Where files may begin within another one, going by their anchors. */
class Places<T extends Piece> {
  private readonly found = new Map<T, Set<number>>();

  constructor(pieces: readonly T[]) {
    for (const piece of pieces) this.found.set(piece, new Set());
  }

  scan(pieces: readonly T[], offset: number): AnchorScan<T> {
    const anchors = pieces.map((of) => ({ anchor: of.anchor!, of }));
    return new AnchorScan<T>(anchors, offset, (of, start) => {
      const starts = this.found.get(of)!;
      if (start >= 0 && starts.size < MAX_PLACES) starts.add(start);
    });
  }

  of(piece: T): number[] {
    return [...this.found.get(piece)!].sort((a, b) => a - b);
  }
}

/** Tries the places of each file; gives the files for which none holds. The first that holds is the longest overlap. */
async function verified<T extends Piece>(
  within: T,
  others: readonly T[],
  places: Places<T>,
  chains: Chains<T>,
): Promise<T[]> {
  const left: T[] = [];
  for (const other of others) {
    if (chains.joined(within, other)) continue;
    let found = false;
    for (const start of places.of(other)) {
      if (!(await holds(within, start, other))) continue;
      chains.join(within, start, other);
      found = true;
      break;
    }
    if (!found) left.push(other);
  }
  return left;
}

/** Whether all bytes of `within` from `start` on are those of `other`, as far as both go, and enough to be the same text. */
async function holds(within: Piece, start: number, other: Piece): Promise<boolean> {
  const a = within.bytes(start)[Symbol.asyncIterator]();
  const b = other.bytes()[Symbol.asyncIterator]();
  const judged: Uint8Array[] = [];
  let length = 0;
  let left: Uint8Array = new Uint8Array(0);
  let right: Uint8Array = new Uint8Array(0);
  try {
    for (;;) {
      if (left.length === 0) left = (await a.next()).value ?? left;
      if (right.length === 0) right = (await b.next()).value ?? right;
      const n = Math.min(left.length, right.length);
      if (n === 0) break;
      if (Buffer.compare(left.subarray(0, n), right.subarray(0, n)) !== 0) return false;
      if (length < JUDGED) judged.push(left.subarray(0, Math.min(n, JUDGED - length)));
      length += n;
      left = left.subarray(n);
      right = right.subarray(n);
    }
  } finally {
    await a.return?.();
    await b.return?.();
  }
  const whole = (right.length === 0 ? 1 : 0) + (left.length === 0 && start === 0 ? 1 : 0);
  const extent: Extent = whole === 2 ? "both files" : whole === 1 ? "one whole file" : "part";
  return isSameText(Buffer.concat(judged), extent);
}
