import { clientHost, isIpv4Client } from "./legacy.ts";
import type { Message } from "./message.ts";
import { MAX, OURS, SUM, Table, THEIRS, type View } from "./table.ts";
import { CONNECTIONS_COLUMN, SECONDS_COLUMN, type Tally, whyUnread } from "./tally.ts";

const MAX_CLIENTS = 20_000;
/** Open connections of one host; a server has some hundred. */
const MAX_OPEN = 20_000;
const MAX_HOSTS = 1000;
const FIRST_ROOM = 64;

/** Since when each process serves a client. Processes are few and come again, so their rows stay until the room is used up. */
class Open {
  private rows = new Map<number, number>();
  private since = new Float64Array(FIRST_ROOM).fill(Number.NaN);

  /** Notes the start of a process's connection, in ms; forgets it when too many are open. */
  begin(pid: number, time: number): void {
    let row = this.rows.get(pid);
    if (row === undefined) {
      if (this.rows.size >= MAX_OPEN) this.dropIdle();
      if (this.rows.size >= MAX_OPEN) return;
      row = this.rows.size;
      this.rows.set(pid, row);
      if (row === this.since.length) this.grow();
    }
    this.since[row] = time;
  }

  /** The start of the connection that a process ends now; NaN when none is known. */
  end(pid: number): number {
    const row = this.rows.get(pid);
    if (row === undefined) return Number.NaN;
    const time = this.since[row]!;
    this.since[row] = Number.NaN;
    return time;
  }

  private grow(): void {
    const wider = new Float64Array(2 * this.since.length).fill(Number.NaN);
    wider.set(this.since);
    this.since = wider;
  }

  private dropIdle(): void {
    const open = [...this.rows].filter(([, row]) => !Number.isNaN(this.since[row]!));
    const times = open.map(([, row]) => this.since[row]!);
    this.rows = new Map(open.map(([pid], i) => [pid, i]));
    this.since.fill(Number.NaN);
    this.since.set(times);
  }
}

/** Connections to smtpd from `connect from` to `disconnect from`: by pid alone as pflogsumm does, and by host and pid. */
export class Connections {
  readonly clients: Table = new Table("connection_domains", MAX_CLIENTS, true);
  private readonly tally: Tally;
  private readonly theirs = new Open();
  private readonly ours = new Map<string, Open>();

  constructor(tally: Tally) {
    this.tally = tally;
  }

  /** A line that begins or ends a connection. local: its wall clock in ms. */
  add(message: Message, begins: boolean, local: number): void {
    const { event, body } = message;
    const start = begins ? "connect from ".length : "disconnect from ".length;
    if (body.length <= start) return; // cut before the client
    const { pid } = event;
    const readable = message.readable && message.writer.theirs === "smtpd" && pid !== undefined;
    const open = this.of(event.host);
    if (begins) {
      open?.begin(pid ?? -1, local);
      if (readable) this.theirs.begin(pid, local);
      return;
    }
    const ours = open?.end(pid ?? -1) ?? Number.NaN;
    const theirs = readable ? this.theirs.end(pid) : Number.NaN;
    const mine = !Number.isNaN(ours);
    const seen = !Number.isNaN(theirs);
    if (!mine && !seen) return;
    const client = body.slice(start);
    const space = client.indexOf(" ");
    const alone = space < 0 ? client : client.slice(0, space);
    const host = clientHost(alone);
    const row = mine ? this.connected(OURS, host || alone, local - ours) : -1;
    if (!seen) {
      this.tally.differ("connections", whyUnread(message));
      return;
    }
    // What follows an IPv4 address changes nothing, and most clients have one.
    const same = space < 0 || isIpv4Client(alone);
    const their = same ? host : clientHost(client);
    this.connected(THEIRS, their, local - theirs, their === (host || alone) ? row : -1);
    if (!mine) this.tally.differ("connections", "two processes of one number");
  }

  private of(host: string): Open | undefined {
    let open = this.ours.get(host);
    if (open === undefined && this.ours.size < MAX_HOSTS) {
      open = new Open();
      this.ours.set(host, open);
    }
    return open;
  }

  /** known: the client's row where the caller has it, else -1. Returns the row. */
  private connected(view: View, host: string, ms: number, known = -1): number {
    const seconds = Math.trunc(ms / 1000);
    const { tally, clients } = this;
    tally.count(view, "connections", CONNECTIONS_COLUMN);
    tally.add(view, "connect_time_total_seconds", seconds);
    tally.calendar.add(view, SECONDS_COLUMN, seconds);
    tally.calendar.longest(view, seconds);
    const row = known >= 0 ? known : clients.row(host);
    clients.add(view, row, host);
    if (row < 0) return row;
    clients.increase(row, SUM + view, seconds);
    if (seconds > clients.figure(row, MAX + view)) clients.set(row, MAX + view, seconds);
    return row;
  }
}
