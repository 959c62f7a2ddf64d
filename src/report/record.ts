import type { Alert } from "../detect/alert.ts";

type Row = Readonly<Record<string, unknown>>;

const time = (value: unknown): number => Date.parse(String(value));
const list = (value: unknown): readonly Row[] => (Array.isArray(value) ? (value as Row[]) : []);

/** The alert of a saved record (see alertRecord): the way back, for showing it again. */
export function alertFromRecord(record: Row): Alert {
  return {
    ...(record as unknown as Alert), // fields of one word have the same name and form in both
    openedAt: time(record["opened_at"]),
    closedAt: record["closed_at"] == null ? null : time(record["closed_at"]),
    start: time(record["start"]),
    end: time(record["end"]),
    pValue: Number(record["p_value"]),
    kindConfidence: Number(record["kind_confidence"]),
    measures: list(record["measures"]).map((m) => ({
      name: String(m["name"]),
      actual: Number(m["actual"]),
      typicalLow: Number(m["typical_low"]),
      typicalHigh: Number(m["typical_high"]),
    })),
    updates: list(record["updates"]).map((u) => ({
      at: time(u["at"]),
      severity: u["severity"] as Alert["severity"],
      title: String(u["title"]),
    })),
  };
}
