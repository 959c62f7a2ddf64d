/**
 * How pflogsumm 1.1.5 words, groups and orders its report. Found by feeding it lines of our own and reading what it prints;
 * test/mail/summary-fuzz.test.ts holds these rules to the program.
 */

/** Longest text of a deferral, and of a bounce or warning, in characters. */
export const DEFERRAL_WIDTH = 65;
export const TEXT_WIDTH = 66;
const CLEANUP_WIDTH = 64;

/** A address of four numbers at the head of `name[address]` or `name/address`, whatever follows it. */
const IPV4_CLIENT = /^([^[/]*)(?:\[(\d{1,3}(?:\.\d{1,3}){3})\]|\/(\d{1,3}(?:\.\d{1,3}){3}))/;
/** Any other address, when nothing but a port follows. */
const OTHER_CLIENT = /^([^[/]*)\[([^\]]+)\](?::\d+)?$/;
/** Else what stands before the first slash, were it the counters of a disconnect line. */
const SLASH_CLIENT = /^([^/]*)\/(.+)$/s;
const CLOSE = 93;
const COUNTRY_HOST = /\.([^.]+\.[^.]{2,3}\.[^.]{2})$/;
const COMMON_HOST = /\.([^.]+\.[^.]{3})$/;

/** The host or domain under which a client is counted; "" when pflogsumm finds none. client: `name[address]`. */
export function clientHost(client: string): string {
  const plain = plainHost(client);
  if (plain !== undefined) return plain;
  const m = IPV4_CLIENT.exec(client) ?? OTHER_CLIENT.exec(client) ?? SLASH_CLIENT.exec(client);
  if (m === null) return "";
  const name = m[1]!;
  if (name === "" || name === "unknown") return m[2] ?? m[3]!;
  const found = COUNTRY_HOST.exec(name) ?? COMMON_HOST.exec(name);
  return found === null ? name : lower(found[1]!);
}

/**
 * clientHost of `name[address]` where the name is of small letters, digits, dots and hyphens, as most are, without a
 * pattern: its last two labels when the last has three letters, its last three when they have two or three and two, else all
 * of it. Undefined for anything else.
 */
function plainHost(client: string): string | undefined {
  const open = client.indexOf("[");
  if (open <= 0) return undefined;
  let last = -1;
  let second = -1;
  let third = -1;
  for (let i = open - 1; i >= 0; i--) {
    const c = client.charCodeAt(i);
    if (c === DOT) {
      if (last < 0) last = i;
      else if (second < 0) second = i;
      else if (third < 0) third = i;
    } else if (!((c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c === HYPHEN)) return undefined;
  }
  if (!isIpv4Client(client) || client.startsWith("unknown[")) return undefined;
  const top = open - 1 - last;
  const middle = last - second - 1;
  if (third >= 0 && top === 2 && (middle === 2 || middle === 3) && second - third > 1)
    return client.slice(third + 1, open);
  if (second >= 0 && top === 3 && middle > 0) return client.slice(second + 1, open);
  return client.slice(0, open);
}
const DOT = 46;
const HYPHEN = 45;

/** Whether clientHost takes the address of four numbers in `name[192.0.2.1]`, whatever follows it. */
export function isIpv4Client(client: string): boolean {
  const last = client.length - 1;
  if (client.charCodeAt(last) !== CLOSE) return false;
  const open = client.lastIndexOf("[");
  if (open < 0 || client.indexOf("/") >= 0 || client.indexOf("[") !== open) return false;
  let dots = 0;
  for (let i = open + 1, digits = 0; i < last; i++) {
    const c = client.charCodeAt(i);
    if (c >= 48 && c <= 57) {
      if (++digits > 3) return false;
    } else if (c === 46 && digits > 0) {
      dots++;
      digits = 0;
    } else return false;
  }
  return dots === 3 && client.charCodeAt(last - 1) !== 46;
}

/** ASCII letters in lower case; others are bytes to pflogsumm. */
export function lower(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 65 && c <= 90) return text.replace(/[A-Z]+/g, (s) => s.toLowerCase());
  }
  return text;
}

/** An address with all after the first @ in lower case. */
export function foldAddress(address: string): string {
  const at = address.indexOf("@");
  if (at < 0) return address;
  const domain = address.slice(at);
  const folded = lower(domain);
  return folded === domain ? address : address.slice(0, at) + folded;
}

