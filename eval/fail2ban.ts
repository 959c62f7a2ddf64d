// Does our reading denote what fail2ban's filters ban for, and name the same host? node dist/eval/fail2ban.js [FILE]
// Truth: fail2ban's own test lines. With a file's name, prints each line where we differ. One rule for all programs (blame).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ParsedMail } from "../src/mail/grammar.ts";
import { parseMail } from "../src/mail/grammar.ts";
import { corpusEnvelope } from "./local-envelope.ts";

/** What a client did, as operators choose what to ban for. */
type Blame = "auth" | "reject" | "rbl" | "errors" | "protocol" | "probe" | undefined;

/** fail2ban's modes: what each bans for. `normal` is the one of filters without modes. */
const MODES: Readonly<Record<string, ReadonlySet<Blame>>> = {
  normal: new Set<Blame>(["auth", "reject", "rbl", "errors", "protocol"]),
  auth: new Set<Blame>(["auth"]),
  errors: new Set<Blame>(["errors"]),
  rbl: new Set<Blame>(["rbl"]),
};
const ALL = new Set<Blame>(["auth", "reject", "rbl", "errors", "protocol", "probe"]);
const wanted = (mode: string): ReadonlySet<Blame> => MODES[mode] ?? ALL; // more, ddos, extra, aggressive

/** Commands after which a lost connection is no probe: the client was at work, and another line tells the outcome. */
const AT_WORK = /^(?:AUTH|MAIL|RCPT|DATA|BDAT|END-OF-MESSAGE|RSET|QUIT)/;

/** What the event says against the client. Event, cause and fields alone decide, whatever the program. */
function blame(mail: ParsedMail): Blame {
  const { event, cause, fields } = mail;
  if (cause === "auth_backend") return undefined; // our own fault
  switch (event) {
    case "auth_failure":
      // Asking for a mechanism that is not offered is a probe, no guess at a password.
      return /authentication mechanism$/i.test(String(fields["reason"] ?? "")) ? "probe" : "auth";
    case "login_aborted":
      return cause === "auth" || /tried to use dis\w+ .{0,20}auth/.test(String(fields["reason"] ?? ""))
        ? "auth"
        : "probe";
    case "reject":
    case "milter_reject":
    case "discard":
      return cause === "rbl" ? "rbl" : "reject";
    case "too_many_errors":
      return "errors";
    case "protocol_error":
      return "protocol";
    case "filter_result":
      return /spam|tossed|reject|blocked|infected/i.test(String(fields["verdict"] ?? ""))
        ? "reject"
        : undefined;
    case "tls_failure":
    case "hostname_mismatch":
    case "timeout":
    case "limit_reached":
    case "postscreen_pregreet":
    case "postscreen_hangup":
    case "postscreen_violation":
      return "probe";
    case "connection_lost":
      return AT_WORK.test(String(fields["stage"] ?? "")) ? undefined : "probe";
    case "disconnect":
      return idle(mail) ? "probe" : undefined;
    case "client":
    case "pickup":
      return fields["nrcpt"] === 0 ? "reject" : undefined; // no recipient was accepted
    case "ban":
      return fields["action"] === "Ban" && fields["jail"] !== "recidive" ? "errors" : undefined;
    default:
      return undefined;
  }
}

/** A connection that ended with log-ins tried in vain and no mail, or with nothing tried at all. */
function idle({ fields }: ParsedMail): boolean {
  if (/^(?:no MAIL in|.{0,400}did not issue)/.test(String(fields["reason"] ?? ""))) return true;
  return Number(fields["auth_all"] ?? 0) > Number(fields["auth_ok"] ?? 0) && fields["mail_ok"] === undefined;
}

const hostOf = (mail: ParsedMail): string | undefined => {
  const host = mail.fields["client_address"] ?? mail.fields["rip"];
  return host === undefined || host === "" ? undefined : String(host);
};

type Session = { host: string | undefined; tried: Set<string>; open: boolean; told: boolean };
type Verdict = { readonly blame: Blame; readonly host: string | undefined };

/**
 * Joins the lines of one process: an address that an earlier line told; failures that say little alone (a key that an
 * agent offered, PAM's account of what sshd says next, a failure before the address is known) count when the session
 * ends, or when another account than theirs is tried, and not when that account gets in.
 */
class Sessions {
  readonly #known = new Map<string, Session>();

  take(mail: ParsedMail): Verdict {
    const own = blame(mail);
    if (mail.session === undefined || !/^sshd|^dropbear/.test(mail.daemon))
      return { blame: own, host: hostOf(mail) };
    const s = this.#known.get(mail.session) ?? {
      host: undefined,
      tried: new Set(),
      open: false,
      told: false,
    };
    this.#known.set(mail.session, s);
    const before = s.host;
    s.host = hostOf(mail) ?? s.host;
    return { blame: this.#judge(mail, own, s, before), host: s.host };
  }

