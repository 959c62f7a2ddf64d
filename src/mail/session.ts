import type { MailEvent } from "./event.ts";
import type { LineKeeper } from "./line-keeper.ts";
import { Recency, trim } from "./recency.ts";
import { type LineRef, MAX_SESSION_LINES, type Session, type Unfinished } from "./story.ts";

/** Connections and sessions held at once; beyond, the one longest unseen is left out. */
const MAX_SESSIONS = 20_000;
/** smtpd and postscreen hang up after five minutes of silence (smtpd_timeout); a filter may take as long again. */
const IDLE_SMTP_MS = 30 * 60_000;
/** An IMAP client may stay for days and say nothing that is logged. */
const IDLE_MAIL_MS = 3 * 86_400_000;
/** postscreen hands a client on at once; a busy smtpd pool lets it wait. */
const HANDOVER_MS = 60_000;

export type SessionCounts = {
  opened: number;
  closed: number;
  timedOut: number;
  evicted: number;
  reused: number;
};

/**
 * Joins lines to connections and log-in sessions: smtpd by host and pid, postscreen by address and port, Dovecot by
 * its session id. A pid that connects again begins a new connection, and what postscreen let pass is linked to the
 * smtpd connection that follows from the same address.
 */
export class SessionTracker {
  readonly counts: SessionCounts = { opened: 0, closed: 0, timedOut: 0, evicted: 0, reused: 0 };
  readonly #open = new Map<string, Session>();
  /** SMTP connections, and log-in sessions, which may idle longer. */
  readonly #smtp = new Recency<Session>();
  readonly #mail = new Recency<Session>();
  /** Address -> the postscreen session that passed last. */
  readonly #passed = new Map<string, Session>();
  /** Host and address -> the open smtpd connection, for policy services that know nothing else. */
  readonly #byAddress = new Map<string, Session>();
  readonly #lines: LineKeeper;
  readonly #closed: (session: Session) => void;

  /** closed: called with each session when no more lines are expected. */
  constructor(lines: LineKeeper, closed: (session: Session) => void = () => {}) {
    this.#lines = lines;
    this.#closed = closed;
  }

  get size(): number {
    return this.#open.size;
  }

  /** The open session of a key. */
  get(key: string): Session | undefined {
    return this.#open.get(key);
  }

  /** The open smtpd connection from an address. */
  from(host: string, address: string): Session | undefined {
    return this.#byAddress.get(`${host} ${address}`);
  }

  /** Adds a line to its session. ref: where it stands. now: log time that never goes back. Returns the session. */
  add(event: MailEvent, key: string, ref: LineRef, now: number): Session {
    this.#expire(now);
    let session = this.#open.get(key);
    if (session !== undefined && begins(event.event) && !adopts(session, now)) {
      if (!session.finished) this.counts.reused++;
      this.#close(session, "id reused");
      session = undefined;
    }
    session ??= this.#begin(event, key);
    if (begins(event.event)) session.startSeen = true;
    const recency = this.#recency(session);
    recency.touch(session, now);
    this.#lines.keep(session, ref, MAX_SESSION_LINES);
    this.#learn(session, event, now);
    // postscreen may say DISCONNECT after PASS, and a Dovecot LMTP session may save to many users.
    if (session.finished && (session.kind === "smtpd" || session.kind === "dovecot"))
      this.#close(session, undefined);
    if (this.#open.size > MAX_SESSIONS) {
      const oldest = this.#smtp.size >= this.#mail.size ? this.#smtp.oldest()! : this.#mail.oldest()!;
      if (!oldest.finished) this.counts.evicted++;
      this.#close(oldest, "evicted");
    }
    return session;
  }

  /** The log ends: what is open stays unfinished. */
  end(): void {
    for (const session of this.#open.values()) this.#close(session, "log ends");
  }

  /** All open sessions. */
  open(): Iterable<Session> {
    return this.#open.values();
  }

  #recency(session: Session): Recency<Session> {
    return session.kind === "dovecot" || session.kind === "other" ? this.#mail : this.#smtp;
  }

