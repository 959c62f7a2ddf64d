import { localCause, remoteCause } from "./cause.ts";
import type { Cause } from "./event.ts";
import { readTls } from "./postfix-smtpd.ts";
import { type Bag, cap, put, putClient, type Reading, readReply, type Sample } from "./scan.ts";

/** Lines of our own making. */
export const samples: readonly Sample[] = [
  {
    line: "4A1B2C3D4E: to=<ann@far.example>, orig_to=<all@our.example>, relay=mx.far.example[192.0.2.7]:25, conn_use=2, delay=0.45, delays=0.1/0.02/0.1/0.23, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 77AA)",
    event: "delivery",
    fields: {
      to: "ann@far.example",
      orig_to: "all@our.example",
      relay: "mx.far.example[192.0.2.7]:25",
      relay_host: "mx.far.example",
      relay_address: "192.0.2.7",
      delay: 0.45,
      delays: "0.1/0.02/0.1/0.23",
      delay_d: 0.23,
      dsn: "2.0.0",
      status: "sent",
      reply_code: 250,
    },
  },
  {
    line: "4A1B2C3D4E: to=<ann@far.example>, relay=mx.far.example[192.0.2.7]:25, delay=3, delays=1/0/1/1, dsn=4.7.0, status=deferred (host mx.far.example[192.0.2.7] said: 421-4.7.0 [192.0.2.1 15] Our system has detected an unusual rate of mail (in reply to end of DATA command))",
    event: "delivery",
    cause: "throttled",
    fields: { status: "deferred", reply_code: 421 },
  },
  {
    line: "4A1B2C3D4E: to=<x@far.example>, relay=mx.far.example[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.far.example[192.0.2.7] said: 550 5.1.1 <x@far.example>: User unknown (in reply to RCPT TO command))",
    event: "delivery",
    cause: "unknown_user",
  },
  {
    line: "4A1B2C3D4E: to=<x@far.example>, relay=none, delay=9, delays=9/0/0/0, dsn=4.4.3, status=deferred (Host or domain name not found. Name service error for name=far.example type=MX: Host not found, try again)",
    event: "delivery",
    cause: "dns",
  },
  {
    line: "4A1B2C3D4E: to=<x@far.example>, relay=none, delay=9, delays=9/0/0/0, dsn=5.4.4, status=bounced (Host or domain name not found. Name service error for name=far.example type=A: Host not found)",
    event: "delivery",
    cause: "routing",
  },
  {
    line: "4A1B2C3D4E: to=<x@our.example>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (connect to mail.our.example[private/dovecot-lmtp]: No such file or directory)",
    event: "delivery",
    cause: "connect",
  },
  {
    line: "4A1B2C3D4E: to=<x@our.example>, relay=local, delay=0.1, delays=0.1/0/0/0, dsn=2.0.0, status=sent (forwarded as 5B1B2C3D4E)",
    event: "delivery",
    fields: { new_queue_id: "5B1B2C3D4E" },
  },
  {
    line: "4A1B2C3D4E: host mx.far.example[192.0.2.7] refused to talk to me: 554 5.7.1 Service unavailable; Client host blocked using bl.example",
    event: "host_reply",
    cause: "blocked",
  },
  {
    line: "connect to mx.far.example[192.0.2.7]:25: Connection timed out",
    event: "connect_failure",
    cause: "connect",
  },
  {
    line: "4A1B2C3D4E: conversation with mx.far.example[192.0.2.7] timed out while receiving the initial server greeting",
    event: "connection_lost",
    cause: "connect",
  },
  { line: "4A1B2C3D4E: Cannot start TLS: handshake failure", event: "tls_failure", cause: "tls" },
  {
    line: "SSL_connect error to mx.far.example[192.0.2.7]:25: lost connection",
    event: "tls_failure",
    cause: "tls",
  },
];

