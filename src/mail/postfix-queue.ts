import type { EventName } from "./names.ts";
import { readDelivery } from "./postfix-delivery.ts";
import { putEnvelope, readAction } from "./postfix-smtpd.ts";
import {
  type Bag,
  between,
  cap,
  isDigit,
  put,
  putClient,
  type Reading,
  readDsn,
  type Sample,
  word,
} from "./scan.ts";
import { numberAfter } from "./warning.ts";

/** Lines of our own making, with their daemon before the tab. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
  {
    daemon: "qmgr",
    line: "4A1B2C3D4E: from=<a@b.example>, size=1024, nrcpt=2 (queue active)",
    event: "queue_active",
    fields: { from: "a@b.example", size: 1024, nrcpt: 2 },
  },
  { daemon: "qmgr", line: "3Zb2kz1Q9vzXyz: removed", event: "removed" },
  {
    daemon: "qmgr",
    line: "4A1B2C3D4E: from=<>, status=expired, returned to sender",
    event: "expired",
    cause: "expired",
    fields: { from: "" },
  },
  {
    daemon: "cleanup",
    line: "4A1B2C3D4E: message-id=<x.1@b.example>",
    event: "message_id",
    fields: { message_id: "x.1@b.example" },
  },
  {
    daemon: "cleanup",
    line: "4A1B2C3D4E: reject: header Subject: buy now from h.example[192.0.2.9]; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>: 5.7.1 message content rejected",
    event: "reject",
    cause: "spam",
    fields: { stage: "header", from: "a@b.example", dsn: "5.7.1", client_address: "192.0.2.9" },
  },
  {
    daemon: "cleanup",
    line: "4A1B2C3D4E: milter-reject: END-OF-MESSAGE from h.example[192.0.2.9]: 5.7.1 rejected by DMARC policy for b.example; from=<a@b.example> to=<x@our.example> proto=ESMTP helo=<h>",
    event: "milter_reject",
    cause: "spam",
    fields: { dsn: "5.7.1" },
  },
  {
    daemon: "pickup",
    line: "4A1B2C3D4E: uid=33 from=<www-data>",
    event: "pickup",
    fields: { uid: 33, from: "www-data" },
  },
  {
    daemon: "bounce",
    line: "4A1B2C3D4E: sender non-delivery notification: 5B1B2C3D4E",
    event: "bounce_notification",
    fields: { new_queue_id: "5B1B2C3D4E" },
  },
  {
    daemon: "master",
    line: "daemon started -- version 3.7.11, configuration /etc/postfix",
    event: "process_start",
    fields: { version: "3.7.11" },
  },
  {
    daemon: "master",
    line: "warning: process /usr/lib/postfix/sbin/smtpd pid 2635 exit status 1",
    event: "process_exit",
    cause: "crash",
  },
  {
    daemon: "master",
    line: "warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling",
    event: "throttling",
    cause: "crash",
  },
  {
    daemon: "master",
    line: 'warning: service "smtp" (25) has reached its process limit "100": new clients may experience noticeable delays',
    event: "limit_reached",
    cause: "limit",
  },
  {
    daemon: "anvil",
    line: "statistics: max connection rate 5/60s for (smtpd:192.0.2.9) at Feb 10 00:42:54",
    event: "anvil_statistics",
    fields: { measure: "connection rate", value: 5, client_address: "192.0.2.9" },
  },
  {
    daemon: "scache",
    line: "statistics: domain lookup hits=179 miss=90 success=66%",
    event: "scache_statistics",
  },
  {
    daemon: "dnsblog",
    line: "addr 192.0.2.9 listed by domain zen.example as 127.0.0.6",
    event: "dnsblog_listed",
    cause: "rbl",
  },
  {
    daemon: "dnsblog",
    line: "warning: dnsblog_query: lookup error for DNS query 9.2.0.192.zen.example: Host or domain name not found. Name service error for name=9.2.0.192.zen.example type=A: Host not found, try again",
    event: "dns_failure",
    cause: "dns",
  },
  {
    daemon: "cleanup",
    line: "warning: mail_queue_enter: create file incoming/123.4: No space left on device",
    event: "disk_failure",
    cause: "disk",
  },
  { daemon: "postfix-script", line: "starting the Postfix mail system", event: "process_start" },
  { daemon: "postsuper", line: "Deleted: 3 messages", event: "queue_action" },
  {
    daemon: "trivial-rewrite",
    line: "warning: do not list domain our.example in BOTH mydestination and virtual_alias_domains",
    event: "config_warning",
    cause: "config",
  },
];

/** `from=<>, size=, nrcpt= (queue active)`, `removed`, `from=<>, status=expired`; deferrals go the delivery way. */
export function readQmgr(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  if (body === "removed") return { event: "removed", fields: {}, queueId, shape: `${prefix}removed` };
  if (body.startsWith("from=<")) {
    const status = body.indexOf(">, status=");
    const fields: Bag = {};
    const end = status >= 0 ? status : body.lastIndexOf(">, size=");
    fields["from"] = cap(body.slice(6, end < 0 ? body.indexOf(">") : end));
    if (status >= 0) {
      put(fields, "status", word(body, "status=", status));
      return {
        event: "expired",
        fields,
        cause: "expired",
        queueId,
        shape: `${prefix}from=<>${body.slice(status + 1)}`,
      };
    }
    put(fields, "size", numberAfter(body, ">, size="));
    put(fields, "nrcpt", numberAfter(body, ", nrcpt="));
    return {
      event: "queue_active",
      fields,
      queueId,
      shape: `${prefix}from=<>, size=0, nrcpt=0 (queue active)`,
    };
  }
  if (body.startsWith("skipped"))
    return { event: "queue_skipped", fields: {}, queueId, shape: prefix + body };
  return readDelivery(prefix, body, queueId);
}

