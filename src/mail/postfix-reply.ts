import { localCause } from "./cause.ts";
import { remoteCause } from "./cause-remote.ts";
import type { Cause } from "./event.ts";
import { type Bag, cap, isDigit, put, putRelay, type Reading, reading, readReply } from "./scan.ts";

/** A relay as a shape shows it: its address masked, a socket's path kept. */
export function relayShape(text: string, start: number, end: number): string {
  const open = text.indexOf("[", start);
  return text.indexOf("/", open) > 0 && text.indexOf("/", open) < end
    ? `<>${text.slice(open, end)}`
    : "<>[0]";
}

/** `status=sent (text)`: the status, the reply and the reason; the shape keeps our own words and the codes. */
export function putStatus(
  fields: Bag,
  prefix: string,
  body: string,
  start: number,
  queueId: string | undefined,
): Reading {
  const space = body.indexOf(" ", start);
  const status = space < 0 ? body.slice(start) : body.slice(start, space);
  fields["status"] = cap(status);
  const open = space < 0 ? -1 : body.indexOf("(", space);
  const text = open < 0 ? "" : body.slice(open + 1, body.charCodeAt(body.length - 1) === 41 ? -1 : undefined);
  if (text !== "") fields["reason"] = cap(text);
  const good = status === "sent" || status === "deliverable";
  const told = putTold(fields, text);
  let words = text;
  let cause: Cause | undefined;
  if (told !== undefined) {
    put(fields, "reply_code", told.code);
    words = text.slice(0, told.rest);
    const dsn = told.dsn ?? fields["dsn"];
    if (!good)
      cause = remoteCause(told.code, typeof dsn === "string" ? dsn : undefined, text.slice(told.rest));
  } else if (good) {
    const reply = readReply(text, 0);
    put(fields, "reply_code", reply.code);
    if (reply.code === undefined) putForwarded(fields, text);
    else putQueued(fields, text);
    if (reply.code !== undefined) words = text.slice(0, reply.rest);
  } else cause = localCause(text);
  return reading(
    "delivery",
    fields,
    shapeOf(fields, prefix, status, words, told !== undefined),
    cause,
    queueId,
  );
}

type Told = ReturnType<typeof readReply>;

/** Where a host's own words begin, after `said: ` or `refused to talk to me: `; who it was goes to `remote`, the command to `in_reply_to`. */
function putTold(fields: Bag, text: string): Told | undefined {
  if (text.length < 16) return undefined;
  const at = text.indexOf("host ");
  if (at < 0 || at > 80) return undefined;
  let mark = text.indexOf(" said: ", at);
  let start = mark + 7;
  if (mark < 0) {
    mark = text.indexOf(" refused to talk to me: ", at);
    start = mark + 24;
  }
  if (mark < 0) return undefined;
  fields["remote"] = cap(text.slice(at + 5, mark));
  const reply = text.lastIndexOf(" (in reply to ");
  if (reply > start) {
    const end = text.indexOf(" command", reply);
    if (end > 0) fields["in_reply_to"] = cap(text.slice(reply + 14, end));
  }
  return readReply(text, start);
}

/** `queued as ID` of the next hop, or `<user> SESSION Saved` of Dovecot's LMTP server. */
function putQueued(fields: Bag, text: string): void {
  const at = text.lastIndexOf("queued as ");
  if (at >= 0) {
    const id = wordAt(text, at + 10);
    if (id.length >= 4 && id.length <= 64) fields["queued_as"] = id;
  } else if (text.endsWith(" Saved")) {
    const space = text.lastIndexOf(" ", text.length - 7);
    if (space > 0 && text.charCodeAt(space - 1) === 62)
      fields["remote_session"] = cap(text.slice(space + 1, -6));
  }
}

/** `forwarded as ID`, of local and of a filter. */
function putForwarded(fields: Bag, text: string): void {
  const at = text.indexOf("forwarded as ");
  if (at < 0 || at > 200) return;
  const id = wordAt(text, at + 13);
  if (id.length >= 5 && id.length <= 32) fields["new_queue_id"] = id;
}

/** Letters and digits from `start`. */
function wordAt(text: string, start: number): string {
  let end = start;
  for (let c = text.charCodeAt(end); isDigit(c) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122); )
    c = text.charCodeAt(++end);
  return text.slice(start, end);
}

/** The record without addresses and foreign words. */
function shapeOf(fields: Bag, prefix: string, status: string, words: string, told: boolean): string {
  const relay = fields["relay"];
  let where = "";
  if (relay !== undefined)
    where =
      fields["relay_host"] === undefined
        ? `relay=${relay}, `
        : `relay=${relayShape(String(relay), 0, String(relay).length)}, `;
  const dsn = fields["dsn"] === undefined ? "" : "dsn=0.0.0, ";
  return `${prefix}to=<>, ${where}${dsn}status=${status} (${(told ? withoutHost(words) : localWords(words)).trimEnd()})`;
}

/** A name before a bracket, after a blank or at the start. */
const HOST = /(^| )([A-Za-z0-9._-]{1,255})\[/g;

/** Our own words without what they speak of: hosts, quoted values, the user, and the output of a command. */
export function localWords(words: string): string {
  let text = words;
  const output = text.indexOf("Command output:");
  if (output >= 0) text = text.slice(0, output + 15);
  if (text.includes("["))
    text = text.replace(HOST, (all, blank, name) =>
      name === "unknown" || name === "localhost" ? all : `${blank}<>[`,
    );
  if (text.includes('"')) text = text.replace(/"[^"]{0,320}"/g, '"<>"');
  const user = text.indexOf(" for user ");
  if (user >= 0) text = `${text.slice(0, user + 10)}<>${afterWord(text, user + 10)}`;
  return text;
}

/** The text after the word at `start`, a stop that ends it included. */
function afterWord(text: string, start: number): string {
  const space = text.indexOf(" ", start);
  return space < 0 ? "" : `${text.charCodeAt(space - 1) === 46 ? "." : ""}${text.slice(space)}`;
}

/** `[...: ]host H[IP] said: 550` with the host masked. */
function withoutHost(words: string): string {
  const at = words.indexOf("host ");
  const open = words.indexOf("[", at);
  const close = words.indexOf("]", open);
  if (at < 0 || open < 0 || close < 0 || open - at > 260) return words;
  return `${words.slice(0, at + 5)}${relayShape(words, at + 5, close + 1)}${words.slice(close + 1)}`;
}

/** `host H[IP] said: reply (in reply to C command)` and `host H[IP] refused to talk to me: reply`. */
export function readHostReply(
  prefix: string,
  body: string,
  queueId: string | undefined,
): Reading | undefined {
  const fields: Bag = {};
  const told = putTold(fields, body);
  if (told === undefined) return undefined;
  putRelay(fields, body, 5);
  put(fields, "reply_code", told.code);
  put(fields, "dsn", told.dsn);
  fields["reason"] = cap(body.slice(told.rest));
  const cause = remoteCause(told.code, told.dsn, body.slice(told.rest));
  return reading(
    "host_reply",
    fields,
    `${prefix}${withoutHost(body.slice(0, told.rest)).trimEnd()}`,
    cause,
    queueId,
  );
}
