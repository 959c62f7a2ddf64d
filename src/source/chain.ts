import { countLines, type Ending, type Piece, tailOf } from "./piece.ts";
import type { Skip } from "./skip.ts";

/** Lines of a file that are left out, since `same` holds them. */
export type Repeated<T> = { readonly piece: T; readonly same: T; readonly lines: number };

export type Overlaps<T> = {
  /** The files that are read, in order. */
  readonly kept: readonly T[];
  readonly skips: ReadonlyMap<T, readonly Skip[]>;
  readonly repeated: readonly Repeated<T>[];
};

type Chain<T> = { readonly members: Map<T, number> };
type Span<T> = { readonly piece: T; readonly start: number; readonly end: number; readonly lastLine: number };

/**
 * Files as stretches of one text. A match says where one file begins within another; files that hang together by matches are
 * a chain, in which each has a start. What the stretches before it cover is left out of a file.
 */
export class Chains<T extends Piece> {
  readonly endings: Map<T, Ending> = new Map();
  private readonly chainOf = new Map<T, Chain<T>>();
  private readonly pieces: readonly T[];

  constructor(pieces: readonly T[]) {
    this.pieces = pieces;
    for (const piece of pieces) this.chainOf.set(piece, { members: new Map([[piece, 0]]) });
  }

  joined(a: T, b: T): boolean {
    return this.chainOf.get(a) === this.chainOf.get(b);
  }

  /** `other` begins at byte `start` of `within`. */
  join(within: T, start: number, other: T): void {
    const into = this.chainOf.get(within)!;
    const from = this.chainOf.get(other)!;
    if (into === from) return;
    const shift = into.members.get(within)! + start - from.members.get(other)!;
    for (const [piece, at] of from.members) {
      into.members.set(piece, at + shift);
      this.chainOf.set(piece, into);
    }
  }

  /** Says for each file what of it is read, and orders the files of a chain by their starts. */
  async settle(): Promise<Overlaps<T>> {
    const order = [...this.pieces];
    const skips = new Map<T, Skip[]>();
    const repeated: Repeated<T>[] = [];
    for (const chain of new Set(this.chainOf.values())) {
      if (chain.members.size === 1) continue;
      const spans = await this.spansOf(chain);
      const slots = order.flatMap((piece, i) => (chain.members.has(piece) ? [i] : []));
      for (const [i, slot] of slots.entries()) order[slot] = spans[i]!.piece;
      await sweep(spans, skips, repeated);
    }
    const whole = new Set(repeated.filter(({ piece }) => !skips.has(piece)).map(({ piece }) => piece));
    return { kept: order.filter((piece) => !whole.has(piece)), skips, repeated };
  }

  /** The stretches of a chain by their starts; of those that begin together the longest first. */
  private async spansOf(chain: Chain<T>): Promise<Span<T>[]> {
    const spans: Span<T>[] = [];
    for (const piece of this.pieces) {
      const start = chain.members.get(piece);
      if (start === undefined) continue;
      const { size, lastLine } = this.endings.get(piece) ?? (await tailOf(piece)).ending;
      spans.push({ piece, start, end: start + size, lastLine: start + lastLine });
    }
    return spans.sort((a, b) => a.start - b.start || b.end - a.end);
  }
}

/** Goes through the stretches in order and leaves out what is covered already. */
async function sweep<T extends Piece>(
  spans: readonly Span<T>[],
  skips: Map<T, Skip[]>,
  repeated: Repeated<T>[],
): Promise<void> {
  let covered = spans[0]!.start;
  let by = spans[0]!.piece;
  for (const { piece, start, end, lastLine } of spans) {
    // An unfinished last line that another file has in full is read there.
    const fuller = lastLine < end ? spans.find((s) => s.start <= lastLine && s.end > end) : undefined;
    const until = fuller === undefined ? end : lastLine;
    if (until <= covered) {
      repeated.push({
        piece,
        same: end <= covered ? by : fuller!.piece,
        lines: await countLines(piece, 0, end - start),
      });
      continue;
    }
    const own: Skip[] = [];
    if (covered > start) {
      const to = covered - start;
      own.push({ from: 0, to, lines: await countLines(piece, 0, to) });
      repeated.push({ piece, same: by, lines: own[0]!.lines });
    }
    if (fuller !== undefined) {
      own.push({ from: until - start, to: end - start, lines: 1 });
      repeated.push({ piece, same: fuller.piece, lines: 1 });
    }
    if (own.length > 0) skips.set(piece, own);
    covered = until;
    by = piece;
  }
}
