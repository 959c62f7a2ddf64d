import { refusalCause } from "./cause-refused.ts";
import type { Cause } from "./event.ts";
import type { EventName } from "./names.ts";
import {
  angleEnd,
  type Bag,
  cap,
  findPeer,
  hostShape,
  peer,
  put,
  queueIdLength,
  type Reading,
  reading,
  readReply,
  type Sample,
  word,
} from "./scan.ts";

/** Lines of our own making, as smtpd writes them. */
export const samples: readonly Sample[] = [
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
    line: 'NOQUEUE: reject: RCPT from h.example[192.0.2.9]: 554 5.7.1 <"x> y"@far.example>: Relay access denied; from=<a, b@b.example> to=<"x> y"@far.example> proto=ESMTP helo=<[192.0.2.9]> sasl_method=PLAIN sasl_username=ann',
    event: "reject",
    cause: "relay_denied",
    fields: { from: "a, b@b.example", to: '"x> y"@far.example', helo: "[192.0.2.9]", sasl_username: "ann" },
  },
  {
    line: "NOQUEUE: reject_warning: RCPT from unknown[192.0.2.9]: 554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.example; http://x.example; from=<> to=<x@our.example> proto=SMTP helo=<y>",
    event: "reject_warning",
    cause: "rbl",
    fields: { from: "", rbl: "zen.example" },
  },
  {
    line: "NOQUEUE: reject: RCPT from h.example[192.0.2.9]: 450 4.2.0 <x@our.example>: Recipient address rejected: Greylisted; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "reject",
    cause: "greylisted",
  },
  {
    line: "NOQUEUE: reject: CONNECT from unknown[192.0.2.9]: 554 5.7.1 <unknown[192.0.2.9]>: Client host rejected: Access denied; proto=SMTP",
    event: "reject",
    cause: "spam",
    fields: { stage: "CONNECT", proto: "SMTP" },
  },
  {
    line: "NOQUEUE: reject: RCPT from h.example[192.0.2.9]: 451 4.3.0 <x@our.example>: Temporary lookup failure; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "reject",
    cause: "lookup",
  },
  {
    line: "4A1B2C3D4E: reject: DATA from h.example[192.0.2.9]: 521 5.5.2 h.example Error: bare <LF> received; from=<a@b.example> to=<x@our.example> proto=SMTP helo=<h>",
    event: "reject",
    cause: "protocol",
  },
  {
    line: "NOQUEUE: reject: VRFY from h.example[192.0.2.9]: 550 5.1.1 <root>: Recipient address rejected: User unknown; to=<root> proto=SMTP helo=<h>",
    event: "reject",
    cause: "unknown_user",
    fields: { to: "root" },
  },
  {
    line: "NOQUEUE: reject: RCPT from h.example[192.0.2.9]: 450 <x@our.example>: Recipient address rejected: Domain not found; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "reject",
    cause: "dns",
    fields: { reply_code: 450 },
  },
  {
    line: "NOQUEUE: reject: RCPT from h.example[192.0.2.9]: 451 4.3.5 <x@our.example>: Recipient address rejected: Server configuration problem; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "reject",
    cause: "policy",
  },
  {
    line: "NOQUEUE: reject: RCPT from h.example[192.0.2.9]: 451 4.3.5 Server configuration error; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "reject",
    cause: "config",
  },
  {
    line: "NOQUEUE: milter-reject: RCPT from h.example[192.0.2.9]: 451 4.7.1 Service unavailable - try again later; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "milter_reject",
    cause: "milter",
  },
  {
    line: "4A1B2C3D4E: milter-hold: END-OF-MESSAGE from h.example[192.0.2.9]: milter triggers HOLD action; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "hold",
    fields: { action: "milter-hold", from: "a@b.example" },
  },
  {
    line: "4A1B2C3D4E: milter-discard: END-OF-MESSAGE from h.example[192.0.2.9]: milter triggers DISCARD action; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "discard",
  },
  {
    line: "4A1B2C3D4E: filter: RCPT from h.example[192.0.2.9]: <x@our.example>: Recipient address triggers FILTER smtp:[127.0.0.1]:10025; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "filter",
  },
  {
    line: "NOQUEUE: redirect: RCPT from h.example[192.0.2.9]: <x@our.example>: Recipient address triggers REDIRECT y@our.example; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "redirect",
  },
  {
    line: "NOQUEUE: hold: RCPT from h.example[192.0.2.9]: <h.example[192.0.2.9]>: Client host triggers HOLD action; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "hold",
  },
  {
    line: "NOQUEUE: discard: RCPT from h.example[192.0.2.9]: <a@b.example>: Sender address triggers DISCARD action; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "discard",
  },
  {
    line: "NOQUEUE: warn: RCPT from h.example[192.0.2.9]: <h>: Helo command odd; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "reject_warning",
    cause: "protocol",
  },
  {
    line: "NOQUEUE: proxy-reject: END-OF-MESSAGE from h.example[192.0.2.9]: 554 5.7.0 Reject, id=1-2 - spam; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "reject",
    cause: "spam",
    fields: { stage: "END-OF-MESSAGE" },
  },
  {
    line: "NOQUEUE: proxy-accept: END-OF-MESSAGE from h.example[192.0.2.9]: 250 2.0.0 Ok: queued as 5B1B2C3D4E; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "filter_result",
    fields: { queued_as: "5B1B2C3D4E", reply_code: 250 },
  },
  {
    line: "NOQUEUE: proxy-accept: END-OF-MESSAGE: 250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 5B1B2C3D4E; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "filter_result",
    fields: { stage: "END-OF-MESSAGE", queued_as: "5B1B2C3D4E", helo: "h" },
  },
];

