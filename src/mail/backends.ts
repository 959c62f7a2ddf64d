import { readPam } from "./pam.ts";
import { type Bag, put, type Reading } from "./scan.ts";
import { byRules, plainWords, putAddress, type Rule } from "./words.ts";

// What mail servers lean on: name servers, saslauthd, OpenLDAP, MySQL and PostgreSQL. Their samples are in system.ts.

type Read = (message: string) => Reading | undefined;

export const DNS: readonly Rule[] = [
  [
    /servfail|resolving|unexpected rcode|timed out|no valid|validation fail|broken trust|lame server|host unreachable|network unreachable|format error|formerr|dnssec.{0,40}fail|bogus|failed to (?:prime|resolve)/i,
    "dns_failure",
    "dns",
  ],
  [/permission denied/i, "permission_failure", "permission"],
  [/(?:load|reload)(?:ed|ing)?\b|reconfigur/i, "reload"],
  [/^(?:\[\d*\] )?.{0,30}(?:starting|running|listening|start of service)/i, "process_start"],
  [/exiting|stopping|shutting down|service stopped/i, "process_stop"],
  [/out of memory|too many|quota|exceeded|limit/i, "limit_reached", "limit"],
  [/not (?:found|loaded)|unknown option|file not found|syntax/i, "config_warning", "config"],
];

export const readDns: Read = (message) => {
  const m =
    /^(?:\S{1,30}: )?(?:\w{1,12}: )?client (?:@\S{1,20} )?(\S{1,80}?)(?: \([^()]{0,255}\))?: (.{0,400})/.exec(
      message,
    );
  if (m === null) return byRules(DNS, message.replace(/^\[\d{1,10}:\d{1,4}\] /, ""));
  const fields: Bag = { reason: m[2]! };
  putAddress(fields, m[1]!.replace(/#\d{0,5}$/, ""));
  const words = plainWords(m[2]!.replace(/'[^']*'/g, "''"));
  if (/\bdenied\b|bad zone transfer|refused|rate limit|slip|drop/i.test(words))
    return {
      event: "reject",
      fields,
      cause: /rate limit/i.test(words) ? "limit" : "relay_denied",
      shape: `client <>: ${words}`,
    };
  return { event: "system", fields, shape: `client <>: ${words}` };
};

export const readSaslauthd: Read = (message) => {
  const pam = readPam(message);
  if (pam !== undefined) return pam;
  const failed = /auth(?:entication)? failure: \[user=([^\]]{0,255})\]/.exec(message.slice(0, 600));
  if (failed) {
    const fields: Bag = { user: failed[1]! };
    put(fields, "service", /\[service=([^\]]{0,60})\]/.exec(message)?.[1]);
    const reason = /\[reason=([^\]]{0,200})\]?/.exec(message)?.[1];
    put(fields, "reason", reason);
    const backend = /retry|unavailable|remote server|cannot contact|connect/i.test(plainWords(reason ?? ""));
    return {
      event: "auth_failure",
      fields,
      cause: backend ? "auth_backend" : "auth",
      shape: `auth failure: ${reason ?? ""}`,
    };
  }
  return byRules(
    [
      [
        /fail|error|cannot|can't|could not|unable|refused|unavailable|timed? ?out/i,
        "auth_backend_failure",
        "auth_backend",
      ],
      [/exiting|shutting|terminat/i, "process_stop"],
      [/master|listening|num_procs|start|detach/i, "process_start"],
    ],
    message,
  );
};

export const readSlapd: Read = (message) => {
  const accept = /^conn=\S{1,40} fd=\S{1,40} ACCEPT from (?:IP|PATH)=(\S{1,120})/.exec(message);
  if (accept) {
    const fields: Bag = {};
    putAddress(fields, accept[1]);
    return { event: "connect", fields, shape: "conn=0 ACCEPT from <>" };
  }
  // The result code of a bind is what tells: 49 is invalidCredentials (RFC 4511).
  if (/RESULT tag=97 err=49\b/.test(message.slice(0, 200)))
    return {
      event: "auth_failure",
      fields: { reason: "invalid credentials" },
      cause: "auth",
      shape: message,
      uncached: true,
    };
  const read = byRules(
    [
      [/bdb|mdb|lmdb|database|index.{0,20}(?:fail|corrupt)/i, "lookup_failure", "lookup"],
      [/\bstarting/i, "process_start"],
      [/shutdown|stopped|exiting/i, "process_stop"],
      [/\bclosed\b/i, "disconnect"],
    ],
    message,
  );
  return /RESULT tag=/.test(message.slice(0, 200)) ? { ...read, uncached: true } : read;
};

export const readDatabase: Read = (message) => {
  const denied =
    /Access denied for user '([^']{0,255})'@'([^']{0,255})'(?: to database '[^']{0,64}')?(?: \(using password: (?:YES|NO)\))?\s*$/i.exec(
      message.slice(0, 900),
    );
  if (denied) {
    const fields: Bag = { user: denied[1]! };
    putAddress(fields, denied[2]);
    return { event: "auth_failure", fields, cause: "auth", shape: "Access denied for user <>@<>" };
  }
  const postgres =
    /password authentication failed for user "([^"]{0,255})"|no pg_hba\.conf entry for host "([^"]{0,64})", user "([^"]{0,255})"/.exec(
      message.slice(0, 600),
    );
  if (postgres) {
    const fields: Bag = {};
    put(fields, "user", postgres[1] ?? postgres[3]);
    putAddress(fields, postgres[2]);
    return { event: "auth_failure", fields, cause: "auth", shape: "password authentication failed" };
  }
  return byRules(
    [
      [/disk full|no space|errno: 28|read-only|corrupt|crashed/i, "disk_failure", "disk"],
      [/too many connections|max_connections/i, "limit_reached", "limit"],
      [/ready for connections|starting/i, "process_start"],
      [/shutdown|shutting down/i, "process_stop"],
      [/aborted connection/i, "connection_lost"],
      [/\[?error\]?|FATAL|PANIC/i, "error", "other"],
    ],
    message,
  );
};
