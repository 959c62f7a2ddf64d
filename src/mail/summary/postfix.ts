import { detached } from "../../log/lines.ts";
import type { MailEvent } from "../event.ts";
import { Calendar, type Difference, noTotals, type TotalName, type Totals } from "./figures.ts";
import { DEFERRED, MessageIds, NO_SIZE, RECEIVED, SIZED } from "./ids.ts";
import {
  type Ask,
  askOf,
  bounceReason,
  clientHost,
  cutText,
  deferralReason,
  foldAddress,
  isIpv4Client,
  lower,
  readCleanup,
  readRefusal,
  TEXT_WIDTH,
} from "./legacy.ts";
import type { Located, Writer } from "./message.ts";
import {
  type Bounded,
  type Cell,
  COUNT,
  DEFERS,
  MAX,
  OURS,
  SUM,
  Table,
  THEIRS,
  Tree,
  type View,
} from "./table.ts";

/** Addresses, and hosts or domains, of one table. */
const MAX_ADDRESSES = 20_000;
const MAX_HOSTS = 20_000;
/** Reasons, texts and queue ids of one list. */
const MAX_TEXTS = 12_000;
/** Open connections; a server has some hundred. */
const MAX_OPEN = 20_000;
/** Names of clients whose messages may come without a sender. */
const MAX_CLIENTS = 20_000;
const MAX_DIFFERENCES = 200;
/** Longest reason in our own lists, in characters. */
const OUR_WIDTH = 120;

const CLIENT = /(\w+): client=([^,]+)/y;
const PICKUP = / *(\w+): (?:sender|uid)=/y;
const QUEUED = /(\w+): from=<([^>]*)>, size=(\d+)/y;
const DELIVERY =
  / *(?:([^\s:]+): +)?to=<([^>]*)>, (?:orig_to=<[^>]*>, )?relay=([^,]+), (?:conn_use=[^,]+, )?delay=([^,]+), (?:delays=([^,]+), )?(?:dsn=([^,]+), )?status=(\S+)(.*)$/sy;
const REFUSAL = / *(?:\w+: )?(reject|reject_warning|hold|discard): (.*)$/sy;
const FAILURE = / *(?:\w+: )?connect to ([^[]+)\[[^\]]*\]: (.*) \(port \d+\)/y;

/** The columns of Calendar. */
const RECEIVED_COLUMN = 0;
const DELIVERED_COLUMN = 1;
const DEFERRED_COLUMN = 2;
const BOUNCED_COLUMN = 3;
const REJECTED_COLUMN = 4;
const CONNECTIONS_COLUMN = 5;
const SECONDS_COLUMN = 6;

const NAMED = "a service whose name it does not know";

/** One delivery record, read once for all who count it. */
export type Delivery = {
  to: string;
  relay: string;
  delay: number;
  /** As logged, "" where the line has none. */
  delays: string;
  dsn: string;
  status: string;
  /** What follows the status: " (text)". */
  tail: string;
};

/**
 * Counts Postfix's lines twice in one pass: as pflogsumm 1.1.5 does (view THEIRS), its omissions included, and as the
 * lines say (view OURS). Both share the tables; each row holds the figures of both.
 */
