import { randomBytes } from "node:crypto";
import { LogClock } from "../log/year.ts";
import { Zone } from "../log/zone.ts";
import { EventReader } from "../mail/read.ts";
import { inferYear, openInputs, readInputs } from "../source/files.ts";
import { firstYear, type Options, timeZone } from "./options.ts";
import type { OpenedMail } from "./parse.ts";

export type MailInput = OpenedMail & {
  readonly zone: Zone;
  readonly files: readonly string[];
  readonly duplicates: () => number;
};

/** Opens FILE arguments with the flags of a verb: zone, year, order, duplicates; a reader that turns lines into events. */
export async function openMail(files: readonly string[], options: Options): Promise<MailInput> {
  const zone = new Zone(timeZone(options));
  const { inputs, duplicates } = await openInputs(files, { stdin: process.stdin });
  const year = firstYear(options) ?? (await inferYear(inputs, Date.now(), zone));
  const clock = new LogClock(zone, year);
  const reader = new EventReader(clock, randomBytes(4).readUInt32LE());
  const repeated = duplicates.reduce((sum, d) => sum + d.lines, 0);
  return {
    reader,
    zone,
    timezone: zone.name,
    files: inputs.map((i) => i.file),
    duplicates: () => repeated,
    batches: () => readInputs(inputs),
  };
}
