import { randomBytes } from "node:crypto";
import { LogClock } from "../log/year.ts";
import { Zone } from "../log/zone.ts";
import { EventReader } from "../mail/read.ts";
import { inferYear, openInputs, readInputs } from "../source/files.ts";
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
};

/** Opens FILE arguments with the flags of a verb: zone, year, order, duplicates; a reader that turns lines into events. */
export async function openMail(files: readonly string[], options: Options): Promise<MailInput> {
  const zone = new Zone(timeZone(options));
  const { inputs, duplicates } = await openInputs(files, { stdin: process.stdin });
  const year = firstYear(options) ?? (await inferYear(inputs, Date.now(), zone));
  const repeated = duplicates.reduce((sum, d) => sum + d.lines, 0);
  const open = (): MailInput => ({
    reader: new EventReader(new LogClock(zone, year), randomBytes(4).readUInt32LE()),
    zone,
    timezone: zone.name,
    files: inputs.map((i) => i.file),
    duplicates: () => repeated,
    batches: () => readInputs(inputs),
    once: inputs.some((i) => i.once),
    again: open,
  });
  return open();
}
