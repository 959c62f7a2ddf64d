import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Fault } from "../fault.ts";

/** Bytes a read asks for. */
const READ_SIZE = 256 * 1024;
/** zlib's own 16 KiB chunks cost twice the CPU of 256 KiB (research: hot path, section 3). */
const INFLATE_CHUNK = 256 * 1024;
/** Compressed bytes inflated at a time: a bomb (1:1032) then holds 33 MiB, a log 0.3 MiB. */
const INFLATE_STEP = 32 * 1024;

/** Compressed data that ends early or is damaged. What was decompressed before has been given out. */
export class BrokenData extends Error {}

type Decoder = (bytes: AsyncIterable<Uint8Array>, path: string) => AsyncIterable<Uint8Array>;

const external =
  (program: string): Decoder =>
  (bytes, path) =>
    throughProgram(program, bytes, path);

/** Formats by their first bytes, whatever the name says. */
const FORMATS: readonly { readonly magic: readonly number[]; readonly decode: Decoder }[] = [
  { magic: [0x1f, 0x8b], decode: inflate },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], decode: external("zstd") },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], decode: external("xz") },
  { magic: [0x42, 0x5a, 0x68], decode: external("bzip2") },
];

/** The bytes of a file, or of standard input for "-", decompressed. Throws the system's error, BrokenData or a Fault. */
export async function* openBytes(
  path: string,
  stdin?: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const raw = path === "-" ? (stdin ?? process.stdin) : createReadStream(path, { highWaterMark: READ_SIZE });
  const source = raw[Symbol.asyncIterator]();
  const head = await firstBytes(source);
  const format = FORMATS.find(({ magic }) => magic.every((byte, i) => head[i] === byte));
  const all = chained(head, source);
  yield* format === undefined ? all : format.decode(all, path);
}

/** At least six bytes, when there are so many. */
async function firstBytes(source: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head = new Uint8Array(0);
  while (head.length < 6) {
    const next = await source.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
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

/** Inflates gzip, several members too. Gives out all that a damaged file still holds before it throws BrokenData. */
async function* inflate(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: INFLATE_CHUNK });
  const ready: Uint8Array[] = [];
  let failure: NodeJS.ErrnoException | undefined;
  gunzip.on("data", (chunk: Uint8Array) => ready.push(chunk));
  let wake = (): void => undefined; // a write that fails never calls back
  gunzip.on("error", (error) => {
    failure ??= error;
    wake();
  });
  try {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length && failure === undefined; at += INFLATE_STEP) {
        await new Promise<void>((done) => {
          wake = done;
          gunzip.write(chunk.subarray(at, at + INFLATE_STEP), () => done());
        });
        yield* ready.splice(0);
      }
      if (failure !== undefined) break;
    }
    if (failure === undefined) {
      gunzip.end();
      await once(gunzip, "end").catch(() => undefined); // the error is in `failure`
    }
    yield* ready.splice(0);
    if (failure !== undefined)
      throw new BrokenData(
        failure.code === "Z_BUF_ERROR" ? "the compressed file ends early" : "the compressed file is damaged",
      );
  } finally {
    gunzip.destroy();
  }
}

/** Decompresses by a program of the system: `program -dc`. */
async function* throughProgram(
  program: string,
  bytes: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<Uint8Array> {
  const child = spawn(program, ["-dc"], { stdio: ["pipe", "pipe", "ignore"] });
  const started = once(child, "spawn");
  const ended = once(child, "close");
  ended.catch(() => undefined);
  try {
    await started;
  } catch {
    throw new Fault(
      "unavailable",
      `cannot decompress ${path}: the program ${program} is not installed`,
      "the FILE argument",
      "nothing was read from it",
      `install ${program}, or decompress the file first`,
    );
  }
  const fed = pipeline(Readable.from(bytes), child.stdin).catch(() => undefined); // its exit status tells
  let done = false;
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array;
    done = true;
  } finally {
    if (!done) child.kill();
  }
  await fed;
  const [status] = (await ended) as [number | null];
  if (status !== 0) throw new BrokenData(`${program} says that the compressed file is damaged or ends early`);
}