/** Cuts a text to `width` characters, the last three of them dots. */
export const cutText = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 3)}...` : text;

/** A reason made to fit: what stands before its first colon goes as long as it is too long, then a reply code. */
export function fitReason(text: string, width: number): string {
  let rest = text;
  for (let n = 0; n < 100 && rest.length > width; n++) {
    const colon = rest.indexOf(":");
    if (colon < 0) break;
    let at = colon + 1;
    while (isSpace(rest.charCodeAt(at))) at++;
    rest = rest.slice(at);
  }
  return cutText(rest, width).replace(/^\d{3}\s+/, "");
}

const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13);

/** ` (text)` after the status: of a deferral up to the first closing parenthesis, of a bounce up to the last. */
export function deferralReason(tail: string): string {
  const m = /^\s+\(([^)]+)/.exec(tail);
  return m === null ? "" : fitReason(m[1]!, DEFERRAL_WIDTH).replace(/^connect to /, "");
}
export function bounceReason(tail: string): string {
  const m = /^\s+\((.+)\)/.exec(tail);
  return m === null ? "" : fitReason(m[1]!, TEXT_WIDTH);
}

/** Where a refusal stands in the report. */
export type Refusal = { readonly stage: string; readonly reason: string; readonly who: string };
const NOTHING: Refusal = { stage: "", reason: "", who: "" };

/** `STAGE from CLIENT: rest` of smtpd and postscreen, after the word reject, reject_warning, hold or discard. */
export function readRefusal(text: string): Refusal {
  const m = /^(\S+) from (\S+?): (.*)$/s.exec(text);
  if (m === null) return NOTHING;
  const stage = m[1]!;
  const client = m[2]!;
  const rest = m[3]!;
  let reason: string;
  if (stage === "RCPT" || stage === "CONNECT" || stage === "DATA") reason = innerReason(rest);
  else if (stage === "MAIL") reason = rest.replace(/^\d{3} (.*?)[:;].*$/s, "$1").replace(/^\d{3} /, "");
  else reason = rest.replace(/^.*[:;] /s, "");
  let who = clientHost(client);
  if (stage !== "MAIL") {
    if (reason.startsWith("Sender address rejected:")) who = addressIn(rest, "from=<", "<>");
    else if (reason.startsWith("Recipient address rejected:") || reason.startsWith("User unknown"))
      who = addressIn(rest, "to=<", ">");
  }
  return { stage, reason, who };
}

/** What stands between the first `: ` or `; ` and the next semicolon, without the parts that make each reason its own. */
function innerReason(rest: string): string {
  const m = /^.*?[:;] ([^;]+);/s.exec(rest);
  if (m === null) return rest;
  return m[1]!
    .replace(/^((?:Sender|Recipient) address rejected: [^:]+):.*$/s, "$1")
    .replace(/(?:Client host|Sender address|client) \[[^\]]+\] blocked/, "blocked")
    .replace(/,.*$/s, "");
}

/** empty: what stands for an empty address. */
function addressIn(text: string, key: string, empty: string): string {
  const at = text.lastIndexOf(key);
  if (at < 0) return "<>";
  const end = text.indexOf(">", at);
  const address = end < 0 ? "" : text.slice(at + key.length, end);
  return address === "" ? empty : address;
}

/** Words by which cleanup's lines are counted, and the total that each adds to. */
export type Ask = "rejected" | "reject_warnings" | "held" | "discarded";
const CLEANUP = /(reject|warning|hold|discard): (header|body|END-OF-MESSAGE) (.*)$/s;
const ASKS: Readonly<Record<string, Ask>> = {
  reject: "rejected",
  reject_warning: "reject_warnings",
  warning: "reject_warnings",
  hold: "held",
  discard: "discarded",
};
export const askOf = (word: string): Ask => ASKS[word]!;

/** cleanup's `WORD: header|body|END-OF-MESSAGE text`, wherever it stands in the message. */
export function readCleanup(message: string): { ask: Ask; refusal: Refusal } | undefined {
  const m = CLEANUP.exec(message);
  if (m === null) return undefined;
  const cut = m[3]!.replace(/( from \S+?)?; from=<.*$/s, "");
  return {
    ask: askOf(m[1]!),
    refusal: { stage: "cleanup", reason: m[2]!, who: cutText(cut, CLEANUP_WIDTH) },
  };
}

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** What pflogsumm sorts equal counts by: the first word in small letters, its dotted parts from the right; an IPv4 address by its numbers. */
export function sortKey(text: string): string {
  const ip = IPV4.exec(text);
  if (ip !== null) return String.fromCharCode(...ip.slice(1).map(Number));
  const word = /^\s*(\S*)/.exec(text)![1]!;
  return lower(word).split(/[.@]/).reverse().join("");
}

/** 34067501 as ["33269", "k"]: rounded down from 512 k and 512 m on. */
export function abbreviate(n: number): { value: number; unit: string } {
  if (n > 536_870_912) return { value: Math.trunc(n / 1_048_576), unit: "m" };
  if (n > 524_288) return { value: Math.trunc(n / 1024), unit: "k" };
  return { value: n, unit: "" };
}
