import { parseEnvelope } from "../log/envelope.ts";
import { detached } from "../log/lines.ts";
import { LogClock } from "../log/year.ts";
import { Zone } from "../log/zone.ts";
import { EventReader } from "../mail/read.ts";
import { inferYear, openInputs, readInputs } from "../source/files.ts";
import { maskText, templateId } from "../template/mask.ts";
import { firstYear, type Options, timeZone } from "./options.ts";
import type { InputLine, OpenedMail } from "./parse.ts";

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
  const reader = new EventReader({
    envelope: (text) => parseEnvelope(text, clock),
    mask: maskText,
    templateId,
  });
  const repeated = duplicates.reduce((sum, d) => sum + d.lines, 0);
  return {
    reader,
    zone,
    timezone: zone.name,
    files: inputs.map((i) => i.file),
    duplicates: () => repeated,
    lines: linesOf(inputs),
  };
}

async function* linesOf(inputs: Parameters<typeof readInputs>[0]): AsyncGenerator<InputLine> {
  for await (const batch of readInputs(inputs)) {
    for (const line of batch.lines) {
      // A copy: a view of the chunk would keep all of it alive in every table that holds a word of it.
      yield { file: batch.file, line: line.line, text: detached(line.text), truncated: line.truncated };
    }
  }
}
