// Servers and what is done to them: each kind of maintenance as a plan has it, at hours and weekdays that differ.
import type { Fault, Maintenance, Plan, Server, Surge } from "../../src/compose/plan.ts";
import { DAY_MS } from "../../src/feature/clock.ts";
import type { Site } from "../episodes.ts";

export const LEARNED_DAYS = 14;
export const WATCHED_DAYS = 14;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export type Subject = {
  readonly server: Server;
  readonly site: Site;
  /** The first day learned, a Monday. */
  readonly start: string;
  readonly seed: number;
};

type Parts = Pick<Plan, "maintenance" | "faults" | "surges">;
export type Kind = {
  readonly name: string;
  readonly what: string;
  /** Sites at which it was recorded; both where it is absent. */
  readonly site?: Site;
  /** How long it lasts. */
  readonly minutes: number;
  /** It comes on Mondays alone. */
  readonly monday?: boolean;
  readonly at: (time: number) => Parts;
};

const iso = (ms: number): string => new Date(ms).toISOString();
const upkeep = (kind: Maintenance["kind"], minutes?: number) => (time: number) => ({
  maintenance: [{ kind, at: iso(time), ...(minutes === undefined ? {} : { minutes }) }],
});
/** One program is away for a minute, and those who need it meanwhile fail: recorded as a fault, and over at once. */
const away = (kind: string) => (time: number) => ({
  faults: [{ kind, start: iso(time), minutes: 1, unlabelled: true }],
});
const surge = (kind: Surge["kind"], minutes: number, intensity: number) => (time: number) => ({
  surges: [{ kind, start: iso(time), minutes, intensity }],
});

export const KINDS: readonly Kind[] = [
  { name: "reload", what: "Postfix reads its configuration anew", minutes: 0, at: upkeep("reload") },
  {
    name: "certificate",
    what: "a renewed certificate: Postfix and Dovecot reload",
    minutes: 0,
    at: upkeep("certificate"),
  },
  {
    name: "restart",
    what: "Postfix and Dovecot restart, away for 12 seconds; sessions are cut",
    minutes: 0.2,
    at: upkeep("restart", 0.2),
  },
  {
    name: "upgrade",
    what: "packages with a newer version, away for 45 seconds; sessions are cut",
    minutes: 0.75,
    at: upkeep("restart", 0.75),
  },
  {
    name: "reboot",
    what: "the machine starts anew, nothing is written for 3 minutes",
    minutes: 3,
    at: upkeep("restart", 3),
  },
  {
    name: "dovecot",
    what: "Dovecot is away for a minute; clients and deliveries meet that",
    site: "first",
    minutes: 1,
    at: away("dovecot_auth_down"),
  },
  {
    name: "postfix",
    what: "Postfix is away for a minute",
    site: "second",
    minutes: 1,
    at: away("postfix_stopped"),
  },
  {
    name: "milter",
    what: "the milter is away for a minute; mail meets that",
    minutes: 1,
    at: away("milter_down"),
  },
  {
    name: "policy",
    what: "the policy service is away for a minute; mail meets that",
    site: "second",
    minutes: 1,
    at: away("policy_down"),
  },
  { name: "newsletter", what: "four mailings in half an hour", minutes: 30, at: surge("newsletter", 30, 4) },
  {
    name: "monday",
    what: "Monday morning: two and a half times the mail, for three hours",
    minutes: 180,
    monday: true,
    at: surge("monday_flood", 180, 2.5),
  },
];

