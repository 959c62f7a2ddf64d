import { DNS, readDatabase, readDns, readSaslauthd, readSlapd } from "./backends.ts";
import { readPam } from "./pam.ts";
import { type Bag, put, type Reading } from "./scan.ts";
import { byRules, type CompanionSample, putAddress, type Rule } from "./words.ts";

/** Lines of our own making. */
export const samples: readonly CompanionSample[] = [
  {
    daemon: "kernel",
    line: "Out of memory: Killed process 812 (rspamd) total-vm:1000kB",
    event: "kernel_oom",
    cause: "crash",
  },
  {
    daemon: "kernel",
    line: "[ 1234.567890] EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm imap: reading directory lblock 0",
    event: "disk_failure",
    cause: "disk",
  },
  {
    daemon: "kernel",
    line: "rspamd[812]: segfault at 10 ip 00007f sp 00007f error 4 in librspamd.so[7f+1]",
    event: "process_exit",
    cause: "crash",
  },
  {
    daemon: "kernel",
    line: "[UFW BLOCK] IN=eth0 OUT= MAC=00:11 SRC=192.0.2.9 DST=192.0.2.1 LEN=40 PROTO=TCP SPT=4022 DPT=25",
    event: "system",
    fields: { client_address: "192.0.2.9", action: "BLOCK" },
  },
  {
    daemon: "kernel",
    line: "TCP: request_sock_TCP: Possible SYN flooding on port 25. Sending cookies.",
    event: "limit_reached",
    cause: "limit",
  },
  {
    daemon: "systemd",
    line: "postfix@-.service: Failed with result 'oom-kill'.",
    event: "process_exit",
    cause: "crash",
  },
  { daemon: "systemd", line: "Started Postfix Mail Transport Agent.", event: "process_start" },
  { daemon: "systemd", line: "Stopped Dovecot IMAP/POP3 email server.", event: "process_stop" },
  {
    daemon: "systemd",
    line: "Failed to start Dovecot IMAP/POP3 email server.",
    event: "process_exit",
    cause: "crash",
  },
  {
    daemon: "sudo",
    line: "ann : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/usr/sbin/postsuper -d ALL",
    event: "command",
    fields: { user: "ann", command: "/usr/sbin/postsuper -d ALL" },
  },
  {
    daemon: "sudo",
    line: "ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/bin/sh",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "ann" },
  },
  { daemon: "su", line: "FAILED SU (to root) ann on pts/0", event: "auth_failure", cause: "auth" },
  { daemon: "su", line: "+ pts/0 ann:root", event: "command" },
  {
    daemon: "CRON",
    line: "(root) CMD (run-parts /etc/cron.hourly)",
    event: "system",
    fields: { user: "root" },
  },
  {
    daemon: "fail2ban",
    line: "NOTICE [dovecot] Ban 192.0.2.9",
    event: "ban",
    fields: { client_address: "192.0.2.9", action: "Ban", jail: "dovecot" },
  },
  {
    daemon: "fail2ban.filter",
    line: "[812]: INFO [sshd] Found 192.0.2.9 - 2026-03-01 10:00:00",
    event: "ban",
    fields: { action: "Found" },
  },
  {
    daemon: "rsyslogd",
    line: "imjournal: 1200 messages lost due to rate-limiting (20000 allowed within 600 seconds)",
    event: "limit_reached",
    cause: "limit",
  },
  {
    daemon: "chronyd",
    line: "System clock wrong by 31.4 seconds, adjustment started",
    event: "clock_fault",
    cause: "clock",
  },
  { daemon: "ntpd", line: "synchronized to 192.0.2.1, stratum 2", event: "system" },
  {
    daemon: "named",
    line: "client @0x7f 192.0.2.9#4022 (our.example): query (cache) 'our.example/A/IN' denied",
    event: "reject",
    cause: "relay_denied",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "named",
    line: "error (network unreachable) resolving 'far.example/A/IN': 2001:db8::1#53",
    event: "dns_failure",
    cause: "dns",
  },
  {
    daemon: "unbound",
    line: "[812:0] error: SERVFAIL <far.example. A IN>: all the configured stub or forward servers failed",
    event: "dns_failure",
    cause: "dns",
  },
  {
    daemon: "certbot",
    line: "Failed to renew certificate our.example with error: Some challenges have failed.",
    event: "tls_failure",
    cause: "tls",
  },
  { daemon: "logrotate", line: "ALERT exited abnormally with [1]", event: "error", cause: "other" },
  {
    daemon: "saslauthd",
    line: "do_auth         : auth failure: [user=ann] [service=smtp] [realm=our.example] [mech=pam] [reason=PAM auth error]",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "ann" },
  },
  {
    daemon: "saslauthd",
    line: "auth_rimap: failed to connect to remote server: Connection refused",
    event: "auth_backend_failure",
    cause: "auth_backend",
  },
  {
    daemon: "slapd",
    line: "conn=1022 op=1 RESULT tag=97 err=49 text=",
    event: "auth_failure",
    cause: "auth",
  },
  {
    daemon: "slapd",
    line: "conn=1022 fd=21 ACCEPT from IP=192.0.2.9:45011 (IP=0.0.0.0:636)",
    event: "connect",
    fields: { client_address: "192.0.2.9" },
  },
  {
    daemon: "mysqld",
    line: "2026-03-01 10:00:00 812 [Warning] Access denied for user 'mail'@'192.0.2.9' (using password: YES)",
    event: "auth_failure",
    cause: "auth",
    fields: { user: "mail", client_address: "192.0.2.9" },
  },
];

