import { DELAY_PARTS, type ExtraCount } from "./extra.ts";
import { COLUMNS, type Row, type Slot } from "./figures.ts";
import type { PostfixCount } from "./postfix.ts";
import { PERCENTILES } from "./sketch.ts";
import {
  BYTES,
  byCount,
  COUNT,
  DEFERS,
  MAX,
  OURS,
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

/** The first rows of a list, and how many it has. */
type List = { readonly rows: readonly Row[]; readonly all: number };
const whole = (rows: readonly Row[]): List => ({ rows, all: rows.length });

/** The first `limit` of a sequence in the order of `compare`, and how many there are; never sorts them all. */
export function first<T>(
  sequence: Iterable<T>,
  limit: number,
  compare: (a: T, b: T) => number,
): { rows: T[]; all: number } {
  let rows: T[] = [];
  let last: T | undefined;
  let all = 0;
  const cut = (): void => {
    rows = rows.sort(compare).slice(0, limit);
  };
  for (const one of sequence) {
    all++;
    if (last !== undefined && compare(one, last) >= 0) continue;
    rows.push(one);
    if (rows.length < 2 * limit) continue;
    cut();
    last = rows.at(-1);
  }
  cut();
  return { rows, all };
}

/** A table's keys in a view, the largest first by the column `by`, equal ones by name. row: of a key and its figures in that view. */
function listed(
  table: Table,
  view: View,
  by: number,
  limit: number,
  row: (key: string, figure: (column: number) => number) => Row,
): List {
  const { rows, all } = first(
    table.counted(view),
    limit,
    (a, b) => table.figure(b[1], by + view) - table.figure(a[1], by + view) || order(a[0], b[0]),
  );
  return { rows: rows.map(([key, r]) => row(key, (column) => table.figure(r, column + view))), all };
}

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

/** A tree's leaves in a view, most first. The names are those of its levels; undefined for one that it does not use. */
function tree(
  t: Tree,
  view: View,
  limit: number,
  one: string,
  two: string | undefined,
  three?: string,
): List {
  const { rows, all } = first(t.leaves(view), limit, byCount);
  return {
    rows: rows.map((leaf) => ({
      [one]: leaf.first,
      ...(two === undefined ? {} : { [two]: leaf.second }),
      ...(three === undefined ? {} : { [three]: leaf.key }),
      count: leaf.count,
    })),
    all,
  };
}

/** pflogsumm's sections as lists of at most `limit` rows, in one of the two views; days and hours are never cut. */
export function postfixLists(p: PostfixCount, view: View, limit: number): Record<string, List> {
  const { calendar } = p.tally;
  const { senders } = p.arrivals;
  const { recipients, deferrals, bounces } = p.deliveries;
  const { trees } = p.refusals;
  const { complaints } = p;
  const days = [...calendar.days].sort((a, b) => a[0] - b[0]);
  const hour = (h: number): string => String(h).padStart(2, "0");
  const users = (table: Table, by: number, name: string): List =>
    listed(table, view, by, limit, (address, figure) => ({ address, [name]: figure(by) }));
  const nested = (t: Tree, one: string, two: string | undefined, three?: string): List =>
    tree(t, view, limit, one, two, three);
  return {
    per_day: whole(days.map(([day, slot]) => ({ date: dayText(day), ...traffic(slot, view) }))),
    per_hour: whole(calendar.hours.map((slot, h) => ({ hour: hour(h), ...traffic(slot, view) }))),
    recipient_domains: listed(recipients.hosts, view, COUNT, limit, (host, figure) => ({
      host,
      sent: figure(COUNT),
      bytes: figure(BYTES),
      defers: figure(DEFERS),
      delay_avg_seconds: figure(COUNT) === 0 ? 0 : round(figure(SUM) / figure(COUNT)),
      delay_max_seconds: figure(MAX),
    })),
    sending_domains: listed(senders.hosts, view, COUNT, limit, (host, figure) => ({
      host,
      messages: figure(COUNT),
      bytes: figure(BYTES),
    })),
    connections_per_day: whole(
      days.map(([day, slot]) => ({ date: dayText(day), ...connections(slot, view) })),
    ),
    connections_per_hour: whole(
      calendar.hours.map((slot, h) => ({ hour: hour(h), ...connections(slot, view) })),
    ),
    connection_domains: listed(p.connections.clients, view, COUNT, limit, (host, figure) => ({
      host,
      connections: figure(COUNT),
      time_total_seconds: figure(SUM),
      time_avg_seconds: round(figure(SUM) / figure(COUNT)),
      time_max_seconds: figure(MAX),
    })),
    senders_by_count: users(senders.addresses, COUNT, "count"),
    recipients_by_count: users(recipients.addresses, COUNT, "count"),
    senders_by_size: users(senders.addresses, BYTES, "bytes"),
    recipients_by_size: users(recipients.addresses, BYTES, "bytes"),
    no_size_detail: cut(noSize(p, view), limit, ([queue_id, address]) => ({ queue_id, address })),
    deferral_detail: nested(deferrals, "daemon", undefined, "reason"),
    bounce_detail: nested(bounces, "relay", undefined, "reason"),
    reject_detail: nested(trees.rejected, "stage", "reason", "who"),
    reject_warning_detail: nested(trees.reject_warnings, "stage", "reason", "who"),
    hold_detail: nested(trees.held, "stage", "reason", "who"),
    discard_detail: nested(trees.discarded, "stage", "reason", "who"),
    smtp_failure_detail: nested(complaints.smtpFailures, "reason", undefined, "host"),
    warning_detail: nested(complaints.warnings, "daemon", undefined, "text"),
    fatal_detail: nested(complaints.fatals, "daemon", undefined, "text"),
    panic_detail: nested(complaints.panics, "daemon", undefined, "text"),
    master_detail: nested(complaints.master, "text", undefined),
  };
}

function cut<T>(all: readonly T[], limit: number, row: (one: T) => Row): List {
  return { rows: all.slice(0, limit).map(row), all: all.length };
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

/** What pflogsumm does not have, in lists of at most `limit` rows. */
export function extraLists(x: ExtraCount, limit: number): Record<string, List> {
  const total = x.delays[4]!;
  const nested = (t: Tree, one: string, two: string | undefined, three?: string): List =>
    tree(t, OURS, limit, one, two, three);
  const screened = [...x.postscreen].sort((a, b) => b[1] - a[1] || order(a[0], b[0]));
  return {
    sasl_users: cut(x.userRows(), limit, (row) => row),
    tls_connections: nested(x.tls, "direction", "version", "cipher"),
    tls_failures: nested(x.tlsFailures, "direction", undefined, "text"),
    postscreen: cut(screened, limit, ([outcome, count]) => ({ outcome, count })),
    dovecot: whole(x.dovecot.logins + x.dovecot.sessions + x.dovecot.failures > 0 ? [{ ...x.dovecot }] : []),
    dovecot_users: listed(x.logins, OURS, COUNT, limit, (user, figure) => ({ user, logins: figure(COUNT) })),
    dovecot_methods: nested(x.methods, "service", undefined, "method"),
    auth_failures: nested(x.failures, "service", "user", "address"),
    reject_classes: nested(x.rejects, "cause", "code", "reason"),
    provider_deferrals: nested(x.providers, "provider", "code", "cause"),
    delay_percentiles: whole(
      total.n === 0
        ? []
        : x.delays.map((sketch, i) => ({
            part: DELAY_PARTS[i]!,
            deliveries: sketch.n,
            ...Object.fromEntries(PERCENTILES.map((p) => [`p${p}`, round(sketch.percentile(p))])),
            max: sketch.max,
          })),
    ),
  };
}

/** The rows of lists. omitted: filled with how many rows a list leaves out. */
export function rowsOf(lists: Readonly<Record<string, List>>, omitted: Record<string, number>): Lists {
  const out: Record<string, readonly Row[]> = {};
  for (const [name, { rows, all }] of Object.entries(lists)) {
    out[name] = rows;
    if (all > rows.length) omitted[name] = all - rows.length;
  }
  return out;
}
