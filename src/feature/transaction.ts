import type { MailEvent } from "../mail/event.ts";
import { type Family, familyOf } from "./family.ts";

/** What belongs together: the lines of one message, one SMTP connection, or one mailbox session. */
export const TRANSACTION_TYPES = ["message", "connection", "session"] as const;
export type TransactionType = (typeof TRANSACTION_TYPES)[number];

/** Numbers of a transaction, in this order; NaN when it has none. Seconds, counts and bytes enter as ln(1 + x). */
export const TRANSACTION_REALS = [
  "delay in queue",
  "delay to connect",
  "delay to transfer",
  "recipients",
  "size",
  "duration",
] as const;

export type TransactionLine = {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly templateId: string;
  readonly template: string;
  readonly family: Family;
};

export type Transaction = {
  readonly type: TransactionType;
  /** Queue id, or the key of the session. */
  readonly key: string;
  readonly start: number;
  end: number;
  /** Shape -> how often. */
  readonly shapes: Map<string, number>;
  readonly reals: Float64Array;
  /** The last line of each of the newest shapes, for citing. */
  readonly lines: TransactionLine[];
  /** False when it was cut off by a time-out: what is missing may still come. */
  finished: boolean;
};

/** Open transactions held; beyond, the oldest is closed unfinished. */
const MAX_OPEN = 20_000;
/** Without a line for so long a transaction is closed unfinished: a deferred message goes on as a new one. */
const IDLE_MS = 30 * 60_000;
const MAX_SHAPES = 64;
const MAX_LINES = 8;

/** Joins lines to transactions by queue id and session. */
export class TransactionTracker {
  readonly #open = new Map<string, Transaction>();
  /** Adds an event at log time `now`. Returns the transactions that this closed. */
  add(event: MailEvent, now: number): Transaction[] {
    const closed = this.#expire(now);
    const type = typeOf(event);
    if (type === undefined) return closed;
    const key = type === "message" ? event.queueId! : event.session!;
    const id = `${type} ${event.host} ${key}`;
    let open = this.#open.get(id);
    if (!open) {
      open = {
        type,
        key,
        start: now,
        end: now,
        shapes: new Map(),
        reals: new Float64Array(TRANSACTION_REALS.length).fill(Number.NaN),
        lines: [],
        finished: false,
      };
    } else this.#open.delete(id);
    this.#open.set(id, open); // the least recently touched first
    note(open, event, now);
    if (ends(event, type)) {
      this.#open.delete(id);
      closed.push(finish(open, true));
    } else if (this.#open.size > MAX_OPEN) {
      const [oldest, transaction] = this.#open.entries().next().value!;
      this.#open.delete(oldest);
      closed.push(finish(transaction, false));
    }
    return closed;
  }

  #expire(now: number): Transaction[] {
    const closed: Transaction[] = [];
    for (const [id, transaction] of this.#open) {
      if (now - transaction.end < IDLE_MS) break;
      this.#open.delete(id);
      closed.push(finish(transaction, false));
    }
    return closed;
  }
}

function typeOf(event: MailEvent): TransactionType | undefined {
  if (event.queueId !== undefined && event.queueId !== "NOQUEUE") return "message";
  if (event.session === undefined) return undefined;
  return event.daemon.startsWith("postfix/") ? "connection" : "session";
}

const ends = (event: MailEvent, type: TransactionType): boolean =>
  type === "message"
    ? event.event === "removed"
    : event.event === "disconnect" || event.event === "logout" || event.event === "login_aborted";

function finish(transaction: Transaction, finished: boolean): Transaction {
  transaction.finished = finished;
  transaction.reals[5] = Math.log1p((transaction.end - transaction.start) / 1000);
  return transaction;
}

function note(t: Transaction, event: MailEvent, now: number): void {
  t.end = now;
  const n = t.shapes.get(event.templateId);
  if (n !== undefined || t.shapes.size < MAX_SHAPES) t.shapes.set(event.templateId, (n ?? 0) + 1);
  const { fields } = event;
  const keep = (i: number, value: unknown): void => {
    const x = Number(value);
    if (value !== undefined && x >= 0)
      t.reals[i] = Math.max(Number.isNaN(t.reals[i]!) ? 0 : t.reals[i]!, Math.log1p(x));
  };
  keep(0, fields["delay_b"]);
  keep(1, fields["delay_c"]);
  keep(2, fields["delay_d"]);
  keep(3, fields["nrcpt"]);
  keep(4, fields["size"]);
  const same = t.lines.findIndex((l) => l.templateId === event.templateId);
  if (same >= 0) t.lines.splice(same, 1);
  else if (t.lines.length >= MAX_LINES) t.lines.shift();
  const { file, line, text, templateId, template } = event;
  t.lines.push({ file, line, text, templateId, template, family: familyOf(event) });
}
