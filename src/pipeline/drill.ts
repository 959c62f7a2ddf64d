import type { Material } from "../compose/material.ts";
import { stream } from "../compose/stream.ts";
import type { Kind } from "../detect/alert.ts";
import { DAY_MS } from "../feature/clock.ts";
import { type Injection, injectionOf } from "./injection.ts";
import type { Sketch } from "./sketch.ts";
import type { Probe } from "./trial.ts";

/** A drill: each of some faults is put into the last days of a server's own log, by itself, and what is told of it is noted. */

const MINUTE_MS = 60_000;
/** How long an alert is waited for after the end of a fault. */
const AFTER_MS = 60 * MINUTE_MS;

export type DrillKind = {
  readonly minutes: number;
  /** The recordings that hold it; see docs/composing.md. */
  readonly site: "first" | "second";
  /** Kinds of alerts (docs/alerts.md) that name it rightly. */
  readonly named: readonly Kind[];
  /** Whether it is put in where no kind was asked for. */
  readonly usual: boolean;
  readonly note: string;
};

const first = (note: string, named: Kind[], minutes = 50, usual = true): DrillKind => ({
  ...{ minutes, site: "first", named, usual, note },
});
const second = (note: string, named: Kind[], minutes = 50): DrillKind => ({
  ...{ minutes, site: "second", named, usual: false, note },
});

/** The faults that a drill can put in. */
export const DRILLS: Readonly<Record<string, DrillKind>> = {
  sasl_bruteforce_fast: first("40 addresses guess passwords", ["bruteforce"]),
  compromised_account: first("a stolen password sends spam", ["account_compromised"]),
  account_new_networks: first(
    "one account from many new networks",
    ["login_anomaly", "account_compromised"],
    180,
  ),
  dns_resolver_down: first("the resolver is dead", ["dns_failure"]),
  remote_blocklisted: first("big destinations refuse us", ["remote_blocked", "remote_throttled"]),
  queue_dead_destination: first("big destinations unreachable", ["remote_unreachable", "queue_growth"]),
  transport_misconfig: first("a wrong route for some domains", [
    "routing_error",
    "remote_unreachable",
    "dns_failure",
  ]),
  postfix_lookup_table_missing: first("a lookup table is gone", ["lookup_failure", "config_error"]),
  dovecot_auth_down: first("Dovecot is dead", ["auth_backend_failure", "service_stopped"]),
  tls_cert_expired: first("the certificate has expired", ["tls_failure"]),
  milter_down: first("a milter is dead", ["milter_failure"]),
  spam_wave: first("many times the usual spam", ["spam_wave", "connection_flood"]),
  log_silence: first("no line at all", ["log_silence", "service_stopped"]),
  daemon_silent: first(
    "one program writes nothing",
    ["service_stopped", "log_silence", "milter_failure"],
    180,
    false,
  ),
  sasl_bruteforce_slow: first("one guess a minute", ["bruteforce", "login_anomaly"], 240, false),
  mailbox_over_quota: first("a mailbox is full", ["quota"], 240, false),
  relay_probe: first("strangers try to relay", ["relay_probe"], 50, false),
  delay_growth: first(
    "outbound mail ever slower",
    ["latency", "queue_growth", "remote_throttled"],
    480,
    false,
  ),
  latency_degradation: first(
    "DNS and remotes slower",
    ["latency", "dns_failure", "queue_growth"],
    240,
    false,
  ),
  disk_full: second("the disk is full", ["disk_full"]),
  postfix_stopped: second("Postfix is stopped", ["service_stopped", "delivery_stopped", "log_silence"]),
  postfix_config_broken: second("smtpd dies of its settings", ["config_error", "crash_loop"]),
  mail_loop: second("mail goes in circles", ["mail_loop"], 180),
  quota_too_small: second("a quota too small for all", ["quota"]),
  mailbox_index_damaged: second("damaged mailbox indexes", ["mailbox_corruption"]),
  mailbox_permission: second("mailboxes of another owner", ["permission_error"]),
  connection_flood: second("nine addresses flood us", ["connection_flood"]),
  directory_harvest: second("invented recipients tried", ["directory_harvest"]),
  backscatter: second("bounces of mail never sent", ["backscatter"]),
};

/** One fault of each of these kinds, one after the other over the time, in an order that the seed decides. from, to: log times in ms. */
export function planDrill(
  kinds: readonly string[],
  { from, to }: { readonly from: number; readonly to: number },
  sketch: Sketch,
  load: (site: DrillKind["site"]) => Material,
  seed: number,
): Injection[] {
  const random = stream(seed, "drill");
  const order = Int32Array.from(kinds.keys());
  random.shuffle(order);
  const planned = [...order].flatMap((k, place) => {
    const kind = kinds[k]!;
    const { minutes, site } = DRILLS[kind]!;
    const faultMs = minutes * MINUTE_MS;
    const room = to - from - faultMs - AFTER_MS;
    const share = (place + random.uniform()) / kinds.length;
    const start = Math.ceil((from + share * room) / MINUTE_MS) * MINUTE_MS;
    if (room < 0) return [];
    return [injectionOf({ kind, start, faultMs, afterMs: AFTER_MS, seed: seed + k }, sketch, load(site))];
  });
  return planned.sort((a, b) => a.start - b.start);
}

/** What became of a fault. */
export type Drilled = {
  readonly kind: string;
  readonly note: string;
  /** Log times in ms. */
  readonly start: number;
  readonly end: number;
  /** Lines that were put in. */
  readonly lines: number;
  /** no_trace: on this server, at that hour, it left no line that could tell. */
  readonly result: "caught" | "missed" | "no_trace";
  /** From its beginning to the alert's opening; null where there was none. */
  readonly minutes: number | null;
  readonly alert: {
    readonly openedAt: number;
    readonly title: string;
    readonly kind: string;
    readonly severity: string;
    /** Whether the alert's kind names the fault. */
    readonly named: boolean;
  } | null;
};

export function drilledOf({ injection, alert, lines, traceless }: Probe): Drilled {
  const { kind, start, end } = injection;
  const { note, named } = DRILLS[kind]!;
  return {
    ...{ kind, note, start, end, lines },
    result: alert ? "caught" : traceless ? "no_trace" : "missed",
    minutes: alert ? Math.max(0, Math.round((alert.openedAt - start) / MINUTE_MS)) : null,
    alert: alert
      ? {
          openedAt: alert.openedAt,
          title: alert.title,
          kind: alert.kind,
          severity: alert.severity,
          named: named.includes(alert.kind),
        }
      : null,
  };
}

/** The shortest time into which faults of these kinds can be put, in days. */
export const leastDays = (kinds: readonly string[]): number =>
  Math.max(...kinds.map((kind) => (DRILLS[kind]!.minutes * MINUTE_MS + AFTER_MS) / DAY_MS));
