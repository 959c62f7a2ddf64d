import type { Stamp } from "../log/stamp.ts";
import type { Anchor } from "./anchor.ts";

/** Bytes at a file's head and tail in which another one's beginning is looked for first. */
export const WINDOW: number = 256 * 1024;

const LF = 10;

/** A file that may overlap with others. */
export type Piece = {
  readonly file: string;
  /** Pipes can't be read twice, and a journal has no bytes in common with files: they are left alone. */
  readonly kind: "file" | "pipe" | "journal";
  readonly first: Stamp | undefined;
  readonly anchor: Anchor | undefined;
  /** undefined when it is not known without reading. */
  readonly size: () => number | undefined;
  readonly bytes: (from?: number) => AsyncIterable<Uint8Array>;
};

/** What the end of a file tells. lastLine: where an unfinished last line begins, else the size. */
export type Ending = { readonly size: number; readonly lastLine: number };

/** The last bytes of a file, and where they end. */
export async function tailOf(piece: Piece): Promise<{ tail: Uint8Array; ending: Ending }> {
  let from = Math.max(0, (piece.size() ?? 0) - WINDOW);
  let kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of piece.bytes(from)) {
    kept.push(chunk);
    length += chunk.length;
    while (length - kept[0]!.length >= WINDOW) {
      length -= kept[0]!.length;
      from += kept[0]!.length;
      kept = kept.slice(1);
    }
  }
  const tail = Buffer.concat(kept);
  const size = from + tail.length;
  return { tail, ending: { size, lastLine: from + tail.lastIndexOf(LF) + 1 } };
}

/** The first bytes of a file. */
export async function headOf(piece: Piece): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of piece.bytes()) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= WINDOW) break;
  }
  return Buffer.concat(parts);
}

/** Lines of a file that begin within a range of its bytes which starts at a line. */
export async function countLines(piece: Pick<Piece, "bytes">, from: number, to: number): Promise<number> {
  let lines = 0;
  let left = to - from;
  let last = LF;
  for await (const chunk of piece.bytes(from)) {
    const part = chunk.subarray(0, left);
    for (let at = part.indexOf(LF); at >= 0; at = part.indexOf(LF, at + 1)) lines++;
    if (part.length > 0) last = part.at(-1)!;
    left -= part.length;
    if (left === 0) break;
  }
  return last === LF ? lines : lines + 1;
}
