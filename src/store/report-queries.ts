import type { Database } from "./db.ts";
import { guarded } from "./db.ts";
import type { StoredAlert } from "./queries.ts";

/** What the daily report asks of the state. */

/** Records of incidents, held alerts and templates that a report is given; more are counted. */
const MAX_ALERTS = 200;
const MAX_HELD = 50;
const MAX_TEMPLATES = 20;
/** Local days whose mail figures are kept, for usual ranges and charts. */
const MAX_FIGURES = 84;
const DAY_MS = 86_400_000;
/** An incident of earlier than this before the day is no longer looked for; it would have been closed long since. */
const OLDEST_MS = 60 * DAY_MS;

/** Counts of the ledger of a day; opened + held + suppressed + planned + joined + below_bar = all candidates. */
export type DayCounts = {
  readonly opened: number;
  readonly held: number;
  readonly suppressed: number;
  readonly planned: number;
  readonly joined: number;
  readonly below_bar: number;
  readonly lines: number;
  readonly unknown: number;
  readonly bad_envelope: number;
  readonly lost: number;
};

/** Rows of a query, and how many it has beyond those given. */
type Some<T> = { readonly rows: readonly T[]; readonly more: number };

export type DayFacts = {
  /** Incidents opened on the day or still open on it, by opening. */
  readonly alerts: Some<StoredAlert>;
  /** Incidents that opened on the day. */
  readonly opened: number;
  /** What the budget held back. */
  readonly held: Some<StoredAlert>;
  /** What was not told because the operator said so, or had planned it. */
  readonly suppressed: Some<StoredAlert>;
  /** Records of alerts around the day that are no JSON. */
  readonly damaged: number;
  /** Undefined where nothing was watched on that day. */
  readonly counts: DayCounts | undefined;
  /** Those with most lines first. firstAt: milliseconds. */
  readonly templates: Some<{
    readonly id: string;
    readonly text: string;
    readonly firstAt: number;
    readonly lines: number;
  }>;
  /** since: when the oldest one was made, milliseconds; undefined when none waits. givenUp: since the day began. */
  readonly outbox: {
    readonly waiting: number;
    readonly since: number | undefined;
    readonly givenUp: number;
  };
  /** The model in use. header: JSON. */
  readonly model: { readonly id: string; readonly header: object } | undefined;
  /** What a retraining left under the mark `retrained`: JSON { at, text }, ISO 8601 and a sentence. */
  readonly retrained: string | undefined;
};

export type ReportStore = {
  /** day: YYYY-MM-DD. from, to: its bounds, milliseconds since the Unix epoch. */
  dayFacts(day: string, from: number, to: number): DayFacts;
  /** Mail figures kept of the days before, oldest first: what saveFigures was given. */
  figures(): { readonly day: string; readonly totals: object }[];
  /** Keeps the mail figures of a day that is over. */
  saveFigures(day: string, totals: object): void;
};

/** path: the database's name in messages. */
export function reportStore(db: Database, path: string): ReportStore {
  return {
    dayFacts: (day, from, to) => guarded(path, () => dayFacts(db, day, from, to)),
    figures: () => guarded(path, () => readFigures(db)),
    saveFigures: (day, totals) => guarded(path, () => saveFigures(db, day, totals)),
  };
}

