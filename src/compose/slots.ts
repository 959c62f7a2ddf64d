import type { AddressBook } from "./addresses.ts";
import { type NameBook, RECORDED_OWN } from "./names.ts";

/** What of a line is written anew at each use of an episode. */
export type SlotKind =
  | "queue"
  | "process"
  | "digits"
  | "epoch"
  | "wall"
  | "scramble"
  | "account"
  | "correspondent"
  | "spam_domain"
  | "home"
  | "stranger"
  | "derived"
  | "port"
  | "size"
  | "delay"
  | "delays";

export type Slot = {
  readonly kind: SlotKind;
  /** As recorded. */
  readonly text: string;
  /** The slot of the address that a "derived" name is made from, or of the queue id whose delay this is; -1 for none. */
  readonly of: number;
  /** How a derived name is written: d, c, b, a stand for the address's octets. */
  readonly pattern: string;
  /** The line that holds it first. */
  readonly line: number;
};

/** Literal text, or the index of a slot. */
export type Part = string | number;

/**
 * What is looked for in a text, leftmost first, the earlier one where two begin alike. Each repetition is bounded and none
 * nests, so a line costs a linear time.
 */
const TOKENS: readonly (readonly [name: string, pattern: string])[] = [
  ["id", String.raw`(?:(?:message-id|msgid)=|\bid: )<[^>]{1,300}>`],
  ["reversed", String.raw`\d{1,3}\.\d{1,3}\.(?:1[89]\.198|2\.0\.192)(?=\.)`],
  ["mail", String.raw`[\w.+-]{1,120}@(?:[\w-]{1,63}\.){1,6}example\b`],
  ["box", String.raw`(?<=\.example/)[a-z]{1,40}\.[a-z]{1,40}(?=[/),:]|$)`],
  ["host", String.raw`(?:[\w-]{1,63}\.){1,8}example\b`],
  ["ip", String.raw`\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}`],
  ["delay", String.raw`\bdelay=[\d.]{1,12}`],
  ["delays", String.raw`\bdelays=[\d./]{1,60}`],
  ["size", String.raw`\bsize=\d{1,10}|\b(?:in|out)=\d{1,10}`],
  ["session", String.raw`\bsession=<[^>]{1,40}>|(?<=[>,])<[A-Za-z0-9+/]{16}>`],
  ["lmtp", `(?<=<|> )[A-Za-z0-9+/]{22}(?=[ :>])`],
  ["pid", String.raw`\blmtp\(\d{1,7}\)|\bmpid=\d{1,7}|(?<=[>)])<\d{1,7}>|(?<=sbin/\w{1,20} pid )\d{1,7}`],
  ["wall", String.raw`\bNov 2\d \d\d:\d\d:\d\d`],
  ["epoch", String.raw`\b17953\d{5}\b`],
  ["task", `^<[0-9a-f]{6}>|(?<=digest: )<[0-9a-f]{32}>`],
  ["signature", `(?<=signature=)[A-Za-z0-9+/]{8}`],
  ["selector", String.raw`(?<=\(s=)\w{1,30}`],
  ["port", String.raw`(?<=\]:)\d{4,5}\b`],
];
const finderOf = (word: string): RegExp =>
  new RegExp([...TOKENS, ["word", word] as const].map(([, pattern]) => `(${pattern})`).join("|"), "gi");
/** In most texts only a queue id may be a word that changes; in a remote server's reply, what it calls the message. */
const PLAIN = finderOf(
  String.raw`\b(?:[0-9A-F]{5,12}|[0-9B-DF-HJ-NP-TV-Z]{10,11}z[0-9B-DF-HJ-NP-TV-Z]{1,8})\b`,
);
const REPLY = finderOf(String.raw`\b[A-Za-z0-9][A-Za-z0-9.-]{4,60}\b`);

/** What a remote server calls the message: letters and digits mixed, or many digits. */
const REMOTE_ID = /^(?=(?:.*\d){2})(?!\d+(?:[.-]\d+)*$)[A-Za-z0-9.-]{8,}$|^\d{9,}$|^[A-F0-9]{8,}$/;
const ADDRESS = /\b198\.19\.\d{1,3}\.\d{1,3}\b/g;
/** A local part that a person may have. */
const PERSON = /^[a-z]{1,40}(?:[._][a-z]{1,40}){0,4}\d{0,3}$/;
const SPAM = /^(?:win-prize|pharma-deal)\d*$/;

