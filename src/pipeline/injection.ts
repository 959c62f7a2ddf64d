import { compose } from "../compose/compose.ts";
import type { Material } from "../compose/material.ts";
import type { Plan } from "../compose/plan.ts";
import { stream } from "../compose/stream.ts";
import { DAY_MS } from "../feature/clock.ts";
import type { MailEvent } from "../mail/event.ts";
import type { Judged } from "./trial.ts";

/**
 * Faults that are put into the recorded days of a server, to ask whether a model would tell of them. Their lines are composed of recorded
 * episodes (src/compose) with this server's host, domain and number of mails, and stand only in memory.
 */

/** The name of the file by which an alert shows that it cites a line that was put in. */
export const INJECTED = "(put in)";

/** How long each fault lasts, and how long one waits afterwards for what tells of it. */
const FAULT_MS = 50 * 60_000;
const AFTER_MS = 25 * 60_000;
/** From one fault to the next. */
const APART_MS = 110 * 60_000;
/** A fault's lines are composed from so long before it, of which nothing is kept. */
const LEAD_MS = 10 * 60_000;

/** One of each family that the shipped episodes hold: attacks, deliveries, services, settings, silence. */
const KINDS = [
  "sasl_bruteforce_fast",
  "dns_resolver_down",
  "compromised_account",
  "remote_blocklisted",
  "dovecot_auth_down",
  "log_silence",
  "queue_dead_destination",
  "postfix_lookup_table_missing",
  "tls_cert_expired",
  "transport_misconfig",
  "account_new_networks",
  "spam_wave",
] as const;

export type Injection = {
  readonly kind: string;
  /** Log time, in ms; `until`: when nobody waits for an alert any more. */
  readonly start: number;
  readonly end: number;
  readonly until: number;
  /** Whether it keeps lines from being written, instead of adding some. */
  readonly silent: boolean;
  /** What is added, in order of time. */
  readonly lines: () => { readonly time: number; readonly text: string }[];
};

/** What composed lines must have of a server to look like its own. */
export type Sketch = {
  readonly host: string;
  readonly domain: string | undefined;
  readonly zone: string;
  readonly mailsPerDay: number;
};

/** Names that a log can make a sketch remember. */
const MAX_NAMES = 200;
const DOMAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;
const LOCAL: ReadonlySet<string> = new Set([
  "postfix/lmtp",
  "postfix/local",
  "postfix/virtual",
  "postfix/pipe",
]);
/** Fewer deliveries a day than this are no server that faults could be composed for. */
const MIN_MAILS = 10;

/** Learns from a server's lines what it is called and how much mail it has. */
export class Sketcher {
  readonly #hosts = new Map<string, number>();
  readonly #domains = new Map<string, number>();
  #deliveries = 0;

  see(event: MailEvent): void {
    if (event.event !== "delivery" || !event.daemon.startsWith("postfix/")) return;
    this.#deliveries++;
    count(this.#hosts, event.host);
    if (!LOCAL.has(event.daemon)) return;
    const domain = String(event.fields["to"] ?? "")
      .split("@")[1]
      ?.toLowerCase();
    if (domain !== undefined && DOMAIN.test(domain)) count(this.#domains, domain);
  }

  /** Undefined for a server of whose kind nothing is recorded: without Postfix, or with next to no mail. */
  sketch(zone: string, days: number): Sketch | undefined {
    const host = most(this.#hosts);
    const mailsPerDay = Math.round(this.#deliveries / Math.max(1, days));
    if (host === undefined || mailsPerDay < MIN_MAILS) return undefined;
    return { host, domain: most(this.#domains), zone, mailsPerDay };
  }
}

function count(names: Map<string, number>, name: string): void {
  if (names.size < MAX_NAMES || names.has(name)) names.set(name, (names.get(name) ?? 0) + 1);
}

const most = (names: ReadonlyMap<string, number>): string | undefined =>
  [...names].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0];

/** One fault of each kind, as far as there is clean time for them on one of these days (their beginnings in ms): that with most of it. */
export function planInjections(
  days: readonly number[],
  clean: Judged,
  sketch: Sketch,
  load: () => Material,
  seed: number,
): Injection[] {
  const random = stream(seed, "injection");
  const first = random.int(KINDS.length);
  const offset = random.uniform();
  const places = days
    .map((day) => placesOf(day, clean, offset))
    .reduce((best, some) => (some.length >= best.length ? some : best), [])
    .slice(0, KINDS.length);
  if (places.length === 0) return [];
  const material = load();
  return places.map((start, i): Injection => {
    const kind = KINDS[(first + i) % KINDS.length]!;
    const end = start + FAULT_MS;
    const silent = kind === "log_silence";
    const lines = silent ? () => [] : () => linesOf(kind, start, sketch, material, seed + i);
    return { kind, start, end, until: end + AFTER_MS, silent, lines };
  });
}

/** Beginnings of faults on a day. */
function placesOf(day: number, clean: Judged, offset: number): number[] {
  const places: number[] = [];
  const last = DAY_MS - FAULT_MS - AFTER_MS;
  for (let at = Math.floor(offset * 20) * 60_000; at < last; at += APART_MS) {
    const start = day + at;
    const times = [start, start + FAULT_MS / 2, start + FAULT_MS, start + FAULT_MS + AFTER_MS];
    if (times.every(clean)) places.push(start);
  }
  return places;
}

function linesOf(
  kind: string,
  start: number,
  { host, domain, zone, mailsPerDay }: Sketch,
  material: Material,
  seed: number,
): { time: number; text: string }[] {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const plan: Plan = {
    seed,
    start: iso(start - LEAD_MS),
    days: (LEAD_MS + FAULT_MS + AFTER_MS) / DAY_MS,
    server: {
      ...{ name: "trial", host, zone, header: "iso", mailsPerDay },
      ...(domain === undefined ? {} : { domain }),
    },
    faults: [{ kind, start: iso(start), minutes: FAULT_MS / 60_000 }],
  };
  const lines: { time: number; text: string }[] = [];
  for (const piece of compose(plan, material))
    for (const { time, text, fault } of piece) if (fault >= 0) lines.push({ time, text });
  return lines;
}
