import { performance } from "node:perf_hooks";
import type { ListenConfig, LogConfig } from "../config/config.ts";
import type { Fault } from "../fault.ts";
import { Zone } from "../log/zone.ts";
import type { From } from "./begin.ts";
import { Condition } from "./condition.ts";
import { DISK, type Disk } from "./disk.ts";
import { bugFault, followFault, stalledFault, stateOf } from "./follow-fault.ts";
import { FileSource } from "./follow-file.ts";
import { JOURNAL_SOURCE, JournalSource } from "./follow-journal.ts";
import type { Followed, SourceStatus } from "./followed.ts";
import { ListenSource, listenSourceId } from "./listen.ts";
import { Merge } from "./merge.ts";
import { isPattern, matching, namesPath } from "./paths.ts";
import { type FilePosition, fileSourceId, type Position, type Run } from "./position.ts";

/** Files are looked at so often: a line is seen within a second, also where the system tells nobody of changes (NFS). */
const POLL_MS = 500;
/** Where nothing has changed for so many looks, a minute, the next ones are so many times as long apart: still less than a second. */
const CALM_AFTER = 120;
const CALM_POLLS = 1.8;
/** Sources that are due within this part of a poll are looked at together: one timer wakes for all. */
const TOGETHER = 0.25;
/** A file that was rotated away is left when it has not grown for so many looks: its writer was told to open the new one. */
const QUIET_POLLS = 2;
/** Patterns are expanded again so often. */
const SCAN_MS = 10_000;
/** The others don't wait longer than this for a source that is being looked at. */
const WAIT_MS = 1_000;
/** When an operation has not returned for so long, the source stalls. */
const STALL_MS = 10_000;
/** After a bug a source is tried again when so many looks have passed: ten seconds. */
const BUG_POLLS = 20;
/** A file that a pattern brought is forgotten when it has been gone for so long. */
const FORGET_MS = 3_600_000;

export type FollowOptions = {
  readonly stateDir: string;
  /** The system's time, milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Where sources without a position begin, if nothing was ever read. Default: at their ends. */
  readonly from?: From;
  readonly disk?: Disk;
  /** Files are looked at so often, in milliseconds. Default POLL_MS; tests have less time. */
  readonly pollMs?: number;
};

type Entry = {
  readonly source: Followed;
  /** Brought by a pattern. */
  readonly found: boolean;
  /** Since when a step is under way, of `ticks`. */
  busy: number | undefined;
  due: number;
  /** When it was last not quiet, of `ticks`. */
  stirred: number;
  stallTold: boolean;
  /** Steps that threw, which is a bug; and the last one, until one succeeds. */
  failures: number;
  failure: Failure | undefined;
};

/** since: the system's time. until: when it is tried again, of `ticks`. */
type Failure = { readonly fault: Fault; readonly since: number; readonly until: number };

const ticks = (): number => performance.now();

/**
 * Follows the sources of the settings: log files over their rotations, the journal, syslog listeners. Lines come in runs, each line
 * once; a run's positions are what the reader commits with its effects, and a follower that is opened with the positions committed
 * last goes on behind them. Sources with a backlog are merged by the times of their lines, to a minute.
 */
export class Follower {
  private readonly entries = new Map<string, Entry>();
  private readonly patterns: readonly { readonly pattern: string; readonly condition: Condition }[];
  private readonly disk: Disk;
  private readonly merge: Merge;
  private readonly options: FollowOptions;
  private readonly zone: Zone;
  private readonly pollMs: number;
  private scanning = false;
  private scanDue = 0;
  private closed = false;
  private wake: () => void = () => undefined;
  private readonly news: Fault[] = [];

  private constructor(config: LogConfig, options: FollowOptions) {
    this.options = options;
    this.disk = options.disk ?? DISK;
    this.zone = new Zone(config.timezone);
    this.merge = new Merge(this.zone, options.now);
    this.patterns = config.paths
      .filter(isPattern)
      .map((pattern) => ({ pattern, condition: new Condition(options.now) }));
    this.pollMs = options.pollMs ?? POLL_MS;
  }

