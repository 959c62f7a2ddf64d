import { refusalCause } from "./cause.ts";
import type { EventName } from "./names.ts";
import {
  type Bag,
  between,
  cap,
  isDigit,
  put,
  putClient,
  type Reading,
  readReply,
  type Sample,
  type Writer,
  word,
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
    line: "NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 550 5.1.1 <no@our.example>: Recipient address rejected: User unknown in virtual mailbox table; from=<a@b.example> to=<no@our.example> proto=ESMTP helo=<b.example>",
    event: "reject",
    cause: "unknown_user",
    fields: {
      stage: "RCPT",
      reply_code: 550,
      dsn: "5.1.1",
      from: "a@b.example",
      to: "no@our.example",
      helo: "b.example",
    },
  },
  {
    line: "NOQUEUE: reject_warning: RCPT from unknown[192.0.2.9]: 554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.example; http://x.example; from=<> to=<x@our.example> proto=SMTP helo=<y>",
    event: "reject_warning",
    cause: "rbl",
    fields: { from: "", rbl: "zen.example" },
  },
  {
    line: "NOQUEUE: milter-reject: RCPT from h.example[192.0.2.9]: 451 4.7.1 Service unavailable - try again later; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "milter_reject",
    cause: "milter",
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
  { line: "SSL_accept error from h.example[192.0.2.9]: lost connection", event: "tls_failure", cause: "tls" },
  {
    line: "Anonymous TLS connection established from h.example[192.0.2.9]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
    event: "tls_established",
    fields: { tls_trust: "Anonymous", tls_version: "TLSv1.3", tls_cipher: "TLS_AES_256_GCM_SHA384" },
  },
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
];

const ACTIONS: Readonly<Record<string, EventName>> = {
  reject: "reject",
  reject_warning: "reject_warning",
  "milter-reject": "milter_reject",
  "milter-hold": "hold",
  "milter-discard": "discard",
  hold: "hold",
  discard: "discard",
  filter: "filter",
  redirect: "redirect",
  bcc: "redirect",
  replace: "replace",
  prepend: "replace",
  strip: "replace",
  warn: "reject_warning",
  warning: "reject_warning",
  info: "info",
  delay: "hold",
  permit: "info",
  trigger: "info",
};

/** smtpd, submission and smtps; `body` is the text after the queue id, `prefix` the part before it as the shape shows it. */
export function readSmtpd(
  writer: Writer,
  prefix: string,
  body: string,
  queueId: string | undefined,
): Reading | undefined {
  const session = writer.pid === undefined ? undefined : `${writer.host}/${writer.daemon}[${writer.pid}]`;
  const found = readBody(prefix, body, queueId);
  return found === undefined ? undefined : { ...found, queueId, session };
}

function readBody(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  switch (body.charCodeAt(0)) {
    case 99: // c
      if (body.startsWith("connect from ")) {
        const fields: Bag = {};
        putClient(fields, body, 13);
        return { event: "connect", fields, shape: body };
      }
      if (body.startsWith("client=")) return readClient(prefix, body);
      break;
    case 100: // d
      if (body.startsWith("disconnect from ")) return readDisconnect(body);
      break;
    case 108: // l
    case 116: // t
      if (body.startsWith("lost connection after ")) return afterStage("connection_lost", prefix, body, 22);
      if (body.startsWith("timeout after ")) return afterStage("timeout", prefix, body, 14);
      if (body.startsWith("too many errors after ")) return afterStage("too_many_errors", prefix, body, 22);
      break;
    case 105: // i
      if (body.startsWith("improper command pipelining")) {
        const fields: Bag = {};
        const from = body.indexOf(" from ");
        const end = from < 0 ? -1 : putClient(fields, body, from + 6);
        return {
          event: "protocol_error",
          fields,
          cause: "protocol",
          shape: prefix + (end < 0 ? body : body.slice(0, end)),
        };
      }
      break;
  }
  return readAction(prefix, body) ?? readTls(prefix, body) ?? readMisc(prefix, body, queueId);
}

function readClient(prefix: string, body: string): Reading {
  const fields: Bag = {};
  const end = putClient(fields, body, 7);
  let shape = prefix + (end < 0 ? body : body.slice(0, end));
  for (const key of ["sasl_method", "sasl_username", "sasl_sender", "orig_queue_id", "orig_client"]) {
    const value = end < 0 ? undefined : word(body, `, ${key}=`, end);
    if (value === undefined) continue;
    fields[key] = value;
    shape += `, ${key}=${key === "sasl_method" ? value : ""}`;
  }
  return { event: "client", fields, shape };
}

/** `disconnect from H[IP] ehlo=1 auth=0/1 commands=1/2`: each counter as NAME_ok and NAME_all. */
function readDisconnect(body: string): Reading {
  const fields: Bag = {};
  const end = putClient(fields, body, 16);
  if (end < 0) return { event: "disconnect", fields, shape: body };
  let at = end;
  for (let n = 0; n < 20 && body[at] === " "; n++) {
    const equals = body.indexOf("=", at);
    if (equals < 0 || equals - at > 12) break;
    const name = body.slice(at + 1, equals);
    let stop = equals + 1;
    while (isDigit(body.charCodeAt(stop))) stop++;
    const ok = Number(body.slice(equals + 1, stop));
    let all = ok;
    if (body[stop] === "/") {
      const start = ++stop;
      while (isDigit(body.charCodeAt(stop))) stop++;
      all = Number(body.slice(start, stop));
    }
    fields[`${name}_ok`] = ok;
    fields[`${name}_all`] = all;
    at = stop;
  }
  return { event: "disconnect", fields, shape: body.slice(0, end) };
}

