import { detached } from "../../log/lines.ts";
import { Correspondents } from "./correspondents.ts";
import { DEFERRED, type MessageIds, NO_SIZE, RECEIVED, SIZED } from "./ids.ts";
import { clientHost } from "./legacy.ts";
import type { Message } from "./message.ts";
import { OURS, THEIRS, type View } from "./table.ts";
import { RECEIVED_COLUMN, type Tally, whyUnread } from "./tally.ts";

/** Names of clients whose messages may come without a sender. */
const MAX_CLIENTS = 20_000;

export const CLIENT: RegExp = /(\w+): client=([^,]+)/y;
export const PICKUP: RegExp = / *(\w+): (?:sender|uid)=/y;
export const QUEUED: RegExp = /(\w+): from=<([^>]*)>, size=(\d+)/y;

/** `pattern` at the head of a text. */
export function matchHead(pattern: RegExp, text: string): RegExpExecArray | null {
  pattern.lastIndex = 0;
  return pattern.exec(text);
}

/** Messages that come in: from clients and pickup, with their senders and sizes, which the queue manager tells. */
export class Arrivals {
  readonly senders: Correspondents = new Correspondents("senders", "sending_domains", false);
  private readonly tally: Tally;
  private readonly ids: MessageIds;
  private readonly names: string[] = [""];
  private readonly nameNumbers = new Map<string, number>();

  constructor(tally: Tally, ids: MessageIds) {
    this.tally = tally;
    this.ids = ids;
  }

  /** `ID: client=name[address]`. */
  client(message: Message): void {
    const m = matchHead(CLIENT, message.body);
    if (m === null) return;
    const host = clientHost(m[2]!);
    this.arrived(message, m[1]!, 0, host || m[2]!, host, message.readable && message.byServer);
  }

  /** `ID: uid=1000 from=<ann>`. */
  pickup(message: Message): void {
    const m = matchHead(PICKUP, message.body);
    if (m === null) return;
    const readable = message.readable && message.writer.theirs === "pickup";
    this.arrived(message, m[1]!, m[0].indexOf(m[1]!), "pickup", "pickup", readable);
  }

  private arrived(
    message: Message,
    id: string,
    at: number,
    ours: string,
    theirs: string,
    readable: boolean,
  ): void {
    this.tally.both("received", readable, message, RECEIVED_COLUMN);
    const ids = this.ids;
    ids.at(message.body, at, at + id.length);
    const number = this.nameNumber(ours);
    ids.clear(OURS, SIZED | DEFERRED | NO_SIZE);
    ids.set(OURS, RECEIVED);
    ids.setValue(OURS, number);
    // An id that comes again keeps the size of its first message, and a client without an address leaves no message.
    if (!readable || ids.has(THEIRS, SIZED)) return;
    if (theirs === "") {
      ids.clear(THEIRS, RECEIVED);
      return;
    }
    ids.set(THEIRS, RECEIVED);
    ids.setValue(THEIRS, theirs === ours ? number : this.nameNumber(theirs));
  }

  private nameNumber(host: string): number {
    let n = this.nameNumbers.get(host);
    if (n === undefined) {
      if (this.names.length >= MAX_CLIENTS) return 0;
      n = this.names.length;
      const name = detached(host);
      this.names.push(name);
      this.nameNumbers.set(name, n);
    }
    return n;
  }

  /** `ID: from=<ann@our.example>, size=700, nrcpt=1 (queue active)`. */
  queued(message: Message): void {
    const m = matchHead(QUEUED, message.body);
    if (m === null) return;
    const readable = message.readable && !message.byServer;
    const size = Number(m[3]);
    const ids = this.ids;
    const tally = this.tally;
    ids.at(message.body, 0, m[1]!.length);
    const known = ids.has(THEIRS, SIZED);
    let mine = false;
    let counted: string | undefined;
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
      tally.add(view, "bytes_received", size);
      if (counted !== host) this.senders.at(m[2] || "from=<>", host === "pickup" ? m[2] || "from=<>" : host);
      counted = host;
      this.senders.count(view, size);
    }
    if (!mine) return;
    if (!readable) tally.differ("bytes_received", whyUnread(message));
    else if (known)
      tally.differ("bytes_received", "a queue id that comes again keeps the size of its first message");
  }

  /** A line before the day that is asked for: pflogsumm does not look at it, but the sizes that it tells hold. */
  earlier(message: Message): void {
    const m = matchHead(QUEUED, message.body);
    if (m === null) return;
    const ids = this.ids;
    ids.at(message.body, 0, m[1]!.length);
    if (ids.has(OURS, SIZED)) return;
    ids.set(OURS, SIZED);
    ids.setValue(OURS, Number(m[3]));
  }
}
