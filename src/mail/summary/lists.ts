import { DELAY_PARTS, type ExtraCount } from "./extra.ts";
import { COLUMNS, type Row, type Slot } from "./figures.ts";
import type { PostfixCount } from "./postfix.ts";
import { PERCENTILES } from "./sketch.ts";
import { BYTES, COUNT, DEFERS, MAX, order, SUM, type Table, type Tree, type View } from "./table.ts";

export type Lists = { readonly [name: string]: readonly Row[] };

/** 20000 as 2024-10-04: days since 1970. */
export const dayText = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

const round = (x: number): number => Math.round(x * 1000) / 1000;

/** Keys and rows of a view, the largest first by the column `by`; equal ones by name. */
function sorted(table: Table, view: View, by: number): [string, number][] {
  return [...table.counted(view)].sort(
    (a, b) => table.figure(b[1], by + view) - table.figure(a[1], by + view) || order(a[0], b[0]),
  );
}

const addresses = (table: Table, view: View, by: number, name: string): Row[] =>
  sorted(table, view, by).map(([address, row]) => ({ address, [name]: table.figure(row, by + view) }));

const traffic = (slot: Slot, view: View): Row =>
  Object.fromEntries(COLUMNS.slice(0, 5).map((name, i) => [name, slot.counts[view][i]!]));

function connections(slot: Slot, view: View): Row {
  const [n, seconds] = [slot.counts[view][5]!, slot.counts[view][6]!];
  return {
    connections: n,
    time_total_seconds: seconds,
    time_avg_seconds: n === 0 ? 0 : round(seconds / n),
    time_max_seconds: slot.longest[view],
  };
}

const tree = (t: Tree, view: View, first: string, second: string | undefined, key?: string): Row[] =>
  t.list(view).map((leaf) => ({
    [first]: leaf.first,
    ...(second === undefined ? {} : { [second]: leaf.second }),
    ...(key === undefined ? {} : { [key]: leaf.key }),
    count: leaf.count,
  }));

/** pflogsumm's sections as lists, in one of the two views. */
export function postfixLists(p: PostfixCount, view: View): Record<string, Row[]> {
  const { calendar } = p.tally;
  const { senders } = p.arrivals;
  const { recipients } = p.deliveries;
  const { clients } = p.connections;
  const days = [...calendar.days].sort((a, b) => a[0] - b[0]);
  const hour = (h: number): string => String(h).padStart(2, "0");
  return {
    per_day: days.map(([day, slot]) => ({ date: dayText(day), ...traffic(slot, view) })),
    per_hour: calendar.hours.map((slot, h) => ({ hour: hour(h), ...traffic(slot, view) })),
    recipient_domains: sorted(recipients.hosts, view, COUNT).map(([host, row]) => {
      const figure = (column: number): number => recipients.hosts.figure(row, column + view);
      return {
        host,
        sent: figure(COUNT),
        bytes: figure(BYTES),
        defers: figure(DEFERS),
        delay_avg_seconds: figure(COUNT) === 0 ? 0 : round(figure(SUM) / figure(COUNT)),
        delay_max_seconds: figure(MAX),
      };
    }),
    sending_domains: sorted(senders.hosts, view, COUNT).map(([host, row]) => ({
      host,
      messages: senders.hosts.figure(row, COUNT + view),
      bytes: senders.hosts.figure(row, BYTES + view),
    })),
    connections_per_day: days.map(([day, slot]) => ({ date: dayText(day), ...connections(slot, view) })),
    connections_per_hour: calendar.hours.map((slot, h) => ({ hour: hour(h), ...connections(slot, view) })),
    connection_domains: sorted(clients, view, COUNT).map(([host, row]) => {
      const figure = (column: number): number => clients.figure(row, column + view);
      return {
        host,
        connections: figure(COUNT),
        time_total_seconds: figure(SUM),
        time_avg_seconds: round(figure(SUM) / figure(COUNT)),
        time_max_seconds: figure(MAX),
      };
    }),
    senders_by_count: addresses(senders.addresses, view, COUNT, "count"),
    recipients_by_count: addresses(recipients.addresses, view, COUNT, "count"),
    senders_by_size: addresses(senders.addresses, view, BYTES, "bytes"),
    recipients_by_size: addresses(recipients.addresses, view, BYTES, "bytes"),
    no_size_detail: noSize(p, view).map(([queue_id, address]) => ({ queue_id, address })),
    deferral_detail: tree(p.deliveries.deferrals, view, "daemon", undefined, "reason"),
    bounce_detail: tree(p.deliveries.bounces, view, "relay", undefined, "reason"),
    reject_detail: tree(p.refusals.trees.rejected, view, "stage", "reason", "who"),
    reject_warning_detail: tree(p.refusals.trees.reject_warnings, view, "stage", "reason", "who"),
    hold_detail: tree(p.refusals.trees.held, view, "stage", "reason", "who"),
    discard_detail: tree(p.refusals.trees.discarded, view, "stage", "reason", "who"),
    smtp_failure_detail: tree(p.complaints.smtpFailures, view, "reason", undefined, "host"),
    warning_detail: tree(p.complaints.warnings, view, "daemon", undefined, "text"),
    fatal_detail: tree(p.complaints.fatals, view, "daemon", undefined, "text"),
    panic_detail: tree(p.complaints.panics, view, "daemon", undefined, "text"),
    master_detail: tree(p.complaints.master, view, "text", undefined),
  };
}

