import type { Fault } from "../fault.ts";
import type { Notification } from "../report/notification.ts";
import type { Links } from "./links.ts";

/** One notification on its way to one channel. */
export type Delivery = {
  readonly notification: Notification;
  /** See notificationKey: the same at every try, so that a receiver can tell a second copy. */
  readonly key: string;
  /** When it came to wait, milliseconds since the Unix epoch: the date that a reader sees. */
  readonly at: number;
  /** Recipients that have it already; only mail has several. */
  readonly reached: readonly string[];
};

/** What became of a try. */
export type Outcome =
  /** note: what is worth knowing all the same, such as one recipient of several that was refused for good. */
  | { readonly result: "sent"; readonly note?: string }
  /** Not now. afterMs: the receiver's wish, when to come again. reached: recipients that have it. */
  | {
      readonly result: "retry";
      readonly error: string;
      readonly afterMs?: number | undefined;
      readonly reached?: readonly string[];
      /** What an operator can mend. */
      readonly fault?: Fault;
    }
  /** Not this way: the receiver said no, or the program failed. */
  | { readonly result: "refused"; readonly error: string };

/** How a channel is served. One serves many sendings, one after the other. */
export type Sender = {
  /** Ends in time whatever the receiver does, and soon after the signal. Throws Fault for what an operator can mend. */
  send(delivery: Delivery, signal: AbortSignal): Promise<Outcome>;
  /** Leaves a connection that was kept for the next sending. */
  close(): void;
};

/** What a sender knows beside its channel. */
export type SenderContext = {
  /** The server's name, as the operator set it. */
  readonly server: string;
  /** Of Logvane. */
  readonly release: string;
  /** IANA zone in which times are shown. */
  readonly timeZone: string;
  /** Verb that judges an alert, such as "logvane feedback"; "" while there is none. */
  readonly harmless: string;
  /** Signs links for mails; undefined where the settings have no address for them. */
  readonly links?: Links | undefined;
};

export const sent: Outcome = { result: "sent" };
