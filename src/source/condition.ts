import type { Fault } from "../fault.ts";
import type { Lost, SourceState } from "./followed.ts";

/** What passes sooner (a file between two names of a rotation) is not told. */
const TELL_AFTER_MS = 5_000;
/** Faults kept until somebody asks for them. */
const MAX_NEWS = 100;

/** How a source is, since when, what it lost, and what of that is still to be told. */
export class Condition {
  state: SourceState = "ok";
  since: number;
  private readonly now: () => number;
  private fault: Fault | undefined;
  private told = false;
  private bytes = 0;
  private lines = 0;
  private times = 0;
  private lossFault: Fault | undefined;
  private readonly waiting: Fault[] = [];

  constructor(now: () => number) {
    this.now = now;
    this.since = now();
  }

  ok(): void {
    if (this.state === "ok") return;
    this.state = "ok";
    this.since = this.now();
    this.fault = undefined;
  }

  /** Something is wrong; the same again is no news. fault: made only when it is. */
  wrong(state: SourceState, fault: () => Fault): void {
    if (this.state === state) return;
    this.state = state;
    this.since = this.now();
    this.fault = fault();
    this.told = false;
  }

  lose(amount: { readonly bytes?: number; readonly lines?: number }, fault: Fault): void {
    this.bytes += amount.bytes ?? 0;
    this.lines += amount.lines ?? 0;
    this.times++;
    this.lossFault = fault;
    this.tell(fault);
  }

  /** Something to be told of which nothing else is known. */
  tell(fault: Fault): void {
    if (this.waiting.length < MAX_NEWS) this.waiting.push(fault);
  }

  get lost(): Lost {
    return { bytes: this.bytes, lines: this.lines, times: this.times };
  }

  /** What to show: what is wrong now, else what was lost last. */
  get shown(): Fault | undefined {
    return this.fault ?? this.lossFault;
  }

  /** What is to be told, each once. */
  news(): Fault[] {
    if (this.fault !== undefined && !this.told && this.now() - this.since >= TELL_AFTER_MS) {
      this.told = true;
      this.waiting.push(this.fault);
    }
    return this.waiting.splice(0);
  }
}
