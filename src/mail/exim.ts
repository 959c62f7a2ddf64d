import { refusalCause } from "./cause.ts";
import type { Cause } from "./event.ts";
import { readFlags } from "./exim-flags.ts";
import { eximCause, putHost, putReply, readCode, remoteShape, replyCause } from "./exim-reply.ts";
import type { EventName } from "./names.ts";
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

type Read = (text: string, queueId: string | undefined, prefix: string) => Reading | undefined;

/** `NAME authenticator failed for [H=]HOST: 535 Incorrect authentication data (set_id=USER)`. */
const readAuth: Read = (text, queueId) => {
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

/** `[H=HOST] [U=user] [P=..] F=<..> rejected RCPT <x>: REASON` and the other things an ACL says of a host. */
const readHostLine: Read = (text, queueId, prefix) => {
  const m = /^(?:F=(<[^>]{0,320}>|\S{0,320}) )?(?:H=|U=(\S{1,80}) )/.exec(text);
  if (m === null) return undefined;
  const fields: Bag = {};
  put(fields, "from", m[1]?.replace(/^<|>$/g, ""));
  const end = m[2] === undefined ? putHost(fields, text, m[0].length) : m[0].length;
  if (end < 0) return readPlainHost(text, m[0].length, queueId, prefix);
  const rest = text.slice(end).replace(/^[: ] ?/, "");
  return readVerdict(rest, fields, queueId) ?? readHostTrouble(rest, fields, queueId, prefix);
};

/** `H=host Connection refused`: a host without an address. */
function readPlainHost(
  text: string,
  at: number,
  queueId: string | undefined,
  prefix: string,
): Reading | undefined {
  const blank = text.indexOf(" ", at);
  if (blank < 0) return undefined;
  const fields: Bag = { client_name: text.slice(at, blank) };
  const rest = text.slice(blank + 1);
  return readVerdict(rest, fields, queueId) ?? readHostTrouble(rest, fields, queueId, prefix);
}

const VERDICT =
  /(?:^|\s)(temporarily rejected|rejected|sender verify (?:fail|defer)|sender callout|dropped by|refused|Warning:|discarded|accepted)(?=\s|$|:)/;

/** What was decided: the words before it are flags with values (I= P= A= F=<..> X=..), those after it name stage, argument and reason. */
function readVerdict(rest: string, fields: Bag, queueId: string | undefined): Reading | undefined {
  const early = rest.slice(0, 1500);
  const at = verdictAt(early);
  if (at < 0) return undefined;
  const flags = early.slice(0, at);
  const verdict = VERDICT.exec(early.slice(at))![1]!;
  put(
    fields,
    "from",
    fields["from"] ??
      / ?\bF=<([^>]{0,320})>/.exec(flags)?.[1] ??
      /(?:^| )F=([^\s<>]{1,320})/.exec(flags)?.[1],
  );
  put(fields, "sasl_username", /(?:^| )A=[^\s:]{1,60}:(\S{1,255})/.exec(flags)?.[1]);
  const after = early.slice(at).trimStart().slice(verdict.length).trimStart();
  if (verdict === "Warning:")
    return {
      event: "reject_warning",
      fields: { ...fields, reason: after },
      queueId,
      shape: `H=<> Warning: ${after}`,
    };
  if (verdict === "accepted") return undefined;
  return readRejected(verdict, after, fields, queueId);
}

/** Index of the verdict: outside of `<...>` and quotes, which a client filled. */
function verdictAt(text: string): number {
  return VERDICT.exec(blanked(text))?.index ?? -1;
}

/** A text with what a client filled in blanked, at the same length. */
const blanked = (text: string): string =>
  text.replace(/<[^<>]{0,400}>|"[^"]{0,400}"/g, (s) => "_".repeat(s.length));

/** `RCPT <x>: reason`, `after DATA: reason`, `EHLO or HELO x: reason`, `by local_scan(): reason`, `'connect' ACL: reason`. */
function readRejected(verdict: string, after: string, fields: Bag, queueId: string | undefined): Reading {
  const stage =
    /^(?:MAIL|RCPT|EHLO or HELO|HELO or EHLO|EHLO|HELO|VRFY|EXPN|ETRN|STARTTLS|AUTH|QUIT|after DATA|DATA|by \S{1,60}?|in "\w{1,30}" ACL|connection(?: in "\w{1,30}" ACL)?|'\w{1,30}' ACL|during \S{1,40}|before DATA|for)(?=[\s:]|$)/.exec(
      after,
    )?.[0];
  const rest = after.slice(stage?.length ?? 0);
  const argument = /^ ?<([^<>]{0,400})>/.exec(rest) ?? /^ ([^\s:]{1,320}(?=:))/.exec(rest);
  const colon = rest.indexOf(": ", argument?.[0].length ?? 0);
  const reason =
    colon < 0 ? rest.slice(argument?.[0].length ?? 0).replace(/^[:\s]+/, "") : rest.slice(colon + 2);
  if (stage !== undefined) fields["stage"] = stageName(stage);
  if (argument !== null) {
    if (stage === "RCPT") fields["to"] = argument[1]!;
    else if (stage === "MAIL" || verdict.startsWith("sender")) fields["from"] ??= argument[1]!;
  }
  fields["reason"] = reason;
  const words = plainWords(reason);
  const temporary = verdict.startsWith("temporarily") || verdict.endsWith("defer");
  const cause =
    eximCause(words) ?? (temporary ? undefined : refusalCause(readCode(reason), undefined, words));
  const event: EventName = verdict === "discarded" ? "discard" : "reject";
  return { event, fields, queueId, cause, shape: `H=<> ${verdict} ${stage ?? ""} <>: ${reason}` };
}

const stageName = (stage: string): string =>
  stage.includes("HELO")
    ? "EHLO"
    : stage.startsWith("after")
      ? "DATA"
      : stage.includes("onnect")
        ? "CONNECT"
        : stage.replace(/^(?:by|in|during) /, "");

/** Trouble with a host that we speak to: SMTP errors, refusals, TLS. */
function readHostTrouble(
  rest: string,
  fields: Bag,
  queueId: string | undefined,
  prefix: string,
): Reading | undefined {
  const words = plainWords(rest);
  const relay: Bag = {};
  put(relay, "relay_host", fields["client_name"] ?? fields["client_address"]);
  put(relay, "relay_address", fields["client_address"]);
  relay["reason"] = rest;
  const shape = `${prefix}H=<> ${rest}`;
  if (/SMTP error from remote|LMTP error from remote/i.test(words))
    return {
      event: "host_reply",
      fields: putReply(relay, rest),
      cause: replyCause(rest),
      queueId,
      shape: remoteShape(shape),
    };
  if (
    /connection (?:refused|timed out|closed|reset)|timed? ?out|network error|no route|unreachable|malformed smtp|closed connection|SMTP timeout|response/i.test(
      words,
    )
  )
    return { event: "connect_failure", fields: relay, cause: "connect", queueId, shape };
  if (/\b(?:TLS|SSL|DANE|certificate)\b/i.test(words))
    return { event: "tls_failure", fields: relay, cause: "tls", queueId, shape };
  return undefined;
}

/** Lines that begin with fixed words and then name the client. What the client typed stands before or after it, as the entry says. */
const CLIENT_LINES: readonly (readonly [RegExp, EventName, Cause?])[] = [
  [/^SMTP connection from (?=.{0,600} \(TCP\/IP connection count)/, "connect"],
  [/^SMTP connection from (?=.{0,600} closed by (?:DROP|ACL))/, "reject", "spam"],
  [/^SMTP connection from (?=.{0,600} (?:closed|D=))/, "disconnect"],
  [/^SMTP connection from (?=.{0,600} (?:lost|reset|closed without))/, "connection_lost"],
  [/^SMTP connection from /, "connect"],
  [/^no MAIL in SMTP connection from /, "disconnect"],
  [/^SMTP (?:command|data) timeout (?:\([^()]{0,60}\) )?on (?:TLS )?connection from /, "timeout"],
  [/^SMTP call from (?=.{0,700} dropped: too many)/, "too_many_errors", "protocol"],
  [/^SMTP call from /, "protocol_error", "protocol"],
  [/^unexpected disconnection while reading SMTP command (?:from|on connection from) /, "connection_lost"],
  [
    /^(?:TLS|GnuTLS) (?:error|session failure|session|recv error|send error|write error).{0,40}? (?:on|from) (?:connection from |H=|host )?/,
    "tls_failure",
    "tls",
  ],
  [/^Connection from (?=.{0,600} refused: too many|.{0,600}too many)/, "limit_reached", "limit"],
  [/^(?:Connection|connection) from (?=.{0,600} (?:refused|rejected|dropped))/, "reject", "spam"],
  [/^(?:Connection|connection) from /, "connect"],
  [
    /^(?:SMTP protocol synchronization error) \([^()]{0,120}(?:\([^()]{0,60}\))?[^()]{0,60}\): rejected connection from H=/,
    "protocol_error",
    "protocol",
  ],
  [/^rejected connection (?:from |in "\w{1,30}" ACL )?(?:H=)?/, "reject", "spam"],
  [
    /^(?:host name alias list truncated for|no IP address found for host \S{1,255} \(during SMTP connection from) ?/,
    "hostname_mismatch",
  ],
  [/^no host name found for IP address /, "hostname_mismatch"],
  [/^(?:ident|RFC ?1413) .{0,60}? /i, "info"],
];

const readClientLine: Read = (text, queueId, prefix) => {
  for (const [head, event, cause] of CLIENT_LINES) {
    const m = head.exec(text);
    if (m === null) continue;
    const fields: Bag = {};
    const at = text.startsWith("H=", m[0].length) ? m[0].length + 2 : m[0].length;
    const end = putHost(fields, text, at);
    if (end < 0 && text.startsWith("no host name")) putAddress(fields, /^\S{1,64}/.exec(text.slice(at))?.[0]);
    // What a client typed stands in quotes, and may be a password.
    const rest = (end < 0 ? "" : text.slice(end)).split('"', 1)[0]!;
    fields["reason"] = `${m[0].trim()} ${rest.replace(/^[: ]+/, "")}`.trim();
    return { event, fields, cause, queueId, shape: `${prefix}${m[0]}<>${rest}` };
  }
  return undefined;
};

/** `SMTP protocol error in "TYPED" H=.. TEXT`, `SMTP syntax error in ..`, and synchronisation errors: TYPED may imitate a host, so the last `" H=` counts. */
const readTyped: Read = (text, queueId) => {
  const m =
    /^SMTP (?:protocol error in|syntax error in|protocol synchronization error \([^()]{0,120}(?:\([^()]{0,60}\))?[^()]{0,60}\): rejected) "/.exec(
      text,
    );
  if (m === null) return undefined;
  const next = text.indexOf(' next input="', m[0].length);
  const known = next < 0 ? text : text.slice(0, next);
  const at = known.lastIndexOf('" H=');
  const fields: Bag = {};
  const end = at < 0 ? -1 : putHost(fields, known, at + 4);
  const said = end < 0 ? "" : known.slice(end).replace(/^(?: [A-Z][A-Za-z]{0,3}=\S{0,300}){0,8} ?/, "");
  fields["reason"] = said === "" ? m[0].slice(0, -1).trim() : said;
  return {
    event: "protocol_error",
    fields,
    cause: "protocol",
    queueId,
    shape: `${m[0].slice(0, -1)}<> H=<>`,
  };
};

/** `rejected MAIL FROM:<..> H=..: reason`, `rejected [HELO] from [ip]: syntactically invalid argument(s): x`, `rejected from <..> H=..:`. */
const readRejectedFirst: Read = (text, queueId) => {
  const m =
    /^(temporarily rejected|rejected|refused) (?=(EHLO|HELO|MAIL|RCPT|VRFY|EXPN|ETRN|AUTH|STARTTLS|XCLIENT|DATA|from|connection|by|after)\b)/.exec(
      text,
    );
  if (m === null) return undefined;
  const fields: Bag = {};
  const hidden = blanked(text);
  const at = hidden.indexOf(" H=");
  if (at >= 0) putHost(fields, text, at + 3);
  else {
    const from = hidden.indexOf(" from ");
    if (from >= 0) putHost(fields, text, from + 6);
  }
  put(fields, "from", /(?:FROM:|from |MAIL )<([^<>]{0,320})>/i.exec(text)?.[1]);
  fields["stage"] = m[2]!;
  const colon = hidden.indexOf(": ", at < 0 ? 0 : at);
  const reason = colon < 0 ? text : text.slice(colon + 2);
  fields["reason"] = reason;
  const words = plainWords(reason);
  return {
    event: "reject",
    fields,
    queueId,
    cause: eximCause(words) ?? refusalCause(undefined, undefined, words),
    shape: `${m[0]}${m[2]} <>: ${reason}`,
  };
};

/** sa-exim: `SA: Action: flagged as Spam but accepted: score=8.2 required=5.0 ... From <a> (host=h [ip]) for x`. */
const readSaExim: Read = (text, queueId) => {
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
const readDkim: Read = (text, queueId) => {
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

const READERS: readonly Read[] = [
  readAuth,
  readHostLine,
  readTyped,
  readRejectedFirst,
  readClientLine,
  readSaExim,
  readDkim,
];

const RULES: readonly Rule[] = [
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