export class PostfixCount {
  private totals: [Totals, Totals] = [noTotals(), noTotals()];
  calendar: Calendar = new Calendar();
  readonly senders: Table = new Table("senders", MAX_ADDRESSES, true);
  readonly sendingHosts: Table = new Table("sending_domains", MAX_HOSTS, true);
  readonly recipients: Table = new Table("recipients", MAX_ADDRESSES, true);
  readonly recipientHosts: Table = new Table("recipient_domains", MAX_HOSTS, true, true);
  readonly clients: Table = new Table("connection_domains", MAX_HOSTS, true, true);
  /** Queue ids delivered without a known size, with their last recipient in each view. */
  readonly noSize: Map<string, [string | undefined, string | undefined]> = new Map();
  private noSizeLeftOut = 0;
  readonly deferrals: Tree = new Tree("deferral_detail", MAX_TEXTS);
  readonly bounces: Tree = new Tree("bounce_detail", MAX_TEXTS);
  readonly refusals: Readonly<Record<Ask, Tree>> = {
    rejected: new Tree("reject_detail", MAX_TEXTS),
    reject_warnings: new Tree("reject_warning_detail", MAX_TEXTS),
    held: new Tree("hold_detail", MAX_TEXTS),
    discarded: new Tree("discard_detail", MAX_TEXTS),
  };
  readonly smtpFailures: Tree = new Tree("smtp_failure_detail", MAX_TEXTS);
  readonly warnings: Tree = new Tree("warning_detail", MAX_TEXTS);
  readonly fatals: Tree = new Tree("fatal_detail", MAX_TEXTS);
  readonly panics: Tree = new Tree("panic_detail", MAX_TEXTS);
  readonly master: Tree = new Tree("master_detail", MAX_TEXTS);
  private readonly ids = new MessageIds();
  private readonly names: string[] = [""];
  private readonly nameNumbers = new Map<string, number>();
  /** When a connection began, by pid as pflogsumm does, and by host and pid */
  private readonly theirOpen = new Map<number, number>();
  private readonly open = new Map<string, Map<number, number>>();
  private differences = new Map<TotalName, Map<string, number>>();
  /** Of the delivery at hand: both views ask for the same rows. */
  private recipient = "";
  private domain = "";
  private recipientRow: Cell | undefined;
  private hostRow: Cell | undefined;
  private readonly delivery: Delivery = {
    to: "",
    relay: "",
    delay: 0,
    delays: "",
    dsn: "",
    status: "",
    tail: "",
  };

  /**
   * One event of a Postfix daemon. local: its wall clock in ms. Returns the delivery when it was one (the object is used
   * again at the next event).
   */
  add(event: MailEvent, writer: Writer, where: Located, local: number): Delivery | undefined {
    this.calendar.at(local);
    const readable = where.readable && writer.theirs !== "";
    const name = CORE.has(event.event) ? event.event : guess(writer, where);
    switch (name) {
      case "client":
        this.client(event, where, readable && isServer(writer.theirs));
        return undefined;
      case "pickup":
        this.pickup(event, where, readable && writer.theirs === "pickup");
        return undefined;
      case "queue_active":
        this.queued(event, where, readable && !isServer(writer.theirs));
        return undefined;
      case "delivery":
        return this.delivered(event, writer, where, readable);
      case "connect":
      case "disconnect":
        if (writer.daemon === "smtpd")
          this.connection(event, name === "connect", where, local, readable && writer.theirs === "smtpd");
        return undefined;
      default:
        this.rest(event, writer, where, readable);
        return undefined;
    }
  }

  /** A line before the day that is asked for: pflogsumm does not look at it, but the sizes that it tells hold. */
  earlier(event: MailEvent, where: Located): void {
    if (event.event === "queue_active") {
      QUEUED.lastIndex = where.at;
      const m = QUEUED.exec(where.body);
      if (m !== null) this.size(OURS, where, m[1]!.length, Number(m[3]));
    }
  }

  private size(view: View, where: Located, length: number, size: number): void {
    this.ids.at(where.body, where.at, where.at + length);
    if (this.ids.has(view, SIZED)) return;
    this.ids.set(view, SIZED);
    this.ids.setValue(view, size);
  }

  private count(view: View, total: TotalName, column?: number): void {
    this.totals[view][total]++;
    if (column !== undefined) this.calendar.add(view, column);
  }

  differ(total: TotalName, reason: string): void {
    let reasons = this.differences.get(total);
    if (reasons === undefined) {
      reasons = new Map();
      this.differences.set(total, reasons);
    }
    const n = reasons.get(reason);
    if (n !== undefined || reasons.size < MAX_DIFFERENCES) reasons.set(reason, (n ?? 0) + 1);
  }

  /** Why pflogsumm does not read a line that we count. */
  private why(event: MailEvent, where: Located): string {
    if (!where.readable) return "a line head that it does not read";
    return `${NAMED}: ${event.program}`;
  }

