import type { EventName } from "./names.ts";
import { readAction } from "./postfix-action.ts";
import { readTls } from "./postfix-tls.ts";
import {
  type Bag,
  cap,
  findPeer,
  hostShape,
  isDigit,
  peer,
  type Reading,
  reading,
  type Sample,
} from "./scan.ts";

/** Lines of our own making, one of each kind. */
export const samples: readonly Sample[] = [
  {
    line: "connect from mx.example[192.0.2.7]",
    event: "connect",
    fields: { client_name: "mx.example", client_address: "192.0.2.7" },
  },
  {
    line: "disconnect from mx.example[192.0.2.7] ehlo=1 auth=0/1 quit=1 commands=2/3",
    event: "disconnect",
    fields: {
      client_address: "192.0.2.7",
      auth_ok: 0,
      auth_all: 1,
      commands_ok: 2,
      commands_all: 3,
      ehlo_ok: 1,
    },
  },
  {
    line: "4A1B2C3D4E: client=h.example[2001:db8::7], sasl_method=PLAIN, sasl_username=ann@our.example",
    event: "client",
    fields: { client_address: "2001:db8::7", sasl_method: "PLAIN", sasl_username: "ann@our.example" },
  },
  {
    line: "lost connection after AUTH from unknown[192.0.2.9]",
    event: "connection_lost",
    fields: { stage: "AUTH" },
  },
  {
    line: "NOQUEUE: lost connection after DATA (approximately 77 bytes) from unknown[192.0.2.9]",
    event: "connection_lost",
  },
  { line: "timeout after END-OF-MESSAGE from h.example[192.0.2.9]", event: "timeout" },
  { line: "too many errors after RCPT from h.example[192.0.2.9]", event: "too_many_errors" },
  {
    line: "warning: hostname bad.example does not resolve to address 192.0.2.9: Name or service not known",
    event: "hostname_mismatch",
  },
  {
    line: "warning: hostname bad.example does not resolve to address 192.0.2.9: Temporary failure in name resolution",
    event: "hostname_mismatch",
    cause: "dns",
  },
  {
    line: "warning: unknown[192.0.2.9]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=bob",
    event: "auth_failure",
    cause: "auth",
    fields: { client_address: "192.0.2.9", sasl_method: "LOGIN", sasl_username: "bob" },
  },
  {
    line: "warning: h.example[192.0.2.9]: SASL PLAIN authentication failed: Connection lost to authentication server",
    event: "auth_failure",
    cause: "auth_backend",
  },
  { line: "fatal: no SASL authentication mechanisms", event: "auth_backend_failure", cause: "auth_backend" },
  {
    line: "warning: connect to Milter service inet:127.0.0.1:8891: Connection refused",
    event: "milter_failure",
    cause: "milter",
  },
  {
    line: "warning: Connection rate limit exceeded: 61 from h.example[192.0.2.9] for service smtp",
    event: "limit_reached",
    cause: "limit",
  },
  {
    line: "warning: non-SMTP command from unknown[192.0.2.9]: GET / HTTP/1.1",
    event: "protocol_error",
    cause: "protocol",
  },
  {
    line: "improper command pipelining after EHLO from unknown[192.0.2.9]: QUIT\\r\\n",
    event: "protocol_error",
    cause: "protocol",
  },
  { line: "connect from unknown[192.0.2.9]:41222", event: "connect", fields: { client_port: 41222 } },
  { line: "disconnect from unknown[unknown]", event: "disconnect", fields: { client_address: "unknown" } },
  {
    line: "4A1B2C3D4E: client=h.example[192.0.2.9], sasl_method=LOGIN, sasl_username=ann lee, esq, sasl_sender=ann@our.example, orig_queue_id=5B1B2C3D4E, orig_client=far.example[192.0.2.77]",
    event: "client",
    fields: {
      sasl_username: "ann lee, esq",
      sasl_sender: "ann@our.example",
      orig_queue_id: "5B1B2C3D4E",
      orig_client: "far.example[192.0.2.77]",
    },
  },
  { line: "NOQUEUE: client=h.example[192.0.2.9]", event: "client", fields: { client_address: "192.0.2.9" } },
  {
    line: "lost connection after BDAT (4096 bytes) from h.example[192.0.2.9]",
    event: "connection_lost",
    fields: { stage: "BDAT", bytes: 4096 },
  },
  {
    line: "4A1B2C3D4E: timeout after DATA (12 bytes) from h.example[192.0.2.9]",
    event: "timeout",
    fields: { stage: "DATA", bytes: 12 },
  },
  {
    line: "bare <LF> received after DATA from h.example[192.0.2.9]",
    event: "protocol_error",
    cause: "protocol",
    fields: { stage: "DATA", client_address: "192.0.2.9" },
  },
  { line: "> h.example[192.0.2.9]: 250 2.1.0 Ok", event: "info" },
  {
    line: "warning: 192.0.2.9: address not listed for hostname h.example",
    event: "hostname_mismatch",
    fields: { client_address: "192.0.2.9", client_name: "h.example" },
  },
  {
    line: "warning: 192.0.2.9: hostname h.example verification failed: Name or service not known",
    event: "hostname_mismatch",
    fields: { client_address: "192.0.2.9", client_name: "h.example" },
  },
  {
    line: "warning: SASL authentication failure: cannot connect to saslauthd server: No such file or directory",
    event: "auth_backend_failure",
    cause: "auth_backend",
  },
  {
    line: "warning: SASL authentication failure: Password verification failed",
    event: "auth_failure",
    cause: "auth",
  },
  {
    line: "warning: h.example[192.0.2.9]: request longer than 2048: AAAA",
    event: "protocol_error",
    cause: "protocol",
  },
  {
    line: "warning: Illegal address syntax from unknown[192.0.2.9] in RCPT command: <<x@our.example>>",
    event: "protocol_error",
    cause: "protocol",
    fields: { client_address: "192.0.2.9" },
  },
  {
    line: "warning: Unable to look up MX host mx.b.example for Sender address a@b.example: Host not found, try again",
    event: "dns_failure",
    cause: "dns",
  },
  {
    line: "warning: problem talking to server private/policyd-spf: Connection timed out",
    event: "policy_failure",
    cause: "policy",
  },
  {
    line: "warning: problem talking to server 127.0.0.1:10023: Connection refused",
    event: "policy_failure",
    cause: "policy",
  },
  {
    line: "warning: problem talking to server /run/greyd.sock: No such file or directory",
    event: "policy_failure",
    cause: "policy",
  },
  {
    line: "warning: problem talking to server private/anvil: Connection timed out",
    event: "connect_failure",
    cause: "crash",
  },
  {
    line: "warning: problem talking to server private/tlsmgr: Connection refused",
    event: "connect_failure",
    cause: "crash",
  },
  {
    line: "warning: problem talking to service rewrite: Connection timed out",
    event: "connect_failure",
    cause: "crash",
  },
  {
    line: "warning: 4A1B2C3D4E: queue file size limit exceeded",
    event: "limit_reached",
    cause: "limit",
    fields: { reason: "queue file size limit exceeded" },
  },
  {
    line: "warning: Message delivery request rate limit exceeded: 31 from h.example[192.0.2.9] for service smtpd",
    event: "limit_reached",
    cause: "limit",
    fields: { value: 31, client_address: "192.0.2.9", limited_service: "smtpd" },
  },
];

