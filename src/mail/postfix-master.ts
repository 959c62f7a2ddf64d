import type { EventName } from "./names.ts";
import { type Bag, cap, numberAt, put, type Reading, reading, type Sample, word } from "./scan.ts";

/** Lines of our own making, with their daemon. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
  {
    daemon: "master",
    line: "daemon started -- version 3.7.11, configuration /etc/postfix",
    event: "process_start",
    fields: { version: "3.7.11", configuration: "/etc/postfix" },
  },
  {
    daemon: "master",
    line: "reload -- version 3.7.11, configuration /etc/postfix",
    event: "reload",
    fields: { version: "3.7.11" },
  },
  { daemon: "master", line: "reload configuration /etc/postfix", event: "reload" },
  { daemon: "master", line: "terminating on signal 15", event: "process_stop", fields: { signal: 15 } },
  {
    daemon: "master",
    line: "warning: process /usr/lib/postfix/sbin/smtpd pid 2635 exit status 1",
    event: "process_exit",
    cause: "crash",
    fields: { process: "/usr/lib/postfix/sbin/smtpd", process_pid: 2635, exit_status: 1 },
  },
  {
    daemon: "master",
    line: "warning: process /usr/lib/postfix/sbin/smtpd pid 2635 killed by signal 11",
    event: "process_exit",
    cause: "crash",
    fields: { signal: 11 },
  },
  {
    daemon: "master",
    line: "warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling",
    event: "throttling",
    cause: "crash",
    fields: { process: "/usr/lib/postfix/sbin/smtpd" },
  },
  {
    daemon: "master",
    line: 'warning: service "smtp" (25) has reached its process limit "100": new clients may experience noticeable delays',
    event: "limit_reached",
    cause: "limit",
    fields: { limited_service: "smtp", value: 100 },
  },
  {
    daemon: "master",
    line: "warning: to avoid this condition, increase the process count in master.cf or reduce the service time per client",
    event: "limit_reached",
    cause: "limit",
  },
  {
    daemon: "master",
    line: "warning: see http://www.postfix.org/STRESS_README.html for examples of stress-adapting configuration settings",
    event: "limit_reached",
    cause: "limit",
  },
  {
    daemon: "master",
    line: "fatal: bind 0.0.0.0 port 25: Address already in use",
    event: "config_warning",
    cause: "config",
  },
  {
    daemon: "master",
    line: "warning: master_wakeup_timer_event: service pickup(public/pickup): Connection refused",
    event: "connect_failure",
    cause: "crash",
  },
  { daemon: "postfix-script", line: "starting the Postfix mail system", event: "process_start" },
  { daemon: "postfix-script", line: "stopping the Postfix mail system", event: "process_stop" },
  {
    daemon: "postfix-script",
    line: "waiting for the Postfix mail system to terminate",
    event: "process_stop",
  },
  { daemon: "postfix-script", line: "refreshing the Postfix mail system", event: "reload" },
  {
    daemon: "postfix-script",
    line: "the Postfix mail system is running: PID: 99",
    event: "info",
    fields: { process_pid: 99 },
  },
  {
    daemon: "postfix-script",
    line: "fatal: the Postfix mail system is not running",
    event: "fatal",
    cause: "other",
  },
  { daemon: "postfix-script", line: "flushing queued mail", event: "queue_action" },
  {
    daemon: "postfix-script",
    line: "warning: /var/spool/postfix/etc/resolv.conf and /etc/resolv.conf differ",
    event: "config_warning",
    cause: "config",
  },
  {
    daemon: "postfix-script",
    line: "warning: group or other writable: /etc/postfix/./main.cf",
    event: "config_warning",
    cause: "config",
  },
  {
    daemon: "postfix-script",
    line: "warning: not owned by postfix: /var/lib/postfix/./master.lock",
    event: "permission_failure",
    cause: "permission",
  },
  {
    daemon: "postfix",
    line: "Postfix is running with backwards-compatible default settings",
    event: "config_warning",
  },
  {
    daemon: "postfix",
    line: "See http://www.postfix.org/COMPATIBILITY_README.html for details",
    event: "config_warning",
  },
  {
    daemon: "postmulti",
    line: "fatal: No matching instances",
    event: "fatal",
    cause: "other",
  },
  {
    daemon: "postmap",
    line: 'warning: /etc/postfix/virtual, line 9: duplicate entry: "x@our.example"',
    event: "config_warning",
    cause: "config",
  },
  {
    daemon: "postalias",
    line: "fatal: open /etc/aliases: No such file or directory",
    event: "config_warning",
    cause: "config",
  },
  {
    daemon: "sendmail",
    line: "fatal: www-data(33): No recipient addresses found in message header",
    event: "fatal",
    cause: "other",
  },
  {
    daemon: "postdrop",
    line: "warning: mail_queue_enter: create file maildrop/123.4: Permission denied",
    event: "permission_failure",
    cause: "permission",
  },
  {
    daemon: "postdrop",
    line: "warning: unable to look up public/pickup: No such file or directory",
    event: "connect_failure",
    cause: "crash",
  },
  {
    daemon: "postqueue",
    line: "fatal: Queue report unavailable - mail system is down",
    event: "fatal",
    cause: "other",
  },
  {
    daemon: "spawn",
    line: "warning: command /usr/bin/policyd-spf exit status 1",
    event: "process_exit",
    cause: "crash",
    fields: { process: "/usr/bin/policyd-spf", exit_status: 1 },
  },
  {
    daemon: "postlogd",
    line: "daemon started -- version 3.11.0, configuration /etc/postfix",
    event: "process_start",
  },
];

/** What master, the scripts and commands say, by what it begins with or holds. The first match wins. */
const LIFE: readonly (readonly [string, EventName])[] = [
  ["daemon started", "process_start"],
  ["starting the Postfix", "process_start"],
  ["terminating on signal", "process_stop"],
  ["stopping the Postfix", "process_stop"],
  ["waiting for the Postfix", "process_stop"],
  ["aborting the Postfix", "process_stop"],
  ["the Postfix mail system is not running", "process_stop"],
  ["reload", "reload"],
  ["refreshing the Postfix", "reload"],
  ["rotating Postfix log", "reload"],
  ["is running: PID", "info"],
  ["flushing queued mail", "queue_action"],
  ["Postfix is running with backwards-compatible", "config_warning"],
  ["Postfix is using backwards-compatible", "config_warning"],
  ["using backwards-compatible", "config_warning"],
  ["See http", "config_warning"],
  ["To disable backwards", "config_warning"],
  ["set-permissions: ", "info"],
  ["Creating ", "info"],
  ["Removing ", "info"],
  ["Editing ", "info"],
  ["Warning: ", "config_warning"],
  ["Note: ", "info"],
];

