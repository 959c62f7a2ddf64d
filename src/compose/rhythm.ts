import type { Zone } from "../log/zone.ts";
import { instant, type Plan, type Season, type Surge } from "./plan.ts";
import { stream } from "./stream.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Counts of an hour and of a day vary more than Poisson's: sigma of the lognormal factors. */
const HOUR_SPREAD = 0.12;
const DAY_SPREAD = 0.07;
const DEFAULT_WEEKEND = 0.4;

/** Level of each hour of a day, mean 1 after scaling. */
type Shape = readonly number[];
const scaled = (levels: readonly number[]): Shape => {
  const mean = levels.reduce((a, b) => a + b, 0) / levels.length;
  return levels.map((level) => level / mean);
};
/** What people do: from eight to six, with a dip at noon. */
const OFFICE = scaled([2, 1, 1, 1, 1, 2, 6, 20, 60, 85, 90, 80, 55, 75, 85, 80, 65, 40, 22, 15, 12, 9, 6, 4]);
/** Mail from elsewhere: the same, but some at all hours. */
const INBOUND = scaled([
  14, 11, 10, 10, 11, 14, 20, 35, 60, 72, 75, 70, 60, 65, 70, 68, 58, 45, 35, 30, 27, 24, 20, 17,
]);
/** Strangers and machines, who never sleep. */
const FLAT = scaled([
  9, 9, 10, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11, 10, 10, 10, 10, 10, 9, 9, 9,
]);

export type TrafficClass = {
  readonly name: string;
  /** Share among the messages ("mail"), for each message ("visit", e.g. sessions of readers) or among the uninvited ("noise"). */
  readonly group: "mail" | "visit" | "noise";
  readonly share: number;
  readonly shape: Shape;
  /** Whether people's weekends and seasons count. */
  readonly human: boolean;
};

const classOf =
  (group: TrafficClass["group"], shape: Shape, human: boolean) =>
  (name: string, share: number): TrafficClass => ({ name, group, share, shape, human });
const inbound = classOf("mail", INBOUND, true);
const office = classOf("mail", OFFICE, true);
const machine = classOf("mail", FLAT, false);
const reader = classOf("visit", OFFICE, true);
const noise = classOf("noise", FLAT, false);

/** Normal traffic. Shares are a guess at a small company's server; a plan's `mix` changes them. */
export const TRAFFIC: readonly TrafficClass[] = [
  inbound("in_ham", 300),
  inbound("in_bulk", 110),
  inbound("in_multi", 30),
  inbound("in_alias", 15),
  inbound("in_null", 10),
  inbound("in_typo", 12),
  office("out_user", 220),
  office("out_multi", 25),
  office("out_local", 80),
  office("out_bounce", 6),
  office("out_grey", 8),
  office("out_full", 1),
  office("out_nx", 2),
  office("out_odd", 1.5),
  office("out_lost", 3),
  office("out_spamrej", 1),
  machine("app_mail", 70),
  machine("cron", 25),
  reader("imap", 0.5),
  reader("pop", 0.12),
  reader("imap_bad", 0.006),
  reader("out_badpw", 0.006),
  noise("in_spam", 260),
  noise("in_hdr", 12),
  noise("in_pregreet", 70),
  noise("in_scan", 140),
  noise("in_relay", 14),
  noise("sasl_noise", 160),
  noise("imap_scan", 90),
];
const TOTAL = { mail: 0, visit: 1, noise: 0 };
for (const { group, share } of TRAFFIC) if (group !== "visit") TOTAL[group] += share;

/** Classes on which a surge acts. */
const SURGED: Record<Surge["kind"], ReadonlySet<string>> = {
  newsletter: new Set(),
  campaign: new Set([
    "in_ham",
    "in_multi",
    "out_user",
    "out_multi",
    "out_bounce",
    "app_mail",
    "in_null",
    "imap",
  ]),
  monday_flood: new Set([
    "in_ham",
    "in_bulk",
    "in_multi",
    "out_user",
    "out_local",
    "imap",
    "pop",
    "out_badpw",
    "imap_bad",
  ]),
};

/** How many episodes of each class a plan wants at a time. */
export class Rhythm {
  private readonly plan: Plan;
  private readonly zone: Zone;
  private readonly start: number;
  private readonly surges: readonly { from: number; to: number; surge: Surge }[];
  private readonly seasons: readonly { from: number; to: number; season: Season }[];
  private readonly factors = new Map<string, number>();

  constructor(plan: Plan, zone: Zone) {
    this.plan = plan;
    this.zone = zone;
    this.start = instant(plan.start);
    this.surges = (plan.surges ?? []).map((surge) => {
      const from = instant(surge.start);
      return { from, to: from + surge.minutes * 60_000, surge };
    });
    this.seasons = (plan.seasons ?? []).map((season) => ({
      from: instant(season.from),
      to: instant(season.to),
      season,
    }));
  }

  /** Episodes of a class that are to be expected in the `ms` milliseconds after `time`. */
  expected(traffic: TrafficClass, time: number, ms: number): number {
    const { server } = this.plan;
    const local = time + this.zone.offsetAt(time);
    const hour = Math.floor((local % DAY) / HOUR);
    const day = Math.floor(local / DAY);
    // 1970-01-01 was a Thursday.
    const weekday = (day + 4) % 7;
    const perDay =
      traffic.group === "mail"
        ? (server.mailsPerDay * traffic.share) / TOTAL.mail
        : traffic.group === "visit"
          ? server.mailsPerDay * traffic.share
          : ((server.noisePerDay ?? 40 + server.mailsPerDay / 2) * traffic.share) / TOTAL.noise;
    let level = traffic.shape[hour]! * (server.mix?.[traffic.name] ?? 1);
    level *= (1 + (server.growth ?? 0)) ** ((time - this.start) / (7 * DAY));
    if (traffic.human && (weekday === 0 || weekday === 6)) level *= server.weekend ?? DEFAULT_WEEKEND;
    if (traffic.human)
      for (const { from, to, season } of this.seasons) if (time >= from && time < to) level *= season.level;
    for (const { from, to, surge } of this.surges)
      if (time >= from && time < to && SURGED[surge.kind].has(traffic.name)) level *= surge.intensity;
    level *= this.factor("day", day, DAY_SPREAD) * this.factor(traffic.name, day * 24 + hour, HOUR_SPREAD);
    return (perDay * level * ms) / DAY;
  }

  /** A factor that holds for one hour or day; the last one of each name is remembered. */
  private factor(name: string, index: number, sigma: number): number {
    const key = `${name} ${index}`;
    const known = this.factors.get(key);
    if (known !== undefined) return known;
    if (this.factors.size > 1000) this.factors.clear();
    const factor = stream(this.plan.seed, "level", name, index).lognormal(sigma);
    this.factors.set(key, factor);
    return factor;
  }
}
