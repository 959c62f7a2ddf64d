import { civilFromDays, type Zone } from "../log/zone.ts";
import { type Arrival, normally } from "./faults.ts";
import type { Episode, Material } from "./material.ts";
import { instant, type Plan } from "./plan.ts";
import { stream } from "./stream.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A partner's nightly mail comes within this time, which begins up to so much later than planned. */
const PARTNER_MS = 12 * 60_000;
const PARTNER_LATE_MS = 6 * 60_000;
/** A partner's mail is told from the rest by its organisation, which sends no other; it needs so many recordings. */
const PARTNER_EPISODES = 4;
/** The monthly run of the applications takes this long. */
const MONTHLY_MS = 3 * HOUR;
/** The monitoring probe comes every five minutes, within a second. */
const PROBE_MS = 300_000;
/** Lines of anvil, scache and the like, a day. */
const SYSTEM_PER_DAY = 40;

/** What comes at its hour or day: the probe, the partner's nightly mail, the monthly run, newsletters, the system's own lines. */
export class Routine {
  private readonly plan: Plan;
  private readonly zone: Zone;
  private readonly material: Material;
  private readonly partner: readonly Episode[];
  private readonly usualMail: readonly Episode[];

  constructor(plan: Plan, zone: Zone, material: Material) {
    this.plan = plan;
    this.zone = zone;
    this.material = material;
    const mail = material.pool("normal", "in_ham");
    const org = plan.server.partner === undefined ? undefined : partnerOf(mail);
    this.partner = org === undefined ? [] : mail.filter((e) => e.org === org);
    this.usualMail = org === undefined ? mail : mail.filter((e) => e.org !== org);
    const missing = plan.faults?.some((f) => f.kind === "partner_mail_missing") === true;
    if (missing && this.partner.length === 0)
      throw new RangeError("partner_mail_missing needs server.partner");
  }

  /** The normal episodes of a class. */
  usual(name: string): readonly Episode[] {
    return name === "in_ham" ? this.usualMail : this.material.pool("normal", name);
  }

  /** What begins in the `ms` milliseconds after `time`. partnerFails: whether the partner's mail planned for a time stays away. */
  *arrivals(time: number, ms: number, partnerFails: (at: number) => boolean): Generator<Arrival> {
    const { server, seed } = this.plan;
    const random = stream(seed, "routine", time);
    const some = (pool: readonly Episode[]): Episode => pool[random.int(pool.length)]!;
    const within = (at: number): boolean => at >= time && at < time + ms;

    const probes = this.material.pool("normal", "monitor");
    if (probes.length > 0 && (server.mix?.["monitor"] ?? 1) > 0)
      for (let at = Math.ceil(time / PROBE_MS) * PROBE_MS; at < time + ms; at += PROBE_MS)
        yield normally(at + random.uniform() * 1000, some(probes));

    const system = this.material.pool("normal", "sys");
    if (system.length > 0)
      for (let n = random.poisson((SYSTEM_PER_DAY * ms) / DAY); n > 0; n--)
        yield normally(time + random.uniform() * ms, some(system));

    const midnight = this.midnight(time);
    const growth = (1 + (server.growth ?? 0)) ** ((time - instant(this.plan.start)) / (7 * DAY));
    if (server.partner !== undefined && this.partner.length > 0) {
      const at = midnight + server.partner.hour * HOUR;
      if (within(at) && !partnerFails(at)) {
        const begin = at + random.uniform() * PARTNER_LATE_MS;
        for (let n = random.poisson(server.partner.mails * growth); n > 0; n--)
          yield normally(begin + random.uniform() * PARTNER_MS, some(this.partner));
      }
    }
    const applications = this.material.pool("normal", "app_mail");
    if (server.monthly !== undefined && applications.length > 0) {
      const at = midnight + server.monthly.hour * HOUR;
      const [, , day] = civilFromDays(Math.floor((time + this.zone.offsetAt(time)) / DAY));
      if (day === server.monthly.day && within(at))
        for (let n = random.poisson(server.monthly.mails); n > 0; n--)
          yield normally(at + random.uniform() * MONTHLY_MS, some(applications));
    }
    const mailings = this.material.pool("normal", "newsletter");
    for (const { kind, start, minutes, intensity } of this.plan.surges ?? []) {
      if (kind !== "newsletter" || mailings.length === 0 || !within(instant(start))) continue;
      for (let n = 0; n < intensity; n++)
        yield normally(instant(start) + random.uniform() * minutes * 60_000, some(mailings));
    }
  }

  /** The beginning of the local day that holds `time`, by the offset at that time. */
  private midnight(time: number): number {
    const offset = this.zone.offsetAt(time);
    return Math.floor((time + offset) / DAY) * DAY - offset;
  }
}

/** An organisation with enough recordings, and as few as that allows, so that its absence elsewhere is hardly felt. */
function partnerOf(mail: readonly Episode[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { org } of mail) if (org !== undefined) counts.set(org, (counts.get(org) ?? 0) + 1);
  const enough = [...counts].filter(([, n]) => n >= PARTNER_EPISODES);
  const from = enough.length > 0 ? enough : [...counts];
  return from.sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0];
}
