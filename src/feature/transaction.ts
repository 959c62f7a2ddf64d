import type { Cause, MailEvent } from "../mail/event.ts";
import { LineIds } from "../mail/line-ids.ts";
import { ALONE } from "../mail/message.ts";
import { PlanMemo } from "../mail/plan-memo.ts";
import { type Entry, RecencyMap } from "../mail/recency.ts";
import type { Unfinished } from "../mail/story.ts";
import { type Family, familyOf } from "./family.ts";
import type { LineLoader, LineSaver } from "./line-table.ts";

/** What belongs together: the lines of one message, one SMTP connection, or one mailbox session. */
export const TRANSACTION_TYPES = ["message", "connection", "session"] as const;
export type TransactionType = (typeof TRANSACTION_TYPES)[number];
/** The place of messages among them. */
export const MESSAGE: number = TRANSACTION_TYPES.indexOf("message");

/** Numbers of a transaction, in this order; NaN when it has none. Seconds, counts and bytes enter as ln(1 + x). */
export const TRANSACTION_REALS = [
  "delay in queue",
  "delay to connect",
  "delay to transfer",
  "recipients",
  "size",
  "duration",
] as const;

/** What may be cited of a line. */
export type SeenLine = {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** Log time, in ms. */
  readonly time: number;
  readonly templateId: string;
  readonly template: string;
  readonly family: Family;
  readonly cause: Cause | undefined;
};

/** What a transaction consists of: a shape and how often it came in turn, flat since there are many. */
export type Contents = readonly (string | number)[];

export type Transaction = {
  readonly type: TransactionType;
  /** Queue id, or the key of the session. */
  readonly key: string;
  readonly start: number;
  end: number;
  /** Complete once it is closed. */
  readonly shapes: (string | number)[];
  /** In the order of TRANSACTION_REALS. */
  readonly reals: number[];
  /** The last line of each of the newest shapes, for citing. */
  readonly lines: SeenLine[];
  /** False when its end was not seen. */
  finished: boolean;
  /** Why it is unfinished. */
  why: Unfinished | undefined;
  /** Whether its first line was seen: client=, pickup, message-id, connect. */
  startSeen: boolean;
  /** Whether one of its lines was explained by something else. */
  explained?: true;
};

/** With the numbers of its lines, and its shapes as a table. */
export type SavedTransaction = Omit<Transaction, "lines" | "shapes" | "reals"> & {
  readonly shapes: ReadonlyMap<string, number>;
  readonly reals: Float64Array;
  readonly lines: readonly number[];
};

export const saveTransaction = (t: Transaction, lines: LineSaver): SavedTransaction => ({
  ...t,
  shapes: new Map(
    Array.from({ length: t.shapes.length / 2 }, (_, k) => [
      t.shapes[2 * k] as string,
      t.shapes[2 * k + 1] as number,
    ]),
  ),
  reals: Float64Array.from(t.reals),
  lines: t.lines.map((line) => lines.of(line)),
});

export const loadTransaction = (t: SavedTransaction, lines: LineLoader): Transaction => ({
  ...t,
  shapes: [...t.shapes].flat(),
  reals: [...t.reals],
  lines: t.lines.map((number) => lines.of(number)),
});

export type SavedTracker = {
  /** Longest untouched first, with the keys in the table and when each was touched. */
  readonly open: readonly {
    readonly id: string;
    readonly at: number;
    readonly transaction: SavedTransaction;
  }[];
  readonly instances: Map<string, Set<string>>;
};

/** Open transactions held; beyond, the oldest is closed unfinished. */
const MAX_OPEN = 20_000;
/** Without a line for so long a transaction is closed unfinished: a deferred message goes on as a new one. */
const IDLE_MS = 30 * 60_000;
const MAX_SHAPES = 64;
const MAX_LINES = 8;
/** Instances of Postfix that are told apart on all hosts. */
const MAX_INSTANCES = 256;

/** Fields that are among TRANSACTION_REALS, and the events of which they are read. */
const MEASURES = ["delay_b", "delay_c", "delay_d", "nrcpt", "size"] as const;
const MEASURED = new Set(["delivery", "queue_active", "client", "pickup", "logout", "session_end"]);

