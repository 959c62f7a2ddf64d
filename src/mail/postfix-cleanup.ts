import type { EventName } from "./names.ts";
import { putEnvelope, readAction } from "./postfix-action.ts";
import { readDelivery } from "./postfix-delivery.ts";
import { type Bag, cap, put, putClient, type Reading, readDsn, reading, type Sample } from "./scan.ts";

/** Lines of our own making. */
export const samples: readonly Sample[] = [
  {
    line: "4A1B2C3D4E: message-id=<x.1@b.example>",
    event: "message_id",
    fields: { message_id: "x.1@b.example" },
  },
  { line: "4A1B2C3D4E: message-id=", event: "message_id", fields: { message_id: "" } },
  { line: "4A1B2C3D4E: message-id=local-99", event: "message_id", fields: { message_id: "local-99" } },
  {
    line: "4A1B2C3D4E: resent-message-id=<x.2@b.example>",
    event: "message_id",
    fields: { message_id: "x.2@b.example" },
  },
  {
    line: "4A1B2C3D4E: reject: header Subject: buy now from h.example[192.0.2.9]; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>: 5.7.1 message content rejected",
    event: "reject",
    cause: "spam",
    fields: {
      stage: "header",
      header: "Subject",
      from: "a@b.example",
      dsn: "5.7.1",
      client_address: "192.0.2.9",
    },
  },
  {
    line: "4A1B2C3D4E: warning: header Subject: hello from local; from=<root@our.example> to=<x@our.example>",
    event: "reject_warning",
    cause: "spam",
    fields: { header: "Subject", client_name: "local", to: "x@our.example" },
  },
  {
    line: "4A1B2C3D4E: replace: header Received: from a (b [192.0.2.9]) by our.example from h.example[192.0.2.9]; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>: Received: from localhost",
    event: "replace",
    fields: { header: "Received" },
  },
  {
    line: "4A1B2C3D4E: strip: mime-header Content-Location: x from h.example[192.0.2.9]; from=<a@b.example> proto=ESMTP helo=<h>",
    event: "replace",
    fields: { stage: "mime-header" },
  },
  {
    line: "4A1B2C3D4E: info: header X-Client: one from localhost[127.0.0.1]; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "info",
    fields: { header: "X-Client", action: "info" },
  },
  {
    line: "4A1B2C3D4E: hold: body GTUBE from h.example[192.0.2.9]; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>: quarantine",
    event: "hold",
    fields: { stage: "body", reason: "quarantine" },
  },
  {
    line: "4A1B2C3D4E: milter-reject: END-OF-MESSAGE from h.example[192.0.2.9]: 5.7.1 rejected by DMARC policy for b.example; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "milter_reject",
    cause: "spam",
    fields: { dsn: "5.7.1" },
  },
  { line: "4A1B2C3D4E: canceled", event: "canceled" },
  {
    line: "table hash:/etc/postfix/header_checks(0,lock|fold_fix) has changed -- restarting",
    event: "reload",
  },
  {
    line: "warning: mail_queue_enter: create file incoming/123.4: No space left on device",
    event: "disk_failure",
    cause: "disk",
  },
  { line: "warning: file system clock is 1 seconds ahead of local clock", event: "workaround" },
  { line: "warning: resetting file time stamps - this hurts performance", event: "workaround" },
  {
    line: "warning: 4A1B2C3D4E: virtual_alias_maps map lookup problem for x@our.example -- message not accepted, try again later",
    event: "lookup_failure",
    cause: "lookup",
  },
  {
    line: "warning: 4A1B2C3D4E: unreasonable virtual_alias_maps map expansion size for x@our.example -- message not accepted, try again later",
    event: "limit_reached",
    cause: "limit",
  },
];

/** `message-id=`, header and body checks, milter verdicts. */
export function readCleanup(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  if (body.startsWith("message-id="))
    return reading(
      "message_id",
      { message_id: bare(body, 11) },
      `${prefix}message-id=<>`,
      undefined,
      queueId,
    );
  if (body.startsWith("canceled")) return reading("canceled", {}, prefix + body, undefined, queueId);
  return (
    readCheck(prefix, body, queueId) ??
    readAction(prefix, body, queueId) ??
    readOtherId(prefix, body, queueId) ??
    readDelivery(prefix, body, queueId)
  );
}

