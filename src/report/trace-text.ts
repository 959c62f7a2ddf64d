import type { LinkKind, Session, Story } from "../mail/story.ts";
import { cut, terminalSafe } from "./escape.ts";
import { clockTime, countText, localDay, localTime, numberText } from "./format.ts";
import { wrap } from "./text.ts";
import { recipientText, resultsOf, rootOf, sentenceOf, type Trace, type TracedLine } from "./trace.ts";
import { tellLine } from "./trace-line.ts";

export type TraceView = {
  readonly color: boolean;
  /** Columns of the reader. */
  readonly width: number;
  /** IANA zone in which times are shown. */
  readonly timeZone: string;
};

/** Recipients, connections and links named in a story's head. */
const SHOWN = 20;
/** Timeline entries and raw lines shown of one thread; JSON has all that were kept. */
const ROWS = 400;
/** Width of the column of labels. */
const LABEL = 12;
const MIN_WIDTH = 60;

/** How a message goes on as another. */
const KINDS: Readonly<Record<LinkKind, string>> = {
  notification: "notification",
  forward: "forwarded",
  filter: "back from a content filter",
  relay: "passed to another host of this log",
  requeue: "requeued",
  resubmission: "sent in again on this host",
};

const DIM = "\u001b[2m";
const BOLD = "\u001b[1m";
const RED = "\u001b[31m";
const YELLOW = "\u001b[33m";
const RESET = "\u001b[0m";

/** A thread on two lines, for a list. */
export function traceRowText(trace: Trace, view: TraceView): string {
  const root = rootOf(trace.stories);
  const time = `${localDay(root.start, view.timeZone)} ${clockTime(root.start, view.timeZone)}`;
  const width = Math.max(MIN_WIDTH, view.width);
  const sentence = cut(terminalSafe(sentenceOf(trace.stories, clockOf(trace, view))), width - 2);
  return `${terminalSafe(root.queueId)}  ${paint(view, DIM, time)}\n  ${sentence}\n`;
}

/** The whole story of a thread for a terminal: what happened, the timeline, and the raw lines. */
export function traceText(trace: Trace, view: TraceView): string {
  return [
    headText(trace, view),
    timelineText(trace, view),
    rawText(trace.lines, view),
    trace.linesOmitted > 0 ? `and ${countText(trace.linesOmitted, "line")} more that were not kept\n` : "",
  ].join("");
}

const paint = (view: TraceView, code: string, text: string): string =>
  view.color ? code + text + RESET : text;

/** Times of day alone, with the date where the story takes longer than a day. */
function clockOf(trace: Trace, view: TraceView): (ms: number) => string {
  const days = new Set(trace.stories.flatMap((s) => [s.start, s.end]).map((t) => localDay(t, view.timeZone)));
  return (ms) =>
    days.size > 1 ? localTime(ms, view.timeZone).slice(0, 16) : clockTime(ms, view.timeZone).slice(0, 5);
}

function headText(trace: Trace, view: TraceView): string {
  const root = rootOf(trace.stories);
  const width = Math.max(MIN_WIDTH, view.width);
  const row = (label: string, text: string): string =>
    wrap(terminalSafe(text), width - LABEL)
      .map((part, i) => `${paint(view, DIM, (i === 0 ? label : "").padEnd(LABEL))}${part}\n`)
      .join("");
  const sentence = wrap(terminalSafe(sentenceOf(trace.stories, clockOf(trace, view))), width);
  return [
    `${paint(view, BOLD, terminalSafe(root.queueId))}${root.host === "" ? "" : ` on ${terminalSafe(root.host)}`}\n`,
    `${sentence.join("\n")}\n\n`,
    root.messageId === undefined ? "" : row("message-id", `<${root.messageId}>`),
    row("came", cameText(root, view)),
    root.size === undefined ? "" : row("size", `${numberText(root.size)} bytes`),
    recipientsText(trace, row),
    ...linkRows(trace, row),
    row("state", stateText(trace.stories)),
    "\n",
  ].join("");
}

function cameText(story: Story, view: TraceView): string {
  const time = localTime(story.start, view.timeZone);
  if (story.uid !== undefined) return `${time}, handed in on this machine by uid ${story.uid}`;
  const name = `${story.clientName ?? ""}${story.clientAddress === undefined ? "" : `[${story.clientAddress}]`}`;
  const user = story.saslUsername === undefined ? "" : `, logged in as ${story.saslUsername}`;
  if (name === "") return story.startSeen ? `${time}, made by this mail system` : `before ${time}`;
  return `${time}, from ${name}${user}`;
}

