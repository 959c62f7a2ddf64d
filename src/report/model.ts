import { weightCount } from "../model/vae.ts";
import type { CalibrationSummary } from "../pipeline/describe.ts";
import type { Network } from "../pipeline/networks.ts";
import type { ModelEntry } from "../store/registry.ts";
import type { Switch } from "../store/switches.ts";
import { terminalSafe } from "./escape.ts";
import { evidenceLines } from "./evidence.ts";
import { localTime } from "./format.ts";

/** What `model list` and `model show` tell of a model. Null where an earlier release did not write it down. */
export type ModelRecord = {
  readonly id: string;
  readonly in_use: boolean;
  /** Version of the stored form, docs/model-format.md. */
  readonly format: number | null;
  /** Of Logvane, that trained it. */
  readonly release: string | null;
  /** ISO 8601. */
  readonly trained_at: string | null;
  /** First and last log time of training, ISO 8601. */
  readonly from: string | null;
  readonly to: string | null;
  /** Lines learned from. */
  readonly events: number | null;
  readonly seed: number | null;
  /** Of the window view. */
  readonly columns: number | null;
  /** Shapes of messages known. */
  readonly shapes: number | null;
  /** Messages of other servers that are known beside its own, and until when (ISO 8601); null without. */
  readonly prior: { readonly version: number; readonly shapes: number; readonly until: string } | null;
  /** As stored. */
  readonly bytes: number;
  /** The model that was in use when it was learned. */
  readonly parent: string | null;
  /** Why it was learned, or came into use or not when it was. */
  readonly reason: string | null;
  readonly metrics: Metrics | null;
};

/** epochs: passes over the rows, of all networks together. held_out: nats a row on days that a network did not see; null where none are. */
export type Metrics = {
  readonly epochs: number;
  readonly held_out: { readonly window: number | null; readonly transaction: number | null };
};

/** A network of a model: the sizes of its layers, and what its columns are called. */
export type NetworkRecord = {
  readonly name: string;
  readonly kernels: string;
  readonly hidden: number;
  readonly latent: number;
  readonly weights: number;
  readonly counts: Network["counts"];
  readonly reals: Network["reals"];
  readonly conditions: Network["conditions"];
};

const MS_PER_DAY = 86_400_000;
/** Width of the column of labels. */
const LABEL = 10;
/** Times of coming into use that are shown, the last. */
const MAX_USES = 5;

/** The record of a registry entry, whose header an older release may have written. */
export function modelRecord({ id, header, bytes, champion }: ModelEntry): ModelRecord {
  const known = header as Readonly<Record<string, unknown>>;
  const number = (key: string): number | null => {
    const value = known[key];
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  };
  const time = (key: string): string | null => {
    const ms = number(key);
    return ms === null || Number.isNaN(new Date(ms).getTime()) ? null : new Date(ms).toISOString();
  };
  const { release, parent, reason, metrics, retrained } = known;
  const told = reason ?? (retrained as { reason?: unknown } | undefined)?.reason;
  return {
    id,
    in_use: champion,
    format: number("format"),
    release: typeof release === "string" ? release : null,
    trained_at: time("trainedAt"),
    from: time("from"),
    to: time("to"),
    events: number("events"),
    seed: number("seed"),
    columns: number("columns"),
    shapes: number("shapes"),
    prior: priorOf(known["prior"]),
    bytes,
    parent: typeof parent === "string" ? parent : null,
    reason: typeof told === "string" ? told : null,
    metrics: isMetrics(metrics) ? metrics : null,
  };
}

function priorOf(prior: unknown): ModelRecord["prior"] {
  const { version, shapes, until } = (prior ?? {}) as {
    version?: unknown;
    shapes?: unknown;
    until?: unknown;
  };
  if (typeof version !== "number" || typeof shapes !== "number" || typeof until !== "number") return null;
  const end = new Date(until);
  return Number.isNaN(end.getTime()) ? null : { version, shapes, until: end.toISOString() };
}

function isMetrics(value: unknown): value is Metrics {
  const { epochs, held_out: heldOut } = (value ?? {}) as { epochs?: unknown; held_out?: unknown };
  return typeof epochs === "number" && typeof heldOut === "object" && heldOut !== null;
}

