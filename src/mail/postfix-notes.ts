import type { Cause } from "./event.ts";
import type { EventName } from "./names.ts";
import { localWords } from "./postfix-reply.ts";
import { type Bag, between, cap, put, putRelay, type Reading, reading, type Sample, word } from "./scan.ts";

/** Lines of our own making, with their daemon. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
  {
    daemon: "trivial-rewrite",
    line: "table mysql:/etc/postfix/domains.cf(0,lock|fold_fix) has changed -- restarting",
    event: "reload",
    fields: { table: "mysql:/etc/postfix/domains.cf(0,lock|fold_fix)" },
  },
  {
    daemon: "verify",
    line: "close database /var/lib/postfix/verify_cache.db: No such file or directory (possible Berkeley DB bug)",
    event: "lookup_failure",
    cause: "lookup",
  },
  { daemon: "smtp", line: "discarding EHLO keywords: CHUNKING", event: "workaround" },
  {
    daemon: "smtp",
    line: "host mx.far.example[192.0.2.7]:25 offers SMTPUTF8 support, but not 8BITMIME",
    event: "workaround",
    fields: { relay_host: "mx.far.example" },
  },
  { daemon: "smtp", line: '4A1B2C3D4E: replacing server reply "550 x" with "450 x"', event: "workaround" },
  {
    daemon: "smtp",
    line: "4A1B2C3D4E: Sender requested REQUIRETLS, but REQUIRETLS support was not offered by host mx.far.example[192.0.2.7]",
    event: "tls_failure",
    cause: "tls",
  },
  {
    daemon: "smtp",
    line: 'SMTPS wrappermode (TCP port 465) requires setting "smtp_tls_wrappermode = yes", and "smtp_tls_security_level = encrypt" (or stronger)',
    event: "config_warning",
    cause: "config",
  },
  {
    daemon: "smtp",
    line: "TLSRPT: status=failure, domain=far.example, receiving_mx=mx.far.example[192.0.2.7], failure_type=certificate_expired",
    event: "tls_failure",
    cause: "tls",
    fields: { domain: "far.example", failure_type: "certificate_expired" },
  },
  {
    daemon: "smtp",
    line: "TLSRPT: status=success, domain=far.example, receiving_mx=mx.far.example[192.0.2.7]",
    event: "info",
  },
  {
    daemon: "smtpd",
    line: "NOQUEUE: abort: TLS from h.example[192.0.2.9]: bad record",
    event: "tls_failure",
    cause: "tls",
  },
  {
    daemon: "cleanup",
    line: "4A1B2C3D4E: virtual_alias_maps map lookup problem -- message not accepted, try again later",
    event: "lookup_failure",
    cause: "lookup",
  },
  {
    daemon: "bounce",
    line: "4A1B2C3D4E: not sending trace/success notification for double-bounce message",
    event: "info",
  },
  { daemon: "master", line: "master exit time has arrived", event: "process_stop" },
  { daemon: "tlsmgr", line: "exiting to reopen external entropy source /dev/urandom", event: "info" },
  {
    daemon: "qmqpd",
    line: "h.example[192.0.2.9]: lost connection while reading envelope",
    event: "connection_lost",
    cause: "connect",
  },
  { daemon: "smtpd", line: "match_hostname: h.example ~? 192.0.2.0/24", event: "info" },
  { daemon: "smtpd", line: "send attr request = connect", event: "info" },
  {
    daemon: "local",
    line: "4A1B2C3D4E: passing <x@our.example> to transport=lmtp",
    event: "info",
    fields: { transport: "lmtp" },
  },
];

/** Phrases without a severity word, their event and cause. The first match wins. */
const NOTES: readonly (readonly [string, EventName, Cause?])[] = [
  ["has changed -- restarting", "reload"],
  ["has changed - finishing", "reload"],
  ["not sending trace/success", "info"],
  ["map lookup problem", "lookup_failure", "lookup"],
  ["close database ", "lookup_failure", "lookup"],
  ["open database ", "lookup_failure", "lookup"],
  ["discarding EHLO keywords", "workaround"],
  [" support, but not ", "workaround"],
  ["replacing server reply", "workaround"],
  ["worked around ", "workaround"],
  ["replacing command", "info"],
  ["mapping DSN status", "info"],
  ["reply filter ", "info"],
  ["abort: TLS from", "tls_failure", "tls"],
  ["TLS handshake failed", "tls_failure", "tls"],
  ["Sender requested REQUIRETLS", "tls_failure", "tls"],
  ["cannot load Certification Authority", "tls_failure", "tls"],
  ["wrappermode (TCP port", "config_warning", "config"],
  ["not compiled in", "config_warning", "config"],
  ["master exit time has arrived", "process_stop"],
  ["exiting to reopen ", "info"],
  ["exiting to reconnect", "info"],
  ["Host offered STARTTLS", "info"],
  ["passing <", "info"],
  ["lost connection while ", "connection_lost", "connect"],
  ["timeout while ", "timeout"],
  ["cache cleanup", "cache_cleanup"],
  ["using size limit ", "info"],
  ["after MDB_", "info"],
  ["ignoring DNS RR", "info"],
  ["ignoring status update", "info"],
  ["Run-time linked against", "info"],
];

