import type { Server } from "../src/compose/plan.ts";
import { B, C, D, type Preset, type Short, server } from "./preset-plan.ts";

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

const HEATH: Server = {
  name: "heath",
  host: "mta3",
  domain: "heathmoor.example",
  zone: "Australia/Brisbane",
  header: "journald",
  mailsPerDay: 350,
  weekend: 0.5,
  longQueueIds: true,
};
const SECOND_QUIET: readonly Short[] = [
  ["mailbox_over_quota", 8.2, 480],
  ["sasl_bruteforce_slow", 5, 1440],
  ["daemon_silent", 10.2, 180, { daemon: "postgrey" }],
  ["account_new_networks", 3.4, 300],
  ["spam_wave", 16.3, 120, { intensity: 0.5 }],
  ["daemon_silent", 11.4, 240, { daemon: "rspamd" }],
  ["disk_full", 1.2, 60, { intensity: 0.5 }],
  ["delay_growth", 7.5, 480],
  ["relay_probe", 4.6, 90],
  ["mailbox_permission", 2.9, 240, { intensity: 0.5 }],
  ["log_silence", 12.1, 60],
  ["greylist_storm", 0.8, 300, { intensity: 0.5 }],
];

/** The servers made of the second site. */
export const SECOND_SITE: readonly Preset[] = [
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
  {
    name: "heath",
    what: "second site; journald JSON; Brisbane; 350 mails a day; quiet faults, or half of one",
    site: "second",
    plan: server(D, 111, HEATH, SECOND_QUIET),
  },
];
