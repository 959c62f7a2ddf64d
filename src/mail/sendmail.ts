import { refusalCause } from "./cause-refused.ts";
import { remoteCause } from "./cause-remote.ts";
import { type Bag, put, type Reading, readDsn, readReply } from "./scan.ts";
import {
  type CompanionSample,
  plainWords,
  putAddress,
  type Rule,
  reading,
  readRulesOrLife,
} from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "sendmail",
    line: "a01ABcde012345: from=<a@b.example>, size=1200, class=0, nrcpts=1, msgid=<1@b.example>, proto=ESMTP, daemon=MTA, relay=h.example [192.0.2.9]",
    event: "client",
    fields: {
      from: "a@b.example",
      size: 1200,
      nrcpt: 1,
      message_id: "1@b.example",
      client_name: "h.example",
      client_address: "192.0.2.9",
    },
  },
  {
    daemon: "sendmail",
    line: "a01ABcde012345: to=<x@far.example>, ctladdr=<ann@our.example> (1000/1000), delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=31200, relay=mx.far.example. [192.0.2.7], dsn=2.0.0, stat=Sent (ok 77AA)",
    event: "delivery",
    fields: {
      to: "x@far.example",
      status: "sent",
      dsn: "2.0.0",
      delay: 2,
      relay_host: "mx.far.example",
      relay_address: "192.0.2.7",
    },
  },
  {
    daemon: "sm-mta",
    line: "a01ABcde012345: to=<x@far.example>, delay=1+00:00:02, mailer=esmtp, relay=mx.far.example. [192.0.2.7], dsn=4.0.0, stat=Deferred: Connection timed out with mx.far.example.",
    event: "delivery",
    cause: "connect",
    fields: { status: "deferred", delay: 86402 },
  },
  {
    daemon: "sm-mta",
    line: "a01ABcde012345: ruleset=check_rcpt, arg1=<x@our.example>, relay=h.example [192.0.2.9] (may be forged), reject=550 5.7.1 <x@our.example>... Relaying denied",
    event: "reject",
    cause: "relay_denied",
    fields: { client_address: "192.0.2.9", reply_code: 550, dsn: "5.7.1", stage: "check_rcpt" },
  },
  {
    daemon: "sendmail",
    line: "a01ABcde012345: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed, user=x, relay=[198.51.100.1], relay=[192.0.2.9] (may be forged)",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9", sasl_method: "LOGIN", sasl_username: "x" },
  },
  {
    daemon: "sm-mta",
    line: "a01ABcde012345: h.example [192.0.2.9]: possible SMTP attack: command=AUTH, count=6",
    event: "too_many_errors",
    cause: "auth",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "sm-mta",
    line: "a01ABcde012345: h.example [192.0.2.9] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
    event: "disconnect",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "sm-mta",
    line: "a01ABcde012345: lost input channel from h.example [192.0.2.9] to MTA after rcpt",
    event: "connection_lost",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "sm-mta",
    line: "a01ABcde012345: <nobody@our.example>... User unknown",
    event: "reject",
    cause: "unknown_user",
    fields: { to: "nobody@our.example" },
  },
  {
    daemon: "sm-mta",
    line: "STARTTLS=server, relay=h.example [192.0.2.9], version=TLSv1.3, verify=NO, cipher=TLS_AES_256_GCM_SHA384, bits=256/256",
    event: "tls_established",
    fields: { client_address: "192.0.2.9" },
  },
  { daemon: "sm-mta", line: "starting daemon (8.17.1): SMTP+queueing@00:10:00", event: "process_start" },
];

/** `name [ip]` or `[ip]`, `IPv6:` before the newer kind. */
const CLIENT = /(?:(\S{1,255}) {1,2})?\[(?:IPv6:)?([^[\]\s]{1,64})\]/;

const RULES: readonly Rule[] = [
  [/starting daemon|started/i, "process_start"],
  [/stopping|terminat|exiting/i, "process_stop"],
  [/restarting|sighup/i, "reload"],
  [/timeout waiting for input|timed? ?out/i, "timeout"],
  [/rejecting connections|load average|too many|rate limit|grew worklist|max/i, "limit_reached", "limit"],
  [/milter/i, "milter_failure", "milter"],
  [/sender notify|postmaster notify|return to sender|clone|dsn:/i, "bounce_notification"],
  [/queue|runqueue|locked|done|headers|alias database|discarded|forward|daemon|tls/i, "info"],
];

