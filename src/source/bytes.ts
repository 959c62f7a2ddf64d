import { createReadStream, statSync } from "node:fs";
import { looksLikeExport, readExport } from "./export.ts";
import { journalUnreadFault, missingFault, readTwiceFault } from "./fault.ts";
import { BrokenData, inflate } from "./inflate.ts";
import { JOURNAL, type JournalSpan, journalBytes } from "./journal.ts";
import { PinnedFile } from "./pinned.ts";
import { FailedProgram, MissingProgram, output } from "./program.ts";

/** Bytes a read of a pipe asks for. */
const READ_SIZE = 256 * 1024;
/** Bytes that formats are told by. */
const SNIFFED = 32;
/** How a systemd journal file begins. */
const JOURNAL_MAGIC = [..."LPKSHHRH"].map((c) => c.charCodeAt(0));

/** Where the bytes of one FILE argument come from: decompressed, and a journal as lines of JSON. */
export type Source = {
  /** Device and inode, or what else makes it this one. */
  readonly key: string;
  /** A pipe, terminal or standard input can be read once only. */
  readonly kind: "file" | "pipe" | "journal";
  /** Size of what `bytes` gives; undefined when that is not known without reading it. It may grow once, by a line's rest. */
  readonly size: () => number | undefined;
  /** The bytes from `from` on. Throws the system's error, BrokenData, LostData or a Fault. */
  readonly bytes: (from?: number) => AsyncGenerator<Uint8Array>;
};

type Again = (() => AsyncIterable<Uint8Array>) | undefined;
type Decoder = (bytes: AsyncIterable<Uint8Array>, path: string, again: Again) => AsyncIterable<Uint8Array>;

const external =
  (program: string): Decoder =>
  (bytes, path) =>
    decompressed(program, bytes, path);

/** Compressions by their first bytes, whatever the name says. */
const FORMATS: readonly { readonly magic: readonly number[]; readonly decode: Decoder }[] = [
  { magic: [0x1f, 0x8b], decode: (bytes, _, again) => inflate(bytes, again) },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], decode: external("zstd") },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], decode: external("xz") },
  { magic: [0x42, 0x5a, 0x68], decode: external("bzip2") },
];

const begins = (head: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, i) => head[i] === byte);
const formatOf = (head: Uint8Array): Decoder | undefined =>
  FORMATS.find(({ magic }) => begins(head, magic))?.decode;

/** Opens a path, "-" for standard input, or `journal:`; of a journal the entries of `span`. Throws the system's error or a Fault. */
export function openSource(path: string, stdin?: AsyncIterable<Uint8Array>, span?: JournalSpan): Source {
  if (path === "-") {
    const stream = stdin ?? process.stdin;
    return onceSource(path, "-", stream, () => stream);
  }
  if (path.startsWith(JOURNAL)) return journalSource(path, path, span);
  const stat = statSync(path);
  if (!stat.isFile()) {
    const key = `${stat.dev}:${stat.ino}`;
    return onceSource(path, key, `${key}:${stat.birthtimeMs}`, () =>
      createReadStream(path, { highWaterMark: READ_SIZE }),
    );
  }
  const file = new PinnedFile(path);
  if (begins(file.head, JOURNAL_MAGIC)) return journalSource(file.key, `${JOURNAL}${path}`, span);
  if (formatOf(file.head) === undefined && !looksLikeExport(file.head)) {
    const size = (): number => file.size;
    return { key: file.key, kind: "file", size, bytes: (from = 0) => file.bytes(from, true) };
  }
  const raw = (): AsyncGenerator<Uint8Array> => file.bytes(0, false);
  return {
    key: file.key,
    kind: "file",
    size: () => undefined,
    bytes: (from = 0) => without(from, readable(raw(), path, raw)),
  };
}

function journalSource(key: string, path: string, span: JournalSpan | undefined): Source {
  const bytes = journalBytes(path, span);
  return {
    key,
    kind: "journal",
    size: () => undefined,
    bytes: (from = 0) => without(from, readable(bytes(), path, undefined)),
  };
}

/** Streams and pipes that were read: what they held is gone, whoever asks next. */
const spentStreams = new WeakSet<object>();
const spentPipes = new Set<string>();

function onceSource(
  path: string,
  key: string,
  identity: object | string,
  open: () => AsyncIterable<Uint8Array>,
): Source {
  const spend = (): void => {
    const spent = typeof identity === "string" ? spentPipes : spentStreams;
    if (spent.has(identity as never)) throw readTwiceFault(path);
    spent.add(identity as never);
  };
  return {
    key,
    kind: "pipe",
    size: () => undefined,
    bytes: async function* (from = 0) {
      spend();
      yield* without(from, readable(open(), path, undefined));
    },
  };
}

/** Decompresses and unpacks by what the first bytes say. */
async function* readable(
  raw: AsyncIterable<Uint8Array>,
  path: string,
  again: Again,
): AsyncGenerator<Uint8Array> {
  const packed = await peeked(raw);
  const decode = formatOf(packed.head);
  const plain = decode === undefined ? packed : await peeked(decode(packed.bytes, path, again));
  if (begins(packed.head, JOURNAL_MAGIC) && decode === undefined) throw journalUnreadFault(path);
  yield* looksLikeExport(plain.head) ? readExport(plain.bytes) : plain.bytes;
}

/** The first bytes of a stream, and the stream with them. */
async function peeked(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; bytes: AsyncGenerator<Uint8Array> }> {
  const rest = stream[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < SNIFFED) {
    const next = await rest.next();
    if (next.done) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return { head, bytes: chained(head, rest) };
}

/** The head, then the rest; closes the rest when the reader stops early. */
async function* chained(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** The stream from byte `from` on. */
async function* without(from: number, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = from;
  for await (const chunk of stream) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** Decompresses by a program of the system: `program -dc`. */
async function* decompressed(
  program: string,
  bytes: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<Uint8Array> {
  try {
    yield* output(program, ["-dc"], bytes);
  } catch (error) {
    if (error instanceof FailedProgram)
      throw new BrokenData(`${program} says that the compressed file is damaged or ends early`);
    if (error instanceof MissingProgram) throw missingFault(program, `decompress ${path}`);
    throw error;
  }
}
