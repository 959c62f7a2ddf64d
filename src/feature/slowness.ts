import type { MailEvent } from "../mail/event.ts";
import { PlanMemo } from "../mail/plan-memo.ts";
import { familyOf } from "./family.ts";
import type { LineLoader, LineSaver } from "./line-table.ts";
import { type SeenLine, seenLine, type Transaction } from "./transaction.ts";

/**
 * Stages of a delivery whose length tells of slowness; the time in the queue (Postfix's b) tells of a backlog. least: seconds below
 * which nobody calls it slow; who hands a message in waits for more than the server, so reception varies with its clients.
 */
export const STAGES = [
  { field: "delay_a", doing: "to be received", local: true, least: 0.3 },
  { field: "delay_c", doing: "to connect", local: false, least: 0.1 },
  { field: "delay_d", doing: "to be handed over", local: false, least: 0.1 },
] as const;

/** What has waited longer was deferred, or held: no first attempt. */
const MAX_RECEPTION = 60;
/** Messages remembered in each of two generations, so that each counts once a program: its many recipients would be slow together. */
const MAX_REMEMBERED = 8192;
/** A generation's time in ms at most: who is not delivered to on the first way through the queue has waited too long for MAX_RECEPTION. */
const GENERATION_MS = 12 * 3_600_000;
const MAX_PROGRAMS = 16;
/** What one client hands in within a minute waits for each other, so only the first of it counts. Clients and messages remembered. */
const BURST_MS = 60_000;
const MAX_BURSTS = 8192;
/** Slots back to which a delivery's line may be cited: the widest window of detect/slowness.ts. */
export const CITED_SLOTS = 72;

/** A message's first delivery by a program, on its first attempt. */
export type TimedDelivery = {
  /** The daemon, e.g. "postfix/smtp". */
  readonly program: string;
  /** Domain of the recipient, "" where there is none. */
  readonly destination: string;
  /** Seconds, in the order of STAGES. */
  readonly seconds: readonly number[];
  readonly line: SeenLine;
};

/** Deliveries as they are saved, column by column. seconds: (n, STAGES). lines: their numbers. */
export type SavedDeliveries = {
  readonly programs: readonly string[];
  readonly destinations: readonly string[];
  readonly seconds: Float64Array;
  readonly lines: Int32Array;
};

export function saveDeliveries(deliveries: readonly TimedDelivery[], lines: LineSaver): SavedDeliveries {
  const S = STAGES.length;
  const seconds = new Float64Array(deliveries.length * S);
  const numbers = new Int32Array(deliveries.length);
  const programs: string[] = [];
  const destinations: string[] = [];
  for (let i = 0; i < deliveries.length; i++) {
    const d = deliveries[i]!;
    programs.push(d.program);
    destinations.push(d.destination);
    for (let s = 0; s < S; s++) seconds[i * S + s] = d.seconds[s]!;
    numbers[i] = lines.of(d.line, CITED_SLOTS);
  }
  return { programs, destinations, seconds, lines: numbers };
}

export function loadDeliveries(saved: SavedDeliveries, lines: LineLoader): TimedDelivery[] {
  const { programs, destinations, seconds } = saved;
  const S = STAGES.length;
  return programs.map((program, i) => ({
    program,
    destination: destinations[i]!,
    seconds: STAGES.map((_, s) => seconds[i * S + s]!),
    line: lines.of(saved.lines[i]!),
  }));
}

/** What a line's plan tells: a message handed in, a delivery with its times, or neither. */
const NOTHING = 0;
const HANDED_IN = 1;
const TIMED = 2;
function partOf({ event, fields }: MailEvent): number {
  if (event === "client") return HANDED_IN;
  const isTimed = event === "delivery" && STAGES.every(({ field }) => fields[field] !== undefined);
  return isTimed ? TIMED : NOTHING;
}

type SavedGeneration = { readonly keys: readonly string[]; readonly deliveries: SavedDeliveries };
export type SavedTimer = {
  readonly seen: SavedGeneration;
  readonly before: SavedGeneration;
  readonly since: number;
  readonly programs: readonly string[];
  /** Absent in states of before. */
  readonly bursts?: SavedBursts;
};

type SavedBursts = { readonly clients: Map<string, number>; readonly followers: Set<string> };

/** Finds the messages that follow another one of their client. */
class Bursts {
  /** Client -> when the first of a burst came, in ms, the oldest first. */
  #clients = new Map<string, number>();
  /** Queue ids, the oldest first. */
  #followers = new Set<string>();

