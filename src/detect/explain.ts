import type { Cause } from "../mail/event.ts";
import { logLowerTail } from "../math/negative-binomial.ts";
import type { Kind } from "./alert.ts";

/** The kind that a cause points to, when it stands out on its own. */
export const KIND_OF_CAUSE: Readonly<Record<Cause, Kind>> = {
  dns: "dns_failure",
  connect: "remote_unreachable",
  tls: "tls_failure",
  auth: "bruteforce",
  auth_backend: "auth_backend_failure",
  milter: "milter_failure",
  policy: "policy_failure",
  lookup: "lookup_failure",
  disk: "disk_full",
  permission: "permission_error",
  config: "config_error",
  crash: "crash_loop",
  limit: "connection_flood",
  blocked: "remote_blocked",
  throttled: "remote_throttled",
  greylisted: "greylisting",
  unknown_user: "directory_harvest",
  relay_denied: "relay_probe",
  rbl: "spam_wave",
  spam: "spam_wave",
  quota: "quota",
  loop: "mail_loop",
  mailbox: "mailbox_corruption",
  routing: "routing_error",
  protocol: "connection_flood",
  expired: "queue_growth",
  clock: "clock_fault",
  other: "unknown",
};

/** What an operator would call it; the figures follow after a colon. */
export const KIND_TITLES: Readonly<Record<Kind, string>> = {
  bruteforce: "Password guessing",
  account_compromised: "Account may be stolen",
  login_anomaly: "Unusual log-ins",
  directory_harvest: "Probing for addresses",
  relay_probe: "Relay attempts",
  spam_wave: "Wave of unwanted mail",
  backscatter: "Bounces of mail that we did not send",
  connection_flood: "Flood of connections",
  dns_failure: "Name lookups fail",
  disk_full: "Disk full",
  tls_failure: "TLS handshakes fail",
  milter_failure: "A mail filter (milter) is not answering",
  policy_failure: "A policy service or content filter fails",
  auth_backend_failure: "The password service fails",
  lookup_failure: "Lookup tables fail",
  permission_error: "Permission errors",
  config_error: "Configuration error",
  crash_loop: "Processes crash or restart",
  remote_blocked: "Other servers refuse our mail",
  remote_throttled: "Other servers slow our mail down",
  remote_unreachable: "Other servers can't be reached",
  routing_error: "Mail goes the wrong way",
  greylisting: "Our mail is greylisted",
  queue_growth: "The queue grows",
  latency: "Deliveries have become slow",
  mail_loop: "Mail loop",
  quota: "Mailboxes over quota",
  mailbox_corruption: "Damaged mailboxes",
  service_stopped: "A service has stopped",
  log_silence: "The log is silent",
  delivery_stopped: "No mail is delivered",
  clock_fault: "The clock is wrong",
  format_change: "The log format changed",
  volume_change: "Unusual volume",
  new_message: "Messages never seen before",
  blind: "Logvane can't see",
  unknown: "Unusual activity",
};

/** Range that holds a normal count nine times of ten, from the negative binomial: [5 % quantile, 95 % quantile]. */
export function typicalRange(mu: number, alpha: number): [number, number] {
  return [quantile(0.05, mu, alpha), quantile(0.95, mu, alpha)];
}

/** Smallest k with P(X <= k) >= q, by bisection. */
function quantile(q: number, mu: number, alpha: number): number {
  if (mu <= 0) return 0;
  const reached = (k: number): boolean => Math.exp(logLowerTail(k, mu, alpha)) >= q;
  let high = 1;
  while (!reached(high) && high < 1e9) high *= 2;
  if (reached(0)) return 0;
  let low = 0;
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if (reached(mid)) high = mid;
    else low = mid;
  }
  return high;
}

/** "5 min", "2 h", "1 day". */
export function duration(minutes: number): string {
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 1440) return `${Math.round(minutes / 6) / 10} h`;
  return `${Math.round(minutes / 144) / 10} days`.replace(/^1 days$/, "1 day");
}

/** "usually none", "usually at most 6", "usually 12 to 40". */
export function usual(low: number, high: number): string {
  if (high === 0) return "usually none";
  return low === 0 ? `usually at most ${high}` : `usually ${low} to ${high}`;
}
