import type { EventName } from "./names.ts";
import { readDelivery } from "./postfix-delivery.ts";
import {
  angleEnd,
  type Bag,
  between,
  cap,
  numberAt,
  put,
  type Reading,
  reading,
  type Sample,
  word,
} from "./scan.ts";

/** Lines of our own making, with their daemon. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
  {
    daemon: "qmgr",
    line: "4A1B2C3D4E: from=<a@b.example>, size=1024, nrcpt=2 (queue active)",
    event: "queue_active",
    fields: { from: "a@b.example", size: 1024, nrcpt: 2 },
  },
  {
    daemon: "qmgr",
    line: '4A1B2C3D4E: from=<"x>, size=9, y"@b.example>, size=77, nrcpt=1 (queue active)',
    event: "queue_active",
    fields: { from: '"x>, size=9, y"@b.example', size: 77 },
  },
  { daemon: "qmgr", line: "3Zb2kz1Q9vzXyz: removed", event: "removed" },
  { daemon: "oqmgr", line: "4A1B2C3D4EXXXX: removed", event: "removed" },
  {
    daemon: "qmgr",
    line: "4A1B2C3D4E: from=<>, status=expired, returned to sender",
    event: "expired",
    cause: "expired",
    fields: { from: "", status: "expired" },
  },
  {
    daemon: "qmgr",
    line: "4A1B2C3D4E: from=<a@b.example>, status=force-expired, returned to sender",
    event: "expired",
    cause: "expired",
    fields: { status: "force-expired" },
  },
  { daemon: "qmgr", line: "4A1B2C3D4E: skipped, still being delivered", event: "queue_skipped" },
  {
    daemon: "qmgr",
    line: "4A1B2C3D4E: to=<x@far.example>, relay=none, delay=9, delays=9/0/0/0, dsn=4.3.0, status=deferred (delivery temporarily suspended: connect to mx.far.example[192.0.2.7]:25: Connection refused)",
    event: "delivery",
    cause: "connect",
  },
  {
    daemon: "qmgr",
    line: "warning: mail for far.example is using up 4001 of 5000 active queue entries",
    event: "limit_reached",
    cause: "limit",
  },
  {
    daemon: "qmgr",
    line: "warning: you may need to reduce smtp connect and helo timeouts",
    event: "limit_reached",
    cause: "limit",
  },
  {
    daemon: "qmgr",
    line: "warning: transport smtp failure -- see a previous warning/fatal/panic logfile record for the problem description",
    event: "process_exit",
    cause: "crash",
  },
  {
    daemon: "qmgr",
    line: "warning: connect to transport private/filter: Connection refused",
    event: "connect_failure",
    cause: "crash",
  },
  {
    daemon: "qmgr",
    line: "warning: saving corrupt file 4A1B2C3D4E from queue active to queue corrupt",
    event: "queue_error",
    cause: "other",
  },
  {
    daemon: "pickup",
    line: "4A1B2C3D4E: uid=33 from=<www-data>",
    event: "pickup",
    fields: { uid: 33, from: "www-data" },
  },
  {
    daemon: "pickup",
    line: "4A1B2C3D4E: uid=0 from=<root> orig_id=5B1B2C3D4E",
    event: "pickup",
    fields: { orig_queue_id: "5B1B2C3D4E" },
  },
  {
    daemon: "bounce",
    line: "4A1B2C3D4E: sender non-delivery notification: 5B1B2C3D4E",
    event: "bounce_notification",
    fields: { notification: "sender non-delivery", new_queue_id: "5B1B2C3D4E" },
  },
  {
    daemon: "bounce",
    line: "4A1B2C3D4E: postmaster non-delivery notification: 5B1B2C3D4E",
    event: "bounce_notification",
  },
  {
    daemon: "defer",
    line: "4A1B2C3D4E: sender delay notification: 5B1B2C3D4E",
    event: "bounce_notification",
    fields: { notification: "sender delay" },
  },
  {
    daemon: "trace",
    line: "4A1B2C3D4E: sender delivery status notification: 5B1B2C3D4E",
    event: "bounce_notification",
  },
  {
    daemon: "bounce",
    line: "4A1B2C3D4E: undeliverable postmaster notification discarded",
    event: "bounce_notification",
    fields: { notification: "undeliverable postmaster" },
  },
  {
    daemon: "postsuper",
    line: "Deleted: 3 messages",
    event: "queue_action",
    fields: { action: "Deleted", messages: 3 },
  },
  { daemon: "postsuper", line: "4A1B2C3D4E: removed", event: "queue_action", fields: { action: "removed" } },
  { daemon: "postsuper", line: "4A1B2C3D4E: released from hold", event: "queue_action" },
  { daemon: "postsuper", line: "Placed on hold: 1 message", event: "queue_action", fields: { messages: 1 } },
  { daemon: "postsuper", line: "4A1B2C3D4E: requeued", event: "queue_action" },
  { daemon: "postsuper", line: "Force-expired: 2 messages", event: "queue_action" },
  { daemon: "postsuper", line: "Renamed to match inode number: 4 messages", event: "queue_action" },
];

/** `from=<>, size=, nrcpt= (queue active)`, `removed`, `from=<>, status=expired`; deferrals go the delivery way. */
export function readQmgr(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  const c = body.charCodeAt(0);
  if (c === 114 && body === "removed") return reading("removed", {}, `${prefix}removed`, undefined, queueId);
  if (c === 102 && body.startsWith("from=<")) return readFrom(prefix, body, queueId);
  if (body.startsWith("skipped")) return reading("queue_skipped", {}, prefix + body, undefined, queueId);
  return readDelivery(prefix, body, queueId);
}

