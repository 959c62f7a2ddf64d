import type { Envelope } from "../log/envelope.ts";
import { readCompanion, readNamesake } from "./companion.ts";
import { readDovecot } from "./dovecot.ts";
import type { Cause, Fields, Severity } from "./event.ts";
import type { EventName } from "./names.ts";
import { readCleanup } from "./postfix-cleanup.ts";
import { readDelivery } from "./postfix-delivery.ts";
import { readMaster } from "./postfix-master.ts";
import { readNote } from "./postfix-notes.ts";
import { readBounce, readPickup, readPostsuper, readQmgr } from "./postfix-queue.ts";
import { localWords } from "./postfix-reply.ts";
import { readSmtpd } from "./postfix-smtpd.ts";
import { readAnvil, readCleanupRun, readDnsblog, readScache, readTlsproxy } from "./postfix-support.ts";
import { readTls } from "./postfix-tls.ts";
import { readPostscreen } from "./postscreen.ts";
import { type Writing, writingOf } from "./program.ts";
import { queueIdLength, type Reading, reading } from "./scan.ts";
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

function finish(writing: Writing, read: Reading): ParsedMail {
  if (writing.service !== undefined) read.fields["service"] ??= writing.service;
  return {
    daemon: read.daemon ?? writing.daemon,
    severity: read.severity ?? "info",
    event: read.event,
    fields: read.fields,
    cause: read.cause,
    queueId: read.queueId || undefined, // an empty one would join what is apart
    session: read.session || undefined,
    shape: read.shape,
    uncached: read.uncached === true,
  };
}

/** `[severity: ][ID: ]body`; the order of the two is free in practice. */
function readPostfix(envelope: Envelope, writing: Writing): Reading {
  const message = envelope.message.charCodeAt(0) === 32 ? envelope.message.trimStart() : envelope.message;
  const { severity, length } = readSeverity(message);
  const idLength = queueIdLength(message, length);
  const rest = idLength === 0 ? length : Math.min(message.length, length + idLength + 2);
  const nowhere = idLength === 7 && message.startsWith("NOQUEUE", length);
  const queueId = idLength === 0 || nowhere ? undefined : message.slice(length, length + idLength);
  const body = rest === 0 ? message : message.slice(rest);
  const session =
    writing.name === "smtpd" && envelope.pid !== undefined
      ? `${envelope.host}/${writing.daemon}[${envelope.pid}]`
      : undefined;
  if (severity !== "info") return { ...readWarning(severity, body, queueId), severity, session };
  // the id itself varies, so the shape has a parameter in its place
  const prefix = idLength === 0 ? "" : nowhere ? "NOQUEUE: " : "<>: ";
  const found = readDaemon(envelope, writing, prefix, body, queueId, session);
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
  session: string | undefined,
): Reading | undefined {
  switch (writing.name) {
    case "smtpd":
    case "qmqpd":
      return readSmtpd(prefix, body, queueId, session);
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
      return readPostscreen(envelope.host, prefix, body, queueId);
    case "bounce":
    case "defer":
    case "trace":
      return readBounce(prefix, body, queueId);
    case "pickup":
      return readPickup(prefix, body, queueId);
    case "anvil":
      return readAnvil(body);
    case "scache":
      return readScache(body);
    case "dnsblog":
      return readDnsblog(body);
    case "tlsproxy":
      return readTlsproxy(body);
    case "postsuper":
      return readPostsuper(prefix, body, queueId);
    default:
      return undefined;
  }
}

/**
 * What any daemon may say, and commands. A service may be named for what it does ("postfix/10025"), or a collector may have cut the daemon off, so a
 * line whose words tell is read by them.
 */
function readAnyDaemon(prefix: string, body: string, queueId: string | undefined): Reading {
  return (
    readMaster(prefix, body, queueId) ??
    readTls(prefix, body, queueId) ??
    readCleanupRun(prefix, body) ??
    readNote(prefix, body, queueId) ??
    readQmgr(prefix, body, queueId) ??
    readSmtpd(prefix, body, queueId, undefined) ??
    readCleanup(prefix, body, queueId) ??
    readPickup(prefix, body, queueId) ??
    readPostsuper(prefix, body, queueId) ??
    reading("unknown", {}, prefix + localWords(body), undefined, queueId)
  );
}