  private client(event: MailEvent, where: Located, readable: boolean): void {
    CLIENT.lastIndex = where.at;
    const m = CLIENT.exec(where.body);
    if (m === null) return;
    this.arrived(OURS, m[1]!.length, where, clientHost(m[2]!) || m[2]!);
    if (!readable) this.differ("received", this.why(event, where));
    else this.arrived(THEIRS, m[1]!.length, where, clientHost(m[2]!));
  }

  private pickup(event: MailEvent, where: Located, readable: boolean): void {
    PICKUP.lastIndex = where.at;
    const m = PICKUP.exec(where.body);
    if (m === null) return;
    if (where.body.charCodeAt(where.at) === 32) where.at = skipSpaces(where.body, where.at);
    this.arrived(OURS, m[1]!.length, where, "pickup");
    if (!readable) this.differ("received", this.why(event, where));
    else this.arrived(THEIRS, m[1]!.length, where, "pickup");
  }

  private arrived(view: View, length: number, where: Located, host: string): void {
    this.count(view, "received", RECEIVED_COLUMN);
    const { ids } = this;
    ids.at(where.body, where.at, where.at + length);
    if (view === THEIRS) {
      // An id that comes again keeps the size of its first message, and a client without an address leaves no message.
      if (ids.has(THEIRS, SIZED)) return;
      if (host === "") {
        ids.clear(THEIRS, RECEIVED);
        return;
      }
    } else ids.clear(OURS, SIZED | DEFERRED | NO_SIZE);
    ids.set(view, RECEIVED);
    ids.setValue(view, this.nameNumber(host));
  }

  private nameNumber(host: string): number {
    let n = this.nameNumbers.get(host);
    if (n === undefined) {
      if (this.names.length >= MAX_CLIENTS) return 0;
      n = this.names.length;
      this.names.push(host);
      this.nameNumbers.set(host, n);
    }
    return n;
  }

  private queued(event: MailEvent, where: Located, readable: boolean): void {
    QUEUED.lastIndex = where.at;
    const m = QUEUED.exec(where.body);
    if (m === null) return;
    const from = m[2]!;
    const size = Number(m[3]);
    const { ids } = this;
    ids.at(where.body, where.at, where.at + m[1]!.length);
    const known = ids.has(THEIRS, SIZED);
    let mine = false;
    let address: string | undefined;
    for (let view: View = OURS; view <= THEIRS; view++) {
      if ((view === THEIRS && !readable) || ids.has(view, SIZED)) continue;
      const host = ids.has(view, RECEIVED) ? this.names[ids.value(view)]! : undefined;
      // A size of 0 is no size to pflogsumm, and the arrival is used up by the first.
      if (view === THEIRS) ids.clear(THEIRS, RECEIVED);
      if (size > 0 || view === OURS) {
        ids.set(view, SIZED);
        ids.setValue(view, size);
      }
      if (host === undefined) continue;
      if (view === OURS) mine = true;
      this.totals[view].bytes_received += size;
      address ??= from === "" ? "from=<>" : foldAddress(from);
      this.sender(view, address, host, size);
    }
    if (!mine) return;
    if (!readable) this.differ("bytes_received", this.why(event, where));
    else if (known)
      this.differ("bytes_received", "a queue id that comes again keeps the size of its first message");
  }

  private sender(view: View, address: string, host: string, size: number): void {
    const at = address.indexOf("@");
    let domain = at < 0 ? "" : address.slice(at + 1);
    if (domain === "") domain = host === "pickup" ? address : host;
    this.senders.add(view, address, size);
    this.sendingHosts.add(view, domain, size);
  }

