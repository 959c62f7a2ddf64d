import { localCause, wordsOf } from "./cause.ts";
import type { Cause, Fields, Severity } from "./event.ts";
import type { EventName } from "./names.ts";
import { putProcess } from "./postfix-master.ts";
import { localWords } from "./postfix-reply.ts";
import { putAlert } from "./postfix-tls.ts";
import {
  type Bag,
  cap,
  findPeer,
  hostShape,
  isDigit,
  numberAt,
  peer,
  put,
  putClient,
  putRelay,
  queueIdLength,
  type Reading,
  reading,
} from "./scan.ts";

/** Phrase, event, and the cause where the words alone would mislead. The first match wins. Phrases hold no digit, path or host: they are looked for in the masked text. */
const WARNINGS: readonly (readonly [string, EventName, Cause?])[] = [
  ["No space left on device", "disk_failure", "disk"],
  ["not enough free space", "disk_failure", "disk"],
  ["Insufficient system storage", "disk_failure", "disk"],
  ["Read-only file system", "disk_failure", "disk"],
  ["queue file write error", "disk_failure", "disk"],
  ["Input/output error", "disk_failure", "disk"],
  ["Disk quota exceeded", "disk_failure", "disk"],
  ["does not resolve to address", "hostname_mismatch"],
  ["address not listed for hostname", "hostname_mismatch"],
  ["verification failed: ", "hostname_mismatch"],
  ["SASL: Connect to", "auth_backend_failure", "auth_backend"],
  ["no SASL authentication mechanisms", "auth_backend_failure", "auth_backend"],
  ["SASL authentication problem", "auth_backend_failure", "auth_backend"],
  ["SASL per-", "auth_backend_failure", "auth_backend"],
  ["unexpected server response", "auth_backend_failure", "auth_backend"],
  ["saslauthd", "auth_backend_failure", "auth_backend"],
  ["no mechanism available", "auth_backend_failure", "auth_backend"],
  ["no worthy mech", "auth_backend_failure", "auth_backend"],
  ["auxprop", "auth_backend_failure", "auth_backend"],
  ["SASL authentication fail", "auth_failure"],
  ["Milter service", "milter_failure", "milter"],
  ["milter", "milter_failure", "milter"],
  ["SMFIC_", "milter_failure", "milter"],
  ["version mismatch", "config_warning", "config"],
  ["TLS policy", "tls_failure", "tls"],
  ["policy", "policy_failure", "policy"],
  ["is older than source file", "config_warning", "config"],
  ["do not list domain", "config_warning", "config"],
  ["overriding earlier entry", "config_warning", "config"],
  ["overrides earlier", "config_warning", "config"],
  ["duplicate entry", "config_warning", "config"],
  ["is obsolete", "config_warning", "config"],
  ["unused parameter", "config_warning", "config"],
  ["deprecated", "config_warning", "config"],
  [" differ", "config_warning", "config"],
  ["writable", "config_warning", "config"],
  ["compatibility", "config_warning", "config"],
  ["non-postfix directory", "config_warning", "config"],
  ["redirecting the request", "config_warning", "config"],
  ["unsupported dictionary type", "lookup_failure", "lookup"],
  ["unsupported SASL", "auth_backend_failure", "auth_backend"],
  ["bad parameter", "config_warning", "config"],
  ["bad numerical", "config_warning", "config"],
  ["bad string length", "config_warning", "config"],
  ["bad boolean", "config_warning", "config"],
  ["bad command startup", "throttling", "crash"],
  ["unknown smtpd restriction", "config_warning", "config"],
  ["is ignored", "config_warning", "config"],
  ["undefined parameter", "config_warning", "config"],
  ["unknown parameter", "config_warning", "config"],
  ["parameter setting", "config_warning", "config"],
  ["missing '='", "config_warning", "config"],
  ["in the form of", "config_warning", "config"],
  ["specify a value", "config_warning", "config"],
  ["smaller than message_size_limit", "config_warning", "config"],
  ["non-null host address bits", "config_warning", "config"],
  ["has unexpected value", "config_warning", "config"],
  ["Address already in use", "config_warning", "config"],
  ["Cannot assign requested address", "config_warning", "config"],
  ["NIS domain name not set", "config_warning", "config"],
  ["unknown mail transport", "config_warning", "config"],
  ["relayhost configuration problem", "config_warning", "config"],
  ["dnsblog", "dns_failure", "dns"],
  ["RBL lookup error", "dns_failure", "dns"],
  ["TLSA lookup", "dns_failure", "dns"],
  ["DNSSEC", "dns_failure", "dns"],
  ["Name service error", "dns_failure"],
  ["Unable to look up", "dns_failure"],
  ["unable to look up public", "connect_failure", "crash"],
  ["lookup error", "lookup_failure", "lookup"],
  ["lookup problem", "lookup_failure", "lookup"],
  ["lookup failure", "lookup_failure", "lookup"],
  ["is unavailable", "lookup_failure", "lookup"],
  ["table is not available", "lookup_failure", "lookup"],
  ["open database", "lookup_failure", "lookup"],
  ["close database", "lookup_failure", "lookup"],
  ["alias database", "lookup_failure", "lookup"],
  ["mysql", "lookup_failure", "lookup"],
  ["pgsql", "lookup_failure", "lookup"],
  ["ldap", "lookup_failure", "lookup"],
  ["LDAP", "lookup_failure", "lookup"],
  ["sqlite", "lookup_failure", "lookup"],
  ["memcache", "lookup_failure", "lookup"],
  ["mongodb", "lookup_failure", "lookup"],
  ["dict_", "lookup_failure", "lookup"],
  ["proxymap", "lookup_failure", "lookup"],
  ["TLS", "tls_failure", "tls"],
  ["SSL", "tls_failure", "tls"],
  ["certificate", "tls_failure", "tls"],
  ["private key", "tls_failure", "tls"],
  ["throttling", "throttling", "crash"],
  ["killed by signal", "process_exit", "crash"],
  ["exit status", "process_exit", "crash"],
  ["failure -- see a previous", "process_exit", "crash"],
  ["stopped by signal", "process_exit", "crash"],
  ["watchdog timeout", "process_exit", "crash"],
  ["process limit", "limit_reached", "limit"],
  ["process count", "limit_reached", "limit"],
  ["stress-adapting", "limit_reached", "limit"],
  ["limit exceeded", "limit_reached", "limit"],
  ["exceeds the", "limit_reached", "limit"],
  ["exceeds maximum", "limit_reached", "limit"],
  ["map expansion size", "limit_reached", "limit"],
  ["File too large", "limit_reached", "limit"],
  ["too many", "limit_reached", "limit"],
  ["is using up", "limit_reached", "limit"],
  ["active queue entries", "limit_reached", "limit"],
  ["you may need to", "limit_reached", "limit"],
  ["so that Postfix quickly skips", "limit_reached", "limit"],
  ["avoid flushing the whole queue", "limit_reached", "limit"],
  ["loops back to myself", "mail_loop", "loop"],
  ["my own hostname", "mail_loop", "loop"],
  ["mailer loop", "mail_loop", "loop"],
  ["hopcount exceeded", "mail_loop", "loop"],
  ["no MX host", "routing_failure", "routing"],
  ["valid_hostname", "protocol_error", "protocol"],
  ["valid_ipv", "protocol_error", "protocol"],
  ["numeric hostname", "protocol_error", "protocol"],
  ["invalid character", "protocol_error", "protocol"],
  ["numeric domain", "routing_failure", "routing"],
  ["malformed domain name in resource", "routing_failure", "routing"],
  ["Illegal address", "protocol_error", "protocol"],
  ["non-SMTP command", "protocol_error", "protocol"],
  ["instead of SMTP command", "protocol_error", "protocol"],
  ["request longer than", "protocol_error", "protocol"],
  ["pipelining", "protocol_error", "protocol"],
  ["malformed response", "protocol_error", "protocol"],
  ["Time has moved", "clock_fault", "clock"],
  ["time warp", "clock_fault", "clock"],
  ["file system clock is", "workaround"],
  ["resetting file time stamps", "workaround"],
  ["clock", "clock_fault", "clock"],
  ["open active", "queue_error", "other"],
  ["open incoming", "queue_error", "other"],
  ["open deferred", "queue_error", "other"],
  ["open defer ", "queue_error", "other"],
  ["remove active", "queue_error", "other"],
  ["remove incoming", "queue_error", "other"],
  ["remove deferred", "queue_error", "other"],
  ["remove defer ", "queue_error", "other"],
  ["rename ", "queue_error", "other"],
  ["queue corrupt", "queue_error", "other"],
  ["corrupt file", "queue_error", "other"],
  ["has been queued for", "queue_error", "other"],
  ["corrupt queue", "queue_error", "other"],
  ["queue file", "queue_error"],
  ["queue name", "queue_error"],
  ["unexpected record type", "queue_error", "other"],
  ["Permission denied", "permission_failure", "permission"],
  ["not owned by", "permission_failure", "permission"],
  ["not owned", "permission_failure", "permission"],
  ["Operation not permitted", "permission_failure", "permission"],
  ["open <*>: No such file", "config_warning", "config"],
  ["maildir access problem", "mailbox_error"],
  ["create the maildirs in advance", "mailbox_error", "permission"],
  ["mailbox", "mailbox_error"],
  ["connect to transport", "connect_failure", "crash"],
  // attr_clnt.c serves the policy client, and these two of Postfix's own; clnt_stream.c says "service".
  ["talking to server private/anvil", "connect_failure", "crash"],
  ["talking to server private/tlsmgr", "connect_failure", "crash"],
  ["problem talking to server", "policy_failure", "policy"],
  ["problem talking to s", "connect_failure", "crash"],
  ["connect #", "connect_failure", "crash"],
  ["to subsystem", "connect_failure", "crash"],
  ["master_wakeup", "connect_failure", "crash"],
  ["timeout for service", "connect_failure", "crash"],
  ["timeout on private", "connect_failure", "crash"],
  ["timeout on public", "connect_failure", "crash"],
  ["end-of-input on", "connect_failure", "crash"],
  ["getpeername", "connection_lost", "connect"],
  ["Connection refused", "connect_failure", "connect"],
  ["Connection timed out", "connect_failure", "connect"],
  ["Connection reset", "connect_failure", "connect"],
  ["No route to host", "connect_failure", "connect"],
  ["offers SMTPUTF", "workaround", "protocol"],
  ["PIX workarounds", "workaround"],
];

