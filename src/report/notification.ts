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
  /** What `logvane check --send-test` and init send, to see that a channel works. at: ISO 8601. */
  | { readonly type: "test"; readonly at: string };

/** What makes a notification this one: a second of the same key for the same channel is never sent. */
export function notificationKey(notification: Notification): string {
  switch (notification.type) {
    case "alert":
      return `alert ${notification.alert.id} ${notification.event}`;
    case "report":
      return `report ${notification.report.day}`;
    case "test":
      return `test ${notification.at}`;
  }
}
