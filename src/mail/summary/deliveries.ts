import { detached } from "../../log/lines.ts";
import { Correspondents } from "./correspondents.ts";
import type { TotalName } from "./figures.ts";
import { DEFERRED, type MessageIds, NO_SIZE, SIZED } from "./ids.ts";
import { bounceReason, deferralReason } from "./legacy.ts";
import type { Message } from "./message.ts";
import { type Delivery, newDelivery, readDelivery, readFields } from "./record.ts";
import { type Bounded, COUNT, DEFERS, MAX, MAX_TEXTS, OURS, SUM, THEIRS, Tree, type View } from "./table.ts";
import { BOUNCED_COLUMN, DEFERRED_COLUMN, DELIVERED_COLUMN, type Tally, whyUnread } from "./tally.ts";

/** Longest reason in our own lists, in characters. */
const OUR_WIDTH = 120;

/** Delivery records: what was sent, deferred and bounced, to whom and by whom. */
export class Deliveries {
  readonly recipients: Correspondents = new Correspondents("recipients", "recipient_domains", true);
  readonly deferrals: Tree = new Tree("deferral_detail", MAX_TEXTS);
  readonly bounces: Tree = new Tree("bounce_detail", MAX_TEXTS);
  /** Queue ids delivered without a known size, with their last recipient in each view. */
  readonly noSize: Map<string, [string | undefined, string | undefined]> = new Map();
  private noSizeLeftOut = 0;
  private readonly tally: Tally;
  private readonly ids: MessageIds;
  private readonly record = newDelivery();

  constructor(tally: Tally, ids: MessageIds) {
    this.tally = tally;
    this.ids = ids;
  }

  /** Counts a record and returns it (the object is used again at the next one); undefined when the line holds none. */
  add(message: Message): Delivery | undefined {
    const d = this.record;
    const { body, writer } = message;
    const read = readDelivery(body, d);
    if (!read && !readFields(message.event, d)) return undefined;
    if (d.status !== "sent" && d.status !== "deferred" && d.status !== "bounced") return d;
    const theirs = read && message.readable && !message.byServer && writer.theirs !== "master";
    let begin = 0;
    while (body.charCodeAt(begin) === 32) begin++;
    const end = Math.max(begin, body.indexOf(":", begin));
    this.ids.at(body, begin, end);
    const sign = d.to.indexOf("@");
    const total = totalOf(d);
    if (total === "delivered" || total === "deferrals")
      this.recipients.at(d.to, sign < 0 ? d.to : "", total === "delivered");
    this.outcome(OURS, d, writer.daemon, begin === 0 && d.id !== "" ? d.id : body.slice(begin, end));
    if (!theirs) {
      this.tally.differ(total, whyNot(message, read));
      return d;
    }
    // The id is the word at that place, whatever it is: of `  ID: to=<a>,` the next one.
    let word = d.id;
    if (begin > 0 || word === "") {
      word = /to=\S*/.exec(body)![0];
      this.ids.at(word, 0, word.length);
    }
    this.outcome(THEIRS, d, writer.theirs, word);
    return d;
  }

  private outcome(view: View, d: Delivery, daemon: string, id: string): void {
    if (d.status === "sent") this.sent(view, d, id);
    else if (d.status === "deferred") this.deferred(view, d, daemon);
    else {
      this.tally.count(view, "bounced", BOUNCED_COLUMN);
      this.bounces.add(1 << view, d.relay, "", view === OURS ? ourReason(d.tail) : bounceReason(d.tail));
    }
  }

  private sent(view: View, d: Delivery, id: string): void {
    const { tally, ids, recipients } = this;
    if (d.tail.includes("forwarded as ")) {
      tally.count(view, "forwarded");
      return;
    }
    tally.count(view, "delivered", DELIVERED_COLUMN);
    let size = 0;
    if (ids.has(view, SIZED)) {
      size = ids.value(view);
      tally.add(view, "bytes_delivered", size);
    } else {
      if (!ids.has(view, NO_SIZE)) tally.count(view, "messages_without_size");
      ids.set(view, NO_SIZE);
      this.sizeless(view, id, recipients.address);
    }
    recipients.count(view, size);
    const { hosts, hostRow } = recipients;
    if (hostRow < 0) return;
    hosts.increase(hostRow, SUM + view, d.delay);
    this.longest(view, d.delay);
  }

  private deferred(view: View, d: Delivery, daemon: string): void {
    this.tally.count(view, "deferrals", DEFERRED_COLUMN);
    if (!this.ids.has(view, DEFERRED)) this.tally.count(view, "deferred");
    this.ids.set(view, DEFERRED);
    this.deferrals.add(1 << view, daemon, "", view === OURS ? ourReason(d.tail) : deferralReason(d.tail));
    const { hosts, hostRow } = this.recipients;
    if (hostRow < 0) return;
    hosts.increase(hostRow, DEFERS + view, 1);
    this.longest(view, d.delay);
  }

  /** The longest delay of the host at hand; a first one counts though it be negative. */
  private longest(view: View, delay: number): void {
    const { hosts, hostRow } = this.recipients;
    const first = hosts.figure(hostRow, COUNT + view) + hosts.figure(hostRow, DEFERS + view) === 1;
    if (delay > hosts.figure(hostRow, MAX + view) || (first && delay < 0))
      hosts.set(hostRow, MAX + view, delay);
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

  bounded(out: Bounded[]): void {
    if (this.noSizeLeftOut > 0)
      out.push({ table: "no_size_detail", rows: this.noSize.size, left_out: this.noSizeLeftOut });
  }

  /** Forgets which messages had no size. */
  clearNoSize(): void {
    this.noSize.clear();
    this.noSizeLeftOut = 0;
  }
}

/** Why pflogsumm does not count a record. read: whether it has the form that it knows. */
function whyNot(message: Message, read: boolean): string {
  if (!message.readable) return whyUnread(message);
  if (read) return `a delivery record of ${message.writer.theirs}`;
  if (message.event.fields["tls"] !== undefined) return "the tls= field of Postfix 3.11";
  return "a delivery record with other fields than it knows";
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

const totalOf = (d: Delivery): TotalName =>
  d.status === "deferred"
    ? "deferrals"
    : d.status === "bounced"
      ? "bounced"
      : d.tail.includes("forwarded as ")
        ? "forwarded"
        : "delivered";
