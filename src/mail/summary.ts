import type { MailEvent } from "./event.ts";
import { type Ask, classOf, dayHour, pflogsummDaemon } from "./summary-day.ts";
import { Tally } from "./tally.ts";

/** Queue ids and connections remembered at most; beyond it the oldest are forgotten and `bounded` is set. */
const MAX_OPEN = 1_000_000;
/** Distinct addresses, domains or reasons of one table. */
const MAX_ROWS = 100_000;
/** Rows of a table in the result. */
const SHOWN = 50;

/** pflogsumm's grand totals, as pflogsumm 1.1.5 counts them with --smtpd-stats. */
export type Totals = {
  received: number;
  delivered: number;
  forwarded: number;
  deferred: number;
  deferrals: number;
  bounced: number;
  rejected: number;
  reject_warnings: number;
  held: number;
  discarded: number;
  bytes_received: number;
  bytes_delivered: number;
  senders: number;
  sending_hosts: number;
  recipients: number;
  recipient_hosts: number;
  connections: number;
};

export type Difference = { readonly total: keyof Totals; readonly lines: number; readonly reason: string };
export type Row = { readonly [key: string]: string | number };

export type Summary = {
  readonly date: string;
  readonly totals: Totals;
  readonly corrected: Totals;
  readonly differences: readonly Difference[];
  readonly lines: number;
  readonly unknown: number;
  readonly per_hour: readonly Row[];
  readonly per_day: readonly Row[];
  readonly senders_by_count: readonly Row[];
  readonly recipients_by_count: readonly Row[];
  readonly recipient_domains: readonly Row[];
  readonly sending_domains: readonly Row[];
  readonly deferral_detail: readonly Row[];
  readonly bounce_detail: readonly Row[];
  readonly reject_detail: readonly Row[];
  readonly warning_detail: readonly Row[];
  readonly auth_users: readonly Row[];
  readonly auth_failures: readonly Row[];
  readonly dovecot_users: readonly Row[];
  readonly bounded: boolean;
};

type Message = { host: string; sized: boolean; size: number };
const EMPTY: Totals = {
  received: 0,
  delivered: 0,
  forwarded: 0,
  deferred: 0,
  deferrals: 0,
  bounced: 0,
  rejected: 0,
  reject_warnings: 0,
  held: 0,
  discarded: 0,
  bytes_received: 0,
  bytes_delivered: 0,
  senders: 0,
  sending_hosts: 0,
  recipients: 0,
  recipient_hosts: 0,
  connections: 0,
};

/** One way of counting: pflogsumm's, or ours. Both see the same events; `counts` says which lines it takes. */
class Ledger {
  readonly totals: Totals = { ...EMPTY };
  private readonly reuse: boolean;
  readonly messages = new Map<string, Message>();
  readonly deferredIds = new Set<string>();
  readonly senders = new Tally(MAX_ROWS);
  readonly senderHosts = new Tally(MAX_ROWS);
  readonly recipients = new Tally(MAX_ROWS);
  readonly recipientHosts = new Tally(MAX_ROWS);
  readonly open = new Map<string, number>();

  /** reuse: a queue id that comes again is a new message. pflogsumm takes it for the old one. */
  constructor(reuse: boolean) {
    this.reuse = reuse;
  }

  take(event: MailEvent, daemon: string): void {
    switch (event.event) {
      case "client":
      case "pickup":
        this.received(event);
        break;
      case "queue_active":
        this.queued(event);
        break;
      case "delivery":
        this.delivery(event);
        break;
      case "connect":
      case "disconnect":
        this.connection(event, daemon);
        break;
    }
  }

  private received(event: MailEvent): void {
    if (event.queueId === undefined) return;
    this.totals.received++;
    const host = String(
      event.fields["client_name"] === "unknown"
        ? event.fields["client_address"]
        : (event.fields["client_name"] ?? "pickup"),
    );
    if (this.messages.size >= MAX_OPEN) this.messages.delete(this.messages.keys().next().value!);
    if (this.reuse || !this.messages.has(event.queueId))
      this.messages.set(event.queueId, { host, sized: false, size: 0 });
  }

  private queued(event: MailEvent): void {
    const id = event.queueId;
    const size = Number(event.fields["size"] ?? 0);
    if (id === undefined) return;
    let message = this.messages.get(id);
    if (message === undefined) {
      message = { host: "", sized: true, size };
      this.messages.set(id, message);
      return;
    }
    if (message.sized) return;
    message.sized = true;
    message.size = size;
    this.totals.bytes_received += size;
    const from = String(event.fields["from"] ?? "");
    const at = from.lastIndexOf("@");
    const address =
      from === "" ? "from=<>" : at < 0 ? from : from.slice(0, at) + from.slice(at).toLowerCase();
    this.senders.add(address, 1, size);
    this.senderHosts.add(at < 0 ? message.host : from.slice(at + 1).toLowerCase(), 1, size);
  }

