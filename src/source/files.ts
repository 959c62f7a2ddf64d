import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { readLineStamp } from "../log/envelope.ts";
import { type LineBatch, LineCutter } from "../log/lines.ts";
import { newStamp, type Stamp } from "../log/stamp.ts";
import { YearCounter } from "../log/year.ts";
import type { Zone } from "../log/zone.ts";
import { BrokenData, openBytes } from "./bytes.ts";
import { expandArguments, type Named } from "./expand.ts";
import { binaryFault, brokenFault, emptyFault, readFault } from "./fault.ts";
import { inOrderOfTime } from "./order.ts";

/** Decompressed bytes looked at to find a file's first time, and whether it is text. */
const HEAD_BYTES = 256 * 1024;
/** A hole of NULs (copytruncate) at a file's head is skipped up to this size to find the first line. */
const MAX_HOLE = 1 << 30;
/** Share of control characters in a head from which on it is no text. */
const BINARY_SHARE = 0.05;

/** One file to read, once. */
export type Input = {
  /** As the user named it; for a folder or glob the joined path; "-" for standard input. */
  readonly file: string;
  /** The first time that the file's head holds; undefined when there is none. */
  readonly first: Stamp | undefined;
  /** The decompressed bytes. For "-" this works once. */
  readonly bytes: () => AsyncIterable<Uint8Array>;
  /** The bytes looked at already, all there is to see of standard input before it is read. */
  readonly head: Uint8Array;
};

/** A file left out since another one holds the same bytes. */
export type Duplicate = { readonly file: string; readonly same: string; readonly lines: number };

export type Inputs = {
  /** In the order of their first times. */
  readonly inputs: readonly Input[];
  readonly duplicates: readonly Duplicate[];
};

/** Lines of one file, in order; valid until the next batch is taken. */
export type FileBatch = { readonly file: string; readonly lines: LineBatch };

export type OpenOptions = { readonly stdin?: AsyncIterable<Uint8Array> };

/**
 * Opens FILE arguments: files (plain or compressed, by their first bytes), globs, folders and "-". Files come in the
 * order of the first time in each, whatever the order of arguments, names or modification times; a file without one
 * comes last. A file given twice or with the same bytes as another is left out and its lines are counted.
 * Throws a Fault for what is missing, unreadable, empty or no text.
 */
export async function openInputs(args: readonly string[], options: OpenOptions = {}): Promise<Inputs> {
  const named = expandArguments(args);
  const opened: Input[] = [];
  const files = new Map<string, string>(); // device and inode -> path
  const repeated: [Input, Input][] = [];
  for (const name of named) {
    const key = fileKey(name.path);
    const known = opened.find((input) => input.file === files.get(key));
    if (known !== undefined) {
      if (name.path !== "-") repeated.push([{ ...known, file: name.path }, known]);
      continue;
    }
    const input = await openOne(name, options.stdin);
    if (input === undefined) continue;
    files.set(key, name.path);
    opened.push(input);
  }
  if (opened.length === 0) throw emptyFault(named[0]?.path ?? "");
  const { unique, copies } = await withoutCopies(inOrderOfTime(opened));
  const duplicates: Duplicate[] = [];
  for (const [input, same] of [...repeated, ...copies])
    duplicates.push({ file: input.file, same: same.file, lines: (await digest(input)).lines });
  return { inputs: unique, duplicates };
}

/** All lines, file after file. A damaged file gives its lines up to the damage, then the Fault. */
export async function* readInputs(inputs: readonly Input[]): AsyncGenerator<FileBatch> {
  for (const input of inputs) {
    const cutter = new LineCutter();
    try {
      for await (const chunk of input.bytes()) {
        for (const lines of cutter.push(chunk)) yield { file: input.file, lines };
      }
    } catch (error) {
      for (const lines of cutter.end()) yield { file: input.file, lines };
      throw faultOf(error, input.file, cutter.lines);
    }
    for (const lines of cutter.end()) yield { file: input.file, lines };
  }
}

/**
 * The year of the first line when lines lack it, so that none lies in the future of `now` (milliseconds since the
 * epoch); undefined when lines name their years. Reads all files once; of standard input only what was read ahead.
 */
export async function inferYear(
  inputs: readonly Input[],
  now: number,
  zone: Zone,
): Promise<number | undefined> {
  const counter = new YearCounter();
  const stamp = newStamp();
  for (const input of inputs) {
    if (input.first === undefined || input.first.year !== 0) continue;
    const cutter = new LineCutter();
    const add = (batches: readonly LineBatch[]): void => {
      for (const lines of batches)
        for (let i = 0; i < lines.count; i++)
          if (!withinDay(lines, i) && readLineStamp(lines.text(i), stamp)) counter.add(stamp);
    };
    try {
      if (input.file === "-") add(cutter.push(input.head));
      else for await (const chunk of input.bytes()) add(cutter.push(chunk));
    } catch {
      // the same error comes again when the file is read, with the place
    }
    add(cutter.end());
  }
  return counter.infer(now, zone);
}

