import { createHash } from "node:crypto";
import type { LineBatch } from "../log/lines.ts";

/** How far a source was read: JSON, to be committed with the effects of the lines before it. */
export type Position = FilePosition | JournalPosition | SpoolPosition;

/** Some bytes of a file, known again by their hash (SHA-256, hexadecimal). */
export type Print = { readonly bytes: number; readonly sha256: string };

/**
 * A place in one file of a source. Rotation gives the file another name, copies it elsewhere or compresses it: what it is
 * known by is its head and the bytes before the place; device and inode tell files with too short a head apart.
 */
export type FilePosition = {
  readonly kind: "file";
  readonly dev: number;
  readonly ino: number;
  /** Of the file's first bytes, HEAD_KEPT at most. */
  readonly head: Print;
  /** Of the last bytes before `offset`, TAIL_KEPT at most. */
  readonly tail: Print;
  /** Bytes after the last line that was read; of a compressed file decompressed ones. */
  readonly offset: number;
  /** Lines read of this file. */
  readonly line: number;
  /** Head of the file that was rotated away before this one; null when there was none. */
  readonly before: Print | null;
  /** The system's time when it was read, milliseconds since the Unix epoch. */
  readonly at: number;
};

/** After the entry with this cursor; "" is before the first one. line: entries read. */
export type JournalPosition = { readonly kind: "journal"; readonly cursor: string; readonly line: number };

/** A place in the spool of a listener. line: lines read of it. */
export type SpoolPosition = {
  readonly kind: "spool";
  readonly segment: number;
  readonly offset: number;
  readonly line: number;
};

/** Consecutive lines of one source. They lie between the two positions. */
export type Run = {
  /** `file:` and a path, `journal:`, or `listen:` and what is listened at. */
  readonly source: string;
  /** As cited in alerts. */
  readonly file: string;
  /** Valid until the next run is asked for. */
  readonly lines: LineBatch;
  readonly from: Position;
  readonly to: Position;
};

/** Whether two places lie in one file. A copy or a packed file is the one that it was made of. */
export function isSameFile(a: FilePosition, b: FilePosition): boolean {
  if (a.head.bytes > 0 && a.head.bytes === b.head.bytes) return a.head.sha256 === b.head.sha256;
  return a.dev === b.dev && a.ino === b.ino;
}

/** Whether lines up to `a` and lines from `b` to `c` may be read again as one run: a run lies in one file, or segment. */
export function continues(a: Position, b: Position, c: Position): boolean {
  if (a.kind === "file" && b.kind === "file" && c.kind === "file")
    return a.dev === b.dev && a.ino === b.ino && a.offset === b.offset && b.ino === c.ino;
  if (a.kind === "spool" && b.kind === "spool" && c.kind === "spool")
    return a.segment === b.segment && b.segment === c.segment;
  return a.kind === "journal" && b.kind === "journal";
}

/** Bytes of a file's head that it is known by. */
export const HEAD_KEPT = 1024;
/** Bytes before a position: two lines or so, with times and ids of their own. */
export const TAIL_KEPT = 256;

export const printOf = (bytes: Uint8Array): Print => ({
  bytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});

/** Whether bytes are those that a print was made of. */
export const fits = (bytes: Uint8Array, print: Print): boolean =>
  bytes.length === print.bytes && printOf(bytes).sha256 === print.sha256;

/** The source that follows a path. */
export const fileSourceId = (path: string): string => `file:${path}`;
