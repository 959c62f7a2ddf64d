import type { MailEvent } from "./event.ts";
import { PlanMemo } from "./plan-memo.ts";
import { sessionOf as postscreenSession } from "./postscreen.ts";
import { queueIdLength } from "./scan.ts";
import { readSeverity } from "./warning.ts";

/** How a line's queue id or session is found without reading its fields. */
type Way = "none" | "head" | "process" | "client" | "brackets" | "argument" | "tail" | "grammar";
type Ways = { readonly queueId: Way; readonly session: Way };

/** Longest value that the grammar keeps; beyond, it is asked. */
const LONGEST = 512;

/**
 * The queue id and the session of each line, equal to what the grammar reads, at a fraction of its cost. Which of a few
 * simple readers fits is found out once for each plan, by comparison with the grammar; where none does, the grammar is asked.
 */
export class LineIds {
  readonly #ways = new PlanMemo(waysOf);

  queueId(event: MailEvent): string | undefined {
    const way = this.#ways.of(event).queueId;
    if (way === "none") return undefined;
    return way === "head" ? headId(event.message) : event.queueId;
  }

  session(event: MailEvent): string | undefined {
    const way = this.#ways.of(event).session;
    if (way === "none") return undefined;
    return way === "grammar" ? event.session : (sessionBy(way, event) ?? event.session);
  }
}

function waysOf(event: MailEvent): Ways {
  const { queueId, daemon } = event;
  const dovecot = daemon.startsWith("dovecot/") && event.event !== "unknown";
  const milter = daemon === "opendkim" || daemon === "opendmarc";
  if (!dovecot && !milter && !daemon.startsWith("postfix")) return { queueId: "grammar", session: "grammar" };
  const way = dovecot ? "none" : headId(event.message) === queueId ? "head" : "grammar";
  return { queueId: way, session: sessionWay(event) };
}

function sessionWay(event: MailEvent): Way {
  const { session } = event;
  if (session === undefined) return "none";
  if (event.daemon === "postfix/postscreen")
    return sessionBy("client", event) === session ? "client" : "grammar";
  for (const way of ["process", "brackets", "argument", "tail"] as const)
    if (sessionBy(way, event) === session) return way;
  return "grammar";
}

function sessionBy(way: Way, event: MailEvent): string | undefined {
  if (way === "process") return `${event.host}/${event.daemon}[${event.pid}]`;
  // what may stand before postscreen's words holds no bracket
  if (way === "client") return postscreenSession(event.host, event.message, event.message.indexOf("["));
  if (way === "argument") return argumentSession(event.message);
  return way === "brackets" ? bracketSession(event.message) : tailSession(event.message);
}

/** `[severity: ]ID: `, as Postfix and its milters begin a line about a message; undefined for NOQUEUE. */
function headId(message: string): string | undefined {
  const text = message.charCodeAt(0) === 32 ? message.trimStart() : message;
  const { length } = readSeverity(text);
  const idLength = queueIdLength(text, length);
  if (idLength === 0 || (idLength === 7 && text.startsWith("NOQUEUE", length))) return undefined;
  return text.slice(length, length + idLength);
}

/** `imap(ann@our.example)<447><SESSION>: ` of Dovecot; undefined unless it is exactly that. */
function bracketSession(message: string): string | undefined {
  const pid = message.indexOf(")<");
  // a user's name may hold a bracket, which only the grammar can tell
  if (pid < 0 || message.indexOf(")") !== pid) return undefined;
  const next = message.indexOf(">", pid);
  if (next < pid + 3 || message.charCodeAt(next + 1) !== 60) return undefined;
  for (let i = pid + 2; i < next; i++) if (!isDigit(message.charCodeAt(i))) return undefined;
  const end = message.indexOf(">", next + 1);
  if (end < 0 || end - next > 80 || next - pid > 20 || !message.startsWith(": ", end + 1)) return undefined;
  return message.slice(next + 2, end);
}

/** `lmtp(505): ` of Dovecot, whose process is the session; undefined unless it is exactly that. */
function argumentSession(message: string): string | undefined {
  let at = 0;
  while (at < 20 && isLower(message.charCodeAt(at))) at++;
  if (at === 0 || message.charCodeAt(at++) !== 40) return undefined;
  const digits = at;
  while (at - digits < 10 && isDigit(message.charCodeAt(at))) at++;
  if (at === digits || !message.startsWith("): ", at)) return undefined;
  return message.slice(0, at + 1);
}

/** `..., session=<SESSION>` at the end of a log-in's line; undefined where anything else might be meant. */
function tailSession(message: string): string | undefined {
  const at = message.lastIndexOf(", session=<");
  const end = message.length - 1;
  if (at < 0 || end - at > LONGEST || message.indexOf(">", at) !== end) return undefined;
  return message.slice(at + 11, end);
}

const isLower = (c: number): boolean => c >= 97 && c <= 122;
const isDigit = (c: number): boolean => c >= 48 && c <= 57;