/** How a daemon that runs with -v begins what its library says. */
const VERBOSE = [
  "send attr ",
  "input attribute ",
  "connect to subsystem ",
  "report connect to ",
  "report disconnect from ",
  "trying... [",
  "start interval ",
  "name_mask: ",
  ">>> ",
  "<<< ",
];

/** Longest name of a C function in such a line. */
const MAX_FUNCTION = 48;

/** What several daemons say without a severity word: notes of little consequence, and the talk of a daemon that runs with -v. */
export function readNote(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  if (body.startsWith("TLSRPT: ")) return readReport(prefix, body, queueId);
  for (const [phrase, event, cause] of NOTES) {
    const at = body.indexOf(phrase);
    if (at < 0 || at > 300) continue;
    const fields: Bag = { reason: cap(body) };
    if (event === "reload") put(fields, "table", between(body, "table ", " has changed"));
    else if (phrase === "passing <") {
      put(fields, "to", between(body, "<", ">"));
      put(fields, "transport", word(body, " to transport="));
    } else if (body.startsWith("host ")) putRelay(fields, body, 5);
    return reading(event, fields, prefix + localWords(body), cause, queueId);
  }
  const name = functionName(body);
  if (name !== "") return reading("info", { reason: cap(body) }, `${prefix}${name}:`, undefined, queueId);
  for (const start of VERBOSE)
    if (body.startsWith(start))
      return reading("info", { reason: cap(body) }, prefix + start, undefined, queueId);
  return undefined;
}

/** `TLSRPT: status=failure, domain=D, receiving_mx=H[IP], failure_type=T` (3.10 and later). */
function readReport(prefix: string, body: string, queueId: string | undefined): Reading {
  const fields: Bag = {};
  for (const key of ["status", "domain", "receiving_mx", "failure_type"])
    put(fields, key, word(body, `${key}=`));
  const failed = body.startsWith("status=failure", 8);
  const shape = `${prefix}TLSRPT: status=${failed ? "failure" : "success"}`;
  return reading(failed ? "tls_failure" : "info", fields, shape, failed ? "tls" : undefined, queueId);
}

/** The name before the colon when it is a C function's: letters and an underscore. Postfix begins its traces with it. */
function functionName(body: string): string {
  let underscore = false;
  for (let i = 0; i < body.length && i < MAX_FUNCTION; i++) {
    const c = body.charCodeAt(i);
    if (c === 95) underscore = true;
    else if (c === 58) return underscore && body.charCodeAt(i + 1) === 32 ? body.slice(0, i) : "";
    else if (c < 97 || c > 122) return "";
  }
  return "";
}
