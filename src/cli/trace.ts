import { type Command, InvalidArgumentError } from "commander";
import { Fault } from "../fault.ts";
import { MessageTracker } from "../mail/message.ts";
import { StorySearch } from "../mail/search.ts";
import type { LineRef, Session } from "../mail/story.ts";
import { countText, localTime, numberText } from "../report/format.ts";
import { refsOf, type Trace, type TracedLine } from "../report/trace.ts";
import { traceHtml } from "../report/trace-html.ts";
import { sessionRecord, traceRecords } from "../report/trace-record.ts";
import { sessionText, type TraceView, traceRowText, traceText } from "../report/trace-text.ts";
import { eachEvent } from "./events.ts";
import { type MailInput, openMail } from "./input.ts";
import { addCommonOptions, addInputOptions, isQuiet, type Options, outputFormat } from "./options.ts";
import { viewOptions, writeError, writeOut } from "./out.ts";
import { createProgress, PROGRESS_LINES } from "./progress.ts";

const DEFAULT_LIMIT = 20;
/** Largest --limit: each message may carry hundreds of lines. */
const MAX_LIMIT = 1000;
/** Up to so many messages are told in full without --full. */
const FULL = 3;

/** Registers `logvane trace`. */
export function traceCommand(program: Command): Command {
  const command = program
    .command("trace")
    .description("tell the whole story of a message: by queue id, message-id or address")
    .argument("<id>", "queue id, message-id, address of a sender or recipient, or Dovecot session")
    .argument("<file...>", "log files, globs, directories, or - for standard input")
    .option("--limit <n>", "messages shown, the newest ones", parseLimit, DEFAULT_LIMIT)
    .option("--full", "the whole story of each message where there are many, not of the newest alone")
    .action(trace);
  return addInputOptions(addCommonOptions(command));
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d{1,6}$/.test(text) || limit < 1 || limit > MAX_LIMIT)
    throw new InvalidArgumentError(`It is no whole number from 1 to ${MAX_LIMIT}.`);
  return limit;
}

async function trace(needle: string, files: string[], options: Options): Promise<void> {
  const format = outputFormat(options, ["text", "json", "ndjson", "html"]);
  const search = new StorySearch(needle, Number(options["limit"]));
  if (search.needle === "")
    throw new Fault(
      "usage",
      "there is nothing to look for",
      "command line, first argument",
      "nothing was read",
      "name a queue id, a message-id or an address: logvane trace 4A1B2C3D4E /var/log/mail.log*",
    );
  const reading = await readAll(search, files, options);
  const view = { ...viewOptions(options, ""), full: options["full"] === true };
  const result = await assemble(search, reading);
  await writeOut(render(format, search, result, reading, view));
  if (reading.evicted > 0 && !isQuiet(options))
    writeError(
      `logvane: ${countText(reading.evicted, "message")} longest unseen left out of the tables to bound memory; their stories are cut\n`,
    );
  if (search.messages === 0 && search.sessions.length === 0) throw notFound(search, reading, view.timeZone);
}

type View = TraceView & { readonly full: boolean };

/** What the first pass over the input leaves. */
type Reading = {
  readonly mail: MailInput;
  readonly lines: number;
  readonly messages: number;
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly files: number;
  readonly evicted: number;
  readonly linksOmitted: number;
  readonly textsDropped: number;
  /** Whether lines were kept since the input can't be read again. */
  readonly once: boolean;
};

async function readAll(search: StorySearch, files: readonly string[], options: Options): Promise<Reading> {
  const mail = await openMail(files, options);
  const once = mail.once || files.some((f) => f.startsWith("journal:"));
  const tracker = new MessageTracker({
    keepText: once,
    onThread: (thread) => search.thread(thread),
    onSession: (session) => search.session(session),
  });
  const progress = createProgress("reading", 0, { quiet: isQuiet(options) || process.stderr.isTTY !== true });
  let lines = 0;
  let first: number | undefined;
  let last: number | undefined;
  await eachEvent(mail, (event) => {
    tracker.add(event);
    if (event.time !== null) {
      if (first === undefined || event.time < first) first = event.time;
      if (last === undefined || event.time > last) last = event.time;
    }
    if (++lines % PROGRESS_LINES === 0) progress.update(lines);
  });
  tracker.end();
  progress.update(lines);
  progress.end();
  return {
    mail,
    lines,
    messages: tracker.counts.stories,
    first,
    last,
    files: mail.files.length,
    evicted: tracker.counts.evicted,
    linksOmitted: tracker.counts.linksOmitted,
    textsDropped: tracker.textsDropped,
    once,
  };
}

type Result = {
  readonly traces: readonly Trace[];
  readonly sessions: readonly { readonly session: Session; readonly lines: readonly TracedLine[] }[];
};

