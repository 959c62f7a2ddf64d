import type { MailEvent } from "../mail/event.ts";
import { PlanMemo } from "../mail/plan-memo.ts";

/** Stages of a delivery whose length tells of slowness; the time in the queue (Postfix's b) tells of a backlog. */
export const STAGES = [
  { field: "delay_a", doing: "to be received", local: true },
  { field: "delay_c", doing: "to connect", local: false },
  { field: "delay_d", doing: "to be handed over", local: false },
] as const;

/** What has waited longer was deferred, or held: no first attempt. */
const MAX_RECEPTION = 60;
/** Messages remembered in each of two generations, so that each counts once a program: its many recipients would be slow together. */
const MAX_REMEMBERED = 8192;

/** A message's first delivery by a program, on its first attempt. */
export type TimedDelivery = {
  /** The daemon, e.g. "postfix/smtp". */
  readonly program: string;
  /** Domain of the recipient, "" where there is none. */
  readonly destination: string;
  /** Seconds, in the order of STAGES. */
  readonly seconds: readonly number[];
};

/** Finds the deliveries that tell how long deliveries take. */
export class DeliveryTimer {
  readonly #plans = new PlanMemo(
    (event) => event.event === "delivery" && STAGES.every(({ field }) => event.fields[field] !== undefined),
  );
  #seen = new Set<string>();
  #before = new Set<string>();

  read(event: MailEvent): TimedDelivery | undefined {
    if (!this.#plans.of(event)) return undefined;
    const { fields, daemon, queueId } = event;
    const seconds = STAGES.map(({ field }) => Number(fields[field]));
    if (!seconds.every((s) => s >= 0) || seconds[0]! >= MAX_RECEPTION) return undefined;
    const key = `${daemon} ${event.host} ${queueId}`;
    if (queueId === undefined || this.#seen.has(key) || this.#before.has(key)) return undefined;
    this.#seen.add(key);
    if (this.#seen.size >= MAX_REMEMBERED) {
      this.#before = this.#seen;
      this.#seen = new Set();
    }
    const to = String(fields["to"] ?? "");
    return { program: daemon, destination: to.slice(to.lastIndexOf("@") + 1).toLowerCase(), seconds };
  }
}
