import { maskText } from "../template/mask.ts";
import type { Cause } from "./event.ts";

/** A cause and its phrases in lower case. */
export type Rule = readonly [Cause, ...string[]];

/** Masked texts whose cause is remembered, for each set of rules; then the memory starts anew. */
const MAX_REMEMBERED = 2000;

let lastText = "";
let lastMasked = "";

/** The masked text; of the last text it is remembered, since several readers ask for it in turn and masking costs most of what they do. */
export function wordsOf(text: string): string {
  if (text !== lastText) {
    lastMasked = maskText(text);
    lastText = text;
  }
  return lastMasked;
}

/**
 * A finder of the first rule with a phrase in a text. It sees the masked text, so that no address, host, id or number decides; what it
 * found is remembered by that text, since servers repeat their words.
 */
export function finder(rules: readonly Rule[]): (text: string) => Cause | undefined {
  const known = new Map<string, Cause | undefined>();
  return (text) => {
    const masked = wordsOf(text);
    if (known.has(masked)) return known.get(masked);
    const found = firstRule(rules, masked.toLowerCase());
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(masked, found);
    return found;
  };
}

function firstRule(rules: readonly Rule[], low: string): Cause | undefined {
  for (const rule of rules) for (let i = 1; i < rule.length; i++) if (low.includes(rule[i]!)) return rule[0];
  return undefined;
}

// Failures that this machine sees itself.
const LOCAL: readonly Rule[] = [
  [
    "disk",
    "no space left",
    "disk full",
    "not enough free space",
    "insufficient system storage",
    "queue file write error",
    "disk quota exceeded",
    "read-only file system",
    "input/output error",
    "write error",
    "error writing message",
  ],
  ["milter", "milter", "smfic_", "smfir_"],
  ["greylisted", "greylist", "graylist"],
  ["loop", "loops back to myself", "mail forwarding loop", "too many hops", "mailer loop"],
  ["dns", "try again", "temporary failure in name resolution", "name server loop", "dns lookup"],
  [
    "routing",
    "host not found",
    "host or domain name not found",
    "no mx host",
    "null mx",
    "nullmx",
    "does not accept mail",
    "host found but no data record",
    "numeric domain name",
    "malformed dns",
    "valid address record",
    "name or service not known",
  ],
  ["tls", "tls", "ssl", "certificate", "private key", "cipher"],
  [
    "auth_backend",
    "connection lost to authentication server",
    "auth socket",
    "private/auth",
    "no sasl authentication mechanisms",
    "auth process",
    "authentication server",
    "no worthy mechs",
    "saslauthd",
  ],
  ["policy", "policy service", "private/policy", "content filter", "check_policy", "policyd"],
  [
    "lookup",
    "lookup error",
    "lookup failure",
    "lookup problem",
    "lookup table",
    "table lookup",
    "alias database unavailable",
    "open database",
    "is unavailable",
    "unsupported dictionary",
    "mysql",
    "pgsql",
    "ldap",
    "sqlite",
    "proxymap",
    "map lookup",
    "redis",
    "dict_",
  ],
  ["unknown_user", "unknown user", "user unknown", "unknown in", "no such user", "user doesn't exist"],
  ["quota", "over quota", "mailbox full", "quota exceeded", "file too large", "mailbox is full"],
  [
    "permission",
    "permission denied",
    "operation not permitted",
    "not owned by",
    "cannot access",
    "unable to create",
    "eacces",
  ],
  [
    "limit",
    "process limit",
    "process_limit",
    "client_limit",
    "concurrency limit",
    "rate limit",
    "rate exceeded",
    "too many",
    "using up",
    "service limit",
    "limit exceeded",
    "size limit",
    "resource temporarily unavailable",
    "maximum number of connections",
    "out of processes",
  ],
  [
    "crash",
    "killed",
    "exit status",
    "throttling",
    "command died",
    "terminated by",
    "command time limit",
    "died",
    "core dumped",
    "out of memory",
    "cannot allocate memory",
    "premature end-of-input",
    "unexpected end-of-input",
    "malformed response",
    "watchdog",
    "returned error",
  ],
  ["clock", "time has moved", "clock", "time jumped", "backwards"],
  ["auth", "authentication failed", "authentication failure", "sasl"],
  [
    "connect",
    "connection refused",
    "timed out",
    "timeout",
    "unreachable",
    "no route to host",
    "connection reset",
    "lost connection",
    "no such file or directory",
    "broken pipe",
    "connection closed",
    "connection lost",
    "connect to",
  ],
  [
    "config",
    "transport unavailable",
    "unknown mail transport",
    "configuration",
    "deprecated",
    "parameter",
    "overriding earlier",
    "older than source",
    "differ",
    "unused",
    "unknown setting",
    "usage:",
    "invalid",
    "bad ",
    "undefined",
    "not found",
    "writable",
    "both",
    "unsupported",
  ],
  ["dns", "name service error"],
  ["protocol", "illegal address", "pipelining", "non-smtp", "malformed", "syntax", "numeric hostname"],
];

/** Why something failed here, by the words of our own program; "other" when they don't tell. */
const findLocal = finder(LOCAL);
export function localCause(text: string): Cause {
  return findLocal(text) ?? "other";
}

/** A reader of a masked text that remembers what it found, for texts that repeat in other words' company. */
export function remembering<T>(read: (masked: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const masked = wordsOf(text);
    const old = known.get(masked);
    if (old !== undefined) return old;
    const found = read(masked);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(masked, found);
    return found;
  };
}