/** smtpd, submission and smtps; `body` is the text after the queue id, `prefix` the part before it as the shape shows it. */
export function readSmtpd(
  prefix: string,
  body: string,
  queueId: string | undefined,
  session: string | undefined,
): Reading | undefined {
  switch (body.charCodeAt(0)) {
    case 99: // c
      if (body.startsWith("connect from ")) return readConnect(body, queueId, session);
      if (body.startsWith("client=")) return readClient(prefix, body, queueId, session);
      break;
    case 100: // d
      if (body.startsWith("disconnect from ")) return readDisconnect(body, queueId, session);
      break;
    case 108: // l
      if (body.startsWith("lost connection after "))
        return afterStage("connection_lost", prefix, body, 22, queueId, session);
      break;
    case 116: // t
      if (body.startsWith("timeout after ")) return afterStage("timeout", prefix, body, 14, queueId, session);
      if (body.startsWith("too many errors after "))
        return afterStage("too_many_errors", prefix, body, 22, queueId, session);
      break;
    case 98: // b
      if (body.startsWith("bare <LF> received after "))
        return afterStage("protocol_error", prefix, body, 25, queueId, session);
      break;
    case 105: // i
      if (body.startsWith("improper command pipelining after "))
        return afterStage("protocol_error", prefix, body, 34, queueId, session);
      break;
    case 60: // <, and > are what was said, with debug_peer_list
    case 62:
      if (body.charCodeAt(1) === 32 && findPeer(body, 2)) {
        const fields = {
          client_name: peer.name,
          client_address: peer.address,
          text: cap(body.slice(peer.end + 2)),
        };
        return reading("info", fields, `${body[0]} ${hostShape(peer.name)}`, undefined, queueId, session);
      }
      break;
  }
  const action = readAction(prefix, body, queueId, session);
  if (action !== undefined) return action;
  const tls = readTls(prefix, body, queueId);
  return tls === undefined || session === undefined ? tls : { ...tls, session };
}

function readConnect(body: string, queueId: string | undefined, session: string | undefined): Reading {
  if (!findPeer(body, 13)) return reading("connect", {}, "connect from <>", undefined, queueId, session);
  const fields: Bag = { client_name: peer.name, client_address: peer.address };
  if (peer.port > 0) fields["client_port"] = peer.port;
  return reading("connect", fields, `connect from ${hostShape(peer.name)}`, undefined, queueId, session);
}

