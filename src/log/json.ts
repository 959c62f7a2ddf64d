import { readDate } from "./date.ts";
import { copyStamp, type Head, type Inner, readTag, tag, takeSource } from "./head.ts";
import { stampOf } from "./instant.ts";
import { scanCutObject } from "./json-cut.ts";
import { severityOf } from "./levels.ts";
import { readStamp } from "./stamp.ts";

/** Names that writers give to a field, the first one found counts. journald.fields(7), docker's json-file, rsyslog, syslog-ng, logstash, fluentd, ECS, GELF. */
const TIMES = [
  "__REALTIME_TIMESTAMP",
  "_SOURCE_REALTIME_TIMESTAMP",
  "@timestamp",
  "timestamp",
  "time",
  "ts",
  "timereported",
  "timegenerated",
  "datetime",
  "date",
  "asctime",
  "ISODATE",
  "DATE",
  "t",
];
const HOSTS = [
  "_HOSTNAME",
  "hostname",
  "host",
  "HOST",
  "syslog_host",
  "logsource",
  "fromhost",
  "source_host",
];
const PROGRAMS = [
  "SYSLOG_IDENTIFIER",
  "syslogtag",
  "programname",
  "program",
  "PROGRAM",
  "app-name",
  "app_name",
  "appname",
  "application",
  "app",
  "ident",
  "tag",
  "process",
  "service",
  "daemon",
  "_COMM",
];
const PIDS = ["SYSLOG_PID", "_PID", "pid", "PID", "procid", "proc_id", "process_id", "syslog_pid"];
const MESSAGES = ["MESSAGE", "message", "msg", "MSG", "log", "short_message", "text"];
const LEVELS = [
  "PRIORITY",
  "severity",
  "level",
  "priority",
  "syslog_severity",
  "levelname",
  "syslogseverity",
];

/** Names inside a field that is an object: a name in ECS's host and process, MongoDB's $date. */
const INSIDE = ["name", "hostname", "$date"];

type Fields = Readonly<Record<string, unknown>>;

/**
 * A JSON object as a line: journald's (journalctl -o json), docker's json-file, or what collectors write. A line cut in the middle
 * gives what is whole in it. False when it is no object or has no time. When no field names the program, the message may
 * be a whole line of another format.
 */
export function readJson(text: string, out: Head, inner: Inner): boolean {
  const fields = parse(text);
  if (fields === undefined) return false;
  const message = messageOf(fields);
  const program = textOf(fields, PROGRAMS);
  const wrapped = program === "" || typeof own(fields, "log") === "string" || "CONTAINER_NAME" in fields;
  const found = wrapped && message !== "" ? inner(message) : undefined;
  if (!readTime(fields, out)) {
    if (found === undefined) return false;
    copyStamp(out.stamp, found.stamp);
  }
  out.timed = true;
  out.host = textOf(fields, HOSTS);
  out.program = program === "" && "worker_type" in fields ? "rspamd" : program; // rspamd's log_json
  out.pid = pidOf(fields);
  out.message = message;
  out.severity = levelOf(fields);
  if (found !== undefined) takeSource(out, found);
  else if (program === "") bareTag(message, out);
  else splitTag(program, out);
  return true;
}

/** The object's own fields, or undefined when the text holds none. */
function parse(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined;
  } catch {
    return scanCutObject(text, MESSAGES);
  }
}

/** A field of the object itself, not of its prototype. */
const own = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

function textOf(fields: Fields, names: readonly string[]): string {
  for (const name of names) {
    let value = own(fields, name);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const nested = value as Fields;
      value = INSIDE.map((key) => own(nested, key)).find((v) => typeof v === "string");
    }
    if (Array.isArray(value)) value = value[0];
    if (typeof value === "string" && value !== "") return oneLine(value);
  }
  return "";
}

/** An event's text holds no LF: what a writer put into one record stays one line. */
const oneLine = (text: string): string =>
  text.includes("\n") ? text.replace(/[\r\n]+$/, "").replaceAll("\n", " ") : text;

/** MESSAGE may be a string, an array of bytes (not UTF-8), an array of those (given twice) or null (too long for the export). */
function messageOf(fields: Fields): string {
  for (const name of MESSAGES) {
    const value = own(fields, name);
    const text = Array.isArray(value) ? textOfArray(value) : value;
    if (typeof text === "string") return oneLine(text);
  }
  const event = own(fields, "event"); // ECS: event.original
  const original = typeof event === "object" && event !== null ? own(event as Fields, "original") : undefined;
  return typeof original === "string" ? oneLine(original) : "";
}

function textOfArray(values: readonly unknown[]): string {
  if (values.every((v) => typeof v === "number")) return new TextDecoder().decode(Uint8Array.from(values));
  return values
    .map((v) => (Array.isArray(v) && v.every((b) => typeof b === "number") ? textOfArray(v) : v))
    .filter((v) => typeof v === "string")
    .join(" ");
}

function readTime(fields: Fields, out: Head): boolean {
  for (const name of TIMES) {
    let value = own(fields, name);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      value = own(value as Fields, "$date");
    if (typeof value === "number" && stampOf(inMilliseconds(value), 0, out.stamp)) return true;
    if (typeof value !== "string" || value === "" || value.length > 64) continue;
    if (/^\d{9,19}(?:\.\d{1,9})?$/.test(value)) {
      if (stampOf(inMilliseconds(Number(value)), 0, out.stamp)) return true;
    } else if (readStamp(value, 0, out.stamp) || readDate(value, 0, out.stamp)) return true;
  }
  return false;
}

/** Seconds, milli-, micro- or nanoseconds by magnitude: the bounds lie in the years 5138 and 1973. */
function inMilliseconds(value: number): number {
  if (value < 1e8) return Number.NaN;
  if (value < 1e11) return value * 1000;
  if (value < 1e14) return value;
  return value < 1e17 ? value / 1e3 : value / 1e6;
}

function pidOf(fields: Fields): number | undefined {
  for (const name of PIDS) {
    const value = own(fields, name);
    if (typeof value !== "string" && typeof value !== "number") continue;
    if (value === "") continue;
    const pid = Number(value);
    if (Number.isSafeInteger(pid) && pid >= 0) return pid;
  }
  const process = own(fields, "process");
  const nested = typeof process === "object" && process !== null ? own(process as Fields, "pid") : undefined;
  return typeof nested === "number" && Number.isSafeInteger(nested) && nested >= 0 ? nested : undefined;
}

function levelOf(fields: Fields): number | undefined {
  for (const name of LEVELS) {
    const value = own(fields, name);
    const level = typeof value === "string" && !/^[0-7]$/.test(value) ? severityOf(value) : Number(value);
    if (level !== undefined && value !== undefined && Number.isInteger(level) && level >= 0 && level <= 7)
      return level;
  }
  return undefined;
}

/** `postfix/smtpd[77]:`, as rsyslog's syslogtag has it, into program and pid. */
function splitTag(program: string, out: Head): void {
  if (!program.endsWith("]") && !program.endsWith(":")) return;
  if (!readTag(program, 0)) return;
  out.program = tag.program;
  out.pid ??= tag.pid;
}

/** The tag at a message's head, of writers that name no program apart. */
function bareTag(message: string, out: Head): void {
  if (out.program !== "" || !readTag(message, 0) || severityOf(tag.program) !== undefined) return;
  out.program = tag.program;
  out.pid ??= tag.pid;
  out.message = message.slice(tag.end);
}
