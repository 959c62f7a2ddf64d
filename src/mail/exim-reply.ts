import { remoteCause } from "./cause-remote.ts";
import type { Cause } from "./event.ts";
import { type Bag, put, type Reading, readDsn } from "./scan.ts";
import { plainWords, putAddress, type Rule } from "./words.ts";

/** Reads a text of Exim after the message id; undefined when it is of another kind. `prefix` heads the shape. */
export type ReadExim = (text: string, queueId: string | undefined, prefix: string) => Reading | undefined;

/** `H=name (helo) [address]:port` or without the name; a helo holds no bracket but those of an address. */
const HOST = /^(?:([^\s()[\]]{1,255}) ?)?(?:\(([^()]{0,255})\) ?)?\[([^[\]\s]{1,64})\](?::\d{1,5})?/;

/** Reads a host at `at` into client fields; the index after it, or -1. */
export function putHost(fields: Bag, text: string, at: number): number {
  const m = HOST.exec(text.slice(at, at + 700));
  if (m === null) return -1;
  put(fields, "client_name", m[1]);
  put(fields, "helo", m[2]);
  putAddress(fields, m[3]);
  return at + m[0].length;
}

/** A reply code at the text's start. */
export const readCode = (text: string): number | undefined => {
  const m = /^([245]\d\d)(?=$|[\s:-])/.exec(text);
  return m === null ? undefined : Number(m[1]);
};

/** Exim's own words for why it refuses or cannot deliver. */
export function eximCause(words: string): Cause | undefined {
  for (const [pattern, cause] of CAUSES) if (pattern.test(words)) return cause;
  return undefined;
}

const CAUSES: readonly (readonly [RegExp, Cause])[] = [
  [/\bTLS\b|\bSSL\b|\bDANE\b|certificate/i, "tls"],
  [/no space left|space check failed|disk full|disk quota/i, "disk"],
  [/mailbox is full|quota/i, "quota"],
  [/relay not permitted|relaying denied/i, "relay_denied"],
  [/retry timeout exceeded/i, "expired"],
  [/lowest numbered MX|points to (?:local|the local)|local host only|mail loop/i, "loop"],
  [/retry time not reached|retry time not yet reached|no host found for existing smtp|callout/i, "connect"],
  [/all relevant MX records|host lookup did not complete|did not complete/i, "dns"],
  [/unrouteable|no such domain|all hosts .{0,60}(?:failed|unusable)/i, "routing"],
  [
    /unknown user|no such user|user unknown|unknown local part|address unknown|unknown address/i,
    "unknown_user",
  ],
  [/sender verif/i, "dns"],
  [/dnsbl|\brbl\b|black ?list|blocklist|listed (?:at|in)/i, "rbl"],
  [/virus|malware|spam|score|local_scan/i, "spam"],
  [/greylist|graylist/i, "greylisted"],
  [
    /syntactically invalid|\bhelo\b|\behlo\b|synchroni[sz]ation|protocol|malformed|missing at end/i,
    "protocol",
  ],
  [/too many|ratelimit|rate limit|exceed|message size|too big|no immediate delivery/i, "limit"],
  [/permission denied/i, "permission"],
  [/mailbox|lock file/i, "mailbox"],
];

/** The reply of another server within Exim's text: `... after RCPT TO:<..>: 550 5.1.1 text`. */
export function putReply(fields: Bag, text: string): Bag {
  const m = /(?:^|: |\()([245]\d\d)[ -](?=\S|$)/.exec(text);
  const after =
    /after (?:pipelined |end of )?(MAIL|RCPT|DATA|EHLO|HELO|AUTH|STARTTLS|LHLO|data|initial connection|sending data block)/.exec(
      text,
    );
  if (after) fields["stage"] = after[1]!;
  if (m !== null) {
    fields["reply_code"] = Number(m[1]);
    put(fields, "dsn", readDsn(text, m.index + m[0].length));
  }
  return fields;
}

/** Why another server said no, from the plain words of its reply. */
export function replyCause(text: string): Cause {
  const reply: Bag = putReply({}, text);
  const words = plainWords(text).replace(/^.{0,400}? after [A-Za-z ]{2,40}(?::<>)?[^:]{0,100}: /, "");
  const dsn = reply["dsn"];
  return (
    eximReplyCause(words) ??
    remoteCause(reply["reply_code"] as number | undefined, typeof dsn === "string" ? dsn : undefined, words)
  );
}

const eximReplyCause = (words: string): Cause | undefined =>
  /retry timeout exceeded/i.test(words)
    ? "expired"
    : /retry time not reached/i.test(words)
      ? "connect"
      : undefined;

/** The prose of another server is foreign: it is cut after its codes. */
export function remoteShape(text: string): string {
  const m = /(?:^|: )([245]\d\d)[ -](?:[245]\.\d{1,3}\.\d{1,3}\b)?/.exec(text);
  return m === null ? text : text.slice(0, m.index + m[0].length);
}

/** Why a delivery failed or waits, by Exim's words or those of the other server. */
export function deliveryCause(text: string): Cause {
  const words = plainWords(text);
  const remote = /error from remote|remote host|\bhost \S{1,100} \[/i.test(words);
  if (remote) return replyCause(text);
  const own = eximCause(words);
  if (own !== undefined) return own;
  for (const [pattern, , cause] of DELIVERY) if (pattern.test(words)) return cause ?? "other";
  return remoteCause(undefined, undefined, words);
}

const DELIVERY: readonly Rule[] = [
  [
    /connection (?:refused|timed out|reset)|timed? ?out|network error|unreachable/i,
    "connect_failure",
    "connect",
  ],
  [/\btls\b|\bssl\b|dane|certificate/i, "tls_failure", "tls"],
  [/lookup|database|mysql|ldap|pgsql/i, "lookup_failure", "lookup"],
  [/permission|not (?:absolute|owned)|denied/i, "permission_failure", "permission"],
  [/expan|configuration|never_users|not found|missing|unknown/i, "config_warning", "config"],
  [/returned|exit|signal|process|pipe/i, "process_exit", "crash"],
];
