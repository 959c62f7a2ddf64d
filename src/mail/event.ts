/** Word that the program itself used. "info" when it used none. */
export type Severity = "info" | "warning" | "error" | "fatal" | "panic";

/** Whether the program itself calls it an error or worse. */
export const isGrave = ({ severity }: MailEvent): boolean =>
  severity === "error" || severity === "fatal" || severity === "panic";

const TURNS: ReadonlySet<string> = new Set([
  "process_start",
  "process_stop",
  "process_exit",
  "reload",
  "throttling",
]);

/** Whether the line tells that a program starts, stops, dies or is reloaded. */
export const isTurn = ({ event, severity }: MailEvent): boolean =>
  TURNS.has(event) || severity === "fatal" || severity === "panic";

/** Whether the grammar knows the line and nothing is wrong by it: a start, a reload, a connection. */
export const isRoutine = ({ event, cause, severity }: MailEvent): boolean =>
  event !== "unknown" && cause === undefined && severity === "info";

/** One log line, understood. Everything downstream reads this; only log, template and mail read `text`, others just cite it. */
export type MailEvent = {
  /** The file as the user named it, or "-" for standard input. */
  readonly file: string;
  /** 1-based, counted as `sed -n Np` counts within the decompressed file. */
  readonly line: number;
  /** The line as in the file, capped (see `truncated`), invalid UTF-8 as U+FFFD. */
  readonly text: string;
  readonly truncated: boolean;
  /** What follows the head of the line; taken out of JSON and other wrappers. */
  readonly message: string;
  /** Whether the head is the plain one of RFC 3164 or RFC 3339: time, host, tag. */
  readonly plainHead: boolean;
  /** Milliseconds since the Unix epoch; null for a bad envelope. */
  readonly time: number | null;
  readonly host: string;
  /** As logged, e.g. "postfix/submission/smtpd". */
  readonly program: string;
  readonly pid: number | undefined;
  /** Normalised writer: "postfix/smtpd", "postfix/smtp", "dovecot/imap-login", "dovecot/auth", "opendkim"; stable over instances and services. */
  readonly daemon: string;
  readonly severity: Severity;
  /** A name from EVENTS (names.ts), "unknown" when no grammar knows the text. */
  readonly event: string;
  /** Postfix's own names: to, from, relay, delay, delays, dsn, status, client_name, client_address, sasl_username, helo, size, nrcpt, reason ... */
  readonly fields: Fields;
  /** What went wrong, from a closed list; undefined when nothing did. */
  readonly cause: Cause | undefined;
  /** Postfix queue id, also of milters that log it. */
  readonly queueId: string | undefined;
  /** Key that joins the lines of one connection or session, e.g. smtpd pid or Dovecot session id. */
  readonly session: string | undefined;
  /** Masked shape, with foreign text (replies of remote servers) cut, and its stable id. */
  readonly template: string;
  readonly templateId: string;
  /** The same object for all lines of one plan (plan.ts): what follows from their words alone may be remembered under it. */
  readonly plan: PlanMark;
};

/** number: at least 0, of hardly any other plan that the reader keeps; -1 for a plan of one line. */
export type PlanMark = { readonly number: number };

export type Fields = Readonly<Record<string, string | number>>;

/** Why something failed, as far as the line itself says. */
export type Cause =
  | "dns" // name service failed or answered "try again"
  | "connect" // refused, timed out, unreachable, connection lost
  | "tls"
  | "auth" // wrong password, unknown login
  | "auth_backend" // the password service itself failed
  | "milter"
  | "policy" // a policy service or content filter failed
  | "lookup" // a lookup table failed
  | "disk" // no space, no inodes
  | "permission"
  | "config"
  | "crash" // killed, exit status, throttling
  | "limit" // process, connection or rate limit reached
  | "blocked" // the remote refuses us for our reputation
  | "throttled" // the remote asks us to slow down
  | "greylisted"
  | "unknown_user"
  | "relay_denied"
  | "rbl" // listed by a DNS block list
  | "spam" // content or policy reject
  | "quota"
  | "loop"
  | "mailbox" // corrupt index or mailbox
  | "routing" // no such host, wrong transport, null MX
  | "protocol" // pipelining, non-SMTP commands, bad helo
  | "expired"
  | "clock"
  | "other";
