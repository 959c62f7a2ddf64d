import type { StoredAlert } from "../store/queries.ts";
import type { DailyReport } from "./daily.ts";

/**
 * Something to tell the operator, as it waits in the outbox: JSON, made when it happened and never changed. How it reads is
 * decided by each channel when it is sent.
 */
export type Notification =
  /** An incident opened, became more severe, or is over. alert: its record at that time. */
  | { readonly type: "alert"; readonly event: "opened" | "worse" | "closed"; readonly alert: StoredAlert }
  | { readonly type: "report"; readonly report: DailyReport }
  /** What stands for alerts that waited too many at a time on one channel; they are not sent there one by one. */
  | { readonly type: "digest"; readonly digest: Digest }
  /** What `logvane check --send-test` and init send, to see that a channel works. at: ISO 8601. */
  | { readonly type: "test"; readonly at: string };

/** Alerts summed up. Times ISO 8601. */
export type Digest = {
  /** Number of the digest, of one state. */
  readonly id: number;
  /** When the first and the last of them came to wait. */
  readonly from: string;
  readonly to: string;
  /** Of all of them; by severity, most severe first. */
  readonly count: number;
  readonly severities: readonly { readonly severity: string; readonly count: number }[];
  /** The first of them. */
  readonly listed: readonly DigestEntry[];
};
export type DigestEntry = {
  readonly id: string;
  readonly event: string;
  readonly severity: string;
  readonly title: string;
  readonly opened_at: string;
};

/** What makes a notification this one: a second of the same key for the same channel is never sent. */
export function notificationKey(notification: Notification): string {
  switch (notification.type) {
    case "alert":
      return `alert ${notification.alert.id} ${notification.event}`;
    case "report":
      return `report ${notification.report.day}`;
    case "digest":
      return `digest ${notification.digest.id}`;
    case "test":
      return `test ${notification.at}`;
  }
}