  private delivery(event: MailEvent): void {
    const { totals } = this;
    const status = event.fields["status"];
    const id = event.queueId ?? "";
    if (status === "sent") {
      if (
        event.fields["new_queue_id"] !== undefined &&
        String(event.fields["reason"]).startsWith("forwarded as ")
      ) {
        totals.forwarded++;
        return;
      }
      totals.delivered++;
      const size = this.messages.get(id)?.size ?? 0;
      totals.bytes_delivered += size;
      const to = String(event.fields["to"] ?? "");
      const at = to.lastIndexOf("@");
      this.recipients.add(at < 0 ? to : to.slice(0, at) + to.slice(at).toLowerCase(), 1, size);
      this.recipientHosts.add(
        at < 0 ? String(event.fields["relay"] ?? "") : to.slice(at + 1).toLowerCase(),
        1,
        size,
      );
    } else if (status === "deferred") {
      totals.deferrals++;
      if (this.deferredIds.size < MAX_OPEN) this.deferredIds.add(id);
      totals.deferred = this.deferredIds.size;
    } else if (status === "bounced") totals.bounced++;
  }

  /** A connection counts when its end is seen too. */
  private connection(event: MailEvent, daemon: string): void {
    if (daemon !== "smtpd") return;
    const key = `${event.pid}`;
    if (event.event === "connect") this.open.set(key, event.time ?? 0);
    else if (this.open.delete(key)) this.totals.connections++;
  }

  ask(kind: Ask): void {
    this.totals[kind]++;
  }

  result(): Totals {
    return {
      ...this.totals,
      senders: this.senders.size,
      sending_hosts: this.senderHosts.size,
      recipients: this.recipients.size,
      recipient_hosts: this.recipientHosts.size,
    };
  }
}

/** Counts a mail log's day (or all of it). Events come in order; `summary` may be called at any time. */
export class MailSummary {
  private readonly theirs = new Ledger(false);
  private readonly ours = new Ledger(true);
  private readonly left = new Map<string, Difference & { lines: number }>();
  private readonly hours = new Map<string, Record<string, number>>();
  private readonly days = new Map<string, Record<string, number>>();
  private readonly tables = new Map<string, Tally>();
  private lines = 0;
  private unknown = 0;
  private readonly date: string;
  private readonly zone: string;

  /** date: YYYY-MM-DD in `zone` (IANA), or "all". */
  constructor(date: string, zone: string) {
    this.date = date;
    this.zone = zone;
  }

  add(event: MailEvent): void {
    const when = event.time === null ? undefined : dayHour(event.time, this.zone);
    if (this.date !== "all" && when?.day !== this.date) return;
    this.lines++;
    if (event.event === "unknown") this.unknown++;
    const theirs = pflogsummDaemon(event.program);
    const daemon = event.daemon.startsWith("postfix/") ? event.daemon.slice(8) : undefined;
    if (daemon !== undefined) this.ledgers(event, daemon, theirs);
    this.detail(event, when);
  }

  private ledgers(event: MailEvent, daemon: string, theirs: string | undefined): void {
    this.ours.take(event, daemon);
    const kind = classOf(event, daemon);
    if (kind !== undefined) this.ours.ask(kind);
    const skipped = whySkipped(event, theirs);
    if (skipped === undefined) {
      this.theirs.take(event, daemon);
      if (kind !== undefined && !(daemon === "smtpd" && event.event === "milter_reject"))
        this.theirs.ask(kind);
      else if (kind !== undefined) this.differ("rejected", "smtpd's milter-reject is left out");
    } else if (event.event === "client") this.differ("received", `${skipped}: ${event.program}`);
    else if (event.event === "delivery" && event.fields["status"] === "sent")
      this.differ("delivered", skipped);
    else if (kind !== undefined) this.differ(kind, `${skipped}: ${event.program}`);
    else if (event.event === "disconnect") this.differ("connections", `${skipped}: ${event.program}`);
  }

  private differ(total: keyof Totals, reason: string): void {
    const key = `${total} ${reason}`;
    const known = this.left.get(key);
    if (known) known.lines++;
    else if (this.left.size < SHOWN) this.left.set(key, { total, lines: 1, reason });
  }

  private table(name: string): Tally {
    let table = this.tables.get(name);
    if (table === undefined) {
      table = new Tally(MAX_ROWS);
      this.tables.set(name, table);
    }
    return table;
  }