/** Warnings that end in what a client sent: only what stands before the mark and the client is ours. */
const FOREIGN = [
  "non-SMTP command from ",
  "Illegal address syntax from ",
  "improper command pipelining after ",
  "sent message header instead of SMTP command",
  "sent message content instead of SMTP command",
  "sent non-SMTP command",
  "request longer than ",
];

/** A line with a severity word: its event by phrase, else the severity itself. `text` is without the word. */
export function readWarning(severity: Severity, text: string, queueId: string | undefined): Reading {
  const failed = saslFailed(text, 0);
  if (failed > 0) return saslFailure(severity, text, failed, queueId);
  const rude = readRude(severity, text, queueId);
  if (rude !== undefined) return rude;
  const fields: Bag = { reason: cap(text) };
  const masked = wordsOf(text);
  if (masked.includes("hostname ")) {
    const odd = mismatch(severity, fields, text);
    if (odd !== undefined) return odd;
  }
  const shape = `${severity}: ${ownWords(text)}`;
  for (const [phrase, event, cause] of WARNINGS)
    if (masked.includes(phrase)) {
      putDetail(fields, event, text);
      const why =
        event === "auth_failure" ? "auth" : event === "workaround" ? cause : (cause ?? localCause(text));
      return reading(event, fields, shape, why, queueId);
    }
  return reading(severity as EventName, fields, shape, localCause(text), queueId);
}

