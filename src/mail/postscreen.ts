import type { Cause } from "./event.ts";
import type { EventName } from "./names.ts";
import { readAction } from "./postfix-action.ts";
import { type Bag, cap, findPeer, peer, put, type Reading, reading, type Sample } from "./scan.ts";
import { numberAfter } from "./warning.ts";

/** Lines of our own making. */
export const samples: readonly Sample[] = [
  {
    line: "CONNECT from [192.0.2.9]:2029 to [192.0.2.1]:25",
    event: "postscreen_connect",
    fields: { client_address: "192.0.2.9" },
  },
  { line: "PASS NEW [192.0.2.9]:41777", event: "postscreen_pass", fields: { verdict: "NEW" } },
  { line: "ALLOWLISTED [192.0.2.9]:41777", event: "postscreen_list", fields: { verdict: "ALLOWLISTED" } },
  {
    line: "PREGREET 11 after 0.01 from [192.0.2.9]:41358: EHLO USER\\r\\n",
    event: "postscreen_pregreet",
    cause: "protocol",
  },
  {
    line: "HANGUP after 25 from [192.0.2.9]:36718 in tests after SMTP handshake",
    event: "postscreen_hangup",
    fields: { client_address: "192.0.2.9" },
  },
  {
    line: "DNSBL rank 3 for [192.0.2.9]:63966",
    event: "postscreen_dnsbl",
    cause: "rbl",
    fields: { rank: 3 },
  },
  {
    line: "NON-SMTP COMMAND from [192.0.2.9]:43652 after CONNECT: GET / HTTP/1.1",
    event: "postscreen_violation",
    cause: "protocol",
  },
  {
    line: "NOQUEUE: reject: RCPT from [192.0.2.9]:512: 550 5.7.1 Service unavailable; client [192.0.2.9] blocked using zen.example; from=<a@b.example>, to=<x@our.example>, proto=ESMTP, helo=<h>",
    event: "reject",
    cause: "rbl",
    fields: { from: "a@b.example", to: "x@our.example", helo: "h", rbl: "zen.example" },
  },
  {
    line: "NOQUEUE: reject: CONNECT from [192.0.2.9]:512: all screening ports busy",
    event: "reject",
    cause: "limit",
  },
  {
    line: "cache btree:/var/lib/postfix/postscreen_cache full cleanup: retained=573 dropped=0 entries",
    event: "cache_cleanup",
  },
  { line: "DISCONNECT [192.0.2.9]:2029", event: "postscreen_disconnect" },
  { line: "DENYLISTED [192.0.2.9]:2029", event: "postscreen_list", fields: { verdict: "DENYLISTED" } },
  {
    line: "ALLOWLIST VETO [192.0.2.9]:2029",
    event: "postscreen_list",
    fields: { verdict: "ALLOWLIST VETO" },
  },
  {
    line: "BLACKLISTED [2001:db8::7]:2029",
    event: "postscreen_list",
    fields: { client_address: "2001:db8::7" },
  },
  {
    line: "BARE NEWLINE from [192.0.2.9]:2029 after HELO",
    event: "postscreen_violation",
    cause: "protocol",
    fields: { reason: "BARE NEWLINE" },
  },
  {
    line: "COMMAND PIPELINING from [192.0.2.9]:2029 after EHLO: MAIL FROM:<a@b.example>\\r\\n",
    event: "postscreen_violation",
    cause: "protocol",
    fields: { stage: "EHLO", reason: "COMMAND PIPELINING" },
  },
  {
    line: "COMMAND TIME LIMIT from [192.0.2.9]:2029 after CONNECT",
    event: "postscreen_violation",
    cause: "protocol",
  },
  {
    line: "NOQUEUE: reject: CONNECT from [192.0.2.9]:512: too many connections",
    event: "reject",
    cause: "limit",
  },
  {
    line: "warning: dnsblog reply timeout 10s for zen.example",
    event: "dns_failure",
    cause: "dns",
  },
  {
    line: "warning: psc_dnsbl_request: connect to private/dnsblog service: Connection refused",
    event: "dns_failure",
    cause: "dns",
  },
  {
    line: "warning: getpeername: Transport endpoint is not connected -- dropping this connection",
    event: "connection_lost",
    cause: "connect",
  },
];