  /** A client hands in a message. */
  see(queueId: string, client: string, time: number): void {
    const since = time - (this.#clients.get(client) ?? Number.NEGATIVE_INFINITY);
    if (since >= 0 && since < BURST_MS) {
      this.#followers.add(queueId);
      if (this.#followers.size > MAX_BURSTS) this.#followers.delete(this.#followers.keys().next().value!);
      return;
    }
    this.#followers.delete(queueId); // an id that is used again
    this.#clients.delete(client);
    this.#clients.set(client, time);
    if (this.#clients.size > MAX_BURSTS) this.#clients.delete(this.#clients.keys().next().value!);
  }

  follows(queueId: string): boolean {
    return this.#followers.has(queueId);
  }

  save(): SavedBursts {
    return { clients: this.#clients, followers: this.#followers };
  }

  load({ clients, followers }: SavedBursts): void {
    this.#clients = clients;
    this.#followers = followers;
  }
}

const NONE: readonly TimedDelivery[] = [];
const byProgram = (deliveries: readonly TimedDelivery[], program: string): TimedDelivery | undefined =>
  deliveries.find((d) => d.program === program);

/** Deliveries of one generation by queue id; one of each program. */
class Generation {
  readonly #deliveries = new Map<string, TimedDelivery[]>();
  size = 0;

  all(queueId: string): readonly TimedDelivery[] {
    return this.#deliveries.get(queueId) ?? NONE;
  }

  of(queueId: string, program: string): TimedDelivery | undefined {
    return byProgram(this.all(queueId), program);
  }

  add(queueId: string, delivery: TimedDelivery): void {
    const known = this.#deliveries.get(queueId);
    if (known === undefined) this.#deliveries.set(queueId, [delivery]);
    else known.push(delivery);
    this.size++;
  }

  /** A key names program and queue id. */
  save(lines: LineSaver): SavedGeneration {
    const all = [...this.#deliveries].flatMap(([queueId, of]) => of.map((d) => [queueId, d] as const));
    return {
      keys: all.map(([queueId, { program }]) => `${program} ${queueId}`),
      deliveries: saveDeliveries(
        all.map(([, delivery]) => delivery),
        lines,
      ),
    };
  }

  static load({ keys, deliveries }: SavedGeneration, lines: LineLoader): Generation {
    const generation = new Generation();
    for (const [i, delivery] of loadDeliveries(deliveries, lines).entries())
      generation.add(keys[i]!.slice(delivery.program.length + 1), delivery);
    return generation;
  }
}

/** Finds the deliveries that tell how long deliveries take. */
export class DeliveryTimer {
  readonly #plans = new PlanMemo(partOf);
  #seen = new Generation();
  #before = new Generation();
  /** Log time of the first one in #seen, in ms. */
  #since = Number.NaN;
  /** The programs that delivered. */
  readonly #programs = new Set<string>();
  readonly #bursts = new Bursts();

  /** line: the event's, where the caller has it. */
  read(event: MailEvent, line?: SeenLine): TimedDelivery | undefined {
    const part = this.#plans.of(event);
    if (part === NOTHING) return undefined;
    const { fields, daemon, queueId } = event;
    if (part === HANDED_IN) {
      const client = fields["client_address"];
      if (queueId !== undefined && client !== undefined)
        this.#bursts.see(queueId, String(client), event.time ?? 0);
      return undefined;
    }
    const seconds = STAGES.map(({ field }) => Number(fields[field]));
    if (!seconds.every((s) => s >= 0) || seconds[0]! >= MAX_RECEPTION) return undefined;
    if (queueId === undefined || (this.#seen.of(queueId, daemon) ?? this.#before.of(queueId, daemon)))
      return undefined;
    if (this.#bursts.follows(queueId)) return undefined;
    const to = String(fields["to"] ?? "");
    const timed = {
      ...{ program: daemon, destination: to.slice(to.lastIndexOf("@") + 1).toLowerCase(), seconds },
      line: line ?? seenLine(event, event.time ?? 0, familyOf(event)),
    };
    this.#remember(queueId, timed);
    if (this.#programs.size < MAX_PROGRAMS) this.#programs.add(daemon);
    return timed;
  }

  #remember(queueId: string, timed: TimedDelivery): void {
    const { time } = timed.line;
    if (this.#seen.size === 0) this.#since = time;
    this.#seen.add(queueId, timed);
    if (this.#seen.size < MAX_REMEMBERED && time - this.#since < GENERATION_MS) return;
    this.#before = this.#seen;
    this.#seen = new Generation();
  }

  save(lines: LineSaver): SavedTimer {
    return {
      seen: this.#seen.save(lines),
      before: this.#before.save(lines),
      since: this.#since,
      programs: [...this.#programs],
      bursts: this.#bursts.save(),
    };
  }

  load({ seen, before, since, programs, bursts }: SavedTimer, lines: LineLoader): void {
    this.#seen = Generation.load(seen, lines);
    this.#before = Generation.load(before, lines);
    this.#since = since;
    for (const program of programs) this.#programs.add(program);
    if (bursts !== undefined) this.#bursts.load(bursts);
  }

  /** The first deliveries of a message that is closed, one a program. */
  closed({ type, key }: Transaction): TimedDelivery[] {
    const found: TimedDelivery[] = [];
    if (type !== "message") return found;
    const [seen, before] = [this.#seen.all(key), this.#before.all(key)];
    if (seen.length === 0 && before.length === 0) return found;
    for (const program of this.#programs) {
      const timed = byProgram(seen, program) ?? byProgram(before, program);
      if (timed !== undefined) found.push(timed);
    }
    return found;
  }
}