/** What may follow `client=H[IP]`, each after a comma. */
const CLIENT_KEYS = ["sasl_method", "sasl_username", "sasl_sender", "orig_queue_id", "orig_client"];

/** `client=H[IP], sasl_method=, sasl_username=, sasl_sender=, orig_queue_id=, orig_client=`. A user may hold commas and blanks. */
function readClient(
  prefix: string,
  body: string,
  queueId: string | undefined,
  session: string | undefined,
): Reading {
  if (!findPeer(body, 7)) return reading("client", {}, `${prefix}client=<>`, undefined, queueId, session);
  const fields: Bag = { client_name: peer.name, client_address: peer.address };
  if (peer.port > 0) fields["client_port"] = peer.port;
  let shape = `${prefix}client=${hostShape(peer.name)}`;
  let at = peer.end;
  for (let k = 0; k < CLIENT_KEYS.length && at < body.length; k++) {
    const key = CLIENT_KEYS[k]!;
    if (!body.startsWith(key, at + 2) || body.charCodeAt(at + 2 + key.length) !== 61) continue;
    const start = at + 3 + key.length;
    const end = nextKey(body, start);
    const value = cap(body.slice(start, end));
    fields[key] = value;
    shape += `, ${key}=${key === "sasl_method" ? value : ""}`;
    at = end;
  }
  return reading("client", fields, shape, undefined, queueId, session);
}

/** Where the next `, sasl_` or `, orig_` begins, or the text's end. */
function nextKey(body: string, from: number): number {
  let at = from;
  for (let n = 0; n < 16; n++) {
    at = body.indexOf(", ", at);
    if (at < 0) return body.length;
    if (body.startsWith("sasl_", at + 2) || body.startsWith("orig_", at + 2)) return at;
    at += 2;
  }
  return body.length;
}

/** Names of the counters, with the fields they become. */
const COUNTERS: ReadonlyMap<string, readonly [string, string]> = new Map(
  "ehlo helo lhlo starttls auth mail rcpt data bdat rset noop vrfy expn etrn help quit xclient xforward unknown commands"
    .split(" ")
    .map((name) => [name, [`${name}_ok`, `${name}_all`]]),
);

/** `disconnect from H[IP] ehlo=1 auth=0/1 commands=1/2`: each counter as NAME_ok and NAME_all. */
function readDisconnect(body: string, queueId: string | undefined, session: string | undefined): Reading {
  if (!findPeer(body, 16))
    return reading("disconnect", {}, "disconnect from <>", undefined, queueId, session);
  const fields: Bag = { client_name: peer.name, client_address: peer.address };
  const shape = `disconnect from ${hostShape(peer.name)}`;
  let at = peer.end;
  for (let n = 0; n < 20 && body.charCodeAt(at) === 32; n++) {
    const equals = body.indexOf("=", at);
    if (equals < 0 || equals - at > 12) break;
    const keys = COUNTERS.get(body.slice(at + 1, equals));
    let stop = equals + 1;
    let ok = 0;
    for (let c = body.charCodeAt(stop); c >= 48 && c <= 57; c = body.charCodeAt(++stop))
      ok = ok * 10 + c - 48;
    let all = ok;
    if (body.charCodeAt(stop) === 47) {
      all = 0;
      for (let c = body.charCodeAt(++stop); c >= 48 && c <= 57; c = body.charCodeAt(++stop))
        all = all * 10 + c - 48;
    }
    if (keys !== undefined && stop - equals < 20) {
      fields[keys[0]] = ok;
      fields[keys[1]] = all;
    }
    at = stop;
  }
  return reading("disconnect", fields, shape, undefined, queueId, session);
}

/** `lost connection after STAGE [(approximately N bytes)] from H[IP][: text]`; what the client sent stands last and is kept out of the shape. */
function afterStage(
  event: EventName,
  prefix: string,
  body: string,
  start: number,
  queueId: string | undefined,
  session: string | undefined,
): Reading {
  const cause = event === "protocol_error" ? "protocol" : undefined;
  const from = body.indexOf(" from ", start);
  if (from < 0 || !findPeer(body, from + 6))
    return reading(event, {}, prefix + body.slice(0, start), cause, queueId, session);
  const open = body.indexOf(" (", start);
  const stage = body.slice(start, open > 0 && open < from ? open : from);
  const fields: Bag = { stage: cap(stage), client_name: peer.name, client_address: peer.address };
  if (open > 0 && open < from) {
    let at = open + 2;
    if (body.startsWith("approximately ", at)) at += 14;
    let bytes = 0;
    for (; isDigit(body.charCodeAt(at)) && at < open + 32; at++)
      bytes = bytes * 10 + body.charCodeAt(at) - 48;
    fields["bytes"] = bytes;
  }
  if (cause !== undefined && body.length > peer.end) fields["text"] = cap(body.slice(peer.end + 2));
  const shape = `${prefix}${body.slice(0, from + 6)}${hostShape(peer.name)}`;
  return reading(event, fields, shape, cause, queueId, session);
}
