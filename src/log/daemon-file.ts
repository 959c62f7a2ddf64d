import { type Head, skipSpaces } from "./head.ts";

/** Longest `service(user,ip,...)<pid><session>` before Dovecot's level: users and sessions have at most some hundred characters. */
const MAX_PREFIX = 512;
/** Where words of Exim are looked for. */
const EXIM_WINDOW = 200;

const SPACE = 32;
const HASH = 35;
const PARENTHESIS = 40;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const LESS = 60;
const OPEN = 91;
const CLOSE = 93;

/** How lines begin that Exim writes outside of a message (log.c, daemon.c, smtp_in.c, exim.c of Exim 4.98). */
const EXIM_BEGINNINGS: readonly string[] = [
  "Start queue run: ",
  "End queue run: ",
  "SMTP connection from ",
  "SMTP call from ",
  "SMTP protocol ",
  "SMTP command timeout on ",
  "SMTP data timeout ",
  "SMTP syntax error in ",
  "no MAIL in SMTP connection from ",
  "no host name found for IP address ",
  "no IP address found for host ",
  "unexpected disconnection while reading SMTP command from ",
  "unqualified sender rejected",
  "unqualified recipient rejected",
  "refused connection from ",
  "refused relay ",
  "rejected EHLO ",
  "rejected HELO ",
  "rejected MAIL ",
  "rejected RCPT ",
  "rejected from <",
  "rejected VRFY ",
  "rejected ETRN ",
  "TLS error on connection ",
  "TLS client disconnected ",
  "TLS recv error on connection ",
  "TLS send error on connection ",
  "listening for SMTP",
  "Exim configuration error",
  "Exim version ",
  "H=",
  "cwd=",
  "U=",
  "Failed writing transport ",
  "ACL for ",
  "too many connections from ",
];
/** And what stands inside them. */
const EXIM_WORDS: readonly string[] = [
  " authenticator failed ",
  " daemon started: pid=",
  " SIGHUP received: re-exec daemon",
  " refused: too many connections",
  " temporarily rejected RCPT ",
  " rejected RCPT ",
  " sender verify fail for ",
];

/** `1abcDE-000123-45` or, from 4.97 on, `1abcDE-00000000123-4567`, at `at`: its length, or 0. Exim manual, "Message identification". */
function eximId(text: string, at: number): number {
  if (text.charCodeAt(at + 6) !== MINUS) return 0;
  const length = text.charCodeAt(at + 13) === MINUS ? 16 : text.charCodeAt(at + 18) === MINUS ? 23 : 0;
  if (length === 0) return 0;
  const next = text.charCodeAt(at + length);
  if (next !== SPACE && at + length !== text.length && next !== COLON) return 0;
  for (let i = at; i < at + length; i++) {
    const c = text.charCodeAt(i);
    const letter = (c | 32) >= 97 && (c | 32) <= 122;
    const dash = i === at + 6 || i === at + length - (length === 16 ? 3 : 5);
    if (dash ? c !== MINUS : !letter && !(c >= ZERO && c <= NINE)) return 0;
  }
  return length;
}

/** After `[1234] `, with the pid in out.pid; `at` when there is none. */
export function skipEximPid(text: string, at: number, out: Head): number {
  if (text.charCodeAt(at) !== OPEN) return at;
  let pid = 0;
  for (let i = at + 1; i < at + 12; i++) {
    const c = text.charCodeAt(i);
    if (c === CLOSE && i > at + 1 && text.charCodeAt(i + 1) === SPACE) {
      out.pid = pid;
      return i + 2;
    }
    if (!(c >= ZERO && c <= NINE)) return at;
    pid = pid * 10 + c - ZERO;
  }
  return at;
}

/**
 * A line of Exim's main, reject or panic log after its time: `[pid] 1abcDE-000123-45 <= ...`, or one of the sentences that
 * Exim writes without a message. Other lines that begin with such a time are not taken.
 */