/** Fields that a warning's event is expected to have. */
function putDetail(fields: Bag, event: EventName, text: string): void {
  switch (event) {
    case "process_exit":
    case "throttling":
      putProcess(fields, text);
      break;
    case "limit_reached":
      putProcess(fields, text);
      putLimit(fields, text);
      break;
    case "tls_failure":
      putAlert(fields, text);
      break;
    case "mail_loop":
    case "auth_failure": {
      const at = text.indexOf(event === "mail_loop" ? "host " : "server ");
      if (at >= 0) putRelay(fields, text, text.indexOf(" ", at) + 1);
      break;
    }
    case "queue_error": {
      const id =
        /\b(?:open|remove|rename|file) (?:[a-z]{4,10} )?([0-9A-Z]{6,20}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,24})\b/.exec(
          text.slice(0, 200),
        );
      if (id) fields["queue_file"] = id[1]!;
      break;
    }
  }
}

/** `Connection rate limit exceeded: 61 from H[IP] for service smtp`. */
function putLimit(fields: Bag, text: string): void {
  const at = text.indexOf("limit exceeded: ");
  if (at < 0) return;
  fields["measure"] = cap(text.slice(0, at - 1));
  put(fields, "value", numberAt(text, at + 16));
  const from = text.indexOf(" from ", at);
  const end = from < 0 ? -1 : putClient(fields, text, from + 6);
  if (end > 0 && text.startsWith(" for service ", end)) fields["limited_service"] = cap(text.slice(end + 13));
}

