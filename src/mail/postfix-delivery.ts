import { localCause } from "./cause.ts";
import type { EventName } from "./names.ts";
import { putStatus, readHostReply, relayShape } from "./postfix-reply.ts";
import { readTls } from "./postfix-tls.ts";
import {
  angleEnd,
  type Bag,
  cap,
  findPeer,
  peer,
  put,
  putRelay,
  type Reading,
  reading,
  readReply,
  type Sample,
} from "./scan.ts";

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
  {
    line: '4A1B2C3D4E: to=<"a, relay=none b"@far.example>, orig_to=<x y>, relay=mx.far.example[192.0.2.7]:25, delay=1, delays=0/0/0/1, tls=verified, dsn=2.0.0, status=sent (250 Ok)',
    event: "delivery",
    fields: { to: '"a, relay=none b"@far.example', orig_to: "x y", tls: "verified", relay_port: 25 },
  },
  {
    line: "4A1B2C3D4E: to=<ann@our.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=2, delays=1/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 5B1B2C3D4E)",
    event: "delivery",
    fields: { queued_as: "5B1B2C3D4E" },
  },
  {
    line: "4A1B2C3D4E: to=<ann@our.example>, relay=mail.our.example[private/dovecot-lmtp], delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 <ann@our.example> aBcD1e2FgHiJkLmNoPqR Saved)",
    event: "delivery",
    fields: { relay_host: "mail.our.example", remote_session: "aBcD1e2FgHiJkLmNoPqR" },
  },
  {
    line: "4A1B2C3D4E: to=<ann@our.example>, relay=local, delay=1, status=sent (delivered to maildir)",
    event: "delivery",
    fields: { relay: "local", delay: 1, status: "sent", reason: "delivered to maildir" },
  },
  {
    line: '4A1B2C3D4E: to=<ann@our.example>, relay=local, delay=0.1, delays=0.1/0/0/0, dsn=5.1.1, status=bounced (unknown user: "ann")',
    event: "delivery",
    cause: "unknown_user",
  },
  {
    line: "4A1B2C3D4E: to=<ann@our.example>, relay=local, delay=0.1, delays=0.1/0/0/0, dsn=5.4.6, status=bounced (mail forwarding loop for ann@our.example)",
    event: "delivery",
    cause: "loop",
  },
  {
    line: "4A1B2C3D4E: to=<ann@our.example>, relay=virtual, delay=0.1, delays=0.1/0/0/0, dsn=4.2.2, status=deferred (cannot update mailbox /var/mail/ann for user ann. error writing message: File too large)",
    event: "delivery",
    cause: "disk",
  },
  {
    line: "4A1B2C3D4E: to=<ann@our.example>, relay=dovecot, delay=0.3, delays=0.1/0/0/0.2, dsn=2.0.0, status=sent (delivered via dovecot service)",
    event: "delivery",
    fields: { relay: "dovecot" },
  },
  {
    line: "4A1B2C3D4E: to=<ann@our.example>, relay=filter, delay=9, delays=1/0/0/8, dsn=4.3.0, status=deferred (temporary failure. Command output: lookup of the user died)",
    event: "delivery",
    cause: "crash",
  },
  {
    line: "4A1B2C3D4E: to=<x@far.example>, relay=none, delay=9, delays=9/0/0/0, dsn=4.3.0, status=deferred (mail transport unavailable)",
    event: "delivery",
    cause: "config",
  },
  {
    line: "4A1B2C3D4E: to=<x@far.example>, relay=none, delay=9, status=deferred (delivery temporarily suspended: connect to mx.far.example[192.0.2.7]: Connection timed out)",
    event: "delivery",
    cause: "connect",
  },
  {
    line: "4A1B2C3D4E: to=<x@far.example>, relay=mx.far.example[192.0.2.7]:25, delay=1, delays=0/0/1/0, dsn=4.7.5, status=deferred (Server certificate not trusted)",
    event: "delivery",
    cause: "tls",
  },
  {
    line: "4A1B2C3D4E: to=<x@far.example>, relay=mx.far.example[192.0.2.7]:25, delay=0.2, delays=0/0/0.1/0.1, dsn=2.1.5, status=deliverable (250 2.1.5 Ok)",
    event: "delivery",
    fields: { status: "deliverable", reply_code: 250 },
  },
  {
    line: "4A1B2C3D4E: to=<x@far.example>, relay=mx.far.example[192.0.2.7]:25, delay=0.2, delays=0/0/0.1/0.1, dsn=5.1.1, status=undeliverable (host mx.far.example[192.0.2.7] said: 550 5.1.1 <x@far.example>: Recipient address rejected: undeliverable (in reply to RCPT TO command))",
    event: "delivery",
    cause: "unknown_user",
    fields: { remote: "mx.far.example[192.0.2.7]", in_reply_to: "RCPT TO" },
  },
  {
    line: "4A1B2C3D4E: to=<x@far.example>, relay=mx.far.example[192.0.2.7]:25, delay=0.2, delays=0/0/0.1/0.1, dsn=5.7.1, status=SOFTBOUNCE (host mx.far.example[192.0.2.7] said: 554 5.7.1 Relay access denied (in reply to RCPT TO command))",
    event: "delivery",
    cause: "routing",
    fields: { status: "SOFTBOUNCE" },
  },
  {
    line: "4A1B2C3D4E: lost connection with mx.far.example[192.0.2.7] while sending RCPT TO",
    event: "connection_lost",
    cause: "connect",
    fields: { relay_host: "mx.far.example", stage: "sending RCPT TO" },
  },
  {
    line: "4A1B2C3D4E: enabling PIX workarounds: disable_esmtp delay_dotcrlf for mx.far.example[192.0.2.7]:25",
    event: "workaround",
    fields: { relay_host: "mx.far.example" },
  },
  { line: "4A1B2C3D4E: breaking line > 998 bytes with <CR><LF>SPACE", event: "workaround" },
  {
    line: "Passing <x@our.example> to transport=relay",
    event: "info",
    fields: { to: "x@our.example", transport: "relay" },
  },
  {
    line: "4A1B2C3D4E: SASL authentication failed; server mx.far.example[192.0.2.7] said: 535 5.7.8 Error: authentication failed: bad",
    event: "auth_failure",
    cause: "auth",
    fields: { reply_code: 535 },
  },
  {
    line: "warning: host mx.far.example[192.0.2.7]:25 greeted me with my own hostname mail.our.example",
    event: "mail_loop",
    cause: "loop",
  },
  {
    line: "warning: numeric domain name in resource data of MX record for far.example: 192.0.2.7",
    event: "routing_failure",
    cause: "routing",
  },
  {
    line: "4A1B2C3D4E: status=deferred (bounce failed)",
    event: "delivery",
    cause: "other",
    fields: { status: "deferred" },
  },
  {
    line: "warning: open active 4A1B2C3D4E: No such file or directory",
    event: "queue_error",
    cause: "other",
  },
];