/** sendmail: an id, then key=value pairs or prose. */
export function readSendmail(message: string): Reading {
  const id = /^([0-9A-Za-z]{1,40}): /.exec(message);
  const queueId = id?.[1] !== undefined && /\d/.test(id[1]) ? id[1] : undefined;
  const named = queueId !== undefined || id?.[1] === "NOQUEUE";
  const body = named ? message.slice(id![0].length) : message;
  if (body.startsWith("to=")) return readDelivery(body, queueId);
  if (body.startsWith("from=")) return readArrival(body, queueId);
  if (body.startsWith("ruleset=") || body.startsWith("Milter: ")) return readRuleset(body, queueId);
  const auth = /^AUTH failure \(([^()]{1,40})\): /.exec(body);
  if (auth) return readAuth(body, auth[1]!, queueId);
  return readProse(body, queueId);
}

/** Relay stands last, so what a client put before it can't imitate it. */
function putRelay(fields: Bag, body: string, asClient: boolean): void {
  const at = body.lastIndexOf("relay=");
  if (at < 0) return;
  const text = body.slice(at + 6, at + 400);
  const m = CLIENT.exec(text);
  const name = m === null ? /^[^\s,]{0,255}/.exec(text)![0] : m[1];
  if (asClient) {
    put(fields, "client_name", name);
    putAddress(fields, m?.[2]);
    return;
  }
  put(fields, "relay", text.split(",", 1)[0]);
  put(fields, "relay_host", name?.replace(/\.$/, ""));
  put(fields, "relay_address", m?.[2]);
}

function readArrival(body: string, queueId: string | undefined): Reading {
  const fields: Bag = { from: /^from=<?([^<>,]{0,320})/.exec(body)![1]! };
  const size = /, size=(\d{1,12})/.exec(body)?.[1];
  if (size !== undefined) fields["size"] = Number(size);
  const nrcpt = /, nrcpts=(\d{1,9})/.exec(body)?.[1];
  if (nrcpt !== undefined) fields["nrcpt"] = Number(nrcpt);
  put(fields, "message_id", /, msgid=<?([^<>,\s]{0,400})/.exec(body)?.[1]);
  put(fields, "proto", /, proto=(\w{1,10})/.exec(body)?.[1]);
  putRelay(fields, body, true);
  return {
    event: fields["client_address"] === undefined ? "pickup" : "client",
    fields,
    queueId,
    shape: "from=<> size= nrcpts= relay=<>",
    uncached: true,
  };
}

/** `1+02:03:04`: seconds. */
function duration(text: string | undefined): number | undefined {
  const m = /^(?:(\d{1,4})\+)?(\d{1,3}):(\d{2}):(\d{2})$/.exec(text ?? "");
  return m === null
    ? undefined
    : Number(m[1] ?? 0) * 86_400 + Number(m[2]) * 3_600 + Number(m[3]) * 60 + Number(m[4]);
}

/** `to=<x>, ..., dsn=2.0.0, stat=Sent (text)`. */
function readDelivery(body: string, queueId: string | undefined): Reading {
  const fields: Bag = { to: /^to=<?([^<>,]{0,320})/.exec(body)![1]! };
  put(fields, "from", /, ctladdr=<?([^<>,\s]{0,320})/.exec(body)?.[1]);
  put(fields, "delay", duration(/, delay=([\d+:]{1,20})/.exec(body)?.[1]));
  const stat = body.indexOf(", stat=");
  const head = stat < 0 ? body : body.slice(0, stat);
  putRelay(fields, head, false);
  const dsn = head.lastIndexOf("dsn=");
  put(fields, "dsn", dsn < 0 ? undefined : readDsn(head, dsn + 4));
  const reason = stat < 0 ? "" : body.slice(stat + 7);
  fields["reason"] = reason;
  const word = /^(?:Sent|queued|Deferred)/i.exec(reason)?.[0].toLowerCase();
  const status = word === "sent" ? "sent" : word === "deferred" || word === "queued" ? "deferred" : "bounced";
  fields["status"] = status;
  const cause = status === "sent" ? undefined : why(reason);
  return {
    event: "delivery",
    fields,
    cause,
    queueId,
    shape: `to=<> stat=${status === "sent" ? "Sent" : reason.split(" with ", 1)[0]}`,
  };
}

