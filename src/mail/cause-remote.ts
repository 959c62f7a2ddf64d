import { finder, type Rule } from "./cause.ts";
import type { Cause } from "./event.ts";

// Replies of other servers, most telling phrase first. Codes and phrases: research of public threads and RFC 3463, 7505, 8461.
const REMOTE: readonly Rule[] = [
  ["greylisted", "greylist", "graylist", "grey-list", "grey list", "postgrey"],
  [
    "quota",
    "mailbox full",
    "mailbox is full",
    "over quota",
    "overquota",
    "quota exceeded",
    "exceeded quota",
    "out of storage",
    "exceeded storage",
    "mailbox size limit",
    "quota",
  ],
  ["loop", "too many hops", "loops back", "mail loop", "hop count exceeded", "routing loop"],
  [
    "unknown_user",
    "user unknown",
    "unknown user",
    "no such user",
    "no such recipient",
    "does not exist",
    "doesn't exist",
    "recipientnotfound",
    "recipient not found",
    "unrouteable address",
    "invalid recipient",
    "mailbox not found",
    "mailbox unavailable",
    "unknown recipient",
    "unknown address",
    "no mailbox",
    "address rejected: undeliverable",
    "account has been disabled",
    "account is disabled",
    "user not found",
    "not a valid mailbox",
    "invalid mailbox",
  ],
  [
    "throttled",
    "rate that prevents",
    "rate limit",
    "rate-limit",
    "ratelimit",
    "too many",
    "too much mail",
    "unusual rate",
    "temporarily deferred due to",
    "throttl",
    "receiving mail at a rate",
    "too fast",
    "unexpected volume",
    "limit exceeded",
    "exceeded the maximum",
    "slow down",
  ],
  // a server that won't relay for us isn't the one that the domain's mail should go to
  [
    "routing",
    "relay access denied",
    "relaying denied",
    "relay not permitted",
    "unable to relay",
    "relaying not allowed",
    "not permitted to relay",
  ],
  [
    "blocked",
    "blocked using",
    "block list",
    "blocklist",
    "blacklist",
    "black list",
    "denylist",
    "banned",
    "reputation",
    "weren't sent",
    "unauthenticated",
    "not authorized to send",
    "access denied",
    "unsolicited mail originating",
    "dmarc",
    "spf ",
    "dkim",
    "blocked",
    "is listed",
    "client host rejected",
    "not allowed to connect",
    "permanently deferred", // Yahoo's TSS09
    "ask your postmaster for help", // t-online.de
  ],
  [
    "dns",
    "domain not found",
    "cannot resolve",
    "could not resolve",
    "reverse dns",
    "ptr record",
    "no ptr",
    "cannot find your hostname",
    "cannot find your reverse",
  ],
  [
    "spam",
    "spam",
    "content rejected",
    "message content",
    "virus",
    "malware",
    "rejected due to policy",
    "policy reasons",
    "administrative prohibition",
  ],
  ["tls", "starttls", "tls required", "tls is required", "encryption required"],
  ["auth", "authentication required", "authentication failed", "must be authenticated"],
];

export const BY_DSN: Readonly<Record<string, Cause>> = {
  "1.1": "unknown_user",
  "1.2": "routing",
  "1.3": "protocol",
  "1.8": "dns",
  "1.10": "unknown_user",
  "2.1": "unknown_user",
  "2.2": "quota",
  "2.3": "limit",
  "3.4": "limit",
  "4.1": "connect",
  "4.2": "connect",
  "4.3": "dns",
  "4.4": "routing",
  "4.6": "loop",
  "4.7": "expired",
  "7.5": "tls",
  "7.8": "auth",
  "7.25": "dns",
  "7.26": "blocked",
  "7.28": "throttled",
  "7.606": "blocked",
  "7.650": "throttled",
};

const findRemote = finder(REMOTE);

/** Why another server refused or deferred our mail, by its words, then its enhanced code. "other" when neither tells. */
export function remoteCause(code: number | undefined, dsn: string | undefined, text: string): Cause {
  const byText = findRemote(text);
  if (byText !== undefined) return byText;
  const byDsn = dsn === undefined ? undefined : BY_DSN[dsn.slice(2)];
  if (byDsn !== undefined) return byDsn;
  if (dsn?.startsWith("5.7.")) return "spam";
  if (dsn?.startsWith("5.5.") || code === 500 || code === 501 || code === 503) return "protocol";
  return "other";
}
