import type { Cause, Fields } from "./event.ts";
import type { EventName } from "./names.ts";
import { type Bag, cap, numberAt, put, type Reading, reading, type Sample } from "./scan.ts";

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
    daemon: "dovecot/imap-login",
    line: "imap-login: Login: user=<ann, TLS>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, mpid=447, secured, session=<x1>",
    event: "login",
    fields: { user: "ann, TLS", mpid: 447, tls: "secured" },
  },
  {
    daemon: "dovecot/pop3-login",
    line: "pop3-login: Login: user=<bob>, method=CRAM-MD5, rip=2001:db8::7, lip=2001:db8::1, mpid=448, TLS, TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
    event: "login",
    fields: { rip: "2001:db8::7", tls: "TLS", tls_version: "TLSv1.3", tls_cipher: "TLS_AES_256_GCM_SHA384" },
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Info: Logged in: user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, mpid=9, TLS, session=<x1>",
    event: "login",
    fields: { user: "ann" },
  },
  {
    daemon: "dovecot/managesieve-login",
    line: "managesieve-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, mpid=9, TLS, session=<x1>",
    event: "login",
  },
  {
    daemon: "dovecot/submission-login",
    line: "submission-login: Aborted login (auth failed, 1 attempts in 2 secs): user=<ann>, method=LOGIN, rip=192.0.2.9, lip=192.0.2.1, TLS, session=<x1>",
    event: "auth_failure",
    cause: "auth",
    fields: { attempts: 1, seconds: 2 },
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Login aborted: Logged out (auth failed, 1 attempts in 2 secs) (auth_failed): user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, TLS, session=<x1>",
    event: "auth_failure",
    cause: "auth",
    fields: { reason_code: "auth_failed" },
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Login aborted: Connection closed (no auth attempts in 0 secs) (no_auth_attempts): user=<>, rip=192.0.2.9, lip=192.0.2.1, session=<x1>",
    event: "login_aborted",
    fields: { reason_code: "no_auth_attempts", user: "" },
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Disconnected (tried to use disallowed plaintext auth): user=<>, rip=192.0.2.9, lip=192.0.2.1, session=<x1>",
    event: "login_aborted",
    cause: "protocol",
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Disconnected: Inactivity (no auth attempts in 180 secs): user=<>, rip=192.0.2.9, lip=192.0.2.1, TLS, session=<x1>",
    event: "login_aborted",
    fields: { seconds: 180 },
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Disconnected (disconnected before auth was ready, waited 0 secs): user=<>, rip=192.0.2.9, lip=192.0.2.1, session=<x1>",
    event: "login_aborted",
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Disconnected (disconnected before auth was ready, waited 31 secs): user=<>, rip=192.0.2.9, lip=192.0.2.1, session=<x1>",
    event: "auth_backend_failure",
    cause: "auth_backend",
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Disconnected: Auth process broken (auth process communication failure): user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, session=<x1>",
    event: "auth_backend_failure",
    cause: "auth_backend",
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10): user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, TLS, session=<x1>",
    event: "limit_reached",
    cause: "limit",
    fields: { user: "ann" },
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Disconnected: Too many invalid commands (no auth attempts in 2 secs): user=<>, rip=192.0.2.9, lip=192.0.2.1, session=<x1>",
    event: "login_aborted",
    cause: "protocol",
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Login aborted: Connection closed (user disabled, 1 attempts in 2 secs) (user_disabled): user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, TLS, session=<x1>",
    event: "auth_failure",
    cause: "auth",
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Login aborted: Disconnected (process full) (process_full): user=<>, rip=192.0.2.9, lip=192.0.2.1, session=<x1>",
    event: "limit_reached",
    cause: "limit",
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Login failed: Cleartext authentication disabled: user=<>, rip=192.0.2.9, lip=192.0.2.1, session=<x1>",
    event: "login_aborted",
    cause: "protocol",
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Disconnected: rip=192.0.2.9, lip=192.0.2.1",
    event: "login_aborted",
    fields: { rip: "192.0.2.9" },
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: proxy(ann): started proxying to 192.0.2.30:143 (0.012 secs): user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, TLS, session=<x1>",
    event: "login",
    fields: { user: "ann", proxy_to: "192.0.2.30:143" },
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: proxy(ann): disconnecting 192.0.2.9 (Disconnected by client, 0s idle, in=27, out=1028)",
    event: "session_end",
    fields: { user: "ann", in: 27, out: 1028 },
  },
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Error: proxy(ann): Login to 192.0.2.30:143 timed out in state=banner (after 30 secs): user=<ann>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, session=<x1>",
    event: "connect_failure",
    cause: "connect",
  },
];

