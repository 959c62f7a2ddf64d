import { type Cause, isRoutine, type MailEvent } from "../mail/event.ts";
import { PlanMemo } from "../mail/plan-memo.ts";
import { writingOf } from "../mail/program.ts";
import type { Template } from "../template/mask.ts";
import type { Family } from "./family.ts";
import { familyOf } from "./family.ts";

/**
 * What a window counts. An event counts in a column and in all its ancestors: all lines, the program, the program's
 * severity, the delivery status, the cause, and its own shape. So a shape never seen still raises its program,
 * severity and cause, and no fault depends on being new. A volume is counted for what it explains of other columns, and never judged.
 */
export type ColumnLevel =
  | "all"
  | "program"
  | "event"
  | "severity"
  | "status"
  | "cause"
  | "template"
  | "volume";

export type Column = {
  readonly key: string;
  readonly level: ColumnLevel;
  readonly family: Family;
  /** The cause that all events of this column share, where the column is about one. */
  readonly cause: Cause | undefined;
  /** For people, behind a number: "deliveries deferred by postfix/smtp (4.4.x)". For a template its canonical text. */
  readonly label: string;
};

/** Statistics lines tell of their writer's own timer, not of the mail: they get no column. */
const STATISTICS: ReadonlySet<string> = new Set(["anvil_statistics", "scache_statistics", "cache_cleanup"]);

/** What a program tells in several lines, and what its sessions say as they end with it. */
const TURNS: ReadonlySet<string> = new Set(["process_start", "process_stop", "reload"]);
const CUT = /^(?:Disconnected: )?Server shutting down/;

/** Distinct columns that one run keeps; a log with more shapes counts the rest in their ancestors alone. */
const MAX_COLUMNS = 16_384;

/** How the keys of columns of single shapes begin. */
export const TEMPLATE_KEY = "template ";

/** Distinct column sets remembered; only speed depends on it. */
const MAX_CACHED_SETS = 16_384;

/** The columns in which all lines of a kind count. */
export type ColumnSet = {
  /** Deepest last. Shared: not to be written to. */
  readonly ids: Uint32Array;
  /** Lines in the open slot; SlotCounter's. */
  lines: number;
  /** Of lines by which programs only say that they start, stop or reload: their suite. */
  readonly turn: string | undefined;
};

export type SavedColumns = Pick<ColumnRegistry, "overflowed"> & { readonly columns: readonly Column[] };

/** Interns columns: names to small integers, in order of first sight. */
export class ColumnRegistry {
  readonly columns: Column[] = [];
  /** Shapes that got no column of their own because the table was full. */
  overflowed = 0;
  readonly #ids = new Map<string, number>();
  readonly #sets = new Map<string, ColumnSet>();
  /** Undefined where a service's name stands in the line itself, so that lines of one plan may differ. */
  readonly #byPlan = new PlanMemo((event) => (namesService(event) ? undefined : this.#byFields(event)));

  /** The columns in which this event counts. A plan tells them; its lines' fields are not read again. */
  of(event: MailEvent): ColumnSet {
    return this.#byPlan.of(event) ?? this.#byFields(event);
  }

  #byFields(event: MailEvent): ColumnSet {
    const { fields } = event;
    const service = fields["service"] ?? "";
    const key = `${event.templateId} ${service} ${fields["status"] ?? ""} ${fields["dsn"] ?? ""} ${event.cause ?? ""}`;
    const known = this.#sets.get(key);
    if (known) return known;
    const ids = Uint32Array.from(
      columnsOf(event)
        .map((c) => this.#intern(c))
        .filter((id) => id >= 0),
    );
    const set = { ids, lines: 0, turn: turnOf(event) };
    if (this.#sets.size >= MAX_CACHED_SETS) this.#sets.clear();
    this.#sets.set(key, set);
    return set;
  }

  /**
   * Gives joined shapes one column: returns, for each column so far, the one in which its events count from now on.
   * groups: template id -> template of its group.
   */
  join(groups: ReadonlyMap<string, Template>): Uint32Array {
    this.#sets.clear();
    this.#byPlan.clear();
    const places = Uint32Array.from(this.columns.keys());
    if (groups.size === 0) return places;
    for (const [id, column] of [...this.columns.entries()]) {
      const group =
        column.level === "template" ? groups.get(column.key.slice(TEMPLATE_KEY.length)) : undefined;
      if (group === undefined) continue;
      const joined = this.#intern({ ...column, key: TEMPLATE_KEY + group.id, label: group.text });
      if (joined >= 0) places[id] = joined;
    }
    return places;
  }

  #intern(column: Column): number {
    const id = this.#ids.get(column.key);
    if (id !== undefined) return id;
    if (this.columns.length >= MAX_COLUMNS) {
      this.overflowed++;
      return -1;
    }
    this.columns.push(column);
    this.#ids.set(column.key, this.columns.length - 1);
    return this.columns.length - 1;
  }

  /** The columns in their order; which lines count in them is found out again. */
  save(): SavedColumns {
    const { columns, overflowed } = this;
    return { columns, overflowed };
  }

