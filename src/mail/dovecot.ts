import { readAuth } from "./dovecot-auth.ts";
import { readLogin } from "./dovecot-login.ts";
import { readMailbox } from "./dovecot-mailbox.ts";
import { readService } from "./dovecot-service.ts";
import { readSession } from "./dovecot-session.ts";
import type { Severity } from "./event.ts";
import { type Bag, cap, type Reading, redact, type Sample } from "./scan.ts";

/** Lines of our own making, as they follow the tag `dovecot: `: the forms of a line's head. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
  {
    daemon: "dovecot/imap",
    line: "imap(ann)<447><x1>: Error: something odd",
    event: "error",
    cause: "other",
    fields: { user: "ann" },
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(505, ann@our.example): Info: Connect from local",
    event: "lmtp_connect",
    fields: { user: "ann@our.example" },
  },
  { daemon: "dovecot/master", line: "Warning: SIGHUP received - reloading configuration", event: "reload" },
  {
    daemon: "dovecot/auth",
    line: "dovecot: auth: Error: auth client 0 disconnected with 1 pending requests: EOF",
    event: "auth_backend_failure",
    cause: "auth_backend",
  },
  {
    daemon: "dovecot/imap",
    line: "Fatal: imap(ann): Out of memory",
    event: "process_exit",
    cause: "crash",
    fields: { user: "ann" },
  },
  { daemon: "dovecot/imap", line: "imap(ann)<447><x1>: Debug: acl: module loaded", event: "info" },
  {
    daemon: "dovecot/imap-login",
    line: "Info: imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1",
    event: "login",
    fields: { user: "ann", rip: "192.0.2.9" },
  },
  { daemon: "dovecot/imap", line: "Info: IMAP(ann): Disconnected: Logged out bytes=59/566", event: "logout" },
];

/** Level words, as Dovecot writes them after the service. */
const LEVELS: readonly (readonly [string, Severity])[] = [
  ["Info: ", "info"],
  ["Debug: ", "info"],
  ["Warning: ", "warning"],
  ["Error: ", "error"],
  ["Fatal: ", "fatal"],
  ["Panic: ", "panic"],
  ["Warn: ", "warning"],
];

/** What stands before a message: the service, its argument and the session. */
type Head = { service: string; user: string | undefined; session: string | undefined; text: string };

const masterOf = (text: string): Head => ({ service: "master", user: undefined, session: undefined, text });

/**
 * Reads `service(user)<pid><session>: ` off the front. The argument may be a pid, a user, both, "default", or of 2.4 `user,ip,sasl:mech`.
 * A line of Dovecot's own file has its service as the program, and then `named` is that.
 */
function readHead(message: string, named: string | undefined): Head {
  if (named !== undefined) return { service: named, user: undefined, session: undefined, text: message };
  let at = 0;
  while (at < message.length && at < 32 && isName(message.charCodeAt(at))) at++;
  if (at === 0) return masterOf(message);
  const word = message.slice(0, at);
  const service = isLower(word) ? word : word.toLowerCase();
  let user: string | undefined;
  let session: string | undefined;
  if (message.charCodeAt(at) === 40) {
    const close = closeOf(message, at);
    if (close < 0) return masterOf(message);
    user = cap(message.slice(at + 1, close));
    at = close + 1;
  }
  for (let n = 0; n < 3 && message.charCodeAt(at) === 60; n++) {
    const close = message.indexOf(">", at);
    if (close < 0 || close - at > 80) break;
    if (n > 0 || !isNumber(message, at + 1, close)) session = message.slice(at + 1, close);
    at = close + 1;
  }
  if (message.charCodeAt(at) !== 58) return masterOf(message);
  return { service, user, session, text: message.slice(message.charCodeAt(at + 1) === 32 ? at + 2 : at + 1) };
}

/** The bracket that ends the argument at `open`: a colon or a pid in angle brackets follows it. */
function closeOf(message: string, open: number): number {
  let at = open;
  for (let n = 0; n < 8; n++) {
    at = message.indexOf(")", at + 1);
    if (at < 0) return -1;
    const next = message.charCodeAt(at + 1);
    if (next === 60 || (next === 58 && message.charCodeAt(at + 2) === 32)) return at;
  }
  return -1;
}

const isName = (c: number): boolean =>
  (c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c === 45 || c === 95 || (c >= 65 && c <= 90);

function isLower(word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    const c = word.charCodeAt(i);
    if (c >= 65 && c <= 90) return false;
  }
  return true;
}

