import { type Ask, askOf, cutText, type Refusal, readCleanup, readRefusal, TEXT_WIDTH } from "./legacy.ts";
import type { Message } from "./message.ts";
import { MAX_TEXTS, OURS, Tree } from "./table.ts";
import { REJECTED_COLUMN, type Tally } from "./tally.ts";

const REFUSAL = / *(?:\w+: )?(reject|reject_warning|hold|discard): (.*)$/sy;

/** What smtpd, postscreen and cleanup refused, held and discarded. */
export class Refusals {
  readonly trees: Readonly<Record<Ask, Tree>> = {
    rejected: new Tree("reject_detail", MAX_TEXTS),
    reject_warnings: new Tree("reject_warning_detail", MAX_TEXTS),
    held: new Tree("hold_detail", MAX_TEXTS),
    discarded: new Tree("discard_detail", MAX_TEXTS),
  };
  private readonly tally: Tally;

  constructor(tally: Tally) {
    this.tally = tally;
  }

  /** A line of smtpd or postscreen that may be a refusal. */
  byServer(message: Message): void {
    const { body, event } = message;
    REFUSAL.lastIndex = 0;
    const m = REFUSAL.exec(body);
    if (m !== null) {
      this.refused(askOf(m[1]!), readRefusal(m[2]!), message.readable && message.byServer, message);
      return;
    }
    const ask = OUR_ASKS[event.event];
    if (ask === undefined || message.writer.daemon === "postscreen") return;
    const colon = body.indexOf(": ", body.indexOf(": ") + 2);
    this.ours(
      ask,
      readRefusal(body.slice(colon + 2)),
      `smtpd's ${event.fields["action"] ?? event.event} is left out`,
    );
  }

  /** A line of cleanup that may be a refusal. */
  byCleanup(message: Message): void {
    const { event } = message;
    const found = readCleanup(message.body);
    if (found !== undefined) {
      const readable = message.readable && message.writer.theirs === "cleanup";
      this.refused(found.ask, found.refusal, readable, message);
      return;
    }
    const ask = OUR_ASKS[event.event];
    if (ask === undefined) return;
    const { fields } = event;
    const reason = String(fields["stage"] ?? "");
    const who = cutText(String(fields["reason"] ?? ""), TEXT_WIDTH);
    this.ours(
      ask,
      { stage: "cleanup", reason, who },
      `cleanup's ${fields["action"] ?? event.event} of ${reason || "other parts"} is left out`,
    );
  }

  private refused(ask: Ask, refusal: Refusal, readable: boolean, message: Message): void {
    this.trees[ask].add(readable ? 3 : 1, refusal.stage, refusal.reason, refusal.who);
    this.tally.both(ask, readable, message, REJECTED_COLUMN);
  }

  /** One that pflogsumm does not see. */
  private ours(ask: Ask, refusal: Refusal, why: string): void {
    this.trees[ask].add(1, refusal.stage, refusal.reason, refusal.who);
    this.tally.count(OURS, ask, REJECTED_COLUMN);
    this.tally.differ(ask, why);
  }
}

const OUR_ASKS: Readonly<Record<string, Ask | undefined>> = {
  reject: "rejected",
  milter_reject: "rejected",
  reject_warning: "reject_warnings",
  hold: "held",
  discard: "discarded",
};
