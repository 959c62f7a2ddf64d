import type { Fault } from "../fault.ts";
import { type DayFigures, usualOf } from "../mail/summary.ts";
import type { StoredAlert } from "../store/queries.ts";
import type { DayFacts } from "../store/report-queries.ts";
import type { DailyReport, ReportHealth } from "./daily.ts";
import type { Day, DayLog } from "./daily-log.ts";
import { cut } from "./escape.ts";
import { countText, localTime, numberText } from "./format.ts";
import { alertFromRecord } from "./record.ts";

/** Days of figures that charts and usual ranges look back. */
const DAYS_BACK = 84;
/** Of an alert's lines the report shows the first; characters of it that are kept. */
const LINE = 400;
const LINES = 2;
/** Entities kept of an alert. */
const ENTITIES = 8;
/** Shares of lines not understood, and without a readable time, from which on the operator is told. */
const MUCH_UNKNOWN = 0.05;
const MUCH_WITHOUT_TIME = 0.01;
/** A notification that has waited so long is worth a word. */
const LONG_WAIT_MS = 3_600_000;
/** A model that has seen nothing for so long knows an older server. */
const OLD_MODEL_MS = 60 * 86_400_000;
const MEGABYTE = 1e6;

export type ReportSettings = {
  readonly server: string;
  readonly perDay: number;
  readonly release: string;
  /** The clock, in milliseconds since the Unix epoch. */
  readonly now: number;
  /** Whether what is watched comes from logs that can be read again, and whether some of it comes over the network. */
  readonly logs: boolean;
  readonly network: boolean;
};

/** What is known of the day: facts is undefined without a state, figures are those kept beside the model's own. */
export type DayKnown = {
  readonly facts: DayFacts | undefined;
  readonly figures: readonly { readonly day: string; readonly totals: object }[];
  readonly stateBytes: number;
  readonly log: DayLog;
};

/** The report's data. Pure: the same facts give the same report. */
export function dailyReport(settings: ReportSettings, day: Day, known: DayKnown): DailyReport {
  const { facts, log } = known;
  const figures = figuresBefore(day.day, facts?.model?.header, known.figures);
  const over = settings.now >= day.to;
  const [alerts, unsound] = sound(facts?.alerts.rows ?? []);
  const [held, unsoundHeld] = sound(facts?.held.rows ?? []);
  const [suppressed, unsoundSuppressed] = sound(facts?.suppressed.rows ?? []);
  const counts = facts?.counts;
  const damaged = unsound + unsoundHeld + unsoundSuppressed + (facts?.damaged ?? 0);
  return {
    server: settings.server,
    day: day.day,
    timezone: day.zone.name,
    from: iso(day.from),
    to: iso(day.to),
    made_at: iso(settings.now),
    alerts,
    more_alerts: facts?.alerts.more ?? 0,
    held,
    suppressed,
    budget: {
      per_day: settings.perDay,
      opened: counts?.opened ?? facts?.opened ?? 0,
      held: counts?.held ?? (facts === undefined ? 0 : facts.held.rows.length + facts.held.more),
      ...notTold(facts),
      joined: counts?.joined ?? null,
      below_bar: counts?.below_bar ?? null,
    },
    new_templates: (facts?.templates.rows ?? []).map(({ id, text, firstAt, lines }) => ({
      id,
      text: cut(text, LINE),
      first_at: iso(firstAt),
      lines,
    })),
    more_new_templates: facts?.templates.more ?? 0,
    summary: log.summary ?? null,
    figures_lack: lackOf(settings, known),
    usual: over ? usualOf(figures, day.day) : {},
    before: figures,
    health: health(settings, day, known, damaged),
  };
}

/** How many were not told by feedback, and by the calendar. Without a ledger, as in a day that `detect` read, those listed are counted. */
function notTold(facts: DayFacts | undefined): { suppressed: number; planned: number } {
  if (facts?.counts) return { suppressed: facts.counts.suppressed, planned: facts.counts.planned };
  const planned = (facts?.suppressed.rows ?? []).filter(isPlanned).length;
  const all = facts ? facts.suppressed.rows.length + facts.suppressed.more : 0;
  return { suppressed: all - planned, planned };
}

const isPlanned = (alert: StoredAlert): boolean =>
  (alert["suppressed"] as { by?: unknown } | null | undefined)?.by === "calendar";

const iso = (ms: number): string => new Date(ms).toISOString();

/** What the figures of a day lack that was watched. */
function lackOf({ logs, network }: ReportSettings, { facts, log }: DayKnown): string | null {
  const lines = facts?.counts?.lines ?? 0;
  if (!network || lines === 0) return null;
  if (!logs)
    return `There are no mail figures: they are made of logs, and the ${countText(lines, "line")} of this day came over the network and ${lines === 1 ? "is" : "are"} kept nowhere. Alerts and new kinds of lines are of all of them.`;
  if (log.summary === undefined) return null; // that is told as it is
  return "The figures are of the logs alone: what came over the network was watched, but is kept nowhere.";
}

/** Records that can be shown, without what the report does not show; and how many can't be. */
function sound(records: readonly StoredAlert[]): [StoredAlert[], number] {
  const good = records.flatMap((record) => {
    try {
      const { lines, entities } = alertFromRecord(record);
      const shown = lines.slice(0, LINES).map((line) => ({ ...line, text: cut(line.text, LINE) }));
      return {
        ...record,
        lines: shown,
        entities: entities.slice(0, ENTITIES),
        entity_count: entities.length,
      };
    } catch {
      return [];
    }
  });
  return [good, records.length - good.length];
}

