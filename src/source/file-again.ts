import { Reading } from "./cut.ts";
import type { Disk } from "./disk.ts";
import { goneFault } from "./follow-fault.ts";
import { locate } from "./locate.ts";
import { type FilePosition, fileSourceId, type Position, type Run } from "./position.ts";

/** Reads lines of a followed file again that were read before a crash, wherever rotation has put them by now. */
export class FileAgain {
  private readonly disk: Disk;
  private readonly path: string;
  /** The file that was read of last, so that going on in it looks for nothing. */
  private open: { readonly key: string; readonly reading: Reading } | undefined;

  constructor(disk: Disk, path: string) {
    this.disk = disk;
    this.path = path;
  }

  /** The lines between two positions in one file. Successive calls go forward in it. Throws a Fault when they are gone. */
  async *lines(from: Position, to: Position): AsyncGenerator<Run> {
    const source = fileSourceId(this.path);
    if (from.kind !== "file" || to.kind !== "file") throw goneFault(source);
    const reading = await this.readingOf(from, to);
    let last: FilePosition = from;
    while (reading.offset < to.offset) {
      const cut = await reading.cut(false, to.offset);
      if (cut === undefined && reading.more) continue;
      if (cut === undefined) throw goneFault(source);
      reading.advance(cut);
      const next = reading.offset === to.offset ? to : reading.position(to.before, to.at);
      yield { source, file: this.path, lines: cut.lines, from: last, to: next };
      last = next;
    }
  }

  async close(): Promise<void> {
    await this.open?.reading.file.close();
    this.open = undefined;
  }

  private async readingOf(from: FilePosition, to: FilePosition): Promise<Reading> {
    const key = `${to.dev}:${to.ino}`;
    if (this.open?.key === key && this.open.reading.offset === from.offset) return this.open.reading;
    await this.close();
    const { own, newer } = await locate(this.disk, this.path, to);
    for (const { file } of newer) await file.close();
    if (own?.as !== "rest") {
      await own?.file.close();
      throw goneFault(fileSourceId(this.path));
    }
    const reading = await Reading.at(own.file, from.offset, from.line);
    this.open = { key, reading };
    return reading;
  }
}