  #judge(mail: ParsedMail, own: Blame, s: Session, before: string | undefined): Blame {
    const { event, fields } = mail;
    const user = String(fields["user"] ?? "");
    if (event === "connect") {
      s.tried.clear();
      s.open = false;
      s.told = false;
      s.host = hostOf(mail) ?? before;
      return undefined;
    }
    if (event === "auth_success") {
      const others = [...s.tried].some((name) => name !== user);
      s.tried.clear();
      s.open = false;
      return others ? "auth" : undefined;
    }
    if (event === "hostname_mismatch") return undefined; // the outcome follows
    const mild =
      event === "auth_failure" &&
      ((fields["method"] === "publickey" && fields["reason"] !== "invalid user") ||
        (fields["method"] === "pam" && fields["reason"] === undefined));
    if (mild || (own !== undefined && s.host === undefined)) {
      const another = s.tried.size > 0 && mild && !s.tried.has(user);
      s.tried.add(user);
      s.open = true;
      return another ? "auth" : undefined;
    }
    if ((event === "login_aborted" || event === "disconnect") && s.open) {
      s.open = false;
      s.told = true;
      s.tried.clear();
      return "auth";
    }
    if (event === "too_many_errors" && s.told && !s.open) return undefined; // told already
    if (own === "errors" || own === "auth") {
      s.open = false;
      s.told = true;
    }
    return own;
  }
}

type Truth = {
  readonly line: number;
  readonly match: boolean;
  readonly host?: string;
  readonly filterOptions?: string;
  readonly desc?: string;
};

/** The modes for which a truth holds; its words say it where the options were lost. */
function modesOf(truth: Truth): string[] {
  if (/\bin normal mode\b/.test(truth.desc ?? "")) return ["normal"];
  if (/aggressive mode only/.test(truth.desc ?? "")) return [truth.match ? "aggressive" : "normal"];
  const options = truth.filterOptions ?? "";
  const named = [...options.matchAll(/"mode": ?"(\w+)"/g)].map((m) => m[1]!);
  if (/\{\}/.test(options) || named.length === 0) named.push("normal");
  return named;
}

/** Files whose lines are in one program's own format; the others name their program. */
const PROGRAM: Readonly<Record<string, string>> = {
  exim: "exim",
  "exim-spam": "exim",
  "sshd-journal": "sshd",
  "mysqld-auth": "mysqld",
  "named-refused": "named",
  "roundcube-auth": "roundcube",
  "solid-pop3d": "solid-pop3d",
  recidive: "fail2ban",
};

const REQUIRED = new Set(["postfix", "dovecot", "exim", "exim-spam", "sshd", "sshd-journal"]);

function evaluate(root: string, only: string | undefined): void {
  process.stdout.write("file                 lines  match right  host right\n");
  let missed = 0;
  for (const file of readdirSync(root)) {
    if (!file.endsWith(".truth.jsonl")) continue;
    const name = file.slice(0, -12);
    const lines = readFileSync(join(root, `${name}.log`), "utf8").split("\n");
    const truths = readFileSync(join(root, file), "utf8")
      .split("\n")
      .filter((t) => t !== "")
      .map((t) => JSON.parse(t) as Truth);
    const sessions = new Sessions();
    const verdicts = lines.map((text) => {
      const mail = parseMail(corpusEnvelope(text, PROGRAM[name] ?? ""));
      return { mail, ...sessions.take(mail) };
    });
    let [matches, hosts, named] = [0, 0, 0];
    for (const truth of truths) {
      const verdict = verdicts[truth.line - 1]!;
      const right = modesOf(truth).every(
        (mode) => (wanted(mode).has(verdict.blame) && verdict.host !== undefined) === truth.match,
      );
      if (right) matches++;
      const asked = truth.match && truth.host !== undefined;
      if (asked) named++;
      const same = asked && verdict.host?.toLowerCase() === truth.host!.toLowerCase();
      if (same) hosts++;
      if (name === only && (!right || (asked && !same)))
        process.stdout.write(
          `  ${truth.line} ${truth.match ? "match" : "none"} ${truth.host ?? ""} [${modesOf(truth)}] ours: ${verdict.blame} ${verdict.host} (${verdict.mail.event} ${verdict.mail.cause})\n      ${JSON.stringify(lines[truth.line - 1]!.slice(0, 240))}\n`,
        );
    }
    if (REQUIRED.has(name)) missed += truths.length - matches + named - hosts;
    const row = [`${matches}/${truths.length}`.padStart(11), `${hosts}/${named}`.padStart(11)].join(" ");
    process.stdout.write(
      `${(name + (REQUIRED.has(name) ? " *" : "")).padEnd(20)}${String(truths.length).padStart(6)} ${row}\n`,
    );
  }
  process.stdout.write(`* required; ${missed} differences there\n`);
}

const root = join(process.env.LOGVANE_DATA ?? "../shared/data", "maillogs", "fail2ban");
if (existsSync(root)) evaluate(root, process.argv[2]);
else {
  process.stderr.write(`no data at ${root}: set LOGVANE_DATA\n`);
  process.exitCode = 66;
}