function why(reason: string): ReturnType<typeof remoteCause> {
  const words = plainWords(reason);
  if (/timed out|refused|reset|no route|unreachable/i.test(words)) return "connect";
  if (/host unknown|name server|host name lookup/i.test(words)) return "dns";
  const { code, dsn } = readReply(reason.replace(/^Deferred: /, ""), 0);
  return remoteCause(code, dsn, words);
}

/** `ruleset=check_rcpt, arg1=<x>, relay=H, reject=550 5.7.1 text`; the text after reject= may hold anything. */
function readRuleset(body: string, queueId: string | undefined): Reading {
  const fields: Bag = {};
  const reject = /, (?:reject|discard|quarantine)=|reject=/.exec(body);
  const head = reject === null ? body : body.slice(0, reject.index);
  put(fields, "stage", /^ruleset=(\w{1,40})/.exec(body)?.[1]);
  put(fields, "to", /, arg1=<([^<>]{0,320})>/.exec(head)?.[1]);
  putRelay(fields, head, true);
  if (reject === null && !body.startsWith("ruleset="))
    return reading("info", { ...fields, reason: body }, body, undefined, queueId);
  const reason = reject === null ? "" : body.slice(reject.index + reject[0].length);
  fields["reason"] = reason;
  const { code, dsn, rest } = readReply(reason, 0);
  put(fields, "reply_code", code);
  put(fields, "dsn", dsn);
  const words = plainWords(reason.slice(rest));
  const event =
    reject?.[0].includes("discard") === true
      ? "discard"
      : reject?.[0].includes("quarantine") === true
        ? "hold"
        : "reject";
  return {
    event,
    fields,
    cause: refusalCause(code, dsn, words),
    queueId,
    shape: `ruleset=${fields["stage"] ?? ""} ${code ?? ""} ${dsn ?? ""} ${words}`,
  };
}

/** `AUTH failure (LOGIN): reason, user=U, relay=H [ip] (may be forged)`. */
function readAuth(body: string, method: string, queueId: string | undefined): Reading {
  const fields: Bag = { sasl_method: method };
  putRelay(fields, body, true);
  const relay = body.lastIndexOf(", relay=");
  const user = body.lastIndexOf(", user=", relay < 0 ? undefined : relay);
  put(
    fields,
    "sasl_username",
    user < 0 ? undefined : body.slice(user + 7, relay < user ? undefined : relay).split(", relay=", 1)[0],
  );
  const end = user < 0 ? relay : user;
  fields["reason"] = body.slice(body.indexOf("): ") + 3, end < 0 ? undefined : end);
  return {
    event: "auth_failure",
    fields,
    cause: "auth",
    queueId,
    shape: `AUTH failure (${method}): ${plainWords(String(fields["reason"]))}`,
  };
}

const PROSE: readonly Rule[] = [
  [/possible smtp attack/i, "too_many_errors", "auth"],
  [/did not issue/i, "disconnect"],
  [/lost input channel|connection (?:reset|lost)|collect: (?:unexpected|premature)/i, "connection_lost"],
  [/rejecting commands|pre-greeting|\[rejected\]|too many (?:bad|syntax)/i, "protocol_error", "protocol"],
  [/user unknown|no such user|user (?:not found|unknown)/i, "reject", "unknown_user"],
  [/^STARTTLS=.{0,20}(?:error|fail)|tls.{0,40}(?:fail|error)|ssl.{0,20}error/i, "tls_failure", "tls"],
  [/^STARTTLS=/i, "tls_established"],
  [/authentication failure/i, "auth_failure", "auth"],
];

/** Prose that names a client as `H [ip]`, first of all; or an address as `<x>... User unknown`. */
function readProse(body: string, queueId: string | undefined): Reading {
  const words = plainWords(body);
  for (const [pattern, event, cause] of PROSE) {
    if (!pattern.test(words)) continue;
    const fields: Bag = { reason: body };
    const m = CLIENT.exec(body.slice(0, 700));
    put(fields, "client_name", m?.[1] === "from" ? undefined : m?.[1]);
    putAddress(fields, m?.[2]);
    put(fields, "to", /^<([^<>]{0,320})>\.\.\. /.exec(body)?.[1]);
    const shape = words
      .replace(/^(?:[^\s[\]]{1,40} )?\[[^[\]\s]{1,64}\]/, "<>")
      .replace(/ (from|commands from) {1,2}(?:\S{1,40} )?\[\S{1,64}\]/, " $1 <>");
    return reading(event, fields, shape, cause, queueId);
  }
  return readRulesOrLife(RULES, body, queueId);
}
