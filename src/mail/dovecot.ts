import { localCause } from "./cause.ts";
import type { Cause, Severity } from "./event.ts";
import type { EventName } from "./names.ts";
import { type Bag, between, cap, put, type Reading, redact, type Sample, word } from "./scan.ts";
import { numberAfter } from "./warning.ts";

/** Lines of our own making, as they follow the tag `dovecot: `. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Login: user=<ann@our.example>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, mpid=447, TLS, session=<jguLmttcG+eAKnO6>",
    event: "login",
    fields: { user: "ann@our.example", method: "PLAIN", rip: "192.0.2.9", tls: "TLS" },
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Disconnected: Connection closed (auth failed, 3 attempts in 12 secs): user=<info>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, TLS: Connection closed, session=<8ThAgcuwPj6XA54f>",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "info", attempts: 3, rip: "192.0.2.9" },
  },
  {
    daemon: "dovecot/pop3-login",
    line: "pop3-login: Aborted login (no auth attempts in 0 secs): user=<>, rip=192.0.2.9, lip=192.0.2.1, session=<3nEDkdad+1/MGCOz>",
    event: "login_aborted",
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Disconnected: Connection closed: SSL_accept() failed: error:0A000415:SSL routines::sslv3 alert certificate expired: SSL alert number 45 (no auth attempts in 0 secs): user=<>, rip=192.0.2.9, lip=192.0.2.1, TLS handshaking: SSL_accept() failed: error:0A000415, session=<x1>",
    event: "tls_failure",
    cause: "tls",
  },
  {
    daemon: "dovecot/auth",
    line: "auth: passwd-file(ann@our.example,192.0.2.9): Password mismatch",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "ann@our.example", rip: "192.0.2.9" },
  },
  {
    daemon: "dovecot/auth",
    line: "auth: sql(bob,192.0.2.9,<5k2ki8lmRGwFU9Ju>): unknown user (given password: hunter2)",
    event: "auth_failure",
    cause: "auth",
    fields: { reason: "unknown user (given password: *)" },
  },
  {
    daemon: "dovecot/auth-worker",
    line: "auth-worker(304): conn unix:auth-worker (pid=1,uid=97): auth-worker<7>: pam(bob,192.0.2.9): pam_authenticate() failed: Authentication failure (Password mismatch?)",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "bob" },
  },
  {
    daemon: "dovecot/auth",
    line: "auth(bob,192.0.2.9,sasl:plain)<s1>: Info: sql: unknown user",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "bob", rip: "192.0.2.9" },
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann@our.example)<447><jguLmttcG+eAKnO6>: Disconnected: Logged out in=35 out=871 deleted=0 expunged=0 trashed=0",
    event: "logout",
    fields: { user: "ann@our.example", in: 35, out: 871 },
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann@our.example)<447><x>: Disconnected: Connection closed (NOOP finished 0.052 secs ago) in=26 out=808",
    event: "session_end",
  },
  { daemon: "dovecot/lmtp", line: "lmtp(505): Connect from local", event: "lmtp_connect" },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(ann@our.example)<525><tXzk>: sieve: msgid=<1@b.example>: fileinto action: stored mail into mailbox 'Junk'",
    event: "mail_saved",
    fields: { user: "ann@our.example", mailbox: "Junk", message_id: "1@b.example" },
  },
  {
    daemon: "dovecot/lmtp",
    line: "lmtp(ann@our.example)<525><tXzk>: sieve: msgid=<1@b.example>: failed to store into mailbox 'INBOX': Quota exceeded (mailbox for user is full)",
    event: "quota",
    cause: "quota",
  },
  {
    daemon: "dovecot/imap",
    line: "imap(ann)<1><s>: Error: Corrupted index cache file /m/dovecot.index.cache: field header overwritten",
    event: "mailbox_error",
    cause: "mailbox",
  },
  {
    daemon: "dovecot/master",
    line: "master: Warning: service(imap-login): process_limit (100) reached, client connections are being dropped",
    event: "limit_reached",
    cause: "limit",
  },
  {
    daemon: "dovecot/master",
    line: "master: Error: service(imap): child 99 killed with signal 11 (core dumps disabled)",
    event: "process_exit",
    cause: "crash",
  },
  {
    daemon: "dovecot/master",
    line: "master: Warning: Killed with signal 15 (by pid=2 uid=0 code=kill)",
    event: "process_stop",
  },
  {
    daemon: "dovecot/master",
    line: "master: Warning: SIGHUP received - reloading configuration",
    event: "reload",
  },
  {
    daemon: "dovecot/master",
    line: "master: Dovecot v2.3.19.1 (9b53102964) starting up for imap, pop3, lmtp (core dumps disabled)",
    event: "process_start",
    fields: { version: "2.3.19.1" },
  },
  {
    daemon: "dovecot/imap",
    line: "imap: Fatal: Time just moved backwards by 42 seconds. This might cause a lot of problems",
    event: "clock_fault",
    cause: "clock",
  },
];

const LEVELS: readonly (readonly [string, Severity])[] = [
  ["Info: ", "info"],
  ["Debug: ", "info"],
  ["Warning: ", "warning"],
  ["Error: ", "error"],
  ["Fatal: ", "fatal"],
  ["Panic: ", "panic"],
  ["Warn: ", "warning"],
];

type Head = { service: string; user: string | undefined; session: string | undefined; text: string };

/**
 * Reads `service(user)<pid><session>: ` off the front. The argument may be a pid, a user, "default", or of 2.4 `user,ip,sasl:mech`.
 * A line of Dovecot's own file has its service as the program, and then `named` is that.
 */
