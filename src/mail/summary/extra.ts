import { detached } from "../../log/lines.ts";
import { loginFields } from "../dovecot-login.ts";
import type { MailEvent } from "../event.ts";
import { refusalAnswer } from "../postfix-action.ts";
import { saslFields } from "../warning.ts";
import type { Message } from "./message.ts";
import { providerOf } from "./provider.ts";
import type { Delivery } from "./record.ts";
import { Sketch } from "./sketch.ts";
import { type Bounded, type Leaf, OURS, Table, Tree } from "./table.ts";

const MAX_ROWS = 5000;
/** Different addresses of one user that are counted, and of all together. */
const MAX_ADDRESSES = 1000;
const MAX_PAIRS = 50_000;
/** Messages of users whose number of recipients is not known yet. */
const MAX_WAITING = 20_000;
/** Ways of encryption that are known by their whole text. */
const MAX_KINDS = 1000;
const TEXT = 120;

/** What follows the address in `TLS connection established from h[192.0.2.9]: TLSv1.3 with cipher C (256/256 bits)`. */
const ESTABLISHED = /^\](?::\d+)?: (\S+) with cipher (\S+)/;
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
  private readonly inward = new Map<string, Leaf>();
  private readonly outward = new Map<string, Leaf>();
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

  add(message: Message): void {
    const { event } = message;
    switch (event.event) {
      case "client":
        this.client(message.body);
        break;
      case "queue_active":
        this.queued(message.body);
        break;
      case "tls_established":
        this.established(message.body);
        break;
      case "tls_failure": {
        const direction = OUTWARD.has(message.writer.daemon) ? "out" : "in";
        this.tlsFailures.add(1, direction, "", event.template.slice(0, TEXT));
        break;
      }
      case "login":
        this.login(message);
        break;
      case "auth_failure":
        this.failure(message);
        break;
      case "logout":
      case "session_end":
        this.ended(message.body);
        break;
      case "reject":
      case "milter_reject":
        this.reject(message);
        if (message.writer.daemon === "postscreen") this.screen("rejected");
        break;
      default:
        if (message.writer.daemon === "postscreen") this.screened(message);
    }
  }

  private client(body: string): void {
    const key = body.indexOf("sasl_username=");
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
      this.users.set(detached(name), user);
    }
    user.messages++;
    const open = body.indexOf("[");
    const close = body.indexOf("]", open);
    const address = open < 0 || close < 0 ? "" : body.slice(open + 1, close);
    if (user.addresses.size < MAX_ADDRESSES && this.pairs < MAX_PAIRS && !user.addresses.has(address)) {
      user.addresses.add(detached(address));
      this.pairs++;
    }
    const colon = body.indexOf(":");
    if (this.waiting.size < MAX_WAITING) this.waiting.set(detached(body.slice(0, colon)), user);
  }

  private queued(body: string): void {
    if (this.waiting.size === 0) return;
    const id = body.slice(0, body.indexOf(":"));
    const user = this.waiting.get(id);
    if (user === undefined) return;
    this.waiting.delete(id);
    const key = body.indexOf("nrcpt=");
    if (key > 0) user.recipients += Number.parseInt(body.slice(key + 6, key + 14), 10) || 0;
  }

  private established(body: string): void {
    const at = body.indexOf("established ");
    const end = body.indexOf("]", at);
    if (at < 0 || end < 0) return;
    const out = body.startsWith("to ", at + "established ".length);
    const kinds = out ? this.outward : this.inward;
    const text = body.slice(end);
    let kind = kinds.get(text);
    if (kind === undefined) {
      const m = ESTABLISHED.exec(text);
      if (m === null) return;
      kind = this.tls.leaf(out ? "out" : "in", m[1]!, m[2]!);
      if (kind === undefined) return;
      if (kinds.size < MAX_KINDS) kinds.set(detached(text), kind);
    }
    kind[OURS]++;
  }

  private screen(what: string): void {
    this.postscreen.set(what, (this.postscreen.get(what) ?? 0) + 1);
  }

  private screened(message: Message): void {
    const name = SCREENED[message.event.event];
    if (name === undefined) return;
    if (name === "pass") this.screen(message.body.startsWith("PASS OLD") ? "pass_old" : "pass_new");
    else if (name === "list")
      this.screen(/^(?:BLACK|DENY)/.test(message.body) ? "denylisted" : "allowlisted");
    else this.screen(name);
  }

  private login({ event, body }: Message): void {
    if (!event.daemon.startsWith("dovecot")) return;
    this.dovecot.logins++;
    const m = LOGIN.exec(body);
    const user = m?.[1] ?? String(event.fields["user"] ?? "?");
    this.logins.add(OURS, this.logins.row(user), user);
    this.methods.add(1, event.daemon.slice(8), "", m?.[2] ?? "?");
  }

  private failure({ event, body }: Message): void {
    const { daemon } = event;
    const ofDovecot = daemon.startsWith("dovecot");
    if (ofDovecot) this.dovecot.failures++;
    const known = daemon.endsWith("-login") ? loginFields(body) : ofDovecot ? undefined : saslFields(body);
    const fields = known ?? event.fields;
    const user = String(fields["sasl_username"] ?? fields["user"] ?? "?");
    const address = String(fields["client_address"] ?? fields["rip"] ?? "?");
    this.failures.add(1, ofDovecot ? "dovecot" : daemon, user, address);
  }

  private ended(body: string): void {
    this.dovecot.sessions++;
    const m = BYTES.exec(body);
    if (m === null) return;
    this.dovecot.bytes_in += Number(m[1]);
    this.dovecot.bytes_out += Number(m[2]);
  }

  private reject({ event, writer, body }: Message): void {
    const server = writer.daemon === "smtpd" || writer.daemon === "postscreen";
    const answer = (server ? refusalAnswer(body) : undefined) ?? answerOf(event);
    const reason = answer.reason.replace(/<[^>]{0,320}>|\[[0-9a-fA-F.:]{3,45}\]/g, "*");
    this.rejects.add(1, event.cause ?? "other", String(answer.code), reason.slice(0, TEXT));
  }

  delivery(event: MailEvent, d: Delivery): void {
    if (d.status === "sent") {
      const parts = d.delays.split("/", 5);
      if (parts.length === 4) for (let i = 0; i < 4; i++) this.delays[i]!.addText(parts[i]!);
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

function answerOf({ fields }: MailEvent): { code: string | number; reason: string } {
  return { code: fields["reply_code"] ?? fields["dsn"] ?? "", reason: String(fields["reason"] ?? "") };
}

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
