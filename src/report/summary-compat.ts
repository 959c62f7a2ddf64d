import type { Slot } from "../mail/summary/figures.ts";
import { abbreviate, sortKey } from "../mail/summary/legacy.ts";
import { dayText, noSize } from "../mail/summary/lists.ts";
import {
  BYTES,
  COUNT,
  DEFERS,
  MAX,
  order,
  SUM,
  type Table,
  THEIRS,
  type Tree,
} from "../mail/summary/table.ts";
import { average } from "../mail/summary/tally.ts";
import type { MailSummary } from "../mail/summary.ts";
import { terminalSafe } from "./escape.ts";

/** The report of pflogsumm 1.1.5 with --smtpd-stats, in its own layout, order and counting. */

export type CompatOptions = {
  /** Rows of each list, as -h, -u and --detail together; undefined for all. */
  readonly limit?: number | undefined;
  readonly problemsFirst?: boolean;
  /** Dates as 2026-10-04 and hours as 10:00. */
  readonly iso?: boolean;
};

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const pad = (n: number, width: number): string => {
  const { value, unit } = abbreviate(n);
  return String(value).padStart(width) + (unit || " ");
};
const rule = (title: string): string => `${title}\n${"-".repeat(title.length)}\n`;
const two = (n: number): string => String(n).padStart(2, "0");

/** Seconds as h:mm:ss; a negative time as pflogsumm prints it. */
function clock(seconds: number): string {
  const hours = Math.trunc(seconds / 3600);
  const minutes = Math.trunc((seconds % 3600) / 60);
  return ` ${String(hours).padStart(2)}:${two(minutes)}:${two(seconds % 60)}`;
}

export function compatText(summary: MailSummary, options: CompatOptions = {}): string {
  const report = new Report(summary, options);
  const problems = report.problems();
  const traffic = report.traffic();
  const [first, second] = options.problemsFirst === true ? [problems, traffic] : [traffic, problems];
  return report.totals() + first + second;
}

class Report {
  private readonly summary: MailSummary;
  private readonly limit: number | undefined;
  private readonly iso: boolean;
  private readonly days: [number, Slot][];
  private readonly several: boolean;

  constructor(summary: MailSummary, options: CompatOptions) {
    this.summary = summary;
    this.limit = options.limit;
    this.iso = options.iso === true;
    this.days = [...summary.postfix.tally.calendar.days].sort((a, b) => a[0] - b[0]);
    this.several = summary.dayChanges > 1;
  }

  totals(): string {
    const t = this.summary.postfix.result(THEIRS);
    const line = (n: number, name: string): string => `${pad(n, 7)}  ${name}\n`;
    const deferrals = t.deferrals === 0 ? "" : `  (${pad(t.deferrals, 0)} deferrals)`;
    const wide = (n: number, name: string): string => `${pad(n, 8)}  ${name}\n`;
    return (
      `\n${rule("Grand Totals")}messages\n\n` +
      line(t.received, "received") +
      line(t.delivered, "delivered") +
      line(t.forwarded, "forwarded") +
      line(t.deferred, `deferred${deferrals}`) +
      line(t.bounced, "bounced") +
      line(t.rejected, `rejected (${t.rejected_percent}%)`) +
      line(t.reject_warnings, "reject warnings") +
      line(t.held, "held") +
      line(t.discarded, `discarded (${t.discarded_percent}%)`) +
      "\n" +
      line(t.bytes_received, "bytes received") +
      line(t.bytes_delivered, "bytes delivered") +
      line(t.senders, "senders") +
      line(t.sending_hosts, "sending hosts/domains") +
      line(t.recipients, "recipients") +
      line(t.recipient_hosts, "recipient hosts/domains") +
      "\nsmtpd\n\n" +
      wide(t.connections, "connections") +
      wide(t.connection_hosts, "hosts/domains") +
      `${String(t.connect_time_avg_seconds).padStart(8)}   avg. connect time (seconds)\n` +
      `${clock(t.connect_time_total_seconds)}  total connect time\n\n`
    );
  }

