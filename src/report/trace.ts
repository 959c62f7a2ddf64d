import type { MailEvent } from "../mail/event.ts";
import type { Found, Match } from "../mail/search.ts";
import type { Attempt, LineRef, Recipient, Session, Story } from "../mail/story.ts";
import { lastAttempt } from "../mail/story.ts";
import { isFinal, statusOf } from "../mail/story-facts.ts";
import { cut } from "./escape.ts";
import { durationText } from "./format.ts";

/** Characters of another server's words in a sentence; the raw lines have them all. */
const REASON = 110;
/** The same beside a recipient. */
const LONG_REASON = 200;

/** A line of a story with what it says. */
export type TracedLine = {
  readonly ref: LineRef;
  /** Queue id of the message; "" for lines of the connection. */
  readonly queueId: string;
  /** undefined where the text could not be read again. */
  readonly event: MailEvent | undefined;
};

/** A thread ready to be shown. */
export type Trace = {
  readonly stories: readonly Story[];
  readonly matches: ReadonlyMap<Story, Match>;
  /** In the order of the log, connections included. */
  readonly lines: readonly TracedLine[];
  /** Lines of these messages that were not kept. */
  readonly linesOmitted: number;
};

/** One recipient's result, followed through filters and forwards. */
export type Result = { readonly recipient: Recipient; readonly story: Story; readonly status: string };

/** The connections of a thread: each smtpd one with the postscreen session before it. */
export function sessionsOf(stories: readonly Story[]): Session[] {
  const all = new Set<Session>();
  for (const { session } of stories) {
    if (session === undefined) continue;
    if (session.before !== undefined) all.add(session.before);
    all.add(session);
  }
  return [...all];
}

/** All refs of a thread, in log order, each with the queue id that it is of. */
export function refsOf(found: Found): { ref: LineRef; queueId: string }[] {
  const rows = found.thread.stories.flatMap((s) => s.lines.map((ref) => ({ ref, queueId: s.queueId })));
  for (const session of sessionsOf(found.thread.stories))
    for (const ref of session.lines) rows.push({ ref, queueId: "" });
  const seen = new Set<number>();
  return rows
    .sort((a, b) => a.ref.seq - b.ref.seq || (a.queueId < b.queueId ? 1 : -1))
    .filter(({ ref }) => !seen.has(ref.seq) && seen.add(ref.seq));
}

/** The message that the others come from: notifications and copies are children. */
export const rootOf = (stories: readonly Story[]): Story =>
  stories.find((s) => !s.links.some((l) => l.child === s.queueId && l.known)) ?? stories[0]!;

/** Is this message a notification of another one in its thread? */
const isNotification = (story: Story): boolean =>
  story.links.some((l) => l.kind === "notification" && l.child === story.queueId);

/** What became of each recipient: of one that was handed on, the next message tells. */
export function resultsOf(stories: readonly Story[]): Result[] {
  const ids = new Set(stories.map((s) => s.queueId));
  const results: Result[] = [];
  for (const story of stories) {
    if (isNotification(story) && stories.some((s) => !isNotification(s))) continue;
    for (const recipient of story.recipients.values()) {
      const next = recipient.handedTo;
      if (next !== undefined && next !== story.queueId && ids.has(next)) continue;
      results.push({ recipient, story, status: statusOf(recipient) });
    }
  }
  return results;
}

const WORDS: Readonly<Record<string, string>> = {
  sent: "delivered",
  expired: "given up as too old",
  deliverable: "deliverable (a probe)",
  undeliverable: "undeliverable (a probe)",
};
export const statusWord = (status: string): string => WORDS[status] ?? status;

/** The order in which results are told: good news first, as one reads a list of deliveries. */
const ORDER = ["sent", "deliverable", "deferred", "bounced", "undeliverable", "expired"];

/** One sentence: from whom, to whom, what became of it. clock: how a time of day is written. */
export function sentenceOf(stories: readonly Story[], clock: (ms: number) => string): string {
  const root = rootOf(stories);
  const results = resultsOf(stories);
  const to = results.length === 1 ? results[0]!.recipient.to : recipientsText(root, results.length);
  const from =
    root.from === undefined
      ? "a sender not in the log"
      : root.from === ""
        ? "<> (a notification)"
        : root.from;
  return `from ${from} to ${to}: ${[...outcomes(root, results, clock), ...endings(stories, root)].join(", ")}`;
}