export const SUBJECTS: readonly Subject[] = [
  {
    server: {
      ...{ name: "nettle", host: "mx1", domain: "nettlebed.example", zone: "UTC", header: "rfc3164" },
      ...{ mailsPerDay: 350, weekend: 0.35 },
    },
    ...{ site: "first", start: "2026-03-02T00:00:00Z", seed: 301 },
  },
  {
    server: {
      ...{ name: "orache", host: "post", domain: "orachefold.example", zone: "Europe/Oslo" },
      ...{ header: "journald", mailsPerDay: 120, noisePerDay: 300, weekend: 0.6, without: ["opendmarc"] },
    },
    ...{ site: "first", start: "2026-09-07T00:00:00Z", seed: 302 },
  },
  {
    server: {
      ...{ name: "plantain", host: "mta", domain: "plantaincourt.example", zone: "America/Toronto" },
      ...{ header: "rfc5424", mailsPerDay: 200, weekend: 0.4, longQueueIds: true },
    },
    ...{ site: "second", start: "2026-05-04T00:00:00Z", seed: 303 },
  },
  {
    server: {
      ...{ name: "rue", host: "mail", domain: "ruefields.example", zone: "Asia/Tokyo", header: "iso" },
      ...{ mailsPerDay: 80, noisePerDay: 120, weekend: 0.5, longQueueIds: true },
    },
    ...{ site: "second", start: "2026-01-12T00:00:00Z", seed: 304 },
  },
];

const kindsOf = ({ site }: Subject): Kind[] =>
  KINDS.filter((kind) => kind.site === undefined || kind.site === site);
export const untilOf = ({ start }: Subject): number => Date.parse(start) + LEARNED_DAYS * DAY_MS;

/** Hours (UTC) of each day of the fortnight at which something is done; Mondays have their own. */
const HOURS: readonly number[] = [1.37, 11.62, 19.85];
const MONDAY_HOUR = 6;
/** Each kind comes so often; a Monday once a week. */
const TIMES = 4;

export type Done = { readonly kind: Kind; readonly at: number };

/** What is done in the watched fortnight, which begins on a Monday; each kind at other hours and weekdays. In the order of time. */
export function doneOf(subject: Subject): Done[] {
  const kinds = kindsOf(subject);
  const usual = kinds.filter(({ monday }) => monday !== true);
  const at = (day: number, hour: number): number => untilOf(subject) + day * DAY_MS + hour * HOUR_MS;
  const done: Done[] = [];
  for (let i = 0; i < TIMES * usual.length; i++) {
    const round = Math.floor(i / usual.length);
    const kind = usual[(i + 2 * round) % usual.length]!;
    done.push({ kind, at: at(Math.floor(i / HOURS.length), HOURS[i % HOURS.length]!) });
  }
  for (const kind of kinds.filter(({ monday }) => monday === true))
    for (let day = 0; day < WATCHED_DAYS; day += 7) done.push({ kind, at: at(day, MONDAY_HOUR) });
  return done.sort((a, b) => a.at - b.at);
}

const joined = (all: readonly Parts[]): Parts => ({
  maintenance: all.flatMap((p) => p.maintenance ?? []),
  faults: all.flatMap((p): readonly Fault[] => p.faults ?? []),
  surges: all.flatMap((p) => p.surges ?? []),
});

/** The history. held: whether it holds each kind once, all but the newer version. */
export function historyOf(subject: Subject, held: boolean): Plan {
  const { server, start, seed } = subject;
  const time = (i: number): number => Date.parse(start) + (1 + i) * DAY_MS + ((i * 7 + 3) % 24) * HOUR_MS;
  const kinds = held ? kindsOf(subject) : [];
  const parts = kinds.map(({ at, monday }, i) =>
    at(monday === true ? Date.parse(start) + 7 * DAY_MS + 7 * HOUR_MS : time(i) + 17 * MINUTE_MS),
  );
  return { seed, start, server, days: LEARNED_DAYS, ...joined(parts) };
}

/** The fortnight after it, with all that is done. */
export function fortnightOf(subject: Subject): Plan {
  const { server, seed } = subject;
  const parts = doneOf(subject).map(({ kind, at }) => kind.at(at));
  return {
    ...{ seed, start: iso(untilOf(subject)), server, days: WATCHED_DAYS },
    ...joined(parts),
  };
}

/** What the daemons of a newer version call themselves. */
const NEWER: readonly (readonly [RegExp, string])[] = [
  [/(daemon started|reload) -- version 3\.7\.11/, "$1 -- version 3.7.12"],
  [/Dovecot v2\.3\.19\.1 \(9b53102964\)/, "Dovecot v2.3.21 (47349e2482)"],
];
export const upgraded = (text: string): string =>
  NEWER.reduce((line, [was, is]) => line.replace(was, is), text);
