import { SLOT_MS } from "../feature/clock.ts";
import type { Column } from "../feature/columns.ts";
import { ENTITY_FEATURES } from "../feature/entity-features.ts";
import type { Family } from "../feature/family.ts";
import type { SeenLine } from "../feature/transaction.ts";
import type { MailEvent } from "../mail/event.ts";
import type { CitedLine, Kind } from "./alert.ts";
import {
  type CauseCounter,
  kindBehind,
  kindOfLines,
  kindOfLost,
  kindOfNameless,
  kindOfSender,
  tellingLine,
} from "./attribute.ts";
import { ALL_NEW, type Candidate } from "./candidate.ts";
import type { EntityFinding, EntityScorer } from "./entity.ts";
import { duration, KIND_OF_CAUSE, KIND_TITLES, typicalRange, usual } from "./explain.ts";
import type { LineRings } from "./lines.ts";
import type { NoveltyFinding } from "./novelty.ts";
import { DEADLY } from "./rules.ts";
import { programOf, said } from "./said.ts";
import { isOfDelay } from "./strange.ts";
import type { TransactionModel, TransactionScorer } from "./transaction.ts";
import { isPool, type WindowFinding, type WindowModel, type WindowScorer } from "./window.ts";

/** Turns what a view found into a candidate in an operator's words. */

const HOUR_MS = 3_600_000;
const MAX_VALUE = 120;

/** Turns so long before a silence belong to it. */
export const TURN_MS: number = 5 * 60_000;

/** How the keys of candidates of these views begin; the column's follows. */
export const COLUMN_PART = "column ";
export const STRANGE_PART = "transactions ";

type Context = { readonly causes: CauseCounter; readonly rings: LineRings; readonly at: number };

export const cited = (lines: readonly CitedLine[]): CitedLine[] =>
  lines.map(({ file, line, text }) => ({ file, line, text }));
export const templatesOf = (
  lines: readonly { templateId: string; template: string }[],
): { id: string; text: string }[] => {
  const seen = new Map(lines.map((l) => [l.templateId, l.template]));
  return [...seen].slice(0, 3).map(([id, text]) => ({ id, text: text.slice(0, 400) }));
};
/** The programs that wrote the lines; where none is cited, what was counted. */
function programsOf(
  lines: readonly { template: string }[],
  label: string,
): { type: string; value: string }[] {
  const programs = new Set(lines.map(programOf));
  programs.delete("");
  return programs.size === 0
    ? [{ type: "measure", value: label }]
    : [...programs].map((value) => ({ type: "program", value }));
}