function readFrom(prefix: string, body: string, queueId: string | undefined): Reading {
  const size = body.lastIndexOf(">, size=");
  if (size > 0 && body.charCodeAt(body.length - 1) === 41) {
    let at = size + 8;
    let bytes = 0;
    for (let c = body.charCodeAt(at); c >= 48 && c <= 57; c = body.charCodeAt(++at))
      bytes = bytes * 10 + c - 48;
    let nrcpt = 0;
    if (body.startsWith(", nrcpt=", at)) {
      at += 8;
      for (let c = body.charCodeAt(at); c >= 48 && c <= 57; c = body.charCodeAt(++at))
        nrcpt = nrcpt * 10 + c - 48;
    }
    const fields: Bag = { from: cap(body.slice(6, size)), size: safe(bytes), nrcpt: safe(nrcpt) };
    return reading(
      "queue_active",
      fields,
      `${prefix}from=<>, size=0, nrcpt=0 (queue active)`,
      undefined,
      queueId,
    );
  }
  const end = angleEnd(body, 6);
  const fields: Bag = { from: cap(body.slice(6, end < 0 ? undefined : end)) };
  const status = end < 0 ? undefined : word(body, "status=", end);
  put(fields, "status", status);
  const rest = end < 0 ? "" : body.slice(end + 1);
  if (status === undefined) return reading("queue_active", fields, `${prefix}from=<>`, undefined, queueId);
  const expired = status === "expired" || status === "force-expired";
  const event: EventName = expired ? "expired" : "delivery";
  return reading(event, fields, `${prefix}from=<>${rest}`, expired ? "expired" : undefined, queueId);
}

/** A number that a hostile line may have made too large. */
const safe = (n: number): number => (Number.isSafeInteger(n) ? n : 0);

/** `uid=33 from=<www-data>[ orig_id=ID]`. */
export function readPickup(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  const uid = body.startsWith("uid=");
  if (!uid && !body.startsWith("sender=")) return undefined;
  const fields: Bag = {};
  const number = uid ? numberAt(body, 4) : undefined;
  put(fields, "uid", number);
  put(fields, "from", between(body, "from=<", ">") ?? between(body, "sender=<", ">"));
  put(fields, "orig_queue_id", word(body, " orig_id="));
  const shape = `${prefix}${uid ? "uid=0 from=<>" : "sender=<>"}`;
  return reading("pickup", fields, shape, undefined, queueId);
}

/** `sender non-delivery notification: ID`. */
export function readBounce(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  const at = body.indexOf(" notification: ");
  if (at >= 0 && at < 64) {
    const fields: Bag = { notification: cap(body.slice(0, at)), new_queue_id: cap(body.slice(at + 15)) };
    return reading("bounce_notification", fields, prefix + body.slice(0, at + 15), undefined, queueId);
  }
  if (body.endsWith(" notification discarded") && body.length < 96) {
    const fields: Bag = { notification: body.slice(0, -23) };
    return reading("bounce_notification", fields, prefix + body, undefined, queueId);
  }
  // an anonymiser may have touched the word
  const touched = / notification\w{0,12}: ([0-9A-Za-z]{4,32})$/.exec(body.slice(0, 160));
  if (touched === null) return readDelivery(prefix, body, queueId);
  const fields: Bag = { notification: body.slice(0, touched.index), new_queue_id: touched[1]! };
  return reading(
    "bounce_notification",
    fields,
    `${prefix}${body.slice(0, touched.index)} notification:`,
    undefined,
    queueId,
  );
}

/** Words by which postsuper reports what it did to a message or to many. */
const DONE = [
  "removed",
  "placed on hold",
  "released from hold",
  "requeued",
  "expired",
  "force-expired",
  "Deleted",
  "Requeued",
  "Placed on hold",
  "Released from hold",
  "Expired",
  "Force-expired",
  "Renamed to match inode number",
  "Scanned",
  "renamed",
  "skipped",
  "was renamed",
];

/** postsuper: `ID: removed`, `Deleted: 3 messages`. undefined for anything else. */
export function readPostsuper(
  prefix: string,
  body: string,
  queueId: string | undefined,
): Reading | undefined {
  for (const done of DONE) {
    if (!body.startsWith(done)) continue;
    const fields: Bag = { action: done };
    if (body.charCodeAt(done.length) === 58) put(fields, "messages", numberAt(body, done.length + 2));
    return reading("queue_action", fields, prefix + body, undefined, queueId);
  }
  return undefined;
}
