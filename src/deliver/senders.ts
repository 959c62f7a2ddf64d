import type { ChannelConfig } from "../config/config.ts";
import type { Fault } from "../fault.ts";
import { type Notification, notificationKey } from "../report/notification.ts";
import { commandSender } from "./command.ts";
import { fileSender } from "./file.ts";
import { journalSender } from "./journal.ts";
import { mailSender } from "./mail-sender.ts";
import type { Outcome, Sender, SenderContext } from "./sender.ts";
import { webhookSender } from "./webhook.ts";

/** What serves a channel. */
export function senderOf(channel: ChannelConfig, context: SenderContext): Sender {
  switch (channel.type) {
    case "mail":
      return mailSender(channel, context);
    case "webhook":
      return webhookSender(channel, context);
    case "command":
      return commandSender(channel, context);
    case "journal":
      return journalSender(channel, context);
    case "file":
      return fileSender(channel, context);
  }
}

/**
 * Sends one notification at once, past the outbox: to see whether a channel works. at: milliseconds since the Unix epoch.
 * Throws Fault for what is wrong with the settings.
 */
export async function sendNow(
  notification: Notification,
  channel: ChannelConfig,
  context: SenderContext,
  at: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const sender = senderOf(channel, context);
  try {
    const key = notificationKey(notification);
    return await sender.send({ notification, key, at, reached: [] }, signal);
  } finally {
    sender.close();
  }
}

/** The outcome that a Fault of a sender stands for: later, when somebody has mended it. */
export const faultOutcome = (fault: Fault): Outcome => ({
  result: "retry",
  error: `${fault.message} (${fault.where})`,
  fault,
});