  traffic(): string {
    const { postfix } = this.summary;
    const top = this.limit === undefined ? "" : `(top ${this.limit})`;
    const users = (title: string, table: Table, by: number): string => {
      const name = this.limit === undefined ? title : `top ${this.limit} ${title}`;
      const rows = this.rows(table, by);
      if (rows.length === 0) return `\n${name}: none\n`;
      return `\n${rule(name)}${rows.map(([key, row]) => `${pad(table.figure(row, by + THEIRS), 7)}  ${terminalSafe(key)}\n`).join("")}`;
    };
    return (
      this.perDay() +
      this.perHour() +
      this.delivery(`Host/Domain Summary: Message Delivery ${top}`) +
      this.received(`Host/Domain Summary: Messages Received ${top}`) +
      this.connectionsPerDay() +
      this.connectionsPerHour() +
      this.clients(`Host/Domain Summary: SMTPD Connections ${top}`) +
      users("Senders by message count", postfix.arrivals.senders.addresses, COUNT) +
      users("Recipients by message count", postfix.deliveries.recipients.addresses, COUNT) +
      users("Senders by message size", postfix.arrivals.senders.addresses, BYTES) +
      users("Recipients by message size", postfix.deliveries.recipients.addresses, BYTES) +
      this.sizeless()
    );
  }

  problems(): string {
    const p = this.summary.postfix;
    return (
      this.nested("message deferral detail", p.deliveries.deferrals, false) +
      this.nested("message bounce detail (by relay)", p.deliveries.bounces, false) +
      this.nested("message reject detail", p.refusals.trees.rejected, true) +
      this.nested("message reject warning detail", p.refusals.trees.reject_warnings, true) +
      this.nested("message hold detail", p.refusals.trees.held, true) +
      this.nested("message discard detail", p.refusals.trees.discarded, true) +
      this.nested("smtp delivery failures", p.complaints.smtpFailures, false) +
      this.nested("Warnings", p.complaints.warnings, false) +
      this.nested("Fatal Errors", p.complaints.fatals, false) +
      this.nested("Panics", p.complaints.panics, false) +
      this.master()
    );
  }

  private day(day: number): string {
    const text = dayText(day);
    if (this.iso) return text.padEnd(11);
    const month = Number(text.slice(5, 7)) - 1;
    return `${MONTHS.slice(month * 3, month * 3 + 3)} ${String(Number(text.slice(8))).padStart(2)} ${text.slice(0, 4)}`;
  }

  private hour(h: number): string {
    return this.iso ? `${two(h)}:00-${two(h + 1)}:00` : `${two(h)}00-${two(h + 1)}00  `;
  }

  private perDay(): string {
    if (!this.several) return "";
    let out =
      `\n${rule("Per-Day Traffic Summary")}` +
      "    date          received  delivered   deferred    bounced     rejected\n" +
      "    --------------------------------------------------------------------\n";
    for (const [day, slot] of this.days) {
      const counts = slot.counts[THEIRS].subarray(0, 5);
      const last = counts.findLastIndex((n) => n > 0);
      if (last < 0) continue;
      out += `    ${this.day(day)}${[...counts.subarray(0, last + 1)].map((n) => pad(n, 10)).join("")}\n`;
    }
    return out;
  }

  private perHour(): string {
    const { several } = this;
    let out =
      `\n${rule(several ? "Per-Hour Traffic Daily Average" : "Per-Hour Traffic Summary")}` +
      "    time          received  delivered   deferred    bounced     rejected\n" +
      "    --------------------------------------------------------------------\n";
    this.summary.postfix.tally.calendar.hours.forEach((slot, h) => {
      const counts = [...slot.counts[THEIRS].subarray(0, 5)].map((n) => (several ? this.daily(n) : n));
      out += `    ${this.hour(h)}${counts.map((n) => pad(n, 10)).join("")}\n`;
    });
    return out;
  }

