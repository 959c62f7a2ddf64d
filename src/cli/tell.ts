import type { Config } from "../config/config.ts";
import { Deliverer } from "../deliver/deliverer.ts";
import { Links } from "../deliver/links.ts";
import { HARMLESS } from "../deliver/saying.ts";
import { Fault } from "../fault.ts";
import { type Notification, notificationKey } from "../report/notification.ts";
import { linkKey } from "../store/link-key.ts";
import type { Store } from "../store/queries.ts";
import { faultText, writeError } from "./out.ts";
import { release } from "./release.ts";

/** How long a command delivers before it leaves the rest to the daemon, or to the next command. */
const PATIENCE_MS = 60_000;

/**
 * Puts a notification into the outbox and delivers what is due there, unless the daemon does. Returns how many notifications
 * wait on these channels then.
 */
export async function tellNow(
  store: Store,
  config: Config,
  dir: string,
  notification: Notification,
  channels: readonly string[],
): Promise<number> {
  const key = notificationKey(notification);
  store.outbox.transaction(() => {
    const now = Date.now();
    store.outbox.enqueue(key, JSON.stringify(notification), channels, now);
    for (const channel of channels) store.outbox.hurry(channel, now); // or it would wait behind those that wait
  });
  await deliverDue(store, config, dir);
  return store.outbox
    .counts()
    .filter(({ channel }) => channels.includes(channel))
    .reduce((sum, { waiting }) => sum + waiting, 0);
}

/** Delivers what is due now. dir: the state folder. */
export async function deliverDue(store: Store, config: Config, dir: string): Promise<void> {
  const { url } = config.web;
  const deliverer = new Deliverer({
    outbox: store.outbox,
    config,
    release: release(),
    harmless: HARMLESS,
    links: url === undefined ? undefined : new Links(url, linkKey(dir)),
    now: Date.now,
    log: (entry) => writeError(entry instanceof Fault ? faultText(entry) : `${entry}\n`),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  try {
    await deliverer.drain();
  } finally {
    await deliverer.close();
  }
}