/** `lost connection after STAGE [(approximately N bytes)] from H[IP]`. */
function afterStage(event: EventName, prefix: string, body: string, start: number): Reading {
  const fields: Bag = {};
  const from = body.indexOf(" from ", start);
  if (from < 0) return { event, fields, shape: prefix + body };
  const open = body.indexOf(" (", start);
  fields["stage"] = cap(body.slice(start, open > 0 && open < from ? open : from));
  const end = putClient(fields, body, from + 6);
  return { event, fields, shape: prefix + (end < 0 ? body : body.slice(0, end)) };
}

/** `reject: STAGE from H[IP]: CODE DSN <what>: reason; from=<> to=<> proto= helo=<>`, also postscreen's with commas. */
export function readAction(prefix: string, body: string): Reading | undefined {
  const colon = body.indexOf(": ");
  if (colon < 3 || colon > 16) return undefined;
  const action = body.slice(0, colon);
  if (!Object.hasOwn(ACTIONS, action)) return undefined;
  const event = ACTIONS[action]!;
  const from = body.indexOf(" from ", colon);
  if (from < 0) return undefined;
  const fields: Bag = { action, stage: cap(body.slice(colon + 2, from)) };
  const client = putClient(fields, body, from + 6);
  if (client < 0) return undefined;
  const tail = body.indexOf("; from=<", client);
  const textEnd = tail < 0 ? body.length : tail;
  const start = body.startsWith(": ", client) ? client + 2 : client;
  const reply = readReply(body, start);
  put(fields, "reply_code", reply.code);
  put(fields, "dsn", reply.dsn);
  const text = body.slice(Math.min(reply.rest, textEnd), textEnd);
  fields["reason"] = cap(reasonOf(text));
  if (tail >= 0) putEnvelope(fields, body, tail + 2);
  const zone = word(text, "blocked using ") ?? word(text, "listed by domain ");
  if (zone !== undefined) fields["rbl"] = zone.replace(/;$/, "");
  const asks = event === "reject" || event === "reject_warning" || event === "milter_reject";
  return {
    event,
    fields,
    cause: asks ? refusalCause(reply.code, reply.dsn, text, action === "milter-reject") : undefined,
    shape: prefix + body.slice(0, Math.min(reply.rest, textEnd)) + ownWords(text),
  };
}

/** `<who>: reason` without who. */
function reasonOf(text: string): string {
  if (text[0] !== "<") return text;
  const close = text.indexOf(">: ");
  return close < 0 ? text : text.slice(close + 3);
}

/** What Postfix itself says: the TXT record of a block list, which stands after the zone, is not ours. */
function ownWords(text: string): string {
  const at = text.indexOf(" using ");
  const semicolon = at < 0 ? -1 : text.indexOf(";", at);
  return semicolon < 0 ? text : text.slice(0, semicolon);
}

/** `from=<> to=<> proto=P helo=<h> sasl_username=<u>` from `start`. */
export function putEnvelope(fields: Bag, body: string, start: number): void {
  put(fields, "from", between(body, "from=<", ">", start));
  put(fields, "to", between(body, " to=<", ">", start));
  put(fields, "proto", word(body, " proto=", start));
  put(fields, "helo", between(body, " helo=<", ">", start));
  put(fields, "sasl_method", word(body, " sasl_method=", start));
  const user = word(body, " sasl_username=", start);
  if (user !== undefined) fields["sasl_username"] = user.replace(/^<|>$/g, "");
}

/** `Trusted TLS connection established from|to H[IP]:port: TLSv1.3 with cipher C (..)`, `SSL_accept error from H[IP]: text`. */
export function readTls(prefix: string, body: string): Reading | undefined {
  const at = body.indexOf("TLS connection ");
  if (at >= 0 && at <= 16 && body.indexOf("established ", at) > 0) {
    const fields: Bag = {};
    if (at > 0) fields["tls_trust"] = body.slice(0, at - 1);
    const direction = body.indexOf("established ", at) + 12;
    const start = direction + (body.startsWith("from ", direction) ? 5 : 3);
    const end = putClient(fields, body, start);
    const cipher = body.indexOf(" with cipher ");
    if (end > 0 && cipher > end) fields["tls_version"] = cap(body.slice(end + 2, cipher));
    put(fields, "tls_cipher", word(body, " with cipher "));
    return { event: "tls_established", fields, shape: prefix + (cipher < 0 ? body : body.slice(0, cipher)) };
  }
  if (body.startsWith("SSL_accept error from ") || body.startsWith("SSL_connect error to ")) {
    const fields: Bag = {};
    const end = putClient(fields, body, body.indexOf(" error ") + (body[4] === "a" ? 12 : 10));
    const reason = end < 0 ? "" : body.slice(end).replace(/^: ?/, "");
    fields["reason"] = cap(reason);
    return { event: "tls_failure", fields, cause: "tls", shape: prefix + body };
  }
  return undefined;
}

function readMisc(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  if (body.startsWith("setting up TLS connection"))
    return { event: "info", fields: {}, shape: prefix + body };
  if (body.startsWith("client ") || body.startsWith("warning: ")) return undefined;
  if (body.includes(": ") && body.startsWith("NOQUEUE"))
    return { event: "info", fields: {}, queueId, shape: prefix + body };
  return undefined;
}
