import { type Digest, type DigestEntry, type Notification, notificationKey } from "../report/notification.ts";
import type { DigestSum } from "../store/outbox.ts";
import { alertSeverity } from "./route.ts";

/** Alerts that a digest names; the others are counted, and `logvane alerts` lists them. */
const LISTED = 100;
const TITLE = 300;
const SEVERITIES = ["critical", "high", "medium", "low"];

/** Makes one digest of alerts that can't be told one by one, and of the digest before. */
export const sumUp: DigestSum = (id, before, rows) => {
  let digest = before === undefined ? empty(id, rows[0]!.createdAt) : digestOf(before);
  for (const { payload, createdAt } of rows) {
    const told = JSON.parse(payload) as Notification;
    if (told.type === "alert") digest = add(digest, entryOf(told), createdAt);
  }
  const notification: Notification = { type: "digest", digest };
  return { key: notificationKey(notification), payload: JSON.stringify(notification) };
};

function empty(id: number, at: number): Digest {
  const from = new Date(at).toISOString();
  return { id, from, to: from, count: 0, severities: [], listed: [] };
}

function digestOf(payload: string): Digest {
  const told = JSON.parse(payload) as Notification;
  if (told.type !== "digest") throw new RangeError(`no digest: ${told.type}`);
  return told.digest;
}

function entryOf({ alert, event }: Extract<Notification, { type: "alert" }>): DigestEntry {
  return {
    id: alert.id,
    event,
    severity: alertSeverity(alert),
    title: String(alert["title"] ?? "").slice(0, TITLE),
    opened_at: alert.opened_at,
  };
}

function add(digest: Digest, entry: DigestEntry, at: number): Digest {
  const counts = new Map(digest.severities.map((s) => [s.severity, s.count]));
  counts.set(entry.severity, (counts.get(entry.severity) ?? 0) + 1);
  return {
    ...digest,
    to: new Date(at).toISOString(),
    count: digest.count + 1,
    severities: SEVERITIES.filter((s) => counts.has(s)).map((severity) => ({
      severity,
      count: counts.get(severity)!,
    })),
    listed: digest.listed.length < LISTED ? [...digest.listed, entry] : digest.listed,
  };
}
