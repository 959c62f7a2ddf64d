import { remembering } from "./cause.ts";
import type { Cause } from "./event.ts";
import type { EventName } from "./names.ts";
import { type Bag, cap, put, type Reading, reading, redact, type Sample } from "./scan.ts";

/** Lines of our own making, as they follow the tag `dovecot: `. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
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
    daemon: "dovecot/auth",
    line: "auth: ldap(ann,192.0.2.9,<x1>): invalid credentials (given password: hunter2)",
    event: "auth_failure",
    cause: "auth",
    fields: { passdb: "ldap", reason: "invalid credentials (given password: *)" },
  },
  {
    daemon: "dovecot/auth",
    line: "auth: policy(ann,192.0.2.9,<x1>): Authentication failure due to policy server refusal",
    event: "auth_failure",
    cause: "auth",
  },
  {
    daemon: "dovecot/auth",
    line: "auth(ann@our.example,192.0.2.9,sasl:login)<x1>: passwd-file: Password mismatch (for LOGIN mechanism)",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "ann@our.example", passdb: "passwd-file", sasl_method: "login" },
  },
  {
    daemon: "dovecot/auth",
    line: "auth: Error: mysql(db.our.example): Connect failed to database (mail): Can't connect to MySQL server on 'db.our.example' - waiting for 5 seconds before retry",
    event: "auth_backend_failure",
    cause: "auth_backend",
  },
  {
    daemon: "dovecot/auth",
    line: "auth: Error: auth client 0 disconnected with 1 pending requests: EOF",
    event: "auth_backend_failure",
    cause: "auth_backend",
  },
  {
    daemon: "dovecot/auth",
    line: "auth: Warning: auth workers: Auth request was queued for 12 seconds, 3 left in queue (see auth_worker_max_count)",
    event: "auth_backend_failure",
    cause: "auth_backend",
  },
  {
    daemon: "dovecot/auth-worker",
    line: "auth-worker(99): Error: sql(ann,192.0.2.9): Password query failed: Not connected to database",
    event: "auth_backend_failure",
    cause: "auth_backend",
    fields: { user: "ann" },
  },
  {
    daemon: "dovecot/auth",
    line: "auth: Error: LDAP: Can't connect to server: ldap.our.example",
    event: "auth_backend_failure",
    cause: "auth_backend",
  },
  {
    daemon: "dovecot/auth",
    line: "auth: plain(?,192.0.2.9,<x1>): Request timed out waiting for client to continue authentication (150 secs)",
    event: "timeout",
    fields: { rip: "192.0.2.9" },
  },
  {
    daemon: "dovecot/auth",
    line: "auth(ann,192.0.2.9,sasl:plain)<x1>: passwd-file: Login attempt with empty password",
    event: "auth_failure",
    cause: "auth",
  },
  {
    daemon: "dovecot/auth",
    line: "auth: Debug: client in: AUTH 1 PLAIN service=imap resp=AGFubgBodW50ZXIy",
    event: "info",
    fields: { reason: "client in: AUTH 1 PLAIN service=imap resp=*" },
  },
];

/** What a line of the password service comes to, by its words alone. */
type Verdict = { readonly event: EventName; readonly cause: Cause | undefined };
const REFUSED: Verdict = { event: "auth_failure", cause: "auth" };
const BROKEN: Verdict = { event: "auth_backend_failure", cause: "auth_backend" };
const FINE: Verdict = { event: "info", cause: undefined };
const NONE: Verdict = { event: "unknown", cause: undefined };

const QUEUED =
  /auth client <\*> disconnected with|auth process|request timed out|auth server|auth request|auth workers?:|auth-worker|pending requests|ldap: |can't connect|connection to .{0,80}(?:failed|lost|timed)/i;
const WRONG =
  /unknown user|mismatch|invalid credentials|authentication failure|user not (?:found|known)|not known to|disallowed|empty username|permission denied|account (?:is )?(?:locked|disabled|expired)|login (?:is )?disabled|policy server refusal|requested \S+ scheme|no password|empty password|doesn't match|invalid password|failed to verify|not allowed|invalid (?:token|grant)|token (?:is )?(?:expired|not valid)|invalid username|username not known|illegal chars|deny passdb|no master passdbs|check failed|oauth2 failed|invalid (?:challenge|input)|malformed data/i;
