import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { rotationsOf } from "../source/log-files.ts";
import { ask, type Machine } from "./survey.ts";

/** Which logs a mail server writes, and whether this user may read them. */

export type FoundLog = {
  readonly path: string;
  /** Who says that mail is logged there. */
  readonly from: string;
  readonly state: "readable" | "denied" | "no mail";
  /** Owning group by number, and permission bits, for what to do when it is denied. */
  readonly gid: number;
  readonly mode: number;
};

export type FoundLogs = { readonly files: readonly FoundLog[]; readonly journal: "used" | "denied" | "none" };

/** Where mail daemons write by themselves or by the usual settings of their systems: path, system. */
const USUAL: readonly (readonly [string, string])[] = [
  ["/var/log/mail.log", "Debian, Ubuntu, Alpine"],
  ["/var/log/maillog", "RHEL, Fedora, FreeBSD"],
  ["/var/log/mail", "SUSE"],
  ["/var/log/mail/mail.log", "Alpine"],
  ["/var/log/exim4/mainlog", "Exim of Debian"],
  ["/var/log/exim/main.log", "Exim of RHEL"],
  ["/var/log/exim/mainlog", "Exim"],
  ["/var/log/dovecot.log", "Dovecot"],
  ["/var/log/dovecot/dovecot.log", "Dovecot"],
  ["/var/log/rspamd/rspamd.log", "rspamd"],
];
/** Logs of everything: taken when nothing else holds mail. */
const GENERAL = ["/var/log/syslog", "/var/log/messages"];
const SYSLOG_FILES = ["/etc/rsyslog.conf", "/etc/syslog.conf", "/etc/syslog-ng/syslog-ng.conf"];
const SYSLOG_FOLDERS = ["/etc/rsyslog.d", "/etc/syslog.d", "/etc/syslog-ng/conf.d"];
const TAIL_BYTES = 64 * 1024;
const MAIL_LINE =
  /\b(?:postfix|dovecot|exim4?|sendmail|sm-mta|opensmtpd|smtpd|imapd|pop3d|courier|cyrus|qmail|rspamd)\b/;
/** Mail programs whose entries are looked for in the journal. */
const COMMANDS = ["postfix", "master", "smtpd", "qmgr", "dovecot", "exim", "exim4", "sendmail", "smtpd"];

/** ownLog: the file that Postfix itself writes. */
export function surveyLogs(machine: Machine, ownLog: string | undefined): FoundLogs {
  const named: (readonly [string, string])[] = [
    ...(ownLog === undefined ? [] : [[ownLog, "Postfix's maillog_file"] as const]),
    ...syslogOutputs(machine),
    ...USUAL,
  ];
  const files = distinct(named.flatMap(([path, from]) => look(join(machine.root, path), from)));
  const good = files.filter((file) => file.state !== "no mail");
  if (good.length > 0) return { files: good, journal: "none" };
  const general = distinct(GENERAL.flatMap((path) => look(join(machine.root, path), "the system's log")));
  const mail = general.filter((file) => file.state === "readable");
  if (mail.length > 0) return { files: mail, journal: "none" };
  const journal = journalState(machine);
  return { files: journal === "used" ? [] : general.filter((file) => file.state === "denied"), journal };
}

/** A path that is there; for a log that was just rotated, its last copy tells whether it holds mail. */
function look(path: string, from: string): FoundLog[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) return [];
  const base = { path, from, gid: stat.gid, mode: stat.mode & 0o777 };
  try {
    accessSync(path, constants.R_OK);
    if (holdsMail(path)) return [{ ...base, state: "readable" }];
    const copies = rotationsOf([path])
      .flat()
      .filter((copy) => copy !== path && !/\.(gz|xz|bz2|zst)$/.test(copy));
    return [{ ...base, state: copies.some(holdsMail) ? "readable" : "no mail" }];
  } catch {
    return [{ ...base, state: "denied" }];
  }
}

/** Exim's main log has no program's name on its lines, but its own. */
const holdsMail = (path: string): boolean => {
  const tail = tailOf(path);
  return MAIL_LINE.test(tail) || (/exim/.test(path) && tail !== "");
};

function tailOf(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const size = statSync(path).size;
    const bytes = Buffer.alloc(Math.min(TAIL_BYTES, size));
    return bytes.toString("latin1", 0, readSync(fd, bytes, 0, bytes.length, size - bytes.length));
  } finally {
    closeSync(fd);
  }
}

/** One entry a file, whatever names lead to it. */
function distinct(files: readonly FoundLog[]): FoundLog[] {
  const seen = new Set<string>();
  return files.filter(({ path }) => {
    const real = realpathSync(path);
    const known = seen.has(real);
    seen.add(real);
    return !known;
  });
}

/** Files that the rules of rsyslog, syslog-ng or syslogd send mail to. */
function syslogOutputs({ root }: Machine): (readonly [string, string])[] {
  const files = [
    ...SYSLOG_FILES,
    ...SYSLOG_FOLDERS.flatMap((folder) => namesIn(join(root, folder)).map((name) => join(folder, name))),
  ];
  return files.flatMap((file) => outputsIn(textOf(join(root, file))).map((path) => [path, file] as const));
}

/** What the rules of one file send mail to. */
export function outputsIn(rules: string): string[] {
  const paths: string[] = [];
  const text = rules.replace(/^\s*#.*$/gm, "");
  // `mail.*  -/var/log/mail.log`, as syslogd and rsyslog write it; mail.err and the like repeat part of it.
  for (const [, path] of text.matchAll(/^[^\n]*\bmail\.(?:\*|info|debug)[^\n/]*?[ \t]-?(\/[^\s;]+)/gm))
    paths.push(path!);
  // if $syslogfacility-text == "mail" then action(type="omfile" file="/var/log/mail.log")
  for (const [, path] of text.matchAll(/facility[^\n]{0,80}mail[^{}]{0,400}?\b[Ff]ile="(\/[^"\n]+)"/g))
    paths.push(path!);
  // destination d_mail { file("/var/log/mail.log"); };
  for (const [, path] of text.matchAll(/destination\s+\w*mail\w*\s*\{[^}]{0,200}?file\(\s*"?(\/[^"\s)]+)/g))
    paths.push(path!);
  return paths.filter((path) => !path.startsWith("/dev/"));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".conf"))
      .sort();
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function journalState({ root }: Machine): FoundLogs["journal"] {
  if (root !== "" || ask("journalctl", ["--version"]) === undefined) return "none";
  const found = ask("journalctl", [
    "--quiet",
    "--lines=1",
    "--output=cat",
    ...COMMANDS.map((name) => `_COMM=${name}`),
  ]);
  if (found === undefined) return "denied";
  return found === "" ? "none" : "used";
}
