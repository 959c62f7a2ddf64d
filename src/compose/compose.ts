import { Zone } from "../log/zone.ts";
import { AddressBook } from "./addresses.ts";
import { type Arrival, FaultRun, normally } from "./faults.ts";
import { fill, type LooseLine, type Scene } from "./fill.ts";
import { type Form, formOf } from "./form.ts";
import { HeaderWriter } from "./header.ts";
import { Processes, QueueIds } from "./ids.ts";
import type { Episode, Material } from "./material.ts";
import { NameBook, RECORDED_OWN } from "./names.ts";
import { Outages } from "./outage.ts";
import { checkPlan, instant, type Maintenance, type Plan } from "./plan.ts";
import { Rhythm, TRAFFIC } from "./rhythm.ts";
import { Routine } from "./routine.ts";
import { type Stream, stream } from "./stream.ts";

/** Time is composed piece by piece; a line waits in memory until its piece comes. */
const PIECE_MS = 300_000;
const DAY = 86_400_000;
/** Programs whose lines go with those of another. */
const BELONGS: Readonly<Record<string, RegExp>> = {
  postscreen: /^postfix\/(?:postscreen|dnsblog|tlsproxy)$/,
};

/** A line of the composed log. */
export type ComposedLine = {
  /** ms since 1970. */
  readonly time: number;
  /** With its head, without LF. */
  readonly text: string;
  /** The index of the fault in the plan of which it is a trace, or -1. */
  readonly fault: number;
};

/**
 * Composes a server's log from recorded episodes, in the order of time, a few minutes at a time: memory depends on what is
 * open (retries, sessions), never on the length. The same plan and episodes give the same lines. Throws RangeError for
 * a plan that can't be composed.
 */
export function* compose(plan: Plan, material: Material): Generator<readonly ComposedLine[]> {
  checkPlan(plan);
  const composer = new Composer(plan, material);
  const start = instant(plan.start);
  const end = start + plan.days * DAY;
  for (let piece = 0; start + piece * PIECE_MS < end; piece++) yield composer.piece(piece);
}

class Composer {
  private readonly plan: Plan;
  private readonly material: Material;
  private readonly start: number;
  private readonly end: number;
  private readonly scene: Scene;
  private readonly rhythm: Rhythm;
  private readonly routine: Routine;
  private readonly faults: readonly FaultRun[];
  /** Those of the faults that keep lines from being written. */
  private readonly hiding: readonly FaultRun[];
  /** Those that put the clock wrong. */
  private readonly clocks: readonly FaultRun[];
  private readonly outages: Outages;
  private readonly without: readonly RegExp[];
  private readonly forms = new Map<Episode, Form>();
  /** Lines by the piece of time into which they fall. */
  private readonly waiting = new Map<number, LooseLine[]>();

  constructor(plan: Plan, material: Material) {
    this.plan = plan;
    this.material = material;
    this.start = instant(plan.start);
    this.end = this.start + plan.days * DAY;
    const { server, seed } = plan;
    const zone = new Zone(server.zone);
    const people = material.people();
    const names = new NameBook(
      server,
      seed,
      people.map((user) => user.split("@")[0]!),
    );
    const addresses = new AddressBook(seed, server.domain, server.own?.networks);
    this.scene = {
      names,
      addresses,
      queueIds: new QueueIds(seed, server.longQueueIds === true),
      processes: new Processes(seed),
      header: new HeaderWriter(server.header, zone, server.host),
    };
    this.rhythm = new Rhythm(plan, zone);
    this.routine = new Routine(plan, zone, material);
    const own = people
      .filter((user) => user.endsWith(`@${RECORDED_OWN[0]}.example`))
      .map((user) => user.split("@")[0]!);
    this.faults = (plan.faults ?? []).map(
      (fault, i) => new FaultRun(fault, i, seed, material, addresses, own),
    );
    this.hiding = this.faults.filter(
      ({ kind }) => ["silence", "daemon"].includes(kind.way) || kind.mutes !== undefined,
    );
    this.clocks = this.faults.filter(({ kind }) => kind.clockMs !== undefined);
    this.outages = new Outages(plan.maintenance ?? [], seed);
    this.without = (server.without ?? []).map(
      (name) => BELONGS[name] ?? new RegExp(`^(?:postfix/)?${name.replace(/[^\w/-]/g, "")}$`),
    );
  }

