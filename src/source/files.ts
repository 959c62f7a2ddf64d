import { readLineStamp } from "../log/envelope.ts";
import { LINE_CAP, type LineBatch, LineCutter } from "../log/lines.ts";
import { yearFromNames } from "../log/rotation.ts";
import { newStamp, type Stamp } from "../log/stamp.ts";
import { YearCounter } from "../log/year.ts";
import type { Zone } from "../log/zone.ts";
import { type Anchor, anchorOf } from "./anchor.ts";
import { openSource, type Source } from "./bytes.ts";
import { expandArguments, type Named } from "./expand.ts";
import { binaryFault, brokenFault, emptyFault, lostFault, readFault } from "./fault.ts";
import { BrokenData } from "./inflate.ts";
import type { JournalSpan } from "./journal.ts";
import { inOrderOfTime } from "./order.ts";
import { findOverlaps } from "./overlap.ts";
import { countLines } from "./piece.ts";
import { LostData } from "./pinned.ts";
import { around, type Skip } from "./skip.ts";

/** Decompressed bytes looked at to find a file's first time, and whether it is text. */
const HEAD_BYTES = 256 * 1024;
/** A hole of NULs (copytruncate) at a file's head is skipped up to this size to find the first line. */
const MAX_HOLE = 1 << 30;
/** Share of control characters in a head from which on it is no text. */
const BINARY_SHARE = 0.05;

/** One file to read. */
export type Input = {
  /** As the user named it; for a folder or glob the joined path; "-" for standard input, `journal:...` for a journal. */
  readonly file: string;
  /** The first time that the file's head holds; undefined when there is none. */
  readonly first: Stamp | undefined;
  /**
   * The decompressed bytes from `from` on, the same in each pass. What is `once` can be read one time only, after that it
   * throws a Fault. Of a journal export it is lines of JSON, one an entry.
   */
  readonly bytes: (from?: number) => AsyncIterable<Uint8Array>;
  /** A pipe or standard input. */
  readonly once: boolean;
  /** Of what can be read once, the bytes looked at already: all there is to see before it is read. Else empty. */
  readonly head: Uint8Array;
  /** Stretches of whole lines that another input holds, in order; readInputs leaves them out. */
  readonly skip: readonly Skip[];
};

/** Lines left out of a file since another one holds the same bytes; all of them when it is no input. */
export type Duplicate = { readonly file: string; readonly same: string; readonly lines: number };

export type Inputs = {
  /** In the order of their first times. */
  readonly inputs: readonly Input[];
  readonly duplicates: readonly Duplicate[];
};

/** Lines of one file, in order; valid until the next batch is taken. */
export type FileBatch = { readonly file: string; readonly lines: LineBatch };

export type OpenOptions = {
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Of journals only these entries; files are given whole. */
  readonly span?: JournalSpan;
};

/**
 * Opens FILE arguments: files (plain or compressed, by their first bytes), globs, folders, `journal:` and "-". Files come in
 * the order of the first time in each, whatever the order of arguments, names or modification times; a file without one
 * comes last. A file given twice, and bytes that another file holds too, are left out and their lines are counted.
 * Files stay open and are read as they were now, whatever is rotated or appended meanwhile.
 * Throws a Fault for what is missing, unreadable, empty or no text.
 */
export async function openInputs(args: readonly string[], options: OpenOptions = {}): Promise<Inputs> {
  const named = expandArguments(args);
  const opened = new Map<string, Opened>();
  const again: [string, Opened][] = [];
  for (const name of named) {
    const source = sourceOf(name, options);
    const known = opened.get(source.key);
    if (known !== undefined) {
      if (!known.once) again.push([name.path, known]);
      continue;
    }
    const input = await openOne(name, source);
    if (input !== undefined) opened.set(source.key, input);
  }
  if (opened.size === 0) throw emptyFault(named[0]?.path ?? "");
  const duplicates: Duplicate[] = [];
  for (const [file, same] of again) duplicates.push({ file, same: same.file, lines: await linesOf(same) });
  return withoutOverlaps(inOrderOfTime([...opened.values()]), duplicates);
}

/** All lines, file after file. A damaged file gives its lines up to the damage, then the Fault. */
export async function* readInputs(inputs: readonly Input[]): AsyncGenerator<FileBatch> {
  for (const input of inputs) {
    const cutter = new LineCutter();
    let left = 0; // lines left out so far
    const numbered = (lines: LineBatch): FileBatch => {
      lines.first += left;
      return { file: input.file, lines };
    };
    let broken: { readonly error: unknown } | undefined;
    try {
      for await (const stretch of around(input.bytes, input.skip)) {
        left = stretch.left;
        for (const lines of cutter.push(stretch.bytes)) yield numbered(lines);
      }
    } catch (error) {
      broken = { error };
    }
    for (const lines of cutter.end()) yield numbered(lines);
    if (broken !== undefined) throw faultOf(broken.error, input.file, cutter.lines + left);
  }
}

/**
 * The year of the first line when lines lack it, so that none lies in the future of `now` (milliseconds since the
 * epoch); undefined when lines name their years. Reads all files once; of pipes and standard input only what was read ahead.
 */
export async function inferYear(
  inputs: readonly Input[],
  now: number,
  zone: Zone,
): Promise<number | undefined> {
  const counter = new YearCounter();
  for (const input of inputs) {
    if (input.first === undefined || input.first.year !== 0) continue;
    const days = new DayFinder(counter);
    try {
      if (input.once) days.add(input.head);
      else for await (const { bytes } of around(input.bytes, input.skip)) days.add(bytes);
    } catch {
      // the same error comes again when the file is read, with the place
    }
    days.end();
  }
  return counter.infer(now, zone, yearFromNames(inputs));
}