/** smtp, lmtp, local, virtual, pipe, error, retry, discard: `body` follows the queue id. */
export function readDelivery(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  if (body.startsWith("to=")) return readRecord(prefix, body, queueId);
  if (body.startsWith("status=")) return putStatus({}, prefix, body, 7, queueId);
  if (body.startsWith("host ")) return readHostReply(prefix, body, queueId);
  if (body.startsWith("connect to ")) {
    const fields: Bag = {};
    const end = putRelay(fields, body, 11);
    const reason = end < 0 ? body : body.slice(body.startsWith(": ", end) ? end + 2 : end);
    fields["reason"] = cap(reason);
    const shape =
      end < 0 ? prefix + body : `${prefix}connect to ${relayShape(body, 11, end)}${body.slice(end)}`;
    return reading("connect_failure", fields, shape, "connect", queueId);
  }
  if (body.startsWith("lost connection with ")) return lost(prefix, body, 21, queueId);
  if (body.startsWith("conversation with ")) return lost(prefix, body, 18, queueId);
  return readOther(prefix, body, queueId);
}

/** `lost connection with H[IP] while STAGE`, `conversation with H[IP] timed out while STAGE`. */
function lost(prefix: string, body: string, start: number, queueId: string | undefined): Reading {
  const fields: Bag = {};
  const end = putRelay(fields, body, start);
  fields["reason"] = cap(body);
  const stage = body.indexOf(" while ", Math.max(end, start));
  if (stage > 0) fields["stage"] = cap(body.slice(stage + 7));
  const shape = end < 0 ? body : `${body.slice(0, start)}${relayShape(body, start, end)}${body.slice(end)}`;
  return reading("connection_lost", fields, prefix + shape, "connect", queueId);
}

/** Where a delivery record's parts end; reused from line to line. */
const part = { at: 0 };

/**
 * The delivery record: `to=<>, orig_to=<>, relay=, conn_use=, delay=, delays=a/b/c/d, tls=, dsn=, status=S (text)`. Before 2.3 there are neither
 * delays nor dsn; tls= is of 3.11. An address may hold any of the marks, so they are looked for from the left.
 */
function readRecord(prefix: string, body: string, queueId: string | undefined): Reading {
  const fields: Bag = { to: address(body, 3) };
  let at = part.at;
  if (body.startsWith("orig_to=", at)) {
    fields["orig_to"] = address(body, at + 8);
    at = part.at;
  }
  let status = -1;
  for (let n = 0; n < 12 && at < body.length; n++) {
    const equals = body.indexOf("=", at);
    if (equals < 0 || equals - at > 16) break;
    const start = equals + 1;
    if (equals - at === 6 && body.startsWith("status", at)) {
      status = start;
      break;
    }
    let end = body.indexOf(", ", start);
    if (end < 0) end = body.length;
    putKey(fields, body, at, equals, end);
    at = end + 2;
  }
  if (status < 0) status = body.indexOf(" status=", part.at) + 8; // damaged in a spreadsheet: `dsn=5.1.1," status=`
  if (status < 8) return reading("delivery", fields, `${prefix}to=<>`, undefined, queueId);
  return putStatus(fields, prefix, body, status, queueId);
}