function recipientsText(root: Story, known: number): string {
  const n = Math.max(root.nrcpt ?? 0, known + root.recipientsOmitted);
  return n === 0 ? "recipients not in the log" : n === 1 ? "1 recipient" : `${n} recipients`;
}

function outcomes(root: Story, results: readonly Result[], clock: (ms: number) => string): string[] {
  const parts: string[] = [];
  const statuses = [...new Set(results.map((r) => r.status))].sort((a, b) => rank(a) - rank(b));
  for (const status of statuses) {
    const same = results.filter((r) => r.status === status);
    const n = results.length === 1 ? "" : `${same.length} `;
    parts.push(`${n}${statusWord(status)}${detail(status, same, clock)}`);
  }
  const waiting = (root.nrcpt ?? 0) - root.recipients.size - root.recipientsOmitted;
  if (root.recipients.size > 0 && waiting > 0 && !root.finished) parts.push(`${waiting} not tried yet`);
  if (root.recipientsOmitted > 0) parts.push(`${root.recipientsOmitted} more deliveries not told apart`);
  return parts;
}

const rank = (status: string): number => (ORDER.indexOf(status) + ORDER.length + 1) % (ORDER.length + 1);

/** ` in 0.1 s`, ` since 10:02 (connection timed out)`. */
function detail(status: string, same: readonly Result[], clock: (ms: number) => string): string {
  const last = lastAttempt(same[0]!.recipient);
  if (last === undefined) return "";
  if (status === "sent")
    return same.length === 1 && last.delay !== undefined ? ` in ${seconds(last.delay)}` : "";
  const since = Math.min(...same.map((r) => r.recipient.history[0]?.time ?? last.time));
  const when = status === "deferred" ? ` since ${clock(since)}` : "";
  return `${when}${last.reason === undefined ? "" : ` (${cut(last.reason, REASON)})`}`;
}

const FATES: Readonly<Record<string, string>> = {
  deleted: "deleted by the operator",
  requeued: "requeued by the operator",
  rejected: "refused",
  discarded: "thrown away",
  aborted: "the client left before it was complete",
};

/** What the fate of the message adds, and why its end is missing. */
function endings(stories: readonly Story[], root: Story): string[] {
  const parts: string[] = [];
  const fate = root.fate === undefined ? undefined : FATES[root.fate];
  if (fate !== undefined)
    parts.push(fate + (root.fateReason === undefined ? "" : ` (${cut(root.fateReason, REASON)})`));
  if (root.held) parts.push("on hold");
  const open = stories.find((s) => !s.finished);
  if (open !== undefined) {
    const which = stories.length > 1 ? `${open.queueId} ` : "";
    parts.push(`${which}unfinished: ${unfinishedText(open)}`);
  }
  if (!root.startSeen) parts.push("its start is not in the log");
  if (parts.length === 0 && root.recipients.size === 0) parts.push("no delivery in the log");
  return parts;
}

export function unfinishedText(story: Story): string {
  switch (story.why) {
    case "id reused":
      return "its id began a new message";
    case "timed out":
      return "no line for five days";
    case "evicted":
      return "left out to bound memory";
    default:
      return "the log ends";
  }
}

/** `deferred 3 times in 2.1 h, last by mx[ip]:25: reason`. */
export function recipientText(r: Recipient, story: Story): string {
  const last = lastAttempt(r);
  if (last === undefined) return "not tried";
  const tries = r.attempts > 1 ? ` after ${r.attempts} tries in ${durationText(span(r))}` : "";
  const by = last.relay === undefined || last.relay === "none" ? "" : ` by ${last.relay}`;
  const delay =
    r.attempts <= 1 && last.delay !== undefined && isFinal(last.status) ? ` in ${seconds(last.delay)}` : "";
  const box = story.mailboxes?.get(r.to.toLowerCase());
  const into = box === undefined ? "" : `, saved to ${box}`;
  const why = last.reason === undefined || last.status === "sent" ? "" : `: ${cut(last.reason, LONG_REASON)}`;
  const next = r.handedTo === undefined ? "" : `, goes on as ${r.handedTo}`;
  return `${statusWord(last.status)}${tries}${delay}${by}${into}${next}${why}`;
}

const span = (r: Recipient): number => {
  const first: Attempt | undefined = r.history[0];
  return first === undefined ? 0 : Math.max(0, r.history.at(-1)!.time - first.time);
};

/** 0.08 s, 12 s, 3 min. */
const seconds = (s: number): string => (s < 60 ? `${s} s` : durationText(s * 1000));
