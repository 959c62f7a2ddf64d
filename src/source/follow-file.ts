import { dirname } from "node:path";
import type { Fault } from "../fault.ts";
import type { LineBatch } from "../log/lines.ts";
import type { Zone } from "../log/zone.ts";
import { type Begin, begin, type From, resume } from "./begin.ts";
import { Condition } from "./condition.ts";
import { Changed, type Cut, type Reading, splitCut } from "./cut.ts";
import type { Disk, FileStat } from "./disk.ts";
import { FileAgain } from "./file-again.ts";
import { followFault, type LossReason, lossFault, stateOf } from "./follow-fault.ts";
import type { Followed, SourceStatus } from "./followed.ts";
import { Moved, NotAFile } from "./generation.ts";
import { LateFiles } from "./late.ts";
import { LineTimes } from "./line-times.ts";
import { type Located, locate, newestRotated } from "./locate.ts";
import { type FilePosition, fileSourceId, type Position, type Print, type Run } from "./position.ts";

/** A rotated file to which lines are still added is left at the latest so long after the new one has some. */
const PATIENCE_MS = 30_000;

export type FileOptions = {
  readonly disk: Disk;
  readonly zone: Zone;
  /** The system's time, milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly ticks: () => number;
  /** A rotated file that has not grown for so long is left: its writer was told to open the new one. */
  readonly quietMs: number;
};

/** Whether both are one file, whatever its name. */
const isSame = (a: FileId, b: FileId): boolean => a.ino === b.ino && a.dev === b.dev;

type FileId = { readonly dev: number; readonly ino: number };
type Loss = { readonly reason: LossReason; readonly bytes: number };

/**
 * One path, followed over rotations: the file read now, and the files that come after it. The live file is the one that the path
 * names; when it is another one than that being read, the rest of the old one comes first.
 */
export class FileSource implements Followed {
  readonly id: string;
  readonly path: string;
  /** The path's folder; the device once it is known. */
  lane: string;
  readonly condition: Condition;
  private readonly options: FileOptions;
  private known: FilePosition | undefined;
  private from: From;
  private reading: Reading | undefined;
  private before: Print | null = null;
  /** Files after the one being read, oldest first. Empty while that one is live. */
  private queue: Reading[] = [];
  private cut: Cut | undefined;
  private skipUntil: number | undefined;
  private readonly times: LineTimes;
  private readonly late: LateFiles;
  private readonly again: FileAgain;
  /** Largest size that the file being read was seen with. */
  private size = 0;
  private mtimeMs = 0;
  private local = false;
  /** When the file being read last grew, and since when it is known to be no longer the live one; of `ticks`. */
  private grown = 0;
  private waiting: number | undefined;

  constructor(path: string, position: FilePosition | undefined, from: From, options: FileOptions) {
    this.path = path;
    this.id = fileSourceId(path);
    this.lane = dirname(path);
    this.known = position;
    this.from = from;
    this.options = options;
    this.condition = new Condition(options.now);
    this.times = new LineTimes(options.zone, options.now);
    this.late = new LateFiles(options.ticks);
    this.again = new FileAgain(options.disk, path);
    if (typeof from === "object" && "time" in from && position === undefined) this.skipUntil = from.time;
  }

  get ready(): LineBatch | undefined {
    return this.cut?.lines;
  }

  get more(): boolean {
    return this.reading?.more === true;
  }

  isQuiet(): boolean {
    const { reading } = this;
    if (!this.local || reading === undefined || this.queue.length > 0 || this.late.any) return false;
    const stat = this.condition.state === "ok" ? this.options.disk.statNow(this.path) : undefined;
    if (stat === undefined || stat.ino !== reading.file.ino || stat.dev !== reading.file.dev) return false;
    return stat.size === reading.seen && stat.mtimeMs === this.mtimeMs;
  }

  position(): FilePosition | undefined {
    return this.reading?.position(this.before, this.options.now()) ?? this.known;
  }

  async step(): Promise<void> {
    try {
      await this.again.close(); // it was for the time before the first step
      if (this.reading === undefined) await this.open();
      else if (this.queue.length > 0) await this.catchUp(this.reading);
      else await this.follow(this.reading);
      const gone = await this.late.grown();
      if (gone > 0) this.lose("late", gone);
    } catch (error) {
      if (error instanceof Moved) return; // names change right now
      const state = stateOf(error);
      this.condition.wrong(state, () => followFault(error, this.path));
      if (state === "failed") await this.drop();
      // What comes to be where there was nothing is new from its beginning on.
      if (this.skipUntil === undefined && (state === "missing" || state === "not a file"))
        this.from = "start";
    }
  }

  take(n: number): Run {
    const from = this.position()!;
    const [cut, rest] = n < this.cut!.lines.count ? splitCut(this.cut!, n) : [this.cut!, undefined];
    this.reading!.advance(cut);
    this.cut = rest;
    return { source: this.id, file: this.path, lines: cut.lines, from, to: this.position()! };
  }

