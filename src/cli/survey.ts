import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { isHostName } from "../config/forms.ts";

/** What `init` finds out about a mail server, by asking its programs. */

/** The machine that is looked at. root: "" for this one, else the folder that stands for /. */
export type Machine = { readonly root: string };

export type MailSystem = { readonly name: "Postfix" | "Exim" | "another"; readonly version: string };

export type ServerFacts = {
  readonly mta: MailSystem | undefined;
  readonly dovecot: string | undefined;
  readonly name: string;
  readonly domains: readonly string[];
  /** Tables of domains that can't be read as a text file, such as mysql:/etc/postfix/domains.cf. */
  readonly unread: readonly string[];
  /** Postfix's own log file, when it writes one. */
  readonly ownLog: string | undefined;
};

const TIMEOUT_MS = 5000;
const MAX_DOMAINS = 200;
const PARAMETERS = [
  "mail_version",
  "maillog_file",
  "myhostname",
  "mydomain",
  "mydestination",
  "relay_domains",
  "virtual_mailbox_domains",
  "virtual_alias_domains",
];
const DOMAIN_LISTS = ["mydestination", "relay_domains", "virtual_mailbox_domains", "virtual_alias_domains"];
/** Tables whose source is a text file of one domain a line, and which postmap turns into the table. */
const TEXT_TABLE = /^(?:hash|texthash|btree|lmdb|cdb|dbm):(.+)$/;

/** What a program prints; undefined when it is not there or fails. */
export function ask(program: string, args: readonly string[]): string | undefined {
  const env = {
    ...process.env,
    PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin:/usr/local/sbin`,
    LC_ALL: "C",
  };
  const { status, stdout } = spawnSync(program, args, {
    encoding: "utf8",
    env,
    timeout: TIMEOUT_MS,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? stdout.trim() : undefined;
}

export function surveyServer(machine: Machine): ServerFacts {
  const postfix = postfixSettings(machine);
  const unread: string[] = [];
  const domains = new Set<string>();
  for (const list of DOMAIN_LISTS)
    for (const item of (postfix.get(list) ?? "").split(/[\s,]+/))
      for (const domain of domainsOf(item, machine, unread)) domains.add(domain);
  const mydomain = postfix.get("mydomain");
  if (mydomain !== undefined && postfix.size > 0 && isPublic(mydomain)) domains.add(mydomain);
  const name = postfix.get("myhostname") ?? mailName(machine);
  for (const local of [name, `localhost.${mydomain}`]) if (domains.size > 1) domains.delete(local);
  return {
    mta: mailSystem(postfix, machine),
    dovecot: machine.root === "" ? ask("dovecot", ["--version"])?.split(" ")[0] : undefined,
    name: isHostName(name) ? name : "localhost",
    domains: [...domains].slice(0, MAX_DOMAINS),
    unread,
    ownLog: postfix.get("maillog_file") || undefined,
  };
}

/** Parameters as Postfix sees them, expanded; none where it is not installed or set up. */
function postfixSettings({ root }: Machine): Map<string, string> {
  const settings = new Map<string, string>();
  const printed = ask("postconf", ["-c", join(root, "/etc/postfix"), "-x", ...PARAMETERS]);
  for (const line of printed?.split("\n") ?? []) {
    const equals = line.indexOf("=");
    if (equals > 0) settings.set(line.slice(0, equals).trim(), line.slice(equals + 1).trim());
  }
  return settings;
}

function mailSystem(postfix: ReadonlyMap<string, string>, { root }: Machine): MailSystem | undefined {
  const version = postfix.get("mail_version");
  if (version !== undefined) return { name: "Postfix", version };
  if (root !== "") return undefined;
  const exim = /^Exim version (\S+)/.exec(ask("exim", ["-bV"]) ?? ask("exim4", ["-bV"]) ?? "");
  if (exim !== null) return { name: "Exim", version: exim[1]! };
  return ask("sh", ["-c", "command -v sendmail"]) ? { name: "another", version: "" } : undefined;
}

/** The domains that one item of a list names. */
function domainsOf(item: string, machine: Machine, unread: string[]): string[] {
  if (item === "" || item.startsWith("!")) return [];
  const table = TEXT_TABLE.exec(item)?.[1] ?? (item.startsWith("/") ? item : undefined);
  if (table === undefined) {
    if (item.includes(":")) unread.push(item);
    return isPublic(item) ? [item] : [];
  }
  try {
    const lines = readFileSync(join(machine.root, table), "utf8").split("\n");
    return lines.map((line) => line.trim().split(/[\s:]+/)[0]!).filter((word) => isPublic(word));
  } catch {
    unread.push(item);
    return [];
  }
}

const isPublic = (name: string): boolean =>
  isHostName(name) &&
  name.includes(".") &&
  !/^localhost\./i.test(name) &&
  !/\.(localdomain|local|internal)$/i.test(name) &&
  !/^[\d.]+$/.test(name);

function mailName({ root }: Machine): string {
  try {
    return readFileSync(join(root, "/etc/mailname"), "utf8").trim() || hostname();
  } catch {
    return hostname();
  }
}
