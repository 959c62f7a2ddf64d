import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";

/** A private Postfix on loopback that delivers mail for example.org into one Maildir, with queue, data and log of its own. */
export type Postfix = {
  readonly port: number;
  /** A sendmail that hands mail to it. */
  readonly sendmail: string;
  /** What has arrived, in no order. */
  mails(): Buffer[];
  log(): string;
  stop(): void;
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

const SERVICES = `
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
showq unix n - n - - showq
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

/** Starts it below a folder. Needs root, as Postfix does. */
export async function startPostfix(root: string): Promise<Postfix> {
  const port = await freePort();
  const dir = (name: string): string => {
    mkdirSync(join(root, name));
    return join(root, name);
  };
  chmodSync(root, 0o755);
  const [etc, queue, data, mail] = [dir("etc"), dir("queue"), dir("data"), dir("mail")];
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postfix"], { encoding: "utf8" }));
  chownSync(data, id("-u"), id("-g"));
  chownSync(mail, 65534, 65534);
  writeFileSync(
    join(etc, "main.cf"),
    `compatibility_level = 3.6
queue_directory = ${queue}
data_directory = ${data}
maillog_file = ${root}/mail.log
maillog_file_prefixes = ${root}
myhostname = mx1.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
default_transport = error:no other mail
relay_transport = error:no other mail
virtual_mailbox_domains = example.org
virtual_mailbox_base = ${mail}
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
smtpd_client_connection_rate_limit = 0
virtual_destination_concurrency_limit = 1
`,
  );
  writeFileSync(join(etc, "master.cf"), `127.0.0.1:${port} inet n - n - - smtpd${SERVICES}`);
  const control = (verb: string): void =>
    void execFileSync("postfix", ["-c", etc, verb], { stdio: ["ignore", "ignore", "ignore"] });
  control("start");
  const sendmail = join(root, "sendmail");
  writeFileSync(sendmail, `#!/bin/sh\nMAIL_CONFIG=${etc} exec /usr/sbin/sendmail "$@"\n`, { mode: 0o755 });
  const inbox = join(mail, "inbox/new");
  return {
    port,
    sendmail,
    mails: () => {
      try {
        return readdirSync(inbox).map((name) => readFileSync(join(inbox, name)));
      } catch {
        return []; // nothing arrived yet
      }
    },
    log: () => readFileSync(join(root, "mail.log"), "utf8"),
    stop: () => control("stop"),
  };
}
