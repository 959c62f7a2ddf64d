import { existsSync } from "node:fs";
import type { JournalChannel } from "../config/config.ts";
import { terminalSafe } from "../report/escape.ts";
import { endedText, runProgram } from "./program.ts";
import { said } from "./record.ts";
import { alertSeverity } from "./route.ts";
import { type Delivery, type Sender, type SenderContext, sent } from "./sender.ts";

/** journald listens here. Its library writes nothing and tells of no error where it does not. */
const SOCKET = "/run/systemd/journal/socket";
const TIMEOUT_MS = 20_000;
/** Characters of a field. journald keeps more, its readers show less. */
const FIELD = 4000;

/** Priorities of syslog. What is over, and what is no alert, is a notice. */
const PRIORITIES: Readonly<Record<string, number>> = { critical: 2, high: 3, medium: 4, low: 5 };
const NOTICE = 5;

/**
 * Writes an entry to the systemd journal by logger(1), which takes fields one a line: `journalctl -t logvane
 * LOGVANE_ID=...` finds them. systemd-cat takes a text alone.
 */
export function journalSender(
  channel: JournalChannel,
  context: SenderContext,
  program: string = "logger",
  socket: string = SOCKET,
): Sender {
  return {
    async send(delivery, signal) {
      if (!existsSync(socket)) return { result: "retry", error: `journald does not run: no ${socket}` };
      const fields = Object.entries(journalFields(delivery, context));
      const input = fields
        .map(([name, value]) => `${name}=${terminalSafe(value).slice(0, FIELD)}\n`)
        .join("");
      const command: [string, ...string[]] = [program, "--journald"];
      const ended = await runProgram(
        command,
        input,
        TIMEOUT_MS,
        signal,
        `channel "${channel.name}", journal`,
      );
      return ended.status === 0 ? sent : { result: "retry", error: endedText(program, ended) };
    },
    close() {},
  };
}

function journalFields(delivery: Delivery, context: SenderContext): Record<string, string> {
  const { notification, key } = delivery;
  const { title } = said(delivery, context);
  const fields = {
    MESSAGE: title,
    PRIORITY: String(NOTICE),
    SYSLOG_IDENTIFIER: "logvane",
    LOGVANE_TYPE: notification.type,
    LOGVANE_KEY: key,
    LOGVANE_SERVER: context.server,
  };
  if (notification.type !== "alert") return fields;
  const { alert, event } = notification;
  const severity = alertSeverity(alert);
  return {
    ...fields,
    MESSAGE: `${title}: ${String(alert["summary"] ?? "")}`,
    PRIORITY: String(event === "closed" ? NOTICE : (PRIORITIES[severity] ?? NOTICE)),
    LOGVANE_ID: alert.id,
    LOGVANE_EVENT: event,
    LOGVANE_SEVERITY: severity,
    LOGVANE_KIND: String(alert["kind"] ?? ""),
  };
}
