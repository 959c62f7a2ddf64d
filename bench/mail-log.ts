/** How a line begins: RFC 3164 as syslogd writes it, or RFC 3339 with microseconds as rsyslog does. */
export type Head = "3164" | "3339";

export type MailLogOptions = {
  /** Real lines to expand, in order of time, with RFC 3164 heads. */
  readonly lines: readonly string[];
  /** Whole number; another seed gives other ids, addresses and people. */
  readonly seed: number;
  readonly head: Head;
  /** Lines to make. */
  readonly count: number;
};

const DAY = 86_400_000;
/** The year of the lines to expand. Any would do: only distances count. */
const YEAR = 2026;
/** What is made begins here and fills so many days, so that a month ends within. */
const START = Date.UTC(2026, 8, 7);
const DAYS = 30;
/** Longer than in the sample: a full name, as most servers log. */
const HOST = "mx1.mail.lindgaard.example";
/** The server's own domains stay; the rest of the world grows. */
const OWN_DOMAIN = /(?:^|\.)lindgaard[\w-]*\.example$/;
/** New names that each repetition adds to the pools, and client addresses at most. */
const OWN_USERS = 20;
const OTHER_USERS = 200;
const OTHER_DOMAINS = 40;
const CLIENTS = 8_000;
const MAX_CLIENTS = 100_000;
/** One client in so many speaks IPv6. */
const IPV6_EVERY = 25;
const CHUNK = 1 << 20;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const CODE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX = "0123456789ABCDEF";