  #begin(event: MailEvent, key: string): Session {
    const time = event.time ?? 0;
    const kind = kindOf(event, key);
    this.counts.opened++;
    const session: Session = {
      kind,
      key,
      host: event.host,
      daemon: event.daemon,
      client: undefined,
      clientName: undefined,
      user: undefined,
      start: time,
      end: time,
      startSeen: kind === "lmtp" || /-login$|\/auth/.test(event.daemon),
      finished: false,
      why: undefined,
      outcome: undefined,
      messages: [],
      rejects: 0,
      before: undefined,
      lines: [],
      lineCount: 0,
    };
    this.#open.set(key, session);
    return session;
  }

  #learn(session: Session, event: MailEvent, now: number): void {
    const { fields } = event;
    session.end = Math.max(session.end, event.time ?? session.end);
    const address = fields["client_address"] ?? fields["rip"];
    if (session.client === undefined && typeof address === "string") session.client = address;
    if (typeof fields["client_name"] === "string" && fields["client_name"] !== "")
      session.clientName ??= fields["client_name"];
    const user = fields["sasl_username"] ?? fields["user"];
    if (typeof user === "string" && user !== "") session.user ??= user;
    const outcome = outcomeOf(event);
    if (outcome !== undefined) session.outcome = outcome;
    if (event.event === "reject" || event.event === "milter_reject") session.rejects++;
    if (ends(event, session.kind)) session.finished = true;
    if (session.client === undefined) return;
    const place = `${event.host} ${session.client}`;
    if (session.kind === "postscreen" && outcome === "handed to smtpd") {
      this.#passed.set(place, session);
      trim(this.#passed, MAX_SESSIONS);
    }
    if (event.event === "connect" && session.kind === "smtpd") {
      this.#byAddress.set(place, session);
      const before = this.#passed.get(place);
      if (before === undefined) return;
      this.#passed.delete(place);
      if (now - before.end <= HANDOVER_MS) session.before = before;
    }
  }

  #expire(now: number): void {
    this.#expireOf(this.#smtp, now - IDLE_SMTP_MS);
    this.#expireOf(this.#mail, now - IDLE_MAIL_MS);
  }

  #expireOf(recency: Recency<Session>, limit: number): void {
    for (let session = recency.idle(limit); session !== undefined; session = recency.idle(limit)) {
      if (!session.finished) this.counts.timedOut++;
      this.#close(session, "timed out");
    }
  }

  #close(session: Session, why: Unfinished | undefined): void {
    this.#open.delete(session.key);
    this.#recency(session).delete(session);
    this.#lines.release(session);
    if (session.client !== undefined) {
      const place = `${session.host} ${session.client}`;
      if (this.#byAddress.get(place) === session) this.#byAddress.delete(place);
    }
    session.why = session.finished ? undefined : why;
    this.counts.closed++;
    this.#closed(session);
  }
}

function kindOf(event: MailEvent, key: string): Session["kind"] {
  const { daemon } = event;
  if (daemon === "postfix/postscreen") return "postscreen";
  if (daemon.startsWith("postfix/")) return key.includes("[") ? "smtpd" : "other";
  if (daemon === "dovecot/lmtp") return "lmtp";
  return daemon.startsWith("dovecot") ? "dovecot" : "other";
}

/** smtpd warns of a client's host name before it says `connect from`: such a line belongs to the connection that follows. */
const adopts = (session: Session, now: number): boolean =>
  !session.startSeen &&
  session.messages.length === 0 &&
  session.outcome === undefined &&
  now - session.start <= HANDOVER_MS;

const begins = (event: string): boolean =>
  event === "connect" || event === "postscreen_connect" || event === "lmtp_connect";

/** Events after which nothing more is expected. */
function ends(event: MailEvent, kind: Session["kind"]): boolean {
  if (kind === "smtpd" && died(event)) return true;
  switch (event.event) {
    case "disconnect":
    case "postscreen_disconnect":
    case "logout":
    case "session_end":
    case "login_aborted":
    case "lmtp_disconnect":
      return true;
    case "postscreen_pass":
    case "postscreen_list":
      return handsOn(event);
    case "mail_saved":
    case "mail_discarded":
    case "mail_forwarded":
    case "quota":
    case "mailbox_error":
      return kind === "lmtp";
    case "auth_failure":
    case "tls_failure":
      return event.daemon.endsWith("-login");
    default:
      return false;
  }
}

/** PASS, ALLOWLISTED and WHITELISTED send the client on to smtpd; the other verdicts keep it. */
function handsOn(event: MailEvent): boolean {
  const verdict = String(event.fields["verdict"] ?? "");
  return event.event === "postscreen_pass" || verdict === "ALLOWLISTED" || verdict === "WHITELISTED";
}

/** After `fatal:` or `panic:` the process is gone, and its client with it. */
const died = (event: MailEvent): boolean => event.severity === "fatal" || event.severity === "panic";

function outcomeOf(event: MailEvent): string | undefined {
  if (died(event)) return "the process died";
  switch (event.event) {
    case "postscreen_pass":
    case "postscreen_list":
      return handsOn(event) ? "handed to smtpd" : "listed";
    case "postscreen_hangup":
      return "hung up";
    case "auth_failure":
      return "log-in failed";
    case "login":
      return "logged in";
    case "connection_lost":
      return "connection lost";
    case "timeout":
      return "timed out";
    case "too_many_errors":
      return "too many errors";
    default:
      return undefined;
  }
}