  private daily(n: number): number {
    return average(n, this.summary.dayChanges);
  }

  /** Rows of a table, most first; equal ones by the next figure, then as pflogsumm orders users. */
  private rows(table: Table, by: number, then: number = by): [string, number][] {
    const keyed = [...table.counted(THEIRS)].map(([key, row]) => ({ key, row, sort: sortKey(key) }));
    keyed.sort(
      (a, b) =>
        table.figure(b.row, by + THEIRS) - table.figure(a.row, by + THEIRS) ||
        table.figure(b.row, then + THEIRS) - table.figure(a.row, then + THEIRS) ||
        order(a.sort, b.sort) ||
        order(a.key, b.key),
    );
    return keyed.slice(0, this.limit).map(({ key, row }) => [key, row]);
  }

  private delivery(title: string): string {
    let out =
      `\n${rule(title)}` +
      " sent cnt  bytes   defers   avg dly max dly host/domain\n" +
      " -------- -------  -------  ------- ------- -----------\n";
    const { hosts } = this.summary.postfix.deliveries.recipients;
    for (const [host, row] of this.rows(hosts, COUNT, BYTES)) {
      const figure = (column: number): number => hosts.figure(row, column + THEIRS);
      const sent = figure(COUNT);
      const mean = sent === 0 ? 0 : figure(SUM) / sent;
      out += `${pad(sent, 7)}${pad(figure(BYTES), 8)}${pad(figure(DEFERS), 8)}${delay(mean)}${delay(figure(MAX))}  ${terminalSafe(host)}\n`;
    }
    return out;
  }

  private received(title: string): string {
    let out = `\n${rule(title)} msg cnt   bytes   host/domain\n -------- -------  -----------\n`;
    const { hosts } = this.summary.postfix.arrivals.senders;
    for (const [host, row] of this.rows(hosts, COUNT, BYTES))
      out += `${pad(hosts.figure(row, COUNT + THEIRS), 7)}${pad(hosts.figure(row, BYTES + THEIRS), 8)}  ${terminalSafe(host)}\n`;
    return out;
  }

  private connectionsPerDay(): string {
    if (!this.several) return "";
    let out =
      `\n${rule("Per-Day SMTPD Connection Summary")}` +
      "    date        connections    time conn.    avg./conn.   max. time\n" +
      "    --------------------------------------------------------------------\n";
    for (const [day, slot] of this.days)
      if (slot.counts[THEIRS][5]! > 0) out += `    ${this.day(day)}${times(slot)}\n`;
    return out;
  }

  private connectionsPerHour(): string {
    const { several } = this;
    let out = several
      ? `\n${rule("Per-Hour SMTPD Connection Daily Average")}` +
        "    hour        connections    time conn.\n" +
        "    -------------------------------------\n"
      : `\n${rule("Per-Hour SMTPD Connection Summary")}` +
        "    hour        connections    time conn.    avg./conn.   max. time\n" +
        "    --------------------------------------------------------------------\n";
    this.summary.postfix.tally.calendar.hours.forEach((slot, h) => {
      const n = slot.counts[THEIRS][5]!;
      if (n === 0) return;
      const text = several
        ? `${pad(this.daily(n), 9)}      ${clock(this.daily(slot.counts[THEIRS][6]!))}`
        : times(slot);
      out += `    ${this.hour(h)}${text}\n`;
    });
    return out;
  }

  private clients(title: string): string {
    let out =
      `\n${rule(title)}` +
      " connections  time conn.  avg./conn.  max. time  host/domain\n" +
      " -----------  ----------  ----------  ---------  -----------\n";
    const { clients } = this.summary.postfix.connections;
    for (const [host, row] of this.rows(clients, COUNT, SUM)) {
      const [n, sum] = [clients.figure(row, COUNT + THEIRS), clients.figure(row, SUM + THEIRS)];
      out += `${pad(n, 8)}     ${clock(sum)}${seconds(average(sum, n), 11)}${seconds(clients.figure(row, MAX + THEIRS), 10)}   ${terminalSafe(host)}\n`;
    }
    return out;
  }

