import { spawn } from "node:child_process";
import { setPriority } from "node:os";
import { Deliverer } from "../deliver/deliverer.ts";
import { Links } from "../deliver/links.ts";
import { HARMLESS } from "../deliver/saying.ts";
import type { AlertRecord } from "../detect/alert.ts";
import type { Told } from "../engine/engine.ts";
import { Fault } from "../fault.ts";
import { dayHour } from "../mail/summary-day.ts";
import { folderBytes } from "../store/folder.ts";
import { linkKey } from "../store/link-key.ts";
import { Committer } from "./committer.ts";
import { type Answer, feedbackPage } from "./feedback-pages.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type Figures, metricsText, serveMetrics, writeTextfile } from "./metrics.ts";
import { type Opened, type OpenOptions, openWatch } from "./open.ts";
import { Pump } from "./pump.ts";
import { Settling } from "./settling.ts";
import { SystemdNotify } from "./signals.ts";
import { type Health, Watch } from "./watch.ts";

/** Behind the mail: lower than what any daemon of it runs at. */
const NICENESS = 10;
const HOUSEKEEPING_MS = 6 * 3_600_000;
/** How often a new model is looked for. */
const MODEL_MS = 30_000;

export type ServiceOptions = Omit<OpenOptions, "now"> & {
  /** Of Logvane. */
  readonly release: string;
  /** Reads what is there now, delivers what is due, and ends. */
  readonly once: boolean;
};

/** How a service ended. */
export type Ended = {
  /** It was told to, all was read, or another model is in use now. */
  readonly why: "stopped" | "read" | "model";
  readonly lines: number;
  /** Alerts that opened, those held back left out; with `once` alone, since a daemon lives long. */
  readonly opened: readonly AlertRecord[];
};

/**
 * Runs a watch until the signal, with all that stands around it: delivery, metrics, heartbeat, watchdog, housekeeping.
 * Throws a Fault when it can't begin, or its end can't be written.
 */
export async function runService(options: ServiceOptions, signal: AbortSignal): Promise<Ended> {
  const now = Date.now;
  if (!options.once) yieldToMail();
  const opened = await openWatch({ ...options, now });
  try {
    return await new Service(options, opened, signal).run();
  } finally {
    await opened.close();
  }
}

class Service {
  readonly #options: ServiceOptions;
  readonly #opened: Opened;
  readonly #stop = new AbortController();
  readonly #links: Links | undefined;
  readonly #pump: Pump;
  readonly #watch: Watch;
  readonly #heartbeat: Heartbeat;
  readonly #notify = new SystemdNotify();
  readonly #complained = new Set<string>();
  readonly #alerts: AlertRecord[] = [];
  #why: Ended["why"] = "read";
  #figures: Figures | undefined;
  #keptAt = Number.NEGATIVE_INFINITY;
  #modelAt = 0;