type Read = (message: string) => Reading | undefined;

const KERNEL: readonly Rule[] = [
  [/out of memory|oom.kill|oom_reaper|oom killer/i, "kernel_oom", "crash"],
  [/segfault|general protection|trap .{0,20}error|traps:|killed process/i, "process_exit", "crash"],
  [
    /I\/O error|remount.{0,30}read-only|(?:error|aborted|corrupt\w*|warning) \(device|\b(?:XFS|BTRFS|JBD)\b.{0,30}(?:error|aborted|corrupt)|blk_update_request|medium error|(?:drive|ata|disk).{0,20}(?:error|failed)|no space left|hung_task|blocked for more than/i,
    "disk_failure",
    "disk",
  ],
  [/table full|SYN flooding|too many|limit reached/i, "limit_reached", "limit"],
  [/clocksource.{0,80}unstable|time.{0,20}(?:backward|jump)/i, "clock_fault", "clock"],
];

const readKernel: Read = (message) => {
  const text = message.replace(/^(?:kernel: )?\[ {0,8}\d{1,9}\.\d{1,9}\] /, "");
  const packet = /\bSRC=([0-9A-Fa-f.:]{3,45}) DST=/.exec(text.slice(0, 400));
  if (packet) {
    const fields: Bag = {};
    putAddress(fields, packet[1]);
    const tag = /^\[?([\w ().:,/-]{1,60}?)\]?:? ?IN=/.exec(text)?.[1];
    put(
      fields,
      "action",
      tag === undefined ? undefined : /\b(BLOCK|DROP|REJECT|DENY|ALLOW|ACCEPT|AUDIT|LIMIT)/i.exec(tag)?.[1],
    );
    return { event: "system", fields, shape: `packet ${tag ?? ""}` };
  }
  return byRules(KERNEL, text);
};

const SYSTEMD: readonly Rule[] = [
  [
    /failed with result|main process exited|entered failed state|start request repeated|^failed to start|^dependency failed|core-dump|oom-kill|\bfailed\.$/i,
    "process_exit",
    "crash",
  ],
  [/^(?:started|starting|finished|reached target|listening)\b/i, "process_start"],
  [/^(?:stopped|stopping|closed|removed slice|unmounted)\b|deactivated|succeeded/i, "process_stop"],
  [/^reload/i, "reload"],
  [/time has been changed/i, "clock_fault", "clock"],
  [/no space left/i, "disk_failure", "disk"],
];

const SYSLOG: readonly Rule[] = [
  [/messages lost|rate.?limit|suppressed|dropped|missed .{0,30}messages/i, "limit_reached", "limit"],
  [/no space left|write error|i\/o error|corrupt|disk full/i, "disk_failure", "disk"],
  [/exiting|shutdown|terminat|stopped/i, "process_stop"],
  [/rotating|vacuum|rsyslogd was HUPed|restart/i, "reload"],
  [/\bstart|runtime journal|system journal|journal started/i, "process_start"],
  [/cannot|could not|error/i, "config_warning", "config"],
];

const TIME: readonly Rule[] = [
  [
    /(?:time (?:has been )?(?:stepped|changed|reset|jump)|clock (?:was|wrong|step|not)|system clock|step time|forward time jump|backward time jump|time correction|can't synchroni[sz]e|no server suitable|frequency error|kernel reports)/i,
    "clock_fault",
    "clock",
  ],
  [/exiting|terminat/i, "process_stop"],
  [/\bstarting|\bstarted/i, "process_start"],
];

const readSudo: Read = (message) => {
  const m = /^\s{0,20}(\S{1,255}) : (.{0,400}?)(?:TTY=|PWD=|USER=)/.exec(message.slice(0, 1200));
  if (m === null)
    return (
      readPam(message) ??
      byRules(
        [
          [
            /not in .{0,40}sudoers|not allowed|incorrect password|authentication failure|unable/i,
            "auth_failure",
            "auth",
          ],
        ],
        message,
      )
    );
  const fields: Bag = { user: m[1]! };
  const command = message.indexOf("COMMAND=");
  put(fields, "command", command < 0 ? undefined : message.slice(command + 8));
  const said = m[2]!.replace(/ ?; ?$/, "");
  if (said === "") return { event: "command", fields, shape: "<> : TTY= PWD= USER= COMMAND=" };
  fields["reason"] = said;
  return { event: "auth_failure", fields, cause: "auth", shape: `<> : ${said}` };
};

const SU: readonly Rule[] = [
  [/^(?:FAILED|BAD) su|authentication failure|^- /i, "auth_failure", "auth"],
  [/^(?:\(to |successful su|\+ )|session opened/i, "command"],
];

const readCron: Read = (message) => {
  const pam = readPam(message);
  if (pam !== undefined) return pam;
  const m = /^\((\S{1,64})\) ([A-Z]{3,10}(?: [A-Z]{2,10})?) /.exec(message);
  const fields: Bag = {};
  put(fields, "user", m?.[1]);
  const read = byRules(
    [[/\berror\b|failed|cannot|can't|bad |permission denied|grandchild .{0,40}failed/i, "error", "other"]],
    m === null || m[2] === "CMD" || m[2] === "CMDEND" || m[2] === "CMDOUT"
      ? message.slice(0, m === null ? 400 : 0)
      : message,
  );
  return { ...read, fields: { ...read.fields, ...fields }, shape: m === null ? message : `(<>) ${m[2]}` };
};

/** fail2ban, in its own file's words or through syslog: `NOTICE [jail] Ban ADDRESS`. */
export const readFail2ban: Read = (message) => {
  const m =
    /(?:^|\s)\[([\w .-]{1,60})\] (?:Increase )?(Ban|Unban|Found|Restore Ban|Already banned|Ignore|\w{1,20} already banned)(?:ned)? ?:? ?([0-9A-Za-z.:/-]{2,80})?/.exec(
      message.slice(0, 300),
    );
  if (m) {
    const fields: Bag = { action: m[2]!, jail: m[1]! };
    put(fields, "client_address", m[3]);
    return { event: "ban", fields, shape: `[${m[1]}] ${m[2]} <>` };
  }
  return byRules(
    [
      [/\bERROR\b|\bCRITICAL\b/, "error", "other"],
      [/\bWARNING\b/, "warning", "other"],
      [/starting fail2ban|jail .{0,60}started|server ready/i, "process_start"],
      [/exiting|jail .{0,60}stopped|shutdown/i, "process_stop"],
      [/reload/i, "reload"],
    ],
    message,
  );
};

const CERTIFICATES: readonly Rule[] = [
  [/fail|error|could not|unable|invalid|expired|problem|not yet due.{0,40}fail/i, "tls_failure", "tls"],
  [/renew|cert success|reload|installed/i, "reload"],
];

const ROTATE: readonly Rule[] = [[/abnormal|error|failed|permission/i, "error", "other"]];

const LOGIN: readonly Rule[] = [
  [
    /failed login|login (?:failure|incorrect)|authentication fail|invalid (?:user|password)|too many (?:login|auth)|no such user|incorrect password/i,
    "auth_failure",
    "auth",
  ],
  [/login on|logged in|session opened|new session|accepted/i, "system"],
];

const rules =
  (list: readonly Rule[]): Read =>
  (message) =>
    readPam(message) ?? byRules(list, message);

const DISKS: readonly Rule[] = [
  [
    /fail|degraded|error|unreadable|uncorrectable|pending sector|event detected|faulty/i,
    "disk_failure",
    "disk",
  ],
];

/** Programs of the machine of which we only want failed log-ins. */
const TOOLS = new Set(
  "useradd usermod userdel groupadd groupmod groupdel passwd chpasswd chfn chage cloud-init ec2 lxcfs lxd cups cupsd gpm xinetd inetd bluetooth hcid bluetoothd sdpd portmap rpcbind rpc.statd irqbalance udev apparmor acpid haveged rngd modprobe modem-manager networkd-dispatcher unattended-upgrade apt dpkg yum dnf snmpd nscd sssd wpa_supplicant avahi-daemon thermald multipath grub-common ureadahead console-setup keyboard-setup accounts-daemon packagekitd rc init upstart".split(
    " ",
  ),
);

const READERS: Readonly<Record<string, Read>> = {
  kernel: readKernel,
  systemd: rules(SYSTEMD),
  "systemd-journald": rules(SYSLOG),
  rsyslogd: rules(SYSLOG),
  "syslog-ng": rules(SYSLOG),
  syslogd: rules(SYSLOG),
  syslog: rules(SYSLOG),
  imuxsock: rules(SYSLOG),
  imjournal: rules(SYSLOG),
  klogd: rules(SYSLOG),
  "systemd-logind": rules(LOGIN),
  login: rules(LOGIN),
  remote: rules(LOGIN),
  chronyd: rules(TIME),
  ntpd: rules(TIME),
  ntpdate: rules(TIME),
  "systemd-timesyncd": rules(TIME),
  sudo: readSudo,
  su: (message) => {
    const pam = readPam(message);
    return pam ?? byRules(SU, message);
  },
  cron: readCron,
  crond: readCron,
  "cron.daily": readCron,
  anacron: readCron,
  atd: readCron,
  named: readDns,
  unbound: readDns,
  "systemd-resolved": rules(DNS),
  dnsmasq: rules(DNS),
  pdns_recursor: rules(DNS),
  certbot: rules(CERTIFICATES),
  letsencrypt: rules(CERTIFICATES),
  acme: rules(CERTIFICATES),
  "acme.sh": rules(CERTIFICATES),
  dehydrated: rules(CERTIFICATES),
  logrotate: rules(ROTATE),
  saslauthd: readSaslauthd,
  slapd: readSlapd,
  mysqld: readDatabase,
  mariadbd: readDatabase,
  mariadb: readDatabase,
  postgres: readDatabase,
  postgresql: readDatabase,
  dbus: rules([]),
  "dbus-daemon": rules([]),
  polkitd: rules([]),
  networkmanager: rules([]),
  dhclient: rules([]),
  dhcpd: rules([]),
  udevd: rules([]),
  "systemd-udevd": rules([]),
  "systemd-networkd": rules([]),
  snapd: rules([]),
  auditd: rules([]),
  audit: rules([]),
  run: rules([]),
  smartd: rules(DISKS),
  mdadm: rules(DISKS),
  lvm: rules(DISKS),
  multipathd: rules(DISKS),
  security: readDns,
  "update-security": readDns,
  "query-errors": readDns,
  "lame-servers": readDns,
  resolver: readDns,
};

/** Programs of the machine that matter to mail; undefined when the program is none of them. */
export function readSystem(program: string, message: string): Reading | undefined {
  if (program.startsWith("fail2ban")) return readFail2ban(message);
  if (Object.hasOwn(READERS, program)) return READERS[program]!(message);
  if (TOOLS.has(program)) return readPam(message) ?? byRules(LOGIN, message);
  return program.startsWith("systemd-") ? byRules(SYSTEMD, message) : undefined;
}
