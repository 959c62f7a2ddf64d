import type { MailEvent } from "../event.ts";
import type { Located, Writer } from "./message.ts";
import type { Delivery } from "./postfix.ts";
import { providerOf } from "./provider.ts";
import { Sketch } from "./sketch.ts";
import { type Bounded, OURS, Table, Tree } from "./table.ts";

const MAX_ROWS = 5000;
/** Different addresses of one user that are counted, and of all together. */
const MAX_ADDRESSES = 1000;
const MAX_PAIRS = 50_000;
/** Messages of users whose number of recipients is not known yet. */
const MAX_WAITING = 20_000;
const TEXT = 120;

const ESTABLISHED = /established (from|to) [^[]*\[[^\]]*\](?::\d+)?: (\S+) with cipher (\S+)/;
const LOGIN = /user=<([^>]*)>(?:, method=([^,\s]*))?(?:, rip=([^,\s]*))?/;
const BYTES = /\bin=(\d+),? out=(\d+)/;

type User = { messages: number; recipients: number; readonly addresses: Set<string> };

export const DELAY_PARTS = ["a", "b", "c", "d", "total"] as const;

/** What pflogsumm has no view of: users, TLS, postscreen, Dovecot, refusals by cause, providers, delays. */
export class ExtraCount {
  readonly users: Map<string, User> = new Map();
  private readonly waiting = new Map<string, User>();
  private pairs = 0;
  private usersLeftOut = 0;
  readonly tls: Tree = new Tree("tls_connections", MAX_ROWS);
  readonly tlsFailures: Tree = new Tree("tls_failures", MAX_ROWS);
  /** By what postscreen did with a client. */
  readonly postscreen: Map<string, number> = new Map();
  readonly logins: Table = new Table("dovecot_users", MAX_ROWS);
  readonly methods: Tree = new Tree("dovecot_methods", MAX_ROWS);
  readonly failures: Tree = new Tree("auth_failures", MAX_ROWS);
  readonly rejects: Tree = new Tree("reject_classes", MAX_ROWS);
  readonly providers: Tree = new Tree("provider_deferrals", MAX_ROWS);
  readonly delays: readonly Sketch[] = DELAY_PARTS.map(() => new Sketch());
  readonly dovecot = { logins: 0, failures: 0, sessions: 0, bytes_in: 0, bytes_out: 0 };

  add(event: MailEvent, writer: Writer, where: Located): void {
    switch (event.event) {
      case "client":
        this.client(where);
        break;
      case "queue_active":
        this.queued(where);
        break;
      case "tls_established":
        this.established(where);
        break;
      case "tls_failure":
        this.tlsFailures.add(1, OUTWARD.has(writer.daemon) ? "out" : "in", "", event.template.slice(0, TEXT));
        break;
      case "login":
        this.login(event, where);
        break;
      case "auth_failure":
        this.failure(event);
        break;
      case "logout":
      case "session_end":
        this.ended(where);
        break;
      case "reject":
      case "milter_reject":
        this.reject(event);
        if (writer.daemon === "postscreen") this.screen("rejected");
        break;
      default:
        if (writer.daemon === "postscreen") this.screened(event, where);
    }
  }

  private client(where: Located): void {
    const { body, at } = where;
    const key = body.indexOf("sasl_username=", at);
    if (key < 0) return;
    const comma = body.indexOf(", ", key);
    const name = body.slice(key + 14, comma < 0 ? undefined : comma);
    let user = this.users.get(name);
    if (user === undefined) {
      if (this.users.size >= MAX_ROWS) {
        this.usersLeftOut++;
        return;
      }
      user = { messages: 0, recipients: 0, addresses: new Set() };
      this.users.set(copy(name), user);
    }
    user.messages++;
    const open = body.indexOf("[", at);
    const close = body.indexOf("]", open);
    const address = open < 0 || close < 0 ? "" : body.slice(open + 1, close);
    if (user.addresses.size < MAX_ADDRESSES && this.pairs < MAX_PAIRS && !user.addresses.has(address)) {
      user.addresses.add(copy(address));
      this.pairs++;
    }
    const colon = body.indexOf(":", at);
    if (this.waiting.size < MAX_WAITING) this.waiting.set(copy(body.slice(at, colon)), user);
  }

  private queued(where: Located): void {
    if (this.waiting.size === 0) return;
    const { body, at } = where;
    const id = body.slice(at, body.indexOf(":", at));
    const user = this.waiting.get(id);
    if (user === undefined) return;
    this.waiting.delete(id);
    const key = body.indexOf("nrcpt=", at);
    if (key > 0) user.recipients += Number.parseInt(body.slice(key + 6, key + 14), 10) || 0;
  }

