import { createHash } from "node:crypto";
import type { WebhookChannel } from "../config/config.ts";
import { cut, htmlSafe, terminalSafe } from "../report/escape.ts";
import type { Notification } from "../report/notification.ts";
import { deliveryRecord, said } from "./record.ts";
import { alertSeverity } from "./route.ts";
import type { Delivery, SenderContext } from "./sender.ts";
import { type Words, wordsOf } from "./words.ts";

export type HookRequest = {
  readonly method: "POST" | "PUT";
  readonly url: URL;
  /** Is sent as JSON. */
  readonly body: unknown;
};

/** Documented limits of the receivers, in characters; ntfy's 4096 bytes and Matrix's 65,536 leave room for others' letters. */
const SLACK_HEADER = 150;
const SLACK_SECTION = 2900;
const NTFY_TITLE = 200;
const NTFY_BYTES = 3500;
const MATRIX_TEXT = 12_000;
const ANNOTATION = 4000;
/** An alert at Alertmanager ends by itself after this, should its end never come through. */
const ALERTMANAGER_MS = 7 * 86_400_000;
const TEST_MS = 60_000;

const NTFY_PRIORITY: Readonly<Record<string, number>> = { critical: 5, high: 4, medium: 3, low: 2 };

/** The request that tells a channel of a notification. */
export function hookRequest(
  { url, format }: WebhookChannel,
  delivery: Delivery,
  context: SenderContext,
): HookRequest {
  const to = new URL(url);
  switch (format) {
    case "json":
      return { method: "POST", url: to, body: deliveryRecord(delivery, context) };
    case "slack":
      return { method: "POST", url: to, body: slack(delivery, context) };
    case "ntfy":
      return ntfy(to, delivery, context);
    case "matrix":
      return { method: "PUT", url: matrixUrl(to, delivery.key), body: matrix(delivery, context) };
    case "alertmanager":
      return { method: "POST", url: alertmanagerUrl(to), body: alertmanager(delivery, context) };
  }
}

/** Words of anything but a report, which has its own text. */
function words({ notification }: Delivery, context: SenderContext): Words | undefined {
  return notification.type === "report" ? undefined : wordsOf(notification, context);
}

/** Incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, blocks of Block Kit. */
function slack(delivery: Delivery, context: SenderContext): unknown {
  const { title, text } = said(delivery, context);
  const w = words(delivery, context);
  const plain = (t: string, width: number): unknown => ({
    type: "plain_text",
    text: cut(t, width),
    emoji: false,
  });
  const section = (t: string): unknown => ({ type: "section", text: { type: "mrkdwn", text: t } });
  const blocks: unknown[] = [{ type: "header", text: plain(title, SLACK_HEADER) }];
  if (w === undefined) blocks.push(section(slackCode(text)));
  else {
    if (w.lead !== "") blocks.push({ type: "section", text: plain(terminalSafe(w.lead), SLACK_SECTION) });
    const rows = w.rows.map(({ label, text: t }) => `${label === "" ? "" : `*${label}* `}${slackText(t)}`);
    blocks.push(section(cut(rows.join("\n"), SLACK_SECTION)));
    if (w.lines.length > 0)
      blocks.push(section(slackCode(w.lines.map((l) => `${l.place}\n${l.text}`).join("\n"))));
    for (const { text: hint, command } of w.hints)
      blocks.push(section(`${slackText(hint)}${command === undefined ? "" : ` \`${command}\``}`));
    blocks.push({ type: "context", elements: [plain(terminalSafe(w.footer), SLACK_HEADER)] });
  }
  return { text: slackText(title), blocks };
}

/** Text that opens no link, mention or mark-up: & < > as Slack asks, and a word joiner in front of what would format. */
const slackText = (text: string): string =>
  terminalSafe(text)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/[*_~`]/g, (c) => `\u2060${c}`);

/** A block of code, within the length of a section even when it is escaped; lines are kept. */
function slackCode(text: string): string {
  const lines = text.split("\n").map((line) => terminalSafe(line).replace(/`/g, "'"));
  const safe = lines.join("\n").replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return `\`\`\`${cut(safe, SLACK_SECTION).replace(/&[a-z]*…$/, "…")}\`\`\``;
}

/** Publishing as JSON: https://docs.ntfy.sh/publish/#publish-as-json; the last part of the address is the topic. */
function ntfy(url: URL, delivery: Delivery, context: SenderContext): HookRequest {
  const { notification } = delivery;
  const { title, text } = said(delivery, context);
  const path = url.pathname.replace(/\/+$/, "");
  const topic = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
  const root = new URL(url);
  root.pathname = path.slice(0, path.lastIndexOf("/") + 1) || "/";
  const body = {
    topic,
    title: cut(title, NTFY_TITLE),
    message: cutBytes(text.replace(/\n-- \n[\s\S]*$/, "\n"), NTFY_BYTES),
    ...ntfyRank(notification),
  };
  return { method: "POST", url: root, body };
}

function ntfyRank(notification: Notification): { priority: number; tags: string[] } {
  if (notification.type !== "alert")
    return { priority: notification.type === "report" ? 2 : 3, tags: ["mailbox", notification.type] };
  const severity = alertSeverity(notification.alert);
  if (notification.event === "closed") return { priority: 2, tags: ["white_check_mark", "over"] };
  const sign = severity === "critical" || severity === "high" ? "rotating_light" : "warning";
  return { priority: NTFY_PRIORITY[severity] ?? 3, tags: [sign, severity] };
}

/** At most so many bytes of UTF-8, cut between characters. */
function cutBytes(text: string, bytes: number): string {
  const all = Buffer.from(text);
  if (all.length <= bytes) return text;
  return `${all
    .subarray(0, bytes)
    .toString("utf8")
    .replace(/\ufffd+$/, "")}…`;
}

/**
 * PUT /_matrix/client/v3/rooms/{roomId}/send/m.room.message/{txnId}. The transaction id comes from the key, so that the
 * homeserver itself leaves a second copy out. The address is that up to the event type, or the homeserver's with the room's id.
 */
function matrixUrl(url: URL, key: string): URL {
  const path = url.pathname.replace(/\/+$/, "");
  const prefix = path.includes("/_matrix/")
    ? path
    : `/_matrix/client/v3/rooms/${encodeURIComponent(decodeURIComponent(path.slice(1)))}/send/m.room.message`;
  const to = new URL(url);
  to.pathname = `${prefix}/${createHash("sha256").update(key).digest("hex").slice(0, 32)}`;
  return to;
}

function matrix(delivery: Delivery, context: SenderContext): unknown {
  const { title, text } = said(delivery, context);
  const { notification } = delivery;
  const loud = notification.type === "alert" && notification.event !== "closed";
  const body = cut(`${title}\n\n${text}`, MATRIX_TEXT);
  const lines = cut(text, MATRIX_TEXT).split("\n").map(htmlSafe).join("\n");
  return {
    msgtype: loud ? "m.text" : "m.notice", // a notice disturbs nobody
    body,
    format: "org.matrix.custom.html",
    formatted_body: `<strong>${htmlSafe(title)}</strong><pre><code>${lines}</code></pre>`,
  };
}

function alertmanagerUrl(url: URL): URL {
  const to = new URL(url);
  const path = url.pathname.replace(/\/+$/, "");
  to.pathname = path.endsWith("/api/v2/alerts") ? path : `${path}/api/v2/alerts`;
  return to;
}

/**
 * POST /api/v2/alerts. Labels make an alert's identity and route it: they hold what the kind is, never a name or address of
 * somebody; those stand in annotations. An alert that becomes more severe ends under its old labels and starts under new ones.
 */
function alertmanager(delivery: Delivery, context: SenderContext): unknown {
  const { notification, at } = delivery;
  const { title, text } = said(delivery, context);
  const annotations = { summary: title, description: cut(text, ANNOTATION) };
  const iso = (ms: number): string => new Date(ms).toISOString();
  const one = (labels: object, startsAt: string, endsAt: string): unknown => ({
    labels: { service: "logvane", instance: context.server, ...labels },
    annotations,
    startsAt,
    endsAt,
  });
  if (notification.type !== "alert")
    return [
      one(
        { alertname: `Logvane ${notification.type}`, severity: "low", key: delivery.key },
        iso(at),
        iso(at + TEST_MS),
      ),
    ];
  const { alert, event } = notification;
  const text_ = (field: string): string => String(alert[field] ?? "");
  const labels = (severity: string): object => ({
    alertname: `Logvane ${text_("kind")}`,
    severity,
    kind: text_("kind"),
    class: text_("class"),
    view: text_("view"),
    logvane_id: alert.id,
  });
  const start = text_("opened_at");
  const [first, now] = [text_("severity"), alertSeverity(alert)];
  const over = alert["closed_at"] === null ? iso(at) : text_("closed_at");
  const end = event === "closed" ? over : iso(at + ALERTMANAGER_MS);
  const before = first === now ? [] : [one(labels(first), start, event === "closed" ? over : iso(at))];
  return [...before, one(labels(now), start, end)];
}