/** The address at `at`, with or without its angle brackets (some collectors eat them); part.at is then after the comma. */
function address(body: string, at: number): string {
  if (body.charCodeAt(at) === 60) {
    let end = angleEnd(body, at + 1);
    if (end < 0) end = body.length;
    part.at = end + 3;
    return cap(body.slice(at + 1, end));
  }
  let end = body.indexOf(", ", at);
  if (end < 0) end = body.length;
  part.at = end + 2;
  return cap(body.slice(at, end));
}

/** One `key=value` of the record, body[at, equals) and (equals, end). The first letters and the length tell the keys apart. */
function putKey(fields: Bag, body: string, at: number, equals: number, end: number): void {
  const value = body.slice(equals + 1, end);
  switch (body.charCodeAt(at)) {
    case 114: // r
      if (!body.startsWith("relay=", at)) return;
      fields["relay"] = cap(value);
      if (findPeer(value, 0)) {
        fields["relay_host"] = peer.name;
        if (!peer.address.includes("/")) fields["relay_address"] = peer.address;
        if (peer.port > 0) fields["relay_port"] = peer.port;
      }
      return;
    case 100: // d
      if (body.startsWith("delays=", at)) {
        fields["delays"] = cap(value);
        putDelays(fields, value);
      } else if (body.startsWith("dsn=", at)) fields["dsn"] = cap(value);
      else if (body.startsWith("delay=", at)) {
        const n = Number(value);
        if (Number.isFinite(n)) fields["delay"] = n;
      }
      return;
    case 99: // c
      if (body.startsWith("conn_use=", at)) {
        const n = Number(value);
        if (Number.isFinite(n)) fields["conn_use"] = n;
      }
      return;
    case 116: // t
      if (body.startsWith("tls=", at)) fields["tls"] = cap(value);
      return;
    case 111: // o
      if (body.startsWith("orig_to=", at)) fields["orig_to"] = cap(value);
  }
}

/** `a/b/c/d`, in seconds; nothing when it isn't four numbers. */
function putDelays(fields: Bag, value: string): void {
  const one = value.indexOf("/");
  const two = value.indexOf("/", one + 1);
  const three = value.indexOf("/", two + 1);
  if (one < 0 || two < 0 || three < 0) return;
  const a = Number(value.slice(0, one));
  const b = Number(value.slice(one + 1, two));
  const c = Number(value.slice(two + 1, three));
  const d = Number(value.slice(three + 1));
  if (Number.isFinite(a)) fields["delay_a"] = a;
  if (Number.isFinite(b)) fields["delay_b"] = b;
  if (Number.isFinite(c)) fields["delay_c"] = c;
  if (Number.isFinite(d)) fields["delay_d"] = d;
}

/** First words of lines about a delivery that is under way, and their event. */
const TALK: readonly (readonly [string, EventName])[] = [
  ["enabling PIX workarounds", "workaround"],
  ["enabling PIX <CRLF>", "workaround"],
  ["disabling ", "workaround"],
  ["breaking line", "workaround"],
  ["using backup ", "info"],
  ["enabling ", "info"],
  ["skipping ", "info"],
  ["mail for ", "mail_loop"],
];

function readOther(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  if (body.startsWith("Passing <")) {
    const fields: Bag = {};
    const end = body.indexOf("> to transport=");
    if (end > 0) {
      fields["to"] = cap(body.slice(9, end));
      fields["transport"] = cap(body.slice(end + 15));
    }
    return reading("info", fields, `${prefix}Passing <> to transport=`, undefined, queueId);
  }
  if (body.startsWith("SASL authentication failed")) {
    const fields: Bag = { reason: cap(body) };
    const at = body.indexOf(" said: ");
    const told = at < 0 ? undefined : readReply(body, at + 7);
    put(fields, "reply_code", told?.code);
    put(fields, "dsn", told?.dsn);
    const server = body.indexOf("; server ");
    if (server > 0) putRelay(fields, body, server + 9);
    const shape = `${prefix}SASL authentication failed; server <> said: ${told?.code ?? ""}`;
    return reading("auth_failure", fields, shape, "auth", queueId);
  }
  for (const [phrase, event] of TALK)
    if (body.startsWith(phrase)) {
      if (event === "mail_loop" && !body.includes(" loops back to myself")) continue;
      const fields: Bag = { reason: cap(body) };
      const host = body.lastIndexOf(" for ");
      if (host > 0) putRelay(fields, body, host + 5);
      return reading(event, fields, prefix + body, event === "mail_loop" ? "loop" : undefined, queueId);
    }
  const tls = readTls(prefix, body, queueId);
  if (tls !== undefined) return tls;
  if (body.includes("Name service error") || body.includes("Name server loop"))
    return reading("dns_failure", { reason: cap(body) }, prefix + body, localCause(body), queueId);
  return undefined;
}
