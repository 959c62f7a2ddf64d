/** A value of OTLP as JSON: one of these is set (opentelemetry-proto, common/v1). All of it comes from a stranger. */
export type AnyValue = {
  readonly stringValue?: unknown;
  readonly boolValue?: unknown;
  readonly intValue?: unknown;
  readonly doubleValue?: unknown;
  readonly bytesValue?: unknown;
  readonly arrayValue?: unknown;
  readonly kvlistValue?: unknown;
};

/** Values inside of values: deeper ones are left out. */
const MAX_DEPTH = 8;

/** A value as a log shows it: "" for none, JSON for lists and maps. */
export function textOf(value: AnyValue): string {
  if (typeof value.stringValue === "string") return value.stringValue;
  const plain = plainOf(value);
  if (plain === null) return "";
  return typeof plain === "object" ? JSON.stringify(plain) : String(plain);
}

/** A value as plain JSON; a map's fields have no prototype. null for none, and for one that is not what it says. */
export function plainOf(value: unknown, depth: number = MAX_DEPTH): unknown {
  if (!isObject(value) || depth === 0) return null;
  const { stringValue, boolValue, intValue, doubleValue, bytesValue } = value;
  for (const plain of [stringValue, boolValue, intValue, doubleValue])
    if (typeof plain === "string" || typeof plain === "number" || typeof plain === "boolean") return plain;
  if (typeof bytesValue === "string") return Buffer.from(bytesValue, "base64").toString();
  if (isObject(value.arrayValue)) return itemsOf(value.arrayValue).map((item) => plainOf(item, depth - 1));
  if (!isObject(value.kvlistValue)) return null;
  const fields: Record<string, unknown> = Object.create(null);
  for (const item of itemsOf(value.kvlistValue))
    if (isObject(item) && typeof item["key"] === "string")
      fields[item["key"]] = plainOf(item["value"], depth - 1);
  return fields;
}

const itemsOf = ({ values }: Readonly<Record<string, unknown>>): readonly unknown[] =>
  Array.isArray(values) ? values : [];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
