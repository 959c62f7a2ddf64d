import type { LooseLine } from "./fill.ts";
import { instant, type Maintenance } from "./plan.ts";
import { stream } from "./stream.ts";

/** A session that is left open says so within this time after the stop. Measured with Dovecot 2.3.19. */
const LEAVING_MS = 10_000;
const LEAVING = /: Disconnected: Logged out /;
/** Dovecot's words of a session that it ends itself. Source: recorded by `doveadm stop` with sessions open. */
const CUT = ": Disconnected: Server shutting down. ";

/** Restarts of which a plan says how long they last: nothing comes meanwhile, and open sessions end with the daemons. */
export class Outages {
  private readonly times: readonly { readonly from: number; readonly to: number }[];

  private readonly seed: number;

  constructor(maintenance: readonly Maintenance[], seed: number) {
    this.seed = seed;
    this.times = maintenance.flatMap(({ at, minutes }) =>
      minutes === undefined ? [] : [{ from: instant(at), to: instant(at) + minutes * 60_000 }],
    );
  }

  /** Whether a client who comes at a time finds nobody. */
  covers(time: number): boolean {
    return this.times.some(({ from, to }) => time >= from && time < to);
  }

  /** A line of what began at a time, as the restart leaves it: a session's end comes at once, what is in the queue waits. */
  turn(line: LooseLine, began: number): LooseLine {
    const hit = this.times.find(({ from, to }) =>
      LEAVING.test(line.text)
        ? began < from && line.time >= from
        : began < from && line.time >= from && line.time < to,
    );
    if (hit === undefined) return line;
    if (!LEAVING.test(line.text)) return { ...line, time: line.time + hit.to - hit.from };
    return {
      ...line,
      time: hit.from + stream(this.seed, "cut", began).uniform() * Math.min(LEAVING_MS, hit.to - hit.from),
      text: line.text.replace(LEAVING, CUT),
    };
  }
}
