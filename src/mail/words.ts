import type { Cause, Severity } from "./event.ts";
import type { EventName } from "./names.ts";
import { type Bag, cap, type Reading, type Sample } from "./scan.ts";

/** A sample line of a program beside Postfix and Dovecot. */
export type CompanionSample = Sample & { readonly daemon: string };

/** Only so much of the plain words is searched: programs name what happened early. */
const SEARCHED = 500;
/** Longer texts are not masked to their end. */
const MASKED = 4000;

/**
 * The words of a text that may decide what it is: what stands in `<>` and every word that the mask of templates hides
 * (it holds a digit, an @ or an inner dot, or begins with a slash) becomes `0`, but for enhanced codes (RFC 3463) and reply
 * codes where replies stand. So an address or a name can't decide, and lines of one masked shape are read alike. The
 * result is cut after the masking, or the length of a name would decide. At most SEARCHED characters.
 */
export function plainWords(text: string): string {
  const early = text.length > MASKED ? text.slice(0, MASKED) : text;
  return early
    .replace(/<[^<>]*>/g, "<>")
    .replace(/[^\s,;:()"'`[\]{}=<>|]+/g, (word, at: number, all: string) =>
      isMasked(word) && !isCode(word, at, all) ? "0" : word,
    )
    .slice(0, SEARCHED);
}

/** True for a word that the mask of templates hides. */
export function isMasked(word: string): boolean {
  if (/^\/.|[\d@]|[^.]\.[^.]/.test(word)) return true;
  return /^[b-df-hj-np-tv-z]{9,}$|^[a-f]{8,}$/i.test(word);
}

/** An enhanced code, or a reply code at the text's start, after `: ` or `(`: those belong to a shape. */
function isCode(word: string, at: number, text: string): boolean {
  if (/^[245]\.\d{1,3}\.\d{1,3}$/.test(word)) return true;
  if (!/^[245]\d\d$/.test(word)) return false;
  return at === 0 || text[at - 1] === "(" || (text[at - 1] === " " && text[at - 2] === ":");
}

/** Pattern over the plain words, what it means, and why. The first that matches wins. */
export type Rule = readonly [RegExp, EventName, (Cause | undefined)?];

/** The first rule that the words of a text meet. The reason and the shape are the text. */
export function readByRules(
  rules: readonly Rule[],
  text: string,
  queueId?: string,
  prefix = "",
): Reading | undefined {
  const words = plainWords(text);
  for (const [pattern, event, cause] of rules)
    if (pattern.test(words)) return reading(event, { reason: cap(text) }, prefix + text, cause, queueId);
  return undefined;
}

/** A reading with its parts in a row; the severity follows from the cause. */
export function reading(
  event: EventName,
  fields: Bag,
  shape: string,
  cause?: Cause,
  queueId?: string,
): Reading {
  return { event, fields, shape, cause, queueId, severity: severityOf(event, cause) };
}

/** What a client did wrong is no fault of ours: it stays info, as Postfix logs it. */
const QUIET: ReadonlySet<EventName> = new Set([
  "delivery",
  "reject",
  "reject_warning",
  "auth_failure",
  "greylist",
  "dkim_result",
  "dmarc_result",
  "spf_result",
  "filter_result",
  "ban",
  "hold",
  "discard",
  "milter_reject",
  "connection_lost",
  "timeout",
  "protocol_error",
  "too_many_errors",
  "expired",
  "host_reply",
  "connect_failure",
] as EventName[]);

const severityOf = (event: EventName, cause: Cause | undefined): Severity => {
  if (event === "fatal" || event === "panic" || event === "error") return event;
  return cause === undefined || QUIET.has(event) ? "info" : "warning";
};

/** What any program may say of its own life and of what it leans on; for texts that no rule of the program knows. */
export const LIFE: readonly Rule[] = [
  [
    /no space left|disk full|read-only file system|input\/output error|disk quota exceeded/i,
    "disk_failure",
    "disk",
  ],
  [/out of memory|cannot allocate memory|oom-kill/i, "process_exit", "crash"],
  [
    /segmentation fault|core dumped|\bpanic\b|assertion .{0,40}failed|killed by signal|exited? (?:with|on) (?:status|signal|code)/i,
    "process_exit",
    "crash",
  ],
  [
    /permission denied|not owned|can be read or written|operation not permitted/i,
    "permission_failure",
    "permission",
  ],
  [
    /too many (?:open files|connections|clients|processes)|limit reached|rate.?limit|resource temporarily unavailable/i,
    "limit_reached",
    "limit",
  ],
  [
    /address already in use|could not bind|cannot bind|bind\b.{0,40}failed|configuration file|config(?:uration)? error|unknown (?:parameter|option|setting)|syntax error|deprecated|parse error/i,
    "config_warning",
    "config",
  ],
  [/certificate|\btls\b|\bssl\b|ssl_/i, "tls_failure", "tls"],
  [
    /temperror|try again|name server|nameserver|resolver|\bdns\b|ns_|name resolution|servfail/i,
    "dns_failure",
    "dns",
  ],
  [/redis|mysql|mariadb|pgsql|postgres|ldap|sqlite|database|\bdict\b/i, "lookup_failure", "lookup"],
  [
    /connection refused|no route to host|unreachable|timed? ?out|connection reset|broken pipe|can(?:'t|not) connect|could not connect|unable to connect|failed to connect|connect(?:ion)? failed/i,
    "connect_failure",
    "connect",
  ],
  [
    /\b(?:fail|failed|fails|failure|error|errors|cannot|can't|could not|unable|refused|lost|invalid|fatal|abort(?:ed|ing)?)\b/i,
    "error",
    "other",
  ],
  [
    /terminat|shutting down|shutdown|stopping|\bstopped\b|exiting|caught signal|got signal|server killed|daemon (?:stop|exit)/i,
    "process_stop",
  ],
  [/reload|restart|re-?reading|sighup|reopen/i, "reload"],
  [
    /\bstarting|\bstarted|listening|\bready\b|daemon start|initiali[sz]|server start|entering main loop|accepting connections/i,
    "process_start",
  ],
];

const TROUBLE = new Set(["tls_failure", "dns_failure", "lookup_failure"]);
const BAD_WORD =
  /\b(?:fail\w*|errors?|cannot|can't|could not|couldn't|unable|refused|lost|invalid|fatal|abort\w*|timed? ?out|timeout|tempfail|temperror|servfail|denied|expired|unavailable|not found|missing|try again|gone away|bad|wrong|broken)\b/i;

/** The reading of a text by LIFE; `unknown` when no rule knows it. */
export function readLife(text: string, queueId?: string, prefix = ""): Reading {
  const words = plainWords(text);
  const bad = BAD_WORD.test(words);
  for (const [pattern, event, cause] of LIFE) {
    if (!bad && TROUBLE.has(event)) continue;
    if (pattern.test(words)) return reading(event, { reason: cap(text) }, prefix + text, cause, queueId);
  }
  return { event: "unknown", fields: {}, queueId, shape: prefix + text };
}

/** Rules first, then what any program may say. */
export const readRulesOrLife = (
  rules: readonly Rule[],
  text: string,
  queueId?: string,
  prefix = "",
): Reading => readByRules(rules, text, queueId, prefix) ?? readLife(text, queueId, prefix);

/** An address as operators ban it: without the prefix of a mapped or tagged one, and without its port or zone. */
export function bareAddress(text: string): string {
  let s = text.trim();
  if (s.startsWith("[")) {
    const close = s.indexOf("]");
    s = close < 0 ? s.slice(1) : s.slice(1, close);
  }
  if (/^IPv6:/i.test(s)) s = s.slice(5);
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})/i.exec(s);
  if (mapped) return mapped[1]!;
  const ported = /^(\d{1,3}(?:\.\d{1,3}){3})[:#,/(].{0,64}$/.exec(s);
  return cap(ported ? ported[1]! : s);
}

/** Puts the bare address when there is a text. */
export function putAddress(fields: Bag, text: string | undefined): void {
  if (text !== undefined && text !== "") fields["client_address"] = bareAddress(text);
}

/** Cuts values that are too long; grammars may then take any part of a line. */
export function capFields(fields: Bag): void {
  for (const key in fields) {
    const value = fields[key]!;
    if (typeof value === "string") fields[key] = cap(value);
    else if (!Number.isFinite(value)) delete fields[key];
  }
}

const ID = /^([0-9A-Za-z]{1,40}): /;

/** A queue id of Postfix or sendmail at the head, what follows it, and the id as the shape keeps it. */
export function splitId(message: string): { queueId: string | undefined; body: string; prefix: string } {
  const id = ID.exec(message)?.[1];
  if (id === undefined || !(id === "NOQUEUE" || isMasked(id)))
    return { queueId: undefined, body: message, prefix: "" };
  return {
    queueId: id === "NOQUEUE" ? undefined : id,
    body: message.slice(id.length + 2),
    prefix: `${id}: `,
  };
}

const SECRET = /((?:pass(?:word|wd|phrase)?|pwd|secret)["']?\s{0,2}[=:]\s{0,2})["']?[^\s"',;)]{1,200}["']?/gi;

/** A text without what follows `password=` and the like. */
export const withoutSecrets = (text: string): string => text.replace(SECRET, "$1*");

/** Whether a text is worth that search. */
export const mayHoldSecrets = (text: string): boolean => /pass|pwd|secret/i.test(text);

/** Rules, else the event `system`: the machine's own talk is known, whatever it is. */
export const byRules = (rules: readonly Rule[], text: string): Reading => {
  const words = plainWords(text);
  for (const [pattern, event, cause] of rules)
    if (pattern.test(words)) return reading(event, { reason: cap(text) }, text, cause);
  return { event: "system", fields: {}, shape: text };
};
