import type { ChannelConfig, Config } from "../config/config.ts";
import { Fault } from "../fault.ts";
import { cut, terminalSafe } from "../report/escape.ts";
import type { Notification } from "../report/notification.ts";
import type { Outbox, OutboxRow } from "../store/outbox.ts";
import { LONGEST_WAIT_MS, refusedAfter, retryAfter, tooOld } from "./backoff.ts";
import { sumUp } from "./digest.ts";
import { givenUpFault, goneFault, sendingFault } from "./fault.ts";
import type { Links } from "./links.ts";
import { holdsLock, releaseLock } from "./lock.ts";
import { standIns } from "./route.ts";
import type { Outcome, Sender, SenderContext } from "./sender.ts";
import { faultOutcome, senderOf } from "./senders.ts";

/** Alerts that wait on one channel; those beyond are summed up in one notification. */
const MAX_WAITING = 200;
/** How long the mail channel may take to get rid of an alert before others stand in. */
const LATE_MS = 10 * 60_000;
/** How long a sending that has begun may go on when we stop. systemd waits for 90 seconds. */
const GRACE_MS = 5000;
/** How long a channel rests when the state could not take down what became of a sending: a full disk stays so for a while. */
const REST_MS = 30_000;
/** Characters of what a receiver says that are kept. */
const WORDS = 400;
/** How long a drain waits for its channels: one that hangs must not keep another from the next alert. */
const PATIENCE_MS = 10_000;
const PRUNE_MS = 3_600_000;
const DAY_MS = 86_400_000;

export type DelivererOptions = {
  readonly outbox: Outbox;
  readonly config: Config;
  /** Of Logvane. */
  readonly release: string;
  /** The system's time, milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Told of what changes: a channel fails, works again, something was given up. */
  readonly log: (entry: Fault | string) => void;
  /** Aborted: nothing new is sent, and what is being sent has a few seconds. */
  readonly signal: AbortSignal;
  /** 0..1, for the spread of waits. */
  readonly chance?: () => number;
  readonly sender?: (channel: ChannelConfig, context: SenderContext) => Sender;
  readonly patienceMs?: number;
  /** Verb that marks an alert as harmless; none when absent. */
  readonly harmless?: string;
  /** Signs the links of mails; none when absent. */
  readonly links?: Links | undefined;
};

/** What came of one drain. */
export type Drained = {
  readonly sent: number;
  readonly failed: number;
  readonly givenUp: number;
  /** When something is due next; undefined when nothing waits, or another process sends. */
  readonly nextAt: number | undefined;
};

/**
 * Sends what waits in the outbox: each channel for itself, strictly in order, one at a time. What fails waits, and what
 * stands behind it on the channel waits with it. Only one process at a time sends.
 */
export class Deliverer {
  readonly #options: DelivererOptions;
  readonly #context: SenderContext;
  /** Channels that are being served. */
  readonly #busy = new Set<string>();
  /** What channels that fail were last told to fail with. */
  readonly #failing = new Map<string, string>();
  /** Rows that were sent while the state could not take it down; they are marked before anything else, not sent again. */
  readonly #unmarked = new Map<number, string | undefined>();
  /** Channels that rest until a time, after trouble with the state. */
  readonly #resting = new Map<string, number>();
  /** Channels' turns that a drain did not wait for. */
  readonly #left = new Set<Promise<void>>();
  #prunedAt = Number.NEGATIVE_INFINITY;
  /** Ends what is being sent. */
  readonly #hard = new AbortController();

  constructor(options: DelivererOptions) {
    this.#options = options;
    const { config, release, signal, harmless = "", links } = options;
    this.#context = {
      server: config.server.name,
      release,
      timeZone: config.log.timezone,
      ...{ harmless, links },
    };
    const stop = (): void => void setTimeout(() => this.#hard.abort(), GRACE_MS).unref();
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  }

