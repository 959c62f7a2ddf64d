import type { Fault, Plan } from "../../src/compose/plan.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import type { Site } from "../episodes.ts";

/**
 * Logs in which things come again: each fault three times, at other hours, from other addresses, to or from other people where it is not
 * about one of them; the third time five times as large.
 */

/** Days that are learned. */
export const PAST_DAYS = 10;
const START = Date.UTC(2026, 8, 7);
export const CUT: number = START + PAST_DAYS * DAY_MS;
const HOUR_MS = 3_600_000;
/** From one fault to the next. */
const APART_MS = 12 * HOUR_MS;
/** Each comes again after a week, at another hour, and five times as large after another, at the first one's: what it meets is as much then. */
const AGAIN_MS = [0, 7 * DAY_MS + 5 * HOUR_MS, 14 * DAY_MS] as const;
export const LARGER = 5;

/** How strong a fault is when it is called harmless. Of what turns the server's own traffic a fifth is turned, so that five times is possible. */
type Repeated = { readonly kind: string; readonly minutes: number; readonly intensity: number };
const attack = (kind: string, minutes = 60): Repeated => ({ kind, minutes, intensity: 1 });
const state = (kind: string, minutes = 120): Repeated => ({ kind, minutes, intensity: 1 / LARGER });

const KINDS: Readonly<Record<Site, readonly Repeated[]>> = {
  first: [
    attack("sasl_bruteforce_fast"),
    state("dns_resolver_down"),
    attack("spam_wave"),
    state("remote_blocklisted", 240),
    attack("compromised_account"),
    state("milter_down"),
    attack("relay_probe"),
    state("queue_dead_destination", 240),
    attack("account_new_networks", 120),
    state("dovecot_auth_down"),
    attack("mailbox_over_quota", 240),
    state("postfix_lookup_table_missing"),
    state("transport_misconfig", 240),
    state("tls_cert_expired", 240),
  ],
  second: [
    attack("connection_flood"),
    state("quota_too_small"),
    attack("directory_harvest"),
    state("policy_down"),
    attack("backscatter"),
    state("mailbox_permission"),
    attack("mail_loop", 120),
    state("greylist_storm"),
    state("mailbox_index_damaged"),
    state("milter_down"),
  ],
};

/** The nth time that a fault comes, from 0. */
export type Time = 0 | 1 | 2;
export type RepeatedFault = Fault & { readonly nth: Time };

/** The plan of one log. mailsPerDay: of its server. */
export function planOf(
  site: Site,
  seed: number,
  mailsPerDay: number,
): Omit<Plan, "faults"> & { readonly faults: readonly RepeatedFault[] } {
  const kinds = KINDS[site];
  const faults = ([0, 1, 2] as const).flatMap((nth) =>
    kinds.map(({ kind, minutes, intensity }, k): RepeatedFault => {
      const start = CUT + 2 * HOUR_MS + k * APART_MS + AGAIN_MS[nth];
      const strength = nth === 2 ? LARGER * intensity : intensity;
      return {
        kind,
        start: new Date(start).toISOString(),
        minutes,
        intensity: strength,
        person: seed + k,
        nth,
      };
    }),
  );
  return {
    seed,
    start: new Date(START).toISOString(),
    days: PAST_DAYS + 22,
    server: { name: `${site}${seed}`, host: "mx", zone: "UTC", header: "iso", mailsPerDay },
    faults,
  };
}
