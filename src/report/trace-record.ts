import { lastAttempt, type Recipient, type Session, type Story } from "../mail/story.ts";
import { statusOf } from "../mail/story-facts.ts";
import { localTime } from "./format.ts";
import { recipientText, sentenceOf, sessionsOf, type Trace } from "./trace.ts";
import { tellLine } from "./trace-line.ts";

const iso = (ms: number): string => new Date(ms).toISOString();

/** The records of one thread, one a message. thread: a number that its messages share. */
export function traceRecords(trace: Trace, thread: number, timeZone: string): Record<string, unknown>[] {
  const clock = (ms: number): string => localTime(ms, timeZone);
  return trace.stories.map((story) => {
    const sessions = sessionsOf([story]);
    const own = new Set([...story.lines, ...sessions.flatMap((s) => s.lines)].map((ref) => ref.seq));
    const lines = trace.lines.filter((l) => own.has(l.ref.seq));
    return {
      type: "message",
      thread,
      matched: trace.matches.get(story) ?? null,
      ...headRecord(story),
      summary: sentenceOf([story], clock),
      thread_summary: sentenceOf(trace.stories, clock),
      recipients: [...story.recipients.values()].map((r) => recipientRecord(r, story)),
      recipients_omitted: story.recipientsOmitted,
      links: story.links.map(({ kind, parent, child, note, known }) => ({
        kind,
        parent,
        child,
        note: note ?? null,
        known,
      })),
      connections: sessions.map(sessionRecord),
      dovecot_sessions: story.lmtp,
      total_lines: story.lineCount,
      timeline: lines.flatMap(({ ref, event }) =>
        event === undefined
          ? []
          : [
              {
                time: iso(ref.time),
                daemon: event.daemon,
                event: event.event,
                what: tellLine(event),
                file: ref.file,
                line: ref.line,
              },
            ],
      ),
      lines: lines.map(({ ref }) => ({ file: ref.file, line: ref.line, text: ref.text ?? null })),
    };
  });
}

function headRecord(story: Story): Record<string, unknown> {
  return {
    queue_id: story.queueId,
    host: story.host,
    instance: story.instance ?? null,
    message_id: story.messageId ?? null,
    from: story.from ?? null,
    size: story.size ?? null,
    nrcpt: story.nrcpt ?? null,
    client_name: story.clientName ?? null,
    client_address: story.clientAddress ?? null,
    sasl_username: story.saslUsername ?? null,
    uid: story.uid ?? null,
    start: iso(story.start),
    end: iso(story.end),
    start_seen: story.startSeen,
    finished: story.finished,
    unfinished: story.finished ? null : (story.why ?? "log ends"),
    fate: story.fate ?? null,
    fate_reason: story.fateReason ?? null,
    held: story.held,
    expired: story.expired,
    activations: story.activations,
    refused_recipients: story.refused,
  };
}

function recipientRecord(r: Recipient, story: Story): Record<string, unknown> {
  const last = lastAttempt(r);
  return {
    to: r.to,
    orig_to: r.origTo ?? null,
    status: statusOf(r),
    attempts: r.attempts,
    relay: last?.relay ?? null,
    delay: last?.delay ?? null,
    dsn: last?.dsn ?? null,
    reason: last?.reason ?? null,
    first: r.history[0] === undefined ? null : iso(r.history[0].time),
    last: last === undefined ? null : iso(last.time),
    handed_to: r.handedTo ?? null,
    mailbox: story.mailboxes?.get(r.to.toLowerCase()) ?? null,
    summary: recipientText(r, story),
    history: r.history.map((a) => ({
      time: iso(a.time),
      status: a.status,
      relay: a.relay ?? null,
      delay: a.delay ?? null,
      dsn: a.dsn ?? null,
      reason: a.reason ?? null,
    })),
  };
}

/** A connection or a log-in session. */
export function sessionRecord(s: Session): Record<string, unknown> {
  return {
    type: "session",
    kind: s.kind,
    session: s.key,
    host: s.host,
    daemon: s.daemon,
    client_name: s.clientName ?? null,
    client_address: s.client ?? null,
    user: s.user ?? null,
    start: iso(s.start),
    end: iso(s.end),
    start_seen: s.startSeen,
    finished: s.finished,
    unfinished: s.finished ? null : (s.why ?? "log ends"),
    outcome: s.outcome ?? null,
    messages: s.messages,
    rejects: s.rejects,
    total_lines: s.lineCount,
    lines: s.lines.map(({ file, line, text }) => ({ file, line, text: text ?? null })),
  };
}