/** What varies in a message, by name; the first that fits at a place wins. */
const SLOTS = {
  messageId: /(?<=message-id=<|msgid=<)[^<>]+(?=>)/,
  address: /[\w.+=-]+@[\w.-]+\.example/,
  client: /\b(?:198\.1[89]\.\d+\.\d+|203\.0\.113\.\d+|198\.51\.100\.\d+)\b/,
  domain: /[\w-]+(?:\.[\w-]+)*\.example/,
  queueId: /\b[0-9A-F]{9,12}\b/,
  code: /(?<=session=<|<\d{1,7}><)[^>]+(?=>)|(?<=> )\w{20,24}(?= Saved)|(?<=signature=|\bid=)[\w-]+/,
  pid: /(?<=mpid=|<|lmtp\()\d+(?=[,>)])/,
  delay: /(?<=\bdelay=)[\d.]+, delays=[\d./]+/,
  amount: /(?<=\b(?:size|in|out|hdr_bytes|body_bytes)=)\d+/,
  port: /(?<=\]:)\d{4,6}\b/,
  time: /(?<= at )[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d/,
} as const;
type Kind = keyof typeof SLOTS;
const KINDS = Object.keys(SLOTS) as Kind[];
const ANY_SLOT = new RegExp(KINDS.map((kind) => `(?<${kind}>${SLOTS[kind].source})`).join("|"), "g");
const HEAD = /^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) \S+ ([^\s[:]+)(?:\[(\d+)\])?: /;

/** A value that varies, and how. `hash` stands for the text. */
type Token = { readonly kind: Kind; readonly text: string; readonly hash: number };
/** A line taken apart: constant texts and the tokens between them, `texts` one longer; times in ms from the first line. */
type Piece = {
  readonly offset: number;
  readonly texts: readonly string[];
  readonly tokens: readonly number[];
};

/** FNV-1a over UTF-16 units, 32 bits. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Spreads bits (the finaliser of MurmurHash3). */
function spreadBits(x: number): number {
  let hash = x | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function timeOf(stamp: string): number {
  const [hour, minute, second] = stamp.slice(7).split(":").map(Number);
  return Date.UTC(
    YEAR,
    MONTHS.indexOf(stamp.slice(0, 3)),
    Number(stamp.slice(4, 6)),
    hour!,
    minute!,
    second!,
  );
}

/** "Sep  7 00:03:51". */
function stamp3164(ms: number): string {
  const date = new Date(ms);
  return `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${date.toISOString().slice(11, 19)}`;
}

/**
 * Expands real lines into a log of any length: over and over, each time with other queue ids, message ids, sessions,
 * process ids, people, domains and clients. One value of the sample becomes one value in all lines of a repetition, so
 * a message keeps its id from cleanup to removal. Names and clients are drawn from pools that grow with the log, the
 * k-th with a frequency of about 1/k. A pure function of its options.
 */
export class MailLog {
  private readonly pieces: Piece[] = [];
  private readonly tokens: Token[] = [];
  private readonly tokenOf = new Map<string, number>();
  private readonly options: MailLogOptions;
  /** Milliseconds between two repetitions, and how much slower than the sample's the log's clock runs. */
  private readonly period: number;
  private readonly pace: number;
  private lastSecond = -1;
  private lastStamp = "";

  constructor(options: MailLogOptions) {
    this.options = options;
    for (const line of options.lines) this.take(line);
    const last = this.pieces.at(-1);
    if (last === undefined) throw new RangeError("no line to expand");
    this.period = (Math.floor(last.offset / DAY) + 1) * DAY;
    this.pace = (DAYS * DAY) / ((options.count / this.pieces.length) * this.period);
  }

  /** The log, in texts of about a MiB of whole lines. */
  *chunks(): Generator<string> {
    let out = "";
    let values: string[] = [];
    for (let n = 0; n < this.options.count; n++) {
      const index = n % this.pieces.length;
      const repetition = (n - index) / this.pieces.length;
      if (index === 0) values = [];
      out += this.render(this.pieces[index]!, repetition, values);
      if (out.length < CHUNK) continue;
      yield out;
      out = "";
    }
    if (out !== "") yield out;
  }

  private render({ offset, texts, tokens }: Piece, repetition: number, values: string[]): string {
    const ms = START + (repetition * this.period + offset) * this.pace;
    let line = `${this.stamp(ms)} ${HOST} ${texts[0]}`;
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]!;
      values[token] ??= this.value(this.tokens[token]!, repetition);
      line += values[token] + texts[i + 1];
    }
    return `${line}\n`;
  }

  private stamp(ms: number): string {
    const second = Math.floor(ms / 1000);
    if (second !== this.lastSecond) {
      this.lastSecond = second;
      this.lastStamp =
        this.options.head === "3164"
          ? stamp3164(second * 1000)
          : new Date(second * 1000).toISOString().slice(0, 19);
    }
    if (this.options.head === "3164") return this.lastStamp;
    return `${this.lastStamp}.${String(Math.floor((ms - second * 1000) * 1000)).padStart(6, "0")}+00:00`;
  }

  /** Takes a line of the sample apart; one without a usual head is left out. */
  private take(line: string): void {
    const head = HEAD.exec(line);
    if (head === null) return;
    const texts: string[] = [];
    const tokens: number[] = [];
    let text = head[2]!;
    const slot = (kind: Kind, value: string): void => {
      texts.push(text);
      tokens.push(this.enter(kind, value));
      text = "";
    };
    if (head[3] !== undefined) {
      text += "[";
      slot("pid", head[3]);
      text = "]";
    }
    const message = `: ${line.slice(head[0].length)}`;
    let from = 0;
    for (const match of message.matchAll(ANY_SLOT)) {
      text += message.slice(from, match.index);
      slot(KINDS.find((kind) => match.groups![kind] !== undefined)!, match[0]);
      from = match.index + match[0].length;
    }
    texts.push(text + message.slice(from));
    const first = this.pieces[0] === undefined ? timeOf(head[1]!) : this.first;
    this.first = first;
    this.pieces.push({ offset: Math.max(0, timeOf(head[1]!) - first), texts, tokens });
  }
  private first = 0;

  private enter(kind: Kind, text: string): number {
    const key = `${kind} ${text}`;
    let token = this.tokenOf.get(key);
    if (token === undefined) {
      token = this.tokens.push({ kind, text, hash: hashText(key) }) - 1;
      this.tokenOf.set(key, token);
    }
    return token;
  }

  /** The value that stands for a token throughout one repetition. */
  private value({ kind, text, hash }: Token, repetition: number): string {
    switch (kind) {
      case "messageId":
        return this.messageId(text, repetition);
      case "address":
        return this.address(text, repetition);
      case "client":
        return this.client(hash, repetition);
      case "domain":
        return this.domain(text, repetition);
      case "queueId":
        return this.letters(HEX, text.length, hash, repetition);
      case "code":
        return this.letters(CODE, text.length, hash, repetition);
      case "pid":
        return String(300 + (this.chance(hash, repetition) % 65_000));
      case "port":
        return String(1024 + (this.chance(hash, repetition) % 64_000));
      case "amount":
        return String(Math.ceil(Number(text) * this.factor(hash, repetition)));
      case "delay":
        return this.delay(text, this.factor(hash, repetition));
      case "time":
        return stamp3164(
          START + (repetition * this.period + Math.max(0, timeOf(text) - this.first)) * this.pace,
        );
    }
  }

  /** 32 bits that depend on seed, repetition and value alone. */
  private chance(hash: number, repetition: number): number {
    return spreadBits(hash ^ spreadBits(repetition + spreadBits(this.options.seed)));
  }

  /** 1/2 to 2. */
  private factor(hash: number, repetition: number): number {
    return 2 ** (this.chance(hash, repetition) / 0x8000_0000 - 1);
  }

  /** 0 ... size - 1; k with a chance of about 1/(k + 1). */
  private rank(hash: number, repetition: number, size: number): number {
    return Math.floor(size ** (this.chance(hash, repetition) / 0x1_0000_0000)) - 1;
  }

  private letters(alphabet: string, length: number, hash: number, repetition: number): string {
    let out = "";
    let bits = 0;
    for (let i = 0; i < length; i++) {
      if (i % 4 === 0) bits = this.chance(hash + i, repetition);
      out += alphabet[(bits & 255) % alphabet.length];
      bits >>>= 8;
    }
    return out;
  }

  private address(text: string, repetition: number): string {
    const at = text.lastIndexOf("@");
    const domain = text.slice(at + 1);
    const pool = (OWN_DOMAIN.test(domain) ? OWN_USERS : OTHER_USERS) * (repetition + 1);
    const rank = this.rank(hashText(text), repetition, pool);
    return `${text.slice(0, at)}${rank === 0 ? "" : rank}@${this.domain(domain, repetition)}`;
  }

  /** The last label before "example" gets a number, the same in all names of that domain. */
  private domain(text: string, repetition: number): string {
    if (OWN_DOMAIN.test(text)) return text;
    const labels = text.split(".");
    const base = labels.at(-2)!;
    const rank = this.rank(hashText(base), repetition, OTHER_DOMAINS * (repetition + 1));
    labels[labels.length - 2] = rank === 0 ? base : `${base}-${rank}`;
    return labels.join(".");
  }

  private messageId(text: string, repetition: number): string {
    const at = text.lastIndexOf("@");
    const local = at < 0 ? text : text.slice(0, at);
    const chance = this.chance(hashText(text), repetition);
    let n = 0;
    const made = local.replace(/\d/g, () => String((spreadBits(chance + n++) >>> 8) % 10));
    return at < 0 ? made : `${made}@${this.domain(text.slice(at + 1), repetition)}`;
  }

  /** An address of the range for benchmarks (RFC 2544), or of that for documentation (RFC 3849). */
  private client(hash: number, repetition: number): string {
    const pool = Math.min(MAX_CLIENTS, CLIENTS * (repetition + 1));
    const rank = this.rank(hash, repetition, pool);
    if (rank % IPV6_EVERY === IPV6_EVERY - 1)
      return `2001:db8:${(rank % 97).toString(16)}::${rank.toString(16)}`;
    return `198.${18 + (rank >> 16)}.${(rank >> 8) & 255}.${rank & 255}`;
  }

  /** All parts of "0.31, delays=0.1/0.01/0.1/0.1" by one factor, in as many digits as Postfix prints. */
  private delay(text: string, factor: number): string {
    return text.replace(/[\d.]+/g, (part) => {
      const value = Number(part) * factor;
      return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
    });
  }
}
