import type { MailEvent } from "../mail/event.ts";
import { LineClients } from "../mail/line-client.ts";
import { LineIds } from "../mail/line-ids.ts";
import { PlanMemo } from "../mail/plan-memo.ts";
import { hash64 } from "../math/hash.ts";
import { AgingSet, BoundedSet, type SavedAging } from "./aging-set.ts";
import { FEATURE } from "./entity-features.ts";

export type Observation = { readonly feature: number; readonly key: string; readonly count: number };

/** Bounds of the tables; the oldest entry leaves first. */
const MAX_QUEUE_IDS = 65_536;
const MAX_PAIRS = 262_144;
const MAX_DOMAINS = 4096;
/** How long a network is known to have been used within its six hours, and a failed delivery whose retries are to be told: Postfix gives up after five days. */
const BLOCKS_MS = 86_400_000;
const FAILED_MS = 7 * 86_400_000;

/** The key under which the whole site is counted. */
export const SITE = "this server";

/**
 * Pairs of account and network that logged in, and that at least tried; pseudonyms, oldest first. Each begins with its account's mark.
 * usedAt: the slots in which those last logged in; undefined in models of before, and where nobody asks.
 */
export type KnownPairs = {
  readonly used: readonly string[];
  readonly tried: readonly string[];
  readonly usedAt?: readonly number[];
};

/** A pair's pseudonym, with the account's mark and as releases kept it that did not mark accounts. */
type PairNames = { readonly marked: string; readonly plain: string };
/** Pairs whose pseudonyms are remembered; only speed depends on it. */
const MAX_NAMES = 16_384;
const nameIn = (known: BoundedSet, { marked, plain }: PairNames): string =>
  known.has(plain) ? plain : marked;

/** What a line may say of entities: nothing, something of a client or account, of a message, or that a message is gone. */
const NOTHING = 0;
const CLIENT = 1;
const MESSAGE = 2;
const END = 4;

/** How the pairs of an account begin, so that they can be found and forgotten. Two of 100,000 accounts share one by chance. */
export const accountMark = (salt: string, account: string): string =>
  hash64(`${salt} ${account}`).slice(0, 8);

const isAuthenticated = (event: MailEvent): boolean =>
  event.event === "client" && event.fields["sasl_username"] !== undefined;

function roleOf(event: MailEvent): number {
  const name = event.event;
  const authenticated = isAuthenticated(event);
  let role = NOTHING;
  if (event.cause === "auth" || authenticated) role |= CLIENT;
  if (name === "login" || name === "connect" || name === "reject" || name === "postscreen_reject")
    role |= CLIENT;
  if (authenticated || name === "queue_active" || name === "delivery") role |= MESSAGE;
  return name === "removed" && role === NOTHING ? END : role;
}

/** reached: the domain of the last delivery that went well, so that several recipients of one domain are one message to it. */
type KnownMessage = { account?: string; nullSender: boolean; counted: boolean; reached?: string };

export type SavedEntities = {
  readonly messages: Map<string, KnownMessage>;
  readonly used: Set<string>;
  readonly tried: Set<string>;
  readonly blocks: SavedAging;
  readonly failed: SavedAging;
  /** Absent in states of before. */
  readonly own?: Set<string>;
};

/** Turns events into observations of entities. Holds what joins lines: queue ids, and networks known for an account. */
export class EntityReader {
  /** host + queue id -> what is known of the message. */
  #messages = new Map<string, KnownMessage>();
  /** "account network" pairs seen with a successful, or with any, log-in. */
  readonly #used = new BoundedSet(MAX_PAIRS);
  readonly #tried = new BoundedSet(MAX_PAIRS);
  readonly #salt: string;
  readonly #lineIds = new LineIds();
  readonly #clients = new LineClients();
  readonly #roles = new PlanMemo(roleOf);
  readonly #blocks = new AgingSet(BLOCKS_MS, MAX_PAIRS);
  readonly #failed = new AgingSet(FAILED_MS, MAX_PAIRS);
  /** Domains of which mail is delivered on this machine. */
  readonly #own = new BoundedSet(MAX_DOMAINS);
  /** By account and network; see PairNames. */
  readonly #names = new Map<string, PairNames>();
  readonly #onUsed: ((pair: string) => void) | undefined;

  /**
   * salt: of the pseudonyms under which accounts and networks are remembered. pairs: those of an earlier reader. onUsed: hears of the pair of
   * each log-in in time without doubt.
   */
  constructor(salt: string, pairs: KnownPairs = { used: [], tried: [] }, onUsed?: (pair: string) => void) {
    this.#salt = salt;
    this.#onUsed = onUsed;
    for (const pair of pairs.used) this.#used.add(pair);
    for (const pair of pairs.tried) this.#tried.add(pair);
  }

