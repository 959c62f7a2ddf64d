import type { AddressBook } from "./addresses.ts";
import { FAULTS, type FaultKind } from "./kinds.ts";
import type { Episode, Material } from "./material.ts";
import { RECORDED_OWN } from "./names.ts";
import { type Fault, instant } from "./plan.ts";
import { type Stream, stream } from "./stream.ts";

const HOUR = 3_600_000;
/** Clusters of the system's own lines an hour, while a state lasts. */
const SYSTEM_PER_HOUR = 12;
/** The same for each episode of an attack: 35 clusters were recorded beside 90 episodes. */
const SYSTEM_PER_ATTACK = 0.39;
/** Addresses that take part in one attack. */
const ATTACKERS: Readonly<Record<string, number>> = {
  sasl_bruteforce_fast: 40,
  compromised_account: 12,
  connection_flood: 9,
};
/** The lines of a recovery come within so many ms after the end. */
const RECOVERY_MS = 20_000;
/** Delays grow in so many steps, each twice the one before. */
const STEPS = 4;
/** Classes of mail that wait for the resolver or for remote hosts, so that slowness shows in all their lines. */
const SLOWED = new Set(["in_ham", "in_spam", "app_mail", "out_user"]);
const GUESS = /Password mismatch/;

/** An episode that is to begin at a time. */
export type Arrival = {
  readonly at: number;
  readonly episode: Episode;
  readonly pace: number;
  readonly failsUntil: number;
  readonly fault: number;
  readonly account?: string;
  readonly instead?: string;
  readonly client?: string;
};

/** An arrival of normal traffic. */
export const normally = (at: number, episode: Episode): Arrival => ({
  at,
  episode,
  pace: 1,
  failsUntil: Number.NaN,
  fault: -1,
});

const pick = <T>(pool: readonly T[], random: Stream): T => pool[random.int(pool.length)]!;
const localOf = (user: string): string => user.split("@")[0]!;
/** Lets the recorded user of `to` be the one of `from`, where both are of one domain. */
function sameUser(from: Episode, to: Episode): { account?: string; instead?: string } {
  if (from.user === undefined || to.user === undefined) return {};
  if (from.user.split("@")[1] !== to.user.split("@")[1]) return {};
  return { account: localOf(from.user), instead: localOf(to.user) };
}
const atMainDomain = (user: string | undefined): boolean =>
  user?.endsWith(`@${RECORDED_OWN[0]}.example`) === true;

/** One fault of a plan, at work. */
export class FaultRun {
  readonly fault: Fault;
  readonly kind: FaultKind;
  readonly from: number;
  readonly to: number;
  /** Its index, by which lines tell that they are its trace. */
  readonly index: number;
  private readonly material: Material;
  private readonly addresses: AddressBook;
  private readonly seed: number;
  private readonly intensity: number;
  private readonly attackers: readonly string[];
  private readonly people: readonly string[];
  private readonly target: string | undefined;
  private readonly strange = new WeakMap<Episode, boolean>();

  constructor(
    fault: Fault,
    index: number,
    seed: number,
    material: Material,
    addresses: AddressBook,
    people: readonly string[],
  ) {
    this.fault = fault;
    this.kind = FAULTS[fault.kind]!;
    this.index = index;
    this.from = instant(fault.start);
    this.to = this.from + fault.minutes * 60_000;
    this.material = material;
    this.addresses = addresses;
    this.seed = seed;
    this.intensity = fault.intensity ?? 1;
    const random = stream(seed, "fault", index);
    this.attackers = Array.from({ length: ATTACKERS[fault.kind] ?? 0 }, () => addresses.stranger(random));
    this.people = people;
    const drawn = people.length === 0 ? undefined : pick(people, random);
    this.target = fault.person === undefined ? drawn : people[fault.person % people.length];
    if (this.missing()) throw new RangeError(`nothing was recorded of which ${fault.kind} could be composed`);
  }

  covers(time: number): boolean {
    return time >= this.from && time < this.to;
  }

  /** What a normal episode becomes while this lasts; undefined when it does not come at all. */
  turn(arrival: Arrival, random: Stream): Arrival | undefined {
    const { at, episode } = arrival;
    if (this.kind.way === "delay" && this.kind.classes!.includes(episode.class)) {
      const step = Math.floor((STEPS * (at - this.from)) / (this.to - this.from));
      return { ...arrival, pace: 1 + (2 ** (step + 1) - 1) * this.intensity, fault: this.index };
    }
    if (this.kind.way !== "state" || random.uniform() >= this.intensity) return arrival;
    const state = this.stateAt(at);
    const pool = this.material.pool(state, episode.class);
    if (pool.length === 0) return this.kind.stops === "unrecorded" ? undefined : arrival;
    // A class that the fault does not touch stays as it is: few were recorded, and their few accounts would be met too often.
    if (!pool.some((one) => this.marks(one))) return arrival;
    const under = pick(pool, random);
    const fault = this.marks(under) ? this.index : -1;
    return { ...arrival, episode: under, failsUntil: this.to, fault, ...sameUser(episode, under) };
  }

