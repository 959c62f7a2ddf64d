import type { Command } from "commander";
import { Fault } from "../fault.ts";
import type { MailEvent } from "../mail/event.ts";
import { EVENTS } from "../mail/names.ts";
import type { Stats } from "../mail/read.ts";
import { cut, terminalSafe } from "../report/escape.ts";
import type { OpenedMail, OpenMail } from "./events.ts";

/** Characters gathered before a write. */
const CHUNK = 1 << 16;
/** Templates of unknown lines that the text shows, and their width. */
const SHOWN = 20;
const WIDTH = 100;

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
    .option("--format <format>", "ndjson, json or text (with --stats: json or text)", "ndjson")
    .option("--stats", "counts of lines, events and what was not understood")
    .option("--event <names>", "only lines of these events: reject,auth_failure or unknown")
    .action(async (files: string[], options: Record<string, unknown>) => {
      const only = wantedEvents(options["event"]);
      const mail = await open(files, options);
      const { format } = options;
      if (options["stats"] === true) await write(await statsOf(mail, format === "text"));
      else await writeRecords(mail, only, format === "text" ? textOf : recordText, write);
    });
}

/** The names after --event, checked. Throws a usage Fault. */
function wantedEvents(option: unknown): ReadonlySet<string> | undefined {
  if (typeof option !== "string") return undefined;
  const names = option.split(",");
  const known: readonly string[] = EVENTS;
  const wrong = names.find((name) => !known.includes(name));
  if (wrong === undefined) return new Set(names);
  throw new Fault(
    "usage",
    `there is no event "${wrong.slice(0, 40)}"`,
    "--event",
    "nothing was done",
    `use names of docs/events.md, such as ${known.slice(0, 4).join(", ")} or unknown`,
  );
}

/** The record of CONTRACT.md for one event. */
export function recordOf(event: MailEvent): Record<string, unknown> {
  const record: Record<string, unknown> = {
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
  if (event.truncated) record["truncated"] = true;
  return record;
}

const recordText = (event: MailEvent): string => `${JSON.stringify(recordOf(event))}\n`;

/** One line for people: when, what, who, and the fields. */
function textOf(event: MailEvent): string {
  const time = event.time === null ? "-" : new Date(event.time).toISOString();
  const fields = Object.entries(event.fields).map(([name, value]) => `${name}=${value}`);
  const words = [time, event.host || "-", event.daemon, event.queueId ?? "-", event.event, ...fields];
  return `${terminalSafe(words.join(" "))}\n`;
}

async function writeRecords(
  mail: OpenedMail,
  only: ReadonlySet<string> | undefined,
  textFor: (event: MailEvent) => string,
  write: (text: string) => void | Promise<void>,
): Promise<void> {
  let out = "";
  for await (const { file, lines } of mail.batches()) {
    for (let i = 0; i < lines.count; i++) {
      const event = mail.reader.read(file, lines, i);
      if (only !== undefined && !only.has(event.event)) continue;
      out += textFor(event);
      if (out.length > CHUNK) {
        await write(out);
        out = "";
      }
    }
  }
  if (out !== "") await write(out);
}

async function statsOf(mail: OpenedMail, text: boolean): Promise<string> {
  for await (const { file, lines } of mail.batches())
    for (let i = 0; i < lines.count; i++) mail.reader.count(file, lines, i);
  const stats = mail.reader.stats(mail.duplicates());
  return text ? statsText(stats) : `${JSON.stringify(stats, undefined, 2)}\n`;
}

function statsText(stats: Stats): string {
  const understood = stats.lines - stats.unknown - stats.bad_envelope - stats.duplicates;
  const percent = stats.lines === 0 ? 100 : Math.floor((1000 * understood) / stats.lines) / 10;
  const rows: [string, number][] = [
    [`lines, ${percent} % of them understood`, stats.lines],
    ...Object.entries(stats.events).sort((a, b) => b[1] - a[1]),
    ["unknown", stats.unknown],
    ["bad envelope", stats.bad_envelope],
    ["duplicates", stats.duplicates],
  ];
  if (stats.truncated > 0) rows.push(["of all lines were cut at 8 KiB", stats.truncated]);
  if (stats.templates_bounded > 0)
    rows.push(["lines came after the table of templates was full", stats.templates_bounded]);
  const row = ([name, n]: [string, number]): string => `${String(n).padStart(10)}  ${name}\n`;
  const unknown = stats.unknown_templates.slice(0, SHOWN);
  const list = unknown.map(({ template, count }): [string, number] => [
    cut(terminalSafe(template), WIDTH),
    count,
  ]);
  return rows.map(row).join("") + (list.length > 0 ? `\nnot understood\n${list.map(row).join("")}` : "");
}
