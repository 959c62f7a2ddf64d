import type { LineBatch } from "../log/lines.ts";
import type { Zone } from "../log/zone.ts";
import type { Followed } from "./followed.ts";
import { LineTimes } from "./line-times.ts";
import type { Run } from "./position.ts";

/** A run may pass the next line of another source by so much: cutting finer costs more than it tells. */
const SLACK_MS = 60_000;

/** The times of lines at hand, as far as they were asked for. */
type Timed = { readonly lines: LineBatch; readonly times: number[] };

/** Chooses whose lines come next. One source with lines costs nothing; of several the one with the earliest line is taken, up to the next of the others. */
export class Merge {
  private readonly zone: Zone;
  private readonly now: () => number;
  private readonly readers = new WeakMap<Followed, LineTimes>();
  private readonly timed = new WeakMap<Followed, Timed>();

  constructor(zone: Zone, now: () => number) {
    this.zone = zone;
    this.now = now;
  }

  take(sources: readonly Followed[]): Run | undefined {
    let first: Followed | undefined;
    let earliest = Number.POSITIVE_INFINITY;
    let second = Number.POSITIVE_INFINITY;
    const ready = sources.filter((source) => source.ready !== undefined);
    if (ready.length === 0) return undefined;
    if (ready.length === 1) return this.takeFrom(ready[0]!, ready[0]!.ready!.count);
    for (const source of ready) {
      const time = this.timeOf(source, 0);
      // A line without a time belongs to the one before it.
      const from = Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
      if (first === undefined || from < earliest) {
        second = earliest;
        earliest = from;
        first = source;
      } else second = Math.min(second, from);
    }
    return this.takeFrom(first!, this.countUntil(first!, second + SLACK_MS));
  }

  private takeFrom(source: Followed, n: number): Run {
    this.timed.delete(source);
    return source.take(n);
  }

  /** Lines up to the first one later than `limit`; at least one. */
  private countUntil(source: Followed, limit: number): number {
    const { count } = source.ready!;
    let n = 1;
    while (n < count && !(this.timeOf(source, n) > limit)) n++;
    return n;
  }

  private timeOf(source: Followed, i: number): number {
    const lines = source.ready!;
    let timed = this.timed.get(source);
    if (timed?.lines !== lines) {
      timed = { lines, times: [] };
      this.timed.set(source, timed);
    }
    let reader = this.readers.get(source);
    if (reader === undefined) {
      reader = new LineTimes(this.zone, this.now);
      this.readers.set(source, reader);
    }
    while (timed.times.length <= i) timed.times.push(reader.of(lines, timed.times.length));
    return timed.times[i]!;
  }
}
