import type { Cause, Severity } from "./event.ts";
import type { EventName } from "./names.ts";
import { type Bag, cap, put, type Reading, type Sample } from "./scan.ts";

/** Lines of our own making. */
export const samples: readonly (Sample & { readonly daemon: string })[] = [
  {
    daemon: "sshd",
    line: "Failed password for invalid user admin from 192.0.2.9 port 4022 ssh2",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "admin", client_address: "192.0.2.9" },
  },
  {
    daemon: "sshd",
    line: "Accepted publickey for ann from 192.0.2.9 port 4022 ssh2: RSA SHA256:abc",
    event: "auth_success",
    fields: { user: "ann" },
  },
  {
    daemon: "kernel",
    line: "Out of memory: Killed process 812 (rspamd) total-vm:1000kB",
    event: "kernel_oom",
    cause: "crash",
  },
  {
    daemon: "systemd",
    line: "postfix@-.service: Failed with result 'oom-kill'.",
    event: "process_exit",
    cause: "crash",
  },
  { daemon: "systemd", line: "Started Postfix Mail Transport Agent.", event: "process_start" },
  {
    daemon: "sudo",
    line: "ann : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/usr/sbin/postsuper -d ALL",
    event: "command",
  },
  {
    daemon: "fail2ban",
    line: "NOTICE [dovecot] Ban 192.0.2.9",
    event: "ban",
    fields: { client_address: "192.0.2.9" },
  },
];

const SSH_FAIL =
  /^(?:error: )?(?:PAM: )?(?:Failed (\S{1,32}) for (?:invalid user |illegal user )?(.{0,200}?) from (\S{1,64}) port|(?:Invalid|Illegal) user (.{0,200}?) from (\S{1,64})|.{0,60}authentication (?:failure|error))/;
const SSH_OK = /^Accepted (\S{1,40}) for (.{1,200}) from (\S{1,64}) port/;

/** sshd: log-ins, wrong and right. */
export function readSshd(message: string): Reading {
  const fields: Bag = {};
  const ok = SSH_OK.exec(message);
  if (ok)
    return {
      event: "auth_success",
      fields: { method: ok[1]!, user: ok[2]!, client_address: ok[3]! },
      shape: `Accepted ${ok[1]} for <> from <>`,
    };
  const failed = SSH_FAIL.exec(message);
  if (failed) {
    put(fields, "method", failed[1]);
    put(fields, "user", failed[2] ?? failed[4]);
    put(fields, "client_address", failed[3] ?? failed[5]);
    return {
      event: "auth_failure",
      fields,
      cause: "auth",
      shape: failed[1] === undefined ? "authentication failure" : `Failed ${failed[1]} for <> from <>`,
    };
  }
  return { event: "system", fields, shape: message };
}

const RULES: Readonly<Record<string, readonly (readonly [RegExp, EventName, Cause?])[]>> = {
  kernel: [
    [/out of memory|oom-kill|oom_reaper|invoked oom/i, "kernel_oom", "crash"],
    [/no space left|I\/O error|read-only|EXT4-fs error/i, "disk_failure", "disk"],
    [/segfault|general protection/i, "process_exit", "crash"],
    [/conntrack: table full|SYN flooding/i, "limit_reached", "limit"],
  ],
  systemd: [
    [
      /failed with result|main process exited|entered failed state|start request repeated/i,
      "process_exit",
      "crash",
    ],
    [/^started |^starting |finished /i, "process_start"],
    [/^stopped |^stopping |deactivated|succeeded/i, "process_stop"],
    [/^reload/i, "reload"],
  ],
  sudo: [
    [/authentication failure|incorrect password/i, "auth_failure", "auth"],
    [/COMMAND=/, "command"],
  ],
  rsyslogd: [
    [/messages lost|rate-limit/i, "limit_reached", "limit"],
    [/start/i, "process_start"],
    [/exiting|shutdown/i, "process_stop"],
  ],
  time: [
    [
      /time (?:has been )?(?:stepped|changed|reset|jump)|clock (?:was|wrong|step)|System clock/i,
      "clock_fault",
      "clock",
    ],
  ],
};

const FAMILY: Readonly<Record<string, string>> = {
  chronyd: "time",
  ntpd: "time",
  "systemd-timesyncd": "time",
  "systemd-journald": "rsyslogd",
  imuxsock: "rsyslogd",
};

/** Other programs of the machine that matter to mail; undefined when the program is none of them. */
export function readSystem(program: string, message: string): Reading | undefined {
  if (program === "sshd" || program === "sshd-session") return readSshd(message);
  if (program.startsWith("fail2ban")) {
    const ban = /\] (Ban|Unban|Found|Restore Ban) ([0-9a-fA-F.:]{3,45})/.exec(message.slice(0, 300));
    return ban
      ? { event: "ban", fields: { action: ban[1]!, client_address: ban[2]! }, shape: `${ban[1]} <>` }
      : { event: "system", fields: {}, shape: message };
  }
  const family = Object.hasOwn(FAMILY, program) ? FAMILY[program]! : program;
  if (!Object.hasOwn(RULES, family)) return undefined;
  const early = message.slice(0, 400);
  for (const [pattern, event, cause] of RULES[family]!)
    if (pattern.test(early))
      return { event, fields: { reason: cap(message) }, cause, severity: severityOf(cause), shape: message };
  return { event: "system", fields: {}, shape: message };
}

const severityOf = (cause: Cause | undefined): Severity => (cause === undefined ? "info" : "warning");
