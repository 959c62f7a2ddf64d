import type { MailEvent } from "../mail/event.ts";

/**
 * Families group columns and entities by cause: what fails together is one incident, what fails apart is two.
 * The window model is asked for one family given the others, so a family is also what the encoder never sees at once.
 */
export const FAMILIES = ["total", "auth", "outbound", "inbound", "local", "system"] as const;
export type Family = (typeof FAMILIES)[number];

const AUTH_EVENTS = new Set(["auth_failure", "auth_success", "login", "login_aborted", "auth_backend"]);
const OUTBOUND = new Set([
  "postfix/smtp",
  "postfix/error",
  "postfix/bounce",
  "postfix/qmgr",
  "postfix/oqmgr",
  "postfix/tlsmgr",
  "postfix/scache",
]);
const INBOUND = new Set([
  "postfix/smtpd",
  "postfix/postscreen",
  "postfix/dnsblog",
  "postfix/tlsproxy",
  "postfix/anvil",
  "postfix/cleanup",
  "opendkim",
  "opendmarc",
  "policyd-spf",
  "postgrey",
  "rspamd",
  "amavis",
  "spamd",
  "postfix/policyd-spf",
]);
const LOCAL = new Set([
  "postfix/lmtp",
  "postfix/local",
  "postfix/virtual",
  "postfix/pipe",
  "postfix/pickup",
  "postfix/discard",
]);
const LOCAL_DOVECOT = new Set([
  "dovecot/imap",
  "dovecot/pop3",
  "dovecot/lmtp",
  "dovecot/sieve",
  "dovecot/managesieve",
  "dovecot/indexer-worker",
]);

/** The family of an event. A log-in matters by what it is, everything else by who wrote it. */
export function familyOf(event: MailEvent): Family {
  if (AUTH_EVENTS.has(event.event) || event.cause === "auth" || event.cause === "auth_backend") return "auth";
  const { daemon } = event;
  if (OUTBOUND.has(daemon)) return "outbound";
  if (INBOUND.has(daemon)) return "inbound";
  if (LOCAL.has(daemon) || LOCAL_DOVECOT.has(daemon)) return "local";
  if (daemon.startsWith("dovecot/") && daemon.includes("login")) return "auth";
  if (daemon === "dovecot/auth" || daemon === "sshd" || daemon === "saslauthd") return "auth";
  return "system";
}