  /**
   * Sends all that is due. A channel that takes long is left to itself after a while, so that the next call serves the others;
   * calls that overlap leave a channel to the one that serves it. Ends soon after the signal. Throws Fault for trouble with
   * the state alone.
   */
  async drain(): Promise<Drained> {
    const total = { sent: 0, failed: 0, givenUp: 0 };
    const { outbox, config, signal } = this.#options;
    if (signal.aborted || !holdsLock(outbox)) return { ...total, nextAt: undefined };
    this.#prune();
    this.#standIn();
    this.#dropUnknown(total);
    const time = this.#options.now();
    const free = config.channels.filter(({ name }) => !this.#busy.has(name) && !this.#rests(name, time));
    await this.#waitFor(free.map((channel) => this.#serve(channel, total)));
    return { ...total, nextAt: this.#nextAt() };
  }

  /** Waits until all that drains have begun is sent, or its channel fails, or the signal comes; then lets another process send. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#left);
    releaseLock(this.#options.outbox);
  }

  /** Waits until all have ended, but no longer than our patience lasts. What goes on then is waited for by close(). */
  async #waitFor(serving: readonly Promise<void>[]): Promise<void> {
    const all = Promise.allSettled(serving);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<undefined>((done) => {
      timer = setTimeout(() => done(undefined), this.#options.patienceMs ?? PATIENCE_MS);
    });
    const ended = await Promise.race([all, patience]);
    clearTimeout(timer);
    for (const end of ended ?? []) if (end.status === "rejected") throw end.reason;
    if (ended !== undefined) return;
    const left = all.then((ends) => {
      this.#left.delete(left);
      for (const end of ends) if (end.status === "rejected") this.#options.log(asFault(end.reason));
    });
    this.#left.add(left);
  }

  /** After trouble with the state; a time further ahead means that the clock was set back. */
  #rests(name: string, time: number): boolean {
    const until = this.#resting.get(name) ?? time;
    return until > time && until <= time + REST_MS;
  }

  #prune(): void {
    const { outbox, config, now } = this.#options;
    const time = now();
    if (Math.abs(time - this.#prunedAt) < PRUNE_MS) return;
    outbox.prune(time - config.keep.notificationsDays * DAY_MS);
    this.#prunedAt = time;
  }

  /** Alerts that mail has had for too long go to the channels that stand in for it. */
  #standIn(): void {
    const { outbox, config, now } = this.#options;
    const time = now();
    for (const mail of config.channels.filter((c) => c.type === "mail"))
      for (const row of outbox.alertsBefore(mail.name, time - LATE_MS)) {
        const names = standIns(parsed(row), config.channels);
        const key = bareKey(row);
        const missing = names.filter((name) => !outbox.holds(key, name));
        if (missing.length > 0) outbox.enqueue(key, row.payload, missing, time);
      }
  }

  /** What waits for a channel that the settings no longer have is given up. */
  #dropUnknown(total: { givenUp: number }): void {
    const { outbox, config, now } = this.#options;
    const known = new Set(config.channels.map((channel) => channel.name));
    for (const name of outbox.waitingChannels().filter((channel) => !known.has(channel))) {
      let given = 0;
      for (let row = outbox.first(name); row !== undefined; row = outbox.first(name), given++)
        outbox.markGivenUp(row.id, now(), "the settings have no such channel");
      total.givenUp += given;
      this.#options.log(goneFault(name, given, this.#where()));
    }
  }

  async #serve(channel: ChannelConfig, total: Mutable<Omit<Drained, "nextAt">>): Promise<void> {
    const { outbox, signal, now } = this.#options;
    this.#busy.add(channel.name);
    let sender: Sender | undefined;
    try {
      for (;;) {
        outbox.digest(channel.name, MAX_WAITING, now(), sumUp);
        const row = outbox.first(channel.name);
        if (row === undefined || signal.aborted || !isDue(row, now())) return;
        sender ??= (this.#options.sender ?? senderOf)(channel, this.#context);
        const outcome = await this.#send(sender, row);
        if (outcome === undefined) return;
        if (!this.#settle(channel, row, outcome, total)) return;
      }
    } catch (error) {
      this.#resting.set(channel.name, now() + REST_MS);
      throw error;
    } finally {
      sender?.close();
      this.#busy.delete(channel.name);
    }
  }

  /** Undefined when it was stopped on the way. */
  async #send(sender: Sender, row: OutboxRow): Promise<Outcome | undefined> {
    const signal = this.#hard.signal;
    if (this.#unmarked.has(row.id)) return sentAs(this.#unmarked.get(row.id));
    try {
      const { createdAt: at, reached } = row;
      const delivery = { notification: parsed(row), key: bareKey(row), at, reached };
      const outcome = await sender.send(delivery, signal);
      return signal.aborted && outcome.result !== "sent" ? undefined : madeSafe(outcome);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof Fault && error.exit !== "badData") return faultOutcome(error);
      return { result: "refused", error: `it can't be put into words: ${(error as Error).message}` };
    }
  }

