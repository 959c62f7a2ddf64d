import type { MailEvent } from "../../src/mail/event.ts";
import { MessageTracker, type TrackerOptions } from "../../src/mail/message.ts";
import type { Session, Story, Thread } from "../../src/mail/story.ts";
import { plainReader } from "./support.ts";

/** Reads lines like `10:00:01 postfix/smtpd[11]: ...` of host mx on 10 October, or whole lines that begin with a month. */
export function eventsOf(text: string): MailEvent[] {
  const reader = plainReader();
  return text
    .trim()
    .split("\n")
    .map((raw, i) => {
      const line = raw.trim();
      const whole = /^[A-Z][a-z]{2} /.test(line) ? line : `Oct 10 ${line.slice(0, 8)} mx${line.slice(8)}`;
      return reader.readText("mail.log", i + 1, whole);
    });
}

/** An event with some properties changed, whatever class it is of. */
export const changed = (event: MailEvent, changes: Partial<MailEvent>): MailEvent => ({
  file: event.file,
  line: event.line,
  text: event.text,
  message: event.message,
  plainHead: event.plainHead,
  truncated: event.truncated,
  time: event.time,
  host: event.host,
  program: event.program,
  pid: event.pid,
  daemon: event.daemon,
  severity: event.severity,
  event: event.event,
  fields: event.fields,
  cause: event.cause,
  queueId: event.queueId,
  session: event.session,
  template: event.template,
  templateId: event.templateId,
  plan: { number: -1 }, // what the changes mean is found out anew
  ...changes,
});

export type Tracked = {
  readonly tracker: MessageTracker;
  readonly threads: Thread[];
  readonly sessions: Session[];
  /** All messages, in the order in which they began. */
  readonly stories: Story[];
};

export function track(events: Iterable<MailEvent>, options: Partial<TrackerOptions> = {}): Tracked {
  const threads: Thread[] = [];
  const sessions: Session[] = [];
  const tracker = new MessageTracker({
    ...options,
    onThread: (thread) => threads.push(thread),
    onSession: (session) => sessions.push(session),
  });
  for (const event of events) tracker.add(event);
  tracker.end();
  const stories = threads.flatMap((t) => t.stories).sort((a, b) => a.serial - b.serial);
  return { tracker, threads, sessions, stories };
}

/** The numbers of the lines of a story. */
export const linesOf = (story: Story): number[] => story.lines.map((l) => l.line);

/** `to: status` of each recipient. */
export const statuses = (story: Story): string[] =>
  [...story.recipients.values()].map((r) => `${r.to}: ${r.history.map((a) => a.status).join(", ")}`);
