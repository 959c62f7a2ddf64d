import { localCause, remembering } from "./cause.ts";
import type { Cause, Severity } from "./event.ts";
import type { EventName } from "./names.ts";
import { type Bag, cap, numberAt, put, type Reading, reading, redact, type Sample, word } from "./scan.ts";

/** Lines of our own making, as they follow the tag `dovecot: `. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
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
  {
    daemon: "dovecot/imap-login",
    line: "imap-login: Error: Failed to initialize SSL server context: Can't load SSL certificate: The certificate is empty",
    event: "tls_failure",
    cause: "tls",
  },
  {
    daemon: "dovecot/master",
    line: "master: Error: service(auth): command startup failed, throttling for 4.000 secs",
    event: "throttling",
    cause: "crash",
    fields: { limited_service: "auth" },
  },
  {
    daemon: "dovecot/master",
    line: "master: Error: service(imap): child 99 returned error 83 (Out of memory (service imap { vsz_limit=256 MB }, you may need to increase it))",
    event: "process_exit",
    cause: "crash",
    fields: { process: "imap", process_pid: 99, exit_status: 83 },
  },
  {
    daemon: "dovecot/config",
    line: "config: Warning: Obsolete setting in /etc/dovecot/conf.d/10-ssl.conf:9: ssl_protocols has been replaced by ssl_min_protocol",
    event: "config_warning",
    cause: "config",
  },
  { daemon: "dovecot/ssl-params", line: "ssl-params: Generating SSL parameters", event: "info" },
  {
    daemon: "dovecot/stats",
    line: "stats: Error: Fifo: read(/var/run/dovecot/stats-writer) failed: Connection reset by peer",
    event: "error",
    cause: "connect",
  },
  {
    daemon: "dovecot/dict",
    line: "dict(99): Error: dict sql: mysql(localhost): Connect failed to database (mail): Access denied",
    event: "lookup_failure",
    cause: "lookup",
  },
  {
    daemon: "dovecot/doveadm",
    line: "doveadm(ann)<9><s1>: Error: User doesn't exist",
    event: "error",
    cause: "unknown_user",
    fields: { user: "ann" },
  },
  {
    daemon: "dovecot/replicator",
    line: "replicator: Error: Connection to doveadm server failed: Connection refused",
    event: "error",
    cause: "connect",
  },
  {
    daemon: "dovecot/anvil",
    line: "anvil: Warning: Killed with signal 15 (by pid=1 uid=0 code=kill)",
    event: "process_stop",
  },
  {
    daemon: "dovecot/log",
    line: "log: Warning: service(log): client_limit (1000) reached, client connections are being dropped",
    event: "limit_reached",
    cause: "limit",
  },
];

/** Pattern over the masked text, event, cause; a row with a cause needs a severity word, unless it is of what a service did to itself. */
const RULES: readonly (readonly [RegExp, EventName, Cause?])[] = [
  [/starting up/, "process_start"],
  [/SIGHUP received/, "reload"],
  [/^Killed with signal/, "process_stop"],
  [/shutting down|^Dovecot is (?:already )?stopp/, "process_stop"],
  [
    /process_limit|client_limit|vsz_limit reached|max_userip|limit reached|too many open files/i,
    "limit_reached",
    "limit",
  ],
  [/obsolete|deprecated|has been replaced by/i, "config_warning", "config"],
  [
    /killed with signal|returned error|died|Out of memory|dumped core|coredump|Raw backtrace/i,
    "process_exit",
    "crash",
  ],
  [/throttling/, "throttling", "crash"],
  [/[Tt]ime (?:has|just|jumped)? ?.{0,10}(?:moved|jumped|backwards|forwards)/, "clock_fault", "clock"],
  [/No space left|disk full|Disk quota|Read-only file system/i, "disk_failure", "disk"],
  [
    /auth(?:entication)? (?:server|process|request|service)|auth-?master|\bpassdb\b|\buserdb\b|login\/auth|auth socket|auth client/i,
    "auth_backend_failure",
    "auth_backend",
  ],
  [/mysql|pgsql|sqlite|ldap|dict|redis|\bsql\b/i, "lookup_failure", "lookup"],
  [/SSL|TLS|certificate|private key|ssl_/i, "tls_failure", "tls"],
  [/Permission denied|EACCES|not owned/i, "permission_failure", "permission"],
  [/setting|config|doveconf|unknown section|parse|Unknown argument/i, "config_warning", "config"],
];
/** Texts of a quiet service that are known and of no consequence. */
const TALK =
  /^(?:Generating (?:SSL|Diffie)|SSL parameters regeneration|Indexed |Purging|Connected to|Reconnected|Synchronized|Optimized|dsync|Loaded|Module loaded|Effective uid|Namespace|Home dir|Sent |Received |Opened |Closed |Logged |User |Loading|Finished|Connecting|Stopped|Started|Hibernat|Resum)/;

type Row = { readonly event: EventName; readonly cause: Cause | undefined } | undefined;

const inTrouble = remembering<{ row: Row }>((masked) => {
  for (const [pattern, event, cause] of RULES) if (pattern.test(masked)) return { row: { event, cause } };
  return { row: undefined };
});
const atRest = remembering<{ row: Row }>((masked) => {
  for (const [pattern, event, cause] of RULES)
    if (
      pattern.test(masked) &&
      (cause === undefined || event === "limit_reached" || event === "process_exit")
    )
      return { row: { event, cause } };
  return { row: TALK.test(masked) ? { event: "info", cause: undefined } : undefined };
});

/** master and whatever the services report of themselves. A plain line that nobody knows is `unknown`. */
export function readService(fields: Bag, text: string, severity: Severity, debug: boolean): Reading {
  const shown = redact(text);
  fields["reason"] = cap(shown);
  if (text.startsWith("Dovecot v")) put(fields, "version", word(text, "Dovecot v"));
  putChild(fields, text);
  const { row } = severity === "info" ? atRest(text) : inTrouble(text);
  if (row !== undefined) return reading(row.event, fields, text, row.cause);
  if (severity !== "info") return reading(severity, fields, text, localCause(text));
  return reading(debug ? "info" : "unknown", fields, text);
}

/** `service(imap): child 99 killed with signal 11`, `... returned error 89`. */
function putChild(fields: Bag, text: string): void {
  if (!text.startsWith("service(")) return;
  const close = text.indexOf(")", 8);
  if (close < 0) return;
  const service = cap(text.slice(8, close));
  const child = text.indexOf(": child ", close);
  if (child < 0) {
    fields["limited_service"] = service;
    return;
  }
  fields["process"] = service;
  put(fields, "process_pid", numberAt(text, child + 8));
  const status = text.indexOf("returned error ", child);
  if (status > 0) put(fields, "exit_status", numberAt(text, status + 15));
  const signal = text.indexOf("killed with signal ", child);
  if (signal > 0) put(fields, "signal", numberAt(text, signal + 19));
}
