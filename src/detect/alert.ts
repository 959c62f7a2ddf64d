/** The alert record of the contract. Times are milliseconds since the epoch here and ISO 8601 in NDJSON. */
export type AlertSeverity = "critical" | "high" | "medium" | "low";
export type View = "window" | "transaction" | "entity" | "novelty" | "absence";

export type CitedLine = { readonly file: string; readonly line: number; readonly text: string };

export type Alert = {
  /** Derived from content; the same for the same log. */
  readonly id: string;
  readonly openedAt: number;
  closedAt: number | null;
  readonly start: number;
  end: number;
  readonly severity: AlertSeverity;
  readonly class: "budget" | "always";
  /** Not told: by the budget, or by what `suppressed` says. */
  readonly held: boolean;
  /** What the operator has said or planned, where that keeps it from being told. */
  readonly suppressed?: Suppressed | undefined;
  readonly pValue: number;
  readonly view: View;
  readonly kind: Kind;
  /** 0..1. */
  readonly kindConfidence: number;
  readonly title: string;
  readonly summary: string;
  readonly entities: readonly { readonly type: string; readonly value: string }[];
  readonly templates: readonly { readonly id: string; readonly text: string }[];
  readonly measures: readonly Measure[];
  /** At most five, the most telling first, all read before `openedAt`. */
  readonly lines: readonly CitedLine[];
  readonly updates: { readonly at: number; readonly severity: AlertSeverity; readonly title: string }[];
  readonly total: { lines: number; events: number };
  /** What it consists of; feedback on it recognises it by them. */
  readonly parts: Part[];
};

/** by: feedback of that number, or an entry of the calendar. name: "harmless", "snoozed", or the entry's. */
export type Suppressed = {
  readonly by: "feedback" | "calendar";
  readonly rule: number;
  readonly name: string;
};

/** Something that an incident consists of: a column, or a feature of an entity. */
export type Part = {
  readonly key: string;
  /** As what it was seen. */
  readonly kinds: Kind[];
  /** Ids of templates of its lines. */
  readonly templates: string[];
  /** What is measured. */
  readonly name: string;
  /** How far from what is typical it was at most, in its own unit. */
  size: number;
  /** Over how many minutes that was counted; unknown in alerts of before. */
  minutes?: number;
};

export type Measure = {
  readonly name: string;
  readonly actual: number;
  readonly typicalLow: number;
  readonly typicalHigh: number;
};

export const KINDS = [
  "bruteforce",
  "account_compromised",
  "login_anomaly",
  "directory_harvest",
  "relay_probe",
  "spam_wave",
  "backscatter",
  "connection_flood",
  "dns_failure",
  "disk_full",
  "tls_failure",
  "milter_failure",
  "policy_failure",
  "auth_backend_failure",
  "lookup_failure",
  "permission_error",
  "config_error",
  "crash_loop",
  "remote_blocked",
  "remote_throttled",
  "remote_unreachable",
  "routing_error",
  "greylisting",
  "queue_growth",
  "latency",
  "mail_loop",
  "quota",
  "mailbox_corruption",
  "service_stopped",
  "log_silence",
  "delivery_stopped",
  "clock_fault",
  "format_change",
  "volume_change",
  "new_message",
  "blind",
  "unknown",
] as const;
export type Kind = (typeof KINDS)[number];

/** Classes that the budget never holds back. */
export const ALWAYS: ReadonlySet<Kind> = new Set([
  "disk_full",
  "log_silence",
  "service_stopped",
  "delivery_stopped",
  "blind",
]);

/** Other kinds that are never of low or medium severity. */
export const HIGH: ReadonlySet<Kind> = new Set([
  "account_compromised",
  "log_silence",
  "auth_backend_failure",
  "lookup_failure",
  "dns_failure",
  "remote_blocked",
  "crash_loop",
  "mail_loop",
  "mailbox_corruption",
  "tls_failure",
]);
/** Kinds that no other explains by the way. */
export const isGrave = (kind: Kind): boolean => ALWAYS.has(kind) || HIGH.has(kind);

const iso = (ms: number): string => new Date(ms).toISOString();

/** An alert as JSON; the contract names its fields. */
export type AlertRecord = { readonly id: string; readonly opened_at: string } & Readonly<
  Record<string, unknown>
>;

/** The record as `backtest --format ndjson` prints it; field names of the contract. */
export function alertRecord(alert: Alert): AlertRecord {
  return {
    id: alert.id,
    opened_at: iso(alert.openedAt),
    closed_at: alert.closedAt === null ? null : iso(alert.closedAt),
    start: iso(alert.start),
    end: iso(alert.end),
    severity: alert.severity,
    class: alert.class,
    held: alert.held,
    ...(alert.suppressed === undefined ? {} : { suppressed: alert.suppressed }),
    p_value: alert.pValue,
    view: alert.view,
    kind: alert.kind,
    kind_confidence: alert.kindConfidence,
    title: alert.title,
    summary: alert.summary,
    entities: alert.entities,
    templates: alert.templates,
    measures: alert.measures.map((m) => ({
      name: m.name,
      actual: m.actual,
      typical_low: m.typicalLow,
      typical_high: m.typicalHigh,
    })),
    lines: alert.lines,
    updates: alert.updates.map((u) => ({ at: iso(u.at), severity: u.severity, title: u.title })),
    total: alert.total,
  };
}

/** The record as it is kept: with what feedback needs to recognise the like again. */
export const keptRecord = (alert: Alert): AlertRecord => ({ ...alertRecord(alert), parts: alert.parts });