/** smtp, lmtp, local, virtual, pipe, error, discard: `body` follows the queue id. */
export function readDelivery(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  if (body.startsWith("to=")) return readRecord(prefix, body, queueId);
  if (body.startsWith("host ")) return readHostReply(prefix, body, queueId);
  if (body.startsWith("connect to ")) {
    const fields: Bag = {};
    const end = putRelay(fields, body, 11);
    const reason = end < 0 ? body : body.slice(end).replace(/^: ?/, "");
    fields["reason"] = cap(reason);
    return { event: "connect_failure", fields, cause: "connect", queueId, shape: prefix + body };
  }
  if (body.startsWith("lost connection with ") || body.startsWith("conversation with ")) {
    const fields: Bag = {};
    putRelay(fields, body, body.indexOf(" with ") + 6);
    fields["reason"] = cap(body);
    return { event: "connection_lost", fields, cause: "connect", queueId, shape: prefix + body };
  }
  return readTls(prefix, body) ?? readOther(prefix, body, queueId);
}

/** The delivery record: known keys from the left, the free text last. tls= is Postfix 3.11's. */
function readRecord(prefix: string, body: string, queueId: string | undefined): Reading {
  const fields: Bag = {};
  const status = body.indexOf(", status=");
  const limit = status < 0 ? body.length : status;
  // Some collectors eat the angle brackets.
  const bare = body[3] !== "<";
  const first = bare ? 3 : 4;
  let close = body.indexOf(bare ? ", " : ">, ", first);
  if (close < 0 || close > limit) close = Math.max(first, body.indexOf(bare ? "," : ">", first));
  fields["to"] = cap(body.slice(first, close));
  let at = close + (bare ? 2 : 3);
  if (body.startsWith("orig_to=<", at)) {
    const end = body.indexOf(">, ", at);
    if (end > 0 && end < limit) {
      fields["orig_to"] = cap(body.slice(at + 9, end));
      at = end + 3;
    }
  }
  for (let n = 0; n < 8 && at < limit; n++) {
    const equals = body.indexOf("=", at);
    if (equals < 0 || equals > limit) break;
    let end = body.indexOf(", ", equals);
    if (end < 0 || end > limit) end = limit;
    putKey(fields, body.slice(at, equals), body.slice(equals + 1, end));
    at = end + 2;
  }
  if (status < 0) return { event: "delivery", fields, queueId, shape: prefix + body };
  return putStatus(fields, prefix, body, status, queueId);
}

function putKey(fields: Bag, key: string, value: string): void {
  if (key === "relay") {
    fields["relay"] = cap(value);
    putRelay(fields, value, 0);
  } else if (key === "delay" || key === "conn_use") {
    const n = Number(value);
    if (Number.isFinite(n)) fields[key] = n;
  } else if (key === "delays") {
    fields["delays"] = cap(value);
    const parts = value.split("/", 5);
    if (parts.length === 4)
      for (let i = 0; i < 4; i++) {
        const n = Number(parts[i]);
        if (Number.isFinite(n)) fields[DELAY_PARTS[i]!] = n;
      }
  } else if (key === "dsn" || key === "tls" || key === "orig_to") fields[key] = cap(value);
}
const DELAY_PARTS = ["delay_a", "delay_b", "delay_c", "delay_d"];

/** `status=sent (text)`: the status, the reply and the reason; the shape keeps our own words and the codes. */
function putStatus(
  fields: Bag,
  prefix: string,
  body: string,
  at: number,
  queueId: string | undefined,
): Reading {
  const start = at + 9;
  const space = body.indexOf(" ", start);
  const status = space < 0 ? body.slice(start) : body.slice(start, space);
  fields["status"] = cap(status);
  const open = space < 0 ? -1 : body.indexOf("(", space);
  const text = open < 0 ? "" : body.slice(open + 1, body.endsWith(")") ? -1 : undefined);
  if (text !== "") fields["reason"] = cap(text);
  const good = status === "sent" || status === "deliverable";
  const told = readTold(text);
  if (told !== undefined || good) {
    const reply = told ?? readReply(text, 0);
    put(fields, "reply_code", reply.code);
  }
  const forwarded = /\bforwarded as ([0-9A-Za-z]{5,32})/.exec(text.slice(0, 200));
  if (forwarded) fields["new_queue_id"] = forwarded[1]!;
  const dsn = fields["dsn"];
  let cause: Cause | undefined;
  if (!good)
    cause = told
      ? remoteCause(told.code, told.dsn ?? (typeof dsn === "string" ? dsn : undefined), text.slice(told.rest))
      : localCause(text);
  return {
    event: "delivery",
    fields,
    cause,
    queueId,
    shape: shapeOf(fields, prefix, status, text, told, good),
  };
}

