import { setTimeout as sleep } from "node:timers/promises";
import type { Suppressed } from "../detect/alert.ts";
import { hiderOfBlindness } from "../detect/rules.ts";
import { BlindWatch, type Trouble } from "../engine/blind.ts";
import type { Engine } from "../engine/engine.ts";
import { Pace } from "../engine/pace.ts";
import { Fault } from "../fault.ts";
import type { Follower } from "../source/follow.ts";
import type { SourceStatus } from "../source/followed.ts";
import type { Store } from "../store/queries.ts";
import { LAST_LINE_MARKS } from "../store/rules.ts";
import type { Committer } from "./committer.ts";

/**
 * The daemon's loop: reads lines as they come, lets time pass when none do, and commits. It owns no state of its own: killed at
 * any moment, the next one goes on where the last commit was.
 */

/** How long one look for lines waits: what is new is told within this and a commit. In ms, as all below. */
const WAIT_MS = 1000;
/** Between two commits at most. */
const COMMIT_MS = 1000;
const COMMIT_LINES = 5000;
/** Between two checkpoints: what a restart has to read again at most. */
const CHECKPOINT_MS = 15 * 60_000;
const CHECKPOINT_LINES = 200_000;
/** How often time passes when no line comes. */
const TICK_MS = 60_000;
/** How often sources are looked at and life is signalled. */
const ROUND_MS = 10_000;
/** How often it is written that the daemon lives. */
const MARK_MS = 60_000;
/** Pause after a commit that failed. */
const RETRY_MS = 10_000;

export type WatchParts = {
  readonly store: Store;
  readonly engine: Engine;
  readonly follower: Follower;
  readonly committer: Committer;
  /** Called at each round: metrics, heartbeat, watchdog. */
  readonly round: (health: Health) => void;
  /** Called after each commit: there may be something to deliver. */
  readonly committed: () => void;
  readonly fault: (fault: Fault) => void;
  /** The system's time in ms. */
  readonly now: () => number;
  /** Aborted: ends after the lines at hand. */
  readonly signal: AbortSignal;
};

/** How the daemon is, for metrics and checks. */
export type Health = {
  /** The system's time in ms. */
  readonly now: number;
  /** Log time of the last line or tick, in ms. */
  readonly last: number;
  /** Lines read since the start. */
  readonly lines: number;
  readonly sources: readonly SourceStatus[];
  /** Incidents open now, those held back too. */
  readonly open: number;
  /** Whether what was read can't be written. */
  readonly stuck: boolean;
};

const BLIND_MARK = "watch.blind";
/** When the daemon was last seen alive, ISO 8601; `check` looks at both. */
const ALIVE_MARK = "watch.alive";
/** Log time of the last line, likewise. */
const LINE_MARK = LAST_LINE_MARKS[0];

/** Between two moments of this process: the system's clock may be set meanwhile. In ms. */
const steady = (): number => performance.now();

