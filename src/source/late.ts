import type { Generation } from "./generation.ts";

/** Rotated files that were left are watched for so long, every so often, so many at most. */
const WATCHED_MS = 600_000;
const EVERY_MS = 10_000;
const MAX_FILES = 2;

/** Files that were left behind: what is still written to them is lost, and that is to be told. */
export class LateFiles {
  private readonly ticks: () => number;
  private readonly files: { file: Generation; size: number; since: number }[] = [];
  private looked = 0;

  /** ticks: milliseconds of a clock that nobody sets. */
  constructor(ticks: () => number) {
    this.ticks = ticks;
  }

  get any(): boolean {
    return this.files.length > 0;
  }

  /** size: bytes that were read of it. */
  async add(file: Generation, size: number): Promise<void> {
    if (file.packed) return file.close();
    this.files.push({ file, size, since: this.ticks() });
    if (this.files.length > MAX_FILES) await this.files.shift()!.file.close();
  }

  /** Bytes that were written too late since the last call. */
  async grown(): Promise<number> {
    if (this.files.length === 0 || this.ticks() - this.looked < EVERY_MS) return 0;
    this.looked = this.ticks();
    let bytes = 0;
    for (const entry of [...this.files]) {
      const { size } = await entry.file.stat();
      bytes += Math.max(0, size - entry.size);
      entry.size = size;
      if (this.looked - entry.since < WATCHED_MS) continue;
      this.files.splice(this.files.indexOf(entry), 1);
      await entry.file.close();
    }
    return bytes;
  }

  async close(): Promise<void> {
    for (const { file } of this.files.splice(0)) await file.close();
  }
}