  status(): SourceStatus {
    const { state, since, lost, shown } = this.condition;
    const unread = this.reading === undefined ? 0 : Math.max(0, this.size - this.reading.offset);
    return { source: this.id, state, since, behind: unread, lost, fault: shown };
  }

  news(): Fault[] {
    return this.condition.news();
  }

  reread(from: Position, to: Position): AsyncIterable<Run> {
    return this.again.lines(from, to);
  }

  async close(): Promise<void> {
    await this.again.close();
    await this.drop();
    await this.late.close();
  }

  private async open(): Promise<void> {
    const { disk, zone, now } = this.options;
    if (this.known === undefined) await this.start(await begin(disk, this.path, this.from, zone, now));
    else
      await this.goOn(await locate(disk, this.path, this.known), this.known, { reason: "removed", bytes: 0 });
  }

  private async start({ reading, queue, before }: Begin): Promise<void> {
    this.reading = reading;
    this.queue = [...queue];
    this.before = before;
    this.lane = `device ${reading.file.dev}`;
    this.size = 0;
    this.waiting = undefined;
    this.grown = this.options.ticks();
    this.local = await this.options.disk.isLocal(this.path).catch(() => false);
    if (queue.length === 0) return;
    const age = this.options.now() - (await reading.file.stat()).mtimeMs;
    if (queue.length > 1 || age >= this.options.quietMs) this.grown = Number.NEGATIVE_INFINITY; // its writers left long ago
  }

  /** Goes on from a position whose file was looked for. loss: what to tell when it was not found, and the bytes known to be behind it. */
  private async goOn(found: Located, position: FilePosition, loss: Loss): Promise<void> {
    const { own, newer } = found;
    const { before, tail } = position;
    if (own?.rest !== undefined) {
      await this.start({ reading: own.rest, queue: newer, before });
      // Nobody writes to a copy.
      if (own.file.ino !== position.ino) this.grown = Number.NEGATIVE_INFINITY;
      return;
    }
    if (own?.as === "edited") {
      const { reading, sure } = await resume(own.file, tail);
      if (!sure) this.lose("edited", 0);
      return this.start({ reading, queue: newer, before });
    }
    if (own?.file.failure !== undefined) this.lose("damaged", 0);
    await own?.file.close();
    const [next, ...queue] = newer;
    if (next === undefined) {
      this.known = position;
      throw Object.assign(new Error(this.path), { code: "ENOENT" });
    }
    if (found.gap) this.lose(loss.reason, loss.bytes);
    const last =
      own !== undefined ? position.head : found.gap ? await this.lastRotated(newer.length) : before;
    await this.start({ reading: next, queue, before: last });
  }

  /** What is before files of which the predecessor is gone. */
  private async lastRotated(newer: number): Promise<Print | null> {
    return newer > 1 ? null : newestRotated(this.options.disk, this.path);
  }

  /** Looks at the live file. */
  private async follow(reading: Reading): Promise<void> {
    const live = await this.liveStat();
    if (reading.blank) return this.followBlank(reading, live);
    if (live instanceof Error || !isSame(live, reading.file)) {
      await this.cutNext(reading, false); // what its writer still adds to it
      if (this.cut !== undefined || reading.more) return;
      if (live instanceof Error) throw live;
      return this.rotated(reading);
    }
    if (live.size < reading.offset) return this.changed(reading);
    this.condition.ok();
    // Emptied and grown to the same size again: its time tells.
    const untouched = live.size === reading.seen && live.mtimeMs === this.mtimeMs;
    if (untouched && !reading.more) return;
    this.mtimeMs = live.mtimeMs;
    await this.cutNext(reading, false);
    if (this.reading === reading) this.size = Math.max(this.size, live.size);
  }

  /** Of a file that was empty nothing tells whether it was filled, copied and emptied meanwhile: the copies come before what is in it. */
  private async followBlank(reading: Reading, live: FileStat | Error): Promise<void> {
    const isLive = !(live instanceof Error) && isSame(live, reading.file);
    const { size, mtimeMs } = isLive ? live : await reading.file.stat();
    if (size > 0) {
      if (!(await this.startedAnew(reading))) await this.cutNext(reading, false); // it has no name any more
      return;
    }
    reading.more = false;
    if (live instanceof Error) throw live;
    if (!isLive) return this.rotated(reading);
    this.condition.ok();
    this.mtimeMs = mtimeMs;
  }

  /** Goes to the first file since the one before a file of which nothing was read. false, when that one is not among them. */
  private async startedAnew(reading: Reading): Promise<boolean> {
    const position = reading.position(this.before, this.options.now());
    const found = await locate(this.options.disk, this.path, position);
    if (!found.newer.some(({ file }) => isSame(file, reading.file))) {
      for (const { file } of found.newer) await file.close();
      return false;
    }
    await this.drop();
    await this.goOn(found, position, { reason: "emptied", bytes: 0 });
    return true;
  }

