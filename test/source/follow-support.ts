import assert from "node:assert/strict";
import { after } from "node:test";
import type { LogConfig } from "../../src/config/config.ts";
import type { Fault } from "../../src/fault.ts";
import { Follower, type FollowOptions } from "../../src/source/follow.ts";
import type { Position, Run } from "../../src/source/position.ts";

export const logConfig = (paths: readonly string[], more: Partial<LogConfig> = {}): LogConfig => ({
  ...{ paths, journal: false, units: [], listen: [], timezone: "UTC" },
  ...more,
});

export type Seen = { readonly source: string; readonly line: number; readonly text: string };

/** What a daemon would keep: lines in order, and the positions committed with them. Can be killed and started again. */
export class Daemon {
  readonly seen: Seen[] = [];
  readonly runs: Pick<Run, "source" | "from" | "to">[] = [];
  readonly faults: Fault[] = [];
  /** Committed with the lines, as JSON. */
  private committed = new Map<string, string>();
  follower: Follower | undefined;
  private readonly config: LogConfig;
  private readonly options: Partial<FollowOptions>;

  constructor(config: LogConfig, options: Partial<FollowOptions> = {}) {
    this.config = config;
    this.options = options;
    after(() => this.kill());
  }

  get positions(): Map<string, Position> {
    return new Map([...this.committed].map(([id, json]) => [id, JSON.parse(json) as Position]));
  }

  get texts(): string[] {
    return this.seen.map((s) => s.text);
  }

  /** Opens a follower at what was committed, and commits where it begins. */
  async start(): Promise<void> {
    const options = { stateDir: "", now: Date.now, ...this.options };
    this.follower = await Follower.open(this.config, this.positions, options);
    for (const [id, position] of this.follower.positions()) this.committed.set(id, JSON.stringify(position));
  }

  /** Reads until nothing came for `quietMs`, or `runs` runs. Each run is committed but the last `lost` ones. */
  async read(quietMs = 1200, runs: number = Number.POSITIVE_INFINITY): Promise<void> {
    for (let n = 0; n < runs; n++) {
      const run = await this.follower!.next(quietMs);
      if (run === undefined) break;
      this.take(run);
    }
    this.faults.push(...this.follower!.faults());
  }

  /** Reads until so many lines were seen in all. */
  async readTo(lines: number, withinMs = 8000): Promise<void> {
    const until = Date.now() + withinMs;
    while (this.seen.length < lines && Date.now() < until) await this.read(100, 1);
    assert.equal(this.seen.length, lines, this.texts.slice(-3).join("\n"));
  }

  take(run: Run): void {
    for (const { line, text } of run.lines) this.seen.push({ source: run.source, line, text });
    this.committed.set(run.source, JSON.stringify(run.to));
    this.runs.push(JSON.parse(JSON.stringify({ source: run.source, from: run.from, to: run.to })) as never);
  }

  /** As kill -9: what was not committed is forgotten. */
  async kill(): Promise<void> {
    await this.follower?.close();
    this.follower = undefined;
  }
}
