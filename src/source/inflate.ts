import { createGunzip, type ZlibOptions } from "node:zlib";

/** zlib's own 16 KiB chunks cost twice the CPU of 256 KiB (measured; see docs/benchmarks.md). */
const CHUNK = 256 * 1024;
/** Inflated bytes queued before zlib pauses. With the chunk in the making and the one being read, four chunks at most are held. */
const AHEAD = 2 * CHUNK;
/** Compressed bytes handed to zlib at a time: a log's chunks then come out full. zlib drops what a failing step held. */
const STEP = 128 * 1024;
/** Smaller steps in which a failing one is done again, to get what it held before the damage. */
const CAREFUL_STEPS = [1024, 1];

/** Compressed data that ends early or is damaged. What was decompressed before has been given out. */
export class BrokenData extends Error {}

const NO_HEADER = "incorrect header check"; // zlib, at the start of a member

/**
 * Inflates gzip, several members too. Zeros or other bytes after the last member are ignored, as gzip does. While the caller
 * works on one chunk, zlib's thread inflates the next; it pauses when two are waiting, so a bomb costs no memory.
 * Gives out all that a damaged file still holds before it throws BrokenData. again: the same bytes once more, if they can be
 * had; without it what zlib held of the failing step is lost.
 */
export async function* inflate(
  bytes: AsyncIterable<Uint8Array>,
  again?: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let given = 0;
  let pump = new Pump(bytes, STEP, 0);
  for (const step of [STEP, ...CAREFUL_STEPS]) {
    if (step < STEP) {
      if (again === undefined || pump.failure === undefined || pump.failure.code === "Z_BUF_ERROR") break;
      pump = new Pump(again(), step, pump.fed - pump.step);
    }
    let at = 0;
    try {
      for (let chunk = await pump.next(); chunk !== undefined; chunk = await pump.next()) {
        at += chunk.length;
        if (at <= given) continue;
        yield chunk.subarray(Math.max(0, chunk.length - (at - given)));
        given = at;
      }
    } finally {
      pump.close();
    }
  }
  if (pump.failure === undefined || pump.failure.message === NO_HEADER) return; // the first member had one
  throw new BrokenData(
    pump.failure.code === "Z_BUF_ERROR" ? "the compressed file ends early" : "the compressed file is damaged",
  );
}

/** Feeds zlib and takes what it gives. */
class Pump {
  /** What ended it, if not the end of the data. */
  failure: NodeJS.ErrnoException | undefined;
  /** Compressed bytes handed to zlib. */
  fed = 0;
  readonly step: number;
  private readonly gunzip = createGunzip({ chunkSize: CHUNK, readableHighWaterMark: AHEAD } as ZlibOptions);
  private ended = false;
  private wakeReader = (): void => undefined;
  private wakeFeeder = (): void => undefined;

  /** step: bytes handed to zlib at a time from byte `from` on; before it, STEP. */
  constructor(bytes: AsyncIterable<Uint8Array>, step: number, from: number) {
    this.step = step;
    const { gunzip } = this;
    gunzip.on("readable", () => this.wakeReader());
    gunzip.on("end", () => {
      this.ended = true;
      this.wakeReader();
    });
    gunzip.on("error", (error) => this.fail(error));
    gunzip.on("close", () => this.wakeFeeder());
    this.feed(bytes, from).catch((error) => this.fail(error as Error));
  }

  /** The next inflated bytes; undefined at the end or when something failed. Throws what reading the file threw. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.gunzip.read() as Uint8Array | null;
      if (chunk !== null) return chunk;
      if (this.failure !== undefined && !String(this.failure.code).startsWith("Z_")) throw this.failure;
      if (this.ended || this.failure !== undefined) return undefined;
      await new Promise<void>((done) => {
        this.wakeReader = done;
      });
    }
  }

  close(): void {
    this.gunzip.destroy();
  }

  private fail(error: NodeJS.ErrnoException): void {
    this.failure ??= error;
    this.wakeReader();
    this.wakeFeeder();
  }

  private async feed(bytes: AsyncIterable<Uint8Array>, from: number): Promise<void> {
    const { gunzip } = this;
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length; ) {
        const before = from - this.fed;
        const length = before > 0 ? Math.min(STEP, before) : this.step;
        const part = chunk.subarray(at, at + length);
        at += part.length;
        this.fed += part.length;
        await new Promise<void>((done) => {
          this.wakeFeeder = done; // a write that fails never calls back
          gunzip.write(part, () => done());
        });
        if (this.failure !== undefined || gunzip.destroyed) return;
      }
    }
    gunzip.end();
  }
}