/** What a client sent that is no SMTP. The client stands before or after the words. */
function readRude(severity: Severity, text: string, queueId: string | undefined): Reading | undefined {
  for (const mark of FOREIGN) {
    const at = text.indexOf(mark);
    if (at < 0 || at > 300) continue;
    const fields: Bag = { reason: cap(text) };
    const after = mark.endsWith(" from ")
      ? at + mark.length
      : mark.startsWith("improper")
        ? text.indexOf(" from ", at) + 6
        : 0;
    const found = findPeer(text, after);
    if (found) {
      fields["client_name"] = peer.name;
      fields["client_address"] = peer.address;
    }
    const who = found ? hostShape(peer.name) : "<>";
    const words = after > 0 ? `${text.slice(at, after)}${who}` : `${who}: ${mark}`;
    return reading("protocol_error", fields, `${severity}: ${words}`, "protocol", queueId);
  }
  return undefined;
}

/** A warning's text without quoted values; the service that master names so stays, it is ours. */
const ownWords = (text: string): string => (text.startsWith('service "') ? text : localWords(text));

/**
 * `hostname H does not resolve to address A[: reason]`, `A: address not listed for hostname H`, `A: hostname H verification failed: reason`. Our resolver
 * failed when it says "temporary".
 */
function mismatch(severity: Severity, fields: Bag, text: string): Reading | undefined {
  const old = text.indexOf(": address not listed for hostname ");
  if (old >= 0) {
    fields["client_address"] = cap(text.slice(0, old));
    fields["client_name"] = cap(text.slice(old + 34));
    return reading("hostname_mismatch", fields, `${severity}: 0: address not listed for hostname <>`);
  }
  const at = text.indexOf(" does not resolve to address ");
  let reason: string;
  let shape: string;
  if (at >= 0 && text.startsWith("hostname ")) {
    fields["client_name"] = cap(text.slice(9, at));
    const colon = text.indexOf(": ", at);
    fields["client_address"] = cap(text.slice(at + 29, colon < 0 ? undefined : colon));
    reason = colon < 0 ? "" : text.slice(colon);
    shape = `hostname <> does not resolve to address 0${reason}`;
  } else {
    const verified = text.indexOf(" verification failed: ");
    const name = text.indexOf(": hostname ");
    if (name < 0 || verified < name) return undefined;
    fields["client_address"] = cap(text.slice(0, name));
    fields["client_name"] = cap(text.slice(name + 11, verified));
    reason = text.slice(verified);
    shape = `0: hostname <>${reason}`;
  }
  const temporary = /temporary failure|try again|timed? ?out/i.test(wordsOf(reason));
  return reading("hostname_mismatch", fields, `${severity}: ${shape}`, temporary ? "dns" : undefined);
}

