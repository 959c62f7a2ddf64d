import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import PostalMime, { type Email } from "postal-mime";
import type { ChannelConfig, Config, MailChannel, SmtpConfig } from "../../src/config/config.ts";
import { Deliverer, type DelivererOptions } from "../../src/deliver/deliverer.ts";
import type { Delivery, SenderContext } from "../../src/deliver/sender.ts";
import type { Alert } from "../../src/detect/alert.ts";
import { alertRecord } from "../../src/detect/alert.ts";
import { Fault } from "../../src/fault.ts";
import { type Notification, notificationKey } from "../../src/report/notification.ts";
import { databasePath, openDatabase } from "../../src/store/db.ts";
import { type Outbox, outboxOf } from "../../src/store/outbox.ts";
import type { StoredAlert } from "../../src/store/queries.ts";
import { quietReport } from "../report/daily-support.ts";
import { sampleAlert } from "../report/support.ts";

const roots: string[] = [];
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

/** A folder that is gone after the tests. */
export function folder(): string {
  const root = mkdtempSync(join(tmpdir(), "logvane-deliver-"));
  roots.push(root);
  return root;
}

export const openOutbox = (dir: string = folder()): Outbox => outboxOf(openDatabase(dir), databasePath(dir));

export const context: SenderContext = {
  server: "mx1.example",
  release: "0.1.0",
  timeZone: "Europe/Berlin",
  harmless: "",
};

export const NOW: number = Date.UTC(2026, 8, 21, 2, 31);

export function alertTold(
  change: Partial<Alert> = {},
  event: "opened" | "worse" | "closed" = "opened",
): Notification {
  const alert = JSON.parse(
    JSON.stringify(alertRecord(sampleAlert({ closedAt: null, ...change }))),
  ) as StoredAlert;
  return { type: "alert", event, alert };
}

export const reportTold: Notification = {
  type: "report",
  report: quietReport({ server: "mx1.example", day: "2026-09-20" }),
};

export const deliveryOf = (notification: Notification, at: number = NOW): Delivery => ({
  notification,
  key: notificationKey(notification),
  at,
  reached: [],
});

export function mailChannel(via: MailChannel["via"], change: Partial<MailChannel> = {}): MailChannel {
  return {
    name: "mail",
    type: "mail",
    when: "always",
    minSeverity: "low",
    report: true,
    to: ["ops@example.org"],
    from: "Logvane <logvane@mx1.example>",
    via,
    ...change,
  };
}

export const smtp = (port: number, change: Partial<SmtpConfig> = {}): SmtpConfig => ({
  by: "smtp",
  host: "127.0.0.1",
  port,
  security: "none",
  authority: undefined,
  user: undefined,
  passwordFile: undefined,
  ...change,
});

export function configOf(channels: readonly ChannelConfig[]): Config {
  return {
    path: "/etc/logvane.toml",
    server: { name: "mx1.example", domains: [] },
    log: { paths: [], journal: false, units: [], listen: [], timezone: "Europe/Berlin" },
    alerts: { perDay: 2 },
    channels,
    report: { atMinute: 360, onChange: false },
    retrain: { weekday: 0, atMinute: 180, days: 35, prior: false },
    heartbeat: { url: undefined, file: undefined, everyS: 60 },
    web: { url: undefined },
    metrics: { textfile: undefined, listen: undefined },
    keep: { alertsDays: 365, linesDays: 30, notificationsDays: 60 },
  };
}

/** A deliverer with a clock that the test sets, and what it said. */
export function delivererOf(
  outbox: Outbox,
  channels: readonly ChannelConfig[],
  change: Partial<DelivererOptions> = {},
): { deliverer: Deliverer; clock: { now: number }; said: string[]; faults: Fault[] } {
  const clock = { now: NOW };
  const said: string[] = [];
  const faults: Fault[] = [];
  const deliverer = new Deliverer({
    outbox,
    config: configOf(channels),
    release: "0.1.0",
    now: () => clock.now,
    log: (entry) => {
      if (entry instanceof Fault) faults.push(entry);
      said.push(entry instanceof Fault ? entry.format() : entry);
    },
    signal: new AbortController().signal,
    chance: () => 0.5,
    ...change,
  });
  return { deliverer, clock, said, faults };
}

/** Lets alerts a1, a2, ... wait on a channel. */
export function wait(outbox: Outbox, ids: readonly string[], channel = "mail", now: number = NOW): void {
  for (const id of ids) {
    const told = alertTold({ id });
    outbox.enqueue(notificationKey(told), JSON.stringify(told), [channel], now);
  }
}

export const parseMail = (raw: Buffer): Promise<Email> => PostalMime.parse(raw);