/** Puts the raw lines to what was found: from memory, or by a second reading of the files. */
async function assemble(search: StorySearch, reading: Reading): Promise<Result> {
  const rows = search.found.map((found) => ({ found, refs: refsOf(found) }));
  if (!reading.once) {
    const refs = [
      ...rows.flatMap((r) => r.refs.map((x) => x.ref)),
      ...search.sessions.flatMap((s) => s.lines),
    ];
    await readTexts(refs, reading.mail.again());
  }
  const traced = (ref: LineRef, queueId: string): TracedLine => ({
    ref,
    queueId,
    event: ref.text === undefined ? undefined : reading.mail.reader.readText(ref.file, ref.line, ref.text),
  });
  return {
    traces: rows.map(({ found, refs }) => ({
      stories: found.thread.stories,
      matches: found.matches,
      lines: refs.map(({ ref, queueId }) => traced(ref, queueId)),
      linesOmitted: found.thread.stories.reduce((sum, s) => sum + s.lineCount - s.lines.length, 0),
    })),
    sessions: search.sessions.map((session) => ({
      session,
      lines: session.lines.map((ref) => traced(ref, "")),
    })),
  };
}

/** The second pass: the text of the lines that are wanted, and not a line further than the last of them. */
async function readTexts(refs: readonly LineRef[], mail: MailInput): Promise<void> {
  const wanted = new Map<string, LineRef[]>();
  for (const ref of refs) {
    const key = `${ref.line} ${ref.file}`;
    const same = wanted.get(key);
    if (same === undefined) wanted.set(key, [ref]);
    else same.push(ref);
  }
  if (wanted.size === 0) return;
  const numbers = new Set(refs.map((ref) => ref.line));
  for await (const { file, lines } of mail.batches()) {
    for (let i = 0; i < lines.count; i++) {
      const line = lines.first + i;
      if (!numbers.has(line)) continue;
      const key = `${line} ${file}`;
      for (const ref of wanted.get(key) ?? []) ref.text = lines.text(i);
      if (wanted.delete(key) && wanted.size === 0) return;
    }
  }
}

function render(format: string, search: StorySearch, result: Result, reading: Reading, view: View): string {
  const { timeZone } = view;
  const shown = result.traces.reduce((sum, t) => sum + t.matches.size, 0);
  if (format === "html")
    return traceHtml({
      needle: search.needle,
      traces: result.traces,
      more: search.messages - shown,
      timeZone,
    });
  if (format === "text") return textOf(search, result, search.messages - shown, view);
  const records = result.traces.flatMap((t, i) => traceRecords(t, i + 1, timeZone));
  const sessions = result.sessions.map(({ session }) => sessionRecord(session));
  if (format === "ndjson") return [...records, ...sessions].map((r) => `${JSON.stringify(r)}\n`).join("");
  const iso = (ms: number | undefined): string | null =>
    ms === undefined ? null : new Date(ms).toISOString();
  const document = {
    needle: search.needle,
    found: search.messages,
    shown,
    lines_read: reading.lines,
    first_time: iso(reading.first),
    last_time: iso(reading.last),
    messages_followed: reading.messages,
    bounded: {
      evicted: reading.evicted,
      links_omitted: reading.linksOmitted,
      texts_dropped: reading.textsDropped,
    },
    other_case: search.near,
    messages: records,
    sessions,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Few messages are told in full; of many there is a list, and the story of the newest. */
function textOf(search: StorySearch, result: Result, older: number, view: View): string {
  const { traces } = result;
  const parts: string[] = [];
  if (traces.length > 1 || older > 0) {
    const more = older > 0 ? `, ${numberText(older)} older ones not shown (--limit)` : "";
    parts.push(
      `${countText(search.messages, "message")} found${more}, the newest last\n`,
      traces.map((trace) => traceRowText(trace, view)).join(""),
    );
  }
  const all = view.full || traces.length <= FULL;
  const told = all ? traces : traces.slice(-1);
  parts.push(...told.map((trace) => traceText(trace, view)));
  if (!all)
    parts.push(
      "Above, the story of the newest. logvane trace ID FILE... tells that of another one, --full all.\n",
    );
  parts.push(...result.sessions.map(({ session, lines }) => sessionText(session, lines, view)));
  return parts.join("\n");
}

/** Says what was looked through, and what may be the matter. */
function notFound(search: StorySearch, reading: Reading, timeZone: string): Fault {
  const { first, last } = reading;
  const span =
    first === undefined || last === undefined
      ? "none of them with a time"
      : `from ${localTime(first, timeZone)} to ${localTime(last, timeZone)}`;
  const hints = ["name the rotated files too (/var/log/mail.log*)"];
  if (search.near.length > 0)
    hints.unshift(`ids are compared with their case: look for ${search.near.join(" or ")}`);
  else if (/^[0-9A-Za-z.-]+$/.test(search.needle)) hints.push("check the case of the id");
  else hints.push("give the message-id or address as a whole");
  return new Fault(
    "noInput",
    `no message with the id or address "${search.needle.slice(0, 100)}"`,
    `${countText(reading.lines, "line")} of ${countText(reading.files, "file")}, ${span}, with ${countText(reading.messages, "message")}`,
    "there is nothing to show",
    hints.join("; "),
  );
}