  /** What the path names; an error when it is no file, which the caller throws in its time. */
  private async liveStat(): Promise<FileStat | Error> {
    try {
      const stat = await this.options.disk.stat(this.path);
      return stat.isFile() ? stat : new NotAFile(this.path);
    } catch (error) {
      return error as Error;
    }
  }

  /** Cuts the next lines and passes over those before the time that the source begins at. */
  private async cutNext(reading: Reading, final: boolean): Promise<void> {
    const seen = reading.seen;
    try {
      this.cut = await reading.cut(final);
    } catch (error) {
      if (!(error instanceof Changed)) throw error;
      return this.changed(reading);
    }
    if (reading.seen > seen && this.grown > 0) this.grown = this.options.ticks();
    this.size = Math.max(this.size, reading.seen);
    if (this.cut !== undefined && this.skipUntil !== undefined) this.skip(reading, this.skipUntil);
  }

  private skip(reading: Reading, until: number): void {
    const cut = this.cut!;
    let n = 0;
    while (n < cut.lines.count && !(this.times.of(cut.lines, n) >= until)) n++;
    if (n < cut.lines.count) this.skipUntil = undefined;
    if (n === 0) return;
    const [passed, rest] = n < cut.lines.count ? splitCut(cut, n) : [cut, undefined];
    reading.advance(passed);
    this.cut = rest;
  }

  /** What was read of the live file is no longer in it: copytruncate, or somebody's editor. */
  private async changed(reading: Reading): Promise<void> {
    const position = reading.position(this.before, this.options.now());
    const bytes = Math.max(0, Math.max(this.size, reading.seen) - reading.offset);
    const found = await locate(this.options.disk, this.path, position);
    await this.drop();
    this.known = position;
    await this.goOn(found, position, { reason: "emptied", bytes });
  }

  /** The path names another file: those since then come after this one. */
  private async rotated(reading: Reading): Promise<void> {
    const { disk, now } = this.options;
    if (reading.blank && (await this.startedAnew(reading))) return;
    const found = await locate(disk, this.path, reading.position(this.before, now()));
    if (found.own?.as === "edited" && found.own.file.path === this.path) {
      // saved anew by an editor
      await this.drop();
      return this.goOn(found, reading.position(this.before, now()), { reason: "edited", bytes: 0 });
    }
    if (found.own?.rest !== undefined && found.own.file.path === this.path) {
      // a copy in place of the file, as some editors leave it
      await reading.file.close();
      return this.start({ reading: found.own.rest, queue: [], before: this.before });
    }
    await found.own?.file.close();
    this.queue = [...found.newer];
    if (this.queue.length > 0) await this.catchUp(reading);
  }

  /** Reads a file that is no longer live, and goes to the next one at its end. */
  private async catchUp(reading: Reading): Promise<void> {
    this.condition.ok();
    await this.cutNext(reading, reading.file.packed);
    if (this.cut !== undefined || reading.more || this.reading !== reading) return;
    if (!reading.file.packed) {
      if (!(await this.isLeft(reading))) return;
      await this.cutNext(reading, true);
      if (this.cut !== undefined || this.reading !== reading) return;
    }
    if (reading.file.failure !== undefined) this.lose("damaged", 0);
    const next = this.queue.shift()!;
    await this.late.add(reading.file, reading.seen);
    await this.start({
      reading: next,
      queue: this.queue,
      before: reading.blank ? this.before : reading.print,
    });
  }

  /** Whether the writers of a rotated file have gone to the next one. */
  private async isLeft(reading: Reading): Promise<boolean> {
    const { ticks, disk, quietMs } = this.options;
    const own = await reading.file.stat();
    if (own.size !== reading.seen) return false;
    const next = this.queue[0]!;
    const begun = this.queue.length > 1 || next.file.packed || (await next.file.stat()).size > 0;
    if (!begun) {
      const live = await disk.stat(this.path).catch(() => undefined);
      if (live === undefined || live.ino === next.file.ino) return false; // there is nothing to go to yet
    }
    this.waiting ??= ticks();
    return ticks() - this.grown >= quietMs || ticks() - this.waiting >= PATIENCE_MS;
  }

  private lose(reason: LossReason, bytes: number): void {
    this.condition.lose({ bytes }, lossFault(this.path, reason, bytes));
  }

  /** Closes all; reading goes on from the position. */
  private async drop(): Promise<void> {
    this.known = this.position();
    const all = this.reading === undefined ? this.queue : [this.reading, ...this.queue];
    this.reading = undefined;
    this.cut = undefined;
    this.queue = [];
    for (const { file } of all) await file.close().catch(() => undefined);
  }
}
