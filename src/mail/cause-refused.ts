import { finder, type Rule } from "./cause.ts";
import { BY_DSN } from "./cause-remote.ts";
import type { Cause } from "./event.ts";

// What our smtpd tells a client that it refuses.
const REFUSED: readonly Rule[] = [
  ["disk", "insufficient system storage", "queue file write error", "no space left"],
  ["lookup", "temporary lookup failure", "lookup failure"],
  ["config", "server configuration error"],
  // what cleanup and smtpd say of a milter, and smtpd_policy_service_default_action
  ["milter", "server configuration problem - try again later"],
  ["policy", "server configuration problem", "policy service", "server error", "content filter"],
  ["rbl", "blocked using", "listed by", "listed at", "dnsbl"],
  ["greylisted", "greylist", "graylist"],
  ["relay_denied", "relay access denied", "relaying denied"],
  [
    "unknown_user",
    "user unknown",
    "unknown user",
    "undeliverable address: unknown",
    "no such user",
    "recipient address rejected: user",
    "does not exist",
  ],
  [
    "auth",
    "not logged in",
    "not owned by user",
    "authentication required",
    "must issue a starttls",
    "sender address rejected: not",
  ],
  ["quota", "quota", "mailbox full"],
  [
    "dns",
    "domain not found",
    "cannot find your hostname",
    "cannot find your reverse",
    "hostname not found",
    "host not found",
    "malformed dns",
    "nullmx",
    "null mx",
    "unverified client",
  ],
  [
    "limit",
    "too many",
    "too much mail",
    "rate limit",
    "limit exceeded",
    "ports busy",
    "message size exceeds",
    "size limit",
    "throttl",
  ],
  [
    "protocol",
    "helo",
    "fully-qualified",
    "protocol error",
    "pipelining",
    "bare <*> received",
    "bad syntax",
    "improper",
    "need fully",
    "non-smtp",
    "syntax error",
    "command rejected: data",
  ],
  ["loop", "too many hops", "loop"],
];

const findRefused = finder(REFUSED);

/** Why our server refused a client. A refused message is "spam" when only policy is left, a 4.7.1 of a milter "milter". */
export function refusalCause(
  code: number | undefined,
  dsn: string | undefined,
  text: string,
  byMilter = false,
): Cause {
  const found = findRefused(text);
  if (found !== undefined) return found;
  if (byMilter && (dsn?.startsWith("4") || text.includes("try again later"))) return "milter";
  if (code === 451 && dsn === "4.7.1" && text.includes("try again")) return "milter";
  if (dsn === "4.3.0" || dsn === "4.3.5") return "config";
  const byDsn = dsn === undefined ? undefined : BY_DSN[dsn.slice(2)];
  return byDsn ?? "spam";
}
