import { readClientLine, readRejectedFirst, readTyped } from "./exim-client.ts";
import { readFlags } from "./exim-flags.ts";
import { readHostLine } from "./exim-host.ts";
import { putHost, type ReadExim, readCode } from "./exim-reply.ts";
import { type Bag, put, type Reading } from "./scan.ts";
import {
  type CompanionSample,
  isMasked,
  plainWords,
  putAddress,
  type Rule,
  readByRules,
  readLife,
} from "./words.ts";

/** Lines of our own making, as the main log, the reject log and the panic log hold them. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "exim",
    line: '1abcDE-000123-45 => ann@far.example R=dnslookup T=remote_smtp S=1200 H=mx.far.example [192.0.2.7] X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes C="250 2.0.0 Ok: queued as 77AA" QT=2s',
    event: "delivery",
    fields: {
      to: "ann@far.example",
      status: "sent",
      relay_host: "mx.far.example",
      relay_address: "192.0.2.7",
      reply_code: 250,
      dsn: "2.0.0",
      delay: 2,
    },
  },
  {
    daemon: "exim",
    line: "1abcDE-000123-45 == x@far.example R=dnslookup T=remote_smtp defer (-44) H=mx.far.example [192.0.2.7]: SMTP error from remote mail server after RCPT TO:<x@far.example>: 451 4.7.1 Greylisting in action",
    event: "delivery",
    cause: "greylisted",
    fields: { status: "deferred", reply_code: 451, dsn: "4.7.1", relay_address: "192.0.2.7" },
  },
  {
    daemon: "exim",
    line: "1abcDE-000123-45 == x@far.example R=dnslookup T=remote_smtp defer (-53): retry time not reached for any host for 'far.example'",
    event: "delivery",
    cause: "connect",
    fields: { to: "x@far.example", status: "deferred" },
  },
  {
    daemon: "exim",
    line: "1abcDE-000123-45 ** x@far.example R=dnslookup T=remote_smtp H=mx.far.example [192.0.2.7]: SMTP error from remote mail server after RCPT TO:<x@far.example>: 550 5.1.1 No such user",
    event: "delivery",
    cause: "unknown_user",
    fields: { status: "bounced", reply_code: 550, stage: "RCPT" },
  },
  {
    daemon: "exim",
    line: "1abcDE-000123-45 ** x@far.example: Unrouteable address",
    event: "delivery",
    cause: "routing",
    fields: { status: "bounced" },
  },
  { daemon: "exim", line: "1abcDE-000123-45 Completed QT=3s", event: "removed" },
  { daemon: "exim", line: "1abcDE-000123-45 Message is frozen", event: "queue_skipped" },
  {
    daemon: "exim",
    line: "H=h.example (User) [192.0.2.9]:4022 I=[192.0.2.1]:25 F=<a@b.example> rejected RCPT <x@our.example>: relay not permitted",
    event: "reject",
    cause: "relay_denied",
    fields: {
      client_name: "h.example",
      client_address: "192.0.2.9",
      helo: "User",
      from: "a@b.example",
      to: "x@our.example",
      stage: "RCPT",
    },
  },
  {
    daemon: "exim",
    line: "dovecot_login authenticator failed for (User) [192.0.2.9]:4022: 535 Incorrect authentication data (set_id=ann@our.example)",
    event: "auth_failure",
    cause: "auth",
    fields: {
      client_address: "192.0.2.9",
      sasl_method: "dovecot_login",
      sasl_username: "ann@our.example",
      helo: "User",
    },
  },
  {
    daemon: "exim",
    line: 'SMTP protocol error in "AUTH LOGIN" H=(x) [198.51.100.1]" H=(y) [192.0.2.9] AUTH command used when not advertised',
    event: "protocol_error",
    cause: "protocol",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "exim",
    line: 'SMTP call from [192.0.2.9] dropped: too many syntax or protocol errors (last command was "x [198.51.100.1]")',
    event: "too_many_errors",
    cause: "protocol",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "exim",
    line: "no host name found for IP address 192.0.2.9",
    event: "hostname_mismatch",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "exim",
    line: "SMTP connection from [192.0.2.9]:4022 (TCP/IP connection count = 1)",
    event: "connect",
    fields: { client_address: "192.0.2.9" },
  },
  { daemon: "exim", line: "SMTP connection from h.example [192.0.2.9] closed by QUIT", event: "disconnect" },
  {
    daemon: "exim",
    line: "TLS error on connection from h.example [192.0.2.9] (SSL_accept): error:1408A0C1: no shared cipher",
    event: "tls_failure",
    cause: "tls",
  },
  { daemon: "exim", line: "Start queue run: pid=4022", event: "info" },
  {
    daemon: "exim",
    line: "exim 4.96 daemon started: pid=12, -q30m, listening for SMTP on port 25 (IPv4)",
    event: "process_start",
  },
  {
    daemon: "exim",
    line: "1abcDE-000123-45 malware acl condition: clamd: unable to connect to UNIX socket (/run/clamd)",
    event: "policy_failure",
    cause: "policy",
  },
  { daemon: "exim", line: "Envelope-from: <a@b.example>", event: "info" },
];

/** A message id, old (6-6-2) or of Exim 4.97 on (6-11-4); it starts with a digit until 2051. */
const ID = /^\d[0-9A-Za-z]{5}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}$/;
/** Words of digits and names that may stand before the text: a time where syslog carries the main log, a zone, `[pid]`, the message id. */
const MAX_HEAD = 5;
const LONGEST_HEAD = 64;