export function networkRecord({ name, vae, counts, reals, conditions }: Network): NetworkRecord {
  const { hidden, latent } = vae.shape;
  const weights = weightCount(vae.shape);
  return { name, kernels: vae.kernels, hidden, latent, weights, counts, reals, conditions };
}

/** One model on a line. former: whether it was in use before. timeZone: IANA zone in which times are shown. */
export function modelRowText(model: ModelRecord, former: boolean, timeZone: string): string {
  const parts = [
    terminalSafe(model.id),
    model.in_use ? "in use" : former ? "before" : "      ",
    rangeText(model, timeZone),
    `${known(model.events)} lines`,
    `${known(model.columns)} columns`,
    `seed ${known(model.seed)}`,
    sizeText(model.bytes),
  ];
  return `${parts.join("  ")}\n`;
}

/** All that is shown of one model. */
export type ShownModel = ModelRecord & {
  readonly used: readonly Switch[];
  readonly retrained: object | null;
  readonly calibration: readonly CalibrationSummary[];
  readonly networks: readonly NetworkRecord[];
};

/** All of one model. The names of columns are counted here; the JSON form lists them, and the calibration of every part. */
export function modelText(model: ShownModel, timeZone: string): string {
  const row = (label: string, text: string): string => `${label.padEnd(LABEL)}${terminalSafe(text)}\n`;
  const rows = (label: string, texts: readonly string[]): string[] =>
    texts.map((text, i) => row(i === 0 ? label : "", text));
  const trained =
    model.trained_at === null ? "not recorded" : localTime(Date.parse(model.trained_at), timeZone);
  const { networks, used, calibration } = model;
  const views = calibration.filter(({ name }) => /^(?:window|transaction)/.test(name));
  return [
    row("model", `${model.id}${model.in_use ? ", in use" : ""}`),
    row("learned", rangeText(model, timeZone)),
    row("lines", known(model.events)),
    row("trained", `${trained}, by release ${known(model.release)}, seed ${known(model.seed)}`),
    row("parent", model.parent ?? "none"),
    row("reason", known(model.reason)),
    ...(model.prior ? [row("prior", priorText(model.prior, timeZone))] : []),
    ...rows(
      "used",
      used.slice(-MAX_USES).map((s) => `since ${localTime(s.at, timeZone)}, by ${s.how}: ${s.reason}`),
    ),
    ...rows("evidence", evidenceLines(model.retrained)),
    row("format", known(model.format)),
    row("columns", `${known(model.columns)}, and ${known(model.shapes)} message shapes known`),
    row("size", `${sizeText(model.bytes)} as stored`),
    ...rows(
      "networks",
      networks.length === 0 ? ["none: history was too short for them"] : networks.map(networkText),
    ),
    ...rows("limits", views.map(calibrationText)),
  ].join("");
}

const priorText = ({ version, shapes, until }: NonNullable<ModelRecord["prior"]>, timeZone: string): string =>
  `version ${version}: ${shapes} message shapes of healthy servers are no news either, until ${localTime(Date.parse(until), timeZone)}`;

const calibrationText = (c: CalibrationSummary): string =>
  `${c.name}: one row in a hundred at ${c.one_in_100.toFixed(2)} nats` +
  (c.days > 0
    ? `, the highest of a day ${c.location.toFixed(2)} on a scale of ${c.scale.toFixed(2)} (${c.days} days)`
    : "");

const networkText = (n: NetworkRecord): string =>
  `${n.name}: ${n.counts.length} counts, ${n.reals.length} numbers, ${n.conditions.length} conditions, ` +
  `${n.hidden} hidden, ${n.latent} latent, ${n.weights} weights (${n.kernels})`;

const known = (value: number | string | null): string => (value === null ? "not recorded" : String(value));

const sizeText = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;

function rangeText({ from, to }: ModelRecord, timeZone: string): string {
  if (from === null || to === null) return "range not recorded";
  const [first, last] = [Date.parse(from), Date.parse(to)];
  const days = ((last - first) / MS_PER_DAY).toFixed(1);
  return `${localTime(first, timeZone)} to ${localTime(last, timeZone)} (${days} days)`;
}
