import type { Command } from "commander";
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

/** Characters gathered before a write. */
const CHUNK = 1 << 16;

/** Registers `logvane parse`. */
export function parseCommand(
  program: Command,
  open: OpenMail,
  write: (text: string) => void | Promise<void>,
): Command {
  return program
    .command("parse")
    .description("print what each line says, or how much of the log is understood")
    .argument("<file...>", "log files, globs, directories, or - for standard input")
    .option("--format <format>", "ndjson, json or text", "ndjson")
    .option("--stats", "counts of lines, events and what was not understood")
    .action(async (files: string[], options: Record<string, unknown>) => {
      const mail = await open(files, options);
      if (options["stats"] === true) await write(await statsOf(mail, options["format"] === "text"));
      else await writeRecords(mail, write);
    });
}

/** The record of CONTRACT.md for one event. */
export function recordOf(event: MailEvent): Record<string, unknown> {
  return {
    file: event.file,
    line: event.line,
    time: event.time === null ? null : new Date(event.time).toISOString(),
    host: event.host,
    program: event.program,
    pid: event.pid ?? null,
    queue_id: event.queueId ?? null,
    session: event.session ?? null,
    template_id: event.templateId,
    event: event.event,
    fields: event.fields,
    text: event.text,
  };
}

async function writeRecords(mail: OpenedMail, write: (text: string) => void | Promise<void>): Promise<void> {
  let out = "";
  for await (const { file, lines } of mail.batches()) {
    for (let i = 0; i < lines.count; i++) {
      out += `${JSON.stringify(recordOf(mail.reader.read(file, lines, i)))}\n`;
      if (out.length > CHUNK) {
        await write(out);
        out = "";
      }
    }
  }
  if (out !== "") await write(out);
}

async function statsOf(mail: OpenedMail, text: boolean): Promise<string> {
  await eachEvent(mail, () => {});
  const stats = mail.reader.stats(mail.duplicates());
  if (!text) return `${JSON.stringify(stats, undefined, 2)}\n`;
  const rows: [string, number][] = [
    ["lines", stats.lines],
    ...Object.entries(stats.events).sort((a, b) => b[1] - a[1]),
    ["unknown", stats.unknown],
    ["bad envelope", stats.bad_envelope],
    ["duplicates", stats.duplicates],
  ];
  return rows.map(([name, n]) => `${String(n).padStart(10)}  ${name}\n`).join("");
}
