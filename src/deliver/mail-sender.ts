import type { MailChannel } from "../config/config.ts";
import { ownDomain } from "../mail/own.ts";
import { bareAddress, composeMail } from "./mail.ts";
import type { Outcome, Sender, SenderContext } from "./sender.ts";
import { sendBySendmail } from "./sendmail.ts";
import { type SmtpLimits, SmtpSession } from "./smtp.ts";

/** Sends mail by the system's sendmail or by SMTP; to those recipients that don't have it yet. */
export function mailSender(
  channel: MailChannel,
  context: SenderContext,
  limits: Partial<SmtpLimits> = {},
): Sender {
  const { via, name } = channel;
  const where = `channel "${name}"`;
  const session = via.by === "smtp" ? new SmtpSession(via, ehlo(context.server), where, limits) : undefined;
  const from = bareAddress(channel.from);
  return {
    async send(delivery, signal) {
      const all = [...new Set(channel.to.map(bareAddress))];
      const to = all.filter((address) => !delivery.reached.includes(address));
      if (to.length === 0) return { result: "sent" };
      const message = await composeMail(delivery, channel, context);
      const outcome =
        via.by === "sendmail"
          ? await sendBySendmail(via, from, to, message, signal, `${where}, sendmail`)
          : await session!.send(from, to, message, signal);
      return withReached(outcome, delivery.reached);
    },
    close: () => session?.close(),
  };
}

/** An outcome for the rest of the recipients, as one for all of them. */
function withReached(outcome: Outcome, reached: readonly string[]): Outcome {
  if (reached.length === 0 || outcome.result === "sent") return outcome;
  if (outcome.result === "refused")
    return { result: "sent", note: `refused for the rest of the recipients: ${outcome.error}` };
  return { ...outcome, reached: [...reached, ...(outcome.reached ?? [])] };
}

/** Our name in EHLO: the server's if it is a full one, else the system's. */
function ehlo(server: string): string | undefined {
  const name = ownDomain(server).replace(/^logvane\./, "");
  return name.includes(".") ? name : undefined;
}