/** First word(s), the event, and the length of foreign-free text: `cut` says whether what follows the address is the client's. */
const STARTS: readonly (readonly [string, EventName, boolean])[] = [
  ["CONNECT from ", "postscreen_connect", false],
  ["PASS ", "postscreen_pass", false],
  ["DISCONNECT ", "postscreen_disconnect", false],
  ["HANGUP ", "postscreen_hangup", false],
  ["PREGREET ", "postscreen_pregreet", true],
  ["DNSBL rank ", "postscreen_dnsbl", false],
  ["WHITELISTED ", "postscreen_list", false],
  ["BLACKLISTED ", "postscreen_list", false],
  ["ALLOWLISTED ", "postscreen_list", false],
  ["DENYLISTED ", "postscreen_list", false],
  ["WHITELIST VETO ", "postscreen_list", false],
  ["ALLOWLIST VETO ", "postscreen_list", false],
  ["NON-SMTP COMMAND ", "postscreen_violation", true],
  ["BARE NEWLINE ", "postscreen_violation", true],
  ["COMMAND PIPELINING ", "postscreen_violation", true],
  ["COMMAND TIME LIMIT ", "postscreen_violation", true],
  ["COMMAND COUNT LIMIT ", "postscreen_violation", true],
  ["COMMAND LENGTH LIMIT ", "postscreen_violation", true],
  ["COMMAND ", "postscreen_violation", true],
  ["DATA without valid RCPT ", "postscreen_violation", true],
  ["BDAT without valid RCPT ", "postscreen_violation", true],
];

/** postscreen. One process serves all clients, so a session is a client's address and port. */
export function readPostscreen(
  host: string,
  prefix: string,
  body: string,
  queueId: string | undefined,
): Reading | undefined {
  const c = body.charCodeAt(0);
  if (c >= 65 && c <= 90)
    for (const [start, event, cut] of STARTS)
      if (body.startsWith(start)) return readVerdict(host, prefix, body, start, event, cut);
  if (body.startsWith("closing ") || body.startsWith("entering ") || body.startsWith("leaving "))
    return reading("info", {}, prefix + body);
  const action = readAction(prefix, body, queueId);
  if (action !== undefined) return { ...action, session: sessionOf(host, body, body.indexOf("[")) };
  return undefined;
}

const CAUSES: Partial<Record<EventName, Cause>> = {
  postscreen_dnsbl: "rbl",
  postscreen_violation: "protocol",
  postscreen_pregreet: "protocol",
};

function readVerdict(
  host: string,
  prefix: string,
  body: string,
  start: string,
  event: EventName,
  cut: boolean,
): Reading {
  const open = body.indexOf("[");
  if (open < 0 || !findPeer(body, open)) return reading(event, {}, prefix + start.trim(), CAUSES[event]);
  const fields: Bag = { client_address: peer.address };
  if (peer.port > 0) fields["client_port"] = peer.port;
  const end = peer.end;
  let shape = "";
  switch (event) {
    case "postscreen_connect":
      if (body.startsWith(" to [", end) && findPeer(body, end + 4)) {
        fields["server"] = cap(body.slice(end + 4, peer.end));
        fields["server_address"] = peer.address;
      }
      shape = "CONNECT from [0]:0 to [0]:0";
      break;
    case "postscreen_pass":
      fields["verdict"] = body.startsWith("PASS NEW") ? "NEW" : "OLD";
      shape = body.startsWith("PASS NEW") ? "PASS NEW [0]:0" : "PASS OLD [0]:0";
      break;
    case "postscreen_list":
      fields["verdict"] = start.trim();
      shape = `${start}[0]:0`;
      break;
    case "postscreen_dnsbl":
      put(fields, "rank", numberAfter(body, "rank "));
      shape = "DNSBL rank 0 for [0]:0";
      break;
    case "postscreen_disconnect":
      shape = "DISCONNECT [0]:0";
      break;
    case "postscreen_violation":
      fields["reason"] = start.trim();
      break;
    case "postscreen_hangup":
      put(fields, "seconds", numberAfter(body, "after "));
      break;
    case "postscreen_pregreet":
      put(fields, "bytes", numberAfter(body, "PREGREET "));
      put(fields, "seconds", numberAfter(body, " after "));
      break;
  }
  if (shape === "") {
    shape = body;
    if (cut) {
      const colon = body.indexOf(": ", end);
      const stage = body.startsWith(" after ", end) && colon > end && colon - end < 24;
      if (stage) fields["stage"] = body.slice(end + 7, colon);
      if (colon >= end) fields["text"] = cap(body.slice(colon + 2));
      shape = body.slice(0, stage ? colon : end);
    }
  }
  return reading(event, fields, prefix + shape, CAUSES[event], undefined, sessionOf(host, body, open));
}

/** `host/postscreen[IP]:port` of the client whose bracket is at `open`. */
export function sessionOf(host: string, body: string, open: number): string | undefined {
  if (open < 0 || !findPeer(body, open)) return undefined;
  return `${host}/postscreen${body.slice(open, peer.end)}`;
}