/** Whether text[start, end) is digits alone; true for nothing. */
function isNumber(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i);
    if (c < 48 || c > 57) return false;
  }
  return true;
}

const NOT_SERVICES = new Set(["info", "warning", "error", "fatal", "panic", "debug", "warn"]);

/** A Dovecot line. `named` is the service when the tag says it (`imap-login: Info: ...` of Dovecot's own file). */
export function readDovecot(message: string, named: string | undefined): Reading {
  let head = readHead(message, named);
  if (NOT_SERVICES.has(head.service)) head = masterOf(message);
  if (head.service === "dovecot" && head.text !== "") head = readHead(head.text, undefined);
  let { text } = head;
  let severity: Severity = "info";
  let debug = false;
  let marked = false;
  const c = text.charCodeAt(0);
  if (c === 73 || c === 68 || c === 87 || c === 69 || c === 70 || c === 80)
    for (const [mark, level] of LEVELS)
      if (text.startsWith(mark)) {
        severity = level;
        marked = true;
        debug = mark === "Debug: ";
        text = text.slice(mark.length);
        break;
      }
  if (marked && head.service === "master" && /^[A-Za-z0-9-]{3,20}[(:]/.test(text)) {
    const inner = readHead(text, undefined);
    if (inner.text !== text && SERVICES.test(inner.service)) {
      head = inner;
      text = inner.text;
    }
  }
  const { service } = head;
  const found = dispatch(service, head, text, severity, debug);
  const session = found.session ?? head.session ?? pidSession(service, head.user);
  const level = severity === "info" ? "" : `${severity}: `;
  return {
    event: found.event,
    fields: found.fields,
    cause: found.cause,
    queueId: undefined,
    session,
    shape: level + redact(found.shape),
    severity,
    daemon: `dovecot/${service}`,
    uncached: found.uncached === true || (named === undefined && isAmbiguous(service, found)),
  };
}

/**
 * Whether the head of a line tells less than it seems: the mask hides a service's name that has a digit, so of pop3 and pop3-login only those lines may be
 * taken for each other's that no other service writes.
 */
function isAmbiguous(service: string, found: Reading): boolean {
  if (!service.startsWith("pop3")) return hasDigit(service);
  const own = service === "pop3" ? "retr" in found.fields || "top" in found.fields : "rip" in found.fields;
  return !own;
}

function hasDigit(word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    const c = word.charCodeAt(i);
    if (c >= 48 && c <= 57) return true;
  }
  return false;
}

const SERVICES =
  /^(?:auth|imap|pop3|lmtp|lda|managesieve|submission|anvil|master|config|log|dict|indexer|stats|ssl-params|doveadm|replicator|quota)/;

/** Is this tag one that Dovecot's own log file writes? */
export const isDovecotService = (program: string): boolean =>
  /^(?:(?:imap|pop3|managesieve|submission|sieve)(?:-login)?|lmtp|lda|auth-worker|dovecot-auth|dovecot-lda|doveadm|indexer-worker)$/.test(
    program,
  );

/** Services whose lines have the process in brackets: `lmtp(505)`, of 2.2 also `lmtp(505, ann)`. */
const pidSession = (service: string, argument: string | undefined): string | undefined => {
  if (argument === undefined || argument === "") return undefined;
  const comma = argument.indexOf(", ");
  const end = comma < 0 ? argument.length : comma;
  return end <= 10 && isNumber(argument, 0, end) ? `${service}(${argument.slice(0, end)})` : undefined;
};

function dispatch(service: string, head: Head, text: string, severity: Severity, debug: boolean): Reading {
  if (service.endsWith("-login")) {
    const login = readLogin(text);
    if (login !== undefined) return login;
  }
  if (service.startsWith("auth")) {
    const auth = readAuth(text, head.user);
    if (auth !== undefined) return auth;
  }
  const fields: Bag = {};
  const user = userOf(head.user);
  if (user !== undefined) fields["user"] = user;
  return (
    readSession(fields, text) ??
    readMailbox(fields, text, severity) ??
    readService(fields, text, severity, debug)
  );
}

/** The user in a head's argument: `ann`, `505, ann`; undefined for a pid, "default" and nothing. */
function userOf(argument: string | undefined): string | undefined {
  if (argument === undefined || argument === "default" || isNumber(argument, 0, argument.length))
    return undefined;
  const comma = argument.indexOf(", ");
  return comma > 0 && isNumber(argument, 0, comma) ? argument.slice(comma + 2) : argument;
}