  /** The pairs of account and network met so far, as pseudonyms. */
  get pairs(): KnownPairs {
    return { used: this.#used.members, tried: this.#tried.members };
  }

  /** All of the tables, the model's pairs among them. */
  save(): SavedEntities {
    return {
      messages: this.#messages,
      used: this.#used.save(),
      tried: this.#tried.save(),
      blocks: this.#blocks.save(),
      failed: this.#failed.save(),
      own: this.#own.save(),
    };
  }

  load({ messages, used, tried, blocks, failed, own }: SavedEntities): void {
    this.#messages = messages;
    this.#used.load(used);
    this.#tried.load(tried);
    this.#blocks.load(blocks);
    this.#failed.load(failed);
    if (own) this.#own.load(own);
  }

  #namesOf(account: string, network: string): PairNames {
    const key = `${account} ${network}`;
    let names = this.#names.get(key);
    if (names === undefined) {
      const plain = hash64(`${this.#salt} ${key}`);
      names = { plain, marked: `${accountMark(this.#salt, account)}${plain}` };
      if (this.#names.size >= MAX_NAMES) this.#names.clear();
      this.#names.set(key, names);
    }
    return names;
  }

  /** Adds a pair to those that tried; true when it is new. */
  #meet(names: PairNames, doubtful: boolean): boolean {
    return this.#tried.add(nameIn(this.#tried, names), doubtful);
  }

  /** Account that sent the message of a queue id, while it is remembered. */
  accountOf(event: MailEvent): string | undefined {
    const queueId = this.#lineIds.queueId(event);
    return queueId === undefined ? undefined : this.#messages.get(`${event.host} ${queueId}`)?.account;
  }

  /** Pairs that were met in doubtful time alone are forgotten: when they come again they are new. */
  forgetDoubtful(): void {
    this.#used.forgetDoubtful();
    this.#tried.forgetDoubtful();
  }