/** Characters of `Jan 27 `. */
const DAY_LENGTH = 7;
const LF = 10;
const BLANK = 32;

/**
 * Hands the times of a file's lines to a YearCounter, but not those that tell nothing: where the first and the last line of a
 * chunk begin with the same `Jan 27 `, no year turns between them, and the lines are not even cut.
 */
class DayFinder {
  private readonly counter: YearCounter;
  private readonly stamp = newStamp();
  private begun = false;
  /** What follows the last LF so far. */
  private rest: Buffer = Buffer.alloc(0);

  constructor(counter: YearCounter) {
    this.counter = counter;
  }

  /** The file's next bytes. A line that two chunks share is passed over: the lines beside it tell as much. */
  add(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const first = this.begun ? bytes.indexOf(LF) + 1 : 0;
    const whole = this.begun && first === 0; // inside of one line
    this.begun = true;
    const end = bytes.lastIndexOf(LF);
    if (whole || end < first) {
      this.rest = whole ? Buffer.alloc(0) : bytes.subarray(first);
      return;
    }
    this.rest = bytes.subarray(end + 1);
    const last = end === 0 ? 0 : bytes.lastIndexOf(LF, end - 1) + 1;
    if (last > first && sameDay(bytes, first, last)) {
      this.take(bytes.toString("utf8", first, Math.min(first + LINE_CAP, bytes.indexOf(LF, first))));
      this.take(bytes.toString("utf8", last, Math.min(last + LINE_CAP, end)));
      return;
    }
    for (const lines of new LineCutter().push(bytes.subarray(first, end + 1)))
      for (let i = 0; i < lines.count; i++) this.take(lines.text(i));
  }

  /** The file ends, perhaps without LF. */
  end(): void {
    if (this.rest.length > 0) this.take(this.rest.toString("utf8", 0, LINE_CAP));
  }

  private take(text: string): void {
    if (readLineStamp(text, this.stamp)) this.counter.add(this.stamp);
  }
}

/** Whether the lines at two places begin with the same `Jan 27 `. */
function sameDay(bytes: Buffer, a: number, b: number): boolean {
  if (bytes[a + 3] !== BLANK) return false;
  for (let k = 0; k < DAY_LENGTH; k++) if (bytes[a + k] !== bytes[b + k]) return false;
  return true;
}

/** An input that was opened, with what it takes to find its overlaps. */
type Opened = Input & {
  readonly anchor: Anchor | undefined;
  readonly size: Source["size"];
  readonly kind: Source["kind"];
};

function sourceOf(name: Named, { stdin, span }: OpenOptions): Source {
  try {
    return openSource(name.path, stdin, span);
  } catch (error) {
    throw readFault(error, name.path);
  }
}

/** Throws the Fault for what broke a reading; anything else is a mistake of ours and thrown as it is. */
function faultOf(error: unknown, path: string, lines: number): Error {
  if (error instanceof BrokenData) return brokenFault(path, error.message, lines);
  if (error instanceof LostData) return lostFault(path, error.message, lines);
  return readFault(error, path);
}

/** Reads a file's head. undefined for an empty file that a glob or folder gave. */
async function openOne(name: Named, source: Source): Promise<Opened | undefined> {
  const stream = source.bytes();
  let head: Uint8Array = new Uint8Array(0);
  try {
    head = await readHead(stream);
  } catch (error) {
    throw faultOf(error, name.path, 0);
  }
  if (source.kind !== "pipe") await stream.return(undefined);
  if (head.length === 0) {
    if (name.explicit) throw emptyFault(name.path);
    return undefined;
  }
  const first = firstStamp(head);
  if (first === undefined && isBinary(head)) {
    await stream.return(undefined);
    throw binaryFault(name.path);
  }
  const { kind, size } = source;
  const once = kind === "pipe";
  const base = { file: name.path, first, kind, once, size, skip: [] };
  if (!once) return { ...base, bytes: source.bytes, head: new Uint8Array(0), anchor: anchorOf(head) };
  let rest: AsyncIterable<Uint8Array> | undefined = resumed(head, stream);
  const bytes = (): AsyncIterable<Uint8Array> => {
    const taken = rest ?? source.bytes(); // which says that it is spent
    rest = undefined;
    return taken;
  };
  return { ...base, bytes, head, anchor: undefined };
}

/** Leaves out what files share. Pipes and journals are not looked into. */
async function withoutOverlaps(files: readonly Opened[], duplicates: Duplicate[]): Promise<Inputs> {
  const { kept, skips, repeated } = await findOverlaps(files);
  for (const { piece, same, lines } of repeated)
    duplicates.push({ file: piece.file, same: same.file, lines });
  const inputs = kept.map((input): Input => {
    const { file, first, bytes, once, head } = input;
    return { file, first, bytes, once, head, skip: skips.get(input) ?? [] };
  });
  return { inputs, duplicates };
}

/** Lines of a whole input; 0 when it is damaged, which reading it will tell. */
const linesOf = (input: Input): Promise<number> =>
  countLines(input, 0, Number.POSITIVE_INFINITY).catch(() => 0);

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
  return seen === 0 || control > seen * BINARY_SHARE;
}
