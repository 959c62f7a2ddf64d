import type { MailEvent } from "../mail/event.ts";
import type { EventReader } from "../mail/read.ts";
import type { FileBatch } from "../source/files.ts";

/** Opens the FILE arguments of a verb with its flags: a reader for their zone and year, and the lines, file after file. */
export type OpenMail = (
  files: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<OpenedMail>;
export type OpenedMail = {
  readonly reader: EventReader;
  /** The lines, for `reader`. To be taken once. */
  readonly batches: () => AsyncIterable<FileBatch>;
  /** IANA zone in which days are cut. */
  readonly timezone: string;
  /** Lines left out because rotated files overlap; known when all is read. */
  readonly duplicates: () => number;
};

/** Reads all lines and hands each one's event to `visit`. name: how a file is to be cited. */
export async function eachEvent(
  mail: Pick<OpenedMail, "reader" | "batches">,
  visit: (event: MailEvent) => void,
  name: (file: string) => string = (file) => file,
): Promise<void> {
  for await (const { file, lines } of mail.batches()) {
    const cited = name(file);
    for (let i = 0; i < lines.count; i++) visit(mail.reader.read(cited, lines, i));
  }
}
