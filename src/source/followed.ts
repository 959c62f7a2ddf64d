import type { Fault } from "../fault.ts";
import type { LineBatch } from "../log/lines.ts";
import type { Position, Run } from "./position.ts";

export type SourceState =
  | "ok"
  /** There is no such file. */
  | "missing"
  /** The operating system does not answer. */
  | "stalled"
  | "denied"
  /** A folder, FIFO, socket or device stands where the file was. */
  | "not a file"
  /** Something else; the fault says what. */
  | "failed";

/** How a source is. */
export type SourceStatus = {
  readonly source: string;
  readonly state: SourceState;
  /** Since when, the system's time, milliseconds since the Unix epoch. */
  readonly since: number;
  /** Bytes known to be there and not yet read; of compressed files compressed ones. Of a journal not known: 0. */
  readonly behind: number;
  readonly lost: Lost;
  /** How often looking for lines ended by a bug of Logvane; undefined when it never did. */
  readonly failures?: number;
  /** What to tell the operator; undefined when all is well. */
  readonly fault: Fault | undefined;
};

/** What is gone for good since the follower was opened. times: losses, also those of unknown size. */
export type Lost = { readonly bytes: number; readonly lines: number; readonly times: number };

/** A source as the follower drives it: `step` looks and reads, `ready` is what came of it, `take` hands on. */
export type Followed = {
  readonly id: string;
  /** Sources of one lane wait for one another: what stands on a file system that stalls must not take all threads. */
  readonly lane: string;
  /** The lines that come next; undefined when there is none at hand. */
  readonly ready: LineBatch | undefined;
  /** Whether a step at once may find more. */
  readonly more: boolean;
  /** Whether a glance tells that nothing has changed since the last step. */
  isQuiet(): boolean;
  /** Looks for lines until some are ready or there are none now. Never throws: what is wrong shows in the status. */
  step(): Promise<void>;
  /** Hands on the first n lines that are ready. */
  take(n: number): Run;
  /** After the lines that were taken; undefined while it is not known. */
  position(): Position | undefined;
  status(): SourceStatus;
  /** What is to be told, each once. */
  news(): Fault[];
  /** The same lines as before. Throws a Fault when they are gone. */
  reread(from: Position, to: Position): AsyncIterable<Run>;
  /** Positions were committed: what is before them will not be asked for again. */
  committed?(position: Position): void;
  close(): Promise<void>;
};
