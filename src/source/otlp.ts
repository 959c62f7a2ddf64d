import { type Envelope, parseEnvelope } from "../log/envelope.ts";
import { severityOf } from "../log/levels.ts";
import { LINE_CAP } from "../log/lines.ts";
import { LogClock } from "../log/year.ts";
import { Zone } from "../log/zone.ts";
import { type AnyValue, plainOf, textOf } from "./otlp-value.ts";
import { lineOf } from "./syslog-line.ts";

/** What attributes call a line's host, program and pid: rsyslog's omotlp (after ECS), the collector's syslog parser, semantic conventions. */
const LINE_HOSTS = ["log.syslog.hostname", "hostname"];
const HOSTS = [...LINE_HOSTS, "host.name"];
const PROGRAMS = ["log.syslog.appname", "appname", "app_name"];
const PIDS = ["log.syslog.procid", "proc_id", "procid", "process.pid"];
const FACILITIES = ["log.syslog.facility", "facility"];
const SERVICE = "service.name";
const KNOWN = new Set([...HOSTS, ...PROGRAMS, ...PIDS, ...FACILITIES, SERVICE]);
/** What an SDK writes that was given no name. */
const NO_SERVICE = "unknown_service";
/** Facility of a line that names none: user (RFC 5424 table 1). */
const USER = 1;
const MAX_HOST = 255;
/** As the readers of heads expect at most. */
const MAX_TAG = 100;

/** Any year will do to find out whether a text is a whole line. */
const clock = new LogClock(new Zone("UTC"), 2000);

/** A request that is not shaped as OTLP says. The message tells the sender where. */
export class NotOtlp extends Error {}

type Fields = Readonly<Record<string, unknown>>;
type Attributes = ReadonlyMap<string, string>;

/** A record, and what its resource says of it. */
export type OtlpRecord = { readonly record: Fields; readonly resource: Attributes };

/** The records of a request to /v1/logs (opentelemetry-proto, logs/v1, as JSON). What is unknown is passed over. Throws NotOtlp. */
export function* recordsOf(request: unknown): Generator<OtlpRecord> {
  if (!isObject(request)) throw new NotOtlp("the request is no JSON object");
  for (const ofResource of objectsIn(request, "resourceLogs")) {
    const resource = isObject(ofResource["resource"]) ? attributesOf(ofResource["resource"]) : new Map();
    for (const ofScope of objectsIn(ofResource, "scopeLogs"))
      for (const record of objectsIn(ofScope, "logRecords")) yield { record, resource };
  }
}

/**
 * A record as a line of a log, LF included; undefined when it has no text. A body that is a whole line stays as it is, unless
 * attributes say that it is of another program or host: then it is what that program said. Everything else gets a head in the form of RFC 3339.
 * sender: its address. now: milliseconds since the Unix epoch.
 */
export function recordLine(
  { record, resource }: OtlpRecord,
  sender: string,
  now: number,
): Buffer | undefined {
  const body = isObject(record["body"]) ? (record["body"] as AnyValue) : {};
  const own = attributesOf(record);
  const time = timeOf(record["timeUnixNano"]);
  const at = time ?? timeOf(record["observedTimeUnixNano"]) ?? now;
  const read = isObject(body.kvlistValue) ? mapEnvelope(body, at) : undefined;
  const text = oneLine(read?.message ?? textOf(body));
  if (text === "") return undefined;
  if (read === undefined && isWhole(text, own, time !== undefined))
    return lineOf(Buffer.from(text), sender, now);
  const severity = severityOfRecord(record) ?? read?.severity;
  return compose({
    at,
    host: plainHost(read?.host || first(own, HOSTS) || first(resource, HOSTS)) || sender,
    program: plainTag(
      read?.program || first(own, PROGRAMS) || first(resource, PROGRAMS) || serviceOf(resource),
    ),
    pid: pidOf(read?.pid?.toString() ?? (first(own, PIDS) || first(resource, PIDS))),
    priority: severity === undefined ? "" : `<${8 * facilityOf(own) + severity}>`,
    text,
  });
}

type Parts = {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly host: string;
  readonly program: string;
  readonly pid: string;
  readonly priority: string;
  readonly text: string;
};