/** Characters of `Jan 27 `. */
const DAY_LENGTH = 7;

/** Whether the lines before and after begin with the same `Jan 27 `: then the year can't turn at this one. */
function withinDay(lines: LineBatch, i: number): boolean {
  if (i === 0 || i + 1 >= lines.count) return false;
  const { bytes, starts } = lines;
  const at = starts[i]!;
  if (bytes[at + 3] !== 32) return false;
  for (let k = 0; k < DAY_LENGTH; k++)
    if (bytes[at + k] !== bytes[starts[i - 1]! + k] || bytes[at + k] !== bytes[starts[i + 1]! + k])
      return false;
  return true;
}

/** What makes two paths the same file. */
function fileKey(path: string): string {
  if (path === "-") return "-";
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch (error) {
    throw readFault(error, path);
  }
}

const faultOf = (error: unknown, path: string, lines: number): Error =>
  error instanceof BrokenData ? brokenFault(path, error.message, lines) : readFault(error, path);

/** Reads a file's head. undefined for an empty file that a glob or folder gave. */
async function openOne(
  name: Named,
  stdin: AsyncIterable<Uint8Array> | undefined,
): Promise<Input | undefined> {
  const stream = openBytes(name.path, stdin);
  let head: Uint8Array = new Uint8Array(0);
  try {
    head = await readHead(stream);
  } catch (error) {
    throw faultOf(error, name.path, 0);
  }
  if (name.path !== "-") await stream.return(undefined);
  if (head.length === 0) {
    if (name.explicit) throw emptyFault(name.path);
    return undefined;
  }
  const first = firstStamp(head);
  if (first === undefined && isBinary(head)) throw binaryFault(name.path, isJournal(head));
  const bytes = name.path === "-" ? () => resumed(head, stream) : () => openBytes(name.path);
  return { file: name.path, first, bytes, head };
}

/** The first bytes of a stream; a hole of NULs before them is shortened to one NUL. Data that breaks later isn't known yet. */
async function readHead(stream: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  let hole = 0;
  try {
    while (length < HEAD_BYTES && hole < MAX_HOLE) {
      const next = await stream.next();
      if (next.done) break;
      if (length <= 1 && next.value.every((byte) => byte === 0)) {
        hole += next.value.length;
        if (length === 0) parts.push(next.value.subarray(0, 1));
        length = 1;
        continue;
      }
      parts.push(next.value);
      length += next.value.length;
    }
  } catch (error) {
    if (!(error instanceof BrokenData) || length === 0) throw error;
  }
  return Buffer.concat(parts);
}

async function* resumed(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}

function firstStamp(head: Uint8Array): Stamp | undefined {
  const cutter = new LineCutter();
  const stamp = newStamp();
  const batches = [...cutter.push(head), ...cutter.end()];
  for (const lines of batches) for (const { text } of lines) if (readLineStamp(text, stamp)) return stamp;
  return undefined;
}

function isBinary(head: Uint8Array): boolean {
  let control = 0;
  let seen = 0;
  for (const byte of head) {
    if (byte === 0 && seen === 0) continue; // a hole before the first line
    seen++;
    if (byte < 32 && !(byte >= 9 && byte <= 13) && byte !== 27) control++;
  }
  return control > seen * BINARY_SHARE;
}

const isJournal = (head: Uint8Array): boolean =>
  Buffer.from(head.subarray(0, 8)).toString("latin1") === "LPKSHHRH";

/** Splits files into those with bytes of their own and copies of an earlier one. Whole files are read only if heads agree. */
async function withoutCopies(
  inputs: readonly Input[],
): Promise<{ unique: Input[]; copies: [Input, Input][] }> {
  const unique: Input[] = [];
  const copies: [Input, Input][] = [];
  for (const input of inputs) {
    const alike = unique.filter((other) => other.file !== "-" && sameStart(other.head, input.head));
    let same: Input | undefined;
    if (alike.length > 0 && input.file !== "-") {
      const { hash } = await digest(input);
      for (const other of alike) if ((await digest(other)).hash === hash) same ??= other;
    }
    if (same === undefined) unique.push(input);
    else copies.push([input, same]);
  }
  return { unique, copies };
}

/** Whether the shorter head is how the longer begins, as far as both are heads of HEAD_BYTES. */
function sameStart(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length, HEAD_BYTES);
  const whole = a.length === b.length || (a.length >= HEAD_BYTES && b.length >= HEAD_BYTES);
  return whole && Buffer.compare(a.subarray(0, length), b.subarray(0, length)) === 0;
}

/** SHA-256 of the decompressed bytes, and how many lines they are. What can't be read to its end is like no other file. */
async function digest(input: Input): Promise<{ hash: string; lines: number }> {
  const hash = createHash("sha256");
  const cutter = new LineCutter();
  try {
    for await (const chunk of input.bytes()) {
      hash.update(chunk);
      cutter.push(chunk);
    }
  } catch {
    hash.update(`broken ${input.file}`);
  }
  cutter.end();
  return { hash: hash.digest("hex"), lines: cutter.lines };
}
