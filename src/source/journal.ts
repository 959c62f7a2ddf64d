import { statSync } from "node:fs";
import { EXPORT_FIELDS } from "./export.ts";
import { journalFault, missingFault, readFault } from "./fault.ts";
import { FailedProgram, MissingProgram, output } from "./program.ts";

/** An argument that begins so is a systemd journal: the system's own, or the journal file or folder that follows. */
export const JOURNAL = "journal:";

/** The time of the entries that are asked for, in milliseconds since the Unix epoch. */
export type JournalSpan = { readonly from: number; readonly to: number };

/**
 * Reads a journal through journalctl, in its export format: that one holds any bytes and is never cut, and its times are
 * microseconds of UTC whatever TZ says. The journal grows; later passes end where the first complete one ended.
 */
export function journalBytes(path: string, span?: JournalSpan): () => AsyncGenerator<Uint8Array> {
  let end = Number.POSITIVE_INFINITY;
  return async function* () {
    let at = 0;
    try {
      for await (const chunk of output("journalctl", argumentsOf(path.slice(JOURNAL.length), span))) {
        const part = chunk.subarray(0, end - at);
        at += part.length;
        if (part.length > 0) yield part;
        if (at >= end) return;
      }
      end = at;
    } catch (error) {
      if (error instanceof MissingProgram) throw missingFault("journalctl", `read ${path}`);
      if (error instanceof FailedProgram) throw journalFault(path, error.message);
      throw error;
    }
  };
}

function argumentsOf(place: string, span: JournalSpan | undefined): string[] {
  const args = ["--no-pager", "--quiet", "--output=export", `--output-fields=${EXPORT_FIELDS.join(",")}`];
  if (span !== undefined)
    args.push(`--since=@${Math.floor(span.from / 1000)}`, `--until=@${Math.ceil(span.to / 1000)}`);
  if (place === "") return args;
  try {
    return [...args, `${statSync(place).isDirectory() ? "--directory" : "--file"}=${place}`];
  } catch (error) {
    throw readFault(error, place);
  }
}