  /** positions: those committed last, by source. */
  static async open(
    config: LogConfig,
    positions: ReadonlyMap<string, Position>,
    options: FollowOptions,
  ): Promise<Follower> {
    const follower = new Follower(config, options);
    const from = fromOf(positions, options.from);
    const known = (path: string): FilePosition | undefined => {
      const position = positions.get(fileSourceId(path));
      return position?.kind === "file" ? position : undefined;
    };
    for (const path of config.paths) if (!isPattern(path)) follower.addFile(path, known(path), from, false);
    for (const id of positions.keys()) {
      const path = id.slice(fileSourceId("").length);
      const matched =
        id.startsWith(fileSourceId("")) && follower.patterns.some((p) => namesPath(p.pattern, path));
      if (matched) follower.addFile(path, known(path), from, true);
    }
    if (config.journal) follower.addJournal(config.units, positions.get(JOURNAL_SOURCE), from);
    for (const listen of config.listen) follower.addListener(listen, positions);
    void follower.scan(from);
    await follower.settle();
    return follower;
  }

  /** Waits until each source was looked at, so that its position is known; not for one that stalls. */
  private async settle(): Promise<void> {
    const until = ticks() + STALL_MS;
    for (let now = ticks(); now < until; now = ticks()) {
      this.kick();
      const open = [...this.entries.values()].some((entry) => entry.busy !== undefined || entry.due === 0);
      if (!this.scanning && !open) return;
      await this.sleep(until - now);
    }
  }

  /** The next lines, or undefined when none came within waitMs, or a little less. The run before is no longer valid. */
  async next(waitMs: number): Promise<Run | undefined> {
    const until = ticks() + waitMs;
    for (let slept = false; ; slept = true) {
      if (!slept || ticks() < until) this.kick(); // what begins when the time is over would never be seen at its end
      if (!this.isUnsettled()) {
        const run = this.merge.take(this.sources());
        if (run !== undefined) return run;
      }
      const now = ticks();
      const due = this.nextDue(now);
      // To sleep for the rest of the time alone would wake the process once more.
      const last = slept && due > until && until - now <= TOGETHER * this.pollMs;
      if (now >= until || last || this.closed) return undefined;
      await this.sleep(Math.min(until, due) - now);
    }
  }

  /** Whether each source was looked at and has no lines at hand: all that is there now was handed out. */
  get caughtUp(): boolean {
    if (this.scanning) return false;
    return [...this.entries.values()].every(
      ({ source, busy, due }) => busy === undefined && due > 0 && !source.more && source.ready === undefined,
    );
  }

  /** Where each source is, behind the lines handed out: what to commit before the first line, so that a restart goes on there. */
  positions(): Map<string, Position> {
    const out = new Map<string, Position>();
    for (const { source } of this.entries.values()) {
      const position = source.position();
      if (position !== undefined) out.set(source.id, position);
    }
    return out;
  }

  /** These positions were committed: what listeners keep before them is removed. */
  committed(positions: ReadonlyMap<string, Position>): void {
    for (const { source } of this.entries.values()) {
      const position = positions.get(source.id);
      if (position !== undefined) source.committed?.(position);
    }
  }

  /** All sources, and the patterns that bring none. */
  status(): SourceStatus[] {
    const out: SourceStatus[] = [];
    for (const { pattern, condition } of this.patterns) {
      const { state, since, lost, shown } = condition;
      if (state !== "ok")
        out.push({ source: fileSourceId(pattern), state, since, behind: 0, lost, fault: shown });
    }
    for (const entry of this.entries.values()) {
      const { failures, failure } = entry;
      const own = failures > 0 ? { ...entry.source.status(), failures } : entry.source.status();
      const status: SourceStatus =
        failure === undefined ? own : { ...own, state: "failed", since: failure.since, fault: failure.fault };
      const stalled = this.stalledFor(entry);
      const since = this.options.now() - stalled;
      const fault = stalledFault(entry.source.id);
      out.push(stalled < STALL_MS ? status : { ...status, state: "stalled", since, fault });
    }
    return out;
  }