/** A line of Exim. What follows the flags `<=`, `=>` and their like is read by exim-flags.ts. */
export function readExim(message: string): Reading {
  let at = 0;
  let queueId: string | undefined;
  let named = false;
  for (let n = 0; n < MAX_HEAD; n++) {
    const blank = message.indexOf(" ", at);
    const word = message.slice(at, blank < 0 ? Math.min(message.length, at + LONGEST_HEAD + 1) : blank);
    if (word.length > LONGEST_HEAD || !isHead(word)) break;
    if (ID.test(word)) queueId = word;
    named = true;
    at = blank < 0 ? message.length : blank + 1;
  }
  const rest = message.slice(at);
  return readFlags(rest, queueId) ?? readText(rest, queueId, named ? "0 " : "", named);
}

/** A word that the mask hides, a time with colons, or something in square brackets. */
const isHead = (word: string): boolean =>
  /^\[[^[\]]*\]$/.test(word) ||
  /^[+-]?\d[\d:.,]*$/.test(word) ||
  (/^[^,;:()"'`[\]{}=<>|]+$/.test(word) && isMasked(word) && !/^[245]\d\d$/.test(word));

/** The readers in turn, then rules. A note on a message that nothing else knows is an ACL's own (`logwrite`): `info`. */
function readText(text: string, queueId: string | undefined, prefix: string, named: boolean): Reading {
  for (const read of READERS) {
    const made = read(text, queueId, prefix);
    if (made !== undefined) return made;
  }
  const ruled = readByRules(RULES, text, queueId, prefix) ?? readLife(text, queueId, prefix);
  return ruled.event === "unknown" && named ? { ...ruled, event: "info" } : ruled;
}

/** `NAME authenticator failed for [H=]HOST: 535 Incorrect authentication data (set_id=USER)`. */
const readAuth: ReadExim = (text, queueId) => {
  const m = /^(\S{1,60}) authenticator (failed|not .{1,20}?|error) (?:for|from) (?:H=)?/.exec(text);
  if (m === null) return undefined;
  const fields: Bag = { sasl_method: m[1]! };
  const end = putHost(fields, text, m[0].length);
  const rest = text.slice(end < 0 ? m[0].length : end);
  const colon = rest.indexOf(": ");
  const reason = colon < 0 ? rest : rest.slice(colon + 2);
  const user = / \(set_id=(.{0,300}?)\)(?=$|: |,)/.exec(reason);
  put(fields, "sasl_username", user?.[1]);
  const said = user === null ? reason : reason.slice(0, user.index);
  fields["reason"] = said;
  const code = readCode(said);
  put(fields, "reply_code", code);
  const backend = code === 435 || code === 454 || /unable to authenticate|temporary/i.test(plainWords(said));
  return {
    event: "auth_failure",
    fields,
    queueId,
    cause: backend ? "auth_backend" : "auth",
    shape: `authenticator failed for <>: ${said}`,
  };
};

/** sa-exim: `SA: Action: flagged as Spam but accepted: score=8.2 required=5.0 ... From <a> (host=h [ip]) for x`. */
const readSaExim: ReadExim = (text, queueId) => {
  const m = /^SA: (Action|Debug|Notice|PANIC|Warning): ([^:]{1,120})/.exec(text);
  if (m === null) return undefined;
  const fields: Bag = { verdict: m[2]! };
  const score = /score=(-?\d{1,5}(?:\.\d{1,4})?)/.exec(text);
  if (score) fields["score"] = Number(score[1]);
  const host = text.lastIndexOf("(host=");
  putAddress(fields, host < 0 ? undefined : /\[([^[\]\s]{1,64})\]\)/.exec(text.slice(host, host + 400))?.[1]);
  put(fields, "from", / From <([^<>]{0,320})> \(host=/.exec(text)?.[1]);
  return {
    event: m[1] === "PANIC" ? "policy_failure" : "filter_result",
    fields,
    cause: m[1] === "PANIC" ? "policy" : undefined,
    queueId,
    shape: `SA: ${m[1]}: ${m[2]}`,
  };
};

/** `DKIM: d=our.example s=s1 c=relaxed/relaxed a=rsa-sha256 b=2048 [verification succeeded]`, `DKIM: signing failed`. */
const readDkim: ReadExim = (text, queueId) => {
  if (!text.startsWith("DKIM: ")) return undefined;
  const fields: Bag = {};
  put(fields, "domain", / d=(\S{1,255})/.exec(text)?.[1]);
  put(fields, "selector", / s=(\S{1,255})/.exec(text)?.[1]);
  const bracket = text.lastIndexOf("[");
  const result = bracket < 0 ? text.slice(6) : text.slice(bracket + 1).replace(/\]\s*$/, "");
  fields["result"] = result;
  const dns = /unavailable|temporary|DNS|query/i.test(plainWords(result)) ? "dns" : undefined;
  return {
    event: "dkim_result",
    fields,
    cause: dns,
    queueId,
    shape: `DKIM: ${bracket < 0 ? text.slice(6) : result}`,
  };
};

const READERS: readonly ReadExim[] = [
  readAuth,
  readHostLine,
  readTyped,
  readRejectedFirst,
  readClientLine,
  readSaExim,
  readDkim,
];

const RULES: readonly Rule[] = [
  [/no space left|space check failed/i, "disk_failure", "disk"],
  [/^Completed/, "removed"],
  [
    /^(?:Message is frozen|Spool file is locked|skipped|not (?:this|within)|no immediate delivery)/i,
    "queue_skipped",
  ],
  [/^(?:\*{3} )?Frozen|^frozen by/i, "hold"],
  [
    /^Unfrozen|^(?:removed|requeued|delivery forced|recipient .{0,80} removed|all addresses .{0,40}(?:removed|marked)|sender .{0,80} (?:changed|set))|marked delivered|forced to fail/i,
    "queue_action",
  ],
  [/^cancelled|timeout_frozen_after/i, "expired"],
  [/error ignored|error message.{0,20}(?:deferred|ignored)/i, "info"],
  [/^"Mail delivery failed/, "info"],
  [/^(?:Start|End) queue run/, "info"],
  [/daemon started|^exim .{0,40} started/i, "process_start"],
  [/^SIGHUP|re-exec daemon|^restart/i, "reload"],
  [/daemon (?:terminat|stopp|exit)|^SIGTERM|terminating/i, "process_stop"],
  [
    /^Exim configuration error|configuration (?:file|error|data)|option .{0,40}(?:unknown|invalid|ignored)|never_users|tainted|untrusted/i,
    "config_warning",
    "config",
  ],
  [
    /^(?:malware|spam) acl condition|^(?:clamd|spamd|rspamd)\b|local_scan|demime|policy daemon/i,
    "policy_failure",
    "policy",
  ],
  [/^Warning: No server certificate|selfsigned|self-signed/i, "config_warning", "config"],
  [
    /^(?:TLS|GnuTLS|SSL|OpenSSL|DANE|\[?0?\]? ?SSL)\b.{0,60}(?:error|fail|session|closed|could not|not)/i,
    "tls_failure",
    "tls",
  ],
  [/SMTP error from remote|LMTP error|Remote host .{0,60} closed/i, "host_reply", "other"],
  [
    /failed to (?:expand|open|read|write|create|lock|stat|rename|unlink)|string too|expansion/i,
    "config_warning",
    "config",
  ],
  [
    /lookup (?:of|failed|deferred)|(?:lookup|database|query).{0,40}(?:defer|fail|gave)/i,
    "lookup_failure",
    "lookup",
  ],
  [/no IP address found|host lookup|\bDNS\b|lowest numbered MX/i, "dns_failure", "dns"],
  [
    /too many (?:connections|processes)|load average|connection count|retry record/i,
    "limit_reached",
    "limit",
  ],
  [
    /^(?:Envelope-(?:from|to)|[PFTRSICB* ] [A-Z][A-Za-z-]{1,60}|[A-Z][A-Za-z-]{1,60}):|^-{4,}|^\s|^\+{2,}/,
    "info",
  ],
  [
    /^(?:original recipients|no recipients|error processing|cwd=|Warning:|H=|U=|delivering|rda|system filter|ratelimit|greylist)/i,
    "info",
  ],
  [/delivery (?:error|failed)|undelivered|giving up|too many/i, "error", "other"],
];