  /** Writes down what came of a try. Whether the next one may be sent at once. */
  #settle(
    channel: ChannelConfig,
    row: OutboxRow,
    outcome: Outcome,
    total: Mutable<Omit<Drained, "nextAt">>,
  ): boolean {
    const { outbox, now } = this.#options;
    const time = now();
    if (outcome.result === "sent") {
      this.#unmarked.set(row.id, outcome.note);
      outbox.markSent(row.id, time, outcome.note);
      this.#unmarked.delete(row.id);
      total.sent++;
      this.#worked(channel, outcome.note);
      return true;
    }
    const tries = row.attempts + 1;
    const wait = this.#waitAfter(outcome, row, tries, time);
    if (wait === undefined) {
      outbox.markGivenUp(row.id, time, outcome.error);
      total.givenUp++;
      this.#options.log(givenUpFault(channel.name, bareKey(row), tries, outcome.error, this.#where()));
      return outcome.result === "refused";
    }
    const reached = outcome.result === "retry" ? (outcome.reached ?? row.reached) : row.reached;
    outbox.markRetry(row.id, time + wait, outcome.error, reached);
    total.failed++;
    this.#failed(channel, outcome);
    return false;
  }

  /** Milliseconds; undefined to give up. */
  #waitAfter(
    outcome: Exclude<Outcome, { result: "sent" }>,
    row: OutboxRow,
    tries: number,
    time: number,
  ): number | undefined {
    if (outcome.result === "refused") return refusedAfter(tries);
    if (tooOld(row.createdAt, time, tries)) return undefined;
    return retryAfter(tries, outcome.afterMs, (this.#options.chance ?? Math.random)());
  }

  #worked({ name }: ChannelConfig, note: string | undefined): void {
    if (this.#failing.delete(name)) this.#options.log(`channel "${name}" works again`);
    if (note !== undefined) this.#options.log(`channel "${name}": ${note}`);
  }

  /** Told once for each reason, not at every try. */
  #failed({ name }: ChannelConfig, outcome: Exclude<Outcome, { result: "sent" }>): void {
    const fault = outcome.result === "retry" ? outcome.fault : undefined;
    const why = outcome.error.replace(/\d+/g, "0");
    if (this.#failing.get(name) === why) return;
    this.#failing.set(name, why);
    const waiting = this.#options.outbox.counts().find((c) => c.channel === name)?.waiting ?? 0;
    this.#options.log(fault ?? sendingFault(name, outcome, waiting, this.#where()));
  }

  #nextAt(): number | undefined {
    const { outbox, config, now } = this.#options;
    const time = now();
    const due = config.channels
      .filter(({ name }) => !this.#busy.has(name) && !this.#rests(name, time))
      .map(({ name }) => outbox.first(name))
      .filter((row) => row !== undefined)
      .map((row) => (isDue(row, time) ? time : row.nextAt));
    const times = [...due, ...this.#lateTimes(time)];
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** When others will have to stand in for mail. */
  #lateTimes(time: number): number[] {
    const { outbox, config } = this.#options;
    if (!config.channels.some((c) => c.when === "fallback")) return [];
    return config.channels
      .filter((c) => c.type === "mail")
      .flatMap((mail) => outbox.alertsBefore(mail.name, Number.MAX_SAFE_INTEGER))
      .map((row) => row.createdAt + LATE_MS + 1)
      .filter((at) => at > time && at <= time + LATE_MS + 1);
  }

  #where(): string {
    return this.#options.config.path ?? "the settings";
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A time further ahead than any wait means that the clock was set back since. */
const isDue = ({ nextAt }: OutboxRow, now: number): boolean =>
  nextAt <= now || nextAt > now + LONGEST_WAIT_MS;

/** An outcome whose words, which a receiver may have chosen, can stand in messages of ours. */
function madeSafe(outcome: Outcome): Outcome {
  if (outcome.result !== "sent") return { ...outcome, error: cut(terminalSafe(outcome.error), WORDS) };
  return outcome.note === undefined ? outcome : sentAs(cut(terminalSafe(outcome.note), WORDS));
}

function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  throw error;
}

const sentAs = (note: string | undefined): Outcome =>
  note === undefined ? { result: "sent" } : { result: "sent", note };

const parsed = (row: OutboxRow): Notification => JSON.parse(row.payload) as Notification;

/** The notification's key: the row's without its channel. */
const bareKey = (row: OutboxRow): string => row.key.slice(0, -(row.channel.length + 1));
