import type { MailChannel } from "../../src/config/config.ts";
import { Deliverer } from "../../src/deliver/deliverer.ts";
import { mailSender } from "../../src/deliver/mail-sender.ts";
import { configOf, mailChannel, openOutbox, smtp } from "./support.ts";

/** Sends what waits in a state folder to a port, until nothing waits; to be killed at any moment. */
const [dir, port] = process.argv.slice(2) as [string, string];
const outbox = openOutbox(dir);
const deliverer = new Deliverer({
  outbox,
  config: configOf([mailChannel(smtp(Number(port)))]),
  release: "0.1.0",
  now: Date.now,
  log: (entry) => console.error(String(entry)),
  signal: new AbortController().signal,
  sender: (channel, context) => mailSender(channel as MailChannel, context),
});
process.stdout.write("ready\n");
await deliverer.drain();
await deliverer.close(); // waits for a turn that took longer than a drain waits
process.exit(outbox.first("mail") === undefined ? 0 : 1);