export class Watch {
  readonly #parts: WatchParts;
  readonly #pace: Pace;
  readonly #blind: BlindWatch;
  #blindWritten: string;
  /** Lines lost by each source, as counted. */
  readonly #lost = new Map<string, number>();
  #lines = 0;
  /** Log time of the last line, not of ticks. */
  #lastLine = Number.NaN;
  /** Revision of the rules that the engine obeys. */
  #rules = Number.NaN;
  #uncommitted = 0;
  #sinceCheckpoint = 0;
  /** All of `steady`. */
  #committedAt = Number.NEGATIVE_INFINITY;
  #checkpointAt: number = steady();
  #tickAt: number = steady(); // at the start what is there has to be read first
  #roundAt = Number.NEGATIVE_INFINITY;
  #markAt = Number.NEGATIVE_INFINITY;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    const { engine, store } = parts;
    this.#pace = new Pace(engine.last, steady);
    this.#blindWritten = store.outbox.mark(BLIND_MARK) ?? "";
    this.#blind = new BlindWatch(this.#blindWritten);
  }

  /** Lines read. */
  get lines(): number {
    return this.#lines;
  }

  /** Watches until the signal; `once`: until no more lines are there. Throws a Fault when the end can't be written. */
  async run(once: boolean): Promise<void> {
    const { signal, follower, committer } = this.#parts;
    this.#obey();
    this.#commit(true); // what inputs are counted from; after a crash it takes the place of those that were taken in again
    while (!signal.aborted) {
      const more = await this.#step(!once);
      if (once && !more && follower.caughtUp && !committer.stuck) break;
    }
    if (!this.#commit(true)) throw unwritten();
  }

  /** ticking: time passes also when no line comes. Returns whether lines came. */
  async #step(ticking: boolean): Promise<boolean> {
    const { engine, follower, committer, now, signal } = this.#parts;
    if (committer.stuck && !this.#commit(false)) {
      if (steady() - this.#roundAt >= ROUND_MS) this.#round();
      await sleep(RETRY_MS, undefined, { signal, ref: true }).catch(() => undefined);
      return false;
    }
    const run = await follower.next(WAIT_MS);
    if (run) {
      engine.take(run);
      this.#lines += run.lines.count;
      this.#uncommitted += run.lines.count;
      this.#sinceCheckpoint += run.lines.count;
      this.#lastLine = engine.last;
      this.#pace.line(engine.last, now());
    } else if (ticking && steady() - this.#tickAt >= TICK_MS) {
      this.#tickAt = steady();
      if (!this.#blind.blind) engine.tick(this.#pace.passed());
    }
    if (steady() - this.#roundAt >= ROUND_MS) this.#round();
    const due = run === undefined || steady() - this.#committedAt >= COMMIT_MS;
    if (due || this.#uncommitted >= COMMIT_LINES) {
      this.#obey();
      this.#commit(this.#checkpointDue());
    }
    return run !== undefined;
  }

  /** Takes in what the operator has said since the last look. A state that can't be read now is asked again at the next commit. */
  #obey(): void {
    const { store, engine } = this.#parts;
    try {
      const revision = store.rules.revision();
      if (revision === this.#rules) return;
      engine.obey(store.rules.inForce());
      this.#rules = revision;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }

  #checkpointDue(): boolean {
    if (this.#sinceCheckpoint >= CHECKPOINT_LINES) return true;
    return this.#sinceCheckpoint > 0 && steady() - this.#checkpointAt >= CHECKPOINT_MS;
  }

  #commit(checkpoint: boolean): boolean {
    const { committer, committed } = this.#parts;
    if (!committer.commit(checkpoint)) return false;
    this.#committedAt = steady();
    this.#uncommitted = 0;
    if (checkpoint) {
      this.#checkpointAt = steady();
      this.#sinceCheckpoint = 0;
    }
    committed();
    return true;
  }

  #round(): void {
    const { engine, follower, committer, now, round, fault } = this.#parts;
    this.#roundAt = steady();
    for (const one of follower.faults()) fault(one);
    const sources = follower.status();
    for (const { source, lost } of sources) {
      engine.lost(lost.lines - (this.#lost.get(source) ?? 0));
      this.#lost.set(source, lost.lines);
    }
    const marked = this.#mark(); // before the next look: what that tells is not written yet
    const hider = (source: string): Suppressed | undefined => hiderOfBlindness(source, now(), engine.rules);
    committer.tell(this.#blind.look(troublesOf(sources), now(), hider));
    round({
      now: now(),
      last: engine.last,
      lines: this.#lines,
      sources,
      open: engine.open.length,
      stuck: !marked,
    });
  }

  /** Writes what can't be seen, and now and then that the daemon lives. Returns whether what is due could be written. */
  #mark(): boolean {
    const { committer, now } = this.#parts;
    const marks = new Map<string, string>();
    const blind = this.#blind.save();
    if (blind !== this.#blindWritten) marks.set(BLIND_MARK, blind);
    const alive = steady() - this.#markAt >= MARK_MS;
    if (alive) {
      marks.set(ALIVE_MARK, new Date(now()).toISOString());
      if (Number.isFinite(this.#lastLine)) marks.set(LINE_MARK, new Date(this.#lastLine).toISOString());
    }
    if (!committer.mark(marks)) return false;
    this.#blindWritten = blind;
    if (alive) this.#markAt = steady();
    return true;
  }
}

const troublesOf = (sources: readonly SourceStatus[]): Trouble[] =>
  sources
    .filter(({ state }) => state !== "ok")
    .map(({ source, state, fault }) => ({
      source,
      what: fault?.message ?? `${source} is ${state}`,
      remedy: fault ? `What to do: ${fault.remedy}.` : "",
    }));

const unwritten = (): Fault =>
  new Fault(
    "io",
    "what was read last could not be written",
    "state folder",
    "those lines are read again at the next start, so nothing is lost while the logs are kept",
    "free some space (df -h shows where) or make the state folder writable, then start again",
  );