  load({ columns, overflowed }: SavedColumns): void {
    for (const column of columns) this.#intern(column);
    this.overflowed = overflowed;
  }

  /** Id of a column by its key; undefined when it was never seen. */
  id(key: string): number | undefined {
    return this.#ids.get(key);
  }
}

/** Whether the line has a service that its program's name does not tell. */
const namesService = (event: MailEvent): boolean => {
  if (STATISTICS.has(event.event)) return false;
  const { service } = event.fields;
  return service !== undefined && service !== writingOf(event.program).service;
};

function turnOf(event: MailEvent): string | undefined {
  const isCut = event.event === "session_end" && CUT.test(String(event.fields["reason"] ?? ""));
  if (!isRoutine(event) || !(isCut || TURNS.has(event.event))) return undefined;
  return event.daemon.split("/", 1)[0];
}

/** The columns of one event, from the root to its own shape. */
function columnsOf(event: MailEvent): Column[] {
  if (STATISTICS.has(event.event)) return [];
  const family = familyOf(event);
  const { daemon, severity, cause, fields } = event;
  const service = fields["service"];
  const program = service === undefined ? daemon : `${daemon} (${service})`;
  const columns: Column[] = [
    { key: "all", level: "all", family: "total", cause: undefined, label: "log lines" },
  ];
  const add = (level: ColumnLevel, key: string, label: string): void => {
    columns.push({
      key: `${level} ${key}`,
      level,
      family,
      cause: level === "program" ? undefined : cause,
      label,
    });
  };
  add("program", program, `lines of ${program}`);
  if (severity !== "info")
    add("severity", `${daemon} ${severity}`, `${SEVERITY_LABELS[severity]} of ${daemon}`);
  if (cause !== undefined) {
    add("event", `${event.event} ${family}`, eventLabel(event.event, family));
    add("cause", `${cause} ${family}`, `${CAUSE_LABELS[cause]}, ${FAMILY_LABELS[family]}`);
  }
  const status = fields["status"];
  if (event.event === "delivery" && status !== undefined) {
    add("status", `${daemon} ${status}`, `deliveries ${status} by ${daemon}`);
    const dsn = dsnClass(fields["dsn"]);
    if (dsn !== "") add("status", `${daemon} ${status} ${dsn}`, `deliveries ${status} by ${daemon} (${dsn})`);
  }
  add("template", event.templateId, event.template);
  return columns;
}

/** "4.4.1" -> "4.4.x"; "" when there is none. RFC 3463: class and subject tell what failed, detail tells how. */
function dsnClass(dsn: string | number | undefined): string {
  const match = /^([245])\.(\d{1,3})\./.exec(String(dsn ?? ""));
  return match ? `${match[1]}.${match[2]}.x` : "";
}

/** What a family is about, in an operator's words. */
export const FAMILY_LABELS: Readonly<Record<Family, string>> = {
  total: "all in all",
  auth: "at log-ins",
  outbound: "outgoing mail",
  inbound: "incoming mail",
  local: "mailboxes and local mail",
  system: "the system",
};

const SEVERITY_LABELS: Readonly<Record<Exclude<MailEvent["severity"], "info">, string>> = {
  warning: "warnings",
  error: "errors",
  fatal: "fatal errors",
  panic: "panics",
};

/** Events in an operator's words, where theirs with a plural is none: of lines that tell of a failure. */
const EVENT_LABELS: Readonly<Record<string, string>> = {
  auth_failure: "refused log-ins",
  connection_lost: "lost connections",
  delivery: "failed deliveries",
  host_reply: "complaints of other servers",
  reject: "refused commands",
  unknown: "failures told in lines that no grammar knows",
};
const eventLabel = (event: string, family: Family): string =>
  `${EVENT_LABELS[event] ?? `lines that tell of: ${event.replaceAll("_", " ")}`}, ${FAMILY_LABELS[family]}`;

/** A cause in an operator's words. */
export const CAUSE_LABELS: Readonly<Record<Cause, string>> = {
  dns: "name lookups that failed",
  connect: "connections that failed",
  tls: "TLS failures",
  auth: "failed log-ins",
  auth_backend: "failures of the password service",
  milter: "milter failures",
  policy: "failures of a policy service or filter",
  lookup: "lookup table failures",
  disk: "lines about a full disk",
  permission: "permission errors",
  config: "configuration errors",
  crash: "crashed or restarted processes",
  limit: "limits reached",
  blocked: "refusals for our reputation",
  throttled: "replies that ask us to slow down",
  greylisted: "greylisted deliveries",
  unknown_user: "unknown recipients",
  relay_denied: "refused relay attempts",
  rbl: "block-listed clients",
  spam: "content and policy rejects",
  quota: "full mailboxes",
  loop: "mail loops",
  mailbox: "damaged mailboxes",
  routing: "destinations with no route",
  protocol: "protocol violations",
  expired: "messages given up",
  clock: "clock errors",
  other: "other failures",
};