  private delivered(
    event: MailEvent,
    writer: Writer,
    where: Located,
    readable: boolean,
  ): Delivery | undefined {
    DELIVERY.lastIndex = where.at;
    const m = DELIVERY.exec(where.body);
    const d = this.delivery;
    let theirs = readable && !isServer(writer.theirs) && writer.theirs !== "master";
    if (m !== null) {
      d.to = m[2]!;
      d.relay = m[3]!;
      d.delay = Number(m[4]);
      d.delays = m[5] ?? "";
      d.dsn = m[6] ?? "";
      d.status = m[7]!;
      d.tail = m[8]!;
    } else {
      theirs = false;
      const { fields } = event;
      if (fields["status"] === undefined) return undefined;
      d.to = String(fields["to"] ?? "");
      d.relay = String(fields["relay"] ?? "none");
      d.delay = Number(fields["delay"] ?? 0);
      d.delays = String(fields["delays"] ?? "");
      d.dsn = String(fields["dsn"] ?? "");
      d.status = String(fields["status"]);
      d.tail = fields["reason"] === undefined ? "" : ` (${fields["reason"]})`;
    }
    if (!Number.isFinite(d.delay)) d.delay = Number.parseFloat(m?.[4] ?? "") || 0;
    if (d.status !== "sent" && d.status !== "deferred" && d.status !== "bounced") return d;
    const { body, at } = where;
    const begin = skipSpaces(body, at);
    const colon = body.indexOf(":", begin);
    this.ids.at(body, begin, Math.max(begin, colon));
    const sign = d.to.indexOf("@");
    this.recipient = foldAddress(d.to);
    this.domain = sign < 0 ? d.to : this.recipient.slice(sign + 1);
    this.recipientRow = undefined;
    this.hostRow = undefined;
    this.outcome(OURS, d, writer.daemon, body.slice(begin, Math.max(begin, colon)));
    if (theirs) {
      // The id is the word at that place, whatever it is: of `  ID: to=<a>,` the next one.
      const word = begin === at && m?.[1] !== undefined ? m[1] : /to=\S*/.exec(body.slice(at))![0];
      if (begin !== at || m?.[1] === undefined) this.ids.at(word, 0, word.length);
      this.outcome(THEIRS, d, writer.theirs, word);
    } else this.differ(totalOf(d), this.whyRecord(event, writer, where, m !== null));
    return d;
  }

  private whyRecord(event: MailEvent, writer: Writer, where: Located, read: boolean): string {
    if (!where.readable || writer.theirs === "") return this.why(event, where);
    if (read) return `a delivery record of ${writer.theirs}`;
    if (event.fields["tls"] !== undefined) return "the tls= field of Postfix 3.11";
    return "a delivery record with other fields than it knows";
  }

  private outcome(view: View, d: Delivery, daemon: string, id: string): void {
    if (d.status === "sent") {
      if (d.tail.includes("forwarded as ")) {
        this.count(view, "forwarded");
        return;
      }
      this.count(view, "delivered", DELIVERED_COLUMN);
      const sized = this.ids.has(view, SIZED);
      const size = sized ? this.ids.value(view) : 0;
      this.totals[view].bytes_delivered += size;
      if (!sized) {
        if (!this.ids.has(view, NO_SIZE)) {
          this.ids.set(view, NO_SIZE);
          this.totals[view].messages_without_size++;
        }
        this.sizeless(view, id, this.recipient);
      }
      this.recipientRow = this.recipients.add(view, this.recipient, size, this.recipientRow);
      this.hostRow = this.recipientHosts.add(view, this.domain, size, this.hostRow);
    } else if (d.status === "deferred") {
      this.count(view, "deferrals", DEFERRED_COLUMN);
      if (!this.ids.has(view, DEFERRED)) {
        this.ids.set(view, DEFERRED);
        this.totals[view].deferred++;
      }
      this.deferrals.add(1 << view, daemon, "", view === OURS ? ourReason(d.tail) : deferralReason(d.tail));
    } else {
      this.count(view, "bounced", BOUNCED_COLUMN);
      this.bounces.add(1 << view, d.relay, "", view === OURS ? ourReason(d.tail) : bounceReason(d.tail));
      return;
    }
    this.hostRow ??= this.recipientHosts.row(this.domain);
    const row = this.hostRow;
    if (row === undefined) return;
    if (d.status === "deferred") row[DEFERS + view]!++;
    else row[SUM + view]! += d.delay;
    if (d.delay > row[MAX + view]! || (row[COUNT + view]! + row[DEFERS + view]! === 1 && d.delay < 0))
      row[MAX + view] = d.delay;
  }

