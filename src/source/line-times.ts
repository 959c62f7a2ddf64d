import { parseEnvelope, readLineStamp } from "../log/envelope.ts";
import { HeadReader } from "../log/fast-head.ts";
import type { LineBatch } from "../log/lines.ts";
import { newStamp } from "../log/stamp.ts";
import { LogClock, YearCounter } from "../log/year.ts";
import type { Zone } from "../log/zone.ts";

/** The times of one source's lines, for merging sources: read from a line's head alone. */
export class LineTimes {
  private readonly zone: Zone;
  private readonly now: () => number;
  private clock: LogClock | undefined;
  private head: HeadReader | undefined;

  /** now: settles the year of a first line that names none. */
  constructor(zone: Zone, now: () => number) {
    this.zone = zone;
    this.now = now;
  }

  /** Milliseconds since the Unix epoch; NaN for a line without a time. */
  of(lines: LineBatch, i: number): number {
    if (this.head === undefined && !this.start(lines.text(i))) return Number.NaN;
    const { head, clock } = this;
    if (head!.read(lines.bytes, lines.starts[i]!, lines.ends[i]!)) return head!.time;
    const time = parseEnvelope(lines.text(i), clock!).time;
    head!.forget();
    return time ?? Number.NaN;
  }

  private start(text: string): boolean {
    const stamp = newStamp();
    if (!readLineStamp(text, stamp)) return false;
    const counter = new YearCounter();
    counter.add(stamp);
    this.clock = new LogClock(this.zone, counter.infer(this.now(), this.zone));
    this.head = new HeadReader(this.clock);
    return true;
  }
}
