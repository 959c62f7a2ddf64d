import { deliveryCause, putHost, putReply, remoteShape } from "./exim-reply.ts";
import { type Bag, MAX_FIELD, put, type Reading } from "./scan.ts";

/** What the two characters after a message id say of one address. */
const STATUS: Readonly<Record<string, string>> = {
  "=>": "sent",
  "->": "sent", // one more address of the same delivery
  ">>": "sent", // cut-through
  "*>": "suppressed", // -N: nothing was sent
  "==": "deferred",
  "**": "bounced",
};

/** The part of a record that we read: addresses and flags stand at its head. */
const READ = 3000;

/** `<= sender ...`, `=> address ...` and their like; undefined for other text. */
export function readFlags(rest: string, queueId: string | undefined): Reading | undefined {
  if (rest.startsWith("<= ")) return readArrival(rest.slice(3, READ), queueId);
  const mark = rest.slice(0, 2);
  if (rest.charCodeAt(2) !== 32 || !Object.hasOwn(STATUS, mark)) return undefined;
  return readDelivery(STATUS[mark]!, rest.slice(3, READ), queueId);
}

/** Text in quotes is foreign: blanked, so that flags are found outside of it only. Lengths stay. */
const unquoted = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"/g, (s) => `"${"_".repeat(s.length - 2)}"`);

/** The value of ` KEY=` up to a blank. */
const flag = (text: string, key: string): string | undefined => {
  const at = text.indexOf(` ${key}=`);
  if (at < 0) return undefined;
  const start = at + key.length + 2;
  const end = text.indexOf(" ", start);
  return text.slice(start, end < 0 ? undefined : Math.min(end, start + MAX_FIELD));
};

/** `QT=1m2.5s`: seconds. */
function seconds(text: string | undefined): number | undefined {
  const m =
    /^(?:(\d{1,4})w)?(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,9}(?:\.\d{1,6})?)s)?$/.exec(
      text ?? "",
    );
  if (m === null || text === "") return undefined;
  const n = (i: number): number => Number(m[i] ?? 0);
  return n(1) * 604_800 + n(2) * 86_400 + n(3) * 3_600 + n(4) * 60 + n(5);
}

const bare = (address: string): string => address.replace(/^<(.*)>$/s, "$1");

/**
 * `<= sender H=host (helo) [ip] U=ident P=esmtpsa X=cipher A=login:user S=1234 id=message-id T="subject" from <s> for r1 r2`.
 * A bounce is `<= <> R=id-of-the-message U=exim P=local`: it becomes the bounce notification of that message.
 */
function readArrival(text: string, queueId: string | undefined): Reading {
  const plain = unquoted(text);
  const end = plain.indexOf(" ");
  const fields: Bag = { from: bare(end < 0 ? text : text.slice(0, end)) };
  const flags = ` ${plain.slice(end < 0 ? plain.length : end + 1)}`;
  const size = Number(flag(flags, "S"));
  if (Number.isFinite(size) && flag(flags, "S") !== undefined) fields["size"] = size;
  put(fields, "message_id", flag(flags, "id"));
  const protocol = flag(flags, "P");
  put(fields, "proto", protocol);
  const auth = flag(flags, "A");
  if (auth !== undefined) {
    const colon = auth.indexOf(":");
    fields["sasl_method"] = colon < 0 ? auth : auth.slice(0, colon);
    if (colon >= 0) fields["sasl_username"] = auth.slice(colon + 1).split(":", 1)[0]!;
  }
  put(fields, "tls", flag(flags, "X"));
  const recipients = flags.lastIndexOf(" for ");
  if (recipients >= 0)
    fields["nrcpt"] = flags
      .slice(recipients + 5)
      .trim()
      .split(/ +/).length;
  const parent = flag(flags, "R");
  const host = flags.indexOf(" H=");
  const user = flag(flags, "U");
  if (parent !== undefined && fields["from"] === "") {
    if (queueId !== undefined) fields["new_queue_id"] = queueId;
    return { event: "bounce_notification", fields, queueId: parent, shape: "<= <> R=<>" };
  }
  if (host >= 0) {
    putHost(fields, flags, host + 3);
    return { event: "client", fields, queueId, shape: `<= <> H=<> ${auth === undefined ? "" : "A=<>"}` };
  }
  put(fields, "user", user);
  return { event: "pickup", fields, queueId, shape: "<= <> U=<>" };
}

/** ` R=router T=transport H=host [ip]:25 C="250 ok" QT=1s` and for trouble `defer (-44)` and `: reason`. */
function readDelivery(status: string, text: string, queueId: string | undefined): Reading {
  const plain = unquoted(text);
  const head = /^(.{0,1000}?)(?= (?:[A-Z][A-Za-z]{0,3}=|defer \()| ?: (?!<)|: |$)/s.exec(plain);
  const address = text.slice(0, head?.[1]?.length ?? 0).trim();
  const fields: Bag = { status };
  const original = / <([^<>]{0,320})>$/.exec(address)?.[1];
  const final =
    original === undefined
      ? address
      : address.slice(0, address.length - original.length - 3).replace(/ \(.*\)$/, "");
  const to = bare(final);
  fields["to"] = original === undefined || to.includes("@") ? to : original;
  if (original !== undefined && original !== fields["to"]) fields["orig_to"] = original;
  const flags = plain.slice(address.length);
  const from = flag(flags, "F") ?? flag(flags, "P");
  if (from?.startsWith("<") === true) fields["from"] = bare(from);
  const size = Number(flag(flags, "S") ?? Number.NaN);
  if (Number.isFinite(size)) fields["size"] = size;
  put(fields, "delay", seconds(flag(flags, "QT")));
  put(fields, "delay_d", seconds(flag(flags, "DT")));
  const transport = flag(flags, "T");
  const host = flags.indexOf(" H=");
  const peer: Bag = {};
  const after = host < 0 ? -1 : putHost(peer, flags, host + 3);
  if (after > 0) {
    fields["relay"] = flags.slice(host + 3, after);
    put(fields, "relay_host", peer["client_name"] ?? peer["client_address"]);
    put(fields, "relay_address", peer["client_address"]);
  } else put(fields, "relay", transport?.replace(/:$/, ""));
  if (status === "sent" || status === "suppressed") return readSent(text, fields, transport, queueId);
  const colon = flags.indexOf(": ", after > 0 ? after - 1 : 0);
  const reason = colon < 0 ? flags.trim() : text.slice(address.length + colon + 2).trim();
  fields["reason"] = reason;
  putReply(fields, reason);
  return {
    event: "delivery",
    fields,
    queueId,
    cause: deliveryCause(reason),
    shape: `${status} <>: ${remoteShape(reason)}`,
  };
}

function readSent(
  text: string,
  fields: Bag,
  transport: string | undefined,
  queueId: string | undefined,
): Reading {
  const reply = / C="((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  if (reply !== undefined) {
    fields["reason"] = reply;
    putReply(fields, reply);
  }
  return { event: "delivery", fields, queueId, shape: `${fields["status"]} <> T=${transport ?? ""}` };
}