  private detail(event: MailEvent, when: { day: string; hour: number } | undefined): void {
    const { fields } = event;
    const status = fields["status"];
    const word =
      event.event === "client" || event.event === "pickup"
        ? "received"
        : event.event === "delivery" && status === "sent"
          ? "delivered"
          : status === "deferred" || status === "bounced"
            ? String(status)
            : classOf(event, event.daemon.slice(8)) === "rejected"
              ? "rejected"
              : undefined;
    if (when !== undefined && word !== undefined) {
      bump(this.hours, String(when.hour).padStart(2, "0"), word);
      if (this.days.size < 4000) bump(this.days, when.day, word);
    }
    if (event.event === "delivery" && (status === "deferred" || status === "bounced"))
      this.table(String(status)).add(`${event.cause ?? "other"}\t${shortReason(event)}`);
    if (word === "rejected")
      this.table("reject").add(
        `${String(fields["stage"] ?? "")}\t${event.cause ?? "other"}\t${String(fields["reason"] ?? "").slice(0, 120)}`,
      );
    if (event.severity !== "info")
      this.table("warning").add(`${event.daemon}\t${event.severity}\t${event.template.slice(0, 160)}`);
    if (event.event === "client" && fields["sasl_username"] !== undefined)
      this.table("sasl").add(String(fields["sasl_username"]));
    if (event.event === "auth_failure")
      this.table("failed").add(
        `${String(fields["sasl_username"] ?? fields["user"] ?? "?")}\t${String(fields["client_address"] ?? fields["rip"] ?? "?")}`,
      );
    if (event.event === "login") this.table("login").add(String(fields["user"] ?? "?"));
  }

  summary(): Summary {
    const { ours } = this;
    return {
      date: this.date,
      totals: this.theirs.result(),
      corrected: ours.result(),
      differences: [...this.left.values()],
      lines: this.lines,
      unknown: this.unknown,
      per_hour: rowsOf(this.hours, "hour"),
      per_day: rowsOf(this.days, "date"),
      senders_by_count: ours.senders.top(SHOWN, ["address"]),
      recipients_by_count: ours.recipients.top(SHOWN, ["address"]),
      recipient_domains: ours.recipientHosts.top(SHOWN, ["host"]),
      sending_domains: ours.senderHosts.top(SHOWN, ["host"]),
      deferral_detail: this.table("deferred").top(SHOWN, ["cause", "reason"]),
      bounce_detail: this.table("bounced").top(SHOWN, ["cause", "reason"]),
      reject_detail: this.table("reject").top(SHOWN, ["stage", "cause", "reason"]),
      warning_detail: this.table("warning").top(SHOWN, ["daemon", "severity", "text"]),
      auth_users: this.table("sasl").top(SHOWN, ["user"]),
      auth_failures: this.table("failed").top(SHOWN, ["user", "address"]),
      dovecot_users: this.table("login").top(SHOWN, ["user"]),
      bounded: ours.messages.size >= MAX_OPEN || [...this.tables.values()].some((t) => t.full),
    };
  }
}

/** Why pflogsumm does not see an event that we count; undefined when it does. */
function whySkipped(event: MailEvent, theirs: string | undefined): string | undefined {
  if (theirs === undefined) return "a service whose name it does not know";
  if (event.event !== "delivery") return undefined;
  if (event.fields["tls"] !== undefined) return "the tls= field of Postfix 3.11";
  const whole =
    event.text.includes(": to=<") && event.text.includes(", orig_to=") === event.text.includes(", orig_to=<");
  return whole ? undefined : "a recipient without angle brackets";
}

/** The reason without the parts that make every line its own: who was told, and ids after the codes. */
function shortReason(event: MailEvent): string {
  const reason = String(event.fields["reason"] ?? "");
  const said = reason.indexOf(" said: ");
  const text = said < 0 ? reason : reason.slice(said + 7);
  return text
    .replace(/<[^>]{0,320}>/g, "<>")
    .replace(/\[[0-9a-fA-F.:]{3,45}\]/g, "[]")
    .slice(0, 120);
}

function bump(map: Map<string, Record<string, number>>, key: string, word: string): void {
  let row = map.get(key);
  if (row === undefined) {
    row = { received: 0, delivered: 0, deferred: 0, bounced: 0, rejected: 0 };
    map.set(key, row);
  }
  row[word] = (row[word] ?? 0) + 1;
}

const rowsOf = (map: Map<string, Record<string, number>>, name: string): Row[] =>
  [...map].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([key, row]) => ({ [name]: key, ...row }));
