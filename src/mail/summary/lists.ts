import { DELAY_PARTS, type ExtraCount } from "./extra.ts";
import { COLUMNS, type Row, type Slot } from "./figures.ts";
import type { PostfixCount } from "./postfix.ts";
import { PERCENTILES } from "./sketch.ts";
import {
  BYTES,
  type Cell,
  COUNT,
  DEFERS,
  MAX,
  order,
  SUM,
  type Table,
  type Tree,
  type View,
} from "./table.ts";

export type Lists = { readonly [name: string]: readonly Row[] };

/** 20000 as 2024-10-04: days since 1970. */
export const dayText = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

const round = (x: number): number => Math.round(x * 1000) / 1000;

function sorted(table: Table, view: View, by: number): [string, Cell][] {
  return [...table.rows]
    .filter(([, cell]) => cell[COUNT + view]! > 0 || (cell[DEFERS + view] ?? 0) > 0)
    .sort((a, b) => b[1][by + view]! - a[1][by + view]! || order(a[0], b[0]));
}

const addresses = (table: Table, view: View, by: number, name: string): Row[] =>
  sorted(table, view, by).map(([address, cell]) => ({ address, [name]: cell[by + view]! }));

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
  const days = [...p.calendar.days].sort((a, b) => a[0] - b[0]);
  const hour = (h: number): string => String(h).padStart(2, "0");
  return {
    per_day: days.map(([day, slot]) => ({ date: dayText(day), ...traffic(slot, view) })),
    per_hour: p.calendar.hours.map((slot, h) => ({ hour: hour(h), ...traffic(slot, view) })),
    recipient_domains: sorted(p.recipientHosts, view, COUNT).map(([host, c]) => ({
      host,
      sent: c[COUNT + view]!,
      bytes: c[BYTES + view]!,
      defers: c[DEFERS + view]!,
      delay_avg_seconds: c[COUNT + view] === 0 ? 0 : round(c[SUM + view]! / c[COUNT + view]!),
      delay_max_seconds: c[MAX + view]!,
    })),
    sending_domains: sorted(p.sendingHosts, view, COUNT).map(([host, c]) => ({
      host,
      messages: c[COUNT + view]!,
      bytes: c[BYTES + view]!,
    })),
    connections_per_day: days.map(([day, slot]) => ({ date: dayText(day), ...connections(slot, view) })),
    connections_per_hour: p.calendar.hours.map((slot, h) => ({ hour: hour(h), ...connections(slot, view) })),
    connection_domains: sorted(p.clients, view, COUNT).map(([host, c]) => ({
      host,
      connections: c[COUNT + view]!,
      time_total_seconds: c[SUM + view]!,
      time_avg_seconds: round(c[SUM + view]! / c[COUNT + view]!),
      time_max_seconds: c[MAX + view]!,
    })),
    senders_by_count: addresses(p.senders, view, COUNT, "count"),
    recipients_by_count: addresses(p.recipients, view, COUNT, "count"),
    senders_by_size: addresses(p.senders, view, BYTES, "bytes"),
    recipients_by_size: addresses(p.recipients, view, BYTES, "bytes"),
    no_size_detail: noSize(p, view).map(([queue_id, address]) => ({ queue_id, address })),
    deferral_detail: tree(p.deferrals, view, "daemon", undefined, "reason"),
    bounce_detail: tree(p.bounces, view, "relay", undefined, "reason"),
    reject_detail: tree(p.refusals.rejected, view, "stage", "reason", "who"),
    reject_warning_detail: tree(p.refusals.reject_warnings, view, "stage", "reason", "who"),
    hold_detail: tree(p.refusals.held, view, "stage", "reason", "who"),
    discard_detail: tree(p.refusals.discarded, view, "stage", "reason", "who"),
    smtp_failure_detail: tree(p.smtpFailures, view, "reason", undefined, "host"),
    warning_detail: tree(p.warnings, view, "daemon", undefined, "text"),
    fatal_detail: tree(p.fatals, view, "daemon", undefined, "text"),
    panic_detail: tree(p.panics, view, "daemon", undefined, "text"),
    master_detail: tree(p.master, view, "text", undefined),
  };
}

/** Queue ids delivered without a known size, each with its last recipient, by id. */
export function noSize(p: PostfixCount, view: View): [string, string][] {
  const out: [string, string][] = [];
  for (const [id, last] of p.noSize) {
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
    dovecot_users: sorted(x.logins, 0, COUNT).map(([user, c]) => ({ user, logins: c[COUNT]! })),
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
