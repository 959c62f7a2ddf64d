/** A value of OTLP: texts, whole numbers, lists and maps. */
export function anyValue(value: unknown): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "number") return { intValue: String(value) };
  if (typeof value === "boolean") return { boolValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: attributes(value as Record<string, unknown>) } };
}

export const attributes = (values: Readonly<Record<string, unknown>>): object[] =>
  Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));

export type Sent = {
  readonly body: unknown;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
};

/** 2026-11-29T10:00:00.123Z in nanoseconds. */
export const NANOS = "1795946400123456789";

/** A request to /v1/logs. more: other fields of a record. */
export const requestOf = (
  records: readonly Sent[],
  resource: Readonly<Record<string, unknown>> = {},
): object => ({
  resourceLogs: [
    {
      resource: { attributes: attributes(resource), droppedAttributesCount: 0 },
      scopeLogs: [
        {
          scope: { name: "otelcol/filelogreceiver" },
          logRecords: records.map(({ body, attributes: own = {}, more = {} }) => ({
            timeUnixNano: NANOS,
            body: anyValue(body),
            attributes: attributes(own),
            traceId: "",
            spanId: "",
            ...more,
          })),
        },
      ],
    },
  ],
});
