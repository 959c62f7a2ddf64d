import { randomBytes } from "node:crypto";
import type { LineBatch } from "../log/lines.ts";
import { LogClock, type SavedClock } from "../log/year.ts";
import { Zone } from "../log/zone.ts";
import { EventReader } from "../mail/read.ts";
import { type FileBatch, inferYear, openInputs, readInputs } from "../source/files.ts";
import type { OpenedMail } from "./events.ts";
import { firstYear, type Options, timeZone } from "./options.ts";

export type MailInput = OpenedMail & {
  readonly zone: Zone;
  readonly files: readonly string[];
  readonly duplicates: () => number;
  /** Whether an input is a pipe, which can be read only once. */
  readonly once: boolean;
  /** The same bytes from the beginning, with a reader of their own. Of standard input and pipes there is none. */
  readonly again: () => MailInput;
  /** So many lines from the beginning of a file on, in the same way. */
  readonly part: (from: FileMark, lines: number) => MailInput;
};

/** The beginning of a file of an input, and the clock of the reader there. */
export type FileMark = { readonly file: string; readonly clock: SavedClock };

/** What of an input is read: all of it where nothing is said. */
type Part = { readonly from?: FileMark; readonly lines?: number };

/** Opens FILE arguments with the flags of a verb: zone, year, order, duplicates; a reader that turns lines into events. */
export async function openMail(files: readonly string[], options: Options): Promise<MailInput> {
  const zone = new Zone(timeZone(options));
  const { inputs, duplicates } = await openInputs(files, { stdin: process.stdin });
  const year = firstYear(options) ?? (await inferYear(inputs, Date.now(), zone));
  const repeated = duplicates.reduce((sum, d) => sum + d.lines, 0);
  const open = ({ from, lines = Number.POSITIVE_INFINITY }: Part): MailInput => {
    const clock = new LogClock(zone, year);
    if (from) clock.load(from.clock);
    const read = inputs.slice(from ? inputs.findIndex(({ file }) => file === from.file) : 0);
    return {
      reader: new EventReader(clock, randomBytes(4).readUInt32LE()),
      zone,
      timezone: zone.name,
      files: read.map((i) => i.file),
      duplicates: () => repeated,
      batches: () => firstLines(readInputs(read), lines),
      once: read.some((i) => i.once),
      again: () => open({ ...(from && { from }), lines }),
      part: (mark, n) => open({ from: mark, lines: n }),
    };
  };
  return open({});
}

async function* firstLines(batches: AsyncIterable<FileBatch>, most: number): AsyncGenerator<FileBatch> {
  let left = most;
  for await (const batch of batches) {
    const lines: LineBatch = batch.lines;
    if (lines.count > left) lines.count = left;
    left -= lines.count;
    yield batch;
    if (left <= 0) return;
  }
}
