import { createGunzip, type ZlibOptions } from "node:zlib";

/** zlib's own 16 KiB chunks cost twice the CPU of 256 KiB (measured; see docs/benchmarks.md). */
const CHUNK = 256 * 1024;
/** Inflated bytes queued before zlib pauses. With the chunk in the making and the one being read, four chunks at most are held. */
const AHEAD = 2 * CHUNK;
/** Compressed bytes handed to zlib at a time. What a damaged place takes with it lies within one such step. */
const STEP = 32 * 1024;

/** Compressed data that ends early or is damaged. What was decompressed before has been given out. */
export class BrokenData extends Error {}

const NO_HEADER = "incorrect header check"; // zlib, at the start of a member

/**
 * Inflates gzip, several members too. Zeros or other bytes after the last member are ignored, as gzip does. While the caller
 * works on one chunk, zlib's thread inflates the next; it pauses when two are waiting, so a bomb costs no memory.
 * Gives out all that a damaged file still holds before it throws BrokenData. again: the same bytes once more, if they can be
 * had; without it the last step before a damaged place is lost.
 */
export async function* inflate(
  bytes: AsyncIterable<Uint8Array>,
  again?: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const pump = new Pump(bytes, STEP);
  let given = 0;
  try {
    for (let chunk = await pump.next(); chunk !== undefined; chunk = await pump.next()) {
      given += chunk.length;
      yield chunk;
    }
  } finally {
    pump.close();
  }
  if (pump.failure === undefined) return;
  if (pump.failure.code !== "Z_BUF_ERROR" && again !== undefined)
    yield* salvaged(again(), pump.fed - STEP, given);
  if (pump.failure.message === NO_HEADER) return; // the first member had one
  throw new BrokenData(
    pump.failure.code === "Z_BUF_ERROR" ? "the compressed file ends early" : "the compressed file is damaged",
  );
}

/** zlib drops what a failing step held before the damage: inflates anew, byte by byte from `carefulFrom` on, without the first `given` bytes. */
async function* salvaged(
  bytes: AsyncIterable<Uint8Array>,
  carefulFrom: number,
  given: number,
): AsyncGenerator<Uint8Array> {
  const pump = new Pump(bytes, STEP, carefulFrom);
  let at = 0;
  try {
    for (let chunk = await pump.next(); chunk !== undefined; chunk = await pump.next()) {
      if (at + chunk.length > given) yield chunk.subarray(Math.max(0, given - at));
      at += chunk.length;
    }
  } finally {
    pump.close();
  }
}

/** Feeds zlib and takes what it gives. */
class Pump {
  /** What ended it, if not the end of the data. */
  failure: NodeJS.ErrnoException | undefined;
  /** Compressed bytes handed to zlib. */
  fed = 0;
  private readonly gunzip = createGunzip({ chunkSize: CHUNK, readableHighWaterMark: AHEAD } as ZlibOptions);
  private ended = false;
  private wakeReader = (): void => undefined;
  private wakeFeeder = (): void => undefined;

  constructor(
    bytes: AsyncIterable<Uint8Array>,
    step: number,
    carefulFrom: number = Number.POSITIVE_INFINITY,
  ) {
    const { gunzip } = this;
    gunzip.on("readable", () => this.wakeReader());
    gunzip.on("end", () => {
      this.ended = true;
      this.wakeReader();
    });
    gunzip.on("error", (error) => this.fail(error));
    gunzip.on("close", () => this.wakeFeeder());
    this.feed(bytes, step, carefulFrom).catch((error) => this.fail(error as Error));
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

  private async feed(bytes: AsyncIterable<Uint8Array>, step: number, carefulFrom: number): Promise<void> {
    const { gunzip } = this;
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length; ) {
        const left = carefulFrom - this.fed;
        const length = left > 0 ? Math.min(step, left) : 1;
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