/** `message-id=`, header and body checks, milter verdicts. */
export function readCleanup(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  for (const key of ["message-id=", "resent-message-id="])
    if (body.startsWith(key)) {
      const value = body.slice(key.length);
      const bare = value.startsWith("<") && value.endsWith(">") ? value.slice(1, -1) : value;
      return { event: "message_id", fields: { message_id: cap(bare) }, queueId, shape: `${prefix}${key}<>` };
    }
  if (body === "canceled" || body.startsWith("canceled"))
    return { event: "canceled", fields: {}, queueId, shape: prefix + body };
  const check = readCheck(prefix, body);
  if (check !== undefined) return { ...check, queueId };
  const action = readAction(prefix, body);
  return action === undefined ? undefined : { ...action, queueId };
}

const CHECKED: Readonly<Record<string, EventName>> = {
  reject: "reject",
  warning: "reject_warning",
  warn: "reject_warning",
  hold: "hold",
  discard: "discard",
  filter: "filter",
  prepend: "replace",
  replace: "replace",
  redirect: "redirect",
  bcc: "redirect",
  strip: "replace",
  info: "info",
  delay: "hold",
  pass: "info",
};

/** `reject: header Subject: TEXT from H[IP]; from=<> to=<> proto= helo=<>: words`. TEXT is the sender's, so the parts are looked for from the right. */
function readCheck(prefix: string, body: string): Reading | undefined {
  const colon = body.indexOf(": ");
  if (colon < 3 || colon > 12) return undefined;
  const action = body.slice(0, colon);
  if (!Object.hasOwn(CHECKED, action)) return undefined;
  const space = body.indexOf(" ", colon + 2);
  const stage = body.slice(colon + 2, space < 0 ? undefined : space);
  if (!["header", "body", "mime-header", "nested-header", "content"].includes(stage)) return undefined;
  const fields: Bag = { action, stage };
  const tail = body.lastIndexOf("; from=<");
  const from = tail < 0 ? -1 : body.lastIndexOf(" from ", tail);
  if (from > 0) putClient(fields, body, from + 6);
  if (tail >= 0) putEnvelope(fields, body, tail + 2);
  const helo = tail < 0 ? -1 : body.lastIndexOf(">: ");
  const words = helo > tail ? body.slice(helo + 3) : "";
  const dsn = readDsn(words, 0);
  put(fields, "dsn", dsn);
  fields["reason"] = cap(dsn === undefined ? words : words.slice(dsn.length + 1));
  const name = stage === "header" ? `${body.slice(space + 1).split(/[: ]/, 1)[0]}: ` : "";
  const event = CHECKED[action]!;
  const cause = event === "reject" || event === "reject_warning" ? "spam" : undefined;
  return { event, fields, cause, shape: `${prefix}${action}: ${stage} ${name}${words}` };
}