/**
 * Joins lines to transactions by queue id and session. A key that begins anew, though its end was not seen, is a new
 * transaction: queue ids and pids are used again. Queue ids are apart by host, and by instance where a host has several.
 */
export class TransactionTracker {
  readonly #open = new RecencyMap<string, Transaction>();
  /** Host -> the instances that have a queue manager. */
  #instances = new Map<string, Set<string>>();
  readonly #lineIds = new LineIds();
  readonly #plans = new PlanMemo(planPart);

  /**
   * Adds an event at log time `now`. Returns the transactions that this closed. line: the event's, where the caller has it. explained: marks
   * the event's transaction as such.
   */
  add(event: MailEvent, now: number, line?: SeenLine, explained = false): readonly Transaction[] {
    const closed = this.#open.idle(now - IDLE_MS) === undefined ? NONE : this.#expire(now);
    const part = this.#plans.of(event);
    if (part.alone) return closed;
    const queueId = this.#lineIds.queueId(event);
    const message = queueId !== undefined && queueId !== "NOQUEUE";
    const key = message ? queueId : this.#lineIds.session(event);
    if (key === undefined) return closed;
    const type = message ? "message" : part.session;
    const ended = this.#take(event, now, type, key, part, line, explained);
    return ended.length === 0 ? closed : closed.length === 0 ? ended : [...closed, ...ended];
  }

  /** Adds the line to its transaction, which begins with it where there is none. */
  #take(
    event: MailEvent,
    now: number,
    type: TransactionType,
    key: string,
    part: PlanPart,
    line: SeenLine | undefined,
    explained: boolean,
  ): readonly Transaction[] {
    let closed = NONE;
    const id = this.#idOf(event, type, key);
    let open = this.#open.get(id);
    const begins = starts(event.event, type);
    if (open && begins && isOver(open.value, event.event)) {
      closed = [this.#close(open, "id reused")];
      open = undefined;
    }
    if (open) this.#open.touch(open, now);
    else open = this.#open.add(id, begun(type, key, now), now);
    const transaction = open.value;
    if (begins) transaction.startSeen = true;
    if (explained) transaction.explained = true;
    note(transaction, event, line ?? seenLine(event, now, part.family), part);
    if (ends(event, type)) return [...closed, this.#close(open, undefined)];
    return this.#open.size <= MAX_OPEN ? closed : [...closed, this.#close(this.#open.oldest()!, "evicted")];
  }

  /** The key in the table. The instance is part of it only on hosts that are known to have several. */
  #idOf(event: MailEvent, type: TransactionType, key: string): string {
    const plain = `${type} ${event.host} ${key}`;
    if (type !== "message" || !event.daemon.startsWith("postfix")) return plain;
    const ofQueue = event.event === "queue_active" || event.event === "removed";
    let instances = this.#instances.get(event.host);
    if (!ofQueue && (instances === undefined || instances.size < 2)) return plain;
    const slash = event.program.indexOf("/");
    const name = slash < 0 ? "" : event.program.slice(0, slash);
    if (ofQueue && name !== "" && !instances?.has(name)) {
      instances ??= new Set();
      if (this.#instances.size < MAX_INSTANCES && instances.size < MAX_INSTANCES)
        this.#instances.set(event.host, instances.add(name));
    }
    if (instances === undefined || instances.size < 2 || !instances.has(name)) return plain;
    const own = `${plain} ${name}`;
    // What began before the second instance was known goes on under its plain key.
    return this.#open.get(own) || !this.#open.get(plain) || starts(event.event, type) ? own : plain;
  }

  save(lines: LineSaver): SavedTracker {
    const open = [...this.#open].map(({ key, at, value }) => ({
      id: key,
      at,
      transaction: saveTransaction(value, lines),
    }));
    return { open, instances: this.#instances };
  }

  load({ open, instances }: SavedTracker, lines: LineLoader): void {
    for (const { id, at, transaction } of open) this.#open.add(id, loadTransaction(transaction, lines), at);
    this.#instances = instances;
  }

  #expire(now: number): Transaction[] {
    const closed: Transaction[] = [];
    for (let open = this.#open.idle(now - IDLE_MS); open; open = this.#open.idle(now - IDLE_MS))
      closed.push(this.#close(open, "timed out"));
    return closed;
  }

  #close(open: Entry<string, Transaction>, why: Unfinished | undefined): Transaction {
    this.#open.delete(open);
    open.value.why = why;
    return finish(open.value, why === undefined);
  }
}