export function readEximFile(text: string, at: number, out: Head): boolean {
  const start = skipEximPid(text, at, out);
  if (eximId(text, start) > 0 || EXIM_BEGINNINGS.some((words) => text.startsWith(words, start)))
    return isExim(text, start, out);
  out.pid = undefined;
  return false;
}

/** The same for a sentence that begins with a name, to be asked when no host and tag stand there. */
export function readEximSentence(text: string, at: number, out: Head): boolean {
  const start = skipEximPid(text, at, out);
  const window = text.slice(start, start + EXIM_WINDOW);
  if (EXIM_WORDS.some((words) => window.includes(words))) return isExim(text, start, out);
  out.pid = undefined;
  return false;
}

function isExim(text: string, start: number, out: Head): true {
  out.program = "exim";
  out.message = text.slice(start);
  return true;
}

/** rspamd's own file after its time: `#29623(normal) <tag>; module; function: text`. The message begins after the worker's name. */
export function readRspamdFile(text: string, at: number, out: Head): boolean {
  if (text.charCodeAt(at) !== HASH) return false;
  let i = at + 1;
  let pid = 0;
  for (; i < at + 12; i++) {
    const c = text.charCodeAt(i);
    if (!(c >= ZERO && c <= NINE)) break;
    pid = pid * 10 + c - ZERO;
  }
  if (i === at + 1 || text.charCodeAt(i) !== PARENTHESIS) return false;
  const close = text.indexOf(")", i);
  if (close < 0 || close > i + 40) return false;
  const after = text.charCodeAt(close + 1) === COLON ? close + 2 : close + 1;
  if (text.charCodeAt(after) !== SPACE) return false;
  out.program = "rspamd";
  out.pid = pid;
  out.message = text.slice(skipSpaces(text, after));
  return true;
}

const LEVELS: readonly string[] = [
  "Info: ",
  "Warning: ",
  "Error: ",
  "Fatal: ",
  "Panic: ",
  "Debug: ",
  "Warn: ",
];
/** Services that Dovecot 1 named after the level. */
const SERVICE =
  /^(?:dovecot|auth|auth-worker|imap|pop3|managesieve|lmtp|lda|deliver|master|config|ssl-params|anvil|log|dict|imap-login|pop3-login|managesieve-login)(?:\([^)]{0,200}\))?: /i;

const levelAt = (text: string, at: number): string | undefined =>
  LEVELS.find((level) => text.startsWith(level, at));

/**
 * A line of Dovecot's own log file after its time, in the two forms that are no plain tag: `service(user)<pid><session>: Info: text`
 * and Dovecot 1's `Info: service: text`. The program is "dovecot" and the message begins with the service or the level, as it
 * does when Dovecot writes to syslog. (`imap-login: Info: text` is a plain tag.)
 */
export function readDovecotFile(text: string, at: number, out: Head): boolean {
  const level = levelAt(text, at);
  if (
    level === undefined
      ? !hasDovecotPrefix(text, at)
      : !SERVICE.test(text.slice(at + level.length, at + level.length + 240))
  )
    return false;
  out.program = "dovecot";
  out.message = text.slice(at);
  return true;
}

/** `name(...)` or `name<...>`, then `<...>` any number of times, then a colon and a level. */
function hasDovecotPrefix(text: string, at: number): boolean {
  const stop = Math.min(text.length, at + MAX_PREFIX);
  let i = at;
  while (i < stop && isServiceCharacter(text.charCodeAt(i))) i++;
  const mark = text.charCodeAt(i);
  if (i === at || (mark !== PARENTHESIS && mark !== LESS)) return false;
  for (; i < stop; i++)
    if (
      text.charCodeAt(i) === COLON &&
      text.charCodeAt(i + 1) === SPACE &&
      levelAt(text, i + 2) !== undefined
    )
      return text.charCodeAt(i - 1) === 41 || text.charCodeAt(i - 1) === 62; // ) or >
  return false;
}

const isServiceCharacter = (c: number): boolean =>
  ((c | 32) >= 97 && (c | 32) <= 122) || c === MINUS || c === 95 || (c >= ZERO && c <= NINE);