  private sizeless(view: View, id: string, to: string): void {
    let last = this.noSize.get(id);
    if (last === undefined) {
      if (this.noSize.size >= MAX_TEXTS) {
        this.noSizeLeftOut++;
        return;
      }
      last = [undefined, undefined];
      this.noSize.set(detached(id), last);
    }
    last[view] = detached(to);
  }

  private connection(
    event: MailEvent,
    begins: boolean,
    where: Located,
    local: number,
    readable: boolean,
  ): void {
    const { pid } = event;
    let open = this.open.get(event.host);
    if (open === undefined && this.open.size < 1000) {
      open = new Map();
      this.open.set(event.host, open);
    }
    const key = pid ?? -1;
    const start = where.at + (begins ? 13 : 16);
    if (where.body.length <= start) return; // cut before the client
    if (begins) {
      if (open !== undefined && open.size < MAX_OPEN) open.set(key, local);
      if (readable && pid !== undefined && this.theirOpen.size < MAX_OPEN) this.theirOpen.set(pid, local);
      return;
    }
    const ours = open?.get(key);
    const theirs = readable && pid !== undefined ? this.theirOpen.get(pid) : undefined;
    if (ours === undefined && theirs === undefined) return;
    const client = where.body.slice(start);
    const space = client.indexOf(" ");
    const alone = space < 0 ? client : client.slice(0, space);
    const host = clientHost(alone);
    if (ours !== undefined) {
      open!.delete(key);
      this.connected(OURS, host || alone, local - ours);
    }
    if (theirs !== undefined) {
      this.theirOpen.delete(pid!);
      // What follows an IPv4 address changes nothing, and most clients have one.
      const same = space < 0 || isIpv4Client(alone);
      this.connected(THEIRS, same ? host : clientHost(client), local - theirs);
      if (ours === undefined) this.differ("connections", "two processes of one number");
    } else this.differ("connections", this.why(event, where));
  }

  private connected(view: View, host: string, ms: number): void {
    const seconds = Math.trunc(ms / 1000);
    this.count(view, "connections", CONNECTIONS_COLUMN);
    this.totals[view].connect_time_total_seconds += seconds;
    this.calendar.add(view, SECONDS_COLUMN, seconds);
    this.calendar.longest(view, seconds);
    const row = this.clients.add(view, host);
    if (row === undefined) return;
    row[SUM + view]! += seconds;
    if (seconds > row[MAX + view]!) row[MAX + view] = seconds;
  }

  private rest(event: MailEvent, writer: Writer, where: Located, readable: boolean): void {
    const { body, at } = where;
    const { daemon } = writer;
    const views = readable ? 3 : 1;
    if (this.severe(event, writer, where, views)) return;
    if (daemon === "smtpd" || daemon === "postscreen")
      this.refused(event, writer, where, readable && isServer(writer.theirs));
    else if (daemon === "cleanup") {
      if (event.event !== "message_id") this.cleanup(event, where, readable && writer.theirs === "cleanup");
    } else if (daemon === "smtp") {
      if (event.event === "connect_failure") this.failure(event, where, readable && writer.theirs === "smtp");
    } else if (daemon === "master") {
      const last = body.lastIndexOf(": ");
      const text = last < at ? body.slice(at) : body.slice(last + 2);
      if (text === "") return;
      this.master.add(views, text, "", "");
      this.both("master_messages", views, event, where);
    }
  }

  private both(total: TotalName, views: number, event: MailEvent, where: Located): void {
    this.totals[OURS][total]++;
    if (views & 2) this.totals[THEIRS][total]++;
    else this.differ(total, this.why(event, where));
  }

  /** `warning: `, `fatal: ` and `panic: ` at the head of a message. */
  private severe(event: MailEvent, writer: Writer, where: Located, views: number): boolean {
    const { body, at } = where;
    const warning = body.startsWith("warning", at);
    const fatal = !warning && body.startsWith("fatal:", at);
    if (!warning && !fatal && !body.startsWith("panic:", at)) return false;
    if (warning && writer.daemon === "cleanup" && readCleanup(body.slice(at)) !== undefined) return false;
    const tree = warning ? this.warnings : fatal ? this.fatals : this.panics;
    const length = warning ? 7 : 5;
    // Without a text the whole line from the tag on stands for it.
    const text = body.startsWith(": ", at + length)
      ? body.slice(at + length + 2)
      : `${event.program}[${event.pid}]: ${body.slice(at)}`;
    const short = cutText(text, TEXT_WIDTH);
    tree.add(views & 1, writer.daemon, "", short);
    if (views & 2) tree.add(2, writer.theirs, "", short);
    this.both(warning ? "warnings" : fatal ? "fatal_errors" : "panics", views, event, where);
    return true;
  }

