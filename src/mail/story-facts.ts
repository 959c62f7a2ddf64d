import { detached } from "../log/lines.ts";
import type { MailEvent } from "./event.ts";
import { lastAttempt, MAX_ATTEMPTS, MAX_RECIPIENTS, type Recipient, type Story } from "./story.ts";

/** Ids in another server's reply: Postfix's "queued as", Exim's "OK id=". */
const QUEUED_AS =
  /\b(?:queued as |OK id=)([0-9A-Za-z]{6,16}(?:-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4})?|[0-9A-Za-z]{10,32})\b/;
/** Characters of a reply in which the id is looked for: it stands at the end of a chain of filters' words. */
const REPLY_END = 200;
/** Dovecot's LMTP reply: `250 2.0.0 <user> SESSION Saved`. A session may have a part number after a colon. */
const SAVED = /[> ]([0-9A-Za-z+/=_-]{10,40}(?::[0-9A-Za-z]{1,8}){0,3}) Saved$/;

/** A copy of its own: a part cut from a line would keep the whole line in memory. */
const words = (value: string | number | undefined): string | undefined =>
  typeof value === "string" ? detached(value) : undefined;
const number = (value: string | number | undefined): number | undefined =>
  typeof value === "number" ? value : undefined;

/** The id under which the next server or filter took the message; undefined when the line names none. */
export function queuedAs(event: MailEvent): string | undefined {
  const given = words(event.fields["queued_as"]);
  if (given !== undefined || event.event === "filter_result") return given;
  const reason = words(event.fields["reason"]);
  return reason === undefined ? undefined : QUEUED_AS.exec(reason.slice(-REPLY_END))?.[1];
}

/** The session of Dovecot's LMTP that a delivery names. */
export function savedBy(event: MailEvent): string | undefined {
  const given = words(event.fields["remote_session"]);
  if (given !== undefined) return given;
  const reason = words(event.fields["reason"]);
  return reason?.endsWith("Saved") === true ? SAVED.exec(reason.slice(-REPLY_END))?.[1] : undefined;
}

/** What postsuper did to a message. */
export type QueueAction = "deleted" | "requeued" | "held" | "released" | "expired";
const ACTIONS: readonly (readonly [string, QueueAction])[] = [
  [": removed", "deleted"],
  [": requeued", "requeued"],
  [": placed on hold", "held"],
  [": released from hold", "released"],
  [": expired", "expired"],
];

export function queueAction(event: MailEvent): QueueAction | undefined {
  if (!event.daemon.endsWith("postsuper")) return undefined;
  const id = event.queueId;
  const at = id === undefined ? -1 : event.text.indexOf(`${id}: `);
  if (at < 0) return undefined;
  const body = event.text.slice(at + id!.length);
  return ACTIONS.find(([start]) => body.startsWith(start))?.[1];
}

/** Takes what a line tells of its message. Deliveries and what they do to links are the tracker's business too. */
export function learn(story: Story, event: MailEvent): void {
  const { fields } = event;
  switch (event.event) {
    case "delivery":
      learnDelivery(story, event);
      return;
    case "reject":
    case "milter_reject":
    case "discard":
    case "canceled":
      learnRefusal(story, event);
      return;
    case "hold":
      story.held = true;
      return;
    case "queue_active":
      story.activations++;
      story.held = false;
      break;
    case "expired":
      learnExpiry(story, event);
      return;
    case "client":
    case "pickup":
    case "message_id":
      break;
    default:
      // Filters and milters speak of the message too, in words of the sender's.
      if (!event.daemon.startsWith("exim")) return;
  }
  story.messageId ??= words(fields["message_id"]);
  const from = words(fields["from"]);
  // The envelope sender of the queue manager is the rewritten one, pickup's a bare login name.
  if (from !== undefined && (story.from === undefined || event.event === "queue_active")) story.from = from;
  story.size = number(fields["size"]) ?? story.size;
  story.nrcpt = number(fields["nrcpt"]) ?? story.nrcpt;
  story.clientName ??= words(fields["client_name"]);
  story.clientAddress ??= words(fields["client_address"]);
  story.saslUsername ??= words(fields["sasl_username"]);
  story.uid ??= number(fields["uid"]);
}

/** A refusal by cleanup is of the whole message, one by smtpd of a recipient, unless it comes at the data's end. */
function learnRefusal(story: Story, event: MailEvent): void {
  const { fields } = event;
  story.from ??= words(fields["from"]);
  const stage = String(fields["stage"] ?? "");
  const late = stage === "DATA" || stage === "END-OF-MESSAGE" || stage === "BDAT";
  if (event.event === "canceled") end(story, "aborted", undefined);
  else if (event.event === "discard") end(story, "discarded", words(fields["reason"]));
  else if (event.daemon.endsWith("/cleanup") || late) end(story, "rejected", words(fields["reason"]));
  else story.refused++;
}

function end(story: Story, fate: "aborted" | "discarded" | "rejected", reason: string | undefined): void {
  story.fate ??= fate;
  story.fateReason ??= reason;
}

function learnDelivery(story: Story, event: MailEvent): void {
  const { fields } = event;
  const to = words(fields["to"]);
  const status = words(fields["status"]);
  if (to === undefined || status === undefined) return;
  const recipient = recipientOf(story, to, words(fields["orig_to"]));
  if (recipient === undefined) return;
  recipient.attempts++;
  if (recipient.history.length >= MAX_ATTEMPTS) recipient.history.splice(1, 1);
  recipient.history.push({
    time: event.time ?? story.end,
    status,
    relay: words(fields["relay"]),
    delay: number(fields["delay"]),
    dsn: words(fields["dsn"]),
    reason: words(fields["reason"]),
  });
}

/** The recipient's entry, made on first sight; undefined when there are too many. */
function recipientOf(story: Story, to: string, origTo: string | undefined): Recipient | undefined {
  const key = `${to}\n${origTo ?? ""}`;
  const known = story.recipients.get(key);
  if (known !== undefined) return known;
  if (story.recipients.size >= MAX_RECIPIENTS) {
    story.recipientsOmitted++;
    return undefined;
  }
  const made: Recipient = { to, origTo, attempts: 0, history: [], handedTo: undefined };
  if (story.recipients.size === 0) story.recipients = new Map([[key, made]]);
  else (story.recipients as Map<string, Recipient>).set(key, made);
  return made;
}

/** `status=expired, returned to sender`: whoever was deferred gets no more tries. */
function learnExpiry(story: Story, event: MailEvent): void {
  story.expired = true;
  story.from ??= words(event.fields["from"]);
  for (const recipient of story.recipients.values()) {
    const last = lastAttempt(recipient);
    if (last === undefined || isFinal(last.status)) continue;
    recipient.history.push({ ...last, time: event.time ?? story.end, status: "expired" });
  }
}

const FINAL = new Set(["sent", "bounced", "expired", "deliverable", "undeliverable"]);
/** Whether no further try follows a status. */
export const isFinal = (status: string): boolean => FINAL.has(status);

/** The recipient's status: that of its newest try. */
export const statusOf = (r: Recipient): string => lastAttempt(r)?.status ?? "unknown";
