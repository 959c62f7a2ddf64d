import { parseEnvelope } from "../log/envelope.ts";
import { LINE_CAP } from "../log/lines.ts";
import { LogClock } from "../log/year.ts";
import { Zone } from "../log/zone.ts";

/** What a message without priority is: user.notice (RFC 3164 section 4.3.3). */
const NOTICE = "<13>";
const LF = 10;
const CR = 13;
const NUL = 0;
const SPACE = 32;
const ESCAPED = /^<\d{1,3}>/;

/** Any year will do to find out whether there is a time. */
const clock = new LogClock(new Zone("UTC"), 2000);

/**
 * A message as a line of a log, LF included; undefined for an empty one. It is cut at LINE_CAP; line ends inside become blanks. One
 * without a time gets ours and its sender's address, as a relay adds them (RFC 3164 section 4.3.2), but in the form of RFC 3339, which
 * names year and zone. now: milliseconds since the Unix epoch.
 */
export function lineOf(message: Uint8Array, sender: string, now: number): Buffer | undefined {
  let end = message.length;
  while (end > 0 && (message[end - 1] === LF || message[end - 1] === CR || message[end - 1] === NUL)) end--;
  if (end === 0) return undefined;
  const body = Buffer.from(message.subarray(0, Math.min(end, LINE_CAP)));
  for (let i = 0; i < body.length; i++) if (body[i] === LF || body[i] === NUL) body[i] = SPACE;
  const text = body.toString("utf8");
  if (parseEnvelope(text, clock).time !== null) return Buffer.concat([body, Buffer.of(LF)]);
  const priority = ESCAPED.exec(text)?.[0] ?? "";
  const head = `${priority === "" ? NOTICE : priority}${new Date(now).toISOString().replace("Z", "+00:00")} ${sender} `;
  const room = LINE_CAP - head.length;
  return Buffer.concat([
    Buffer.from(head),
    body.subarray(priority.length, priority.length + room),
    Buffer.of(LF),
  ]);
}