/** A transaction before its first line is noted. */
const begun = (type: TransactionType, key: string, start: number): Transaction => ({
  type,
  key,
  start,
  end: start,
  shapes: [],
  reals: NO_REALS.slice(),
  lines: [],
  finished: false,
  why: undefined,
  startSeen: false,
});

const NONE: readonly Transaction[] = [];
const NO_REALS: readonly number[] = TRANSACTION_REALS.map(() => Number.NaN);

/** What a line's plan tells of its part in a transaction. */
type PlanPart = {
  readonly family: Family;
  /** Whether it belongs to none. */
  readonly alone: boolean;
  /** What its session is, where it has no queue id. */
  readonly session: TransactionType;
  /** Whether it has numbers that count. */
  readonly measured: boolean;
};

const planPart = (event: MailEvent): PlanPart => ({
  family: familyOf(event),
  alone: ALONE.has(event.event),
  session: event.daemon.startsWith("postfix/") ? "connection" : "session",
  measured: MEASURED.has(event.event) && MEASURES.some((name) => event.fields[name] !== undefined),
});

/** What may be cited of an event. family: of the event. */
export const seenLine = (event: MailEvent, time: number, family: Family): SeenLine => {
  const { file, line, text, templateId, template, cause } = event;
  return { file, line, text, time, templateId, template, family, cause };
};

/** Events with which a transaction begins. */
function starts(event: string, type: TransactionType): boolean {
  if (type === "message") return event === "client" || event === "pickup" || event === "message_id";
  return type === "connection" && (event === "connect" || event === "postscreen_connect");
}

/** Whether a beginning is of a new one: the open one has begun already, and cleanup's line comes after smtpd's. */
const isOver = (open: Transaction, event: string): boolean =>
  open.startSeen && (event !== "message_id" || open.reals[4]! >= 0);

const ends = (event: MailEvent, type: TransactionType): boolean =>
  type === "message"
    ? event.event === "removed"
    : event.event === "disconnect" || event.event === "logout" || event.event === "login_aborted";

function finish(transaction: Transaction, finished: boolean): Transaction {
  transaction.finished = finished;
  transaction.reals[5] = Math.log1p((transaction.end - transaction.start) / 1000);
  return transaction;
}

function note(t: Transaction, event: MailEvent, line: SeenLine, part: PlanPart): void {
  t.end = line.time;
  const fresh = count(t.shapes, line.templateId);
  if (part.measured) measure(t, event.fields);
  cite(t.lines, line, fresh);
}

/** Returns whether the shape is new, and has found room. */
function count(shapes: Transaction["shapes"], shape: string): boolean {
  for (let k = 0; k < shapes.length; k += 2)
    if (shapes[k] === shape) {
      (shapes[k + 1] as number)++;
      return false;
    }
  if (shapes.length >= 2 * MAX_SHAPES) return false;
  shapes.push(shape, 1);
  return true;
}

/** Puts a line last, in the place of the one of its shape, or of the oldest where there is no room. fresh: whether its shape is new. */
function cite(lines: SeenLine[], line: SeenLine, fresh: boolean): void {
  let at = 0;
  while (!fresh && at < lines.length && lines[at]!.templateId !== line.templateId) at++;
  if (fresh || at === lines.length) {
    if (lines.length < MAX_LINES) {
      lines.push(line);
      return;
    }
    at = 0;
  }
  for (; at + 1 < lines.length; at++) lines[at] = lines[at + 1]!;
  lines[at] = line;
}

/** Keeps the largest of each number. */
function measure({ reals }: Transaction, fields: MailEvent["fields"]): void {
  for (let i = 0; i < MEASURES.length; i++) {
    const value = fields[MEASURES[i]!];
    if (value === undefined) continue;
    const x = Number(value);
    if (x >= 0) reals[i] = Math.max(Number.isNaN(reals[i]!) ? 0 : reals[i]!, Math.log1p(x));
  }
}
