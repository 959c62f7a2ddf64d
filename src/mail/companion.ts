import type { Envelope } from "../log/envelope.ts";
import { readAmavis } from "./amavis.ts";
import { readClamav } from "./clamav.ts";
import { readExim } from "./exim.ts";
import { readMilterGreylist, readPostgrey, readSqlgrey } from "./greylist.ts";
import { readCourierSmtp, readCyrus, readMailbox, readPerdition, readVpopmail } from "./mailbox-servers.ts";
import { readDkimproxy, readOpendkim } from "./opendkim.ts";
import { readOpendmarc } from "./opendmarc.ts";
import { readOpensmtpd, readQmail } from "./other-mta.ts";
import { readPam } from "./pam.ts";
import { readRspamd } from "./rspamd.ts";
import type { Reading } from "./scan.ts";
import { readSendmail } from "./sendmail.ts";
import { readSpamd } from "./spamassassin.ts";
import { readSpf } from "./spf.ts";
import { readDropbear, readSshd } from "./ssh.ts";
import { readStranger } from "./stranger.ts";
import { readSystem } from "./system.ts";
import { capFields, mayHoldSecrets, withoutSecrets } from "./words.ts";

type Read = (message: string, session: string | undefined) => Reading;

/** A reader and the names under which its program logs, in lower case. */
const GRAMMARS: readonly (readonly [Read, string])[] = [
  [readOpendkim, "opendkim dkim-filter dkim-milter"],
  [readDkimproxy, "dkimproxy dkimproxy.in dkimproxy.out dkimproxy_in dkimproxy_out"],
  [readOpendmarc, "opendmarc"],
  [
    readSpf,
    "policyd-spf pypolicyd-spf postfix-policyd-spf-python postfix-policyd-spf-perl policy-spf policyd spf-milter spfd",
  ],
  [readPostgrey, "postgrey"],
  [readSqlgrey, "sqlgrey"],
  [readMilterGreylist, "milter-greylist"],
  [readRspamd, "rspamd rspamd_proxy rmilter"],
  [readAmavis, "amavis amavisd amavisd-new amavis-services amavisd-milter"],
  [readSpamd, "spamd spamassassin spamass-milter sa-update spampd"],
  [readClamav, "clamd clamav clamav-milter clamav-daemon freshclam clamsmtpd clamsmtp clamdscan"],
  [readExim, "exim exim4 exim3 eximstats sa-exim"],
  [readSshd, "sshd sshd-session sshd-auth"],
  [readDropbear, "dropbear"],
  [readSendmail, "sendmail sm-mta sm-msp-queue sm-msp sm-acceptingconnections sendmail-client sm-que"],
  [
    readMailbox,
    "imapd imapd-ssl pop3d pop3d-ssl ipop3d ipop2d imapsd courierpop3login courierpop3d imaplogin couriertls authdaemond imaps pop3s lmtpunix lmtpd sieve timsieved ctl_cyrusdb tls_prune idled nntpd badlogin solid-pop3d httpd-cyrus",
  ],
  [readCourierSmtp, "courieresmtpd courierd courieresmtp courierlocal courierfilter"],
  [readVpopmail, "vpopmail vchkpw"],
  [
    readPerdition,
    "perdition perdition.imap perdition.imaps perdition.pop3 perdition.pop3s perdition.imap4 perdition.imap4s perdition.managesieve",
  ],
  [readOpensmtpd, "smtpd opensmtpd smtp-in smtp-out"],
  [readQmail, "qmail qmail-send qmail-smtpd rblsmtpd tcpserver qmail-local qmail-remote"],
];

/** Names of one program: templates and counts are kept under the second. */
const DAEMONS: ReadonlyMap<string, string> = new Map([
  ["exim4", "exim"],
  ["sshd-session", "sshd"],
  ["sshd-auth", "sshd"],
  ["amavisd", "amavis"],
  ["amavisd-new", "amavis"],
  ["dkim-filter", "opendkim"],
]);

const BY_NAME = new Map(
  GRAMMARS.flatMap(([read, names]) => names.split(" ").map((name) => [name, read] as const)),
);

/** `message repeated N times: [ ... ]` of rsyslog, `last message repeated N times` of the others. */
const REPEATED = /^(?:last )?message repeated (\d{1,9}) times?(?::? ?\[ ?(.*?) ?\])?\s*$/s;

/**
 * A line of any program beside Postfix and Dovecot. A repeated message is read as what it repeats, with their number
 * in `repeated`; when the text names it not, it is `info`.
 */
export function readCompanion(envelope: Envelope, name: string): Reading {
  const session = envelope.pid === undefined ? undefined : `${envelope.host}/${name}[${envelope.pid}]`;
  const read = readAs(name.toLowerCase(), envelope.message, session);
  capFields(read.fields);
  const daemon = DAEMONS.get(name);
  if (!mayHoldSecrets(envelope.message)) return daemon === undefined ? read : { ...read, daemon };
  for (const [key, value] of Object.entries(read.fields))
    if (typeof value === "string") read.fields[key] = withoutSecrets(value);
  return {
    ...read,
    shape: withoutSecrets(read.shape),
    ...(daemon === undefined ? {} : { daemon }),
  };
}

function readAs(name: string, message: string, session: string | undefined): Reading {
  const early = message.slice(0, 24).toLowerCase();
  if (early.includes("message repeated")) {
    const m = REPEATED.exec(message.replace(/^Last/, "last"));
    if (m !== null && m[2] === undefined)
      return { event: "info", fields: { repeated: Number(m[1]) }, shape: "last message repeated 0 times" };
    if (m !== null && !m[2]!.slice(0, 24).includes("message repeated")) {
      const inner = readProgram(name, m[2]!, session);
      return { ...inner, fields: { ...inner.fields, repeated: Number(m[1]) } };
    }
  }
  return readProgram(name, message, session);
}

function readProgram(name: string, message: string, session: string | undefined): Reading {
  const known = BY_NAME.get(name) ?? BY_NAME.get(name.replace(/^.{0,80}[/\\]/, ""));
  if (known !== undefined) return known(message, session);
  if (name.endsWith("(pam_unix)")) return readPam(message, true) ?? readStranger(message);
  return readSystem(name, message) ?? readCyrus(message) ?? readStranger(message);
}

/**
 * What is written under a name that Dovecot also has, and isn't Dovecot's: PAM through its auth service, and the IMAP
 * servers whose tag is plain `imap` or `sieve`. Undefined when it is neither.
 */
export function readNamesake(envelope: Envelope): Reading | undefined {
  const message = envelope.message;
  const read = readPam(message.replace(/^(?:dovecot-)?auth(?:-worker)?: /, "")) ?? readCyrus(message);
  if (read !== undefined) capFields(read.fields);
  return read;
}
