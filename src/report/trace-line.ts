import type { MailEvent } from "../mail/event.ts";
import { queueAction } from "../mail/story-facts.ts";

/** Characters of foreign words in a timeline entry; the raw line below has them all. */
const WORDS = 160;

const PLAIN: Readonly<Record<string, string>> = {
  removed: "removed from the queue",
  expired: "too old: given up, the sender is told",
  queue_skipped: "left alone, still being delivered",
  canceled: "dropped unfinished",
  postscreen_disconnect: "hung up by postscreen",
  lmtp_connect: "LMTP connection",
  lmtp_disconnect: "LMTP connection ends",
};
const ACTION: Readonly<Record<string, string>> = {
  deleted: "deleted by the operator",
  requeued: "requeued by the operator, goes on under a new id",
  held: "put on hold by the operator",
  released: "released from hold",
  expired: "declared too old by the operator",
};
const STATUS: Readonly<Record<string, string>> = {
  sent: "delivered",
  deliverable: "probe: deliverable",
  undeliverable: "probe: undeliverable",
};

/** What a line says, in a few words. Log text in it is raw: whoever shows it escapes it. */
export function tellLine(event: MailEvent): string {
  const { fields: f } = event;
  const action = queueAction(event);
  if (action !== undefined) return ACTION[action]!;
  const plain = PLAIN[event.event];
  if (plain !== undefined) return plain;
  switch (event.event) {
    case "connect":
    case "postscreen_connect":
      return `connection from ${peer(f)}`;
    case "disconnect":
      return `client left${f["commands_all"] === undefined ? "" : ` after ${f["commands_ok"]} of ${f["commands_all"]} commands`}`;
    case "client":
      return `message from ${peer(f)}${f["sasl_username"] === undefined ? "" : `, logged in as ${f["sasl_username"]}`}`;
    case "pickup":
      return `handed in on this machine by uid ${f["uid"] ?? "?"}${f["from"] === undefined ? "" : ` as ${f["from"]}`}`;
    case "message_id":
      return `message-id <${f["message_id"] ?? ""}>`;
    case "queue_active":
      return `in the active queue: from <${f["from"] ?? ""}>, ${f["size"] ?? "?"} bytes, ${count(f["nrcpt"], "recipient")}`;
    case "delivery":
      return tellDelivery(event);
    case "bounce_notification":
      return `${f["notification"] ?? ""} notification, as ${f["new_queue_id"] ?? "?"}`;
    case "tls_established":
      return `${f["tls_version"] ?? "TLS"}${f["tls_cipher"] === undefined ? "" : ` with ${f["tls_cipher"]}`}`;
    case "mail_saved":
      return `saved to ${f["mailbox"] ?? "INBOX"}${f["user"] === undefined ? "" : ` of ${f["user"]}`}`;
    default:
      return tellOther(event);
  }
}

function tellDelivery({ fields: f }: MailEvent): string {
  const status = String(f["status"] ?? "?");
  const by = f["relay"] === undefined || f["relay"] === "none" ? "" : ` by ${f["relay"]}`;
  const original = f["orig_to"] === undefined ? "" : ` (for ${f["orig_to"]})`;
  const delay = f["delay"] === undefined ? "" : ` after ${f["delay"]} s`;
  return `${STATUS[status] ?? status} to ${f["to"] ?? "?"}${original}${by}${delay}${words(f["reason"])}`;
}

function tellOther(event: MailEvent): string {
  const { fields: f } = event;
  switch (event.event) {
    case "reject":
    case "milter_reject":
      return `refused at ${f["stage"] ?? "?"}${f["to"] === undefined ? "" : `, to ${f["to"]}`}${words(f["reason"])}`;
    case "reject_warning":
      return `would be refused at ${f["stage"] ?? "?"}${words(f["reason"])}`;
    case "dkim_signed":
      return `DKIM signature added for ${f["domain"] ?? "?"}`;
    case "dkim_result":
      return `DKIM${f["domain"] === undefined ? "" : ` of ${f["domain"]}`}: ${cutWords(f["result"])}`;
    case "dmarc_result":
      return `DMARC of ${f["domain"] ?? "?"}: ${f["result"] ?? "?"}`;
    case "spf_result":
      return `SPF${f["domain"] === undefined ? "" : ` of ${f["domain"]}`}: ${f["result"] ?? "?"}`;
    case "greylist":
      return `greylisting: ${f["action"] ?? ""}${words(f["reason"])}`;
    case "filter_result":
      return `filter: ${f["verdict"] ?? "?"}${f["score"] === undefined ? "" : `, score ${f["score"]}`}`;
    case "postscreen_pass":
    case "postscreen_list":
      return `postscreen: ${f["verdict"] ?? "passed"}`;
    case "postscreen_dnsbl":
      return `on block lists, rank ${f["rank"] ?? "?"}`;
    case "login":
      return `log-in of ${f["user"] ?? "?"} from ${f["rip"] ?? "?"}`;
    case "hostname_mismatch":
      return "name and address of the client disagree";
  }
  const name = event.event.replaceAll("_", " ");
  const said = words(f["reason"]) || words(f["text"]);
  if (said === "" && (event.event === "unknown" || event.event === "info")) return cutWords(event.text);
  return name + said;
}

const peer = (f: MailEvent["fields"]): string =>
  `${f["client_name"] ?? ""}${f["client_address"] === undefined ? "" : `[${f["client_address"]}]`}` || "?";

const count = (n: string | number | undefined, word: string): string =>
  `${n ?? "?"} ${word}${n === 1 ? "" : "s"}`;

const cutWords = (value: string | number | undefined): string => {
  const text = String(value ?? "");
  return text.length > WORDS ? `${text.slice(0, WORDS - 1)}…` : text;
};

/** `: reason`, or nothing. */
const words = (value: string | number | undefined): string =>
  value === undefined || value === "" ? "" : `: ${cutWords(value)}`;