/** Figures of the days before, oldest first: those of the training, and above them what was kept since. */
function figuresBefore(
  day: string,
  header: object | undefined,
  kept: readonly { readonly day: string; readonly totals: object }[],
): DayFigures[] {
  const learned = (header as { figures?: unknown } | undefined)?.figures;
  const days = new Map<string, DayFigures>();
  for (const one of [...(Array.isArray(learned) ? (learned as unknown[]) : []), ...kept])
    if (isDayFigures(one) && one.day < day) days.set(one.day, one);
  const oldest = new Date(Date.parse(`${day}T12:00:00Z`) - DAYS_BACK * 86_400_000).toISOString().slice(0, 10);
  return [...days.values()].filter((d) => d.day >= oldest).sort((a, b) => (a.day < b.day ? -1 : 1));
}

function isDayFigures(value: unknown): value is DayFigures {
  const { day, totals } = (value ?? {}) as { day?: unknown; totals?: unknown };
  return /^\d{4}-\d\d-\d\d$/.test(String(day)) && typeof totals === "object" && totals !== null;
}

function health(settings: ReportSettings, day: Day, known: DayKnown, damaged: number): ReportHealth {
  const { facts, log } = known;
  const counts = facts?.counts;
  const model = facts?.model;
  const { from, to } = (model?.header ?? {}) as { from?: unknown; to?: unknown };
  const time = (ms: unknown): string => iso(typeof ms === "number" && Number.isFinite(ms) ? ms : 0);
  const base = {
    release: settings.release,
    model: model === undefined ? null : { id: model.id, from: time(from), to: time(to) },
    watched: counts !== undefined,
    retrained: retrainedOf(facts?.retrained, day),
    lines: counts?.lines ?? log.lines,
    unknown: counts?.unknown ?? log.unknown,
    bad_envelope: counts?.bad_envelope ?? log.badEnvelope,
    lost: counts?.lost ?? 0,
    waiting: facts?.outbox.waiting ?? 0,
    given_up: facts?.outbox.givenUp ?? 0,
    state_mb: Math.round((10 * known.stateBytes) / MEGABYTE) / 10,
  };
  return { ...base, notes: notes(base, settings, day, known, damaged) };
}

/** The mark that a retraining leaves, when it is of the day. */
function retrainedOf(mark: string | undefined, day: Day): string | null {
  if (mark === undefined) return null;
  try {
    const { at, text } = JSON.parse(mark) as { at?: unknown; text?: unknown };
    const time = Date.parse(String(at));
    if (typeof text !== "string" || !(time >= day.from && time < day.to)) return null;
    return cut(text.replace(/\s+/g, " ").trim(), 2 * LINE);
  } catch {
    return null;
  }
}

/** What the operator should know or do, the gravest first. */
function notes(
  health: Omit<ReportHealth, "notes">,
  settings: ReportSettings,
  day: Day,
  known: DayKnown,
  damaged: number,
): string[] {
  const { facts, log } = known;
  const out: string[] = [];
  const say = (when: boolean, what: string): void => {
    if (when) out.push(what);
  };
  const since = facts?.outbox.since;
  say(
    log.summary === undefined && lackOf(settings, known) === null,
    "No line of this day was found in the log. If the server ran, check that mail is still logged where Logvane looks, and that rotated files are kept for two days: logvane doctor.",
  );
  say(
    health.lost > 0,
    `${countText(health.lost, "line")} of the log ${health.lost === 1 ? "was" : "were"} gone before being read: keep rotated files longer, and let logrotate create files instead of copytruncate.`,
  );
  say(
    health.given_up > 0,
    `${countText(health.given_up, "notification")} could not be delivered and ${health.given_up === 1 ? "was" : "were"} given up: logvane alerts lists what was told.`,
  );
  say(
    since !== undefined && settings.now - since > LONG_WAIT_MS,
    `${countText(health.waiting, "notification")} could not be sent yet, the oldest since ${localTime(since ?? 0, day.zone.name)}: logvane doctor looks for the cause.`,
  );
  say(
    health.model === null,
    "Nothing is learned yet, so nothing can be called unusual: logvane train FILE... (two weeks of log or more).",
  );
  say(
    health.model !== null && !health.watched,
    "Nothing was watched on this day, so silence means little: logvane watch follows the log as it grows.",
  );
  for (const fault of log.faults) out.push(faultNote(fault));
  say(
    damaged > 0,
    `${countText(damaged, "saved alert")} of this day can't be read: the state database is damaged in part; keep a backup of the state folder.`,
  );
  say(
    health.unknown > MUCH_UNKNOWN * health.lines,
    `${numberText(health.unknown)} of ${countText(health.lines, "line")} were not understood and are watched by their shape alone: logvane parse --stats FILE lists them.`,
  );
  say(
    health.bad_envelope > MUCH_WITHOUT_TIME * health.lines,
    `${countText(health.bad_envelope, "line")} had no readable time and could not be watched: logvane parse --stats FILE counts them.`,
  );
  say(
    health.model !== null && day.to - Date.parse(health.model.to) > OLD_MODEL_MS,
    `What is normal was learned up to ${health.model?.to.slice(0, 10)}: train again on newer logs (logvane train FILE...).`,
  );
  return out;
}

const faultNote = (fault: Fault): string =>
  cut(`${fault.message} (${fault.where}): ${fault.effect}. ${fault.remedy}.`, 2 * LINE);