/** The login services: `Login: user=<>, ...` and what ended without one. */
export function readLogin(text: string): Reading | undefined {
  if (text.startsWith("proxy(")) {
    const proxied = readProxy(text);
    if (proxied !== undefined) return proxied;
  }
  const tail = tailStart(text);
  if (tail < 0) return undefined;
  const fields: Bag = {};
  const session = putTail(fields, text, tail);
  const method = fields["method"] === undefined ? "" : `, method=${fields["method"]}`;
  const secure = fields["tls"] === undefined ? "" : `, ${fields["tls"]}`;
  if (text.startsWith("Login: ") || text.startsWith("Logged in: "))
    return reading("login", fields, `Login: user=<>${method}${secure}`, undefined, undefined, session);
  const proxy = text.startsWith("proxy(") ? text.indexOf("): ") + 3 : 0;
  const reason = text.slice(proxy, text.charCodeAt(tail - 2) === 58 ? tail - 2 : tail);
  fields["reason"] = cap(reason);
  if (proxy > 0) return readProxied(fields, reason, method + secure, session);
  put(fields, "attempts", numberAfterWord(reason, "auth failed, "));
  put(fields, "seconds", numberAfterWord(reason, " in ") ?? numberAfterWord(reason, "waited "));
  const code = / \(([a-z_]{4,40})\)$/.exec(reason.slice(-48));
  if (code) fields["reason_code"] = code[1]!;
  const end = loginEnd(reason, code?.[1] ?? "", text, tail);
  const shown = withoutSeconds(reason);
  const read = reading(
    end.event,
    fields,
    `${shown}: user=<>${method}${secure}`,
    end.cause,
    undefined,
    session,
  );
  return end.uncached ? { ...read, uncached: true } : read;
}

/**
 * What ends a login service's message: user, method, rip and so on, as readLogin gives them, for those who need no more of it.
 * Undefined for a message without such an end.
 */
export function loginFields(message: string): Fields | undefined {
  const tail = tailStart(message);
  if (tail < 0) return undefined;
  const fields: Bag = {};
  putTail(fields, message, tail);
  return fields;
}

/** Where `user=<` or, in old or configured formats, `method=` or `rip=` begins; -1 when there is none. */
function tailStart(text: string): number {
  const user = text.indexOf("user=<");
  if (user >= 0) return user;
  const method = text.indexOf(" method=");
  const rip = text.indexOf(" rip=");
  if (method < 0 && rip < 0) return -1;
  return (method < 0 || (rip >= 0 && rip < method) ? rip : method) + 1;
}

/** Parts of the tail at most: Dovecot's own format has eight. */
const MAX_PARTS = 24;

/** `user=<u>, method=M, rip=, lip=, mpid=, TLS, session=<s>` from `start`; returns the session. A user may hold commas. */
function putTail(fields: Bag, text: string, start: number): string | undefined {
  let at = start;
  let session: string | undefined;
  if (text.startsWith("user=<", at)) {
    let end = text.indexOf(">, ", at);
    if (end < 0) end = text.lastIndexOf(">");
    if (end < at) end = text.length;
    fields["user"] = cap(text.slice(at + 6, end));
    at = end + 3;
  }
  for (let n = 0; n < MAX_PARTS && at < text.length; n++) {
    let end = text.indexOf(", ", at);
    if (end < 0) end = text.length;
    switch (text.charCodeAt(at)) {
      case 109: // m
        if (text.startsWith("method=", at)) fields["method"] = cap(text.slice(at + 7, end));
        else if (text.startsWith("mpid=", at)) put(fields, "mpid", numberAt(text, at + 5));
        break;
      case 114: // r
        if (text.startsWith("rip=", at)) fields["rip"] = cap(text.slice(at + 4, end));
        else if (text.startsWith("rport=", at)) put(fields, "rport", numberAt(text, at + 6));
        break;
      case 108: // l
        if (text.startsWith("lip=", at)) fields["lip"] = cap(text.slice(at + 4, end));
        else if (text.startsWith("lport=", at)) put(fields, "lport", numberAt(text, at + 6));
        break;
      case 84: // T
        if (text.startsWith("TLS", at)) putTls(fields, text.slice(at, end));
        break;
      case 115: // s
        if (text.startsWith("session=<", at)) {
          const close = text.indexOf(">", at);
          session = cap(text.slice(at + 9, close < 0 ? text.length : close));
        } else if (text.startsWith("secured", at)) fields["tls"] = "secured";
        break;
    }
    at = end + 2;
  }
  return session;
}

/** `TLS`, `TLS: Connection closed`, `TLS handshaking: SSL_accept() failed`, `TLSv1.3 with cipher C (256/256 bits)`. */
function putTls(fields: Bag, part: string): void {
  fields["tls"] = "TLS";
  const cipher = part.indexOf(" with cipher ");
  if (cipher < 0) return;
  fields["tls_version"] = cap(part.slice(0, cipher));
  const end = part.indexOf(" ", cipher + 13);
  fields["tls_cipher"] = cap(part.slice(cipher + 13, end < 0 ? undefined : end));
}

function numberAfterWord(text: string, word: string): number | undefined {
  const at = text.indexOf(word);
  return at < 0 ? undefined : numberAt(text, at + word.length);
}