const FAILING = /fail|error|timed out|refused|unavailable|not connected|no such|lost|can't|cannot/i;

/** Text outside of any database's: only the service itself can fail. */
const ofService = remembering<Verdict>((masked) => (QUEUED.test(masked) ? BROKEN : NONE));
/** The client took too long to go on. */
const SLOW: Verdict = { event: "timeout", cause: undefined };

/** Text of a password or user database about one login. */
const ofDatabase = remembering<Verdict>((masked) =>
  masked.includes("waiting for client to continue")
    ? SLOW
    : QUEUED.test(masked)
      ? BROKEN
      : WRONG.test(masked)
        ? REFUSED
        : FAILING.test(masked)
          ? BROKEN
          : FINE,
);

/** Databases whose argument is a host, not a login. */
const DRIVERS = new Set(["mysql", "pgsql", "sqlite", "cassandra", "dict", "redis", "memcached"]);

/** auth and auth-worker: `[conn ...: auth-worker<n>: ]db(user,ip[,<session>]): text`, of 2.4 `db: text` with the user in the head. */
export function readAuth(text: string, headUser: string | undefined): Reading | undefined {
  let body = text;
  if (body.startsWith("conn ")) {
    const end = body.indexOf(">: ");
    if (end > 0) body = body.slice(end + 3);
  }
  const fields: Bag = {};
  let session: string | undefined;
  let words = body;
  let name = databaseName(body);
  const open = name.length;
  if (name !== "" && body.charCodeAt(open) === 40) {
    const close = body.indexOf("): ", open);
    if (close < 0) return undefined;
    if (DRIVERS.has(name)) fields["database"] = cap(body.slice(open + 1, close));
    else session = putLogin(fields, body.slice(open + 1, close));
    words = body.slice(close + 3);
  } else if (headUser?.includes(",") === true) {
    session = putLogin(fields, headUser);
    if (name !== "") words = body.slice(open + 2);
  } else name = "";
  words = redact(words);
  fields["reason"] = cap(words);
  const verdict = name === "" ? ofService(words) : ofDatabase(words);
  if (verdict === NONE) return undefined;
  if (name !== "") fields["passdb"] = name;
  const username = words.indexOf("(username: ");
  const shown = username < 0 ? words : `${words.slice(0, username)}(username:)`;
  const shape = name === "" ? words : `${name}(<>): ${shown}`;
  return reading(verdict.event, fields, shape, verdict.cause, undefined, session);
}

/** `sql` of `sql(user,...): ` or `sql: `; "" when the text begins otherwise. */
function databaseName(body: string): string {
  let at = 0;
  for (let c = body.charCodeAt(0); (c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c === 45 || c === 95; )
    c = body.charCodeAt(++at);
  if (at < 2 || at > 24) return "";
  const c = body.charCodeAt(at);
  return c === 40 || (c === 58 && body.charCodeAt(at + 1) === 32) ? body.slice(0, at) : "";
}

/** `user,ip[,<session>]` or `user,ip,sasl:mech`; a user may hold commas. Returns the session. */
function putLogin(fields: Bag, args: string): string | undefined {
  let end = args.length;
  let session: string | undefined;
  for (let n = 0; n < 4; n++) {
    const comma = args.lastIndexOf(",", end - 1);
    if (comma < 0) break;
    const part = args.slice(comma + 1, end);
    if (part.startsWith("<")) session = cap(part.slice(1, -1));
    else if (part.startsWith("sasl:")) fields["sasl_method"] = cap(part.slice(5));
    else if (part.startsWith("master:") || part === "")
      put(fields, "master_user", part.slice(7) || undefined);
    else {
      if (isAddress(part)) {
        fields["rip"] = part;
        end = comma;
      }
      break;
    }
    end = comma;
  }
  fields["user"] = cap(args.slice(0, end));
  return session;
}

/** Whether a text has the letters of an IPv4 or IPv6 address. */
function isAddress(text: string): boolean {
  if (text.length < 2 || text.length > 45) return false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (!((c >= 46 && c <= 58 && c !== 47) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70))) return false;
  }
  return true;
}