function readHead(message: string, named: string | undefined): Head {
  if (named !== undefined) return { service: named, user: undefined, session: undefined, text: message };
  let at = 0;
  while (at < message.length && at < 32 && isName(message.charCodeAt(at))) at++;
  const service = message.slice(0, at).toLowerCase();
  const none = { service: "master", user: undefined, session: undefined, text: message };
  if (at === 0) return none;
  let user: string | undefined;
  let session: string | undefined;
  if (message[at] === "(") {
    const colon = message.indexOf("): ", at);
    const angle = message.indexOf(")<", at);
    const close = colon < 0 ? angle : angle < 0 ? colon : Math.min(colon, angle);
    if (close < 0) return none;
    user = cap(message.slice(at + 1, close));
    at = close + 1;
  }
  for (let n = 0; n < 3 && message[at] === "<"; n++) {
    const close = message.indexOf(">", at);
    if (close < 0 || close - at > 80) break;
    const inner = message.slice(at + 1, close);
    if (n > 0 || !/^\d+$/.test(inner)) session = inner;
    at = close + 1;
  }
  if (message[at] !== ":") return none;
  return { service, user, session, text: message.slice(message[at + 1] === " " ? at + 2 : at + 1) };
}

const isName = (c: number): boolean =>
  (c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c === 45 || c === 95 || (c >= 65 && c <= 90);
const NOT_SERVICES = new Set(["info", "warning", "error", "fatal", "panic", "debug", "warn"]);

/** A Dovecot line. `named` is the service when the tag says it (`imap-login: Info: ...` of Dovecot's own file). */
export function readDovecot(message: string, named: string | undefined): Reading {
  let head = readHead(message, named);
  if (NOT_SERVICES.has(head.service))
    head = { service: "master", user: undefined, session: undefined, text: message };
  if (head.service === "dovecot" && head.text !== "") head = readHead(head.text, undefined);
  let { text } = head;
  let severity: Severity = "info";
  for (const [mark, level] of LEVELS)
    if (text.startsWith(mark)) {
      severity = level;
      text = text.slice(mark.length);
      break;
    }
  if (severity !== "info" && head.service === "master" && /^[a-z0-9-]{3,20}[(:]/.test(text)) {
    const inner = readHead(text, undefined);
    if (inner.text !== text && SERVICES.test(inner.service)) {
      head = { ...inner };
      text = inner.text;
    }
  }
  const service = head.service;
  const found = dispatch(service, head, text, severity);
  const session = found.session ?? head.session ?? pidSession(service, head.user);
  const level = severity === "info" ? "" : `${severity}: `;
  return { ...found, severity, daemon: `dovecot/${service}`, session, shape: level + redact(found.shape) };
}
const SERVICES =
  /^(?:auth|imap|pop3|lmtp|lda|managesieve|submission|anvil|master|config|log|dict|indexer|stats|ssl-params|doveadm|replicator|quota)/;

/** Is this tag one that Dovecot's own log file writes? */
export const isDovecotService = (program: string): boolean =>
  /^(?:(?:imap|pop3|managesieve|submission|sieve)(?:-login)?|lmtp|lda|auth-worker|dovecot-auth|dovecot-lda|doveadm|indexer-worker)$/.test(
    program,
  );

const pidSession = (service: string, user: string | undefined): string | undefined =>
  user !== undefined && user !== "" && /^\d{1,10}$/.test(user) ? `${service}(${user})` : undefined;

function dispatch(service: string, head: Head, text: string, severity: Severity): Reading {
  if (service.endsWith("-login")) {
    const login = readLogin(text);
    if (login !== undefined) return login;
  }
  if (service.startsWith("auth")) {
    const auth = readAuth(text, head.user);
    if (auth !== undefined) return auth;
  }
  const fields: Bag = {};
  if (head.user !== undefined && !/^\d*$/.test(head.user) && head.user !== "default")
    fields["user"] = head.user;
  return readSession(fields, text) ?? readMailbox(fields, text) ?? readService(fields, text, severity);
}

/** The login services: `Login: user=<>, ...` and what ended without one. */
function readLogin(text: string): Reading | undefined {
  const fields: Bag = {};
  const user = text.indexOf("user=<");
  const tail = user >= 0 ? user : Math.max(text.indexOf("method="), 0) || Math.max(text.indexOf("rip="), 0);
  if (tail === 0) return undefined;
  put(fields, "user", between(text, "user=<", ">"));
  put(fields, "method", word(text, "method=", tail));
  put(fields, "rip", word(text, "rip=", tail));
  put(fields, "lip", word(text, "lip=", tail));
  put(fields, "mpid", numberAfter(text, "mpid="));
  const session = between(text, "session=<", ">", tail);
  const tls = text.includes(", TLS", tail) ? "TLS" : text.includes(", secured", tail) ? "secured" : undefined;
  put(fields, "tls", tls);
  const method = fields["method"] === undefined ? "" : `, method=${fields["method"]}`;
  const secure = tls === undefined ? "" : `, ${tls}`;
  if (text.startsWith("Login: "))
    return { event: "login", fields, session, shape: `Login: user=<>${method}${secure}` };
  const reason = text.slice(0, tail).replace(/: ?$/, "");
  fields["reason"] = cap(reason);
  put(fields, "attempts", numberAfter(reason, "auth failed, "));
  const [event, cause] = loginEnd(reason, text, tail);
  return {
    event,
    fields,
    cause,
    session,
    shape: `${reason.replace(/ in \d+ secs/, "").replace(/waited \d+ secs/, "waited")}: user=<>${method}${secure}`,
  };
}

/** Why a connection ended without a login. A handshake that failed counts as TLS when the certificate or the protocol is named. */
function loginEnd(reason: string, text: string, tail: number): [EventName, Cause | undefined] {
  if (reason.includes("auth failed") || reason.includes("(auth_failed)")) return ["auth_failure", "auth"];
  if (reason.includes("internal failure") || reason.includes("auth process"))
    return ["auth_backend_failure", "auth_backend"];
  if (reason.includes("disconnected before auth was ready") && !/waited 0 secs/.test(reason))
    return ["auth_backend_failure", "auth_backend"];
  if (reason.includes("Maximum number of connections")) return ["limit_reached", "limit"];
  if (reason.includes("SSL_accept()") || text.includes("SSL_accept() failed", tail))
    return ["tls_failure", "tls"];
  if (reason.includes("Too many invalid commands")) return ["login_aborted", "protocol"];
  return ["login_aborted", undefined];
}

/** auth and auth-worker: `[conn ...: auth-worker<n>: ]db(user,ip[,<session>]): text`, of 2.4 `db: text` with the user in the head. */
function readAuth(text: string, headUser: string | undefined): Reading | undefined {
  let body = text;
  if (body.startsWith("conn ")) {
    const end = body.indexOf(">: ");
    if (end > 0) body = body.slice(end + 3);
  }
  const fields: Bag = {};
  let session: string | undefined;
  const db = /^([a-z0-9_-]{2,24})(\(|: )/.exec(body);
  let words = body;
  let name = "";
  if (db?.[2] === "(") {
    const close = body.indexOf("): ");
    if (close < 0) return undefined;
    name = db[1]!;
    session = putLogin(fields, body.slice(name.length + 1, close));
    words = body.slice(close + 3);
  } else if (headUser?.includes(",")) {
    session = putLogin(fields, headUser);
    if (db) {
      name = db[1]!;
      words = body.slice(name.length + 2);
    }
  }
  words = redact(words);
  fields["reason"] = cap(words);
  if (
    /auth client \d+ disconnected with|auth process|request timed out|auth server|auth request/i.test(
      words.slice(0, 200),
    )
  )
    return { event: "auth_backend_failure", fields, cause: "auth_backend", session, shape: words };
  if (name === "") return undefined;
  put(fields, "passdb", name);
  const failed =
    /unknown user|mismatch|invalid credentials|authentication failure|user not (?:found|known)|not known to|disallowed|empty username|permission denied|account (?:is )?(?:locked|disabled|expired)|login (?:is )?disabled|policy server refusal|requested \S+ scheme|no password|doesn't match|invalid password|failed to verify|not allowed/i;
  const cut = words.replace(/\(username: .{0,200}$/, "(username:)");
  if (failed.test(words.slice(0, 300)))
    return { event: "auth_failure", fields, cause: "auth", session, shape: `${name}(<>): ${cut}` };
  if (/fail|error|timed out|refused|unavailable|not connected|no such/i.test(words.slice(0, 300)))
    return {
      event: "auth_backend_failure",
      fields,
      cause: "auth_backend",
      session,
      shape: `${name}(<>): ${cut}`,
    };
  return { event: "info", fields, session, shape: `${name}(<>): ${cut}` };
}

/** `user,ip[,<session>]` or `user,ip,sasl:mech`; a user may hold commas. Returns the session. */
function putLogin(fields: Bag, args: string): string | undefined {
  const parts = args.split(",");
  let session: string | undefined;
  const last = parts.at(-1) ?? "";
  if (last.startsWith("<")) session = parts.pop()!.slice(1, -1);
  else if (last.startsWith("sasl:") || last.startsWith("master:")) parts.pop();
  const ip = parts.length > 1 ? parts.at(-1)! : "";
  if (/^[0-9a-fA-F:.]{3,45}$/.test(ip)) {
    fields["rip"] = ip;
    parts.pop();
  }
  fields["user"] = cap(parts.join(","));
  return session;
}

/** How an imap or pop3 session ended, and lmtp's connections. Counters follow the reason. */
function readSession(fields: Bag, text: string): Reading | undefined {
  if (text.startsWith("Connect from ")) return { event: "lmtp_connect", fields, shape: text };
  if (text.startsWith("Disconnect from ")) return { event: "lmtp_disconnect", fields, shape: text };
  const out = text.startsWith("Logged out") || text.startsWith("Disconnected: Logged out");
  if (
    !out &&
    !/^(?:Disconnected|Connection closed|Server shutting down|Remote closed|Client has quit|Aborted|Too many)/.test(
      text,
    )
  )
    return undefined;
  const counters = text.search(/ (?:in|top|bytes|rcpt|size)=/);
  if (counters >= 0)
    for (const pair of text.slice(counters + 1, counters + 400).split(/,? /, 16)) {
      const equals = pair.indexOf("=");
      const value = Number(pair.slice(equals + 1).split("/", 1)[0]);
      if (equals > 0 && equals < 16 && Number.isFinite(value)) fields[pair.slice(0, equals)] = value;
    }
  const reason = counters < 0 ? text : text.slice(0, counters);
  fields["reason"] = cap(reason);
  const bare = reason.replace(/ \([^()]{0,200}(?:finished|running|waiting|state=)[^()]{0,200}\)/, "");
  return { event: out ? "logout" : "session_end", fields, shape: bare };
}

/** lmtp, lda, sieve and the mail store. */
function readMailbox(fields: Bag, text: string): Reading | undefined {
  let body = text;
  let session: string | undefined;
  const old = /^([A-Za-z0-9+/]{20,32}): /.exec(body);
  if (old) {
    session = old[1]!;
    body = body.slice(old[0].length);
  }
  const sieve = body.startsWith("sieve: ");
  const at = body.indexOf("msgid=");
  if (at >= 0 && at < 20) {
    put(fields, "message_id", between(body, "msgid=<", ">"));
    const end = body.indexOf(": ", at);
    body = (sieve ? "sieve: " : "") + (end < 0 ? "" : body.slice(end + 2));
  }
  const mailbox = between(body, "mailbox '", "'");
  put(fields, "mailbox", mailbox);
  fields["reason"] = cap(body);
  const shape = mailbox === undefined ? body : body.replace(`'${mailbox}'`, "'*'");
  if (/quota/i.test(body.slice(0, 300))) return { event: "quota", fields, cause: "quota", session, shape };
  if (body.includes("stored mail into") || body.includes("saved mail to"))
    return {
      event: "mail_saved",
      fields,
      session,
      shape: shape.replace(/saved mail to .*/, "saved mail to *"),
    };
  if (body.includes("forwarded to") || body.includes("redirect action") || body.includes("vacation"))
    return {
      event: "mail_forwarded",
      fields,
      session,
      shape: body.replace(/(forwarded to|response to) .*/, "$1 <>"),
    };
  if (sieve && /discard/.test(body)) return { event: "mail_discarded", fields, session, shape };
  if (
    /corrupt|broken|index|uidlist|mailbox|mbox|maildir|mail_location|unsuccessful implicit keep|failed to store/i.test(
      body.slice(0, 300),
    ) &&
    !/process_limit|client_limit/.test(body)
  )
    return { event: "mailbox_error", fields, cause: storeCause(body), session, shape };
  return undefined;
}

function storeCause(body: string): Cause {
  const cause = localCause(body);
  return cause === "disk" || cause === "permission" || cause === "quota" || cause === "clock"
    ? cause
    : "mailbox";
}

const SERVICE_EVENTS: readonly (readonly [RegExp, EventName, Cause?])[] = [
  [/starting up/, "process_start"],
  [/SIGHUP received/, "reload"],
  [/^Killed with signal/, "process_stop"],
  [/shutting down|^Dovecot is (?:already )?stopp/, "process_stop"],
  [
    /process_limit|client_limit|vsz_limit|max_userip|limit reached|too many open files/i,
    "limit_reached",
    "limit",
  ],
  [/killed with signal|returned error|died|Out of memory|dumped core|coredump/i, "process_exit", "crash"],
  [/throttling/, "throttling", "crash"],
  [/[Tt]ime (?:has|just|jumped)? ?.{0,10}(?:moved|jumped|backwards|forwards)/, "clock_fault", "clock"],
  [/No space left|disk full|Disk quota/i, "disk_failure", "disk"],
  [
    /auth(?:entication)? (?:server|process|request|service)|auth-?master|\bpassdb\b|\buserdb\b|login\/auth|auth socket|auth client/i,
    "auth_backend_failure",
    "auth_backend",
  ],
  [/mysql|pgsql|sqlite|ldap|dict|redis|\bsql\b/i, "lookup_failure", "lookup"],
  [/SSL|TLS|certificate|private key|ssl_/i, "tls_failure", "tls"],
  [/Permission denied|EACCES|not owned/i, "permission_failure", "permission"],
  [/setting|config|doveconf|unknown section|parse/i, "config_warning", "config"],
];

/** master and whatever the services report of themselves. A plain line without trouble is `info`. */
function readService(fields: Bag, text: string, severity: Severity): Reading {
  const early = text.slice(0, 400);
  fields["reason"] = cap(redact(text));
  if (early.startsWith("Dovecot v")) put(fields, "version", word(early, "Dovecot v"));
  for (const [pattern, event, cause] of SERVICE_EVENTS)
    if (
      pattern.test(early) &&
      (severity !== "info" || cause === undefined || event === "limit_reached" || event === "process_exit")
    )
      return { event, fields, cause, shape: text };
  if (severity !== "info") return { event: severity, fields, cause: localCause(text), shape: text };
  return {
    event: text.trim() === "" ? "unknown" : early.includes("Generating SSL") ? "info" : "unknown",
    fields,
    shape: text,
  };
}