/** The reason without how long it took. */
function withoutSeconds(reason: string): string {
  let shown = reason;
  for (const word of [" in ", "waited "]) {
    const end = shown.lastIndexOf(" secs");
    const at = end < 0 ? -1 : shown.lastIndexOf(word, end);
    if (at >= 0 && end - at < 24)
      shown = shown.slice(0, word === " in " ? at : at + 6) + shown.slice(end + 5);
  }
  return shown;
}

type End = { readonly event: EventName; readonly cause?: Cause; readonly uncached?: true };

const AUTH: End = { event: "auth_failure", cause: "auth" };
const BACKEND: End = { event: "auth_backend_failure", cause: "auth_backend" };
const LIMIT: End = { event: "limit_reached", cause: "limit" };
const PROTOCOL: End = { event: "login_aborted", cause: "protocol" };
const TLS: End = { event: "tls_failure", cause: "tls" };

/** Reason codes that 2.4 writes in brackets at the end (login-common/client-common-auth.c). */
const CODES: ReadonlyMap<string, End> = new Map([
  ["auth_failed", AUTH],
  ["invalid_credentials", AUTH],
  ["authorization_failed", AUTH],
  ["user_disabled", AUTH],
  ["password_expired", AUTH],
  ["login_disabled", AUTH],
  ["auth_process_comm_fail", BACKEND],
  ["auth_temp_failed", BACKEND],
  ["temp_fail", BACKEND],
  ["internal_failure", BACKEND],
  ["process_full", LIMIT],
  ["connection_limit", LIMIT],
  ["invalid_mech", PROTOCOL],
  ["cleartext_auth_disabled", PROTOCOL],
  ["protocol_failure", PROTOCOL],
  ["client_ssl_cert_missing", TLS],
  ["client_ssl_cert_untrusted", TLS],
]);

/** Why a connection ended without a login. One that did not wait for the password service says nothing of it, so a number decides there. */
function loginEnd(reason: string, code: string, text: string, tail: number): End {
  if (reason.includes("auth failed") || reason.includes("(auth_failed)"))
    return { event: "auth_failure", cause: "auth" };
  if (
    reason.includes("internal failure") ||
    reason.includes("uth process") ||
    reason.includes("temporary failure")
  )
    return { event: "auth_backend_failure", cause: "auth_backend" };
  if (reason.includes("SSL_accept()") || text.includes("SSL_accept() failed", tail)) {
    const uncached = reason.includes("disconnected before auth was ready");
    if (uncached && !reason.includes("waited 0 secs"))
      return { event: "auth_backend_failure", cause: "auth_backend", uncached };
    return uncached
      ? { event: "tls_failure", cause: "tls", uncached }
      : { event: "tls_failure", cause: "tls" };
  }
  if (reason.includes("disconnected before auth was ready"))
    return reason.includes("waited 0 secs")
      ? { event: "login_aborted", uncached: true }
      : { event: "auth_backend_failure", cause: "auth_backend", uncached: true };
  const coded = CODES.get(code);
  if (coded !== undefined) return coded;
  if (reason.includes("Maximum number of connections") || reason.includes("queue full"))
    return { event: "limit_reached", cause: "limit" };
  if (
    /Too many (?:invalid|bad) commands|disallowed plaintext|Cleartext authentication|SSL required|too large|buffer full/.test(
      reason,
    )
  )
    return { event: "login_aborted", cause: "protocol" };
  return { event: "login_aborted" };
}

/** `proxy(u): disconnecting IP (reason, 0s idle, in=1, out=2)`, which has no tail. */
function readProxy(text: string): Reading | undefined {
  const close = text.indexOf("): ");
  if (close < 0 || !text.startsWith("disconnecting ", close + 3)) return undefined;
  const fields: Bag = { user: cap(text.slice(6, close)) };
  const open = text.indexOf(" (", close);
  fields["rip"] = cap(text.slice(close + 17, open < 0 ? undefined : open));
  fields["reason"] = cap(open < 0 ? "" : text.slice(open + 2, -1));
  put(fields, "in", numberAfterWord(text, ", in="));
  put(fields, "out", numberAfterWord(text, ", out="));
  return reading("session_end", fields, "proxy(<>): disconnecting 0");
}

/** What a proxy says with a tail: it began, or the other server is away or refuses. */
function readProxied(fields: Bag, reason: string, tail: string, session: string | undefined): Reading {
  const to = reason.indexOf("started proxying to ");
  if (to >= 0) {
    const end = reason.indexOf(" ", to + 20);
    fields["proxy_to"] = cap(reason.slice(to + 20, end < 0 ? undefined : end));
    return reading(
      "login",
      fields,
      `proxy(<>): started proxying to 0: user=<>${tail}`,
      undefined,
      undefined,
      session,
    );
  }
  const refused = reason.includes("ogin failed") || reason.includes("uthentication failed");
  return reading(
    refused ? "auth_failure" : "connect_failure",
    fields,
    `proxy(<>): ${withoutSeconds(reason)}: user=<>${tail}`,
    refused ? "auth" : "connect",
    undefined,
    session,
  );
}