  /** Pairs of log-ins that are too old to be known. */
  forgetUsed(isOld: (pair: string) => boolean): void {
    for (const pair of this.#used.members) if (isOld(pair)) this.#used.delete(pair);
  }

  /**
   * Appends what the line says of entities. Lines whose plan says nothing cost a look at a table. doubtful: the time may be that of an
   * attack, so what pairs it brings is not known for good.
   */
  read(event: MailEvent, out: Observation[], doubtful = false): void {
    const role = this.#roles.of(event);
    if (role === NOTHING) return;
    if (role === END) {
      const queueId = this.#lineIds.queueId(event);
      if (queueId !== undefined) this.#messages.delete(`${event.host} ${queueId}`);
      return;
    }
    const asked = (role & CLIENT) !== 0;
    const account = asked ? this.#clients.account(event).toLowerCase() : "";
    const network = asked ? networkOf(this.#clients.address(event)) : "";
    if (event.cause === "auth") this.#failure(account, network, out, doubtful);
    else if (event.event === "login" || isAuthenticated(event))
      this.#success(event, account, network, out, doubtful);
    if (event.event === "connect" && network !== "")
      out.push({ feature: FEATURE["connects_network"]!, key: network, count: 1 });
    if ((event.event === "reject" || event.event === "postscreen_reject") && network !== "") {
      out.push({ feature: FEATURE["rejects_network"]!, key: network, count: 1 });
    }
    if ((role & MESSAGE) !== 0 && event.queueId !== undefined) this.#message(event, account, out);
  }

  #failure(account: string, network: string, out: Observation[], doubtful: boolean): void {
    if (account !== "") out.push({ feature: FEATURE["auth_failures"]!, key: account, count: 1 });
    if (network !== "") out.push({ feature: FEATURE["auth_failures_network"]!, key: network, count: 1 });
    if (account === "" || network === "" || !this.#meet(this.#namesOf(account, network), doubtful)) return;
    out.push({ feature: FEATURE["auth_failures_new_network"]!, key: account, count: 1 });
    out.push({ feature: FEATURE["auth_failures_new_pair_site"]!, key: SITE, count: 1 });
  }

  #success(event: MailEvent, account: string, network: string, out: Observation[], doubtful: boolean): void {
    if (account === "" || network === "") return;
    const time = event.time ?? 0;
    const block = Math.floor(time / 21_600_000);
    if (this.#blocks.add(`${account} ${network} ${block}`, time))
      out.push({ feature: FEATURE["login_networks"]!, key: account, count: 1 });
    const names = this.#namesOf(account, network);
    this.#meet(names, doubtful);
    const pair = nameIn(this.#used, names);
    if (!doubtful) this.#onUsed?.(pair);
    if (!this.#used.add(pair, doubtful)) return;
    out.push({ feature: FEATURE["login_new_network"]!, key: account, count: 1 });
    out.push({ feature: FEATURE["login_new_network_site"]!, key: SITE, count: 1 });
  }

  #message(event: MailEvent, account: string, out: Observation[]): void {
    const key = `${event.host} ${event.queueId}`;
    let message = this.#messages.get(key);
    if (!message) {
      message = { nullSender: false, counted: false };
      this.#messages.set(key, message);
      if (this.#messages.size > MAX_QUEUE_IDS) this.#messages.delete(this.#messages.keys().next().value!);
    }
    const { fields } = event;
    if (isAuthenticated(event)) message.account = account;
    if (event.event === "queue_active" && !message.counted) {
      message.counted = true;
      const from = lower(fields["from"]);
      message.nullSender = from === "" && fields["from"] !== undefined;
      const sender = from.slice(from.lastIndexOf("@") + 1);
      if (sender !== "") out.push({ feature: FEATURE["messages_from"]!, key: sender, count: 1 });
      if (message.account !== undefined) {
        out.push({
          feature: FEATURE["recipients"]!,
          key: message.account,
          count: Math.min(10_000, Number(fields["nrcpt"] ?? 1) || 1),
        });
        out.push({ feature: FEATURE["messages"]!, key: message.account, count: 1 });
      }
    }
    if (event.event === "delivery") this.#delivery(event, key, message, out);
  }

  #delivery(event: MailEvent, key: string, message: KnownMessage, out: Observation[]): void {
    const to = lower(event.fields["to"]);
    const domain = to.slice(to.lastIndexOf("@") + 1);
    const status = event.fields["status"];
    if (status === "sent") {
      if (domain !== "" && isLocal(event)) this.#own.add(domain);
      if (message.nullSender && to !== "")
        out.push({ feature: FEATURE["null_sender_recipient"]!, key: to, count: 1 });
      if (to !== "" && message.reached !== domain)
        out.push({ feature: FEATURE["reached_messages"]!, key: domain, count: 1 });
      message.reached = domain;
      return;
    }
    const time = event.time ?? 0;
    if (to !== "" && (event.cause === "blocked" || event.cause === "throttled"))
      this.#refused(key, to, time, out);
    if (to === "" || !this.#failed.add(`${key} ${to}`, time)) return; // retries of one mail are one event
    out.push({ feature: FEATURE["failing_messages_recipient"]!, key: to, count: 1 });
    const hop = failingHop(String(event.fields["reason"] ?? ""));
    if (hop !== "" && this.#failed.add(`${key} >${hop}`, time)) {
      out.push({ feature: FEATURE["failing_messages_hop"]!, key: hop, count: 1 });
      const isUnknown = event.cause === "routing" && status === "bounced"; // no lookup to be tried again
      if (isUnknown && hop !== domain && this.#isOurs(hop))
        out.push({ feature: FEATURE["own_hop_not_found"]!, key: hop, count: 1 });
    }
    if (this.#failed.add(`${key} @${domain}`, time))
      out.push({ feature: FEATURE["failing_messages"]!, key: domain, count: 1 });
    if (message.account !== undefined)
      out.push({ feature: FEATURE["failing_messages_account"]!, key: message.account, count: 1 });
  }

  /** Whether a host lies in a domain of ours. */
  #isOurs(host: string): boolean {
    for (let dot = host.indexOf("."); dot > 0; dot = host.indexOf(".", dot + 1))
      if (this.#own.has(host.slice(dot + 1))) return true;
    return false;
  }

  /** Other servers think ill of us, or find that we send too much. A message counts once, and so does who sends again to the same recipient. */
  #refused(key: string, to: string, time: number, out: Observation[]): void {
    const first = this.#failed.add(`${key} refused`, time);
    if (this.#failed.add(`refused ${to}`, time) && first)
      out.push({ feature: FEATURE["refused_messages_site"]!, key: SITE, count: 1 });
  }
}

const LOCAL = /^postfix\/(?:local|virtual|lmtp)$/;
/** Whether a delivery ended here; what goes through a filter is queued anew. */
const isLocal = ({ daemon, fields }: MailEvent): boolean =>
  LOCAL.test(daemon) && !String(fields["reason"] ?? "").includes("queued as");

/** The host that a failed delivery names: a lookup that failed, or a connection. Many recipients' domains share it when a route is wrong. */
function failingHop(reason: string): string {
  const text = reason.slice(0, 500);
  const match =
    /Name service error for name=([\w.-]{1,255})/.exec(text) ?? /connect to ([\w.-]{1,255})\[/.exec(text);
  return match ? match[1]!.toLowerCase() : "";
}

const lower = (value: string | number | undefined): string => String(value ?? "").toLowerCase();

/** The /24 of an IPv4 address, the /48 of an IPv6 one; "" when it is neither. */
export function networkOf(address: string): string {
  const v4 = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(address);
  if (v4) return `${v4[1]}.0/24`;
  if (!/^[0-9a-fA-F:]{2,45}$/.test(address) || !address.includes(":")) return "";
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head.split(":").filter((g) => g !== "");
  if (tail !== undefined) while (groups.length < 3) groups.push("0");
  return `${groups.slice(0, 3).join(":")}::/48`;
}