/** The slots of an episode, found line by line. A thing that comes again is the same slot. */
export class SlotFinder {
  readonly slots: Slot[] = [];
  private readonly names: NameBook;
  private readonly addresses: AddressBook;
  private readonly queueIds: ReadonlySet<string>;
  private readonly known = new Map<string, number>();
  private line = 0;
  private text = "";
  private parts: Part[] = [];
  private queue = -1;

  constructor(names: NameBook, addresses: AddressBook, queueIds: ReadonlySet<string>) {
    this.names = names;
    this.addresses = addresses;
    this.queueIds = queueIds;
  }

  /** The parts of a line's text. line: its number within the episode. queueId: of the line, or null. */
  split(text: string, line: number, queueId: string | null): Part[] {
    this.parts = [];
    this.line = line;
    this.text = text;
    this.queue = queueId === null ? -1 : this.slot("queue", queueId);
    const reply = text.indexOf("status=sent (");
    let from = 0;
    for (const match of text.matchAll(reply < 0 ? PLAIN : REPLY)) {
      let token = 0;
      while (match[token + 1] === undefined) token++;
      const found = match[0];
      const kind = TOKENS[token]?.[0] ?? "word";
      if (kind === "word" && !this.queueIds.has(found) && match.index < reply) continue;
      this.add(text.slice(from, match.index));
      this.token(kind, found, reply >= 0 && match.index > reply);
      from = match.index + found.length;
    }
    this.add(text.slice(from));
    return this.parts;
  }