function dayFacts(db: Database, day: string, from: number, to: number): DayFacts {
  const span = { from, to, oldest: from - OLDEST_MS, iso: iso(from), lately: iso(from - DAY_MS) };
  return {
    alerts: some(records(db, INCIDENTS, span, MAX_ALERTS), count(db, INCIDENTS, span)),
    opened: count(db, OPENED, span),
    held: some(records(db, HELD, span, MAX_HELD), count(db, HELD, span)),
    suppressed: some(records(db, SUPPRESSED, span, MAX_HELD), count(db, SUPPRESSED, span)),
    damaged: count(db, DAMAGED, span),
    counts: readCounts(db, day),
    templates: readTemplates(db, span),
    outbox: readOutbox(db, from),
    model: readModel(db),
    retrained: readMark(db, "retrained"),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** A field of a record; null where the record is no JSON, which json_extract alone would answer with an error. */
const field = (name: string): string =>
  `(CASE WHEN json_valid(record) THEN json_extract(record, '$.${name}') END)`;
const OPENED = `opened_at >= @from AND opened_at < @to AND json_valid(record) AND ${field("held")} IS NOT 1`;
/**
 * Of those before, what was closed on the day or later, or is open and was seen within the day before: an incident closes
 * when it is quiet for hours, so that an older one was left open by a run that ended.
 */
const ONGOING = `opened_at >= @oldest AND opened_at < @from AND json_valid(record) AND ${field("held")} IS NOT 1
  AND coalesce(${field("closed_at")} >= @iso, ${field("end")} >= @lately)`;
const INCIDENTS = `((${OPENED}) OR (${ONGOING}))`;
const NOT_TOLD = `opened_at >= @from AND opened_at < @to AND json_valid(record) AND ${field("held")} IS 1`;
const HELD = `${NOT_TOLD} AND ${field("suppressed")} IS NULL`;
const SUPPRESSED = `${NOT_TOLD} AND ${field("suppressed")} IS NOT NULL`;
const DAMAGED = "opened_at >= @from AND opened_at < @to AND NOT json_valid(record)";

type Span = Readonly<Record<string, number | string>>;

const count = (db: Database, where: string, span: Span): number =>
  (db.prepare(`SELECT count(*) AS n FROM alerts WHERE ${where}`).get(span) as { n: number }).n;

function records(db: Database, where: string, span: Span, limit: number): StoredAlert[] {
  const rows = db
    .prepare(`SELECT record FROM alerts WHERE ${where} ORDER BY opened_at, id LIMIT ${limit}`)
    .all(span) as { record: string }[];
  return rows.map((row) => JSON.parse(row.record) as StoredAlert);
}

const some = <T>(rows: readonly T[], all: number): Some<T> => ({ rows, more: all - rows.length });

const COUNTS = [
  ...["opened", "held", "suppressed", "planned", "joined", "below_bar"],
  ...["lines", "unknown", "bad_envelope", "lost"],
];

function readCounts(db: Database, day: string): DayCounts | undefined {
  const row = db.prepare("SELECT record FROM days WHERE day = ?").get(day) as { record: string } | undefined;
  const record = row === undefined ? undefined : jsonObject(row.record);
  if (record === undefined) return undefined;
  const counts = COUNTS.map((name) => [name, Number(record[name] ?? 0)]);
  return Object.fromEntries(counts) as DayCounts;
}

function readTemplates(db: Database, span: Span): DayFacts["templates"] {
  const where = "first_at >= @from AND first_at < @to";
  const rows = db
    .prepare(
      `SELECT id, text, first_at AS firstAt, lines FROM new_templates WHERE ${where}
       ORDER BY lines DESC, first_at, id LIMIT ${MAX_TEMPLATES}`,
    )
    .all(span) as DayFacts["templates"]["rows"];
  const { n } = db.prepare(`SELECT count(*) AS n FROM new_templates WHERE ${where}`).get(span) as {
    n: number;
  };
  return some(rows, n);
}

function readOutbox(db: Database, from: number): DayFacts["outbox"] {
  const waiting = db
    .prepare("SELECT count(*) AS n, min(created_at) AS since FROM outbox WHERE state = 'waiting'")
    .get() as { n: number; since: number | null };
  const lost = db
    .prepare("SELECT count(*) AS n FROM outbox WHERE state = 'given_up' AND done_at >= ?")
    .get(from) as { n: number };
  return { waiting: waiting.n, since: waiting.since ?? undefined, givenUp: lost.n };
}

function readModel(db: Database): DayFacts["model"] {
  const row = db.prepare("SELECT id, header FROM models WHERE champion = 1").get() as
    | { id: string; header: string }
    | undefined;
  return row === undefined ? undefined : { id: row.id, header: jsonObject(row.header) ?? {} };
}

function readMark(db: Database, name: string): string | undefined {
  const row = db.prepare("SELECT value FROM marks WHERE name = ?").get(name) as { value: string } | undefined;
  return row?.value;
}

function readFigures(db: Database): { day: string; totals: object }[] {
  const rows = db.prepare("SELECT day, totals FROM figures ORDER BY day").all() as {
    day: string;
    totals: string;
  }[];
  return rows.flatMap(({ day, totals }) => {
    const known = jsonObject(totals);
    return known === undefined ? [] : [{ day, totals: known }];
  });
}

function saveFigures(db: Database, day: string, totals: object): void {
  db.transaction(() => {
    db.prepare("INSERT OR REPLACE INTO figures (day, totals) VALUES (?, ?)").run(day, JSON.stringify(totals));
    db.prepare(
      "DELETE FROM figures WHERE day NOT IN (SELECT day FROM figures ORDER BY day DESC LIMIT ?)",
    ).run(MAX_FIGURES);
  }).immediate();
}

/** JSON that should be an object; undefined for anything else, since a report goes out without what is damaged. */
function jsonObject(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
