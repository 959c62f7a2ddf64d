import { createHash } from "node:crypto";
import addressParser from "nodemailer/lib/addressparser";
import MailComposer from "nodemailer/lib/mail-composer";
import type { MailChannel } from "../config/config.ts";
import { ownDomain, ownMessageId } from "../mail/own.ts";
import { reportCharts } from "../report/daily-charts.ts";
import { reportHtml } from "../report/daily-html.ts";
import { reportText } from "../report/daily-text.ts";
import { reportSubject } from "../report/daily-verdict.ts";
import { cut, terminalSafe } from "../report/escape.ts";
import type { Notification } from "../report/notification.ts";
import { notificationKey } from "../report/notification.ts";
import { noticeHtml } from "./notice-html.ts";
import { noticeText } from "./notice-text.ts";
import { alertSeverity } from "./route.ts";
import type { Delivery, SenderContext } from "./sender.ts";
import { wordsOf } from "./words.ts";

/** Characters of a subject. Lists show fewer, and a line of a header must stay below 998 octets even encoded. */
const SUBJECT = 160;
/** Characters of a server's name in List-Id. */
const NAME = 60;

type Parts = {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly pictures: readonly { readonly cid: string; readonly png: Uint8Array }[];
};

/**
 * The whole mail for a notification, with CRLF and only ASCII, the same bytes at every try: Message-ID, date and boundaries
 * come from what it tells. Throws Fault badData for a damaged alert.
 */
export async function composeMail(
  delivery: Delivery,
  channel: Pick<MailChannel, "from" | "to">,
  context: SenderContext,
): Promise<Buffer> {
  const { notification, key, at } = delivery;
  const { subject, text, html, pictures } = partsOf(notification, context, at);
  const opening = openingId(notification, context.server);
  const composer = new MailComposer({
    from: channel.from,
    to: [...channel.to],
    subject: headerText(subject, SUBJECT),
    messageId: ownMessageId(key, context.server),
    ...(opening === undefined ? {} : { inReplyTo: opening, references: opening }),
    date: new Date(at),
    headers: headersOf(notification, context),
    text,
    html,
    attachments: pictures.map(({ cid, png }) => ({
      cid,
      content: Buffer.from(png),
      contentType: "image/png",
      filename: `${cid.replace(/@.*/s, "").replace(/[^A-Za-z0-9_-]/g, "")}.png`,
      contentDisposition: "inline",
    })),
    encoding: "quoted-printable",
    newline: "windows",
    baseBoundary: createHash("sha256").update(`${context.server} ${key}`).digest("hex").slice(0, 24),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return await composer.compile().build();
}

function partsOf(notification: Notification, context: SenderContext, at: number): Parts {
  if (notification.type === "report") {
    const { report } = notification;
    return {
      subject: reportSubject(report),
      text: reportText(report),
      html: reportHtml(report, { charts: "cid" }),
      pictures: reportCharts(report),
    };
  }
  const judged = notification.type === "alert" && notification.event !== "closed";
  const links = judged ? context.links?.of(notification.alert, at) : undefined;
  const words = { ...wordsOf(notification, context), ...(links && { links }) };
  return { subject: words.subject, text: noticeText(words), html: noticeHtml(words), pictures: [] };
}

/** The mail that told of the incident first: what follows stands below it in a reader's list. */
function openingId(notification: Notification, server: string): string | undefined {
  if (notification.type !== "alert" || notification.event === "opened") return undefined;
  return ownMessageId(notificationKey({ ...notification, event: "opened" }), server);
}

/**
 * Beside what every mail has. Auto-Submitted (RFC 3834) and List-Id keep holiday notes from answering, the X- one does so for
 * Exchange. No "Precedence: bulk": some filters put such mail behind all other, and an alert must not be.
 */
function headersOf(notification: Notification, { server, release }: SenderContext): Record<string, string> {
  const name = headerText(server, NAME)
    .replace(/[^A-Za-z0-9 ._-]+/g, " ")
    .trim();
  const headers: Record<string, string> = {
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "All",
    "List-Id": `Logvane on ${name} <${ownDomain(server)}>`,
    "X-Mailer": `Logvane ${headerText(release, NAME)}`,
    "X-Logvane-Type": notification.type,
  };
  if (notification.type !== "alert") return headers;
  const { alert, event } = notification;
  const severity = alertSeverity(alert);
  return {
    ...headers,
    "X-Logvane-Id": headerText(alert.id, NAME),
    "X-Logvane-Event": event,
    "X-Logvane-Severity": severity,
    "X-Logvane-Kind": headerText(String(alert["kind"]), NAME),
    ...(severity === "critical" && event !== "closed" ? { Importance: "high" } : {}),
  };
}

/** Text for one header: no line end, nothing that a terminal or a reader acts on, single blanks, and no "=?" of a stranger's encoded word. */
const headerText = (text: string, width: number): string =>
  cut(
    terminalSafe(text.slice(0, 4 * width).replace(/[ \t]+/g, " "))
      .replaceAll("=?", "= ?")
      .trim(),
    width,
  );

/** The bare address of a setting such as "Logvane <logvane@mx1.example>", as it stands in an envelope. */
export function bareAddress(address: string): string {
  const [first] = addressParser(address, { flatten: true });
  return first?.address ?? address;
}
