// The servers of the composed evaluation. No constant of the detector was fitted to any of them, and none may be. The misses and false alarms of
// dross, surges, quiet, ferry and gorse were looked at while views were built; those of the others were not.

import { contamination, type Server } from "../src/compose/plan.ts";
import { A, at, B, C, D, type Preset, type Short, server, spread, TRAIN_DAYS } from "./preset-plan.ts";
import { SECOND_SITE } from "./presets-second.ts";

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
  ...SECOND_SITE,
];