  /** Whether a line that comes at a time is never written. tag: of the line. fault: whose trace it is. */
  hides(time: number, tag: string, fault: number): boolean {
    const { mutes } = this.kind;
    if (mutes !== undefined) return this.covers(time) && fault !== this.index && tag.startsWith(mutes);
    if (this.kind.way === "silence") return this.covers(time);
    return this.kind.way === "daemon" && this.covers(time) && tag.startsWith(this.fault.daemon ?? "opendkim");
  }

  /** What it brings on top of normal traffic in the `ms` milliseconds after `time`. */
  *arrivals(time: number, ms: number): Generator<Arrival> {
    const random = stream(this.seed, "fault arrivals", this.index, time);
    const own = (at: number, episode: Episode, more: Partial<Arrival> = {}): Arrival => ({
      ...normally(at, episode),
      fault: this.index,
      ...more,
    });
    if (this.kind.way === "state" || this.kind.way === "attack") yield* this.system(time, ms, random);
    const begin = Math.max(time, this.from);
    const end = Math.min(time + ms, this.to);
    if (end <= begin || this.kind.perHour === undefined) return;
    const perHour = this.kind.perHour * this.intensity;
    const pool = this.pool();
    if (this.kind.way === "guess") {
      const gap = HOUR / perHour;
      for (let n = Math.ceil((begin - this.from) / gap); this.from + n * gap < end; n++)
        yield own(this.from + (n + 0.2 * random.uniform()) * gap, pick(pool, random), this.onTarget());
      return;
    }
    for (let n = random.poisson((perHour * (end - begin)) / HOUR); n > 0; n--) {
      const episode = pick(pool, random);
      const at = begin + random.uniform() * (end - begin);
      if (this.kind.way === "attack") {
        const victim =
          episode.user === undefined ? {} : { ...this.onTarget(), instead: localOf(episode.user) };
        const client = this.attackers.length === 0 ? {} : { client: pick(this.attackers, random) };
        yield own(at, episode, { ...client, ...victim });
      } else if (this.kind.way === "networks")
        yield own(at, episode, { client: this.addresses.stranger(random), ...this.onTarget() });
      else yield own(at, episode);
    }
  }

  /** The system's own lines: at the beginning, in the midst, at the recovery. */
  private *system(time: number, ms: number, random: Stream): Generator<Arrival> {
    for (const [i, state] of this.kind.states.entries()) {
      const clusters = this.material.pool(state, "sys");
      const cluster = (at: number, episode: Episode): Arrival => ({
        ...normally(at, episode),
        fault: this.marks(episode) ? this.index : -1,
      });
      const part = (name: string): Episode[] => clusters.filter((c) => c.part === name);
      const within = (at: number): boolean => at >= time && at < time + ms;
      if (i === 0 && within(this.from))
        for (const [n, episode] of part("on").entries()) yield cluster(this.from + n * 900, episode);
      if (i === this.kind.states.length - 1 && within(this.to))
        for (const [n, episode] of part("rec").entries())
          yield cluster(this.to + Math.min(n * 1500, RECOVERY_MS), episode);
      const middle = part("mid");
      const begin = Math.max(time, this.from);
      const end = Math.min(time + ms, this.to);
      if (middle.length === 0 || end <= begin || this.stateAt(begin) !== state) continue;
      const attack = this.kind.perHour === undefined ? undefined : this.kind.perHour * SYSTEM_PER_ATTACK;
      const mean =
        ((this.kind.systemPerHour ?? attack ?? SYSTEM_PER_HOUR) * this.intensity * (end - begin)) / HOUR;
      for (let n = random.poisson(mean); n > 0; n--)
        yield cluster(begin + random.uniform() * (end - begin), pick(middle, random));
    }
  }

  private stateAt(time: number): string {
    const { states } = this.kind;
    const step = Math.floor((states.length * (time - this.from)) / (this.to - this.from));
    return states[Math.min(states.length - 1, Math.max(0, step))]!;
  }

  /** Whether an episode recorded under the state shows it: by a shape that normal traffic lacks; slowness shows in all. */
  private marks(episode: Episode): boolean {
    if (this.fault.kind === "latency_degradation" && SLOWED.has(episode.class)) return true;
    const known = this.strange.get(episode);
    if (known !== undefined) return known;
    const strange = this.material.isStrange(episode);
    this.strange.set(episode, strange);
    return strange;
  }

  private missing(): boolean {
    const { way, states } = this.kind;
    if (way === "state") return states.some((state) => !this.material.has(state));
    return this.kind.perHour !== undefined && this.pool().length === 0;
  }

  private pool(): readonly Episode[] {
    const { way, states, classes } = this.kind;
    if (way === "quota") return this.material.overQuota;
    if (way === "attack") return this.material.attacks(states[0]!);
    const all = classes!.flatMap((name) => this.material.pool("normal", name));
    if (way === "networks")
      return all.filter((e) => atMainDomain(e.user) && e.client?.startsWith("198.19.") === true);
    if (way !== "guess") return all;
    const atPerson = (text: string): boolean =>
      GUESS.test(text) && this.people.some((local) => text.includes(`(${local}@${RECORDED_OWN[0]}.example,`));
    return all.filter((e) => e.lines.some((l) => atPerson(l[3])));
  }

  private onTarget(): { account?: string } {
    return this.target === undefined ? {} : { account: this.target };
  }
}