type Told = ReturnType<typeof readReply>;

/** Where a host's own words begin: after `said: ` or `refused to talk to me: `. */
function readTold(text: string): Told | undefined {
  const said = text.indexOf(" said: ");
  const start = said >= 0 ? said + 7 : text.indexOf(" refused to talk to me: ") + 24;
  return start < 24 && said < 0 ? undefined : readReply(text, start);
}

function shapeOf(
  fields: Bag,
  prefix: string,
  status: string,
  text: string,
  told: Told | undefined,
  good: boolean,
): string {
  let words = text;
  if (told !== undefined) words = text.slice(0, told.rest);
  else if (good && readReply(text, 0).code !== undefined) words = text.slice(0, readReply(text, 0).rest);
  const relay = fields["relay"] === undefined ? "" : `relay=${fields["relay"]}, `;
  const dsn = fields["dsn"] === undefined ? "" : `dsn=${fields["dsn"]}, `;
  return `${prefix}to=<>, ${relay}${dsn}status=${status} (${words.trimEnd()})`;
}

/** `host H[IP] said: reply (in reply to C command)` and `host H[IP] refused to talk to me: reply`. */
function readHostReply(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  const told = readTold(body);
  if (told === undefined) return undefined;
  const fields: Bag = {};
  putRelay(fields, body, 5);
  put(fields, "reply_code", told.code);
  put(fields, "dsn", told.dsn);
  fields["reason"] = cap(body.slice(told.rest));
  const cause = remoteCause(told.code, told.dsn, body.slice(told.rest));
  return { event: "host_reply", fields, cause, queueId, shape: prefix + body.slice(0, told.rest).trimEnd() };
}

/** `name[address]` at `start` as relay_host and relay_address. A socket path is no address. */
function putRelay(fields: Bag, text: string, start: number): number {
  const found: Bag = {};
  const end = putClient(found, text, start);
  if (end < 0) return -1;
  fields["relay_host"] = cap(String(found["client_name"]));
  const address = String(found["client_address"]);
  if (!address.includes("/")) fields["relay_address"] = address;
  return end;
}

function readOther(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  const shape = prefix + body;
  const fields: Bag = { reason: cap(body) };
  if (body.startsWith("Cannot start TLS") || body.includes("TLS is required") || body.startsWith("TLS is"))
    return { event: "tls_failure", fields, cause: "tls", queueId, shape };
  if (body.includes("ertificate")) {
    const bad = /failed|not trusted|not verified|untrusted|expired|mismatch|self-signed/i.test(
      body.slice(0, 300),
    );
    return { event: bad ? "tls_failure" : "info", fields, cause: bad ? "tls" : undefined, queueId, shape };
  }
  if (body.includes("SASL authentication failed")) {
    const told = readTold(body);
    const cut = told === undefined ? shape : prefix + body.slice(0, told.rest);
    return { event: "auth_failure", fields, cause: "auth", queueId, shape: cut };
  }
  if (body.startsWith("enabling PIX workarounds") || body.startsWith("breaking line"))
    return { event: "workaround", fields, queueId, shape };
  if (body.startsWith("Passing <") || body.startsWith("enabling "))
    return { event: "info", fields, queueId, shape };
  if (body.includes("loops back to myself"))
    return { event: "mail_loop", fields, cause: "loop", queueId, shape };
  if (body.includes("Name service error"))
    return { event: "dns_failure", fields, cause: localCause(body), queueId, shape };
  return undefined;
}