/** The value from `start` without the angle brackets around all of it. */
function bare(body: string, start: number): string {
  const last = body.length - 1;
  return body.charCodeAt(start) === 60 && body.charCodeAt(last) === 62
    ? cap(body.slice(start + 1, last))
    : cap(body.slice(start));
}

/** `resent-message-id=`, and an id that goes by another header's name (patched or anonymised): the whole line is one `name=value` after a queue id. */
function readOtherId(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  if (queueId === undefined) return undefined;
  let at = 0;
  let hyphen = false;
  for (let c = body.charCodeAt(0); (c >= 97 && c <= 122) || c === 45; c = body.charCodeAt(++at))
    hyphen ||= c === 45;
  if (at > 40 || !hyphen || body.charCodeAt(at) !== 61 || body.includes(" ")) return undefined;
  const known = body.startsWith("resent-message-id=");
  const value = bare(body, at + 1);
  const fields: Bag = known ? { message_id: value } : { header: body.slice(0, at), value };
  return reading("message_id", fields, `${prefix}${body.slice(0, at)}=<>`, undefined, queueId);
}

const CHECKED: ReadonlyMap<string, EventName> = new Map([
  ["reject", "reject"],
  ["warning", "reject_warning"],
  ["warn", "reject_warning"],
  ["hold", "hold"],
  ["discard", "discard"],
  ["filter", "filter"],
  ["prepend", "replace"],
  ["replace", "replace"],
  ["redirect", "redirect"],
  ["bcc", "redirect"],
  ["strip", "replace"],
  ["info", "info"],
  ["delay", "hold"],
  ["pass", "info"],
]);

/** What header_checks and body_checks looked at. */
const STAGES = new Set(["header", "body", "mime-header", "nested-header", "content", "mime-error"]);

/**
 * `reject: header Subject: TEXT from H[IP]; from=<> to=<> proto= helo=<>: words`. TEXT is the sender's, so the parts are looked for from
 * the right, and of it the shape keeps the header's name alone.
 */
function readCheck(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  const colon = body.indexOf(": ");
  if (colon < 3 || colon > 12) return undefined;
  const action = body.slice(0, colon);
  const event = CHECKED.get(action);
  if (event === undefined) return undefined;
  const space = body.indexOf(" ", colon + 2);
  const stage = body.slice(colon + 2, space < 0 ? undefined : space);
  if (!STAGES.has(stage)) return undefined;
  const fields: Bag = { action, stage };
  const tail = body.lastIndexOf("; from=<");
  const from = tail < 0 ? -1 : body.lastIndexOf(" from ", tail);
  const client = from > 0 ? putClient(fields, body, from + 6) : -1;
  if (client < 0 || client > tail) {
    delete fields["client_address"];
    if (from > 0) fields["client_name"] = cap(body.slice(from + 6, tail));
  }
  if (tail >= 0) putEnvelope(fields, body, tail + 2);
  const name = stage === "header" || stage === "mime-header" ? headerName(body, space + 1) : "";
  if (name !== "") fields["header"] = name;
  const text = from > space ? body.slice(space + 1, from) : "";
  if (text !== "") fields["text"] = cap(text);
  const end = tail < 0 ? -1 : body.lastIndexOf(">: ");
  const words = end > tail ? body.slice(end + 3) : "";
  const dsn = readDsn(words, 0);
  put(fields, "dsn", dsn);
  fields["reason"] = cap(dsn === undefined ? words : words.slice(dsn.length + 1));
  const cause = event === "reject" || event === "reject_warning" ? "spam" : undefined;
  const kept = event === "replace" ? "" : words;
  const shown = stage === "header" && name !== "" ? `${name}: ` : "";
  return reading(event, fields, `${prefix}${action}: ${stage} ${shown}${kept}`, cause, queueId);
}

/** The header's name at `start`, up to its colon; "" when there is none. */
function headerName(body: string, start: number): string {
  const colon = body.indexOf(":", start);
  const name = colon < 0 || colon - start > 76 ? "" : body.slice(start, colon);
  return name.includes(" ") ? "" : name;
}