/** `TIME HOST PROGRAM[PID]: TEXT`; by RFC 5424 where that would be read as something else. */
function compose({ at, host, program, pid, priority, text }: Parts): Buffer {
  const time = new Date(at).toISOString().replace("Z", "+00:00");
  const tag = program === "" ? "" : `${program}${pid === "" ? "" : `[${pid}]`}: `;
  const line = cutLine(`${priority}${time} ${host} ${tag}${text}`);
  if (program === "") return line; // the text may have a tag of its own
  const read = parseEnvelope(line.toString("utf8", 0, line.length - 1), clock);
  if (read.host === host && read.program === program && text.startsWith(read.message.slice(0, 200)))
    return line;
  return cutLine(`${priority || `<${8 * USER + 6}>`}1 ${time} ${host} ${program} ${pid || "-"} - - ${text}`);
}

/** Line ends and NULs inside become blanks. */
const oneLine = (text: string): string =>
  text
    .slice(0, LINE_CAP)
    .trimEnd()
    .replace(/[\n\0]/g, " ");

const cutLine = (text: string): Buffer =>
  Buffer.concat([Buffer.from(text).subarray(0, LINE_CAP), Buffer.from("\n")]);

/** Whether a body is a line with its own head. timed: whether the record has a time: then a time alone makes no head. */
function isWhole(text: string, own: Attributes, timed: boolean): boolean {
  const { time, host, program } = parseEnvelope(text, clock);
  if (time === null || (timed && program === "")) return false;
  const of = first(own, PROGRAMS);
  const from = first(own, LINE_HOSTS);
  // rsyslog calls postfix/smtpd by its first part
  return (of === "" || program === of || program.startsWith(`${of}/`)) && (from === "" || host === from);
}

/** The head and message that a map holds: a journal's entry, a collector's fields. */
function mapEnvelope(body: AnyValue, at: number): Envelope {
  const fields = plainOf(body) as Record<string, unknown>;
  const read = parseEnvelope(JSON.stringify({ "@timestamp": new Date(at).toISOString(), ...fields }), clock);
  return read.time !== null && read.message !== "" ? read : { ...read, message: JSON.stringify(fields) };
}

function attributesOf(holder: Fields): Attributes {
  const out = new Map<string, string>();
  for (const { key, value } of objectsIn(holder, "attributes"))
    if (typeof key === "string" && KNOWN.has(key) && isObject(value)) out.set(key, textOf(value as AnyValue));
  return out;
}

function first(attributes: Attributes, names: readonly string[]): string {
  for (const name of names) {
    const value = attributes.get(name) ?? "";
    if (value !== "" && value !== "-") return value;
  }
  return "";
}

function serviceOf(resource: Attributes): string {
  const name = resource.get(SERVICE) ?? "";
  return name.startsWith(NO_SERVICE) ? "" : name;
}

/** What a head can hold: all else becomes `_`, so that no name can forge what follows it. */
const plainHost = (host: string): string => host.slice(0, MAX_HOST).replace(/[^\w.:-]/g, "_");
const plainTag = (program: string): string => program.slice(0, MAX_TAG).replace(/[^\w./@+-]/g, "_");
const pidOf = (text: string): string => (/^\d{1,10}$/.test(text) ? text : "");

/** Nanoseconds since the Unix epoch, as digits or a number, in milliseconds; undefined when there are none. */
function timeOf(value: unknown): number | undefined {
  if (typeof value === "number" && value >= 1e6 && value < 2 ** 64) return Math.floor(value / 1e6);
  if (typeof value !== "string" || !/^\d{7,20}$/.test(value)) return undefined;
  const ms = Number(value.slice(0, -6));
  return ms > 0 ? ms : undefined;
}

/** SeverityNumber of the data model as one of syslog, by its own table ("Example Mappings"); else by the word. */
function severityOfRecord(record: Fields): number | undefined {
  const number = record["severityNumber"];
  if (typeof number !== "number" || !(number >= 1 && number <= 24)) {
    const word = record["severityText"];
    return typeof word === "string" ? severityOf(word) : undefined;
  }
  if (number <= 8) return 7;
  if (number <= 12) return number === 9 ? 6 : 5;
  if (number <= 16) return 4;
  if (number >= 21) return 0;
  return number <= 18 ? 20 - number : 1;
}

function facilityOf(own: Attributes): number {
  const text = first(own, FACILITIES);
  return /^\d{1,2}$/.test(text) && Number(text) <= 23 ? Number(text) : USER;
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The objects of a list that may be missing. */
function objectsIn(holder: Fields, name: string): readonly Fields[] {
  const list = Object.hasOwn(holder, name) ? holder[name] : undefined;
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new NotOtlp(`${name} is no list`);
  const wrong = list.findIndex((entry) => !isObject(entry));
  if (wrong >= 0) throw new NotOtlp(`${name}[${wrong}] is no object`);
  return list as readonly Fields[];
}
