import type { Envelope } from "../log/envelope.ts";
import { readCompanion, readNamesake } from "./companion.ts";
import { isDovecotService, readDovecot } from "./dovecot.ts";
import type { Cause, Fields, Severity } from "./event.ts";
import type { EventName } from "./names.ts";
import { readDelivery } from "./postfix-delivery.ts";
import {
  readAnvil,
  readBounce,
  readCleanup,
  readDnsblog,
  readMaster,
  readPickup,
  readQmgr,
} from "./postfix-queue.ts";
import { readSmtpd, readTls } from "./postfix-smtpd.ts";
import { readPostscreen } from "./postscreen.ts";
import { queueIdLength, type Reading } from "./scan.ts";
import { readSeverity, readWarning } from "./warning.ts";

/** A message understood: what MailEvent holds beside the envelope and the template. */
export type ParsedMail = {
  readonly daemon: string;
  readonly severity: Severity;
  readonly event: EventName;
  readonly fields: Fields;
  readonly cause: Cause | undefined;
  readonly queueId: string | undefined;
  readonly session: string | undefined;
  /** The message with foreign text cut; the mask makes the template of it. */
  readonly shape: string;
  /** Whether another line of the same masked text may have another event, cause, severity, daemon or shape. */
  readonly uncached: boolean;
};

/** How a program's name is to be read. */
type Writing = {
  readonly family: "postfix" | "dovecot" | "other";
  readonly daemon: string;
  /** Last path part. */
  readonly name: string;
  /** Middle path part of a nested name: "submission". */
  readonly service: string | undefined;
};

/** Daemons of Postfix by which a site's own syslog name is recognised. */
const POSTFIX = new Set(
  "anvil bounce cleanup defer discard dnsblog error flush lmtp local master oqmgr pickup pipe postdrop postfix postfix-script postlog postlogd postmulti postqueue postscreen postsuper postalias postmap proxymap proxywrite qmgr qmqpd scache sendmail showq smtp smtpd spawn tlsmgr tlsproxy trace trivial-rewrite verify virtual".split(
    " ",
  ),
);

/** Program names remembered; a hostile log may hold any number. */
const MAX_PROGRAMS = 1000;
const writings = new Map<string, Writing>();

/** The parts of a tag: `postfix-out/submission/smtpd` is daemon postfix/smtpd of service submission. */
function writingOf(program: string): Writing {
  const known = writings.get(program);
  if (known !== undefined) return known;
  const parts = program.split("/");
  const name = parts.at(-1)!;
  let made: Writing;
  if (parts.length > 1 && parts[0] === "dovecot")
    made = { family: "dovecot", daemon: program, name, service: undefined };
  else if (parts.length > 1 && (POSTFIX.has(name) || parts[0]!.startsWith("postfix")))
    made = {
      family: "postfix",
      daemon: `postfix/${name}`,
      name,
      service: parts.length > 2 ? parts.slice(1, -1).join("/") : undefined,
    };
  else if (/^post(?:fix|super|queue|map|alias|drop|log|multi)(?!-policyd)/.test(program))
    made = {
      family: "postfix",
      daemon: program === "postfix" ? "postfix" : `postfix/${program}`,
      name,
      service: undefined,
    };
  else if (program === "dovecot" || isDovecotService(program))
    made = {
      family: "dovecot",
      daemon: program === "dovecot" ? program : `dovecot/${program}`,
      name,
      service: undefined,
    };
  else
    made = {
      family: "other",
      daemon: program === "" ? "unknown" : name === "" ? program : name,
      name,
      service: undefined,
    };
  if (writings.size < MAX_PROGRAMS) writings.set(program, made);
  return made;
}

/** Reads one message. Any text gives a result: "unknown" when no grammar knows it. */
export function parseMail(envelope: Envelope): ParsedMail {
  const writing = writingOf(envelope.program);
  if (writing.family === "postfix") return finish(writing, readPostfix(envelope, writing));
  if (writing.family === "dovecot") {
    const named = envelope.program === "dovecot" ? undefined : writing.name;
    const read = readDovecot(envelope.message, named);
    return finish(writing, read.event === "unknown" ? (readNamesake(envelope) ?? read) : read);
  }
  return finish(writing, readCompanion(envelope, writing.name));
}

