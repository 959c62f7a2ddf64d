import type { ChannelConfig, Config } from "../config/config.ts";
import { Fault } from "../fault.ts";
import { cut, terminalSafe } from "../report/escape.ts";
import type { Notification } from "../report/notification.ts";
import type { Outbox, OutboxRow } from "../store/outbox.ts";
import { LONGEST_WAIT_MS, refusedAfter, retryAfter, tooOld } from "./backoff.ts";
import { sumUp } from "./digest.ts";
import { holdsLock, releaseLock } from "./lock.ts";
import { standIns } from "./route.ts";
import type { Outcome, ReportParts, Sender, SenderContext } from "./sender.ts";
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
const PRUNE_MS = 3_600_000;
const DAY_MS = 86_400_000;

export type DelivererOptions = {
  readonly outbox: Outbox;
  readonly config: Config;
  /** Of Logvane. */
  readonly release: string;
  readonly report: ReportParts;
  /** The system's time, milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Told of what changes: a channel fails, works again, something was given up. */
  readonly log: (entry: Fault | string) => void;
  /** Aborted: nothing new is sent, and what is being sent has a few seconds. */
  readonly signal: AbortSignal;
  /** 0..1, for the spread of waits. */
  readonly chance?: () => number;
  readonly sender?: (channel: ChannelConfig, context: SenderContext) => Sender;
  /** Verb that marks an alert as harmless; none when absent. */
  readonly harmless?: string;
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
  #prunedAt = Number.NEGATIVE_INFINITY;
  /** Ends what is being sent. */
  readonly #hard = new AbortController();

  constructor(options: DelivererOptions) {
    this.#options = options;
    const { config, release, report, signal, harmless = "" } = options;
    this.#context = {
      server: config.server.name,
      release,
      timeZone: config.log.timezone,
      report,
      harmless,
    };
    const stop = (): void => void setTimeout(() => this.#hard.abort(), GRACE_MS).unref();
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  }

  /**
   * Sends all that is due. May be called while another call is under way: channels that it serves are left to it. Ends soon
   * after the signal. Throws Fault for trouble with the state alone.
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
    const ended = await Promise.allSettled(free.map((channel) => this.#serve(channel, total)));
    for (const end of ended) if (end.status === "rejected") throw end.reason;
    return { ...total, nextAt: this.#nextAt() };
  }

  /** Lets another process send. To be called when no drain is under way any more. */
  close(): void {
    releaseLock(this.#options.outbox);
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
      this.#options.log(
        new Fault(
          "configuration",
          `${given} notifications waited for a channel that there no longer is: "${name}"`,
          this.#where(),
          "they are given up, and counted in the daily report; logvane alerts lists what they told",
          "nothing, if you took the channel away; a channel that is renamed loses what waits for it",
        ),
      );
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
      this.#gaveUp(channel, row, outcome.error);
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
    this.#options.log(
      fault ??
        new Fault(
          "temporary",
          `cannot send on channel "${name}": ${outcome.error}`,
          this.#where(),
          outcome.result === "refused"
            ? `what was refused is tried three times more within three hours; ${waiting} wait`
            : `${waiting} wait, in order; they are tried again for seven days, after an hour at the latest`,
          "check the channel's settings and its receiver; logvane check --send-test tries it at once",
        ),
    );
  }

  #gaveUp({ name }: ChannelConfig, row: OutboxRow, error: string): void {
    this.#options.log(
      new Fault(
        "unavailable",
        `gave up on a notification for channel "${name}" after ${row.attempts + 1} tries: ${error}`,
        this.#where(),
        `"${bareKey(row)}" is not told there; the daily report counts it, and those behind it go on`,
        "check the channel's settings and its receiver; logvane alerts lists what was not told",
      ),
    );
  }

  #nextAt(): number | undefined {
    const { outbox, config, now } = this.#options;
    const time = now();
    const due = config.channels
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

const sentAs = (note: string | undefined): Outcome =>
  note === undefined ? { result: "sent" } : { result: "sent", note };

const parsed = (row: OutboxRow): Notification => JSON.parse(row.payload) as Notification;

/** The notification's key: the row's without its channel. */
const bareKey = (row: OutboxRow): string => row.key.slice(0, -(row.channel.length + 1));
