import { detached } from "../log/lines.ts";
import type { MailEvent } from "./event.ts";

/** Lines of one message that are remembered; the rest is counted. A message retried for five days writes about 150. */
export const MAX_STORY_LINES = 300;
/** Recipients of one message that are told apart; the rest is counted. Postfix's own smtpd_recipient_limit is 1000. */
export const MAX_RECIPIENTS = 1000;
/** Delivery attempts of one recipient that are kept one by one: the first one and the newest. */
export const MAX_ATTEMPTS = 12;
/** Links of one message to others. */
export const MAX_LINKS = 64;
/** Users whose mailboxes a message notes. */
export const MAX_MAILBOXES = 100;
/** Messages that hang together in one thread; a loop or a bounce storm makes no endless one. */
export const MAX_THREAD = 64;
/** Lines of one connection or session that are remembered. */
export const MAX_SESSION_LINES = 60;
/** Queue ids that a connection lists. */
const MAX_SESSION_MESSAGES = 50;

/** Where a line stands. `text` is there only where the input can't be read twice. */
export type LineRef = {
  /** Counts the lines that were added, so that refs of several stories can be put in order. */
  readonly seq: number;
  readonly file: string;
  readonly line: number;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  text: string | undefined;
};

/** One try to deliver to one recipient. */
export type Attempt = {
  readonly time: number;
  /** Postfix's word: sent, deferred, bounced, deliverable, undeliverable; of our own: expired. */
  readonly status: string;
  readonly relay: string | undefined;
  /** Seconds since the message came. */
  readonly delay: number | undefined;
  readonly dsn: string | undefined;
  readonly reason: string | undefined;
};

export type Recipient = {
  readonly to: string;
  /** Address before aliases were expanded, where the log names it. */
  readonly origTo: string | undefined;
  /** Tries, all of them. */
  attempts: number;
  /** The first try and the newest ones. */
  readonly history: Attempt[];
  /** Queue id under which the message went on: a content filter, a forward. */
  handedTo: string | undefined;
};

/** How two messages hang together, seen from the parent. */
export type LinkKind =
  /** A notification to the sender: bounce, delay, success. */
  | "notification"
  /** Forwarded by local(8). */
  | "forward"
  /** Given to a content filter that sent it back to this host, under a new id. */
  | "filter"
  /** Passed on to another host whose log is here too. */
  | "relay"
  /** Requeued by postsuper -r. */
  | "requeue"
  /** The same message-id came in again from this host while the first was on its way: a filter or a redirect. */
  | "resubmission";

export type Link = {
  kind: LinkKind;
  readonly parent: string;
  readonly child: string;
  /** The log's words for it, such as "sender non-delivery". */
  readonly note: string | undefined;
  /** Whether the other message is in the same thread; its lines may lie outside the log. */
  known: boolean;
};

/** Why a message or session has no end here. */
export type Unfinished =
  /** The log ends while it is on its way. */
  | "log ends"
  /** Its id began a new message; the end of the old one is not in the log. */
  | "id reused"
  /** Nothing was said of it for so long that no queue would still hold it. */
  | "timed out"
  /** Left out of the tables to bound memory. */
  | "evicted";

/** What became of a message as a whole; undefined while it is on its way. */
export type Fate =
  /** The queue is done with it: each recipient has a final status. */
  | "removed"
  /** Deleted by the operator (postsuper -d). */
  | "deleted"
  /** Given a new id (postsuper -r). */
  | "requeued"
  /** Refused at the end of the data, by a milter or a header or body check. */
  | "rejected"
  /** Accepted and thrown away. */
  | "discarded"
  /** The client left before the message was complete. */
  | "aborted";

/** One connection or log-in session. */
export type Session = {
  readonly kind: "smtpd" | "postscreen" | "dovecot" | "lmtp" | "other";
  /** The reader's key: host, daemon and pid, address and port, or Dovecot's session id. */
  readonly key: string;
  readonly host: string;
  readonly daemon: string;
  client: string | undefined;
  clientName: string | undefined;
  user: string | undefined;
  readonly start: number;
  end: number;
  /** Whether the line that begins it was seen. */
  startSeen: boolean;
  finished: boolean;
  why: Unfinished | undefined;
  /** How it ended or what stands out: "auth failed", "handed to smtpd". */
  outcome: string | undefined;
  readonly messages: string[];
  /** Refusals within it. */
  rejects: number;
  /** The postscreen session that came before it. */
  before: Session | undefined;
  readonly lines: LineRef[];
  lineCount: number;
};