  private sizeless(): string {
    const list = noSize(this.summary.postfix, THEIRS);
    if (list.length === 0) return "";
    return `\n${rule("Messages with no size data")}${list.map(([id, to]) => ` ${terminalSafe(id)}  ${terminalSafe(to)}\n`).join("")}`;
  }

  private nested(title: string, tree: Tree, deep: boolean): string {
    const groups = [...tree.groups].sort((a, b) => order(a[0], b[0]));
    let out = "";
    for (const [name, group] of groups) {
      let part = "";
      for (const [reason, leaves] of deep
        ? [...group].sort((a, b) => order(a[0], b[0]))
        : [["", undefined] as const]) {
        const flat = deep
          ? [...leaves!].map(([key, leaf]) => [key, leaf[THEIRS]] as const)
          : [...group].flatMap(([, inner]) => [...inner].map(([key, leaf]) => [key, leaf[THEIRS]] as const));
        const list = this.leaves(flat, deep ? 12 : 10);
        if (list !== undefined)
          part += deep ? `    ${terminalSafe(reason)}${list}` : `  ${terminalSafe(name)}${list}`;
      }
      if (part !== "") out += deep ? `  ${terminalSafe(name)}\n${part}` : part;
    }
    return out === "" ? `\n${title}: none\n` : `\n${rule(title)}${out}`;
  }

  /** ` (top N) (total: T)` and the counts below it; undefined when there are none. */
  private leaves(all: readonly (readonly [string, number])[], width: number): string | undefined {
    const some = all.filter(([, n]) => n > 0).map(([key, n]) => ({ key, n, sort: sortKey(key) }));
    if (some.length === 0) return undefined;
    some.sort((a, b) => b.n - a.n || order(a.sort, b.sort) || order(a.key, b.key));
    const total = some.reduce((sum, { n }) => sum + n, 0);
    const top = this.limit === undefined ? "" : ` (top ${this.limit})`;
    return `${top} (total: ${total})\n${some
      .slice(0, this.limit)
      .map(({ key, n }) => `${pad(n, width)}  ${terminalSafe(key)}\n`)
      .join("")}`;
  }

  private master(): string {
    const some = [...this.summary.postfix.complaints.master.leaves(THEIRS)]
      .map(({ first, count }) => ({ key: first, n: count, sort: sortKey(first) }))
      .sort((a, b) => b.n - a.n || order(a.sort, b.sort) || order(a.key, b.key));
    if (some.length === 0) return "\nMaster daemon messages: none\n";
    return `\n${rule("Master daemon messages")}${some.map(({ key, n }) => `${pad(n, 7)}  ${terminalSafe(key)}\n`).join("")}`;
  }
}

function times(slot: Slot): string {
  const [n, sum] = [slot.counts[THEIRS][5]!, slot.counts[THEIRS][6]!];
  return `${pad(n, 9)}      ${clock(sum)}${seconds(average(sum, n), 12)}${seconds(slot.longest[THEIRS], 12)}`;
}

const seconds = (n: number, width: number): string => `${String(n).padStart(width)}s`;

/** A delay in seconds, minutes or hours with one decimal. */
function delay(s: number): string {
  const [value, unit] = s > 3600 ? [s / 3600, "h"] : s > 60 ? [s / 60, "m"] : [s, "s"];
  return `${tenths(value).padStart(7)} ${unit}`;
}

/** One decimal, as C prints it: 0.25 and 0.75, which binary numbers hold exactly, go to the even tenth. */
function tenths(value: number): string {
  if (Math.abs(value * 4) % 2 !== 1) return value.toFixed(1);
  const down = Math.floor(value * 10);
  return ((down % 2 === 0 ? down : down + 1) / 10).toFixed(1);
}
