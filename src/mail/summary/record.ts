import type { MailEvent } from "../event.ts";

/** One delivery record, read once for all who count it. */
export type Delivery = {
  /** The word before `: to=`, "" when the line has none. */
  id: string;
  to: string;
  relay: string;
  /** Seconds. */
  delay: number;
  /** As logged, "" where the line has none. */
  delays: string;
  dsn: string;
  status: string;
  /** What follows the status: " (text)". */
  tail: string;
};

export const newDelivery = (): Delivery => ({
  id: "",
  to: "",
  relay: "",
  delay: 0,
  delays: "",
  dsn: "",
  status: "",
  tail: "",
});

/** The record as pflogsumm 1.1.5 takes it. */
export const DELIVERY: RegExp =
  / *(?:([^\s:]+): +)?to=<([^>]*)>, (?:orig_to=<[^>]*>, )?relay=([^,]+), (?:conn_use=[^,]+, )?delay=([^,]+), (?:delays=([^,]+), )?(?:dsn=([^,]+), )?status=(\S+)(.*)$/sy;

/** Fills `out` from a record's text, as DELIVERY reads it. False when it is none. */
export const readDelivery = (body: string, out: Delivery): boolean =>
  readPlain(body, out) || readByPattern(body, out);

/** readDelivery for any form, by the pattern. */
export function readByPattern(body: string, out: Delivery): boolean {
  DELIVERY.lastIndex = 0;
  const m = DELIVERY.exec(body);
  if (m === null) return false;
  out.id = m[1] ?? "";
  out.to = m[2]!;
  out.relay = m[3]!;
  out.delay = seconds(m[4]!);
  out.delays = m[5] ?? "";
  out.dsn = m[6] ?? "";
  out.status = m[7]!;
  out.tail = m[8]!;
  return true;
}

/** Fills `out` from what our own grammar read. False when it is no record. */
export function readFields({ fields }: MailEvent, out: Delivery): boolean {
  if (fields["status"] === undefined) return false;
  out.id = "";
  out.to = String(fields["to"] ?? "");
  out.relay = String(fields["relay"] ?? "none");
  out.delay = seconds(String(fields["delay"] ?? 0));
  out.delays = String(fields["delays"] ?? "");
  out.dsn = String(fields["dsn"] ?? "");
  out.status = String(fields["status"]);
  out.tail = fields["reason"] === undefined ? "" : ` (${fields["reason"]})`;
  return true;
}

/** A number as written, else the number that the text begins with, else 0. */
function seconds(text: string): number {
  const n = Number(text);
  return Number.isFinite(n) ? n : Number.parseFloat(text) || 0;
}

/** Where the value of the last `value` ends and what follows begins; reused from field to field. */
let next = 0;

/** `key=value, ` at `next`: the value, not empty and without commas; undefined, with nothing moved, when something else stands there. */
function value(body: string, key: string): string | undefined {
  if (!body.startsWith(key, next)) return undefined;
  const start = next + key.length;
  const comma = body.indexOf(",", start);
  if (comma <= start || body.charCodeAt(comma + 1) !== SPACE) return undefined;
  next = comma + 2;
  return body.slice(start, comma);
}

/** readDelivery for the form that Postfix writes, without a pattern: half the time. False for anything else, whatever it is. */
function readPlain(body: string, out: Delivery): boolean {
  const colon = body.indexOf(": to=<");
  if (colon <= 0 || !isWord(body, 0, colon)) return false;
  const to = colon + ": to=<".length;
  const toEnd = body.indexOf(">", to);
  if (toEnd < 0 || !body.startsWith(", ", toEnd + 1)) return false;
  next = toEnd + 3;
  if (body.startsWith("orig_to=<", next)) {
    const end = body.indexOf(">", next + "orig_to=<".length);
    if (end < 0 || !body.startsWith(", ", end + 1)) return false;
    next = end + 3;
  }
  const relay = value(body, "relay=");
  if (relay === undefined) return false;
  value(body, "conn_use=");
  const delay = value(body, "delay=");
  if (delay === undefined) return false;
  const delays = value(body, "delays=") ?? "";
  const dsn = value(body, "dsn=") ?? "";
  if (!body.startsWith("status=", next)) return false;
  const start = next + "status=".length;
  let end = start;
  for (let c = body.charCodeAt(end); c >= LOWER_A && c <= LOWER_Z; c = body.charCodeAt(end)) end++;
  if (end === start || (end < body.length && body.charCodeAt(end) !== SPACE)) return false;
  out.id = body.slice(0, colon);
  out.to = body.slice(to, toEnd);
  out.relay = relay;
  out.delay = seconds(delay);
  out.delays = delays;
  out.dsn = dsn;
  out.status = body.slice(start, end);
  out.tail = body.slice(end);
  return true;
}

/** Letters and digits alone. */
function isWord(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i) | 32;
    if (!((c >= LOWER_A && c <= LOWER_Z) || (c >= 48 && c <= 57))) return false;
  }
  return true;
}

const SPACE = 32;
const LOWER_A = 97;
const LOWER_Z = 122;
