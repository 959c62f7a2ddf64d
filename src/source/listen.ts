import { join } from "node:path";
import type { ListenConfig } from "../config/config.ts";
import type { Fault } from "../fault.ts";
import type { LineBatch } from "../log/lines.ts";
import { Condition } from "./condition.ts";
import { type Cut, Reading, splitCut } from "./cut.ts";
import { DISK } from "./disk.ts";
import { bindFault, droppedFault, goneFault, refusedFault, spoolFault } from "./follow-fault.ts";
import type { Followed, SourceStatus } from "./followed.ts";
import { openGeneration } from "./generation.ts";
import type { Refusal } from "./otlp-answer.ts";
import { OtlpReceiver } from "./otlp-receiver.ts";
import type { Position, Run, SpoolPosition } from "./position.ts";
import { Receiver } from "./receiver.ts";
import { Spool } from "./spool.ts";
import { lineOf } from "./syslog-line.ts";

/** A listener that can't listen tries again so often. */
const RETRY_MS = 10_000;
/** Messages that found no room are told in such portions. */
const TELL_MS = 60_000;

export type ListenOptions = {
  readonly stateDir: string;
  readonly now: () => number;
  readonly ticks: () => number;
  /** Called when lines have come. */
  readonly wake: () => void;
};

const nameOf = ({ protocol, address, port }: ListenConfig): string =>
  `${protocol}:${address.includes(":") ? `[${address}]` : address}:${port}`;

/** The source of a listener. */
export const listenSourceId = (config: ListenConfig): string => `listen:${nameOf(config)}`;

/** A listener and its spool: what came is read from there, so that nothing which was written is lost with the process. */
export class ListenSource implements Followed {
  readonly id: string;
  readonly lane: string;
  private readonly config: ListenConfig;
  private readonly options: ListenOptions;
  private readonly condition: Condition;
  private known: SpoolPosition | undefined;
  private spool: Spool | undefined;
  private receiver: Receiver | OtlpReceiver | undefined;
  private tryAt = 0;
  private reading: Reading | undefined;
  private segment = 0;
  private cut: Cut | undefined;
  private seen = 0;
  private droppedTold = 0;
  private tellAt = 0;
  /** Requests that were refused since that was told, and why the last one was. */
  private refused = 0;
  private refusedFor: Refusal | undefined;
  private tellRefusedAt = 0;

  constructor(config: ListenConfig, position: SpoolPosition | undefined, options: ListenOptions) {
    this.config = config;
    this.id = listenSourceId(config);
    this.lane = this.id;
    this.known = position;
    this.options = options;
    this.condition = new Condition(options.now);
  }

  get ready(): LineBatch | undefined {
    return this.cut?.lines;
  }

  get more(): boolean {
    const { spool, reading } = this;
    if (spool === undefined || this.cut !== undefined) return false;
    if (reading === undefined) return spool.segments.length > 0;
    return this.segment < spool.current || this.seen < spool.written;
  }

  /** The port, once it listens. */
  get port(): number | undefined {
    return this.receiver?.port;
  }

  isQuiet(): boolean {
    const { spool, receiver, condition } = this;
    if (spool === undefined || receiver === undefined || condition.state !== "ok") return false;
    return spool.error === undefined && spool.dropped === this.droppedTold && this.refused === 0;
  }

  position(): SpoolPosition | undefined {
    if (this.reading === undefined) return this.known;
    const { offset, line } = this.reading;
    return { kind: "spool", segment: this.segment, offset, line };
  }

  async step(): Promise<void> {
    try {
      await this.openSpool();
      if (this.receiver === undefined && this.options.ticks() >= this.tryAt) await this.listen();
      await this.read();
      this.tellDropped();
      this.tellRefused();
    } catch (error) {
      this.condition.wrong("failed", () => spoolFault(this.id, this.folder, error as Error));
      this.tryAt = this.options.ticks() + RETRY_MS;
    }
  }

  take(n: number): Run {
    const from = this.position()!;
    const [cut, rest] = n < this.cut!.lines.count ? splitCut(this.cut!, n) : [this.cut!, undefined];
    this.reading!.advance(cut);
    this.cut = rest;
    return { source: this.id, file: this.id, lines: cut.lines, from, to: this.position()! };
  }

  status(): SourceStatus {
    const { state, since, lost, shown } = this.condition;
    const { spool } = this;
    const behind = spool === undefined ? 0 : Math.max(0, spool.bytes - (this.reading?.offset ?? 0));
    return { source: this.id, state, since, behind, lost, fault: shown };
  }

  news(): Fault[] {
    return this.condition.news();
  }

  async *reread(from: Position, to: Position): AsyncGenerator<Run> {
    if (from.kind !== "spool" || to.kind !== "spool") throw goneFault(this.id);
    await this.openSpool();
    // A run lies in one segment; its first position may be the end of the segment before.
    const offset = from.segment === to.segment ? from.offset : 0;
    const reading = await this.readingOf(to.segment, offset, from.line).catch(() => {
      throw goneFault(this.id);
    });
    try {
      let last = from;
      while (reading.offset < to.offset) {
        const cut = await reading.cut(false, to.offset);
        if (cut === undefined && reading.more) continue;
        if (cut === undefined) throw goneFault(this.id);
        reading.advance(cut);
        const next = { ...to, offset: reading.offset, line: reading.line };
        yield { source: this.id, file: this.id, lines: cut.lines, from: last, to: next };
        last = next;
      }
    } finally {
      await reading.file.close();
    }
  }