/** One life of one queue id. */
export type Story = {
  readonly serial: number;
  readonly queueId: string;
  readonly host: string;
  /** Name before the first slash of the tag: "postfix", "postfix-out"; undefined while only filters spoke. */
  instance: string | undefined;
  messageId: string | undefined;
  from: string | undefined;
  /** Bytes. */
  size: number | undefined;
  /** Recipients as the queue manager counts them. */
  nrcpt: number | undefined;
  clientName: string | undefined;
  clientAddress: string | undefined;
  saslUsername: string | undefined;
  uid: number | undefined;
  readonly start: number;
  end: number;
  /** Whether its first line (client=, pickup, message-id) was seen. */
  readonly startSeen: boolean;
  /** How often the queue manager took it up. */
  activations: number;
  held: boolean;
  expired: boolean;
  fate: Fate | undefined;
  /** What the refusal or the filter said. */
  fateReason: string | undefined;
  finished: boolean;
  why: Unfinished | undefined;
  /** By `to` and `orig_to`, a line end between them. */
  recipients: ReadonlyMap<string, Recipient>;
  /** Deliveries of recipients beyond MAX_RECIPIENTS. */
  recipientsOmitted: number;
  /** Recipients refused while it came in. */
  refused: number;
  links: readonly Link[];
  session: Session | undefined;
  /** Dovecot LMTP sessions that saved it. */
  lmtp: readonly string[];
  /** Dovecot's user -> the mailbox into which it was saved. */
  mailboxes: Map<string, string> | undefined;
  readonly lines: LineRef[];
  lineCount: number;
  thread: Thread;
  /** Older stories of the same queue id and message-id, for the index. */
  olderAlike: Story | undefined;
  olderNamed: Story | undefined;
};

/** Messages that hang together, oldest first. */
export type Thread = {
  readonly stories: Story[];
  /** Stories that are not closed yet. */
  open: number;
  /** Links not followed since the thread was full. */
  linksOmitted: number;
};

/** Most messages of a flood have none: they share what is empty. */
const NO_RECIPIENTS: ReadonlyMap<string, Recipient> = new Map();
const NONE: readonly never[] = [];

export function newStory(serial: number, event: MailEvent, queueId: string, startSeen: boolean): Story {
  const time = event.time ?? 0;
  const thread: Thread = { stories: [], open: 1, linksOmitted: 0 };
  const story: Story = {
    serial,
    queueId: detached(queueId),
    host: event.host,
    instance: instanceOf(event),
    messageId: undefined,
    from: undefined,
    size: undefined,
    nrcpt: undefined,
    clientName: undefined,
    clientAddress: undefined,
    saslUsername: undefined,
    uid: undefined,
    start: time,
    end: time,
    startSeen,
    activations: 0,
    held: false,
    expired: false,
    fate: undefined,
    fateReason: undefined,
    finished: false,
    why: undefined,
    recipients: NO_RECIPIENTS,
    recipientsOmitted: 0,
    refused: 0,
    links: NONE,
    session: undefined,
    lmtp: NONE,
    mailboxes: undefined,
    lines: [],
    lineCount: 0,
    thread,
    olderAlike: undefined,
    olderNamed: undefined,
  };
  thread.stories.push(story);
  return story;
}

/** "postfix-out" of `postfix-out/smtp`, "exim" of Exim; undefined for filters, which serve any instance. */
export function instanceOf(event: MailEvent): string | undefined {
  const { daemon, program } = event;
  if (daemon.startsWith("postfix")) {
    const slash = program.indexOf("/");
    // The commands postsuper and postqueue log without an instance's name.
    return slash < 0 ? undefined : program.slice(0, slash);
  }
  return daemon.startsWith("exim") ? "exim" : undefined;
}

export function noteMessage(session: Session, queueId: string): void {
  if (session.messages.length < MAX_SESSION_MESSAGES) session.messages.push(queueId);
}

/** The newest try of a recipient. */
export const lastAttempt = (r: Recipient): Attempt | undefined => r.history.at(-1);