  /** What went wrong or was lost since the last call, each told once. */
  faults(): Fault[] {
    for (const { condition } of this.patterns) this.news.push(...condition.news());
    for (const entry of this.entries.values()) {
      this.news.push(...entry.source.news());
      const stalled = this.stalledFor(entry) >= STALL_MS;
      if (stalled && !entry.stallTold) this.news.push(stalledFault(entry.source.id));
      entry.stallTold = stalled;
    }
    return this.news.splice(0);
  }

  /**
   * The lines of a run again, after a crash, wherever rotation has put them by now. To be called before the first `next`. The
   * runs may be cut otherwise. Throws a Fault when lines are gone.
   */
  reread(run: Pick<Run, "source" | "from" | "to">): AsyncIterable<Run> {
    const entry = this.entries.get(run.source);
    if (entry !== undefined) return entry.source.reread(run.from, run.to);
    const path = run.source.slice(fileSourceId("").length);
    return this.addFile(path, undefined, "end", true).source.reread(run.from, run.to);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.wake();
    for (const { source, busy } of this.entries.values()) if (busy === undefined) await source.close();
  }

  private sources(): Followed[] {
    return [...this.entries.values()].map((entry) => entry.source);
  }

  private addFile(path: string, position: FilePosition | undefined, from: From, found: boolean): Entry {
    const { disk, zone } = this;
    const options = { disk, zone, now: this.options.now, ticks, quietMs: QUIET_POLLS * this.pollMs };
    return this.add(new FileSource(path, position, from, options), found);
  }

  private addJournal(units: readonly string[], position: Position | undefined, from: From): void {
    const known = position?.kind === "journal" ? position : undefined;
    const { now } = this.options;
    this.add(new JournalSource(units, known, from, { now, ticks, wake: () => this.wake() }), false);
  }

  private addListener(listen: ListenConfig, positions: ReadonlyMap<string, Position>): void {
    const position = positions.get(listenSourceId(listen));
    const { stateDir, now } = this.options;
    const options = { stateDir, now, ticks, wake: () => this.wake() };
    this.add(new ListenSource(listen, position?.kind === "spool" ? position : undefined, options), false);
  }

  private add(source: Followed, found: boolean): Entry {
    const entry: Entry = this.entries.get(source.id) ?? {
      ...{ source, found, busy: undefined, due: 0, stirred: ticks(), stallTold: false },
      ...{ failures: 0, failure: undefined },
    };
    this.entries.set(source.id, entry);
    return entry;
  }

  /** Starts what can be started: a step for each source that has no lines at hand and is due, one a lane. */
  private kick(): void {
    const now = ticks();
    const lanes = new Set<string>();
    for (const { source, busy } of this.entries.values()) if (busy !== undefined) lanes.add(source.lane);
    for (const entry of this.entries.values()) {
      const soon = now + TOGETHER * this.pollMs;
      if (!this.isDue(entry, soon) || entry.busy !== undefined || lanes.has(entry.source.lane)) continue;
      if (!entry.source.more && this.isQuiet(entry)) {
        const calm = now - entry.stirred >= CALM_AFTER * this.pollMs;
        entry.due = now + this.pollMs * (calm ? CALM_POLLS : 1);
        continue;
      }
      lanes.add(entry.source.lane);
      void this.step(entry, now);
    }
    if (now >= this.scanDue && !this.scanning) void this.scan("start");
  }

  private isQuiet(entry: Entry): boolean {
    try {
      return entry.failure === undefined && entry.source.isQuiet();
    } catch (error) {
      this.failed(entry, error);
      return true;
    }
  }

  private isDue({ source, due, failure }: Entry, now: number): boolean {
    if (failure !== undefined && now < failure.until) return false;
    return source.ready === undefined && (source.more || now >= due);
  }