/** Names from the log are shown whole only when short; rendering escapes them. */
export const short = (value: string): string =>
  value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}…` : value;

/** What a column counts, in an operator's words. */
const measured = ({ level, label, key }: Column): string =>
  level === "template" && !isPool(key) ? `lines such as "${short(label)}"` : label;

/** How many of what a column counts, for a title: its own name, or what one of the lines says. */
function counted(n: number, column: Column, line: SeenLine | undefined): string {
  const rare = isPool(column.key) ? "rare " : "";
  if (line === undefined || (rare === "" && column.level !== "template")) return `${n} ${measured(column)}`;
  return `${n} ${rare}lines of ${programOf(line)} such as ${said(line)}`;
}

export function windowCandidate(
  f: WindowFinding,
  ctx: Context & { model: WindowModel; scorer: WindowScorer; slotEnd: number },
): Candidate {
  const column = ctx.model.columns[f.column]!;
  const start = ctx.slotEnd - f.width * SLOT_MS;
  const lines = ctx.rings.ofColumn(f.column, start);
  const [low, high] = typicalRange(f.expected, f.alpha);
  const named =
    f.tail === "lower"
      ? undefined
      : (kindOfLost(lines, ctx.causes) ??
        kindOfLines(lines) ??
        kindOfSockets(lines, ctx.causes) ??
        ctx.causes.kind(column.cause, f.width, column.family) ??
        (isPool(column.key) ? kindOfNameless(lines) : undefined));
  const kind: Kind = named?.kind ?? "volume_change";
  const evidence = f.tail === "lower" ? [...turnsOf(column, ctx.rings, start), ...lines].slice(0, 5) : lines;
  const figures = `${counted(f.actual, column, lines[0])} in ${duration(f.width * 5)}, ${usual(low, high)}`;
  const { scorer } = ctx;
  return {
    at: ctx.at,
    start,
    view: "window",
    family: column.family,
    key: `${COLUMN_PART}${column.key}`,
    rate: f.rate,
    pValue: f.pValue,
    kind,
    kindConfidence: named?.confidence ?? 0.4,
    title: `${KIND_TITLES[kind]}: ${figures}`,
    summary: `In the ${duration(f.width * 5)} before, ${f.tail === "upper" ? "more" : "fewer"} than on any day of training: ${figures}.`,
    measure: {
      name: measured(column),
      actual: f.actual,
      typicalLow: low,
      typicalHigh: high,
    },
    entities: programsOf(lines, measured(column)),
    templates: templatesOf(evidence),
    lines: cited(evidence),
    fresh: scorer.recent(f.column, 1),
    shareSince: (time) => {
      if (f.tail === "lower") return time < start ? 1 : 0;
      const slots = Math.ceil((ctx.slotEnd - time) / SLOT_MS);
      return scorer.recent(f.column, Math.min(f.width, Math.max(0, slots))) / Math.max(1, f.actual);
    },
  };
}

/** What of a column's suite stopped or started since shortly before a time: why it may have fallen silent. */
function turnsOf({ level, key }: Column, rings: LineRings, time: number): SeenLine[] {
  const suite = level === "program" ? key.split(/[ /]/, 2)[1] : undefined;
  const turns = rings.turns(time - TURN_MS);
  return suite === undefined ? turns : turns.filter((line) => programOf(line).split("/", 1)[0] === suite);
}

/** What messages of unusual delay tell where their lines name nothing; of other strange transactions nothing is known. */
const kindOfStrange = (key: string): { kind: Kind; confidence: number } =>
  isOfDelay(key) ? { kind: "latency", confidence: 0.7 } : { kind: "unknown", confidence: 0.3 };

/** The family of most of the lines. */
function commonFamily(lines: readonly { readonly family: Family }[]): Family {
  const votes = new Map<Family, number>();
  for (const { family } of lines) votes.set(family, (votes.get(family) ?? 0) + 1);
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "total";
}

export function transactionCandidate(
  f: WindowFinding,
  ctx: Context & {
    model: TransactionModel;
    scorer: WindowScorer;
    strange: TransactionScorer;
    slotEnd: number;
  },
): Candidate {
  const column = ctx.model.rates.columns[f.column]!;
  const start = ctx.slotEnd - f.width * SLOT_MS;
  const lines = ctx.strange.linesOf(f.column, start);
  const [low, high] = typicalRange(f.expected, f.alpha);
  const family = commonFamily(lines);
  const named =
    kindOfLost(lines, ctx.causes) ??
    kindOfLines(lines) ??
    kindOfSockets(lines, ctx.causes) ??
    ctx.causes.kind(undefined, f.width, family) ??
    kindOfStrange(column.key);
  const telling = tellingLine(lines, named.kind);
  const one = telling === undefined ? "" : `; one of their lines is ${said(telling)}`;
  const figures = `${f.actual} ${column.label} in ${duration(f.width * 5)}, ${usual(low, high)}${one}`;
  const { scorer } = ctx;
  return {
    at: ctx.at,
    start,
    view: "transaction",
    family,
    key: `${STRANGE_PART}${column.key}`,
    rate: f.rate,
    pValue: f.pValue,
    kind: named.kind,
    kindConfidence: named.confidence,
    title: `${KIND_TITLES[named.kind]}: ${figures}`,
    summary: `More messages, connections or sessions went an unusual way than on any day of training: ${figures}.`,
    measure: { name: column.label, actual: f.actual, typicalLow: low, typicalHigh: high },
    entities: programsOf(lines, column.label),
    templates: templatesOf(lines),
    lines: cited(lines),
    fresh: scorer.recent(f.column, 1),
    shareSince: (time) =>
      scorer.recent(f.column, Math.min(f.width, Math.max(0, Math.ceil((ctx.slotEnd - time) / SLOT_MS)))) /
      Math.max(1, f.actual),
  };
}

/** What an entity's feature points to, where its lines' causes don't say more. */
const KIND_OF_FEATURE: Readonly<Record<string, Kind>> = {
  login_new_network: "login_anomaly",
  login_new_network_site: "login_anomaly",
  login_networks: "login_anomaly",
  auth_failures: "bruteforce",
  auth_failures_new_network: "bruteforce",
  auth_failures_new_pair_site: "bruteforce",
  auth_failures_network: "bruteforce",
  recipients: "account_compromised",
  messages: "account_compromised",
  failing_messages_hop: "remote_unreachable",
  own_hop_not_found: "routing_error",
  connects_network: "connection_flood",
  null_sender_recipient: "backscatter",
};

const hasCause = ({ cause }: Pick<SeenLine, "cause">): boolean => cause !== undefined;

export function entityCandidate(
  f: EntityFinding,
  ctx: Context & { scorer: EntityScorer; slotEnd: number },
): Candidate {
  const feature = ENTITY_FEATURES[f.feature]!;
  const start = ctx.slotEnd - f.horizon * SLOT_MS;
  const lines = ctx.rings.ofEntity(f.feature, f.key, start);
  const [low, high] = typicalRange(f.expected, f.alpha);
  const fixed = KIND_OF_FEATURE[feature.name];
  // the hop is a host that could not be reached, a name that was not found or a socket of ours
  const ofHop =
    feature.name === "failing_messages_hop"
      ? (kindOfLines(lines) ?? kindOfSockets(lines, ctx.causes))
      : undefined;
  const named = fixed
    ? (ofHop ?? { kind: fixed, confidence: 0.8 })
    : feature.name === "failing_messages_account"
      ? kindOfSender(lines, f.actual)
      : (kindOfLines(lines) ??
        ctx.causes.kind(undefined, f.horizon, feature.family) ?? {
          kind: "remote_unreachable" as Kind,
          confidence: 0.3,
        });
  const telling = feature.family === "outbound" ? tellingLine(lines.filter(hasCause), named.kind) : undefined;
  const one = telling === undefined ? "" : `; one of their lines is ${said(telling)}`;
  const figures = `${f.actual} ${feature.label} ${short(f.key)} in ${duration(f.horizon * 5)}, ${usual(low, high)}${one}`;
  const { scorer } = ctx;
  return {
    at: ctx.at,
    start,
    view: "entity",
    family: named.kind === "account_compromised" ? "account" : feature.family,
    key: `entity ${feature.name} ${f.key}`,
    rate: f.rate,
    pValue: f.pValue,
    kind: named.kind,
    kindConfidence: named.confidence,
    title: `${KIND_TITLES[named.kind]}: ${figures}`,
    summary: `Compared with its own past and with its peers: ${figures}.`,
    measure: {
      name: `${feature.label} ${feature.type}`,
      actual: f.actual,
      typicalLow: low,
      typicalHigh: high,
    },
    entities: [{ type: feature.type, value: f.key }],
    templates: templatesOf(lines),
    lines: cited(lines),
    fresh: Math.min(f.actual, lines.length),
    shareSince: (time) =>
      scorer.countSince(f.feature, f.key, Math.floor(time / SLOT_MS)) / Math.max(1, f.actual),
  };
}

/** A socket of this machine in the place of a host's address: "connect to mx[private/dovecot-lmtp]" (Postfix's lmtp). */
const SOCKET = /\[[^\]<]{0,100}\//;

/**
 * Where lines tell that a service of this machine does not take mail over, no other server is to blame: what is wrong with that service, if
 * anything says so, else that it has stopped. Undefined unless all that complain say so.
 */
function kindOfSockets(
  lines: readonly Pick<SeenLine, "cause" | "template">[],
  causes: CauseCounter,
): { kind: Kind; confidence: number } | undefined {
  const failing = lines.filter(hasCause);
  if (failing.length === 0 || !failing.every((l) => l.cause === "connect" && SOCKET.test(l.template)))
    return undefined;
  return { kind: causes.kind(undefined, 2, "total", DEADLY)?.kind ?? "service_stopped", confidence: 0.7 };
}

/** The cause that the line names, else the one that stands out around it. news: lines of what else is new. */
function noveltyKind(
  event: MailEvent,
  family: Family,
  causes: CauseCounter,
  news: readonly SeenLine[],
): { kind: Kind; confidence: number } {
  if (event.cause === "disk") return { kind: "disk_full", confidence: 0.9 };
  // A process that dies is a symptom where something else says why.
  const reason = event.cause === "crash" ? causes.kind(undefined, 2, "total", DEADLY) : undefined;
  if (reason) return { kind: reason.kind, confidence: 0.7 };
  // Under guesses the password service breaks off; where they stand out, it is not the service that is wrong.
  if (event.cause === "auth_backend" && causes.kind(undefined, 2, "auth")?.kind === "bruteforce")
    return { kind: "bruteforce", confidence: 0.7 };
  const root = kindBehind(event.cause, news);
  if (root) return { kind: root, confidence: 0.7 };
  const behind = kindOfSockets([event], causes);
  if (behind) return behind;
  if (event.cause !== undefined && event.cause !== "other")
    return { kind: KIND_OF_CAUSE[event.cause], confidence: 0.7 };
  const around = causes.kind(undefined, 2, family);
  return around
    ? { kind: around.kind, confidence: around.confidence * 0.7 }
    : { kind: "new_message", confidence: 0.6 };
}

/** event: the line that is new, and `line` what of it may be cited. */
export function noveltyCandidate(
  f: NoveltyFinding,
  event: MailEvent,
  line: SeenLine,
  ctx: Context,
): Candidate {
  ctx.rings.shape(line);
  const own = ctx.rings.ofShape(f.shape, ctx.at - HOUR_MS);
  const siblings = f.newest.flatMap((shape) => ctx.rings.ofShape(shape, ctx.at - HOUR_MS).slice(0, 1));
  const lines = [...own.slice(0, Math.max(1, 5 - siblings.length)), ...siblings];
  const named = noveltyKind(event, line.family, ctx.causes, siblings);
  const times = f.repeats === 1 ? "" : `${f.repeats} times `;
  const others =
    f.others > 0 ? `, and ${f.others} other new message${f.others === 1 ? "" : "s"} within the hour` : "";
  const figures = `${times}${said(line)} of ${event.daemon}, never seen before${others}`;
  return {
    at: ctx.at,
    start: ctx.at - HOUR_MS,
    view: "novelty",
    family: line.family,
    key: `shape ${f.shape}`,
    rate: f.rate,
    pValue: f.pValue,
    kind: named.kind,
    kindConfidence: named.confidence,
    title: `${KIND_TITLES[named.kind]}: ${figures}`,
    summary: `Not seen in training: ${short(event.template)}.`,
    measure: { name: "lines of this new message in 1 h", actual: f.repeats, typicalLow: 0, typicalHigh: 0 },
    entities: [{ type: "program", value: event.daemon }],
    templates: [{ id: event.templateId, text: event.template.slice(0, 400) }],
    lines: cited(lines),
    fresh: 1,
    shareSince: ALL_NEW,
  };
}
