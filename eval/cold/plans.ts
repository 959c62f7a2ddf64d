import type { Fault, Plan, Server } from "../../src/compose/plan.ts";
import { stream } from "../../src/compose/stream.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import type { Site } from "../episodes.ts";

/** New servers: their first fifteen days, with faults from the second day on. */

export const DAYS = 15;
/** Times in days in which faults and false alarms are counted. */
export const PHASES: readonly (readonly [from: number, to: number])[] = [
  [1, 3],
  [3, 7],
  [7, 15],
];
/** Faults in each of them. */
const FAULTS = [4, 6, 8];

export type ColdServer = { readonly site: Site; readonly server: Server; readonly start: string };

export const SERVERS: readonly ColdServer[] = [
  {
    site: "first",
    start: "2026-04-07T00:00:00Z",
    server: {
      ...{ name: "iris", host: "mx2", domain: "irisfield.example", zone: "Europe/Oslo", header: "rfc3164" },
      ...{ mailsPerDay: 300, weekend: 0.4 },
    },
  },
  {
    site: "first",
    start: "2026-09-03T00:00:00Z",
    server: {
      ...{
        name: "juniper",
        host: "out",
        domain: "juniperhall.example",
        zone: "Asia/Tokyo",
        header: "journald",
      },
      ...{ mailsPerDay: 120, noisePerDay: 300, weekend: 0.6, longQueueIds: true, without: ["opendmarc"] },
    },
  },
  {
    site: "second",
    start: "2026-01-14T00:00:00Z",
    server: {
      ...{
        name: "larch",
        host: "mail",
        domain: "larchworks.example",
        zone: "America/Toronto",
        header: "rfc5424",
      },
      ...{ mailsPerDay: 250, weekend: 0.3, longQueueIds: true },
    },
  },
  {
    site: "second",
    start: "2026-06-02T00:00:00Z",
    server: {
      ...{ name: "maple", host: "mta", domain: "maplecourt.example", zone: "UTC", header: "rfc3339" },
      ...{ mailsPerDay: 100, noisePerDay: 150, weekend: 0.5, longQueueIds: true },
    },
  },
];

const KINDS: Readonly<Record<Site, readonly (readonly [kind: string, minutes: number])[]>> = {
  first: [
    ["dns_resolver_down", 55],
    ["sasl_bruteforce_fast", 40],
    ["remote_blocklisted", 200],
    ["milter_down", 100],
    ["compromised_account", 90],
    ["transport_misconfig", 240],
    ["log_silence", 60],
    ["queue_dead_destination", 240],
    ["dovecot_auth_down", 45],
    ["tls_cert_expired", 300],
    ["postfix_lookup_table_missing", 40],
    ["spam_wave", 90],
  ],
  second: [
    ["disk_full", 60],
    ["postfix_stopped", 60],
    ["mail_loop", 120],
    ["policy_down", 100],
    ["milter_down", 60],
    ["quota_too_small", 200],
    ["mailbox_index_damaged", 150],
    ["mailbox_permission", 120],
    ["greylist_storm", 240],
    ["connection_flood", 45],
    ["directory_harvest", 90],
    ["backscatter", 150],
  ],
};

/** The faults begin at daytime hours, each phase has its own number, and all kinds come in turn. */
export function coldPlan({ site, server, start }: ColdServer, seed: number): Plan {
  const random = stream(seed, `cold ${server.name}`);
  const kinds = KINDS[site];
  const order = Int32Array.from(kinds.keys());
  random.shuffle(order);
  let next = 0;
  const faults = PHASES.flatMap(([from, to], phase) =>
    Array.from({ length: FAULTS[phase]! }, (_, i): Fault => {
      const [kind, minutes] = kinds[order[next++ % kinds.length]!]!;
      const share = (i + 0.2 + 0.6 * random.uniform()) / FAULTS[phase]!;
      const at = Date.parse(start) + (from + 0.05 + share * (to - from - 0.4)) * DAY_MS;
      return { kind, start: new Date(Math.round(at / 60_000) * 60_000).toISOString(), minutes };
    }),
  );
  const at = (day: number, hour: number): string =>
    new Date(Date.parse(start) + day * DAY_MS + hour * 3_600_000).toISOString();
  return {
    ...{ seed, start, days: DAYS, server, faults },
    maintenance: [
      { kind: "reload", at: at(2, 9.4) },
      { kind: "restart", at: at(5, 3.2) },
      { kind: "certificate", at: at(8, 2.2) },
      { kind: "reload", at: at(10, 13.2) },
      { kind: "restart", at: at(12, 3.2) },
    ],
  };
}
