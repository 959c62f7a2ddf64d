import type { EventName } from "./names.ts";
import { readAction } from "./postfix-smtpd.ts";
import { type Bag, cap, put, putClient, type Reading, type Sample, type Writer, word } from "./scan.ts";
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
  ["COMMAND ", "postscreen_violation", true],
];

/** postscreen. One process serves all clients, so a session is a client's address and port. */
export function readPostscreen(writer: Writer, prefix: string, body: string): Reading | undefined {
  for (const [start, event, cut] of STARTS)
    if (body.startsWith(start)) return readVerdict(writer, body, start, event, cut);
  const comma = body.indexOf("; from=<");
  const action = readAction(
    prefix,
    comma < 0
      ? body
      : body.slice(0, comma) + body.slice(comma).replaceAll(">, ", "> ").replace(", helo=", " helo="),
  );
  if (action !== undefined) return { ...action, session: sessionOf(writer, body) };
  if (body.includes(" cleanup: retained=")) return { event: "cache_cleanup", fields: {}, shape: body };
  if (body.startsWith("warning") || body === "") return undefined;
  return undefined;
}

function readVerdict(writer: Writer, body: string, start: string, event: EventName, cut: boolean): Reading {
  const fields: Bag = {};
  const open = body.indexOf("[");
  const end = open < 0 ? -1 : putClient(fields, body, open);
  delete fields["client_name"];
  if (event === "postscreen_pass") fields["verdict"] = body.slice(5, 8);
  else if (event === "postscreen_list") fields["verdict"] = body.slice(0, body.indexOf(" ", 10));
  else if (event === "postscreen_dnsbl") put(fields, "rank", numberAfter(body, "rank "));
  else if (event === "postscreen_violation") fields["reason"] = start.trim();
  else if (event === "postscreen_connect") put(fields, "server", word(body, " to "));
  let shape = body;
  if (cut && end > 0) {
    fields["text"] = cap(body.slice(end).replace(/^: /, ""));
    const colon = body.indexOf(": ", end);
    const stage = body.startsWith(" after ", end) && colon > end && colon - end < 24;
    shape = body.slice(0, stage ? colon : end);
  }
  const cause =
    event === "postscreen_dnsbl"
      ? "rbl"
      : event === "postscreen_violation" || event === "postscreen_pregreet"
        ? "protocol"
        : undefined;
  return { event, fields, cause, session: sessionOf(writer, body), shape };
}

function sessionOf(writer: Writer, body: string): string | undefined {
  const open = body.indexOf("[");
  if (open < 0) return undefined;
  let end = body.indexOf("]", open) + 1;
  if (end === 0 || end - open > 64) return undefined;
  while (
    end < body.length &&
    end - open < 80 &&
    body[end] !== " " &&
    (body[end] !== ":" || body[end + 1] !== " ")
  )
    end++;
  const peer = body.slice(open, end).replace(/[:;]$/, "");
  return `${writer.host}/postscreen${peer}`;
}
