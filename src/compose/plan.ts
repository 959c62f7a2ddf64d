import type { HeaderFormat } from "./header.ts";
import { FAULTS } from "./kinds.ts";
import { type Stream, stream } from "./stream.ts";

/** A composed log is at most this long; a plan is data and may come from anywhere. */
const MAX_DAYS = 400;
/** Messages a day, beyond which a log would hold more lines a second than the clock of a recording can tell apart. */
const MAX_MAILS = 1_000_000;
const MAX_FAULTS = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** What a real server has of its own, the commonest first; where there is too little, names come again. */
export type Own = {
  /** Local parts of people's accounts. */
  readonly accounts: readonly string[];
  /** The first three octets of networks from which they log in. */
  readonly networks: readonly string[];
  /** Domains to which they write. */
  readonly destinations: readonly string[];
};

/** The server whose log is composed. */
export type Server = {
  /** The first part of each label's id. */
  readonly name: string;
  /** The host's name, without its domain; as logged in front of each line. */
  readonly host: string;
  /** The server's own domain. Absent: all names and addresses stay as they were recorded. */
  readonly domain?: string;
  /** Names of a real server, in place of invented ones; see Own. */
  readonly own?: Own;
  /** IANA zone of the clock, of office hours and of log times without an offset. */
  readonly zone: string;
  readonly header: HeaderFormat;
  /** Messages of an ordinary weekday in the first week, in, out and local. */
  readonly mailsPerDay: number;
  /** Uninvited connections a day: spam, scanners, guesses. Default: 40 and half of the mails. */
  readonly noisePerDay?: number;
  /** Level of Saturdays and Sundays for what people do, 0 to 1. Default 0.4. */
  readonly weekend?: number;
  /** Growth a week, as a rate: 0.02 for 2 %. Default 0. */
  readonly growth?: number;
  readonly longQueueIds?: boolean;
  /** Programs that log elsewhere or are not installed: "postscreen", "dovecot", "opendkim", "opendmarc". */
  readonly without?: readonly string[];
  /** Factors for single classes of traffic, e.g. { "imap": 0.2 }. */
  readonly mix?: Readonly<Record<string, number>>;
  /** Mail that a partner sends every night at a local hour. */
  readonly partner?: { readonly hour: number; readonly mails: number };
  /** Mail of the applications on one day of each month, from a local hour on. */
  readonly monthly?: { readonly day: number; readonly hour: number; readonly mails: number };
};

export type SurgeKind = "newsletter" | "campaign" | "monday_flood";
/** A harmless time with more mail than usual. */
export type Surge = {
  readonly kind: SurgeKind;
  readonly start: string;
  readonly minutes: number;
  /** newsletter: mailings. Otherwise the factor on the classes concerned. */
  readonly intensity: number;
};
export type Maintenance = {
  readonly kind: "reload" | "restart" | "certificate";
  readonly at: string;
  /** For restart: how long nothing runs; sessions end with it. Absent: some seconds, in which all goes on beside. */
  readonly minutes?: number;
};
/** Days on which people do less (or, before a holiday, more). */
export type Season = { readonly from: string; readonly to: string; readonly level: number };

export type Fault = {
  /** A name of kinds.ts. */
  readonly kind: string;
  readonly start: string;
  readonly minutes: number;
  /** 1 is the usual strength of the kind; what it scales is said in kinds.ts. */
  readonly intensity?: number;
  /** For daemon_silent: the tag, or how it begins, e.g. "dovecot". Default "opendkim". */
  readonly daemon?: string;
  /** Which of the server's people an attack on one account is about, from 0; drawn when absent. */
  readonly person?: number;
  /** Contamination: it happens, and no label tells. */
  readonly unlabelled?: boolean;
};

/** All that a composed log depends on, beside the recorded episodes. Plain data. */
export type Plan = {
  readonly seed: number;
  /** ISO 8601, the first instant. */
  readonly start: string;
  readonly days: number;
  readonly server: Server;
  readonly surges?: readonly Surge[];
  readonly seasons?: readonly Season[];
  readonly maintenance?: readonly Maintenance[];
  readonly faults?: readonly Fault[];
};

/** Milliseconds since 1970. Throws RangeError when `iso` is no time. */
export function instant(iso: string): number {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) throw new RangeError(`no ISO 8601 time: ${iso}`);
  return time;
}

/** Throws RangeError, naming the field, when a plan can't be composed. */
export function checkPlan(plan: Plan): void {
  const within = (name: string, value: number, low: number, high: number): void => {
    if (!(value >= low && value <= high))
      throw new RangeError(`${name} must be ${low} to ${high}, not ${value}`);
  };
  const { server } = plan;
  within("seed", plan.seed, 0, Number.MAX_SAFE_INTEGER);
  within("days", plan.days, 1 / 24, MAX_DAYS);
  within("server.mailsPerDay", server.mailsPerDay, 0, MAX_MAILS);
  within("server.noisePerDay", server.noisePerDay ?? 0, 0, MAX_MAILS);
  within("server.weekend", server.weekend ?? 0, 0, 2);
  within("server.growth", server.growth ?? 0, -0.5, 1);
  within("faults", plan.faults?.length ?? 0, 0, MAX_FAULTS);
  instant(plan.start);
  for (const { kind, start, minutes, intensity } of plan.faults ?? []) {
    if (!(kind in FAULTS)) throw new RangeError(`no such fault: ${kind}`);
    instant(start);
    within(`${kind}: minutes`, minutes, 1, MAX_DAYS * 1440);
    within(`${kind}: intensity`, intensity ?? 1, 0.001, 100);
  }
  for (const { at, minutes } of plan.maintenance ?? []) {
    instant(at);
    within("maintenance: minutes", minutes ?? 1, 0, 1440);
  }
  for (const surge of plan.surges ?? []) {
    instant(surge.start);
    within(`${surge.kind}: intensity`, surge.intensity, 0, 1000);
  }
}

/** Kinds that happen unseen to a real server while it is learning: short ones, none of which stops it. */
const UNSEEN = [
  "sasl_bruteforce_fast",
  "remote_blocklisted",
  "queue_dead_destination",
  "transport_misconfig",
  "compromised_account",
  "milter_down",
  "dns_resolver_down",
] as const;

/** One incident without a label in each week of the first `days` days. */
export function contamination(seed: number, start: string, days: number): Fault[] {
  const faults: Fault[] = [];
  const random: Stream = stream(seed, "contamination");
  for (let week = 0; week * 7 + 7 <= days; week++) {
    const at = instant(start) + (week * 7 + random.uniform() * 6.5) * DAY;
    faults.push({
      kind: UNSEEN[random.int(UNSEEN.length)]!,
      start: new Date(Math.round(at / 1000) * 1000).toISOString(),
      minutes: 20 + random.int(100),
      unlabelled: true,
    });
  }
  return faults;
}