function recipientsText(trace: Trace, row: (label: string, text: string) => string): string {
  const results = resultsOf(trace.stories);
  const rows = results.slice(0, SHOWN).map(({ recipient, story }, i) => {
    const original = recipient.origTo === undefined ? "" : ` (for ${recipient.origTo})`;
    return row(i === 0 ? "to" : "", `${recipient.to}${original}: ${recipientText(recipient, story)}`);
  });
  const more = results.length - SHOWN;
  if (more > 0) rows.push(row("", `and ${countText(more, "recipient")} more (--format json has all)`));
  return rows.join("");
}

function linkRows(trace: Trace, row: (label: string, text: string) => string): string[] {
  const links = trace.stories.flatMap((s) => s.links.filter((l) => l.parent === s.queueId));
  const rows = links.slice(0, SHOWN).map((l, i) => {
    const what = l.note === undefined || l.note === "" ? KINDS[l.kind] : `${l.note} ${l.kind}`;
    return row(
      i === 0 ? "goes on" : "",
      `${l.parent} -> ${l.child}: ${what}${l.known ? "" : " (not in the log)"}`,
    );
  });
  if (links.length > SHOWN) rows.push(row("", `and ${countText(links.length - SHOWN, "link")} more`));
  return rows;
}

function stateText(stories: readonly Story[]): string {
  const open = stories.filter((s) => !s.finished);
  if (open.length === 0) return "finished";
  return open
    .map((s) => `${stories.length > 1 ? `${s.queueId} ` : ""}unfinished (${s.why ?? "log ends"})`)
    .join(", ");
}

/** Time, who wrote it, and what it says; the day where it changes, the queue id where there are several. */
function timelineText(trace: Trace, view: TraceView): string {
  const several = trace.stories.length > 1;
  const idWidth = several ? Math.max(...trace.stories.map((s) => s.queueId.length)) + 2 : 0;
  let day = "";
  let out = "";
  for (const { ref, event, queueId } of middle(trace.lines)) {
    if (event === undefined) continue;
    const today = localDay(ref.time, view.timeZone);
    if (today !== day) {
      day = today;
      out += paint(view, DIM, `${day} (${localTime(ref.time, view.timeZone).slice(17)})\n`);
    }
    const daemon = event.daemon
      .replace(/^postfix\//, "")
      .slice(0, LABEL)
      .padEnd(LABEL);
    const id = several ? queueId.padEnd(idWidth) : "";
    const room = Math.max(MIN_WIDTH, view.width) - 10 - LABEL - 1 - idWidth;
    const what = cut(terminalSafe(tellLine(event)), room);
    const color = colorOf(String(event.fields["status"] ?? ""), event.event);
    out += `  ${clockTime(ref.time, view.timeZone)}  ${paint(view, DIM, terminalSafe(daemon))} ${terminalSafe(id)}${color === "" ? what : paint(view, color, what)}\n`;
  }
  return out === "" ? "" : `${out}${leftOut(trace.lines)}\n`;
}

function colorOf(status: string, event: string): string {
  if (status === "deferred") return YELLOW;
  if (status === "bounced" || event === "expired" || event === "reject" || event === "milter_reject")
    return RED;
  return "";
}

/** The first and the last rows of too many. */
const middle = (lines: readonly TracedLine[]): readonly TracedLine[] =>
  lines.length <= ROWS ? lines : [...lines.slice(0, ROWS / 2), ...lines.slice(-ROWS / 2)];

const leftOut = (lines: readonly TracedLine[]): string =>
  lines.length <= ROWS
    ? ""
    : `  (${countText(lines.length - ROWS, "line")} in the middle left out; --format json has all)\n`;

/** The raw lines under the name of their file, with their numbers. */
function rawText(lines: readonly TracedLine[], view: TraceView): string {
  let file: string | undefined;
  let out = "";
  for (const { ref } of middle(lines)) {
    if (ref.file !== file) {
      file = ref.file;
      out += paint(view, DIM, `lines of ${terminalSafe(file)}\n`);
    }
    const text = ref.text === undefined ? "(no longer there)" : terminalSafe(ref.text);
    out += `${paint(view, DIM, String(ref.line).padStart(8))}  ${text}\n`;
  }
  return out + leftOut(lines);
}

/** A session that no message came of. */
export function sessionText(session: Session, lines: readonly TracedLine[], view: TraceView): string {
  const who = session.user === undefined ? "" : ` of ${session.user}`;
  const from = session.client === undefined ? "" : ` from ${session.client}`;
  const outcome = session.outcome === undefined ? "" : `: ${session.outcome}`;
  const state = session.finished ? "" : `, unfinished (${session.why ?? "log ends"})`;
  const head = `${session.kind} session ${session.key}${who}${from}${outcome}${state}`;
  const trace = {
    stories: [],
    matches: new Map(),
    lines,
    linesOmitted: session.lineCount - session.lines.length,
  };
  return `${paint(view, BOLD, terminalSafe(head))}\n\n${timelineText(trace, view)}${rawText(lines, view)}`;
}