/** Words before the stage, and the event of each. */
const ACTIONS: ReadonlyMap<string, EventName> = new Map([
  ["reject", "reject"],
  ["reject_warning", "reject_warning"],
  ["milter-reject", "milter_reject"],
  ["milter-hold", "hold"],
  ["milter-discard", "discard"],
  ["proxy-reject", "reject"],
  ["proxy-accept", "filter_result"],
  ["hold", "hold"],
  ["discard", "discard"],
  ["filter", "filter"],
  ["redirect", "redirect"],
  ["bcc", "redirect"],
  ["replace", "replace"],
  ["prepend", "replace"],
  ["strip", "replace"],
  ["warn", "reject_warning"],
  ["warning", "reject_warning"],
  ["info", "info"],
  ["delay", "hold"],
  ["permit", "info"],
  ["trigger", "info"],
]);

/** `reject: STAGE from H[IP]: CODE DSN <what>: reason; from=<> to=<> proto= helo=<>`, also postscreen's with commas. */
export function readAction(
  prefix: string,
  body: string,
  queueId?: string,
  session?: string,
): Reading | undefined {
  const colon = body.indexOf(": ");
  if (colon < 3 || colon > 16) return undefined;
  const action = body.slice(0, colon);
  const event = ACTIONS.get(action);
  if (event === undefined) return undefined;
  if (action.startsWith("proxy-")) return readProxy(prefix, body, action, event, queueId, session);
  const from = body.indexOf(" from ", colon);
  if (from < 0 || from - colon > 64 || !findPeer(body, from + 6)) return undefined;
  const client = peer.end;
  const stage = body.slice(colon + 2, from);
  const fields: Bag = { action, stage, client_name: peer.name, client_address: peer.address };
  if (peer.port > 0) fields["client_port"] = peer.port;
  if (peer.name === "") delete fields["client_name"];
  const who = peer.name === "" ? "[0]" : hostShape(peer.name);
  const { reply, rest, text, tail } = readAnswer(body, client);
  put(fields, "reply_code", reply.code);
  put(fields, "dsn", reply.dsn);
  fields["reason"] = cap(reasonOf(text));
  if (tail >= 0) putEnvelope(fields, body, tail + 2);
  const using = text.indexOf(" using ");
  const zone = using < 0 ? word(text, "listed by domain ") : word(text, " using ", using);
  if (zone !== undefined && (using < 0 || text.includes(" blocked"))) fields["rbl"] = zone.replace(/;$/, "");
  return reading(
    event,
    fields,
    `${prefix}${action}: ${stage} from ${who}${body.slice(client, rest)}${ownWords(text, using)}`,
    actionCause(event, action, reply, text),
    queueId,
    session,
  );
}

/** What the client was told, from the end of its address on: the reply, where its text begins, the text, and where the envelope follows (-1: nowhere). */
function readAnswer(
  body: string,
  client: number,
): { reply: ReturnType<typeof readReply>; rest: number; text: string; tail: number } {
  const tail = envelopeStart(body, client);
  const textEnd = tail < 0 ? body.length : tail;
  const reply = readReply(body, body.startsWith(": ", client) ? client + 2 : client);
  const rest = Math.min(reply.rest, textEnd);
  return { reply, rest, text: body.slice(rest, textEnd), tail };
}

/**
 * reply_code (or, without one, dsn) and reason of a message `[ID: ]reject: STAGE from H[IP]: ...`, as readAction gives them, for those who need no
 * more of it. Undefined for any other message.
 */