  private ask(view: View, ask: Ask): void {
    this.count(view, ask, REJECTED_COLUMN);
  }

  private refused(event: MailEvent, writer: Writer, where: Located, readable: boolean): void {
    const { body, at } = where;
    REFUSAL.lastIndex = at;
    const m = REFUSAL.exec(body);
    if (m !== null) {
      const ask = askOf(m[1]!);
      const refusal = readRefusal(m[2]!);
      this.refusals[ask].add(readable ? 3 : 1, refusal.stage, refusal.reason, refusal.who);
      this.ask(OURS, ask);
      if (readable) this.ask(THEIRS, ask);
      else this.differ(ask, this.why(event, where));
      return;
    }
    const ask = OUR_ASKS[event.event];
    if (ask === undefined || writer.daemon === "postscreen") return;
    const colon = body.indexOf(": ", body.indexOf(": ", at) + 2);
    const refusal = readRefusal(body.slice(colon + 2));
    this.refusals[ask].add(1, refusal.stage, refusal.reason, refusal.who);
    this.ask(OURS, ask);
    this.differ(ask, `smtpd's ${event.fields["action"] ?? event.event} is left out`);
  }

  private cleanup(event: MailEvent, where: Located, readable: boolean): void {
    const found = readCleanup(where.body.slice(where.at));
    const ask = OUR_ASKS[event.event];
    if (found !== undefined) {
      const { stage, reason, who } = found.refusal;
      this.refusals[found.ask].add(readable ? 3 : 1, stage, reason, who);
      this.ask(OURS, found.ask);
      if (readable) this.ask(THEIRS, found.ask);
      else this.differ(found.ask, this.why(event, where));
    } else if (ask !== undefined) {
      const { fields } = event;
      const stage = String(fields["stage"] ?? "");
      this.refusals[ask].add(1, "cleanup", stage, cutText(String(fields["reason"] ?? ""), TEXT_WIDTH));
      this.ask(OURS, ask);
      this.differ(
        ask,
        `cleanup's ${fields["action"] ?? event.event} of ${stage || "other parts"} is left out`,
      );
    }
  }

  private failure(event: MailEvent, where: Located, readable: boolean): void {
    FAILURE.lastIndex = where.at;
    const m = FAILURE.exec(where.body);
    if (m !== null) {
      this.smtpFailures.add(readable ? 3 : 1, lower(m[2]!), "", m[1]!);
      this.both("smtp_delivery_failures", readable ? 3 : 1, event, where);
      return;
    }
    const { fields } = event;
    const host = String(fields["relay_host"] ?? "");
    this.smtpFailures.add(1, lower(String(fields["reason"] ?? "")), "", host);
    this.totals[OURS].smtp_delivery_failures++;
    this.differ(
      "smtp_delivery_failures",
      "the form with the port after the address, of Postfix 2.3 and later",
    );
  }

  /** The totals of a view, with the distinct counts and percentages. */
  result(view: View): Totals {
    const t = { ...this.totals[view] };
    const all = t.delivered + t.rejected + t.discarded;
    t.rejected_percent = all === 0 ? 0 : Math.trunc((100 * t.rejected) / all);
    t.discarded_percent = all === 0 ? 0 : Math.trunc((100 * t.discarded) / all);
    t.senders = this.senders.size(view);
    t.sending_hosts = this.sendingHosts.size(view);
    t.recipients = this.recipients.size(view);
    t.recipient_hosts = this.recipientHosts.size(view);
    t.connection_hosts = this.clients.size(view);
    t.connect_time_avg_seconds = average(t.connect_time_total_seconds, t.connections);
    return t;
  }

