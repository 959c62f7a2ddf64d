import { LineCutter } from "../../src/log/lines.ts";
import { LogClock } from "../../src/log/year.ts";
import { Zone } from "../../src/log/zone.ts";
import { EventReader } from "../../src/mail/read.ts";
import type { FileBatch } from "../../src/source/files.ts";

/** A reader of lines of 2026 in UTC, where lines don't say. */
export const plainReader = (): EventReader => new EventReader(new LogClock(new Zone("UTC"), 2026), 1);

/** Lines as a verb opens them. */
export function openedFrom(texts: readonly string[]): {
  reader: EventReader;
  batches: () => AsyncIterable<FileBatch>;
} {
  async function* batches(): AsyncGenerator<FileBatch> {
    for (const lines of new LineCutter().push(Buffer.from(`${texts.join("\n")}\n`)))
      yield { file: "f", lines };
  }
  return { reader: plainReader(), batches };
}
