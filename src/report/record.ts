import {
  type Alert,
  type AlertSeverity,
  KINDS,
  type Part,
  type Suppressed,
  type View,
} from "../detect/alert.ts";
import { Fault } from "../fault.ts";

type Row = Readonly<Record<string, unknown>>;

const SEVERITIES: readonly AlertSeverity[] = ["critical", "high", "medium", "low"];
const VIEWS: readonly View[] = ["window", "transaction", "entity", "novelty", "absence"];
const CLASSES: readonly Alert["class"][] = ["budget", "always"];

/**
 * The alert of a saved record (see alertRecord): the way back, for showing it again. Each field is checked, since a
 * file can be damaged where SQLite does not notice. Throws Fault badData.
 */
export function alertFromRecord(record: Row): Alert {
  try {
    return alertOf(record);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Fault(
      "badData",
      `a saved alert is damaged: ${error.message}`,
      `state database, alert ${String(record["id"] ?? "without id").slice(0, 64)}`,
      "it can't be shown; the other alerts and the model are not touched",
      "run the verb that found it again, which saves it anew",
    );
  }
}

function alertOf(record: Row): Alert {
  const total = object(record["total"], "total");
  return {
    id: text(record["id"], "id"),
    openedAt: time(record["opened_at"], "opened_at"),
    closedAt: record["closed_at"] === null ? null : time(record["closed_at"], "closed_at"),
    start: time(record["start"], "start"),
    end: time(record["end"], "end"),
    severity: word(record["severity"], SEVERITIES, "severity"),
    class: word(record["class"], CLASSES, "class"),
    held: record["held"] === true,
    ...(record["suppressed"] === undefined ? {} : { suppressed: suppressedOf(record["suppressed"]) }),
    pValue: figure(record["p_value"], "p_value"),
    view: word(record["view"], VIEWS, "view"),
    kind: word(record["kind"], KINDS, "kind"),
    kindConfidence: figure(record["kind_confidence"], "kind_confidence"),
    title: text(record["title"], "title"),
    summary: text(record["summary"], "summary"),
    entities: rows(record["entities"], "entities").map((e) => ({
      type: text(e["type"], "entities"),
      value: text(e["value"], "entities"),
    })),
    templates: rows(record["templates"], "templates").map((t) => ({
      id: text(t["id"], "templates"),
      text: text(t["text"], "templates"),
    })),
    measures: rows(record["measures"], "measures").map((m) => ({
      name: text(m["name"], "measures"),
      actual: figure(m["actual"], "measures"),
      typicalLow: figure(m["typical_low"], "measures"),
      typicalHigh: figure(m["typical_high"], "measures"),
    })),
    lines: rows(record["lines"], "lines").map((l) => ({
      file: text(l["file"], "lines"),
      line: figure(l["line"], "lines"),
      text: text(l["text"], "lines"),
    })),
    updates: rows(record["updates"], "updates").map((u) => ({
      at: time(u["at"], "updates"),
      severity: word(u["severity"], SEVERITIES, "updates"),
      title: text(u["title"], "updates"),
    })),
    total: { lines: figure(total["lines"], "total"), events: figure(total["events"], "total") },
    parts: record["parts"] === undefined ? [] : rows(record["parts"], "parts").map(partOf), // a telling has none
  };
}

function suppressedOf(value: unknown): Suppressed {
  const { by, rule, name } = object(value, "suppressed");
  return {
    by: word(by, ["feedback", "calendar"], "suppressed"),
    rule: figure(rule, "suppressed"),
    name: text(name, "suppressed"),
  };
}

const partOf = (part: Row): Part => ({
  key: text(part["key"], "parts"),
  kinds: list(part["kinds"], "parts").map((kind) => word(kind, KINDS, "parts")),
  templates: list(part["templates"], "parts").map((id) => text(id, "parts")),
  name: text(part["name"], "parts"),
  size: figure(part["size"], "parts"),
  ...(part["minutes"] === undefined ? {} : { minutes: figure(part["minutes"], "parts") }),
});

const wrong = (field: string): TypeError => new TypeError(`no sound "${field}"`);

function object(value: unknown, field: string): Row {
  if (typeof value !== "object" || value === null) throw wrong(field);
  return value as Row;
}

function list(value: unknown, field: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(field);
  return value;
}

const rows = (value: unknown, field: string): Row[] => list(value, field).map((row) => object(row, field));

function text(value: unknown, field: string): string {
  if (typeof value !== "string") throw wrong(field);
  return value;
}

/** A number. JSON has no NaN and no infinity: alertRecord writes them as null. */
function figure(value: unknown, field: string): number {
  if (value === null) return Number.NaN;
  if (typeof value !== "number") throw wrong(field);
  return value;
}

function time(value: unknown, field: string): number {
  const ms = Date.parse(text(value, field));
  if (Number.isNaN(ms)) throw wrong(field);
  return ms;
}

function word<T extends string>(value: unknown, known: readonly T[], field: string): T {
  const found = known.find((k) => k === value);
  if (found === undefined) throw wrong(field);
  return found;
}