  /** Where the two views part, by total. What follows from other lines alone is said so. */
  differing(): Difference[] {
    const [ours, theirs] = [this.result(OURS), this.result(THEIRS)];
    const out: Difference[] = [];
    for (const total of Object.keys(ours) as TotalName[]) {
      const reasons = this.differences.get(total);
      if (reasons !== undefined) for (const [reason, lines] of reasons) out.push({ total, lines, reason });
      else if (ours[total] !== theirs[total])
        out.push({
          total,
          lines: 0,
          reason: DERIVED[total] ?? "follows from the lines that it counts otherwise",
        });
    }
    return out;
  }

  /** Tables that could not hold everything. */
  bounded(): Bounded[] {
    const out: Bounded[] = [];
    for (const table of this.tables()) table.bounded(out);
    if (this.noSizeLeftOut > 0)
      out.push({ table: "no_size_detail", rows: this.noSize.size, left_out: this.noSizeLeftOut });
    if (this.ids.forgotten > 0) out.push({ table: "queue_ids", rows: 734_003, left_out: this.ids.forgotten });
    return out;
  }

  private tables(): (Table | Tree)[] {
    return [
      this.senders,
      this.sendingHosts,
      this.recipients,
      this.recipientHosts,
      this.clients,
      this.deferrals,
      this.bounces,
      ...Object.values(this.refusals),
      this.smtpFailures,
      this.warnings,
      this.fatals,
      this.panics,
      this.master,
    ];
  }

  /** Begins a new day: counts at zero, messages and connections still known. */
  restart(): void {
    this.totals = [noTotals(), noTotals()];
    this.calendar = new Calendar();
    this.differences = new Map();
    this.noSize.clear();
    this.noSizeLeftOut = 0;
    for (const table of this.tables()) table.clear();
  }
}

/** What the other side said, without the addresses and ids that make each reply its own. pflogsumm keeps what follows a colon. */
function ourReason(tail: string): string {
  const open = tail.indexOf("(");
  let text = open < 0 ? "" : tail.slice(open + 1, tail.endsWith(")") ? -1 : undefined).slice(0, 600);
  const said = /.* (?:said|refused to talk to me): /.exec(text);
  if (said !== null) text = text.slice(said[0].length);
  return text
    .replace(/<[^>]{0,320}>/g, "<>")
    .replace(/\[[0-9a-fA-F.:]{3,45}\]/g, "[]")
    .slice(0, OUR_WIDTH);
}

const isServer = (theirs: string): boolean => theirs === "smtpd" || theirs === "postscreen";

function skipSpaces(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === 32) at++;
  return at;
}

/** Events that need no second look. */
const CORE = new Set([
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
function guess(writer: Writer, where: Located): string {
  const { body, at } = where;
  const { daemon } = writer;
  const found = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    return pattern.test(body);
  };
  if (daemon === "smtpd" || daemon === "postscreen") return found(CLIENT) ? "client" : "unknown";
  if (daemon === "pickup" && found(PICKUP)) return "pickup";
  if (daemon === "master" || daemon === "") return "unknown";
  return found(QUEUED) ? "queue_active" : found(DELIVERY) ? "delivery" : "unknown";
}

const OUR_ASKS: Readonly<Record<string, Ask | undefined>> = {
  reject: "rejected",
  milter_reject: "rejected",
  reject_warning: "reject_warnings",
  hold: "held",
  discard: "discarded",
};

/** Why a total differs without a line of its own. */
const DERIVED: Readonly<Partial<Record<TotalName, string>>> = {
  connection_hosts: "an IPv6 client is left without a name when counters follow it (Postfix 3.0 and later)",
  bytes_delivered: "sizes told before the day begins, and those of queue ids that come again",
};

const totalOf = (d: Delivery): TotalName =>
  d.status === "deferred"
    ? "deferrals"
    : d.status === "bounced"
      ? "bounced"
      : d.tail.includes("forwarded as ")
        ? "forwarded"
        : "delivered";

/** A mean cut as pflogsumm cuts it: half a unit added, then the fraction dropped. */
export const average = (sum: number, n: number): number => (n === 0 ? 0 : Math.trunc(sum / n + 0.5));