  /** The lines of one piece of time. Pieces are asked for in order. */
  piece(index: number): ComposedLine[] {
    const from = this.start + index * PIECE_MS;
    const arrivals = [...this.arrivals(from)].sort((a, b) => a.at - b.at);
    for (const [i, arrival] of arrivals.entries())
      this.write(arrival, stream(this.plan.seed, "episode", from, i));
    const lines = (this.waiting.get(index) ?? []).sort((a, b) => a.time - b.time);
    this.waiting.delete(index);
    const { header } = this.scene;
    return lines.map(({ time, tag, pid, text, fault }) => ({
      time,
      text: header.write(time + this.clockAt(time), tag, pid, text),
      fault,
    }));
  }

  /** How far the server's clock is off, in ms. */
  private clockAt(time: number): number {
    return this.clocks.find((fault) => fault.covers(time))?.kind.clockMs ?? 0;
  }

  private *arrivals(from: number): Generator<Arrival> {
    const acting = this.faults.filter((f) => f.from < from + PIECE_MS && f.to > from - PIECE_MS);
    for (const arrival of this.normal(from)) {
      let turned: Arrival | undefined = arrival;
      for (const fault of acting)
        if (turned !== undefined && fault.covers(turned.at))
          turned = fault.turn(turned, stream(this.plan.seed, "turn", fault.index, turned.at));
      if (turned !== undefined) yield turned;
    }
    for (const fault of acting) yield* fault.arrivals(from, PIECE_MS);
  }

  private *normal(from: number): Generator<Arrival> {
    for (const traffic of TRAFFIC) {
      const pool = this.routine.usual(traffic.name);
      if (pool.length === 0) continue;
      const random = stream(this.plan.seed, traffic.name, from);
      for (let n = random.poisson(this.rhythm.expected(traffic, from, PIECE_MS)); n > 0; n--)
        yield normally(from + random.uniform() * PIECE_MS, pool[random.int(pool.length)]!);
    }
    const missing = this.faults.filter((fault) => fault.kind.way === "partner");
    yield* this.routine.arrivals(from, PIECE_MS, (at) => missing.some((fault) => fault.covers(at)));
    for (const maintenance of this.plan.maintenance ?? []) yield* this.maintain(maintenance, from);
  }

  /** The system's lines of a reload, a restart or a renewed certificate. */
  private *maintain({ kind, at, minutes }: Maintenance, from: number): Generator<Arrival> {
    const time = instant(at);
    if (time < from || time >= from + PIECE_MS) return;
    const state = { reload: "maint_reload", restart: "maint_restart", certificate: "maint_cert" }[kind];
    const clusters = this.material.pool(state, "sys").filter((e) => e.part === "on");
    if (clusters.length === 0) throw new RangeError(`nothing was recorded of a ${kind}`);
    if (kind !== "restart") {
      for (const [i, episode] of clusters.entries()) yield normally(time + i * 500, episode);
      return;
    }
    const holding = (word: string): Episode[] =>
      clusters.filter((e) => e.lines.some((l) => l[3].startsWith(word)));
    const random: Stream = stream(this.plan.seed, "restart", time);
    const n = random.int(holding("stopping").length);
    const stop = holding("stopping")[n];
    const go = holding("starting")[n];
    if (stop === undefined || go === undefined) throw new RangeError("nothing was recorded of a restart");
    yield normally(time, stop);
    const down = minutes === undefined ? 3000 + random.uniform() * 9000 : minutes * 60_000;
    yield normally(time + down, go);
  }

  private write(arrival: Arrival, random: Stream): void {
    const { at, episode } = arrival;
    const isRestart = episode.state === "maint_restart";
    if (!isRestart && this.outages.covers(at)) return;
    let form = this.forms.get(episode);
    if (form === undefined) {
      form = formOf(episode, this.scene.names, this.scene.addresses);
      this.forms.set(episode, form);
    }
    if (episode.class === "sys" && episode.lines[0]![3].startsWith("starting the Postfix"))
      this.scene.processes.restart();
    fill(this.scene, form, arrival, random, (line) =>
      this.put(isRestart ? line : this.outages.turn(line, at)),
    );
  }

  private put(line: LooseLine): void {
    const { time, tag } = line;
    if (time >= this.end || this.without.some((program) => program.test(tag))) return;
    for (const fault of this.hiding) if (fault.hides(time, tag, line.fault)) return;
    const index = Math.floor((time - this.start) / PIECE_MS);
    const lines = this.waiting.get(index);
    if (lines === undefined) this.waiting.set(index, [line]);
    else lines.push(line);
  }
}