  constructor(options: ServiceOptions, opened: Opened, signal: AbortSignal) {
    this.#options = options;
    this.#opened = opened;
    const { config, stateDir, release, fault, say } = options;
    const { store, engine, follower } = opened;
    const now = Date.now;
    const end = (): void => this.#end("stopped");
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
    const log = (entry: Fault | string): void => {
      if (typeof entry === "string") say(`${entry}\n`);
      else fault(entry);
    };
    const { url } = config.web;
    this.#links = url === undefined ? undefined : new Links(url, linkKey(stateDir));
    const deliverer = new Deliverer({
      ...{ outbox: store.outbox, config, release, now, log, harmless: HARMLESS, links: this.#links },
      signal: this.#stop.signal,
    });
    this.#pump = new Pump(deliverer, fault);
    this.#heartbeat = new Heartbeat(config.heartbeat, (what) => this.#once(what));
    const settling = new Settling();
    this.#watch = new Watch({
      ...{ store, engine, follower, fault, now },
      committer: new Committer({
        ...{ store, engine, follower, stateDir, now, fault },
        channels: config.channels,
        told: (told) => this.#told(told),
      }),
      committed: () => {
        this.#pump.wake();
        settling.at(engine.last);
      },
      round: (health) => this.#round(health),
      signal: this.#stop.signal,
    });
  }

  async run(): Promise<Ended> {
    const { config, once, fault } = this.#options;
    const { listen } = config.metrics;
    const server =
      listen === undefined || once
        ? undefined
        : serveMetrics(
            listen,
            () => (this.#figures ? metricsText(this.#figures) : ""),
            (error) => fault(metricsFault(listen, error)),
            (method, path) => this.#page(method, path),
          );
    this.#notify.ready("watching");
    try {
      await this.#watch.run(once);
      if (once) this.#pump.wake();
    } finally {
      this.#notify.stopping();
      await this.#pump.stop();
      server?.close();
    }
    return { why: this.#why, lines: this.#watch.lines, opened: this.#alerts };
  }

  #page(method: string, path: string): Answer | undefined {
    const { config, say } = this.#options;
    const links = this.#links;
    if (links === undefined) return undefined;
    const { store } = this.#opened;
    return feedbackPage(method, path, { store, links, timeZone: config.log.timezone, now: Date.now, say });
  }

  #told(told: readonly Told[]): void {
    if (!this.#options.once) return;
    for (const { event, alert } of told)
      if (event === "opened" && alert["held"] !== true) this.#alerts.push(alert);
  }

  #end(why: Ended["why"]): void {
    this.#why = why;
    this.#stop.abort();
  }

  #round(health: Health): void {
    const { config, stateDir, release } = this.#options;
    const { store, champion } = this.#opened;
    const today = dayHour(health.now, config.log.timezone).day;
    const counts = store.outbox.counts();
    this.#figures = {
      ...health,
      release,
      today: store.live.day(today),
      waiting: counts.reduce((sum, c) => sum + c.waiting, 0),
      givenUp: counts.reduce((sum, c) => sum + c.givenUp, 0),
      trainedUntil: champion.model.to,
      memory: process.memoryUsage.rss(),
      state: folderBytes(stateDir),
    };
    this.#writeMetrics(this.#figures);
    const steady = performance.now();
    // Silence is what tells others that something is wrong, so a daemon that can't write keeps silent.
    if (!health.stuck) this.#heartbeat.beat(health.now, steady);
    this.#notify.alive(statusText(this.#figures), steady);
    this.#keepHouse(health, steady);
    if (steady - this.#modelAt < MODEL_MS) return;
    this.#modelAt = steady;
    const inUse = store.championId();
    if (inUse !== undefined && inUse !== champion.id && !this.#options.once) this.#end("model");
  }

  #keepHouse({ now, stuck }: Health, steady: number): void {
    if (stuck || steady - this.#keptAt < HOUSEKEEPING_MS) return;
    this.#keptAt = steady;
    try {
      this.#opened.store.prune(this.#options.config.keep, now);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#options.fault(error); // nothing is lost by keeping it until the next time
    }
  }

  #writeMetrics(figures: Figures): void {
    const { textfile } = this.#options.config.metrics;
    if (textfile === undefined) return;
    try {
      writeTextfile(textfile, metricsText(figures));
    } catch (error) {
      this.#once(`cannot write the metrics ${textfile} (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  /** Says the same thing once. */
  #once(what: string): void {
    if (this.#complained.has(what)) return;
    this.#complained.add(what);
    this.#options.say(`${what}\n`);
  }
}

function statusText({ lines, open, waiting, stuck }: Figures): string {
  if (stuck) return "what was read can't be written: reading pauses";
  return `${lines} lines read, ${open} incidents open, ${waiting} notifications waiting`;
}

/** Lets the mail have the processor and the disk first. What the system refuses is no harm. */
function yieldToMail(): void {
  try {
    setPriority(NICENESS);
  } catch {
    // not allowed, or lower already
  }
  const child = spawn("ionice", ["-c3", "-p", String(process.pid)], { stdio: "ignore" });
  child.on("error", () => undefined);
  child.unref();
}

const metricsFault = (
  { address, port }: { readonly address: string; readonly port: number },
  error: Error,
): Fault =>
  new Fault(
    "unavailable",
    `cannot answer /metrics (${(error as NodeJS.ErrnoException).code ?? error.message})`,
    `metrics.listen, ${address}:${port}`,
    "nobody can read the metrics; watching goes on",
    "choose another port, or stop the program that has this one (ss -ltnp shows it)",
  );
