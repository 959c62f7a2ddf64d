// The servers of the composed evaluation. No constant of the detector was chosen on any of them, and none may be.

import { contamination, type Fault, type Maintenance, type Plan, type Server } from "../src/compose/plan.ts";
import type { Site } from "./episodes.ts";

const DAYS = 35;
/** Days of the training part. */
export const TRAIN_DAYS = 14;

/** A fault by the day (0: the first of the log), the hour in UTC, and its length. */
export const at = (start: string, day: number, hour: number): string =>
  new Date(Date.parse(start) + day * 86_400_000 + hour * 3_600_000).toISOString();

export type Short = readonly [kind: string, hour: number, minutes: number, more?: Partial<Fault>];

/** Spreads faults over the weeks after training, one after the other, each at its hour. */
function spread(start: string, faults: readonly Short[]): Fault[] {
  const step = ((DAYS - TRAIN_DAYS - 1) * 24) / faults.length;
  return faults.map(([kind, hour, minutes, more], i) => {
    const day = TRAIN_DAYS + Math.floor((i * step) / 24) + 0.5;
    return { kind, start: at(start, Math.floor(day), hour), minutes, ...more };
  });
}

const upkeep = (start: string, hour: number): Maintenance[] => [
  { kind: "reload", at: at(start, 3, 9.4) },
  { kind: "restart", at: at(start, 9, hour) },
  { kind: "certificate", at: at(start, 12, hour - 1) },
  { kind: "reload", at: at(start, 18, 13.2) },
  { kind: "restart", at: at(start, 24, hour) },
  { kind: "certificate", at: at(start, 31, hour - 1) },
];

const RECORDED: readonly Short[] = [
  ["dns_resolver_down", 9.3, 55],
  ["sasl_bruteforce_fast", 2.1, 40],
  ["remote_blocklisted", 12.2, 300],
  ["milter_down", 13.4, 120],
  ["compromised_account", 1.6, 90],
  ["transport_misconfig", 8.7, 330],
  ["log_silence", 14.1, 50],
  ["queue_dead_destination", 7.9, 400],
  ["dovecot_auth_down", 10.6, 45],
  ["tls_cert_expired", 0.4, 640],
  ["postfix_lookup_table_missing", 14.8, 40],
  ["latency_degradation", 7.1, 600],
];
/** Some recorded, some slow and quiet. */
const MIXED: readonly Short[] = [
  ["mailbox_over_quota", 8.2, 480],
  ["sasl_bruteforce_slow", 6, 1440],
  ["dovecot_auth_down", 12.9, 60],
  ["partner_mail_missing", 3, 180],
  ["account_new_networks", 3.4, 300],
  ["remote_blocklisted", 9.1, 260],
  ["delay_growth", 7.5, 480],
  ["spam_wave", 16.3, 120],
  ["tls_cert_expired", 2.2, 500],
  ["daemon_silent", 10.2, 180, { daemon: "opendkim" }],
  ["transport_misconfig", 9.5, 240],
  ["relay_probe", 4.6, 90],
  ["postfix_lookup_table_missing", 11.7, 30],
];
const FLOODS = new Set(["mailbox_over_quota", "spam_wave", "relay_probe"]);
const QUIET: readonly Short[] = [
  ["sasl_bruteforce_slow", 5, 1440],
  ["delay_growth", 7.2, 600],
  ["partner_mail_missing", 3, 180],
  ["account_new_networks", 11.3, 360, { intensity: 0.6 }],
  ["mailbox_over_quota", 9.4, 600, { intensity: 0.5 }],
  ["log_silence", 3.2, 120],
  ["daemon_silent", 9.8, 240, { daemon: "opendkim" }],
  ["sasl_bruteforce_slow", 6, 1440, { intensity: 0.5 }],
  ["delay_growth", 8.1, 480, { intensity: 0.5 }],
  ["transport_misconfig", 9.2, 400, { intensity: 0.4 }],
  ["latency_degradation", 6.5, 720],
  ["daemon_silent", 12.4, 300, { daemon: "opendmarc" }],
];

export function server(
  start: string,
  seed: number,
  described: Server,
  faults: readonly Short[],
  more: Partial<Plan> = {},
): Plan {
  return {
    seed,
    start,
    days: DAYS,
    server: described,
    maintenance: upkeep(start, described.zone.startsWith("America") ? 9.2 : 3.2),
    faults: spread(start, faults),
    ...more,
  };
}

const ALDER: Server = {
  name: "alder",
  host: "mx1",
  domain: "alder.example",
  zone: "Europe/Oslo",
  header: "rfc3164",
  mailsPerDay: 900,
  weekend: 0.35,
  growth: 0.02,
  partner: { hour: 2.5, mails: 40 },
};
const BIRCH: Server = {
  name: "birch",
  host: "post",
  domain: "birchworks.example",
  zone: "America/Chicago",
  header: "rfc3339",
  mailsPerDay: 2200,
  noisePerDay: 700,
  weekend: 0.5,
  longQueueIds: true,
  without: ["postscreen"],
  partner: { hour: 22, mails: 60 },
  monthly: { day: 1, hour: 5, mails: 300 },
};
const CEDAR: Server = {
  name: "cedar",
  host: "mailer",
  domain: "cedarkirk.example",
  zone: "Asia/Tokyo",
  header: "journald",
  mailsPerDay: 350,
  noisePerDay: 900,
  weekend: 0.2,
  growth: -0.01,
  without: ["opendmarc"],
  mix: { pop: 3, imap: 0.5, monitor: 0 },
};
const DROSS: Server = {
  name: "dross",
  host: "relay7",
  domain: "drossel.example",
  zone: "UTC",
  header: "rfc5424",
  mailsPerDay: 60,
  noisePerDay: 250,
  weekend: 0.6,
  longQueueIds: true,
  partner: { hour: 3, mails: 15 },
  mix: { monitor: 0 },
};
const ELDER: Server = {
  name: "elder",
  host: "mx",
  domain: "elderglen.example",
  zone: "Europe/London",
  header: "iso",
  mailsPerDay: 1200,
  growth: 0.04,
  partner: { hour: 4, mails: 50 },
  monthly: { day: 1, hour: 6, mails: 500 },
};