/** master, scripts and commands: what starts and stops. */
export function readMaster(prefix: string, body: string, queueId: string | undefined): Reading | undefined {
  for (const [phrase, event] of LIFE) {
    const at = body.indexOf(phrase);
    if (at < 0 || at > 40) continue;
    const fields: Bag = {};
    put(fields, "version", word(body, "version "));
    put(fields, "configuration", word(body, "configuration "));
    const signal = body.indexOf("on signal ");
    if (signal > 0) put(fields, "signal", numberAt(body, signal + 10));
    const pid = body.indexOf("PID: ");
    if (pid > 0) put(fields, "process_pid", numberAt(body, pid + 5));
    return reading(event, fields, prefix + body, undefined, queueId);
  }
  return undefined;
}

/**
 * Fields of a warning of master or spawn: `process P pid N exit status S|killed by signal S`, `P: bad command startup`, `service "S" (E) has
 * reached its process limit "N"`, `command C exit status S`.
 */
export function putProcess(fields: Bag, text: string): void {
  if (text.startsWith("process ")) put(fields, "process", word(text, "process "));
  else if (text.startsWith("command ")) put(fields, "process", word(text, "command "));
  const pid = text.indexOf(" pid ");
  if (pid > 0) put(fields, "process_pid", numberAt(text, pid + 5));
  const status = text.indexOf("exit status ");
  if (status > 0) put(fields, "exit_status", numberAt(text, status + 12));
  const signal = text.indexOf("killed by signal ");
  if (signal > 0) put(fields, "signal", numberAt(text, signal + 17));
  const startup = text.indexOf(": bad command startup");
  if (startup > 0) fields["process"] = cap(text.slice(0, startup));
  if (text.startsWith('service "')) {
    const end = text.indexOf('"', 9);
    if (end > 0) fields["limited_service"] = cap(text.slice(9, end));
    const limit = text.indexOf('limit "');
    if (limit > 0) put(fields, "value", numberAt(text, limit + 7));
  }
}