function finish(writing: Writing, reading: Reading): ParsedMail {
  if (writing.service !== undefined) reading.fields["service"] ??= writing.service;
  return {
    daemon: reading.daemon ?? writing.daemon,
    severity: reading.severity ?? "info",
    event: reading.event,
    fields: reading.fields,
    cause: reading.cause,
    queueId: reading.queueId,
    session: reading.session,
    shape: reading.shape,
    uncached: reading.uncached === true,
  };
}

/** `[severity: ][ID: ]body`; the order of the two is free in practice. */
function readPostfix(envelope: Envelope, writing: Writing): Reading {
  const message = envelope.message.charCodeAt(0) === 32 ? envelope.message.trimStart() : envelope.message;
  const { severity, length } = readSeverity(message);
  const idLength = queueIdLength(message, length);
  const rest = idLength === 0 ? length : Math.min(message.length, length + idLength + 2);
  const id = idLength === 0 ? undefined : message.slice(length, length + idLength);
  const queueId = id === "NOQUEUE" ? undefined : id;
  const body = rest === 0 ? message : message.slice(rest);
  const session =
    writing.name === "smtpd" && envelope.pid !== undefined
      ? `${envelope.host}/${writing.daemon}[${envelope.pid}]`
      : undefined;
  if (severity !== "info") return { ...readWarning(severity, body, queueId), severity, session };
  const prefix = id === undefined ? "" : `${id}: `;
  const found = readDaemon(envelope, writing, prefix, body, queueId);
  if (found !== undefined) return found;
  const later = readSeverity(body);
  if (later.severity !== "info")
    return {
      ...readWarning(later.severity, body.slice(later.length), queueId),
      severity: later.severity,
      session,
    };
  return readAnyDaemon(prefix, body, queueId);
}

function readDaemon(
  envelope: Envelope,
  writing: Writing,
  prefix: string,
  body: string,
  queueId: string | undefined,
): Reading | undefined {
  switch (writing.name) {
    case "smtpd":
    case "qmqpd":
      return readSmtpd(
        { host: envelope.host, daemon: writing.daemon, pid: envelope.pid },
        prefix,
        body,
        queueId,
      );
    case "qmgr":
    case "oqmgr":
    case "nqmgr":
      return readQmgr(prefix, body, queueId);
    case "smtp":
    case "lmtp":
    case "local":
    case "virtual":
    case "pipe":
    case "error":
    case "discard":
    case "retry":
      return readDelivery(prefix, body, queueId);
    case "cleanup":
      return readCleanup(prefix, body, queueId);
    case "postscreen":
      return readPostscreen({ host: envelope.host, daemon: writing.daemon, pid: envelope.pid }, prefix, body);
    case "bounce":
    case "defer":
    case "trace":
      return readBounce(prefix, body, queueId);
    case "pickup":
      return readPickup(prefix, body, queueId);
    case "anvil":
      return readAnvil(body);
    case "scache":
      return body.startsWith("statistics: ")
        ? { event: "scache_statistics", fields: {}, shape: body }
        : undefined;
    case "dnsblog":
      return readDnsblog(body);
    case "tlsproxy":
      if (body.startsWith("CONNECT ") || body.startsWith("DISCONNECT "))
        return { event: body[0] === "C" ? "connect" : "disconnect", fields: {}, shape: body };
      return readTls(prefix, body);
    default:
      return undefined;
  }
}

/** What any daemon may say, and commands. */
function readAnyDaemon(prefix: string, body: string, queueId: string | undefined): Reading {
  const found =
    readMaster(prefix, body, queueId) ?? readTls(prefix, body) ?? readDelivery(prefix, body, queueId);
  if (found !== undefined) return found;
  if (body.includes(" cleanup: retained=") || body.includes("statistics:"))
    return { event: "cache_cleanup", fields: {}, shape: prefix + body };
  if (body.includes("table ") && body.includes("has changed"))
    return { event: "reload", fields: {}, shape: prefix + body };
  return { event: "unknown", fields: {}, queueId, shape: prefix + body };
}