  private established(where: Located): void {
    const m = ESTABLISHED.exec(where.at === 0 ? where.body : where.body.slice(where.at));
    if (m !== null) this.tls.add(1, m[1] === "from" ? "in" : "out", m[2]!, m[3]!);
  }

  private screen(what: string): void {
    this.postscreen.set(what, (this.postscreen.get(what) ?? 0) + 1);
  }

  private screened(event: MailEvent, where: Located): void {
    const name = SCREENED[event.event];
    if (name === undefined) return;
    const { body, at } = where;
    if (event.event === "postscreen_pass")
      this.screen(body.startsWith("PASS OLD", at) ? "pass_old" : "pass_new");
    else if (event.event === "postscreen_list")
      this.screen(/^(?:BLACK|DENY)/.test(body.slice(at, at + 8)) ? "denylisted" : "allowlisted");
    else this.screen(name);
  }

  private login(event: MailEvent, where: Located): void {
    if (!event.daemon.startsWith("dovecot")) return;
    this.dovecot.logins++;
    const m = LOGIN.exec(where.body.slice(where.at));
    this.logins.add(OURS, m?.[1] ?? String(event.fields["user"] ?? "?"));
    this.methods.add(1, event.daemon.slice(8), "", m?.[2] ?? "?");
  }

  private failure(event: MailEvent): void {
    const { fields, daemon } = event;
    const ofDovecot = daemon.startsWith("dovecot");
    if (ofDovecot) this.dovecot.failures++;
    const user = String(fields["sasl_username"] ?? fields["user"] ?? "?");
    this.failures.add(
      1,
      ofDovecot ? "dovecot" : daemon,
      user,
      String(fields["client_address"] ?? fields["rip"] ?? "?"),
    );
  }

  private ended(where: Located): void {
    this.dovecot.sessions++;
    const m = BYTES.exec(where.body.slice(where.at));
    if (m === null) return;
    this.dovecot.bytes_in += Number(m[1]);
    this.dovecot.bytes_out += Number(m[2]);
  }

  private reject(event: MailEvent): void {
    const { fields } = event;
    const code = String(fields["reply_code"] ?? fields["dsn"] ?? "");
    const reason = String(fields["reason"] ?? "").replace(/<[^>]{0,320}>|\[[0-9a-fA-F.:]{3,45}\]/g, "*");
    this.rejects.add(1, event.cause ?? "other", code, reason.slice(0, TEXT));
  }

  delivery(event: MailEvent, d: Delivery): void {
    if (d.status === "sent") {
      const parts = d.delays.split("/", 5);
      if (parts.length === 4)
        for (let i = 0; i < 4; i++) {
          const value = Number(parts[i]);
          if (value >= 0) this.delays[i]!.add(value);
        }
      if (d.delay >= 0) this.delays[4]!.add(d.delay);
    } else if (d.status === "deferred") {
      const code = /\bsaid: (\d{3})|refused to talk to me: (\d{3})/.exec(d.tail);
      const reply = code === null ? d.dsn : `${code[1] ?? code[2]} ${d.dsn}`;
      this.providers.add(1, providerOf(relayHost(d)), reply.trimEnd(), event.cause ?? "other");
    }
  }

  /** Users with their figures, most messages first. */
  userRows(): { user: string; messages: number; recipients: number; addresses: number }[] {
    return [...this.users]
      .map(([user, u]) => ({
        user,
        messages: u.messages,
        recipients: u.recipients,
        addresses: u.addresses.size,
      }))
      .sort((a, b) => b.messages - a.messages || (a.user < b.user ? -1 : 1));
  }

  bounded(out: Bounded[]): void {
    if (this.usersLeftOut > 0)
      out.push({ table: "sasl_users", rows: this.users.size, left_out: this.usersLeftOut });
    for (const t of [
      this.tls,
      this.tlsFailures,
      this.logins,
      this.methods,
      this.failures,
      this.rejects,
      this.providers,
    ])
      t.bounded(out);
  }
}

const copy = (text: string): string => ` ${text}`.slice(1);

/** The next hop of a delivery: the relay, else the host that it could not reach, else the recipient's domain. */
function relayHost(d: Delivery): string {
  if (d.relay !== "none") {
    const end = d.relay.indexOf("[");
    return end < 0 ? d.relay : d.relay.slice(0, end);
  }
  const told = /\bconnect to ([^[\s]{1,255})\[/.exec(d.tail);
  return told?.[1] ?? d.to.slice(d.to.lastIndexOf("@") + 1);
}

const OUTWARD = new Set(["smtp", "lmtp"]);
const SCREENED: Readonly<Record<string, string | undefined>> = {
  postscreen_connect: "connected",
  postscreen_pass: "pass",
  postscreen_list: "list",
  postscreen_pregreet: "pregreet",
  postscreen_hangup: "hangup",
  postscreen_dnsbl: "dnsbl",
  postscreen_violation: "violation",
};
