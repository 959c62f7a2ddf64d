import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ORGS, startNames } from "../../eval/lab/world.ts";
import { Receiver } from "../deliver/receiver.ts";

/**
 * A mail server of real daemons, Postfix and Dovecot, in namespaces of its own: to be made inside `unshare`, as root. Its queue
 * lies on a small disk, its name server is ours, and so is the server that it sends to.
 */

export const DOMAIN: string = "nordhav.example";
export const PEOPLE: readonly string[] = ["ann", "bob", "cleo", "dan", "eva", "ops"];
export const PASSWORD = "right-one";
/** Where the alerts of the watch go. */
export const OPERATOR: string = `ops@${DOMAIN}`;

/** The server of all other domains, also the mail exchanger of a domain that is found by its name. */
const ELSEWHERE = "203.0.113.1";
/** Known by a transport map, and by DNS alone. */
export const PARTNER: string = "partner.example";
export const FOUND: string = ORGS[0]!;
const RESOLVER = "192.0.2.53";
/** Takes questions, and never answers. */
const SILENT = "192.0.2.54";

/** Room of the queue's disk. */
const DISK = "24m";
const UID = 5000;

const MAIN = (root: string): string => `compatibility_level = 3.6
queue_directory = ${root}/disk/queue
data_directory = ${root}/data
maillog_file = ${root}/log/mail.log
maillog_file_prefixes = ${root}
myhostname = mx.${DOMAIN}
myorigin = ${DOMAIN}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
message_size_limit = 1024000
virtual_mailbox_domains = ${DOMAIN}
virtual_mailbox_maps = inline:{${PEOPLE.map((name) => `{${name}@${DOMAIN} = x}`).join(", ")}}
virtual_transport = lmtp:unix:private/dovecot-lmtp
transport_maps = inline:{{partner.example = smtp:[${ELSEWHERE}]}}
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_auth_enable = no
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
minimal_backoff_time = 20s
queue_run_delay = 20s
`;

const MASTER = `smtp inet n - n - - smtpd
submission inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
proxymap unix - - n - - proxymap
showq unix n - n - - showq
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

const DOVECOT = (root: string): string => `protocols = imap lmtp
listen = 127.0.0.1
base_dir = ${root}/run
log_path = ${root}/log/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_verbose = yes
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:${root}/mail/%n
first_valid_uid = 1000
passdb {
  driver = passwd-file
  args = username_format=%n ${root}/etc/users
}
userdb {
  driver = passwd-file
  args = username_format=%n ${root}/etc/users
}
service auth {
  unix_listener ${root}/disk/queue/private/auth {
    user = postfix
    mode = 0660
  }
}
service lmtp {
  unix_listener ${root}/disk/queue/private/dovecot-lmtp {
    user = postfix
    mode = 0600
  }
}
`;

const run = (program: string, ...args: string[]): void =>
  void execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });

export class Site {
  readonly root: string;
  /** What the world says to our mail. */
  readonly elsewhere: Receiver = new Receiver();
  readonly #etc: string;

  private constructor(root: string) {
    this.root = root;
    this.#etc = join(root, "etc");
  }

  /** root: an empty folder. */
  static async start(root: string): Promise<Site> {
    const site = new Site(root);
    site.#isolate();
    site.#configure();
    await startNames();
    await new Promise<void>((done) => createSocket("udp4").bind(53, SILENT, done));
    await site.elsewhere.start(25, ELSEWHERE);
    site.postfix("start");
    run("dovecot", "-c", join(root, "etc/dovecot.conf"));
    return site;
  }

  #isolate(): void {
    const { root } = this;
    chmodSync(root, 0o755);
    for (const name of ["etc", "data", "log", "mail", "run", "disk"]) mkdirSync(join(root, name));
    run("ip", "link", "set", "lo", "up");
    for (const net of ["198.18.0.0/15", "203.0.113.0/24", "192.0.2.0/24"])
      run("ip", "route", "add", "local", net, "dev", "lo");
    run("hostname", "mx");
    run("mount", "-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", join(root, "disk"));
    mkdirSync(join(root, "disk/queue"));
    const bound = { hosts: `127.0.0.1 localhost mx.${DOMAIN} mx\n`, "resolv.conf": resolver(RESOLVER) };
    for (const [name, text] of Object.entries(bound)) {
      writeFileSync(join(root, "etc", name), text);
      run("mount", "--bind", join(root, "etc", name), join("/etc", name));
    }
  }

  #configure(): void {
    const { root } = this;
    const id = (flag: string): number => Number(execFileSync("id", [flag, "postfix"], { encoding: "utf8" }));
    chownSync(join(root, "data"), id("-u"), id("-g"));
    chownSync(join(root, "mail"), UID, UID);
    const write = (name: string, text: string, mode = 0o644): void =>
      writeFileSync(join(root, name), text, { mode });
    write("etc/main.cf", MAIN(root));
    write("etc/master.cf", MASTER);
    write("etc/dovecot.conf", DOVECOT(root));
    write(
      "etc/users",
      PEOPLE.map((name) => `${name}:{PLAIN}${PASSWORD}:${UID}:${UID}::${root}/mail/${name}\n`).join(""),
    );
    write("sendmail", `#!/bin/sh\nMAIL_CONFIG=${this.#etc} exec /usr/sbin/sendmail "$@"\n`, 0o755);
  }

  postfix(verb: string): void {
    execFileSync("postfix", ["-c", this.#etc, verb], { stdio: ["ignore", "ignore", "ignore"] });
  }

  /** Changes settings of the running Postfix. */
  set(...settings: string[]): void {
    execFileSync("postconf", ["-c", this.#etc, "-e", ...settings]);
    this.postfix("reload");
  }

  /** The name server that it asks doesn't answer any more. */
  killResolver(): void {
    writeFileSync(join(this.root, "etc/resolv.conf"), resolver(SILENT));
    this.postfix("reload"); // Postfix reads it at the start of a process
  }

  /** Takes all room of the queue's disk. */
  fill(): void {
    try {
      execFileSync("dd", ["if=/dev/zero", `of=${this.root}/disk/fill`, "bs=4k"], { stdio: "ignore" });
    } catch {
      // until the disk is full
    }
  }

  unfill(): void {
    rmSync(join(this.root, "disk/fill"));
  }

  /** Logs, one after the other. */
  log(): string {
    return ["mail.log", "dovecot.log"]
      .map((name) => readFileSync(join(this.root, "log", name), "utf8"))
      .join("");
  }

  /** What is in somebody's mailbox, read or not. */
  mails(name: string): Buffer[] {
    const mails: Buffer[] = [];
    for (const part of ["new", "cur"]) {
      const folder = join(this.root, "mail", name, part);
      try {
        for (const file of readdirSync(folder)) mails.push(readFileSync(join(folder, file)));
      } catch {
        // nothing has arrived yet
      }
    }
    return mails;
  }

  /** Waits until the daemons take connections. */
  async ready(): Promise<void> {
    for (const port of [25, 587, 143])
      for (let tries = 0; !(await answers(port)); tries++) {
        if (tries > 100) throw new Error(`port ${port} does not answer`);
        await sleep(100);
      }
  }
}

const resolver = (address: string): string => `nameserver ${address}\noptions timeout:1 attempts:1\n`;

const answers = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