/** Of the second site: postgrey, rspamd, no postscreen, long queue ids. */
const FERRY: Server = {
  name: "ferry",
  host: "mail2",
  domain: "ferrydale.example",
  zone: "Europe/Helsinki",
  header: "rfc5424",
  mailsPerDay: 120,
  noisePerDay: 180,
  weekend: 0.3,
  longQueueIds: true,
};
const GORSE: Server = {
  name: "gorse",
  host: "mxout",
  domain: "gorsefield.example",
  zone: "America/Toronto",
  header: "rfc3164",
  mailsPerDay: 900,
  weekend: 0.45,
  growth: 0.01,
  longQueueIds: true,
};
const SECOND: readonly Short[] = [
  ["disk_full", 10.2, 90],
  ["postfix_stopped", 13.5, 75],
  ["mail_loop", 9.6, 120],
  ["policy_down", 8.4, 100],
  ["milter_down", 14.3, 60],
  ["quota_too_small", 7.8, 300],
  ["mailbox_index_damaged", 11.1, 180],
  ["mailbox_permission", 9.9, 120],
  ["greylist_storm", 8.8, 300],
  ["connection_flood", 3.7, 45],
  ["directory_harvest", 1.9, 90],
  ["backscatter", 5.3, 150],
  ["clock_jump", 12.6, 80],
  ["postfix_config_broken", 15.2, 50],
];

export type Preset = {
  readonly name: string;
  readonly what: string;
  readonly plan: Plan;
  /** The recorded site; the first one where it is absent. */
  readonly site?: Site;
};

const A = "2026-04-06T00:00:00Z";
const B = "2026-08-31T00:00:00Z";
const C = "2026-01-12T00:00:00Z";
const D = "2026-06-01T00:00:00Z";

/** Every composed log of the evaluation. Their training part are the first two weeks. */
export const PRESETS: readonly Preset[] = [
  {
    name: "alder",
    what: "Postfix, Dovecot, milters; RFC 3164; Oslo; 900 mails a day",
    plan: server(A, 11, ALDER, RECORDED),
  },
  {
    name: "birch",
    what: "no postscreen; long queue ids; RFC 3339; Chicago; 2,200 mails a day",
    plan: server(B, 22, BIRCH, MIXED),
  },
  {
    name: "cedar",
    what: "no opendmarc, much POP; journald JSON; Tokyo; 350 mails a day, shrinking",
    plan: server(
      C,
      33,
      CEDAR,
      RECORDED.map(([kind, hour, minutes]) => [kind, (hour + 15) % 24, minutes] as const),
    ),
  },
  {
    name: "dross",
    what: "long queue ids; RFC 5424; UTC; 60 mails a day beside 250 uninvited",
    // A small server meets small floods.
    plan: server(
      D,
      44,
      DROSS,
      MIXED.map(([kind, hour, minutes, more]) =>
        FLOODS.has(kind)
          ? ([kind, hour, minutes, { intensity: 0.25 }] as const)
          : ([kind, hour, minutes, more ?? {}] as const),
      ),
    ),
  },
  {
    name: "surges",
    what: "newsletters, a campaign, Monday floods, a holiday, a monthly run; three faults",
    plan: server(
      A,
      55,
      ELDER,
      [
        ["remote_blocklisted", 9.4, 240],
        ["dovecot_auth_down", 13.1, 45],
        ["sasl_bruteforce_fast", 22.3, 40],
      ],
      {
        surges: [
          ...[2, 9, 16, 23, 30].map((day) => ({
            kind: "newsletter" as const,
            start: at(A, day, 9),
            minutes: 30,
            intensity: 4,
          })),
          { kind: "newsletter", start: at(A, 26, 13), minutes: 60, intensity: 15 },
          { kind: "campaign", start: at(A, 17, 8), minutes: 2 * 1440, intensity: 2 },
          ...[21, 28].map((day) => ({
            kind: "monday_flood" as const,
            start: at(A, day, 7),
            minutes: 180,
            intensity: 2.5,
          })),
        ],
        seasons: [{ from: at(A, 24, 0), to: at(A, 27, 0), level: 0.4 }],
      },
    ),
  },
  {
    name: "contaminated",
    what: "alder's neighbour, one unlabelled incident in each week of training",
    plan: server(
      B,
      66,
      { ...ALDER, name: "contaminated", host: "mx2", domain: "fennick.example" },
      RECORDED,
      {
        faults: [...contamination(66, B, TRAIN_DAYS), ...spread(B, RECORDED)],
      },
    ),
  },
  {
    name: "quiet",
    what: "slow and quiet faults only",
    plan: server(
      D,
      77,
      { ...ELDER, name: "quiet", host: "smtp", domain: "glenmore.example", mailsPerDay: 700 },
      QUIET,
    ),
  },
  {
    name: "ferry",
    what: "second site: postgrey, rspamd, Dovecot; RFC 5424; Helsinki; 120 mails a day",
    site: "second",
    plan: server(
      B,
      88,
      FERRY,
      SECOND.map(([kind, hour, minutes]) => [kind, (hour + 20) % 24, minutes] as const),
    ),
  },
  {
    name: "gorse",
    what: "second site; RFC 3164; Toronto; 900 mails a day",
    site: "second",
    plan: server(C, 99, GORSE, SECOND),
  },
];