/** Queue ids delivered without a known size, each with its last recipient, by id. */
export function noSize(p: PostfixCount, view: View): [string, string][] {
  const out: [string, string][] = [];
  for (const [id, last] of p.deliveries.noSize) {
    const address = last[view];
    if (address !== undefined) out.push([id, address]);
  }
  return out.sort((a, b) => order(a[0], b[0]));
}

/** What pflogsumm does not have. */
export function extraLists(x: ExtraCount): Record<string, Row[]> {
  const total = x.delays[4]!;
  return {
    sasl_users: x.userRows(),
    tls_connections: tree(x.tls, 0, "direction", "version", "cipher"),
    tls_failures: tree(x.tlsFailures, 0, "direction", undefined, "text"),
    postscreen: [...x.postscreen]
      .sort((a, b) => b[1] - a[1] || order(a[0], b[0]))
      .map(([outcome, count]) => ({ outcome, count })),
    dovecot: x.dovecot.logins + x.dovecot.sessions + x.dovecot.failures > 0 ? [{ ...x.dovecot }] : [],
    dovecot_users: sorted(x.logins, 0, COUNT).map(([user, row]) => ({
      user,
      logins: x.logins.figure(row, COUNT),
    })),
    dovecot_methods: tree(x.methods, 0, "service", undefined, "method"),
    auth_failures: tree(x.failures, 0, "service", "user", "address"),
    reject_classes: tree(x.rejects, 0, "cause", "code", "reason"),
    provider_deferrals: tree(x.providers, 0, "provider", "code", "cause"),
    delay_percentiles:
      total.n === 0
        ? []
        : x.delays.map((sketch, i) => ({
            part: DELAY_PARTS[i]!,
            deliveries: sketch.n,
            ...Object.fromEntries(PERCENTILES.map((p) => [`p${p}`, round(sketch.percentile(p))])),
            max: sketch.max,
          })),
  };
}

/** Lists with at most `rows` rows each; days and hours are never cut. omitted: filled with what was left out. */
export function cutRows(
  lists: Record<string, readonly Row[]>,
  rows: number,
  omitted: Record<string, number>,
): Lists {
  const out: Record<string, readonly Row[]> = {};
  for (const [name, list] of Object.entries(lists)) {
    const whole = /per_(?:day|hour)$/.test(name) || list.length <= rows;
    out[name] = whole ? list : list.slice(0, rows);
    if (!whole) omitted[name] = list.length - rows;
  }
  return out;
}
