import { localCause } from "./cause.ts";
import type { Cause, Severity } from "./event.ts";
import type { EventName } from "./names.ts";
import { type Bag, cap, isDigit, put, putClient, type Reading } from "./scan.ts";

/** Texts longer than this are not searched further. */
const SEARCHED = 600;

/** Phrase, event, and the cause where the words alone would mislead. The first match wins. */
const WARNINGS: readonly (readonly [string, EventName, Cause?])[] = [
  ["No space left on device", "disk_failure", "disk"],
  ["not enough free space", "disk_failure", "disk"],
  ["Insufficient system storage", "disk_failure", "disk"],
  ["Read-only file system", "disk_failure", "disk"],
  ["queue file write error", "disk_failure", "disk"],
  ["Input/output error", "disk_failure", "disk"],
  ["does not resolve to address", "hostname_mismatch"],
  ["address not listed for hostname", "hostname_mismatch"],
  ["SASL: Connect to", "auth_backend_failure", "auth_backend"],
  ["no SASL authentication mechanisms", "auth_backend_failure", "auth_backend"],
  ["SASL authentication problem", "auth_backend_failure", "auth_backend"],
  ["SASL per-process initialization", "auth_backend_failure", "auth_backend"],
  ["unexpected server response", "auth_backend_failure", "auth_backend"],
  ["SASL authentication failure", "auth_failure"],
  ["Milter service", "milter_failure", "milter"],
  ["milter", "milter_failure", "milter"],
  ["SMFIC_", "milter_failure", "milter"],
  ["policy", "policy_failure", "policy"],
  ["is older than source file", "config_warning", "config"],
  ["do not list domain", "config_warning", "config"],
  ["overriding earlier entry", "config_warning", "config"],
  ["unused parameter", "config_warning", "config"],
  ["deprecated", "config_warning", "config"],
  [" differ", "config_warning", "config"],
  ["writable", "config_warning", "config"],
  ["compatibility", "config_warning", "config"],
  ["unsupported dictionary type", "lookup_failure", "lookup"],
  ["unsupported SASL", "auth_backend_failure", "auth_backend"],
  ["bad parameter", "config_warning", "config"],
  ["bad numerical", "config_warning", "config"],
  ["unknown smtpd restriction", "config_warning", "config"],
  ["dnsblog", "dns_failure", "dns"],
  ["RBL lookup error", "dns_failure", "dns"],
  ["Name service error", "dns_failure"],
  ["lookup error", "lookup_failure", "lookup"],
  ["lookup problem", "lookup_failure", "lookup"],
  ["lookup failure", "lookup_failure", "lookup"],
  ["is unavailable", "lookup_failure", "lookup"],
  ["open database", "lookup_failure", "lookup"],
  ["mysql", "lookup_failure", "lookup"],
  ["pgsql", "lookup_failure", "lookup"],
  ["ldap", "lookup_failure", "lookup"],
  ["proxymap", "lookup_failure", "lookup"],
  ["TLS", "tls_failure", "tls"],
  ["SSL", "tls_failure", "tls"],
  ["certificate", "tls_failure", "tls"],
  ["private key", "tls_failure", "tls"],
  ["throttling", "throttling", "crash"],
  ["killed by signal", "process_exit", "crash"],
  ["exit status", "process_exit", "crash"],
  ["process limit", "limit_reached", "limit"],
  ["process count", "limit_reached", "limit"],
  ["STRESS_README", "limit_reached", "limit"],
  ["limit exceeded", "limit_reached", "limit"],
  ["is using up", "limit_reached", "limit"],
  ["active queue entries", "limit_reached", "limit"],
  ["loops back to myself", "mail_loop", "loop"],
  ["mailer loop", "mail_loop", "loop"],
  ["no MX host", "routing_failure", "routing"],
  ["valid_hostname", "protocol_error", "protocol"],
  ["numeric hostname", "protocol_error", "protocol"],
  ["numeric domain", "routing_failure", "routing"],
  ["malformed domain", "routing_failure", "routing"],
  ["Illegal address", "protocol_error", "protocol"],
  ["non-SMTP command", "protocol_error", "protocol"],
  ["pipelining", "protocol_error", "protocol"],
  ["Time has moved", "clock_fault", "clock"],
  ["time warp", "clock_fault", "clock"],
  ["Permission denied", "permission_failure", "permission"],
  ["not owned by", "permission_failure", "permission"],
  ["Operation not permitted", "permission_failure", "permission"],
  ["connect to transport", "connect_failure", "crash"],
  ["problem talking to s", "connect_failure", "crash"],
  ["Connection refused", "connect_failure", "connect"],
  ["Connection timed out", "connect_failure", "connect"],
];

