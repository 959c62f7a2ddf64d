import type { HeaderFormat } from "../compose/header.ts";
import { headerFormOf } from "../compose/header-form.ts";
import type { Own } from "../compose/plan.ts";
import type { MailEvent } from "../mail/event.ts";

/** What a server looks like in its log, so that lines can be composed that look like its own. */

/** What composed lines must have of a server to look like its own. */
export type Sketch = {
  readonly host: string;
  readonly domain: string | undefined;
  readonly zone: string;
  readonly header: HeaderFormat;
  readonly mailsPerDay: number;
  readonly own: Own;
  /** Whether accounts are logged without their domain. */
  readonly bare: boolean;
  /** Programs of the recordings that the server has not. */
  readonly without: readonly string[];
  /** The program, beside Postfix's own, that writes the most lines. */
  readonly busiest: string;
};

/** Names that a log can make a sketch remember. */
const MAX_NAMES = 200;
const DOMAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;
const LOCAL: ReadonlySet<string> = new Set([
  "postfix/lmtp",
  "postfix/local",
  "postfix/virtual",
  "postfix/pipe",
]);
/** Of so many lines the head of one is looked at, the first among them. */
const LINES_A_HEAD = 20;
/** Fewer deliveries a day than this are no server that faults could be composed for. */
const MIN_MAILS = 10;

/** Programs of the recordings that a server may be without. */
const OPTIONAL = ["dovecot", "opendkim", "opendmarc", "postscreen", "rspamd", "postgrey"];
/** As many of a server's own names as episodes can use. */
const OWN = { accounts: 24, networks: 24, destinations: 15 };
/** An account's local part, and an IPv4 network's first three octets with a dot. */
const LOCAL_PART = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
const NETWORK = /^((?:\d{1,3}\.){2}\d{1,3})\.\d{1,3}$/;

/** Learns from a server's lines what it is called, what it has, and how much mail. */
export class Sketcher {
  readonly #hosts = new Map<string, number>();
  readonly #domains = new Map<string, number>();
  readonly #accounts = new Map<string, number>();
  readonly #networks = new Map<string, number>();
  readonly #destinations = new Map<string, number>();
  readonly #programs = new Map<string, number>();
  readonly #heads = new Map<HeaderFormat | undefined, number>();
  #lines = 0;
  #deliveries = 0;
  #bare = 0;
  #full = 0;

  see(event: MailEvent): void {
    if (this.#lines++ % LINES_A_HEAD === 0) {
      const form = headerFormOf(event.text);
      this.#heads.set(form, (this.#heads.get(form) ?? 0) + 1);
    }
    count(this.#programs, event.daemon);
    if (event.event === "login") this.#login(event);
    if (event.event !== "delivery" || !event.daemon.startsWith("postfix/")) return;
    this.#deliveries++;
    count(this.#hosts, event.host);
    const domain = String(event.fields["to"] ?? "")
      .split("@")[1]
      ?.toLowerCase();
    if (domain === undefined || !DOMAIN.test(domain)) return;
    if (LOCAL.has(event.daemon)) count(this.#domains, domain);
    else if (event.daemon === "postfix/smtp") count(this.#destinations, domain);
  }

  #login({ fields }: MailEvent): void {
    const user = String(fields["user"] ?? "");
    const [local = "", domain] = user.split("@", 2);
    if (!LOCAL_PART.test(local)) return;
    if (domain === undefined) this.#bare++;
    else this.#full++;
    count(this.#accounts, domain === undefined ? local : `${local}@${domain.toLowerCase()}`);
    const network = NETWORK.exec(String(fields["rip"] ?? ""))?.[1];
    if (network !== undefined) count(this.#networks, network);
  }

  /** The form of most heads; undefined where that is none that can be written. */
  get header(): HeaderFormat | undefined {
    return [...this.#heads].sort((a, b) => b[1] - a[1])[0]?.[0];
  }

  /** Undefined for a server of whose kind nothing is recorded, without Postfix or with next to no mail, and for heads that can't be written. */
  sketch(zone: string, days: number): Sketch | undefined {
    const { header } = this;
    const host = most(this.#hosts)[0];
    const mailsPerDay = Math.round(this.#deliveries / Math.max(1, days));
    if (host === undefined || header === undefined || mailsPerDay < MIN_MAILS) return undefined;
    const domain = most(this.#domains)[0];
    const bare = this.#bare > this.#full;
    const accounts = most(this.#accounts)
      .filter((name) => bare || name.endsWith(`@${domain}`))
      .map((name) => name.split("@")[0]!)
      .slice(0, OWN.accounts);
    const networks = most(this.#networks).slice(0, OWN.networks);
    const destinations = most(this.#destinations)
      .filter((name) => name !== domain)
      .slice(0, OWN.destinations);
    const programs = [...this.#programs.keys()];
    return {
      ...{ host, domain, zone, header, mailsPerDay, bare },
      own: { accounts, networks, destinations },
      without: OPTIONAL.filter((name) => !programs.some((daemon) => daemon.split("/").includes(name))),
      busiest: most(this.#programs).find((daemon) => !daemon.startsWith("postfix/")) ?? "postfix/smtpd",
    };
  }
}

/** A composed line with accounts as the server logs them. */
export function asWritten(text: string, { bare, domain }: Pick<Sketch, "bare" | "domain">): string {
  if (!bare || domain === undefined) return text;
  const at = `@${domain}`;
  return text.replace(ACCOUNT, (whole, before: string, name: string) =>
    name.endsWith(at) ? before + name.slice(0, -at.length) : whole,
  );
}
const ACCOUNT = /(\buser=<|\bsasl_username=|\b(?:imap|pop3|lmtp)\()([^<>()\s,]{1,320})/g;

function count(names: Map<string, number>, name: string): void {
  if (names.size < MAX_NAMES || names.has(name)) names.set(name, (names.get(name) ?? 0) + 1);
}

/** The names, the commonest first. */
const most = (names: ReadonlyMap<string, number>): string[] =>
  [...names].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