/** `uid=33 from=<www-data>`. */
export function readPickup(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  if (!body.startsWith("uid=") && !body.startsWith("sender=")) return undefined;
  const fields: Bag = {};
  put(fields, "uid", numberAfter(body, "uid="));
  put(fields, "from", between(body, "from=<", ">") ?? between(body, "sender=<", ">"));
  put(fields, "orig_queue_id", word(body, "orig_id="));
  return { event: "pickup", fields, queueId, shape: prefix + body };
}

/** `sender non-delivery notification: ID`. */
export function readBounce(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  const at = body.lastIndexOf(" notification: ");
  if (at < 0) return readDelivery(prefix, body, queueId);
  const fields: Bag = { notification: cap(body.slice(0, at)), new_queue_id: cap(body.slice(at + 15)) };
  return { event: "bounce_notification", fields, queueId, shape: prefix + body.slice(0, at + 15) };
}

/** anvil: `statistics: max connection rate 5/60s for (smtpd:ip) at TIME`. The cache sizes have no client. */
export function readAnvil(body: string): Reading | undefined {
  if (!body.startsWith("statistics: max ")) return undefined;
  const fields: Bag = {};
  let at = 16;
  while (at < body.length && !isDigit(body.charCodeAt(at))) at++;
  fields["measure"] = cap(body.slice(16, at).trim());
  put(fields, "value", numberAfter(body, body.slice(0, at)));
  const who = between(body, "for (", ")");
  if (who !== undefined) {
    const colon = who.indexOf(":");
    fields["service"] = who.slice(0, colon);
    fields["client_address"] = who.slice(colon + 1);
  }
  const end = body.indexOf(" at ");
  return { event: "anvil_statistics", fields, shape: end < 0 ? body : body.slice(0, end) };
}

/** master, scripts and commands: what starts and stops. */
export function readMaster(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  const fields: Bag = {};
  put(fields, "version", word(body, "version "));
  for (const [phrase, event] of LIFE)
    if (body.includes(phrase)) return { event, fields, queueId, shape: prefix + body };
  if (body === "removed") return { event: "queue_action", fields, queueId, shape: prefix + body };
  return undefined;
}
const LIFE: readonly (readonly [string, EventName])[] = [
  ["daemon started", "process_start"],
  ["starting the Postfix", "process_start"],
  ["terminating on signal", "process_stop"],
  ["stopping the Postfix", "process_stop"],
  ["waiting for the Postfix", "process_stop"],
  ["aborting the Postfix", "process_stop"],
  ["reload", "reload"],
  ["refreshing the Postfix", "reload"],
  ["is running: PID", "info"],
  ["Deleted: ", "queue_action"],
  ["Requeued: ", "queue_action"],
  ["Placed on hold", "queue_action"],
  ["placed on hold", "queue_action"],
  ["Released from hold", "queue_action"],
  ["released from hold", "queue_action"],
  ["Renamed to match", "queue_action"],
  ["requeued", "queue_action"],
  ["Postfix is running with backwards-compatible", "config_warning"],
  ["See http", "config_warning"],
  ["To disable backwards", "config_warning"],
  ["using backwards-compatible", "config_warning"],
];

/** `addr IP listed by domain Z as 127.0.0.6`. 127.255.255.x means that the list refuses to answer us. */
export function readDnsblog(body: string): Reading | undefined {
  if (!body.startsWith("addr ")) return undefined;
  const fields: Bag = {};
  put(fields, "client_address", word(body, "addr "));
  put(fields, "rbl", word(body, "by domain "));
  put(fields, "result", word(body, " as "));
  const refused = String(fields["result"] ?? "").startsWith("127.255.255.");
  return { event: "dnsblog_listed", fields, cause: refused ? "dns" : "rbl", shape: body };
}
