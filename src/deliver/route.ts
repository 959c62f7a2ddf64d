import type { ChannelConfig } from "../config/config.ts";
import type { AlertSeverity, Kind } from "../detect/alert.ts";
import { type Notification, notificationKey } from "../report/notification.ts";
import type { Outbox } from "../store/outbox.ts";

/**
 * Kinds in which a mail can be taken and yet not arrive: it is queued on the very machine that is ill, or the way from
 * there to its reader is what fails. That a mail can't even be handed over is seen at once, whatever the kind.
 */
const NO_MAIL: ReadonlySet<Kind> = new Set<Kind>([
  "disk_full", // nothing can be queued, nothing be stored in a mailbox
  "service_stopped", // nobody takes mail from the queue
  "delivery_stopped",
  "queue_growth", // the mail stands in that queue
  "crash_loop", // of a process that delivers
  "dns_failure", // no next hop is found
  "lookup_failure", // every recipient gets a 451
  "permission_error", // queue or mailboxes can't be used
  "config_error", // Postfix may not start again
  "milter_failure", // mail is tempfailed or held
  "policy_failure", // a content filter that is down holds all mail
  "auth_backend_failure", // Dovecot is down: no delivery over LMTP, and nobody can read
  "tls_failure", // relays that require TLS are not reached; clients can't read
  "remote_blocked", // the reader's provider may be among those that refuse us
  "remote_unreachable",
  "routing_error", // mail goes the wrong way
  "log_silence", // what isn't logged may not run
  "blind",
]);

const RANKS: Readonly<Record<string, number>> = { low: 0, medium: 1, high: 2, critical: 3 };

/** Whether the outbox holds the notification of a key for a channel. */
export type Holds = (key: string, channel: string) => boolean;

/** The channels that an alert or the daily report goes to when it happens. Others are named by whoever sends them. */
export function channelsFor(
  notification: Notification,
  channels: readonly ChannelConfig[],
  holds: Holds,
): string[] {
  return channels.filter((channel) => goesTo(notification, channel, channels, holds)).map((c) => c.name);
}

/**
 * Lets an alert or the daily report wait on the channels that it goes to, inside the caller's transaction. now: the system's
 * time, milliseconds since the Unix epoch. The channels' names are given back; those that had it already among them.
 */
export function post(
  notification: Notification,
  channels: readonly ChannelConfig[],
  outbox: Pick<Outbox, "enqueue" | "holds">,
  now: number,
): string[] {
  const names = channelsFor(notification, channels, outbox.holds);
  outbox.enqueue(notificationKey(notification), JSON.stringify(notification), names, now);
  return names;
}

function goesTo(
  notification: Notification,
  channel: ChannelConfig,
  channels: readonly ChannelConfig[],
  holds: Holds,
): boolean {
  if (notification.type === "report") return channel.report && !isAlertmanager(channel);
  if (notification.type !== "alert" || notification.alert["held"] === true) return false;
  const { alert, event } = notification;
  if (rank(alertSeverity(alert)) < RANKS[channel.minSeverity]!) return false;
  if (channel.type === "mail" && event === "closed" && !closedByMail(alert)) return false;
  if (channel.when === "always" || !channels.some((c) => c.type === "mail")) return true;
  const opened = notificationKey({ ...notification, event: "opened" });
  return NO_MAIL.has(alert["kind"] as Kind) || holds(opened, channel.name);
}

/** Channels that stand in for mail which an alert could not be handed to in time. */
export function standIns(notification: Notification, channels: readonly ChannelConfig[]): string[] {
  if (notification.type !== "alert") return [];
  const severity = rank(alertSeverity(notification.alert));
  return channels
    .filter((c) => c.when === "fallback" && severity >= RANKS[c.minSeverity]!)
    .map((c) => c.name);
}

/** That a reader's inbox is not to fill, only the end of what had him called out is mailed. */
function closedByMail(alert: Readonly<Record<string, unknown>>): boolean {
  return alert["class"] === "always" && alertSeverity(alert) === "critical";
}

const isAlertmanager = (channel: ChannelConfig): boolean =>
  channel.type === "webhook" && channel.format === "alertmanager";

const rank = (severity: string): number => RANKS[severity] ?? 0;

/** The severity that an alert has now: the highest of its opening and of its updates. */
export function alertSeverity(alert: Readonly<Record<string, unknown>>): AlertSeverity {
  const updates = Array.isArray(alert["updates"]) ? (alert["updates"] as { severity?: unknown }[]) : [];
  const all = [alert["severity"], ...updates.map((u) => u.severity)].map(String);
  return all.reduce((a, b) => (rank(b) > rank(a) ? b : a)) as AlertSeverity;
}
