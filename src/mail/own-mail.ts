import type { MailEvent } from "./event.ts";
import { LineIds } from "./line-ids.ts";
import { PlanMemo } from "./plan-memo.ts";

/** Queue ids of own messages remembered; a message's lines are over long before so many others came. */
const MAX_IDS = 256;

/**
 * Finds the lines of mails that Logvane itself sent through the server that it watches: they are no behaviour of the server's
 * users, and an alert must not become a reason for the next one. A message is ours when its Message-ID is; the
 * lines of its queue id that follow are left out (those before, of pickup or smtpd, are one or two), and so is Dovecot's that
 * it was saved.
 */
export class OwnMail {
  readonly #isOurs: (messageId: string) => boolean;
  readonly #ids = new LineIds();
  readonly #naming = new PlanMemo<boolean>(({ event }) => event === "message_id" || event === "mail_saved");
  #queueIds = new Set<string>();

  /** isOurs: whether a Message-ID, without brackets, is one that we made. Must not be something that others can forge. */
  constructor(isOurs: (messageId: string) => boolean) {
    this.#isOurs = isOurs;
  }

  /** Whether the line is of one of our mails. Lines are handed in in order. */
  owns(event: MailEvent): boolean {
    if (this.#naming.of(event) && this.#isOurs(String(event.fields["message_id"] ?? ""))) {
      const id = event.queueId;
      if (id === undefined) return event.event === "mail_saved";
      this.#queueIds.add(`${event.host} ${id}`);
      if (this.#queueIds.size > MAX_IDS)
        for (const oldest of this.#queueIds) {
          this.#queueIds.delete(oldest);
          break;
        }
      return true;
    }
    if (this.#queueIds.size === 0) return false;
    const id = this.#ids.queueId(event);
    if (id === undefined) return false;
    const key = `${event.host} ${id}`;
    const ours = this.#queueIds.has(key);
    if (ours && event.event === "removed") this.#queueIds.delete(key); // Postfix may give the id out again
    return ours;
  }

  /** Plain data; see restore. */
  save(): readonly string[] {
    return [...this.#queueIds];
  }

  restore(saved: readonly string[]): void {
    this.#queueIds = new Set(saved);
  }
}
