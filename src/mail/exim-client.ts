import { refusalCause } from "./cause-refused.ts";
import type { Cause } from "./event.ts";
import { blanked } from "./exim-host.ts";
import { eximCause, putHost, type ReadExim } from "./exim-reply.ts";
import type { EventName } from "./names.ts";
import { type Bag, put } from "./scan.ts";
import { plainWords, putAddress } from "./words.ts";

/** Lines that begin with fixed words and then name the client. What the client typed stands before or after it, as the entry says. */
const CLIENT_LINES: readonly (readonly [RegExp, EventName, Cause?])[] = [
  [/^SMTP connection from (?=.{0,600} \(TCP\/IP connection count)/, "connect"],
  [/^SMTP connection from (?=.{0,600} closed by (?:DROP|ACL))/, "reject", "spam"],
  [/^SMTP connection from (?=.{0,600} (?:closed|D=))/, "disconnect"],
  [/^SMTP connection from (?=.{0,600} (?:lost|reset|closed without))/, "connection_lost"],
  [/^SMTP connection from /, "connect"],
  [/^no MAIL in SMTP connection from /, "disconnect"],
  [/^SMTP (?:command|data) timeout (?:\([^()]{0,60}\) )?on (?:TLS )?connection from /, "timeout"],
  [/^SMTP call from (?=.{0,700} dropped: too many)/, "too_many_errors", "protocol"],
  [/^SMTP call from /, "protocol_error", "protocol"],
  [/^unexpected disconnection while reading SMTP command (?:from|on connection from) /, "connection_lost"],
  [
    /^(?:TLS|GnuTLS) (?:error|session failure|session|recv error|send error|write error).{0,40}? (?:on|from) (?:connection from |H=|host )?/,
    "tls_failure",
    "tls",
  ],
  [/^Connection from (?=.{0,600} refused: too many|.{0,600}too many)/, "limit_reached", "limit"],
  [/^(?:Connection|connection) from (?=.{0,600} (?:refused|rejected|dropped))/, "reject", "spam"],
  [/^(?:Connection|connection) from /, "connect"],
  [
    /^(?:SMTP protocol synchronization error) \([^()]{0,120}(?:\([^()]{0,60}\))?[^()]{0,60}\): rejected connection from H=/,
    "protocol_error",
    "protocol",
  ],
  [/^rejected connection (?:from |in "\w{1,30}" ACL )?(?:H=)?/, "reject", "spam"],
  [
    /^(?:host name alias list truncated for|no IP address found for host \S{1,255} \(during SMTP connection from) ?/,
    "hostname_mismatch",
  ],
  [/^no host name found for IP address /, "hostname_mismatch"],
  [/^(?:ident|RFC ?1413) .{0,60}? /i, "info"],
];

export const readClientLine: ReadExim = (text, queueId, prefix) => {
  for (const [head, event, cause] of CLIENT_LINES) {
    const m = head.exec(text);
    if (m === null) continue;
    const fields: Bag = {};
    const at = text.startsWith("H=", m[0].length) ? m[0].length + 2 : m[0].length;
    const end = putHost(fields, text, at);
    if (end < 0 && text.startsWith("no host name")) putAddress(fields, /^\S{1,64}/.exec(text.slice(at))?.[0]);
    // What a client typed stands in quotes, and may be a password.
    const rest = (end < 0 ? "" : text.slice(end)).split('"', 1)[0]!;
    fields["reason"] = `${m[0].trim()} ${rest.replace(/^[: ]+/, "")}`.trim();
    return { event, fields, cause, queueId, shape: `${prefix}${m[0]}<>${rest}` };
  }
  return undefined;
};

/** `SMTP protocol error in "TYPED" H=.. TEXT`, `SMTP syntax error in ..`, and synchronisation errors: TYPED may imitate a host, so the last `" H=` counts. */
export const readTyped: ReadExim = (text, queueId) => {
  const m =
    /^SMTP (?:protocol error in|syntax error in|protocol synchronization error \([^()]{0,120}(?:\([^()]{0,60}\))?[^()]{0,60}\): rejected) "/.exec(
      text,
    );
  if (m === null) return undefined;
  const next = text.indexOf(' next input="', m[0].length);
  const known = next < 0 ? text : text.slice(0, next);
  const at = known.lastIndexOf('" H=');
  const fields: Bag = {};
  const end = at < 0 ? -1 : putHost(fields, known, at + 4);
  const said = end < 0 ? "" : known.slice(end).replace(/^(?: [A-Z][A-Za-z]{0,3}=\S{0,300}){0,8} ?/, "");
  fields["reason"] = said === "" ? m[0].slice(0, -1).trim() : said;
  return {
    event: "protocol_error",
    fields,
    cause: "protocol",
    queueId,
    shape: `${m[0].slice(0, -1)}<> H=<>`,
  };
};

/** `rejected MAIL FROM:<..> H=..: reason`, `rejected [HELO] from [ip]: syntactically invalid argument(s): x`, `rejected from <..> H=..:`. */
export const readRejectedFirst: ReadExim = (text, queueId) => {
  const m =
    /^(temporarily rejected|rejected|refused) (?=(EHLO|HELO|MAIL|RCPT|VRFY|EXPN|ETRN|AUTH|STARTTLS|XCLIENT|DATA|from|connection|by|after)\b)/.exec(
      text,
    );
  if (m === null) return undefined;
  const fields: Bag = {};
  const hidden = blanked(text);
  const at = hidden.indexOf(" H=");
  if (at >= 0) putHost(fields, text, at + 3);
  else {
    const from = hidden.indexOf(" from ");
    if (from >= 0) putHost(fields, text, from + 6);
  }
  put(fields, "from", /(?:FROM:|from |MAIL )<([^<>]{0,320})>/i.exec(text)?.[1]);
  fields["stage"] = m[2]!;
  const colon = hidden.indexOf(": ", at < 0 ? 0 : at);
  const reason = colon < 0 ? text : text.slice(colon + 2);
  fields["reason"] = reason;
  const words = plainWords(reason);
  return {
    event: "reject",
    fields,
    queueId,
    cause: eximCause(words) ?? refusalCause(undefined, undefined, words),
    shape: `${m[0]}${m[2]} <>: ${reason}`,
  };
};