  private token(kind: string, found: string, inReply: boolean): void {
    const sign = found.search(/[=<(]/) + 1;
    switch (kind) {
      case "id":
        this.messageId(found);
        break;
      case "reversed":
        this.address(found.split(".").reverse().join("."), "d.c.b.a");
        break;
      case "mail": {
        const at = found.indexOf("@");
        this.local(found.slice(0, at), found.slice(at + 1));
        this.add("@");
        this.host(found.slice(at + 1));
        break;
      }
      case "box":
        // A mailbox's folder is named for its account.
        if (this.names.isAccount(found)) this.put("account", found);
        else this.add(found);
        break;
      case "host":
        this.host(found);
        break;
      case "ip":
        this.address(found, "");
        break;
      case "pid":
        this.add(found.slice(0, sign));
        this.put("process", /\d+/.exec(found)![0]);
        this.add(/\D?$/.exec(found)![0]);
        break;
      case "session":
        this.add(found.slice(0, found.indexOf("<") + 1));
        this.put("scramble", found.slice(found.indexOf("<") + 1, -1));
        this.add(">");
        break;
      case "delay":
      case "delays":
        this.add(found.slice(0, sign));
        this.parts.push(this.fresh(kind, found.slice(sign), this.queue, ""));
        break;
      case "size":
        this.add(found.slice(0, sign));
        this.put("size", found.slice(sign));
        break;
      case "selector":
        this.add(this.names.renames ? `${this.names.name("selector", found, 2)}1` : found);
        break;
      case "wall":
      case "epoch":
      case "port":
        this.put(kind, found);
        break;
      case "lmtp":
      case "task":
      case "signature":
        this.put("scramble", found);
        break;
      default:
        if (this.queueIds.has(found)) this.put("queue", found);
        else if (inReply && REMOTE_ID.test(found)) this.put("scramble", found);
        else this.add(found);
    }
  }

  private messageId(found: string): void {
    const at = found.indexOf("<") + 1;
    this.add(found.slice(0, at));
    const id = found.slice(at, -1);
    const cut = id.indexOf("@");
    const local = cut < 0 ? id : id.slice(0, cut);
    const date = /^(\d{14})\.(.*)$/.exec(local);
    if (date !== null) {
      this.put("digits", date[1]!);
      this.add(".");
    }
    const rest = date?.[2] ?? local;
    this.put(this.queueIds.has(rest) ? "queue" : "scramble", rest);
    if (cut >= 0) {
      this.add("@");
      const host = id.slice(cut + 1);
      const stem = host.replace(/\.local$/, "");
      if (/\.example$/i.test(host)) this.host(host);
      else {
        if (stem === "laptop") this.add(stem);
        else this.put("scramble", stem);
        this.add(host.slice(stem.length));
      }
    }
    this.add(">");
  }

  private local(local: string, host: string): void {
    const domain = host.split(".").at(-2)!.toLowerCase();
    const own = RECORDED_OWN.includes(domain);
    const renamed = own ? this.names.ownLocal(local) : undefined;
    if (own && this.names.isAccount(local)) this.put("account", local);
    else if (renamed !== undefined) this.add(renamed);
    else this.put(!own && PERSON.test(local) && !SPAM.test(domain) ? "correspondent" : "scramble", local);
  }

  private host(found: string): void {
    const labels = found.split(".");
    const domain = labels.at(-2)!;
    const written = this.writtenFrom(labels[0]!);
    if (SPAM.test(domain)) {
      this.put("spam_domain", domain);
      this.add(".example");
    } else if (written === undefined) this.add(this.names.host(found));
    else {
      this.address(written[0], written[1]);
      this.add(`.${this.names.host(labels.slice(1).join("."))}`);
    }
  }

  /** The address that a reverse name is made from, and how; undefined for a name of its own. */
  private writtenFrom(label: string): [address: string, pattern: string] | undefined {
    const dashed = /^(\d+)-(\d+)-(\d+)-(\d+)$/.exec(label);
    if (dashed !== null) return [dashed.slice(1).join("."), "a-b-c-d"];
    const host = /^host-(\d+)-(\d+)$/.exec(label);
    if (host !== null) return [`198.19.${host[2]}.${host[1]}`, "host-d-c"];
    const ip = /^ip(\d+)-(\d+)$/.exec(label);
    if (ip !== null) return [`198.19.${ip[1]}.${ip[2]}`, "ipc-d"];
    const srv = /^srv(\d+)$/.exec(label);
    if (srv === null) return undefined;
    // The two last octets without a mark between them: the address is one of those in the line.
    const written = this.text.match(ADDRESS)?.find((ip) => ip.split(".").slice(2).join("") === srv[1]);
    return written === undefined ? undefined : [written, "srvcd"];
  }

  private address(address: string, pattern: string): void {
    const role = this.addresses.roleOf(address);
    if (role === "home" || role === "stranger") {
      const slot = this.slot(role, address);
      this.parts.push(pattern === "" ? slot : this.fresh("derived", address, slot, pattern));
      return;
    }
    const stays = role === undefined ? address : this.addresses.fixed(address);
    this.add(pattern === "" ? stays : fillPattern(pattern, stays));
  }

  private add(text: string): void {
    if (text === "") return;
    const last = this.parts.length - 1;
    if (typeof this.parts[last] === "string") this.parts[last] += text;
    else this.parts.push(text);
  }

  private put(kind: SlotKind, text: string): void {
    if (text !== "") this.parts.push(this.slot(kind, text));
  }

  /** The slot of a thing, the one it had before if it comes again. */
  private slot(kind: SlotKind, text: string): number {
    const key = `${kind} ${text}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const made = this.fresh(kind, text, -1, "");
    this.known.set(key, made);
    return made;
  }

  private fresh(kind: SlotKind, text: string, of: number, pattern: string): number {
    return this.slots.push({ kind, text, of, pattern, line: this.line }) - 1;
  }
}

/** A name made from an address: letters a to d of the pattern become its octets. "host-d-c" keeps its word. */
export function fillPattern(pattern: string, address: string): string {
  const octets = address.split(".");
  switch (pattern) {
    case "a-b-c-d":
      return octets.join("-");
    case "d.c.b.a":
      return octets.reverse().join(".");
    case "host-d-c":
      return `host-${octets[3]}-${octets[2]}`;
    case "ipc-d":
      return `ip${octets[2]}-${octets[3]}`;
    default:
      return `srv${octets[2]}${octets[3]}`;
  }
}