/** A line with a severity word: its event by phrase, else the severity itself. `text` is without the word. */
export function readWarning(severity: Severity, text: string, queueId: string | undefined): Reading {
  const fields: Bag = { reason: cap(text) };
  const shape = `${severity}: ${text}`;
  const failed = text.indexOf("authentication failed");
  if (failed > 0 && text.includes("SASL ")) return saslFailure(severity, text, failed, queueId);
  const searched = text.length > SEARCHED ? text.slice(0, SEARCHED) : text;
  for (const [phrase, event, cause] of WARNINGS)
    if (searched.includes(phrase)) {
      if (event === "hostname_mismatch") return mismatch(fields, text, shape);
      const why = cause ?? localCause(text);
      return {
        event,
        fields,
        cause: event === "auth_failure" ? "auth" : why,
        queueId,
        shape: cutShape(shape),
      };
    }
  const cause = localCause(text);
  return { event: severity as EventName, fields, cause, queueId, shape: cutShape(shape) };
}

/** Foreign text in warnings: what a client typed stands last. */
function cutShape(shape: string): string {
  for (const mark of [
    "non-SMTP command from",
    "Illegal address syntax from",
    "improper command pipelining",
  ]) {
    const at = shape.indexOf(mark);
    if (at >= 0) {
      const colon = shape.indexOf("]: ", at);
      return colon < 0 ? shape : shape.slice(0, colon + 1);
    }
  }
  return shape;
}

/** `hostname H does not resolve to address A[: reason]`, `A: address not listed for hostname H`. Our resolver failed when it says "temporary". */
function mismatch(fields: Bag, text: string, shape: string): Reading {
  const old = text.indexOf(": address not listed for hostname ");
  if (old >= 0) {
    fields["client_address"] = text.slice(0, old);
    fields["client_name"] = cap(text.slice(old + 34));
    return { event: "hostname_mismatch", fields, shape };
  }
  const at = text.indexOf(" does not resolve to address ");
  if (text.startsWith("hostname ")) fields["client_name"] = cap(text.slice(9, at));
  const rest = text.slice(at + 29);
  const colon = rest.indexOf(": ");
  fields["client_address"] = cap(colon < 0 ? rest : rest.slice(0, colon));
  const temporary = /temporary failure|try again|timed? ?out/i.test(rest.slice(0, 200));
  return { event: "hostname_mismatch", fields, cause: temporary ? "dns" : undefined, shape };
}

/** `H[IP]: SASL LOGIN authentication failed: reason[, sasl_username=u]`. The reason is often base64 of a prompt, and is then cut from the shape. */
function saslFailure(severity: Severity, text: string, failed: number, queueId: string | undefined): Reading {
  const fields: Bag = {};
  const client = putClient(fields, text, 0);
  const sasl = text.indexOf("SASL ");
  const method = text.slice(sasl + 5, failed).trim();
  if (method !== "" && method.length < 40) fields["sasl_method"] = method;
  const user = text.lastIndexOf(", sasl_username=");
  if (user > failed) fields["sasl_username"] = cap(text.slice(user + 16));
  const start = failed + "authentication failed".length;
  const reason = text.slice(start, user > failed ? user : undefined).replace(/^[:;] ?/, "");
  put(fields, "reason", cap(reason));
  const backend =
    /connection lost to authentication server|auth server|authentication server|temporary|internal error/i.test(
      reason.slice(0, 200),
    );
  const words = /^[A-Za-z0-9+/=]*$/.test(reason.slice(0, 200)) ? "" : ` ${reason}`;
  const who = client > 0 ? text.slice(0, client) : "";
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
  if (c === 119 && text.startsWith("warning: ")) return { severity: "warning", length: 9 };
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
