// The mail servers of others: one SMTP server behind each MX address of the lab's organisations.
import { createServer } from "node:net";
import { Mail } from "./mail.ts";
import { contextOf, pause, Wire } from "./wire.ts";
import { mxOf, ORGS, SERVER } from "./world.ts";

/** What all of them may be told to do, beside what a recipient's local part asks for. */
export const remote: { greylist: boolean } = { greylist: false };
/** Organisations that greylist, that lose the connection at their first MX, and those whose servers are down. */
const GREYLISTS = new Set([5, 11]);
const LOSES = 17;
const DOWN = 23;
const MANY = 4000;

const hex = (n: number): string =>
  Array.from({ length: n }, () => "0123456789ABCDEF"[Math.floor(Math.random() * 16)]).join("");
const digits = (n: number): string =>
  Array.from({ length: n }, () => Math.floor(Math.random() * 10)).join("");

/** How the programs of this world say that they took a message. */
function accepted(org: number, id: string): string {
  switch (org % 5) {
    case 0:
      return `250 2.0.0 Ok: queued as ${hex(10)}`;
    case 1:
      return `250 2.0.0 OK  ${digits(10)} ${hex(6).toLowerCase()}${digits(6)}.${digits(3)} - gsmtp`;
    case 2:
      return `250 2.6.0 ${id} [InternalId=${digits(14)}, Hostname=EX${digits(4)}.${ORGS[org]}] Queued mail for delivery`;
    case 3:
      return `250 OK id=1${hex(5)}-${hex(6)}-${hex(2)}`;
    default:
      return `250 ok ${digits(10)} qp ${digits(5)}`;
  }
}

/** A recipient, judged; undefined to accept. */
function refusal(org: number, to: string, known: Set<string>, from: string): string | undefined {
  if (to.startsWith("gone."))
    return `550 5.1.1 <${to}>: Recipient address rejected: User unknown in virtual mailbox table`;
  if (to.startsWith("full.")) return "452 4.2.2 The recipient's inbox is out of storage space.";
  if (!remote.greylist && !GREYLISTS.has(org)) return undefined;
  const triplet = `${from} ${to}`;
  const age = Date.now() - (seen.get(triplet) ?? Date.now());
  if (!seen.has(triplet) && seen.size < MANY) seen.set(triplet, Date.now());
  if (known.has(triplet) || age > 7000) return undefined;
  return org % 2 === 0
    ? `450 4.2.0 <${to}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/${ORGS[org]}.html`
    : "451 4.7.1 Greylisting in action, please come back in 00:05:00";
}
const seen = new Map<string, number>();

async function converse(wire: Wire, org: number, first: boolean, key: string, cert: string): Promise<void> {
  const host = `mx${first ? 1 : 2}.${ORGS[org]}`;
  const known = new Set<string>();
  let from = "";
  let recipients: string[] = [];
  wire.send(`220 ${host} ESMTP`);
  for (let line = await wire.line(); line !== undefined; line = await wire.line()) {
    const command = line.slice(0, 4).toUpperCase();
    const address = /<([^>]*)>/.exec(line)?.[1] ?? "";
    if (command === "EHLO")
      wire.send(
        `250-${host}\r\n250-SIZE 52428800\r\n${org % 4 === 3 ? "" : "250-STARTTLS\r\n"}250 ENHANCEDSTATUSCODES`,
      );
    else if (command === "STAR") {
      wire.send("220 2.0.0 Ready to start TLS");
      wire.secureServer(contextOf(key, cert));
    } else if (command === "MAIL") {
      from = address;
      recipients = [];
      wire.send("250 2.1.0 Ok");
    } else if (command === "RCPT") {
      const no = refusal(org, address, known, from);
      if (no === undefined) recipients.push(address);
      wire.send(no ?? "250 2.1.5 Ok");
    } else if (command === "DATA") {
      if (recipients.length === 0) {
        wire.send("554 5.5.1 Error: no valid recipients");
        continue;
      }
      wire.send("354 End data with <CR><LF>.<CR><LF>");
      const text: string[] = [];
      for (let l = await wire.line(); l !== undefined && l !== "."; l = await wire.line()) text.push(l);
      if (org === LOSES && first) {
        wire.drop();
        return;
      }
      const body = text.join("\r\n");
      const loops = recipients.some((to) => to.startsWith("loop."));
      if (/^Subject:.*casino/im.test(body))
        wire.send("550 5.7.1 Message rejected due to content restrictions");
      else wire.send(accepted(org, /^Message-ID: (<.*>)/im.exec(body)?.[1] ?? "<unknown>"));
      if (loops) void again(org, from, body);
    } else if (command === "QUIT") {
      wire.send("221 2.0.0 Bye");
      wire.end();
      return;
    } else wire.send("250 2.0.0 Ok");
  }
}

/** A forwarder that gives a message back to where it came from. */
async function again(org: number, from: string, body: string, tries = 0): Promise<void> {
  try {
    const mail = await Mail.open(mxOf(org)[0]!, SERVER, 25, `mx1.${ORGS[org]}`);
    await mail.say(`MAIL FROM:<${from}>`);
    if ((await mail.say("RCPT TO:<forward@nordhav.example>")) >= 400) {
      await mail.quit();
      if (tries < 3) await pause(3300).then(() => again(org, from, body, tries + 1));
      return;
    }
    await mail.data(
      `Received: from mail.nordhav.example by mx1.${ORGS[org]}; Tue, 24 Nov 2026 12:00:00 +0000\r\n${body}`,
    );
    await mail.quit();
  } catch {
    // The server would not have it: the end of the loop.
  }
}

/** Starts the servers of all organisations. trusted: a certificate that our server can verify; own: one it can't. */
export async function startRemotes(key: string, trusted: string, own: string): Promise<void> {
  for (const [org] of ORGS.entries()) {
    if (org === DOWN) continue;
    for (const [n, address] of mxOf(org).entries()) {
      const server = createServer((socket) => {
        void converse(new Wire(socket), org, n === 0, key, org % 3 === 1 ? own : trusted).catch(() =>
          socket.destroy(),
        );
      });
      await new Promise<void>((resolve) => server.listen(25, address, resolve));
    }
  }
}
