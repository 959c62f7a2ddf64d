import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DISK, type Disk, type OpenFile } from "../../src/source/disk.ts";
import { Daemon, logConfig } from "./follow-support.ts";
import { RotatingLog } from "./rotating-log.ts";
import { workspace } from "./support.ts";

/**
 * Logs change between any two operations on files. Here they do so after each single one, from the moment on that the follower has caught
 * up: whatever the moment, each line is read once, in order.
 */

const folder = workspace("follow-race");
/** Operations on files after which something happens: more than a look with a search takes. */
const MOMENTS = 40;
/** Scenarios at work at once. */
const AT_ONCE = 20;

/** Does something once, after so many operations. */
class Interrupted implements Disk {
  private left = Number.POSITIVE_INFINITY;
  private act: () => void = () => undefined;

  after(operations: number, act: () => void): void {
    this.left = operations;
    this.act = act;
  }

  readonly stat: Disk["stat"] = (path) => this.done(DISK.stat(path));
  readonly list: Disk["list"] = (path) => this.done(DISK.list(path));
  readonly isLocal: Disk["isLocal"] = (path) => DISK.isLocal(path);
  readonly statNow: Disk["statNow"] = (path) => DISK.statNow(path);
  readonly open: Disk["open"] = async (path) => {
    const file = await this.done(DISK.open(path));
    const out: OpenFile = {
      stat: () => this.done(file.stat()),
      read: (at, length) => this.done(file.read(at, length)),
      close: () => file.close(),
    };
    return out;
  };

  private async done<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } finally {
      if (--this.left === 0) this.act();
    }
  }
}

/** What was done before the follower looked, what makes it look, and what happens in the middle of that look. */
const STORIES: Readonly<Record<string, readonly [Act, Act, Act]>> = {
  "an empty log is filled, copied and emptied, and filled": [
    (log) => log.copyTruncate(),
    (log) => touch(log),
    (log) => fill(log).copyTruncate().fill(),
  ],
  "an empty log is filled, copied and emptied, and filled, while it is being filled": [
    (log) => log.copyTruncate(),
    (log) => log.write(2),
    (log) => fill(log).copyTruncate().fill(),
  ],
  "an empty log is filled, copied, renamed, and filled by a late writer": [
    (log) => log.copyTruncate(),
    (log) => touch(log),
    (log) => fill(log).copyTruncate().rename(),
  ],
  "a log is copied and emptied, and outgrows its old size": [
    (log) => log.write(3),
    (log) => log.write(1),
    (log) => fill(log).copyTruncate().fill(30),
  ],
  "a log that was renamed is followed by one that is copied and emptied": [
    (log) => log.write(3),
    (log) => log.rename(0, true),
    (log) => fill(log).copyTruncate().fill(),
  ],
  "a log is renamed twice": [
    (log) => log.write(3),
    (log) => log.rename(2, true),
    (log) => fill(log).rename().fill(),
  ],
  "a log is renamed, and what was renamed is packed": [
    (log) => log.write(3),
    (log) => log.rename(0, false),
    (log) => fill(log).pack().fill(),
  ],
};

type Act = (log: RotatingLog) => unknown;

/** An empty file that somebody has written to, and that is empty again: a reason to look. */
const touch = (log: RotatingLog): void => log.empty();

/** The acts of a story, one after the other. */
function fill(log: RotatingLog): Chain {
  return new Chain(log).fill();
}
class Chain {
  private readonly log: RotatingLog;
  constructor(log: RotatingLog) {
    this.log = log;
  }
  fill(lines = 3): this {
    this.log.write(lines);
    return this;
  }
  copyTruncate(): this {
    this.log.copyTruncate();
    return this;
  }
  rename(): this {
    this.log.rename(2, true);
    return this;
  }
  pack(): this {
    this.log.pack(false);
    return this;
  }
}

async function told([before, cause, act]: readonly [Act, Act, Act], moment: number): Promise<void> {
  const log = new RotatingLog(folder(), false);
  log.write(5);
  const disk = new Interrupted();
  const daemon = new Daemon(logConfig([log.path]), { pollMs: 5, disk });
  await daemon.start();
  log.write(1);
  before(log);
  await until(daemon, log, 1);
  await daemon.read(50); // what was emptied is looked at
  disk.after(moment, () => act(log));
  cause(log);
  await until(daemon, log, 1);
  await daemon.read(50);
  disk.after(1, () => undefined);
  log.write(1);
  await until(daemon, log, 1);
  await daemon.read(50);
  log.close();
  assert.deepEqual(daemon.texts, log.lines.slice(5), `moment ${moment}`);
  assert.deepEqual(daemon.faults, [], `moment ${moment}`);
  await daemon.kill();
}

async function until(daemon: Daemon, log: RotatingLog, quietMs: number): Promise<void> {
  const end = Date.now() + 2000;
  while (daemon.seen.length < log.lines.length - 5 && Date.now() < end) await daemon.read(quietMs);
}

suite("in the middle of a look", () => {
  for (const [name, story] of Object.entries(STORIES))
    test(name, async () => {
      for (let first = 1; first <= MOMENTS; first += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => told(story, first + i)));
    });
});
