import type { Fault, Maintenance, Plan, Season, Server, Surge } from "../../src/compose/plan.ts";
import { DAY_MS } from "../../src/feature/clock.ts";

/** A year of a small server: five weeks to learn, then twelve months of four weeks, which hold the same faults on the same days. */

export const TRAIN_DAYS = 35;
export const MONTHS = 12;
export const MONTH_DAYS = 28;
const DAYS: number = TRAIN_DAYS + MONTHS * MONTH_DAYS;
/** A Monday. */
export const START: number = Date.UTC(2025, 0, 6);
export const ZONE = "Europe/Berlin";
/** The time that is watched begins here. */
export const WATCHED: number = START + TRAIN_DAYS * DAY_MS;

/** Mail grows by half from the first day to the last. */
const GROWTH = 1.5 ** (7 / DAYS) - 1;

const SERVER: Server = {
  name: "year",
  host: "mx1",
  domain: "yearling.example",
  zone: ZONE,
  header: "rfc3164",
  mailsPerDay: 80,
  noisePerDay: 90,
  weekend: 0.4,
  growth: GROWTH,
  without: ["opendmarc"],
  mix: { monitor: 0 },
  partner: { hour: 2.5, mails: 15 },
  monthly: { day: 1, hour: 5, mails: 60 },
};

/** What people do in each month, beside their growth: a slow spring, a summer holiday, a busy autumn, Christmas. */
const LEVELS = [1, 1.05, 1.1, 1, 0.95, 0.75, 0.7, 0.9, 1.1, 1.15, 1.2, 0.8];

/** The faults of a month: day (0: a Monday), hour in UTC, minutes. Each month has the same. */
const FAULTS: readonly (readonly [
  kind: string,
  day: number,
  hour: number,
  minutes: number,
  more?: Partial<Fault>,
])[] = [
  ["dns_resolver_down", 1, 9.3, 55],
  ["sasl_bruteforce_fast", 2, 2.1, 40],
  ["remote_blocklisted", 4, 11.2, 240],
  ["milter_down", 7, 13.4, 120],
  ["compromised_account", 8, 1.6, 60],
  ["log_silence", 10, 14.1, 50],
  ["queue_dead_destination", 14, 7.9, 400],
  ["dovecot_auth_down", 15, 10.6, 45],
  ["account_new_networks", 17, 3.4, 300],
  ["postfix_lookup_table_missing", 21, 14.8, 40],
  ["spam_wave", 22, 16.3, 120, { intensity: 0.5 }],
  ["partner_mail_missing", 24, 0, 360],
];
/** Kinds of a month's faults. */
export const FAULTS_A_MONTH: number = FAULTS.length;

const iso = (day: number, hour: number): string =>
  new Date(START + day * DAY_MS + Math.round(hour * 3600) * 1000).toISOString();
const months: readonly number[] = Array.from({ length: MONTHS }, (_, m) => TRAIN_DAYS + m * MONTH_DAYS);

const faults = months.flatMap((first): Fault[] =>
  FAULTS.map(([kind, day, hour, minutes, more]) => ({
    kind,
    start: iso(first + day, hour),
    minutes,
    ...more,
  })),
);
const seasons = months.map(
  (first, m): Season => ({ from: iso(first, 0), to: iso(first + MONTH_DAYS, 0), level: LEVELS[m]! }),
);
/** A newsletter on the third Wednesday of each month, in training too. */
const newsletters = [TRAIN_DAYS - MONTH_DAYS, ...months].map(
  (first): Surge => ({ kind: "newsletter", start: iso(first + 16, 8), minutes: 40, intensity: 4 }),
);
/** Upgrades take place in the nights to these days. */
export const UPGRADES: readonly { readonly what: string; readonly at: number }[] = [
  { what: "Dovecot 2.3 to 2.4", at: Date.parse(iso(months[3]! + 19, 2)) },
  {
    what: "a newer distribution: rsyslog's heads, Postfix 3.11, OpenSSL 3.5",
    at: Date.parse(iso(months[7]! + 19, 2)),
  },
];
/** A reload each month; a renewed certificate each quarter; a restart with each upgrade and in training. */
const maintenance: readonly Maintenance[] = [
  { kind: "restart", at: iso(12, 2) },
  ...[6, ...months.map((first) => first + 12)].map(
    (day): Maintenance => ({ kind: "reload", at: iso(day, 8.2) }),
  ),
  ...[20, ...[0, 3, 6, 9].map((m) => months[m]! + 11)].map(
    (day): Maintenance => ({ kind: "certificate", at: iso(day, 1.5) }),
  ),
  ...UPGRADES.map(({ at }): Maintenance => ({ kind: "restart", at: new Date(at).toISOString() })),
];

const YEAR: Plan = {
  seed: 12,
  start: iso(0, 0),
  days: DAYS,
  server: SERVER,
  seasons,
  surges: newsletters,
  maintenance,
  faults,
};

/** Where the log of so many months ends, in ms. */
export const endOf = (months: number): number => WATCHED + months * MONTH_DAYS * DAY_MS;

/** The first months of the year: the same log, cut. */
export const firstMonths = (months: number): Plan => ({
  ...YEAR,
  days: TRAIN_DAYS + months * MONTH_DAYS,
  faults: faults.filter(({ start }) => Date.parse(start) < endOf(months)),
});
