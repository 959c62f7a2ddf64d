import type { Server } from "./plan.ts";
import { type Stream, stream } from "./stream.ts";

/** Domains that were the recorded server's own; the first is its main one. */
export const RECORDED_OWN: readonly string[] = ["nordhav", "havnkontor", "fjordpost"];
/** Recorded domains to which mail goes; the first and the third are those that die or refuse. */
const CORRESPONDENTS: readonly string[] = [
  ..."deltaenergy hazelmail brightworks falconenergy cedarworks mapleparts metrotravel metrosoft stoneenergy".split(
    " ",
  ),
  ..."hazelprint northmotors emberprint quantapress bluemail cedarhealth".split(" "),
];
/** The recorded server's own host. */
const RECORDED_HOST = "mail";
/** Labels of hosts that say what a host is for; they stay. */
const GENERIC_HOST =
  /^(?:mx|mta|out|mail|smtp|relay|zen|bl|dsl|dyn|vps|static|mobile|cust|postmaster|ex|eop)-?\d*$/i;
/** Accounts that every server has; they stay. */
const ROLES = new Set(
  (
    "root postmaster abuse noreply info sales support admin office test accounts backup hr scan scanner mail service user contact board " +
    "sales-team nowhere invoice news bounce mailer-daemon webmaster ext.member full"
  ).split(" "),
);
const CONSONANTS = "bdfghklmnprstv";
const VOWELS = "aeiou";
/** Names made up for one server are bounded, since texts may hold any. */
const MAX_NAMES = 50_000;
/** Share of correspondents who are drawn anew for each message. */
const NEW_PERSON = 0.5;

const capitalLike = (word: string, like: string): string =>
  like !== "" && like === like.toUpperCase() && /[A-Z]/.test(like) ? word.toUpperCase() : word;

function word(random: Stream, syllables: number): string {
  let made = "";
  for (let i = 0; i < syllables; i++)
    made += CONSONANTS[random.int(CONSONANTS.length)]! + VOWELS[random.int(VOWELS.length)]!;
  return made;
}

/** Other names for all that the recordings name, the same name for the same thing, and others for another server. */
export class NameBook {
  /** False: names and addresses stay as recorded. */
  readonly renames: boolean;
  private readonly server: Server;
  private readonly seed: number;
  private readonly made = new Map<string, string>();
  /** Accounts of the recorded server, by local part; a typo of one becomes the typo of its new name. */
  private readonly accounts = new Map<string, string>();
  private readonly typos = new Map<string, string>();

  /** accounts: the local parts of the recorded server's people, e.g. "finn.olsen". */
  constructor(server: Server, seed: number, accounts: Iterable<string>) {
    this.server = server;
    this.seed = seed;
    this.renames = server.domain !== undefined;
    const own = server.own?.accounts ?? [];
    let n = 0;
    for (const account of accounts) {
      const name = own.length > 0 ? own[n++ % own.length]! : this.person(account);
      this.accounts.set(account, name);
      this.typos.set(account.slice(0, -1), name.slice(0, -1));
    }
  }

  /** The whole domain that stands for a recorded one, e.g. of "deltaenergy" (written without its ".example"). */
  private domain(label: string): string {
    const low = label.toLowerCase();
    const own = RECORDED_OWN.indexOf(low);
    if (own === 0) return this.server.domain!;
    const destinations = this.server.own?.destinations ?? [];
    const known = own < 0 && destinations.length > 0 ? CORRESPONDENTS.indexOf(low) : -1;
    return known >= 0 ? destinations[known % destinations.length]! : `${this.name("domain", low, 4)}.example`;
  }

  /** A whole host name ending in .example, in the case it was written in where that was all capitals. */
  host(name: string): string {
    if (!this.renames) return name;
    const labels = name.split(".");
    const last = labels.length - 2;
    const own = labels[last]!.toLowerCase() === RECORDED_OWN[0];
    const renamed = labels.slice(0, last).map((label) => {
      if (own && label.toLowerCase() === RECORDED_HOST) return this.server.host;
      if (/^\d+$/.test(label)) return label;
      if (!own && GENERIC_HOST.test(label)) return label;
      const [, stem, tail] = /^(.*?)(-gw\d+|\d*)$/.exec(label)!;
      return capitalLike(this.name("host", stem!.toLowerCase(), 2), stem!) + tail;
    });
    const [, stem, tail = ""] = /^(.*?)(\.example)?$/.exec(this.domain(labels[last]!))!;
    return [...renamed, capitalLike(stem!, labels[last]!) + tail].join(".");
  }

  /** Whether a local part at an own domain is one of the recorded server's people. */
  isAccount(local: string): boolean {
    return this.accounts.has(local);
  }

  /** A local part at an own domain; undefined when it is no name but random letters. */
  ownLocal(local: string): string | undefined {
    if (!this.renames) return local;
    const known = this.accounts.get(local) ?? this.typos.get(local);
    if (known !== undefined) return known;
    return ROLES.has(local.toLowerCase()) ? local : undefined;
  }

  /** A correspondent's local part: the same for the same recorded one, or somebody new half of the time. */
  correspondent(local: string, random: Stream): string {
    if (!this.renames || ROLES.has(local)) return local;
    if (random.uniform() >= NEW_PERSON) return this.person(local);
    return personOf(random, local);
  }

  /** The name that stands for a recorded word of a kind ("domain", "host", "selector"). */
  name(kind: string, text: string, syllables: number): string {
    return this.remember(`${kind}/${text}`, (random) => word(random, syllables));
  }

  private person(local: string): string {
    return this.remember(`person/${local}`, (random) => personOf(random, local));
  }

  private remember(key: string, make: (random: Stream) => string): string {
    const known = this.made.get(key);
    if (known !== undefined) return known;
    const name = make(stream(this.seed, "name", this.server.domain ?? "", key));
    if (this.made.size < MAX_NAMES) this.made.set(key, name);
    return name;
  }
}

/** A person's local part, written as `like` is: with a dot, an underscore or in one, with or without a number. */
function personOf(random: Stream, like: string): string {
  const first = word(random, 2);
  const mark = /[._]/.exec(like)?.[0] ?? "";
  const last = mark === "" && !/^[a-z]{9,}/.test(like) ? "" : word(random, 3);
  const digits = /\d+$/.test(like) ? String(10 + random.int(90)) : "";
  return `${first}${mark}${last}${digits}`;
}