export function refusalAnswer(message: string): { code: string | number; reason: string } | undefined {
  const id = queueIdLength(message, 0);
  const at = id === 0 ? 0 : id + 2;
  if (!message.startsWith("reject: ", at)) return undefined;
  const from = message.indexOf(" from ", at + 6);
  if (from < 0 || from - at > 70 || !findPeer(message, from + 6)) return undefined;
  const { reply, text } = readAnswer(message, peer.end);
  return { code: reply.code ?? reply.dsn ?? "", reason: cap(reasonOf(text)) };
}

/** `proxy-accept: STAGE: 250 text; from=<> to=<> proto= helo=<>`: what a before-queue filter answered. The client is named nowhere or after the stage. */
function readProxy(
  prefix: string,
  body: string,
  action: string,
  event: EventName,
  queueId: string | undefined,
  session: string | undefined,
): Reading {
  const start = action.length + 2;
  const colon = body.indexOf(": ", start);
  const end = colon < 0 ? body.length : colon;
  const from = body.indexOf(" from ", start);
  const stage = body.slice(start, from > 0 && from < end ? from : end);
  const fields: Bag = { action, stage: cap(stage) };
  let at = colon < 0 ? body.length : colon + 2;
  if (from > 0 && from < end && findPeer(body, from + 6)) {
    fields["client_name"] = peer.name;
    fields["client_address"] = peer.address;
    at = Math.min(body.length, peer.end + 2);
  }
  const tail = envelopeStart(body, at);
  const textEnd = tail < 0 ? body.length : tail;
  const reply = readReply(body, at);
  put(fields, "reply_code", reply.code);
  put(fields, "dsn", reply.dsn);
  const rest = Math.min(reply.rest, textEnd);
  const text = body.slice(rest, textEnd);
  fields["reason"] = cap(text);
  if (event === "filter_result") put(fields, "queued_as", word(text, "queued as "));
  if (tail >= 0) putEnvelope(fields, body, tail + 2);
  const shape = `${prefix}${action}: ${stage}: ${body.slice(at, rest)}`;
  return reading(event, fields, shape, actionCause(event, action, reply, text), queueId, session);
}

/** Why a client was refused; other actions have no cause. */
function actionCause(
  event: EventName,
  action: string,
  reply: ReturnType<typeof readReply>,
  text: string,
): Cause | undefined {
  if (event !== "reject" && event !== "reject_warning" && event !== "milter_reject") return undefined;
  return refusalCause(reply.code, reply.dsn, text, action === "milter-reject");
}

/** Where `; from=<` and what follows it begins, or in its place `; to=<` or `; proto=`; -1 when there is no such end. */
function envelopeStart(body: string, client: number): number {
  const from = body.indexOf("; from=<", client);
  if (from >= 0) return from;
  const to = body.indexOf("; to=<", client);
  return to >= 0 ? to : body.indexOf("; proto=", client);
}

/** `<who>: reason` without who. */
function reasonOf(text: string): string {
  if (text.charCodeAt(0) !== 60) return text;
  const close = text.indexOf(">: ");
  return close < 0 ? text : text.slice(close + 3);
}

/** What Postfix itself says: the TXT record of a block list, which stands after the zone, is not ours, and neither is what was looked up. */
function ownWords(text: string, using: number): string {
  const semicolon = using < 0 ? -1 : text.indexOf(";", using);
  const words = semicolon < 0 ? text : text.slice(0, semicolon);
  const open = using < 0 ? -1 : words.indexOf("[");
  const close = open < 0 || open > using ? -1 : words.indexOf("]", open);
  return close < 0 || close > using ? words : `${words.slice(0, open)}[0]${words.slice(close + 1)}`;
}

/** Keys of the envelope that ends a reject, in Postfix's order. */
const KEYS = ["from", "to", "proto", "helo", "sasl_method", "sasl_username", "sasl_sender"];

/** `from=<> to=<> proto=P helo=<h> sasl_method=M sasl_username=U` from `start`; postscreen puts commas between. Values in angle brackets may hold anything. */
export function putEnvelope(fields: Bag, body: string, start: number): void {
  let at = start;
  for (let k = 0; k < KEYS.length && at < body.length; k++) {
    const key = KEYS[k]!;
    const value = at + key.length + 1;
    if (!body.startsWith(key, at) || body.charCodeAt(value - 1) !== 61) continue;
    let end: number;
    if (body.charCodeAt(value) === 60) {
      end = angleEnd(body, value + 1);
      if (end < 0) end = body.length;
      fields[key] = cap(body.slice(value + 1, end));
      end++;
    } else {
      end = value;
      for (let c = body.charCodeAt(end); c > 32 && c !== 44; ) c = body.charCodeAt(++end);
      if (body.charCodeAt(end - 1) === 58) end--;
      fields[key] = cap(body.slice(value, end));
    }
    at = body.charCodeAt(end) === 44 ? end + 2 : end + 1;
  }
}