const FAILED = "authentication failed";

/** Where FAILED stands in `H[IP]: SASL LOGIN authentication failed: ...`; 0 in other texts. */
function saslFailed(text: string, start: number): number {
  const failed = text.indexOf(FAILED, start);
  return failed > start && text.includes("SASL ") && !text.startsWith("SASL ", start) ? failed : 0;
}

/** client_address and sasl_username of a text; returns where the client ends and the user begins, -1 for none. */
function putSasl(fields: Bag, text: string, failed: number, start = 0): { client: number; user: number } {
  const client = putClient(fields, text, start);
  const user = text.lastIndexOf(", sasl_username=");
  if (user > failed) fields["sasl_username"] = cap(text.slice(user + 16));
  return { client, user };
}

/**
 * Client and user of a message `warning: H[IP]: SASL LOGIN authentication failed: ...`, as its fields have them, for those who need no more of
 * it. Undefined for any other message.
 */
export function saslFields(message: string): Fields | undefined {
  const { severity, length } = readSeverity(message);
  if (severity !== "warning" || queueIdLength(message, length) > 0) return undefined;
  const failed = saslFailed(message, length);
  if (failed === 0) return undefined;
  const fields: Bag = {};
  putSasl(fields, message, failed, length);
  return fields;
}

/** `H[IP]: SASL LOGIN authentication failed: reason[, sasl_username=u]`. The reason is often base64 of a prompt, and is then cut from the shape. */
function saslFailure(severity: Severity, text: string, failed: number, queueId: string | undefined): Reading {
  const fields: Bag = {};
  const { client, user } = putSasl(fields, text, failed);
  const method = text.slice(text.indexOf("SASL ") + 5, failed).trim();
  if (method !== "" && method.length < 40) fields["sasl_method"] = method;
  const start = failed + FAILED.length;
  const reason = text.slice(start, user > failed ? user : undefined).replace(/^[:;] ?/, "");
  put(fields, "reason", cap(reason));
  // one word is base64 of a prompt ("Password:"), whatever it is
  const words = reason.includes(" ") ? ` ${reason}` : "";
  const backend =
    words !== "" &&
    /connection lost to authentication server|auth server|authentication server|temporary|internal error/i.test(
      wordsOf(reason),
    );
  const who = client > 0 ? hostShape(fields["client_name"]) : "<>";
  return {
    event: "auth_failure",
    fields,
    cause: backend ? "auth_backend" : "auth",
    queueId,
    shape: `${severity}: ${who}: SASL ${method} authentication failed:${words}`,
  };
}

/** A leading `warning: ` and the like: the severity and how long the word is. */
export function readSeverity(text: string): { severity: Severity; length: number } {
  const c = text.charCodeAt(0);
  if (c === 119 && (text.startsWith("warning: ") || text === "warning:"))
    return { severity: "warning", length: 9 };
  if (c === 101 && text.startsWith("error: ")) return { severity: "error", length: 7 };
  if (c === 102 && text.startsWith("fatal: ")) return { severity: "fatal", length: 7 };
  if (c === 112 && text.startsWith("panic: ")) return { severity: "panic", length: 7 };
  return INFO;
}
const INFO = { severity: "info" as Severity, length: 0 };

/** The number at the end of `key` in the text, or undefined. */
export function numberAfter(text: string, key: string): number | undefined {
  const at = text.indexOf(key);
  if (at < 0) return undefined;
  let end = at + key.length;
  while (isDigit(text.charCodeAt(end)) || text[end] === ".") end++;
  const value = Number(text.slice(at + key.length, end));
  return end > at + key.length && Number.isFinite(value) ? value : undefined;
}