  committed(position: Position): void {
    if (position.kind === "spool") void this.spool?.release(position.segment).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.receiver?.close();
    this.receiver = undefined;
    await this.spool?.close();
    await this.reading?.file.close();
    this.reading = undefined;
    this.cut = undefined;
  }

  private get folder(): string {
    return join(this.options.stateDir, "spool", nameOf(this.config).replace(/[^\w.-]/g, "-"));
  }

  private async openSpool(): Promise<void> {
    if (this.spool !== undefined) return;
    this.spool = await Spool.open(this.folder, this.options.wake);
    const { segments } = this.spool;
    if (this.known !== undefined) this.spool.current = Math.max(this.spool.current, this.known.segment + 1);
    else this.known = { kind: "spool", segment: segments[0] ?? this.spool.current, offset: 0, line: 0 };
  }

  private async listen(): Promise<void> {
    const receiver = this.newReceiver();
    try {
      await receiver.open();
      this.receiver = receiver;
      this.condition.ok();
    } catch (error) {
      this.cantListen(error as Error);
    }
  }

  private newReceiver(): Receiver | OtlpReceiver {
    const onError = (error: Error): void => this.cantListen(error);
    if (this.config.protocol !== "otlp")
      return new Receiver(this.config, {
        onMessage: (message, sender) => this.received(message, sender),
        onError,
      });
    return new OtlpReceiver(this.config, {
      onLines: (lines) => this.spool!.put(lines),
      onRefused: (why) => {
        this.refused++;
        this.refusedFor = why;
      },
      onError,
      now: this.options.now,
    });
  }

  private cantListen(error: Error): void {
    this.condition.wrong("failed", () => bindFault(this.id, error));
    this.tryAt = this.options.ticks() + RETRY_MS;
    void this.receiver?.close();
    this.receiver = undefined;
  }

  private received(message: Uint8Array, sender: string): boolean {
    const line = lineOf(message, sender, this.options.now());
    if (line !== undefined) this.spool!.add(line);
    return !this.spool!.busy;
  }

  private tellDropped(): void {
    const { spool } = this;
    if (spool === undefined) return;
    if (spool.error !== undefined)
      this.condition.wrong("failed", () => spoolFault(this.id, this.folder, spool.error!));
    else if (this.receiver !== undefined) this.condition.ok();
    const dropped = spool.dropped - this.droppedTold;
    if (dropped === 0 || this.options.ticks() < this.tellAt) return;
    this.condition.lose({ lines: dropped }, droppedFault(this.id, dropped));
    this.droppedTold = spool.dropped;
    this.tellAt = this.options.ticks() + TELL_MS;
  }

  private tellRefused(): void {
    if (this.refusedFor === undefined || this.options.ticks() < this.tellRefusedAt) return;
    this.condition.tell(refusedFault(this.id, this.refused, this.refusedFor));
    this.refused = 0;
    this.refusedFor = undefined;
    this.tellRefusedAt = this.options.ticks() + TELL_MS;
  }

  /** Cuts the next lines; goes to the next segment at the end of one that is complete. */
  private async read(): Promise<void> {
    const spool = this.spool!;
    this.reading ??= await this.firstReading(spool);
    while (this.reading !== undefined) {
      const { reading } = this;
      const complete = this.segment < spool.current;
      if (!complete && this.seen >= spool.written) return;
      this.cut = await reading.cut(complete);
      this.seen = reading.seen;
      if (this.cut !== undefined || !complete) return;
      const next = spool.segments.find((number) => number > this.segment);
      if (next === undefined) return this.wait();
      await reading.file.close();
      this.segment = next;
      this.seen = 0;
      this.reading = await this.readingOf(next, 0, reading.line);
    }
  }

  /** All segments were read, and nothing was written to the current one yet. */
  private async wait(): Promise<void> {
    this.known = this.position();
    await this.reading!.file.close();
    this.reading = undefined;
  }

  private async firstReading(spool: Spool): Promise<Reading | undefined> {
    const known = this.known!;
    const own = spool.segments.includes(known.segment);
    const segment = own ? known.segment : spool.segments.find((number) => number > known.segment);
    if (segment === undefined) return undefined;
    // After a loss of power a segment may be shorter than what was read of it: the next one goes on.
    const file = await openGeneration(DISK, spool.pathOf(segment), true);
    const { size } = await file.stat();
    const offset = own ? Math.min(known.offset, size) : 0;
    this.segment = segment;
    this.seen = offset;
    return Reading.at(file, offset, known.line);
  }

  private async readingOf(segment: number, offset: number, line: number): Promise<Reading> {
    return Reading.at(await openGeneration(DISK, this.spool!.pathOf(segment), true), offset, line);
  }
}