  private async step(entry: Entry, now: number): Promise<void> {
    entry.busy = now;
    entry.due = now + this.pollMs;
    entry.stirred = now;
    try {
      await entry.source.step();
      entry.failure = undefined;
    } catch (error) {
      this.failed(entry, error);
    }
    entry.busy = undefined;
    if (this.closed) await entry.source.close().catch(() => undefined); // the end, and nobody waits for it
    this.wake();
  }

  /** A bug of ours: the source is tried again later, the others go on. */
  private failed(entry: Entry, error: unknown): void {
    const since = entry.failure?.since ?? this.options.now();
    if (entry.failure === undefined) this.news.push(bugFault(entry.source.id, error));
    entry.failures++;
    entry.failure = {
      fault: bugFault(entry.source.id, error),
      since,
      until: ticks() + BUG_POLLS * this.pollMs,
    };
    entry.due = entry.failure.until;
  }

  /** Whether lines may turn up at once that belong before those at hand. */
  private isUnsettled(): boolean {
    const now = ticks();
    const stuck = new Set<string>();
    for (const { source, busy } of this.entries.values())
      if (busy !== undefined && now - busy >= WAIT_MS) stuck.add(source.lane);
    for (const entry of this.entries.values())
      if ((entry.busy !== undefined || this.isDue(entry, now)) && !stuck.has(entry.source.lane)) return true;
    return false;
  }

  /** Milliseconds for which a source's operation, or that of one it waits for, has not returned. */
  private stalledFor({ source }: Entry): number {
    let since = Number.POSITIVE_INFINITY;
    for (const other of this.entries.values())
      if (other.busy !== undefined && other.source.lane === source.lane) since = Math.min(since, other.busy);
    return Math.max(0, ticks() - since);
  }

  private nextDue(now: number): number {
    let due = this.scanning ? Number.POSITIVE_INFINITY : this.scanDue;
    for (const { source, busy, due: own } of this.entries.values()) {
      if (busy !== undefined) due = Math.min(due, busy + WAIT_MS > now ? busy + WAIT_MS : now + this.pollMs);
      else if (source.ready === undefined) due = Math.min(due, own);
    }
    return due;
  }

  private async sleep(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((done) => {
      this.wake = done;
      timer = setTimeout(done, Math.max(1, ms));
    });
    clearTimeout(timer);
    this.wake = () => undefined;
  }

  /** Expands the patterns again. from: where new files begin. */
  private async scan(from: From): Promise<void> {
    this.scanning = true;
    for (const { pattern, condition } of this.patterns) {
      const known = new Set([...this.entries.keys()].map((id) => id.slice(fileSourceId("").length)));
      const wrong = (error: unknown): void =>
        condition.wrong(stateOf(error), () => followFault(error, pattern));
      try {
        const paths = await matching(this.disk, pattern, known);
        for (const path of paths) if (!known.has(path)) this.addFile(path, undefined, from, true);
        if (paths.length > 0 || [...known].some((path) => namesPath(pattern, path))) condition.ok();
        else wrong(Object.assign(new Error(pattern), { code: "ENOENT" }));
      } catch (error) {
        wrong(error);
      }
    }
    this.scanning = false;
    this.scanDue = ticks() + SCAN_MS;
    await this.forget();
    this.wake();
  }

  private async forget(): Promise<void> {
    for (const { source, found, busy } of [...this.entries.values()]) {
      const { state, since } = source.status();
      if (!found || busy !== undefined || source.ready !== undefined || state !== "missing") continue;
      if (this.options.now() - since < FORGET_MS) continue;
      this.entries.delete(source.id);
      await source.close().catch((error: unknown) => this.news.push(bugFault(source.id, error)));
    }
  }
}

/**
 * Where a source without a position begins. When there are positions, files made since the last of them, or not long before it so
 * that no pattern had brought them yet, are read whole.
 */
function fromOf(positions: ReadonlyMap<string, Position>, from: From = "end"): From {
  const times = [...positions.values()].flatMap((p) => (p.kind === "file" ? [p.at] : []));
  return times.length > 0 ? { born: Math.max(...times) - SCAN_MS } : from;
}
