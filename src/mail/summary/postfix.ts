import { Arrivals, CLIENT, matchHead, PICKUP, QUEUED } from "./arrivals.ts";
import { Complaints } from "./complaints.ts";
import { Connections } from "./connections.ts";
import { Deliveries } from "./deliveries.ts";
import type { Difference, Totals } from "./figures.ts";
import { MAX_IDS, MessageIds } from "./ids.ts";
import type { Message } from "./message.ts";
import { DELIVERY, type Delivery } from "./record.ts";
import { Refusals } from "./refusals.ts";
import { type Bounded, OURS, type Table, THEIRS, type Tree, type View } from "./table.ts";
import { average, Tally } from "./tally.ts";

/**
 * Counts Postfix's lines twice in one pass: as pflogsumm 1.1.5 does (view THEIRS), its omissions included, and as the
 * lines say (view OURS). Both share the tables; each row holds the figures of both.
 */
export class PostfixCount {
  readonly tally: Tally = new Tally();
  private readonly ids = new MessageIds();
  readonly arrivals: Arrivals = new Arrivals(this.tally, this.ids);
  readonly deliveries: Deliveries = new Deliveries(this.tally, this.ids);
  readonly connections: Connections = new Connections(this.tally);
  readonly refusals: Refusals = new Refusals(this.tally);
  readonly complaints: Complaints = new Complaints(this.tally);

  /** One line of a Postfix daemon. local: its wall clock in ms. Returns the delivery when it was one (the object is used again at the next). */
  add(message: Message, local: number): Delivery | undefined {
    this.tally.calendar.at(local);
    const { event, writer } = message;
    const name = NAMED.has(event.event) ? event.event : guess(message);
    switch (name) {
      case "client":
        this.arrivals.client(message);
        return undefined;
      case "pickup":
        this.arrivals.pickup(message);
        return undefined;
      case "queue_active":
        this.arrivals.queued(message);
        return undefined;
      case "delivery":
        return this.deliveries.add(message);
      case "connect":
      case "disconnect":
        if (writer.daemon === "smtpd") this.connections.add(message, name === "connect", local);
        return undefined;
      default:
        this.rest(message);
        return undefined;
    }
  }

  /** A line before the day that is asked for. */
  earlier(message: Message): void {
    if (message.event.event === "queue_active") this.arrivals.earlier(message);
  }

  private rest(message: Message): void {
    if (this.complaints.severe(message)) return;
    switch (message.writer.daemon) {
      case "smtpd":
      case "postscreen":
        this.refusals.byServer(message);
        break;
      case "cleanup":
        if (message.event.event !== "message_id") this.refusals.byCleanup(message);
        break;
      case "smtp":
        if (message.event.event === "connect_failure") this.complaints.unreached(message);
        break;
      case "master":
        this.complaints.ofMaster(message);
    }
  }

  /** The totals of a view, with the distinct counts and percentages. */
  result(view: View): Totals {
    const t = this.tally.counts(view);
    const all = t.delivered + t.rejected + t.discarded;
    t.rejected_percent = all === 0 ? 0 : Math.trunc((100 * t.rejected) / all);
    t.discarded_percent = all === 0 ? 0 : Math.trunc((100 * t.discarded) / all);
    const { senders } = this.arrivals;
    const { recipients } = this.deliveries;
    t.senders = senders.addresses.size(view);
    t.sending_hosts = senders.hosts.size(view);
    t.recipients = recipients.addresses.size(view);
    t.recipient_hosts = recipients.hosts.size(view);
    t.connection_hosts = this.connections.clients.size(view);
    t.connect_time_avg_seconds = average(t.connect_time_total_seconds, t.connections);
    return t;
  }

  /** Where the two views part, by total. */
  differing(): Difference[] {
    return this.tally.differing(this.result(OURS), this.result(THEIRS));
  }

  /** Tables that could not hold everything. */
  bounded(): Bounded[] {
    const out: Bounded[] = [];
    for (const table of this.tables()) table.bounded(out);
    this.deliveries.bounded(out);
    if (this.ids.forgotten > 0) out.push({ table: "queue_ids", rows: MAX_IDS, left_out: this.ids.forgotten });
    return out;
  }

  private tables(): (Table | Tree)[] {
    const { arrivals, deliveries, connections, refusals, complaints } = this;
    return [
      arrivals.senders.addresses,
      arrivals.senders.hosts,
      deliveries.recipients.addresses,
      deliveries.recipients.hosts,
      connections.clients,
      deliveries.deferrals,
      deliveries.bounces,
      ...Object.values(refusals.trees),
      complaints.smtpFailures,
      complaints.warnings,
      complaints.fatals,
      complaints.panics,
      complaints.master,
    ];
  }

  /** Begins a new day: counts at zero, messages and connections still known. */
  restart(): void {
    this.tally.clear();
    for (const table of this.tables()) table.clear();
    this.arrivals.senders.forgetRows();
    this.deliveries.recipients.forgetRows();
    this.deliveries.clearNoSize();
  }
}

/** Events that need no second look. */
const NAMED = new Set([
  "client",
  "pickup",
  "queue_active",
  "delivery",
  "connect",
  "disconnect",
  "reject",
  "reject_warning",
  "milter_reject",
  "hold",
  "discard",
  "connect_failure",
  "hostname_mismatch",
  "tls_established",
]);

/** What a line is that the grammar does not know, by the forms that pflogsumm looks for: ids may be of any letters to it. */
function guess(message: Message): string {
  const { body, writer } = message;
  const { daemon } = writer;
  const found = (pattern: RegExp): boolean => matchHead(pattern, body) !== null;
  if (daemon === "smtpd" || daemon === "postscreen") return found(CLIENT) ? "client" : "unknown";
  if (daemon === "pickup" && found(PICKUP)) return "pickup";
  if (daemon === "master" || daemon === "") return "unknown";
  return found(QUEUED) ? "queue_active" : found(DELIVERY) ? "delivery" : "unknown";
}
